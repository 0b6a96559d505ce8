//! One shard with an SM-SC and a CPM client that answer at once, driven without sockets: for counting and for timing.

use std::cell::Cell;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use isthmus::engine::Now;
use isthmus::engine::transport::{ListenerId, Transmit};
use isthmus::observe::{ArrivedAt, Flow, Snapshot, Stage};
use isthmus::shard::Shard;
use isthmus::wire::smpp::{CommandId, CommandStatus, DeliverSm, Header, Pdu, Response, Tlvs};

use crate::surroundings::{CPM, SMSC, START, connect, receipt, request, respond, settings, short_message};
use crate::watch::Watch;

/// The shard and what surrounds it.
pub struct OneCore<W> {
    shard: Shard,
    now: Now,
    cpm: SocketAddr,
    request: Vec<u8>,
    /// Where its number stands.
    places: Vec<usize>,
    octets: Vec<u8>,
    receipts: u64,
    profiled: bool,
    watch: PhantomData<W>,
}

const PACE: Duration = Duration::from_millis(200);
/// A place that a number is written into.
const NUMBER: &[u8] = b"##########";

thread_local! {
    static LOOKS: Cell<u64> = const { Cell::new(0) };
}

/// A clock that goes on when it is looked at.
fn ticks() -> u64 {
    LOOKS.set(LOOKS.get() + 1);
    LOOKS.get()
}

impl<W: Watch> OneCore<W> {
    /// A shard whose bind is up.
    pub fn new() -> OneCore<W> {
        let mut core = OneCore {
            shard: Shard::new(settings()),
            now: START,
            cpm: CPM.parse().unwrap(),
            request: Vec::new(),
            places: Vec::new(),
            octets: Vec::new(),
            receipts: 0,
            profiled: false,
            watch: PhantomData,
        };
        connect(&mut core.shard);
        core.exchange(None, None);
        assert!(core.shard.is_ready());
        core
    }

    /// The same, timing the stages of messages.
    #[allow(dead_code, reason = "not every user looks")]
    pub fn profiled() -> OneCore<W> {
        let mut core = OneCore::new();
        core.shard.profile(ticks);
        core.profiled = true;
        core
    }

    /// One CPM message: 202, and if a report is asked for its notification, answered.
    pub fn pager_message(&mut self, number: u64, dispositions: Option<&str>) {
        self.write_request(number, dispositions);
        self.arrives();
        let (shard, now, cpm, request) = (&mut self.shard, self.now, self.cpm, &self.request);
        let submit_sm = W::outward(|| {
            W::inside(|| shard.on_datagram(now, ListenerId(0), cpm, request));
            W::inside(|| shard.poll_transmit())
        });
        let seen = self.exchange(submit_sm, dispositions.map(|_| number));
        assert_eq!(seen.accepted, 1);
        assert_eq!(seen.requests, u64::from(dispositions.is_some()));
        assert_eq!(seen.delivered, u64::from(dispositions.is_some()));
        self.rest();
    }

    /// One CPM message and its 202, `pace` before the next; the report that it may ask for does not come.
    #[allow(dead_code, reason = "the bench has no use for it")]
    pub fn unreported_message(&mut self, number: u64, dispositions: Option<&str>, pace: Duration) {
        self.write_request(number, dispositions);
        self.shard.on_datagram(self.now, ListenerId(0), self.cpm, &self.request);
        assert_eq!(self.exchange(None, None).accepted, 1);
        self.now = self.now.after(pace);
        self.shard.on_tick(self.now);
        self.exchange(None, None);
    }

    /// One short message: its MESSAGE answered, its deliver_sm_resp seen.
    pub fn short_message(&mut self, number: u64) {
        let sequence = u32::try_from(number % 0x7FFF_0000).unwrap() + 1;
        let pdu = DeliverSm { short_message: b"A short message that is as long as most are.", ..short_message() };
        self.deliver(sequence, &pdu);
        let seen = self.exchange(None, None);
        assert_eq!((seen.requests, seen.delivered), (1, 1));
        self.rest();
    }

    /// How many messages have been timed to their end.
    #[allow(dead_code, reason = "not every user looks")]
    pub fn timed(&self, flow: Flow) -> u64 {
        let mut snapshot = Snapshot::default();
        self.shard.observe(&mut snapshot);
        snapshot.stages.map_or(0, |stages| stages.of(flow, Stage::Reply).count())
    }

    fn rest(&mut self) {
        self.now = self.now.after(PACE);
        let (shard, now) = (&mut self.shard, self.now);
        W::inside(|| shard.on_tick(now));
        self.exchange(None, None);
    }

    fn deliver(&mut self, sequence: u32, pdu: &DeliverSm<'_>) {
        self.octets.clear();
        Pdu::DeliverSm(*pdu).emit(&mut self.octets, CommandId::DELIVER_SM, CommandStatus::ESME_ROK, sequence);
        self.smsc_sends();
    }

    /// Hands `octets` to the shard as the shell does: owned by somebody else.
    fn smsc_sends(&mut self) {
        self.arrives();
        let bytes = Bytes::from_owner(self.octets.clone());
        let (shard, now) = (&mut self.shard, self.now);
        W::inside(|| shard.on_stream(now, SMSC, bytes));
    }

