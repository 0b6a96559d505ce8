//! A client of an SM-SC: binds, submits texts, and takes back what the SM-SC delivers.

use core::time::Duration;

use bytes::Bytes;
use hashbrown::HashMap;

use super::desk::Desk;
use super::flow::Answer;
use super::joiner::{Heard, Joiner};
use super::ledger::Flow;
use super::links::frames;
use super::mix::{Message, Way};
use super::pdus::{answer_other, parsed, reply};
use super::sender::{Answered, Manner, Sender};
use super::settings::EsmeSettings;
use super::texts::Judged;
use crate::engine::keyed_hash::{Hashed, KeyedHash};
use crate::engine::transport::{ConnectId, LinkId};
use crate::engine::{Moment, Now};
use crate::limits;
use crate::wire::smpp::status_report::{self, StatusReport};
use crate::wire::smpp::{self, Bind, CommandId, CommandStatus, DeliverSm, Header, Pdu, Plain, Response};

/// The order to connect; those below are the CPM side's.
pub(super) const ORDER: ConnectId = ConnectId(u64::MAX);
/// After this long a connection that is gone is ordered again.
const RECONNECT: Duration = Duration::from_secs(1);

/// A client of an SM-SC.
#[derive(Debug)]
pub(super) struct Esme {
    settings: EsmeSettings,
    link: Option<LinkId>,
    bound: bool,
    connect_at: Option<Moment>,
    unread: Vec<u8>,
    sender: Sender,
    joiner: Joiner,
    hash: KeyedHash,
    /// Messages by the hash of a message_id; `None` for a report that came before its response.
    ids: HashMap<u64, Option<u32>, Hashed>,
    /// Reports that came of texts with several parts.
    reports: HashMap<u32, u8, Hashed>,
}

impl Esme {
    pub(super) fn new(settings: EsmeSettings, run: u32) -> Esme {
        let manner = Manner {
            command: CommandId::SUBMIT_SM,
            window: settings.window.clamp(1, limits::LOAD_WINDOW_MAX),
            data_coding_0: settings.data_coding_0,
            concatenation: settings.concatenation,
            from: settings.from.clone(),
            to: settings.to.clone(),
        };
        Esme {
            link: None,
            bound: false,
            connect_at: Some(Moment::default()),
            unread: Vec::new(),
            sender: Sender::new(manner),
            joiner: Joiner::new(settings.data_coding_0),
            hash: KeyedHash::new([u64::from(run), 2]),
            ids: HashMap::with_hasher(Hashed::default()),
            reports: HashMap::with_hasher(Hashed::default()),
            settings,
        }
    }

    pub(super) const fn is_ready(&self) -> bool {
        self.bound
    }

    /// Submits a text.
    pub(super) fn send(&mut self, now: Now, desk: &mut Desk, message: &Message) {
        self.sender.text(message);
        self.pump(now, desk);
    }

    fn pump(&mut self, now: Now, desk: &mut Desk) {
        if let Some(link) = self.link.filter(|_| self.bound) {
            self.sender.pump(now, desk, &[link]);
        }
    }

    pub(super) fn on_connected(&mut self, desk: &mut Desk, link: LinkId) {
        self.link = Some(link);
        self.unread.clear();
        let bind = Bind {
            system_id: self.settings.system_id.as_bytes(),
            password: self.settings.password.as_bytes(),
            interface_version: 0x34,
            ..Bind::default()
        };
        let out = desk.out.stream(link);
        Pdu::BindTransceiver(bind).emit(out, CommandId::BIND_TRANSCEIVER, CommandStatus::ESME_ROK, 0x7FFF_FFFF);
    }

    pub(super) fn on_connect_failed(&mut self, now: Now) {
        self.connect_at = Some(now.moment + RECONNECT);
    }

    pub(super) fn on_closed(&mut self, now: Now, link: LinkId) {
        if self.link == Some(link) {
            (self.link, self.bound) = (None, false);
            self.sender.on_closed(link);
            self.connect_at = Some(now.moment + RECONNECT);
        }
    }

    pub(super) fn on_stream(&mut self, now: Now, desk: &mut Desk, link: LinkId, bytes: &Bytes) {
        if self.link != Some(link) {
            return;
        }
        let mut unread = core::mem::take(&mut self.unread);
        let frame = |stream: &[u8]| smpp::frame(stream, limits::SMPP_PDU_BYTES_MAX);
        if !frames(&mut unread, bytes, frame, |pdu| self.on_pdu(now, desk, link, pdu)) {
            desk.out.close(link);
        }
        self.unread = unread;
        self.pump(now, desk);
    }

