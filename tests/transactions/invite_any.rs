//! Any order of events: an INVITE has one end, and its timers take everything away.

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::client_invite::Heard;
use isthmus::engine::sip::{
    Arrived, ClientInvite, InviteEvent, InviteId, RequestId, SentBy, ServerEvent, ServerInvite, Target, TransactionId,
};
use isthmus::engine::transport::{LinkId, LinkRef, ListenerId, Road, ShardId, Source, Transport};
use isthmus::engine::{Moment, Random};
use isthmus::wire::sip::{Index, Message, Name, Writer};
use proptest::prelude::*;

const MS: u64 = 1_000;
const HOUR: u64 = 3_600_000 * MS;
const CODES: [u16; 9] = [100, 180, 183, 200, 202, 302, 486, 503, 603];

/// What happens, some time after what happened before; numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Open { reliable: bool },
    Respond { which: usize, code: usize, tag: u8, method: usize },
    Acknowledge { which: usize, tag: u8 },
    Cancel { which: usize },
    Again { which: usize },
    Lost { reliable: bool },
    Unsent { which: usize },
    Nothing,
}

fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let which = || 0_usize..4;
    let step = prop_oneof![
        2 => any::<bool>().prop_map(|reliable| Step::Open { reliable }),
        6 => (0_usize..8, 0..CODES.len(), 1_u8..4, 0_usize..5)
            .prop_map(|(which, code, tag, method)| Step::Respond { which, code, tag, method }),
        2 => (which(), 1_u8..4).prop_map(|(which, tag)| Step::Acknowledge { which, tag }),
        2 => which().prop_map(|which| Step::Cancel { which }),
        2 => which().prop_map(|which| Step::Again { which }),
        1 => any::<bool>().prop_map(|reliable| Step::Lost { reliable }),
        1 => which().prop_map(|which| Step::Unsent { which }),
        2 => Just(Step::Nothing),
    ];
    let delay = prop_oneof![Just(0_u64), 1_u64..600, 600_u64..40_000, 40_000_u64..250_000];
    proptest::collection::vec((delay, step), 1..60)
}