    /// Answers `first` and what the shard says until it says nothing. `report`: the number of the message that is
    /// reported on.
    fn exchange(&mut self, first: Option<Transmit>, report: Option<u64>) -> Seen {
        let mut seen = Seen::default();
        let mut said = first.or_else(|| self.poll());
        while let Some(transmit) = said {
            self.answer(transmit, report, &mut seen);
            said = self.poll();
        }
        if self.profiled {
            let shard = &mut self.shard;
            W::inside(|| shard.flushed());
        }
        while self.shard.poll_event().is_some() {}
        seen
    }

    fn arrives(&mut self) {
        if self.profiled {
            let shard = &mut self.shard;
            W::inside(|| shard.arrived(ArrivedAt { received_ns: ticks(), handed_ns: ticks() }));
        }
    }

    fn poll(&mut self) -> Option<Transmit> {
        let shard = &mut self.shard;
        W::inside(|| shard.poll_transmit())
    }

    fn answer(&mut self, transmit: Transmit, report: Option<u64>, seen: &mut Seen) {
        match transmit {
            Transmit::Datagram { bytes, .. } => {
                self.cpm_gets(&bytes, seen);
                self.recycle(bytes);
            }
            Transmit::Stream { bytes, .. } => {
                self.smsc_gets(&bytes, report, seen);
                self.recycle(bytes);
            }
            other => panic!("{other:?}"),
        }
    }

    fn recycle(&mut self, bytes: Vec<u8>) {
        let shard = &mut self.shard;
        W::inside(|| shard.recycle(bytes));
    }

    fn cpm_gets(&mut self, bytes: &[u8], seen: &mut Seen) {
        if bytes.starts_with(b"SIP/2.0 202") {
            seen.accepted += 1;
        }
        if !bytes.starts_with(b"MESSAGE ") {
            return;
        }
        seen.requests += 1;
        respond(bytes, &mut self.octets);
        let (shard, now, cpm, octets) = (&mut self.shard, self.now, self.cpm, &self.octets);
        W::inside(|| shard.on_datagram(now, ListenerId(0), cpm, octets));
    }

    fn smsc_gets(&mut self, mut pdus: &[u8], report: Option<u64>, seen: &mut Seen) {
        while let Some(header) = Header::parse(pdus) {
            let len = usize::try_from(header.command_length).unwrap();
            let pdu = pdus[..len].to_vec();
            pdus = &pdus[len..];
            self.on_pdu(header, &pdu, report, seen);
        }
    }

    fn on_pdu(&mut self, header: Header, pdu: &[u8], report: Option<u64>, seen: &mut Seen) {
        match Pdu::parse(pdu).unwrap().1 {
            Pdu::BindTransceiver(_) => {
                self.respond(header, &Pdu::BindResp(Response { id: Some(b"smsc"), tlvs: Tlvs::default() }))
            }
            Pdu::EnquireLink(body) => self.respond(header, &Pdu::EnquireLinkResp(body)),
            Pdu::SubmitSm(_) => {
                self.receipts += 1;
                let id = format!("{:08}", self.receipts);
                self.respond(header, &Pdu::SubmitSmResp(Response { id: Some(id.as_bytes()), tlvs: Tlvs::default() }));
                if report.is_some() {
                    self.receipt(&id);
                }
            }
            Pdu::DeliverSmResp(_) => {
                assert_eq!(header.command_status, CommandStatus::ESME_ROK);
                seen.delivered += 1;
            }
            _ => {}
        }
    }

    fn respond(&mut self, to: Header, body: &Pdu<'_>) {
        self.octets.clear();
        body.emit(&mut self.octets, to.command_id.response(), CommandStatus::ESME_ROK, to.sequence_number);
        self.smsc_sends();
    }

    fn receipt(&mut self, id: &str) {
        let text = receipt(id);
        let pdu = DeliverSm { esm_class: 4, short_message: text.as_bytes(), ..short_message() };
        let sequence = u32::try_from(self.receipts % 0x7FFF_0000).unwrap() + 1;
        self.deliver(sequence, &pdu);
    }

    /// A MESSAGE of some 900 octets whose Call-ID, branch and Message-ID hold `number`.
    fn write_request(&mut self, number: u64, dispositions: Option<&str>) {
        if self.request.is_empty() {
            self.request = request("##########", dispositions).into_bytes();
            self.places = template_places(&self.request).collect();
        }
        let digits = format!("{number:010}");
        for &at in &self.places {
            self.request[at..at + NUMBER.len()].copy_from_slice(digits.as_bytes());
        }
    }
}

#[derive(Debug, Default)]
struct Seen {
    accepted: u64,
    requests: u64,
    delivered: u64,
}

fn template_places(template: &[u8]) -> impl Iterator<Item = usize> {
    let at: Vec<usize> = (0..template.len()).filter(|at| template[*at..].starts_with(NUMBER)).collect();
    let mut last = None;
    at.into_iter().filter(move |at| {
        let new = last.is_none_or(|last: usize| *at >= last + NUMBER.len());
        if new {
            last = Some(*at);
        }
        new
    })
}
