//! One shard with an SM-SC and a CPM client that answer at once, driven without sockets: for counting and for timing.

use std::cell::Cell;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use isthmus::engine::transport::{LinkId, ListenerId, Transmit, Transport};
use isthmus::engine::{Moment, Now};
use isthmus::observe::{ArrivedAt, Flow, Snapshot, Stage};
use isthmus::shard::Shard;
use isthmus::shard::settings::{Listener, Network, Settings, SipSettings, SmscSettings};
use isthmus::wire::smpp::{CommandId, CommandStatus, DeliverSm, Header, Pdu, Response, Tlvs};

/// Wraps every call into the shard.
pub trait Watch {
    /// Calls it.
    fn inside<T>(call: impl FnOnce() -> T) -> T;

    /// Around the calls that make a `submit_sm` of a MESSAGE.
    fn outward<T>(call: impl FnOnce() -> T) -> T {
        call()
    }
}

/// The shard and what surrounds it.
pub struct OneCore<W> {
    shard: Shard,
    now: Now,
    link: LinkId,
    cpm: SocketAddr,
    request: Vec<u8>,
    /// Where its number stands.
    places: Vec<usize>,
    octets: Vec<u8>,
    receipts: u64,
    profiled: bool,
    watch: PhantomData<W>,
}

const CPM: &str = "192.0.2.1:5070";
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

fn settings() -> Settings {
    let listener = |transport| Listener { transport, local: "198.51.100.1:5060".parse().unwrap() };
    Settings {
        sip: SipSettings {
            domain: "gw.example.net".into(),
            next_hop: format!("sip:{CPM}"),
            trusted: vec![Network { address: [192, 0, 2, 0].into(), prefix_bits: 24 }],
            // So that notifications stay datagrams: the other road is the same for the shard.
            datagram_request_bytes_max: 1_500,
            listeners: vec![listener(Transport::Udp), listener(Transport::Tcp)],
            ..SipSettings::default()
        },
        smscs: vec![SmscSettings { name: "smsc".into(), ..SmscSettings::default() }],
        ..Settings::default()
    }
}

impl<W: Watch> OneCore<W> {
    /// A shard whose bind is up.
    pub fn new() -> OneCore<W> {
        let mut core = OneCore {
            shard: Shard::new(settings()),
            now: Now { moment: Moment(1_000_000), unix_ms: 1_795_255_530_000 },
            link: LinkId { index: 1, generation: 1 },
            cpm: CPM.parse().unwrap(),
            request: Vec::new(),
            places: Vec::new(),
            octets: Vec::new(),
            receipts: 0,
            profiled: false,
            watch: PhantomData,
        };
        core.shard.on_tick(core.now);
        let Some(Transmit::Connect { order, peer }) = core.shard.poll_transmit() else { panic!("no connection") };
        core.shard.on_connected(core.now, core.link, order, peer);
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
        let pdu = DeliverSm {
            short_message: b"A short message that is as long as most are.",
            ..addresses(b"491710000001", b"491700000002")
        };
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
        let (shard, now, link) = (&mut self.shard, self.now, self.link);
        W::inside(|| shard.on_stream(now, link, bytes));
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
        self.octets.clear();
        self.octets.extend_from_slice(b"SIP/2.0 200 OK\r\n");
        for line in bytes.split_inclusive(|octet| *octet == b'\n').skip(1).take_while(|line| *line != b"\r\n") {
            if [&b"Via:"[..], b"From:", b"To:", b"Call-ID:", b"CSeq:"].iter().any(|name| line.starts_with(name)) {
                self.octets.extend_from_slice(line);
            }
        }
        self.octets.extend_from_slice(b"Content-Length: 0\r\n\r\n");
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
        let text = format!(
            "id:{id} sub:001 dlvrd:001 submit date:2611211015 done date:2611211016 stat:DELIVRD err:000 text:x"
        );
        let pdu =
            DeliverSm { esm_class: 4, short_message: text.as_bytes(), ..addresses(b"491710000001", b"491700000002") };
        let sequence = u32::try_from(self.receipts % 0x7FFF_0000).unwrap() + 1;
        self.deliver(sequence, &pdu);
    }

    /// A MESSAGE of some 900 octets whose Call-ID, branch and Message-ID hold `number`.
    fn write_request(&mut self, number: u64, dispositions: Option<&str>) {
        if self.request.is_empty() {
            self.request = request(dispositions);
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

fn addresses<'a>(source_addr: &'a [u8], destination_addr: &'a [u8]) -> DeliverSm<'a> {
    DeliverSm {
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr,
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr,
        ..DeliverSm::default()
    }
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

fn request(dispositions: Option<&str>) -> Vec<u8> {
    let wanted = dispositions.map(|list| format!("imdn.Disposition-Notification: {list}\r\n")).unwrap_or_default();
    let body = format!(
        "From: <tel:+491700000002>\r\nTo: <tel:+491710000001>\r\nDateTime: 2026-11-21T10:15:30Z\r\n\
         NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: Msg##########\r\n{wanted}\r\n\
         Content-Type: text/plain;charset=utf-8\r\n\r\nSee you at the station at half past seven."
    );
    let length = body.len();
    format!(
        "MESSAGE tel:+491710000001 SIP/2.0\r\nVia: SIP/2.0/UDP {CPM};branch=z9hG4bK##########;rport\r\n\
         Max-Forwards: 69\r\nFrom: <tel:+491700000002>;tag=8ae3c1\r\nTo: <tel:+491710000001>\r\n\
         Call-ID: ##########@192.0.2.1\r\nCSeq: 1 MESSAGE\r\nP-Asserted-Identity: <tel:+491700000002>\r\n\
         P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg\r\n\
         Accept-Contact: *;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg\";require;explicit\r\n\
         Conversation-ID: f81d4fae-7dec-11d0-a765-00a0c91e6bf6\r\n\
         Contribution-ID: abcdef00-7dec-11d0-a765-00a0c91e6bf6\r\n\
         Content-Type: message/cpim\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