    pub(super) fn on_tick(&mut self, now: Now, desk: &mut Desk) {
        if self.connect_at.take_if(|at| *at <= now.moment).is_some() {
            desk.out.connect(ORDER, self.settings.smsc);
        }
    }

    /// When to call `on_tick`.
    pub(super) const fn poll_timeout(&self) -> Option<Moment> {
        self.connect_at
    }

    fn on_pdu(&mut self, now: Now, desk: &mut Desk, link: LinkId, octets: &[u8]) {
        let Some((header, pdu)) = parsed(desk, link, octets) else { return };
        match pdu {
            Pdu::BindResp(_) => {
                self.bound = header.command_status == CommandStatus::ESME_ROK;
                if !self.bound {
                    desk.out.close(link);
                }
            }
            Pdu::SubmitSmResp(response) => self.on_response(now, desk, header, response.id.unwrap_or_default()),
            Pdu::DeliverSm(deliver) => self.on_deliver(now, desk, link, header, &deliver),
            Pdu::Unbind(_) => {
                reply(desk, link, header, CommandStatus::ESME_ROK, &Pdu::UnbindResp(Plain::default()));
                desk.out.close(link);
            }
            other => answer_other(desk, link, header, &other),
        }
    }

    fn on_response(&mut self, now: Now, desk: &mut Desk, header: Header, id: &[u8]) {
        let taken = header.command_status == CommandStatus::ESME_ROK;
        let number = self.sender.number_of(header.sequence_number);
        if let Answered::Text(number, status) = self.sender.answered(header.sequence_number, header.command_status) {
            desk.ledger.answered(number, desk.us(now), Answer::Smpp(status), status == CommandStatus::ESME_ROK);
        }
        let Some(number) = number.filter(|number| taken && desk.texts.message(*number).is_notified()) else { return };
        let key = self.hash.of(&[id]);
        match self.ids.remove(&key) {
            Some(None) => self.on_part_reported(now, desk, number),
            _ if self.ids.len() < limits::LOAD_OPEN_MAX => drop(self.ids.insert(key, Some(number))),
            _ => desk.strange += 1,
        }
    }

    fn on_deliver(&mut self, now: Now, desk: &mut Desk, link: LinkId, header: Header, deliver: &DeliverSm<'_>) {
        reply(
            desk,
            link,
            header,
            CommandStatus::ESME_ROK,
            &Pdu::DeliverSmResp(Response { id: Some(b""), ..Response::default() }),
        );
        if let Some(report) = status_report::from_deliver_sm(deliver) {
            return self.on_report(now, desk, &report);
        }
        let us = desk.us(now);
        match self.joiner.hear(deliver, 0, &desk.texts) {
            Heard::Part => {}
            Heard::Again => desk.ledger.doubled(Way::Esme),
            Heard::Whole(Judged::Intact(number)) if desk.texts.message(number).way == Way::Esme => {
                desk.ledger.arrived(number, us, Way::Esme);
            }
            Heard::Whole(Judged::Damaged(number)) => desk.ledger.damaged(Some(number), Way::Esme),
            Heard::Whole(_) => desk.ledger.damaged(None, Way::Esme),
        }
    }

    fn on_report(&mut self, now: Now, desk: &mut Desk, report: &StatusReport<'_>) {
        let key = self.hash.of(&[&report.message_id]);
        match self.ids.remove(&key) {
            Some(Some(number)) => self.on_part_reported(now, desk, number),
            Some(None) => desk.strange += 1,
            None if self.ids.len() < limits::LOAD_OPEN_MAX => drop(self.ids.insert(key, None)),
            None => desk.strange += 1,
        }
    }

    fn on_part_reported(&mut self, now: Now, desk: &mut Desk, number: u32) {
        let parts = self.sender.parts_of(desk, number);
        if parts > 1 {
            let seen = self.reports.entry(number).or_insert(0);
            *seen += 1;
            if *seen < parts {
                return;
            }
            self.reports.remove(&number);
        }
        desk.ledger.notified(number, desk.us(now), Flow::EsmeReport, true);
    }
}
