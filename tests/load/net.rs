//! A load and the gateway's shard in virtual time, with a network between them that can do harm.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use isthmus::engine::transport::{LinkId, ListenerId, Transmit, Transport};
use isthmus::engine::{Moment, Now};
use isthmus::load::{CpmSettings, Event, Generator, Mix, Results, Role, Settings, SmscSettings};
use isthmus::shard::Shard;
use isthmus::shard::settings::{self as shard, Listener, Network, SipSettings};
use isthmus::wire::Framing;
use isthmus::wire::smpp::{self, CommandId, CommandStatus, Header, Pdu, Response, Tlvs};

const CPM: &str = "192.0.2.1:5070";
const GATEWAY: &str = "198.51.100.1:5060";
/// One connection of each kind is the same number on both ends.
const SMPP: u32 = 1;
const SIP: u32 = 2;

/// What the network makes of a submit_sm on its way to the SM-SC side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    Nothing,
    /// It is answered and gone.
    Loses,
    Doubles,
    /// Its last octet is another one.
    Damages,
    /// It comes after the next one.
    Delays,
}

pub(crate) struct Net {
    pub(crate) load: Generator,
    gateway: Shard,
    now: Now,
    harm: fn(u64) -> Harm,
    submits: u64,
    delayed: Option<Vec<u8>>,
    /// What the load sends waits from the first to the second.
    pub(crate) stall: Option<(Moment, Moment)>,
    stalled: Vec<Transmit>,
    ended: Option<Results>,
}

pub(crate) fn settings(mix: Mix) -> Settings {
    Settings {
        mix,
        cpm: Some(CpmSettings {
            gateway: GATEWAY.parse().unwrap(),
            transport: Transport::Udp,
            peers: vec![CPM.parse().unwrap()],
            from: "4915120".into(),
            to: "4917230".into(),
            call_ids: 0,
            date_time: "2026-11-21T10:15:30Z".into(),
            cpim: true,
        }),
        smsc: Some(SmscSettings::default()),
        settle: Duration::from_secs(40),
        ..Settings::default()
    }
}

fn gateway() -> Shard {
    let listener = |transport| Listener { transport, local: GATEWAY.parse().unwrap() };
    Shard::new(shard::Settings {
        sip: SipSettings {
            domain: "gw.example.net".into(),
            next_hop: format!("sip:{CPM}"),
            trusted: vec![Network { address: [192, 0, 2, 0].into(), prefix_bits: 24 }],
            datagram_request_bytes_max: 60_000,
            listeners: vec![listener(Transport::Udp), listener(Transport::Tcp)],
            ..SipSettings::default()
        },
        smscs: vec![shard::SmscSettings { name: "smsc".into(), ..shard::SmscSettings::default() }],
        ..shard::Settings::default()
    })
}

impl Net {
    pub(crate) fn new(settings: Settings) -> Net {
        Net {
            load: Generator::new(settings, vec![Role::Sip, Role::Sip, Role::Smpp]),
            gateway: gateway(),
            now: Now { moment: Moment(1_000_000), unix_ms: 1_795_255_530_000 },
            harm: |_| Harm::Nothing,
            submits: 0,
            delayed: None,
            stall: None,
            stalled: Vec::new(),
            ended: None,
        }
    }

    pub(crate) fn harmful(mut self, harm: fn(u64) -> Harm) -> Net {
        self.harm = harm;
        self
    }

    /// Runs until the load is over.
    pub(crate) fn run(mut self) -> Results {
        self.load.on_tick(self.now);
        self.gateway.on_tick(self.now);
        for _ in 0..10_000_000 {
            self.settle();
            if let Some(results) = self.ended.take() {
                return results;
            }
            let deadlines = [self.load.poll_timeout(), self.gateway.poll_timeout(), self.stall.map(|(_, until)| until)];
            let next = deadlines.into_iter().flatten().min().unwrap();
            self.now = self.now.after(next.since(self.now.moment).max(Duration::from_micros(1)));
            self.load.on_tick(self.now);
            self.gateway.on_tick(self.now);
            if self.stall.is_some_and(|(_, until)| until <= self.now.moment) {
                self.stall = None;
                let stalled = std::mem::take(&mut self.stalled);
                stalled.into_iter().for_each(|transmit| self.load_says(transmit));
            }
        }
        panic!("the load does not end");
    }

