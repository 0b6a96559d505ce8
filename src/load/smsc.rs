//! The SM-SC side: an SMPP server that takes binds and short messages, answers, reports, and delivers.

use core::time::Duration;

use bytes::Bytes;

use super::answers::{Answers, Judgement};
use super::desk::Desk;
use super::flow::Answer;
use super::joiner::{Heard, Joiner};
use super::later::{Later, Task};
use super::links::{Links, frames};
use super::mix::{Message, Way};
use super::pdus::{answer_other, parsed, reply};
use super::sender::{Address, Answered, Manner, Report, Sender, id_octets};
use super::settings::SmscSettings;
use super::texts::Judged;
use crate::engine::transport::LinkId;
use crate::engine::{Moment, Now, Random};
use crate::limits;
use crate::wire::smpp::{self, Bind, CommandId, CommandStatus, Header, Pdu, Plain, Response, SubmitSm, Tag, Tlvs, tlv};

/// After this long a status report that was not taken for now is sent again.
const TRY_AGAIN: Duration = Duration::from_millis(300);

/// The SM-SC side.
#[derive(Debug)]
pub(super) struct Smsc {
    settings: SmscSettings,
    links: Links<Vec<u8>>,
    /// Bound to receive.
    receivers: Vec<LinkId>,
    /// Bound at all.
    bound: Vec<LinkId>,
    joiner: Joiner,
    answers: Answers,
    later: Later,
    sender: Sender,
    next_id: u64,
}

impl Smsc {
    pub(super) fn new(settings: SmscSettings, random: Random) -> Smsc {
        let manner = Manner {
            command: CommandId::DELIVER_SM,
            window: settings.window.clamp(1, limits::LOAD_WINDOW_MAX),
            data_coding_0: settings.data_coding_0,
            concatenation: settings.concatenation,
            from: settings.from.clone(),
            to: settings.to.clone(),
        };
        Smsc {
            links: Links::new(),
            receivers: Vec::new(),
            bound: Vec::new(),
            joiner: Joiner::new(settings.data_coding_0),
            answers: Answers::new(&settings, random),
            later: Later::default(),
            sender: Sender::new(manner),
            next_id: 1,
            settings,
        }
    }

    /// Whether somebody is bound; to deliver, whether somebody receives.
    pub(super) fn is_ready(&self, delivers: bool) -> bool {
        if delivers { !self.receivers.is_empty() } else { !self.bound.is_empty() }
    }

    /// Delivers a text.
    pub(super) fn send(&mut self, now: Now, desk: &mut Desk, message: &Message) {
        self.sender.text(message);
        self.sender.pump(now, desk, &self.receivers);
    }

    pub(super) fn on_accepted(&mut self, link: LinkId) {
        self.links.insert(link, Vec::new());
    }

    pub(super) fn on_closed(&mut self, link: LinkId) {
        if self.links.remove(link).is_some() {
            self.unbound(link);
            self.sender.on_closed(link);
        }
    }

    pub(super) fn on_stream(&mut self, now: Now, desk: &mut Desk, link: LinkId, bytes: &Bytes) {
        let Some(unread) = self.links.get_mut(link) else { return };
        let mut unread = core::mem::take(unread);
        let frame = |stream: &[u8]| smpp::frame(stream, limits::SMPP_PDU_BYTES_MAX);
        if !frames(&mut unread, bytes, frame, |pdu| self.on_pdu(now, desk, link, pdu)) {
            desk.out.close(link);
        }
        if let Some(place) = self.links.get_mut(link) {
            *place = unread;
        }
        self.sender.pump(now, desk, &self.receivers);
    }

    /// Answers and reports what is due.
    pub(super) fn on_tick(&mut self, now: Now, desk: &mut Desk) {
        while let Some(task) = self.later.poll(now.moment) {
            match task {
                Task::Respond { link, sequence, id } => respond_submit(desk, link, sequence, Ok(id)),
                Task::Report(report) => self.sender.report(report),
            }
        }
        self.sender.pump(now, desk, &self.receivers);
    }