fn parsed<T>(bytes: &[u8], read: impl FnOnce(&Message<'_>) -> T) -> T {
    let mut index = Index::new();
    read(&Message::parse(bytes, &mut index).unwrap())
}

fn target(reliable: bool) -> Target {
    let transport = if reliable { Transport::Tcp } else { Transport::Udp };
    Target { transport, peer: "192.0.2.1:5060".parse().unwrap() }
}

struct Caller {
    now: u64,
    client: ClientInvite,
    random: Random,
    ids: Vec<InviteId>,
    /// INVITEs and CANCELs that left.
    left: Vec<Vec<u8>>,
    requests: Vec<RequestId>,
    /// Ends told, by token.
    ends: Vec<u32>,
}

impl Caller {
    fn new() -> Caller {
        let sent_by = SentBy::new(|_, _| b"gw:5060".to_vec());
        let client = ClientInvite::new(KeyedHash::new([1, 2]), sent_by, 1_300);
        let random = Random::from_seed([3; 32]);
        let (ids, left, requests, ends) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Caller { now: 0, client, random, ids, left, requests, ends }
    }

    fn drain(&mut self, later: u64) {
        self.now += later;
        self.client.handle_timeout(Moment(self.now), &mut self.random);
        while let Some(out) = self.client.poll_transmit() {
            let is_answered = parsed(&out.bytes, |message| message.method() != b"ACK");
            self.requests.push(out.request);
            if is_answered {
                self.left.push(out.bytes);
            }
        }
        while let Some(InviteEvent::Failed { token }) = self.client.poll_event() {
            self.end(token);
        }
        while self.client.poll_fault().is_some() {}
    }

    fn end(&mut self, token: u64) {
        let ends = &mut self.ends[usize::try_from(token).unwrap()];
        *ends += 1;
        assert_eq!(*ends, 1, "an INVITE ends once");
    }

    fn open(&mut self, reliable: bool) {
        let targets = [target(reliable), target(!reliable)];
        let token = self.ends.len() as u64;
        self.ends.push(0);
        let write = |out: &mut Vec<u8>| {
            let mut writer = Writer::request(out, b"INVITE", b"sip:b");
            writer.header(Name::CSeq, b"1 INVITE");
            writer.end();
        };
        let id = self.client.send(Moment(self.now), token, &targets, &mut self.random, write);
        self.ids.push(id.unwrap());
    }

    fn respond(&mut self, which: usize, code: u16, tag: u8, method: &str) {
        let Some(request) = self.left.iter().rev().nth(which) else { return };
        let via = parsed(request, |message| message.header(Name::Via).unwrap().to_vec());
        let mut out = Vec::new();
        let mut writer = Writer::response(&mut out, code, "X");
        writer.header(Name::Via, &via);
        writer.header_parts(Name::To, &[b"<sip:b>;tag=", &[b'0' + tag]]);
        writer.header_parts(Name::CSeq, &[b"1 ", method.as_bytes()]);
        writer.end();
        let (now, client, random) = (Moment(self.now), &mut self.client, &mut self.random);
        let heard = parsed(&out, |message| client.handle_response(now, message, random));
        match heard {
            Some(Heard::Success { token, .. } | Heard::Failure { token, .. }) => self.end(token),
            Some(Heard::Provisional { token, .. }) => {
                assert_eq!(self.ends[usize::try_from(token).unwrap()], 0, "nothing rings that has ended");
            }
            _ => {}
        }
    }

    fn step(&mut self, step: &Step) {
        let now = Moment(self.now);
        let id = |which: usize| self.ids.iter().rev().nth(which).copied();
        match *step {
            Step::Open { reliable } => self.open(reliable),
            Step::Respond { which, code, tag, method } => {
                self.respond(which, CODES[code], tag, ["INVITE", "INVITE", "INVITE", "CANCEL", "BYE"][method]);
            }
            Step::Acknowledge { which, tag } => {
                let Some(id) = id(which) else { return };
                self.client.acknowledge(id, &[b'0' + tag], target(false), &mut self.random, |out| {
                    Writer::request(out, b"ACK", b"sip:b").end();
                });
            }
            Step::Cancel { which } => {
                let Some(id) = id(which) else { return };
                self.client.cancel(now, id, |_| {});
            }
            Step::Lost { reliable } => self.client.handle_transport_error(now, target(reliable), &mut self.random),
            Step::Unsent { which } => {
                let Some(&request) = self.requests.iter().rev().nth(which) else { return };
                self.client.handle_unsent(now, request, &mut self.random);
            }
            Step::Again { .. } | Step::Nothing => {}
        }
    }
}

struct Callee {
    now: u64,
    server: ServerInvite,
    random: Random,
    ids: Vec<TransactionId>,
    opened: Vec<bool>,
    /// Unacknowledged finals and forgotten INVITEs that were told, by user.
    ends: Vec<u32>,
}

impl Callee {
    fn new() -> Callee {
        let (server, random) = (ServerInvite::new(KeyedHash::new([1, 2])), Random::from_seed([3; 32]));
        Callee { now: 0, server, random, ids: Vec::new(), opened: Vec::new(), ends: Vec::new() }
    }

    fn request(&mut self, method: &str, number: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::request(&mut out, method.as_bytes(), b"sip:b");
        writer.header(Name::Via, format!("SIP/2.0/UDP h;branch=z9hG4bK{number}").as_bytes());
        writer.header(Name::From, b"<sip:a>;tag=f");
        writer.header(Name::To, b"<sip:b>");
        writer.header(Name::CallId, format!("{number}@h").as_bytes());
        writer.header_parts(Name::CSeq, &[b"1 ", method.as_bytes()]);
        writer.end();
        out
    }

    fn invite(&mut self, number: usize) -> Arrived {
        let link = LinkRef { shard: ShardId(0), link: LinkId { index: 1, generation: 1 } };
        let road = if self.opened[number] { Road::Stream(link) } else { Road::Datagram(ListenerId(0)) };
        let source = Source { peer: "198.51.100.7:40000".parse().unwrap(), road };
        let invite = self.request("INVITE", number);
        let (now, server, random) = (Moment(self.now), &mut self.server, &mut self.random);
        parsed(&invite, |message| server.handle_request(now, message, &source, random))
    }

    fn drain(&mut self, later: u64) {
        self.now += later;
        self.server.handle_timeout(Moment(self.now));
        while self.server.poll_transmit().is_some() {}
        while let Some(event) = self.server.poll_event() {
            if let ServerEvent::NoAck { user, .. } = event {
                let ends = &mut self.ends[usize::try_from(user).unwrap()];
                *ends += 1;
                assert_eq!(*ends, 1, "a final response is missed once");
            }
        }
    }

    fn open(&mut self, reliable: bool) {
        let number = self.opened.len();
        self.opened.push(reliable);
        let Arrived::New(id) = self.invite(number) else { panic!("not new") };
        self.server.set_user(id, self.ends.len() as u64);
        self.ends.push(0);
        self.ids.push(id);
    }

    fn step(&mut self, step: &Step) {
        if let Step::Open { reliable } = *step {
            return self.open(reliable);
        }
        let (Step::Respond { which, .. }
        | Step::Acknowledge { which, .. }
        | Step::Cancel { which }
        | Step::Again { which }) = *step
        else {
            return;
        };
        let Some(number) = self.ids.len().checked_sub(which + 1) else { return };
        let (id, now) = (self.ids[number], Moment(self.now));
        match *step {
            Step::Respond { code, .. } => {
                let (pending, code) = (self.server.is_pending(id), CODES[code]);
                assert_eq!(self.server.respond(now, id, code, "X", None, |_| {}), pending);
                assert_eq!(self.server.is_pending(id), pending && code < 200);
            }
            Step::Acknowledge { tag: 1, .. } => {
                let ack = self.request("ACK", number);
                parsed(&ack, |message| self.server.handle_ack(now, message));
            }
            Step::Acknowledge { .. } => {
                let repeated = self.server.acknowledged(id);
                assert!(!(repeated && self.server.acknowledged(id)));
            }
            Step::Cancel { .. } => {
                let cancel = self.request("CANCEL", number);
                let found = parsed(&cancel, |message| self.server.find_cancelled(message));
                assert!(found == Some(id) || self.server.to_tag(id).is_none(), "or it came anew after its end");
            }
            _ => {
                if let Arrived::New(id) = self.invite(number) {
                    self.server.set_user(id, self.ends.len() as u64);
                    self.ends.push(0);
                    self.ids[number] = id;
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_caller_hears_one_end_of_every_invite(steps in steps()) {
        let mut caller = Caller::new();
        for (later_ms, step) in &steps {
            caller.drain(later_ms * MS);
            caller.step(step);
            caller.drain(0);
            prop_assert_eq!(caller.client.is_empty(), caller.client.deadline().is_none());
        }
        (0..100).for_each(|_| caller.drain(HOUR / 100));
        prop_assert!(caller.client.is_empty());
        prop_assert!(caller.ends.iter().all(|&ends| ends == 1), "{:?}", caller.ends);
    }

    #[test]
    fn a_callee_is_told_of_every_final_that_nobody_took(steps in steps()) {
        let mut callee = Callee::new();
        for (later_ms, step) in &steps {
            callee.drain(later_ms * MS);
            callee.step(step);
            callee.drain(0);
            prop_assert_eq!(callee.server.is_empty(), callee.server.deadline().is_none());
        }
        (0..100).for_each(|_| callee.drain(HOUR / 100));
        prop_assert!(callee.server.is_empty() && callee.server.deadline().is_none());
    }
}