    fn settle(&mut self) {
        loop {
            if let Some(transmit) = self.load.poll_transmit() {
                if self.stall.is_some_and(|(from, _)| from <= self.now.moment) {
                    self.stalled.push(transmit);
                } else {
                    self.load_says(transmit);
                }
            } else if let Some(transmit) = self.gateway.poll_transmit() {
                self.gateway_says(transmit);
            } else {
                break;
            }
        }
        while self.gateway.poll_event().is_some() {}
        while let Some(event) = self.load.poll_event() {
            if let Event::Ended(results) = event {
                self.ended = Some(*results.expect("it began"));
            }
        }
    }

    fn load_says(&mut self, transmit: Transmit) {
        match transmit {
            Transmit::Datagram { bytes, .. } => {
                self.gateway.on_datagram(self.now, ListenerId(0), CPM.parse().unwrap(), &bytes);
                self.load.recycle(bytes);
            }
            Transmit::Stream { link, bytes } => self.gateway.on_stream(self.now, link, Bytes::from(bytes)),
            other => panic!("{other:?}"),
        }
    }

    fn gateway_says(&mut self, transmit: Transmit) {
        match transmit {
            Transmit::Datagram { bytes, .. } => {
                self.load.on_datagram(self.now, ListenerId(0), GATEWAY.parse().unwrap(), &bytes);
                self.gateway.recycle(bytes);
            }
            Transmit::Connect { order, peer } => {
                let sip = peer == CPM.parse::<SocketAddr>().unwrap();
                let link = LinkId { index: if sip { SIP } else { SMPP }, generation: 1 };
                self.load.on_accepted(link, ListenerId(if sip { 1 } else { 2 }));
                self.gateway.on_connected(self.now, link, order, peer);
            }
            Transmit::Stream { link, bytes } if link.index == SMPP => self.pdus(link, &bytes),
            Transmit::Stream { link, bytes } => self.load.on_stream(self.now, link, &Bytes::from(bytes)),
            other => panic!("{other:?}"),
        }
    }

    fn pdus(&mut self, link: LinkId, mut pdus: &[u8]) {
        while let Framing::Complete(len) = smpp::frame(pdus, 100_000) {
            let pdu = pdus[..len].to_vec();
            pdus = &pdus[len..];
            let header = Header::parse(&pdu).unwrap();
            if header.command_id != CommandId::SUBMIT_SM {
                self.load.on_stream(self.now, link, &Bytes::from(pdu));
                continue;
            }
            self.submits += 1;
            self.submit(link, header, pdu);
        }
    }

    fn submit(&mut self, link: LinkId, header: Header, mut pdu: Vec<u8>) {
        let delayed = self.delayed.take();
        match (self.harm)(self.submits) {
            Harm::Nothing => self.deliver(link, pdu),
            Harm::Doubles => {
                self.deliver(link, pdu.clone());
                self.deliver(link, pdu);
            }
            Harm::Damages => {
                let text = match Pdu::parse(&pdu).unwrap().1 {
                    Pdu::SubmitSm(submit) => submit.short_message.len(),
                    other => panic!("{other:?}"),
                };
                let tlvs = if text < 140 { 0 } else { 15 };
                let last = pdu.len() - 1 - tlvs;
                pdu[last] = if pdu[last] == b'x' { b'y' } else { b'x' };
                self.deliver(link, pdu);
            }
            Harm::Delays => self.delayed = Some(pdu),
            Harm::Loses => {
                let mut out = Vec::new();
                let body = Pdu::SubmitSmResp(Response { id: Some(b"lost"), tlvs: Tlvs::default() });
                body.emit(&mut out, CommandId::SUBMIT_SM_RESP, CommandStatus::ESME_ROK, header.sequence_number);
                self.gateway.on_stream(self.now, link, Bytes::from(out));
            }
        }
        if let Some(pdu) = delayed {
            self.deliver(link, pdu);
        }
    }

    fn deliver(&mut self, link: LinkId, pdu: Vec<u8>) {
        self.load.on_stream(self.now, link, &Bytes::from(pdu));
    }
}