    /// When to call `on_tick`.
    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        self.later.deadline()
    }

    fn on_pdu(&mut self, now: Now, desk: &mut Desk, link: LinkId, octets: &[u8]) {
        let Some((header, pdu)) = parsed(desk, link, octets) else { return };
        match pdu {
            Pdu::SubmitSm(submit) => self.on_submit(now, desk, link, header, &submit),
            Pdu::DeliverSmResp(_) => self.on_delivered(now, desk, header),
            Pdu::BindTransceiver(bind) | Pdu::BindReceiver(bind) | Pdu::BindTransmitter(bind) => {
                self.on_bind(desk, link, header, &bind);
            }
            Pdu::Unbind(_) => {
                self.unbound(link);
                reply(desk, link, header, CommandStatus::ESME_ROK, &Pdu::UnbindResp(Plain::default()));
            }
            other => answer_other(desk, link, header, &other),
        }
    }

    fn on_bind(&mut self, desk: &mut Desk, link: LinkId, header: Header, bind: &Bind<'_>) {
        let status = match &self.settings.credentials {
            Some((system_id, _)) if system_id.as_bytes() != bind.system_id => CommandStatus::ESME_RINVSYSID,
            Some((_, password)) if password.as_bytes() != bind.password => CommandStatus::ESME_RINVPASWD,
            _ => CommandStatus::ESME_ROK,
        };
        let mut tlvs = Vec::new();
        tlv::put(&mut tlvs, Tag::SC_INTERFACE_VERSION, &[0x34]);
        let body = Response { id: Some(b"load"), tlvs: Tlvs::whole_ones(&tlvs) };
        reply(desk, link, header, status, &Pdu::BindResp(body));
        if status != CommandStatus::ESME_ROK {
            return;
        }
        self.unbound(link);
        self.bound.push(link);
        if header.command_id != CommandId::BIND_TRANSMITTER {
            self.receivers.push(link);
        }
    }

    fn unbound(&mut self, link: LinkId) {
        self.bound.retain(|known| *known != link);
        self.receivers.retain(|known| *known != link);
    }

    fn on_submit(&mut self, now: Now, desk: &mut Desk, link: LinkId, header: Header, submit: &SubmitSm<'_>) {
        let answered_at = match self.answers.judge(now.moment, self.bound.contains(&link)) {
            Judgement::Refused(status) => return respond_submit(desk, link, header.sequence_number, Err(status)),
            Judgement::TakenAt(moment) => moment,
        };
        let id = self.next_id;
        self.next_id += 1;
        if answered_at <= now.moment {
            respond_submit(desk, link, header.sequence_number, Ok(id));
        } else {
            self.later.add(answered_at, Task::Respond { link, sequence: header.sequence_number, id });
        }
        match self.joiner.hear(submit, id, &desk.texts) {
            Heard::Part => {}
            Heard::Again => desk.ledger.doubled(Way::CpmToSms),
            Heard::Whole(judged) => self.on_text(now, desk, submit, judged, answered_at),
        }
    }

    fn on_text(&mut self, now: Now, desk: &mut Desk, submit: &SubmitSm<'_>, judged: Judged, answered_at: Moment) {
        let (number, us) = match judged {
            Judged::Intact(number) => (number, desk.us(now)),
            Judged::Damaged(number) => return desk.ledger.damaged(Some(number), Way::CpmToSms),
            Judged::Unknown => return desk.ledger.damaged(None, Way::CpmToSms),
        };
        let message = desk.texts.message(number);
        if message.way != Way::CpmToSms {
            return desk.ledger.damaged(None, Way::CpmToSms);
        }
        desk.ledger.arrived(number, us, Way::CpmToSms);
        if submit.registered_delivery & 0x03 != 0 {
            self.report_all(&message, submit, answered_at.max(now.moment) + self.settings.report_delay);
        }
    }

    fn report_all(&mut self, message: &Message, submit: &SubmitSm<'_>, due: Moment) {
        let ids = self.joiner.ids();
        for (place, id) in ids.iter().enumerate() {
            let report = Report {
                number: message.number,
                id: *id,
                last: place + 1 == ids.len(),
                undelivered: message.undelivered,
                source: Address::from_slice(submit.source_addr).unwrap_or_default(),
                destination: Address::from_slice(submit.destination_addr).unwrap_or_default(),
            };
            self.later.add(due, Task::Report(report));
        }
    }

    fn on_delivered(&mut self, now: Now, desk: &mut Desk, header: Header) {
        match self.sender.answered(header.sequence_number, header.command_status) {
            Answered::Text(number, status) => {
                let taken = status == CommandStatus::ESME_ROK;
                desk.ledger.answered(number, desk.us(now), Answer::Smpp(status), taken);
            }
            // SMPP 3.4 5.1.3: an error of the receiver that passes.
            Answered::Report(report) if header.command_status == CommandStatus::ESME_RX_T_APPN => {
                desk.reports_put_off += 1;
                self.later.add(now.moment + TRY_AGAIN, Task::Report(report));
            }
            Answered::Report(_) | Answered::Nothing => {}
        }
    }
}

fn respond_submit(desk: &mut Desk, link: LinkId, sequence: u32, id: Result<u64, CommandStatus>) {
    let out = desk.out.stream(link);
    let (octets, status) = match id {
        Ok(id) => (Some(id_octets(id)), CommandStatus::ESME_ROK),
        Err(status) => (None, status),
    };
    let body = Response { id: octets.as_ref().map(<[u8; 10]>::as_slice), tlvs: Tlvs::default() };
    Pdu::SubmitSmResp(body).emit(out, CommandId::SUBMIT_SM_RESP, status, sequence);
}
