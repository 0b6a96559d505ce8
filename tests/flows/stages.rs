//! Where the stopwatch says that a message was, by a clock that stands still but for the delays that a test puts into each
//! stage: every nanosecond is found again, in its stage.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;
use isthmus::engine::transport::{ListenerId, Transmit};
use isthmus::observe::{ArrivedAt, Flow, Snapshot, Stage, StageTimes};
use isthmus::shard::Shard;
use isthmus::shard::settings::Settings;
use isthmus::wire::smpp::{CommandId, CommandStatus, DeliverSm, Header, Pdu, Response, Tlvs};

use crate::surroundings::{CPM, SMSC, START, connect, receipt, request, respond, settings, short_message};

thread_local! {
    static CLOCK_NS: Cell<u64> = const { Cell::new(1_000) };
    /// What passes before the shard's next looks at the clock, one after the other.
    static BEFORE_LOOKS_NS: RefCell<VecDeque<u64>> = const { RefCell::new(VecDeque::new()) };
}

fn pass(ns: u64) -> u64 {
    CLOCK_NS.set(CLOCK_NS.get() + ns);
    CLOCK_NS.get()
}

fn ticks() -> u64 {
    pass(BEFORE_LOOKS_NS.with_borrow_mut(VecDeque::pop_front).unwrap_or(0))
}

fn look_after(delays: impl IntoIterator<Item = u64>) {
    BEFORE_LOOKS_NS.with_borrow_mut(|looks| *looks = delays.into_iter().collect());
}

/// How long each stage is to take, in order.
type Delays = [u64; 8];

fn delay(delays: &Delays, stage: Stage) -> u64 {
    delays[stage as usize]
}

struct Timed {
    shard: Shard,
}

impl Timed {
    fn new() -> Timed {
        let mut timed = Timed { shard: Shard::new(settings()) };
        timed.shard.profile(ticks);
        connect(&mut timed.shard);
        timed.sent();
        timed.respond(1, CommandId::BIND_TRANSCEIVER_RESP, Pdu::BindResp);
        assert!(timed.shard.is_ready());
        timed.sent();
        timed
    }

    fn sent(&mut self) -> Vec<Vec<u8>> {
        let sent = std::iter::from_fn(|| self.shard.poll_transmit());
        sent.filter_map(|transmit| match transmit {
            Transmit::Datagram { bytes, .. } | Transmit::Stream { bytes, .. } => Some(bytes),
            _ => None,
        })
        .collect()
    }

    /// What comes next takes so long from the kernel.
    fn arrives(&mut self, receive_ns: u64) -> u64 {
        let received_ns = CLOCK_NS.get();
        self.shard.arrived(ArrivedAt { received_ns, handed_ns: pass(receive_ns) });
        received_ns
    }

    fn datagram(&mut self, octets: impl AsRef<[u8]>) {
        let peer: SocketAddr = CPM.parse().unwrap();
        self.shard.on_datagram(START, ListenerId(0), peer, octets.as_ref());
    }

    fn respond<'a>(&mut self, sequence: u32, id: CommandId, body: impl Fn(Response<'a>) -> Pdu<'a>) {
        let pdu = body(Response { id: Some(b"17"), tlvs: Tlvs::default() });
        self.smsc_sends(&pdu, id, sequence);
    }

    fn smsc_sends(&mut self, pdu: &Pdu<'_>, id: CommandId, sequence: u32) {
        let mut octets = Vec::new();
        pdu.emit(&mut octets, id, CommandStatus::ESME_ROK, sequence);
        self.shard.on_stream(START, SMSC, Bytes::from(octets));
    }

    /// All that was ordered reaches the kernel after so long.
    fn flush(&mut self, after_ns: u64) -> Vec<Vec<u8>> {
        let sent = self.sent();
        pass(after_ns);
        self.shard.flushed();
        sent
    }

    /// A CPM message from its first octet to its answer: what that took.
    fn cpm_to_sms(&mut self, delays: &Delays, wants: Option<&str>) -> u64 {
        let delay = |stage| delay(delays, stage);
        let began = self.arrives(delay(Stage::Receive));
        look_after([delay(Stage::Queue), delay(Stage::Parse), delay(Stage::Map)]);
        self.datagram(request("1", wants));
        let sent = self.flush(delay(Stage::LinkQueue));
        let sequence = Header::parse(&sent[0]).unwrap().sequence_number;
        self.arrives(delay(Stage::Smsc));
        self.respond(sequence, CommandId::SUBMIT_SM_RESP, Pdu::SubmitSmResp);
        let sent = self.flush(delay(Stage::Reply));
        assert!(sent[0].starts_with(b"SIP/2.0 202 "), "{}", String::from_utf8_lossy(&sent[0]));
        CLOCK_NS.get() - began
    }

    /// A deliver_sm until its response; `looks`: what passes before each look at the clock while it is handled.
    fn delivered(&mut self, delays: &Delays, pdu: &DeliverSm<'_>, looks: &[u64]) -> u64 {
        let delay = |stage| delay(delays, stage);
        let began = self.arrives(delay(Stage::Receive));
        look_after(looks.iter().copied());
        self.smsc_sends(&Pdu::DeliverSm(*pdu), CommandId::DELIVER_SM, 5);
        let sent = self.flush(delay(Stage::LinkQueue));
        self.arrives(delay(Stage::Sip));
        let mut response = Vec::new();
        respond(&sent[0], &mut response);
        self.datagram(&response);
        let sent = self.flush(delay(Stage::Reply));
        assert_eq!(Header::parse(&sent[0]).unwrap().command_id, CommandId::DELIVER_SM_RESP);
        CLOCK_NS.get() - began
    }

    fn sms_to_cpm(&mut self, delays: &Delays) -> u64 {
        let pdu = DeliverSm { short_message: b"See you.", ..short_message() };
        let looks = [Stage::Queue, Stage::Parse, Stage::Map].map(|stage| delay(delays, stage));
        // The first look is for PDUs that are read before their owner has them.
        self.delivered(delays, &pdu, &[&[0], &looks[..]].concat())
    }

    fn report(&mut self, delays: &Delays) -> u64 {
        self.cpm_to_sms(&[0; 8], Some("positive-delivery"));
        let text = receipt("17");
        let pdu = DeliverSm { esm_class: 4, short_message: text.as_bytes(), ..short_message() };
        let looks = [Stage::Parse, Stage::Queue, Stage::Map].map(|stage| delay(delays, stage));
        self.delivered(delays, &pdu, &[&[0], &looks[..]].concat())
    }

    fn times(&self) -> Box<StageTimes> {
        let mut snapshot = Snapshot::default();
        self.shard.observe(&mut snapshot);
        snapshot.stages.expect("it is looked at")
    }
}

/// Every flow, with every stage being the slow one: each stage has exactly what passed in it, and all of them the whole.
#[test]
fn the_slow_stage_is_named_and_the_stages_sum_to_the_whole() {
    type Run = fn(&mut Timed, &Delays) -> u64;
    let flows: [(Flow, Run, Stage); 3] = [
        (Flow::CpmToSms, |timed, delays| timed.cpm_to_sms(delays, None), Stage::Sip),
        (Flow::SmsToCpm, Timed::sms_to_cpm, Stage::Smsc),
        (Flow::Report, Timed::report, Stage::Smsc),
    ];
    for (flow, run, absent) in flows {
        for slow in Stage::ALL.into_iter().filter(|stage| *stage != absent) {
            let mut delays = [100, 200, 300, 400, 500, 600, 700, 800];
            delays[slow as usize] = 50_000_000;
            let mut timed = Timed::new();
            let whole = run(&mut timed, &delays);
            let times = timed.times();
            for stage in Stage::ALL {
                let (count, sum) = if stage == absent { (0, 0) } else { (1, delay(&delays, stage)) };
                let seen = times.of(flow, stage);
                assert_eq!((seen.count(), seen.sum_ns()), (count, sum), "{flow:?} {stage:?}, slow: {slow:?}");
            }
            assert_eq!(Stage::ALL.map(|stage| times.of(flow, stage).sum_ns()).iter().sum::<u64>(), whole);
        }
    }
}

/// What is no message has no stages: nobody would know a slow one from a quick answer.
#[test]
fn what_is_no_message_is_not_timed() {
    let mut timed = Timed::new();
    timed.cpm_to_sms(&[1; 8], None);
    let before = timed.times();
    timed.arrives(7);
    // A retransmission, and what is refused before it is understood.
    timed.datagram(request("1", None));
    timed.datagram(request("1", None).replace("z9hG4bK1", "z9hG4bK2").replace("message/cpim", "image/png"));
    timed.flush(9);
    assert_eq!(timed.times(), before);
}

#[test]
fn a_shard_that_is_not_profiled_shows_no_stages() {
    let mut snapshot = Snapshot::default();
    Shard::new(Settings::default()).observe(&mut snapshot);
    assert_eq!(snapshot.stages, None);
}
