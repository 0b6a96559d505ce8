//! One SMPP session in virtual time against an SM-SC that does what the test says.

use core::time::Duration;

use bytes::Bytes;
use isthmus::engine::smpp::{
    BindType, CloseReason, Config, DeliveryId, Doubt, Event, Initiator, NotSent, Order, Outcome, Request, Session,
    State, SubmitOptions, SubmitRefused, TimerName,
};
use isthmus::engine::{Moment, Now, Random};
use isthmus::wire::Framing;
use isthmus::wire::inline::Inline;
use isthmus::wire::smpp::{
    self, Bind, CommandId, CommandStatus, DataSm, DeliverSm, Header, Outbind, Pdu, Response, SubmitSm, Tag, Tlvs,
};
use proptest::prelude::*;

const OK: CommandStatus = CommandStatus::ESME_ROK;

/// A session, the SM-SC's end of its connection, and the clock.
struct World {
    session: Session,
    now: Now,
    /// What the session sent and the test has not looked at.
    sent: Vec<u8>,
    orders: Vec<Order>,
}

impl World {
    fn new(config: Config) -> World {
        let session = Session::new(config, Random::from_seed([7; 32]));
        World { session, now: Now::default(), sent: Vec::new(), orders: Vec::new() }
    }

    fn bound(config: Config) -> World {
        let mut world = World::new(config);
        world.bind(Some(0x34));
        world
    }

    /// Connects and accepts the bind.
    fn bind(&mut self, version: Option<u8>) {
        self.session.handle_connected(self.now);
        let (bind, _) = self.next_pdu().unwrap();
        let mut tlvs = Vec::new();
        if let Some(version) = version {
            smpp::tlv::put(&mut tlvs, Tag::SC_INTERFACE_VERSION, &[version]);
        }
        let tlvs = Tlvs::parse(&tlvs).unwrap();
        let body = Response { id: Some(b"smsc"), tlvs };
        self.send(bind.command_id.response(), OK, bind.sequence_number, |out| body.emit(out));
        let bound = matches!(self.events().first(), Some(Event::Bound { version: said, .. }) if *said == version);
        assert!(bound);
        self.orders.clear();
    }

    fn drain(&mut self) {
        let mut bytes = Vec::new();
        if self.session.poll_transmit(&mut bytes) {
            self.sent.extend_from_slice(&bytes);
        }
        self.orders.extend(core::iter::from_fn(|| self.session.poll_order()));
    }

    /// The next PDU of the session.
    fn next_pdu(&mut self) -> Option<(Header, Vec<u8>)> {
        self.drain();
        let Framing::Complete(len) = smpp::frame(&self.sent, 70_000) else {
            assert!(self.sent.is_empty());
            return None;
        };
        let pdu: Vec<u8> = self.sent.drain(..len).collect();
        Some((Header::parse(&pdu).unwrap(), pdu))
    }

    fn headers(&mut self) -> Vec<Header> {
        core::iter::from_fn(|| self.next_pdu()).map(|(header, _)| header).collect()
    }

    /// Command ids, statuses and numbers of everything the session sent.
    fn answers(&mut self) -> Vec<(CommandId, CommandStatus, u32)> {
        self.headers().iter().map(|h| (h.command_id, h.command_status, h.sequence_number)).collect()
    }

    fn events(&mut self) -> Vec<Event> {
        core::iter::from_fn(|| self.session.poll_event()).collect()
    }

    fn outcomes(&mut self) -> Vec<(u64, Outcome)> {
        let done = |event| match event {
            Event::SubmitDone { token, outcome } => Some((token, outcome)),
            _ => None,
        };
        self.events().into_iter().filter_map(done).collect()
    }

    fn send(&mut self, id: CommandId, status: CommandStatus, number: u32, body: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = Vec::new();
        smpp::emit(&mut bytes, id, status, number, body);
        self.session.handle_bytes(self.now, &Bytes::from(bytes));
    }

    fn send_plain(&mut self, id: CommandId, number: u32) {
        self.send(id, OK, number, |_| {});
    }

    fn respond(&mut self, number: u32, status: CommandStatus, message_id: &[u8]) {
        let body = Response { id: (status == OK).then_some(message_id), ..Response::default() };
        self.send(CommandId::SUBMIT_SM_RESP, status, number, |out| body.emit(out));
    }

    fn deliver(&mut self, number: u32) {
        let body = DeliverSm { source_addr: b"49170", short_message: b"hello", ..DeliverSm::default() };
        self.send(CommandId::DELIVER_SM, OK, number, |out| body.emit(out));
    }

    fn submit_with(&mut self, token: u64, options: SubmitOptions) -> Result<(), SubmitRefused> {
        let message = SubmitSm { destination_addr: b"49171", short_message: b"hi", ..SubmitSm::default() };
        self.session.submit(self.now, token, &Request::SubmitSm(message), options)
    }

    fn submit(&mut self, token: u64) {
        self.submit_with(token, SubmitOptions::default()).unwrap();
    }

    /// Lets time pass, running timers when they are due.
    fn pass(&mut self, ms: u64) {
        let end = self.now.after(Duration::from_millis(ms));
        while let Some((at, _)) = self.session.poll_timeout().filter(|(at, _)| *at <= end.moment) {
            self.now = self.now.after(at.since(self.now.moment));
            self.session.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }
}

fn responded(status: CommandStatus, message_id: &[u8]) -> Outcome {
    Outcome::Responded { status, message_id: Inline::from_slice(message_id).unwrap(), delivery_failure_reason: None }
}

fn quiet() -> Config {
    Config { enquire_link: Duration::ZERO, ..Config::default() }
}

fn retried_until(ms: u64) -> SubmitOptions {
    SubmitOptions { until: Moment(ms * 1_000), retry_throttled: true }
}

/// [SMS-ESME-01]
#[test]
fn binds_as_it_connects() {
    let config = Config {
        system_id: Inline::from_slice(b"isthmus").unwrap(),
        password: Inline::from_slice(b"secret").unwrap(),
        ..quiet()
    };
    assert!(!format!("{config:?}").contains("secret"));
    let mut world = World::new(config);
    world.drain();
    assert_eq!(world.orders, [Order::Connect]);
    world.session.handle_connected(world.now);
    let (header, pdu) = world.next_pdu().unwrap();
    assert_eq!((header.command_id, header.sequence_number), (CommandId::BIND_TRANSCEIVER, 1));
    let Ok((_, Pdu::BindTransceiver(Bind { system_id, password, interface_version, .. }))) = Pdu::parse(&pdu) else {
        panic!("not a bind")
    };
    assert_eq!((system_id, password, interface_version), (b"isthmus".as_slice(), b"secret".as_slice(), 0x34));
    assert_eq!(world.session.state(), State::Open);
    assert_eq!(world.submit_with(1, SubmitOptions::default()), Err(SubmitRefused::NotBound));
}

#[test]
fn each_bind_type_has_its_state() {
    for (bind, state) in [
        (BindType::Transmitter, State::BoundTx),
        (BindType::Receiver, State::BoundRx),
        (BindType::Transceiver, State::BoundTrx),
    ] {
        let mut world = World::bound(Config { bind, ..quiet() });
        assert_eq!(world.session.state(), state);
        assert_eq!(world.submit_with(1, SubmitOptions::default()).is_ok(), bind != BindType::Receiver);
        world.headers();
        world.deliver(9);
        let refused = (CommandId::DELIVER_SM_RESP, CommandStatus::ESME_RINVBNDSTS, 9);
        assert_eq!(world.answers().contains(&refused), bind == BindType::Transmitter);
    }
}

/// [SMS-ESME-03a]
#[test]
fn responses_find_their_submissions_in_any_order() {
    let mut world = World::bound(quiet());
    for token in 10..13 {
        world.submit(token);
    }
    let submit_sm = |number| (CommandId::SUBMIT_SM, OK, number);
    assert_eq!(world.answers(), [2, 3, 4].map(submit_sm));
    world.respond(4, OK, b"c");
    world.respond(2, CommandStatus::ESME_RINVDSTADR, b"");
    world.respond(3, OK, b"b");
    let verdicts =
        [(12, responded(OK, b"c")), (10, responded(CommandStatus::ESME_RINVDSTADR, b"")), (11, responded(OK, b"b"))];
    assert_eq!(world.outcomes(), verdicts);
    world.respond(3, OK, b"again");
    assert_eq!(world.outcomes(), []);
    assert_eq!(world.session.counters().late_responses, 1);
}

#[test]
fn many_pdus_leave_in_one_write_and_arrive_in_one_read() {
    let mut world = World::bound(quiet());
    (0..50).for_each(|token| world.submit(token));
    let mut written = Vec::new();
    assert!(world.session.poll_transmit(&mut written));
    assert!(!world.session.poll_transmit(&mut Vec::new()));
    let mut read = Vec::new();
    for number in 2..52 {
        let body = Response { id: Some(b"x"), ..Response::default() };
        smpp::emit(&mut read, CommandId::SUBMIT_SM_RESP, OK, number, |out| body.emit(out));
    }
    world.session.handle_bytes(world.now, &Bytes::from(read));
    assert_eq!(world.outcomes().len(), 50);
}

#[test]
fn a_full_window_holds_the_rest_back_in_order() {
    let mut world = World::bound(Config { window: 2, pending_max: 3, ..quiet() });
    (0..5).for_each(|token| world.submit(token));
    assert_eq!(world.submit_with(5, SubmitOptions::default()), Err(SubmitRefused::QueueFull));
    assert_eq!(world.session.outstanding(), (2, 3));
    assert_eq!(world.headers().len(), 2);
    world.respond(2, OK, b"a");
    assert_eq!(world.headers().len(), 1);
    world.respond(3, OK, b"b");
    world.respond(4, OK, b"c");
    assert_eq!(world.headers().len(), 2);
    let tokens: Vec<u64> = world.outcomes().iter().map(|(token, _)| *token).collect();
    assert_eq!(tokens, [0, 1, 2]);
}

#[test]
fn a_request_stuck_in_its_slot_does_not_stop_the_others() {
    let mut world = World::bound(Config { window: 2, ..quiet() });
    world.submit(0);
    world.headers();
    for token in 1..20 {
        world.submit(token);
        let number = world.headers()[0].sequence_number;
        world.respond(number, OK, b"x");
        assert_eq!(world.outcomes(), [(token, responded(OK, b"x"))]);
    }
    world.respond(2, OK, b"late");
    assert_eq!(world.outcomes(), [(0, responded(OK, b"late"))]);
}

#[test]
fn no_response_in_time_is_doubt_and_the_link_is_asked() {
    let mut world = World::bound(quiet());
    world.submit(1);
    world.headers();
    assert_eq!(world.session.poll_timeout().unwrap().1, TimerName::Response);
    world.pass(20_000);
    assert_eq!(world.outcomes(), [(1, Outcome::Unknown(Doubt::ResponseTimeout))]);
    assert_eq!(world.headers()[0].command_id, CommandId::ENQUIRE_LINK);
    world.respond(2, OK, b"late");
    assert_eq!(world.outcomes(), []);
    assert_eq!(world.session.counters().late_responses, 1);
}

#[test]
fn a_lost_connection_is_doubt_for_what_was_sent_only() {
    let mut world = World::bound(Config { window: 1, ..quiet() });
    world.submit(1);
    world.submit(2);
    world.session.handle_closed(world.now);
    assert_eq!(
        world.outcomes(),
        [(1, Outcome::Unknown(Doubt::ConnectionLost)), (2, Outcome::NotSent(NotSent::ConnectionLost))]
    );
    world.headers();
    world.bind(None);
    assert_eq!(world.session.outstanding(), (0, 0));
    assert_eq!(world.headers(), []);
}

#[test]
fn a_deadline_passes_while_it_waits() {
    let mut world = World::bound(Config { window: 1, ..quiet() });
    world.submit(1);
    world.submit_with(2, SubmitOptions { until: Moment(3_000_000), retry_throttled: false }).unwrap();
    world.pass(4_000);
    assert_eq!(world.outcomes(), [(2, Outcome::NotSent(NotSent::DeadlinePassed))]);
}

#[test]
fn the_rate_is_kept() {
    let mut world = World::bound(Config { throughput_per_second: 20, window: 1_000, ..quiet() });
    (0..60).for_each(|token| world.submit(token));
    let at_once = world.headers().len();
    assert_eq!(at_once, 2);
    world.pass(1_000);
    assert_eq!(world.headers().len(), 20);
    world.pass(2_000);
    assert_eq!(world.headers().len(), 38);
}

#[test]
fn throttling_pauses_the_bind_and_sends_again_in_order() {
    let mut world = World::bound(quiet());
    for token in 1..4 {
        world.submit_with(token, retried_until(60_000)).unwrap();
    }
    world.headers();
    world.respond(3, CommandStatus::ESME_RTHROTTLED, b"");
    world.respond(2, CommandStatus::ESME_RMSGQFUL, b"");
    world.respond(4, OK, b"c");
    let events = world.events();
    let until = Moment(1_000_000);
    assert_eq!(events[0], Event::Throttled { status: CommandStatus::ESME_RTHROTTLED, until });
    assert_eq!(events[1..], [Event::SubmitDone { token: 3, outcome: responded(OK, b"c") }]);
    world.submit_with(4, retried_until(60_000)).unwrap();
    assert_eq!(world.headers(), []);
    world.pass(999);
    assert_eq!(world.headers(), []);
    world.pass(1);
    let numbers: Vec<u32> = world.headers().iter().map(|header| header.sequence_number).collect();
    assert_eq!(numbers, [5, 6, 7]);
    for number in numbers {
        world.respond(number, OK, b"x");
    }
    let tokens: Vec<u64> = world.outcomes().iter().map(|(token, _)| *token).collect();
    assert_eq!(tokens, [1, 2, 4]);
}

#[test]
fn pauses_double_up_to_their_bound() {
    let mut world = World::bound(Config { throttle_max: Duration::from_secs(4), ..quiet() });
    world.submit_with(1, retried_until(600_000)).unwrap();
    let mut pauses = Vec::new();
    for number in 2..7 {
        assert_eq!(world.headers().len(), 1);
        world.respond(number, CommandStatus::ESME_RTHROTTLED, b"");
        let Some(Event::Throttled { until, .. }) = world.events().pop() else { panic!("no pause") };
        let pause = until.since(world.now.moment);
        pauses.push(pause.as_secs());
        world.pass(u64::try_from(pause.as_millis()).unwrap());
    }
    assert_eq!(pauses, [1, 2, 4, 4, 4]);
}

#[test]
fn a_throttled_submission_without_time_or_leave_is_reported() {
    let mut world = World::bound(quiet());
    world.submit(1);
    world.submit_with(2, retried_until(900)).unwrap();
    world.respond(2, CommandStatus::ESME_RTHROTTLED, b"");
    world.respond(3, CommandStatus::ESME_RTHROTTLED, b"");
    let throttled = responded(CommandStatus::ESME_RTHROTTLED, b"");
    assert_eq!(world.outcomes(), [(1, throttled), (2, throttled)]);
}

#[test]
fn silence_is_asked_about_and_ends_the_connection() {
    let mut world = World::bound(Config::default());
    world.pass(30_000);
    let asked = world.headers();
    assert_eq!(asked[0].command_id, CommandId::ENQUIRE_LINK);
    world.send_plain(CommandId::ENQUIRE_LINK_RESP, asked[0].sequence_number);
    world.pass(30_000);
    assert_eq!(world.headers()[0].command_id, CommandId::ENQUIRE_LINK);
    world.pass(20_000);
    let events = world.events();
    let Event::Closed { reason: CloseReason::EnquireLinkTimeout, reconnect_at: Some(at) } = events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(world.orders, [Order::Close]);
    assert!(at > world.now.moment);
    world.pass(1_000);
    assert_eq!(world.orders, [Order::Close, Order::Connect]);
}

#[test]
fn enquire_link_is_answered_in_every_state() {
    let mut world = World::new(Config { window: 1, ..quiet() });
    world.session.handle_connected(world.now);
    world.headers();
    let answered = |world: &mut World, number| {
        world.send_plain(CommandId::ENQUIRE_LINK, number);
        let answers = world.answers();
        assert!(answers.contains(&(CommandId::ENQUIRE_LINK_RESP, OK, number)), "{answers:?}");
    };
    answered(&mut world, 70);
    world.bind(None);
    world.submit(1);
    world.submit(2);
    answered(&mut world, 71);
    world.send_plain(CommandId::UNBIND, 72);
    answered(&mut world, 73);
}

/// [SMS-ESME-03b] [SMS-T10-sequence_number]
#[test]
fn deliveries_are_handed_up_and_answered_with_a_lone_nul() {
    let mut world = World::bound(quiet());
    world.deliver(77);
    let events = world.events();
    let [Event::Delivered { delivery, pdu, is_report: false }] = &events[..] else { panic!("{events:?}") };
    let Ok((_, Pdu::DeliverSm(deliver_sm))) = Pdu::parse(pdu) else { panic!("not a deliver_sm") };
    assert_eq!((deliver_sm.source_addr, deliver_sm.short_message), (b"49170".as_slice(), b"hello".as_slice()));
    assert!(world.session.answer(world.now, *delivery, CommandStatus::ESME_RX_P_APPN));
    let (header, pdu) = world.next_pdu().unwrap();
    assert_eq!(header.command_id, CommandId::DELIVER_SM_RESP);
    assert_eq!((header.command_length, header.sequence_number), (17, 77));
    assert_eq!((header.command_status, pdu[16]), (CommandStatus::ESME_RX_P_APPN, 0));
}

#[test]
fn more_deliveries_than_agreed_are_put_off() {
    let mut world = World::bound(Config { deliver_window: 2, ..quiet() });
    (1..4).for_each(|number| world.deliver(number));
    assert_eq!(world.answers(), [(CommandId::DELIVER_SM_RESP, CommandStatus::ESME_RX_T_APPN, 3)]);
    let Some(Event::Delivered { delivery, .. }) = world.session.poll_event() else { panic!("no delivery") };
    world.session.answer(world.now, delivery, OK);
    world.deliver(4);
    assert_eq!(world.answers(), [(CommandId::DELIVER_SM_RESP, OK, 1)]);
}

#[test]
fn an_answer_does_not_outlive_its_connection() {
    let mut world = World::bound(quiet());
    world.deliver(5);
    let Some(Event::Delivered { delivery, .. }) = world.session.poll_event() else { panic!("no delivery") };
    world.session.handle_closed(world.now);
    world.events();
    world.bind(None);
    assert!(!world.session.answer(world.now, delivery, OK));
    assert_eq!((world.answers(), world.session.counters().answers_lost), (vec![], 1));
}

#[test]
fn what_is_not_known_gets_generic_nack_and_the_link_stays() {
    let mut world = World::bound(quiet());
    world.send(CommandId(0x0001_0200), OK, 8, |out| out.extend_from_slice(b"vendor"));
    assert_eq!(world.answers(), [(CommandId::GENERIC_NACK, CommandStatus::ESME_RINVCMDID, 8)]);
    world.send(CommandId(0x8001_0200), OK, 8, |_| {});
    assert_eq!((world.answers(), world.session.state()), (vec![], State::BoundTrx));
}

#[test]
fn requests_out_of_place_get_their_own_response() {
    let mut world = World::bound(quiet());
    let bind = Bind { system_id: b"x", ..Bind::default() };
    world.send(CommandId::BIND_RECEIVER, OK, 3, |out| bind.emit(out));
    assert_eq!(world.answers(), [(CommandId::BIND_RECEIVER_RESP, CommandStatus::ESME_RALYBND, 3)]);
    world.send(CommandId::SUBMIT_SM, OK, 4, |out| SubmitSm::default().emit(out));
    assert_eq!(world.answers(), [(CommandId::SUBMIT_SM_RESP, CommandStatus::ESME_RINVBNDSTS, 4)]);
    let outbind = Outbind { system_id: b"x", ..Outbind::default() };
    world.send(CommandId::OUTBIND, OK, 5, |out| outbind.emit(out));
    assert_eq!(world.answers(), []);
}

#[test]
fn a_body_that_cannot_be_read_gets_its_status() {
    let mut world = World::bound(quiet());
    world.send(CommandId::DELIVER_SM, OK, 6, |out| out.extend_from_slice(b"\0\x01\x01no end"));
    assert_eq!(world.answers(), [(CommandId::DELIVER_SM_RESP, CommandStatus::ESME_RINVCMDLEN, 6)]);
    let deliver_sm = DeliverSm { short_message: b"x", ..DeliverSm::default() };
    world.send(CommandId::DELIVER_SM, OK, 7, |out| {
        deliver_sm.emit(out);
        out.extend_from_slice(&[0x04, 0x24, 0x00, 0x09, 0]);
    });
    assert_eq!(world.answers(), [(CommandId::DELIVER_SM_RESP, CommandStatus::ESME_RINVOPTPARSTREAM, 7)]);
    world.send(CommandId::DELIVER_SM, OK, 8, |out| {
        deliver_sm.emit(out);
        out.extend_from_slice(&[0x02, 0x0C, 0x00, 0x01, 0]);
    });
    assert_eq!(world.answers(), [(CommandId::DELIVER_SM_RESP, CommandStatus::ESME_RINVPARLEN, 8)]);
}

#[test]
fn a_response_that_cannot_be_read_still_answers() {
    let mut world = World::bound(quiet());
    world.submit(1);
    world.send(CommandId::SUBMIT_SM_RESP, CommandStatus::ESME_RSYSERR, 2, |out| out.extend_from_slice(&[b'a'; 90]));
    assert_eq!(world.outcomes(), [(1, responded(CommandStatus::ESME_RSYSERR, b""))]);
}

#[test]
fn lost_framing_is_said_and_the_link_re_established() {
    for length in [0_u32, 15, 70_001, u32::MAX] {
        let mut world = World::bound(quiet());
        world.submit(1);
        world.headers();
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend_from_slice(&[0; 12]);
        world.session.handle_bytes(world.now, &Bytes::from(bytes));
        let (header, _) = world.next_pdu().unwrap();
        assert_eq!(
            (header.command_id, header.command_status),
            (CommandId::GENERIC_NACK, CommandStatus::ESME_RINVCMDLEN)
        );
        assert_eq!(world.orders, [Order::Close]);
        assert_eq!(world.outcomes(), [(1, Outcome::Unknown(Doubt::ConnectionLost))]);
        world.pass(1_000);
        assert_eq!(world.orders, [Order::Close, Order::Connect]);
    }
}

#[test]
fn generic_nack_answers_the_request_it_names() {
    let mut world = World::bound(quiet());
    world.submit(1);
    world.send(CommandId::GENERIC_NACK, CommandStatus::ESME_RINVCMDID, 2, |_| {});
    assert_eq!(world.outcomes(), [(1, responded(CommandStatus::ESME_RINVCMDID, b""))]);
    world.send(CommandId::GENERIC_NACK, CommandStatus::ESME_RINVCMDID, 0, |_| {});
    assert_eq!(world.session.counters().generic_nacks_received, 2);
    world.headers();
    assert_eq!(world.answers(), []);
}

#[test]
fn a_refused_name_or_password_is_not_hammered() {
    for (status, at_least) in
        [(CommandStatus::ESME_RINVPASWD, 150), (CommandStatus::ESME_RINVSYSID, 150), (CommandStatus::ESME_RBINDFAIL, 0)]
    {
        let mut world = World::new(quiet());
        world.session.handle_connected(world.now);
        world.send(CommandId::BIND_TRANSCEIVER_RESP, status, 1, |_| {});
        let events = world.events();
        let [Event::BindRefused { status: said }, Event::Closed { reconnect_at: Some(at), .. }] = &events[..] else {
            panic!("{events:?}")
        };
        assert_eq!(*said, status);
        let wait = at.since(world.now.moment).as_secs();
        assert!(wait >= at_least && (at_least > 0 || wait <= 1), "{wait}");
    }
}

#[test]
fn waits_between_connections_grow_with_jitter() {
    let mut world = World::new(quiet());
    let mut waits = Vec::new();
    for _ in 0..9 {
        world.session.handle_connect_failed(world.now);
        let Some(Event::Closed { reconnect_at: Some(at), .. }) = world.events().pop() else { panic!("not closed") };
        waits.push(at.since(world.now.moment).as_millis());
        world.pass(60_000);
    }
    for (wait, full) in waits.iter().zip([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]) {
        assert!((full / 2..=full).contains(wait), "{waits:?}");
    }
}

#[test]
fn no_bind_response_in_time_closes() {
    let mut world = World::new(quiet());
    world.session.handle_connected(world.now);
    world.pass(10_000);
    assert!(matches!(world.events()[..], [Event::Closed { reason: CloseReason::SessionInitTimeout, .. }]));
}

#[test]
fn outbind_is_answered_with_a_bind() {
    let outbind_password = Inline::from_slice(b"letmein");
    let config = Config { initiator: Initiator::Smsc, bind: BindType::Receiver, outbind_password, ..quiet() };
    let outbind = |password| Outbind { system_id: b"smsc", password, ..Outbind::default() };
    let mut world = World::new(config.clone());
    world.drain();
    assert_eq!(world.orders, []);
    world.session.handle_connected(world.now);
    assert_eq!(world.headers(), []);
    world.send(CommandId::OUTBIND, OK, 1, |out| outbind(b"letmein").emit(out));
    assert_eq!(world.headers()[0].command_id, CommandId::BIND_RECEIVER);

    let mut world = World::new(config);
    world.session.handle_connected(world.now);
    world.send(CommandId::OUTBIND, OK, 1, |out| outbind(b"letmeix").emit(out));
    let closed = Event::Closed { reason: CloseReason::OutbindRefused, reconnect_at: None };
    assert_eq!((world.events(), world.headers()), (vec![closed], vec![]));
}

#[test]
fn a_drain_finishes_what_was_taken_then_unbinds() {
    let mut world = World::bound(Config { window: 1, ..quiet() });
    world.submit(1);
    world.submit(2);
    world.deliver(9);
    world.session.unbind(world.now);
    assert_eq!(world.submit_with(3, SubmitOptions::default()), Err(SubmitRefused::Unbinding));
    world.deliver(10);
    let delivery = DeliveryId { connection: 1, sequence_number: 9, command_id: CommandId::DELIVER_SM };
    world.session.answer(world.now, delivery, OK);
    world.respond(2, OK, b"a");
    world.respond(3, OK, b"b");
    let ids: Vec<CommandId> = world.headers().iter().map(|header| header.command_id).collect();
    assert_eq!(ids.last(), Some(&CommandId::UNBIND));
    assert_eq!(ids.iter().filter(|id| **id == CommandId::SUBMIT_SM).count(), 2);
    assert!(!world.session.is_drained());
    world.send_plain(CommandId::UNBIND_RESP, 4);
    assert!(world.session.is_drained());
    assert!(matches!(world.events().last(), Some(Event::Closed { reason: CloseReason::Unbound, reconnect_at: None })));
    world.drain();
    assert_eq!((&world.orders[..], world.session.poll_timeout()), (&[Order::Close][..], None));
}

#[test]
fn a_drain_has_an_end() {
    let mut world = World::bound(Config { window: 1, ..quiet() });
    world.submit(1);
    world.submit(2);
    world.session.unbind(world.now);
    world.pass(60_000);
    let outcomes = [(1, Outcome::Unknown(Doubt::ResponseTimeout)), (2, Outcome::Unknown(Doubt::ResponseTimeout))];
    assert_eq!(world.outcomes(), outcomes);
    world.pass(60_000);
    assert!(world.session.is_drained());
}

#[test]
fn the_peers_unbind_waits_for_our_answers() {
    let mut world = World::bound(Config { window: 1, ..quiet() });
    world.submit(1);
    world.submit(2);
    world.deliver(9);
    world.headers();
    world.send_plain(CommandId::UNBIND, 10);
    assert_eq!(world.answers(), []);
    assert_eq!(world.submit_with(3, SubmitOptions::default()), Err(SubmitRefused::Unbinding));
    let delivery = DeliveryId { connection: 1, sequence_number: 9, command_id: CommandId::DELIVER_SM };
    world.session.answer(world.now, delivery, OK);
    assert_eq!(world.answers(), [(CommandId::DELIVER_SM_RESP, OK, 9), (CommandId::UNBIND_RESP, OK, 10)]);
    world.respond(2, OK, b"a");
    world.session.handle_closed(world.now);
    assert_eq!(world.outcomes(), [(2, Outcome::NotSent(NotSent::Unbound)), (1, responded(OK, b"a"))]);
    world.pass(1_000);
    assert_eq!(world.orders, [Order::Connect]);
}

#[test]
fn optional_parameters_are_not_sent_to_who_knows_none() {
    let tlvs = [0x02, 0x0C, 0, 2, 0, 1];
    let message = SubmitSm { tlvs: Tlvs::parse(&tlvs).unwrap(), ..SubmitSm::default() };
    for (version, without, taken) in
        [(Some(0x33), true, false), (Some(0x34), false, true), (None, true, true), (None, false, false)]
    {
        let mut world = World::new(Config { tlvs_without_version: without, ..quiet() });
        world.bind(version);
        let result = world.session.submit(world.now, 1, &Request::SubmitSm(message), SubmitOptions::default());
        assert_eq!(result.is_ok(), taken, "{version:?} {without}");
        assert_eq!(world.session.tlvs_allowed(), taken);
    }
}

#[test]
fn a_field_that_does_not_fit_is_not_cut() {
    let mut world = World::bound(quiet());
    for message in [
        SubmitSm { destination_addr: b"123456789012345678901", ..SubmitSm::default() },
        SubmitSm { destination_addr: b"12\x0034", ..SubmitSm::default() },
    ] {
        let result = world.session.submit(world.now, 1, &Request::SubmitSm(message), SubmitOptions::default());
        assert_eq!(result, Err(SubmitRefused::Unfit("destination_addr")));
    }
    assert_eq!(world.headers(), []);
}

#[test]
fn data_sm_carries_messages_both_ways() {
    let mut world = World::bound(quiet());
    let payload = [0x04, 0x24, 0, 2, b'h', b'i'];
    let message = DataSm { esm_class: 2, tlvs: Tlvs::parse(&payload).unwrap(), ..DataSm::default() };
    world.session.submit(world.now, 1, &Request::DataSm(message), SubmitOptions::default()).unwrap();
    assert_eq!(world.headers()[0].command_id, CommandId::DATA_SM);
    let reason = [0x04, 0x25, 0, 1, 2];
    let body = Response { id: Some(b""), tlvs: Tlvs::parse(&reason).unwrap() };
    world.send(CommandId::DATA_SM_RESP, CommandStatus::ESME_RDELIVERYFAILURE, 2, |out| body.emit(out));
    let status = CommandStatus::ESME_RDELIVERYFAILURE;
    let failed = Outcome::Responded { status, message_id: Inline::new(), delivery_failure_reason: Some(2) };
    assert_eq!(world.outcomes(), [(1, failed)]);
    world.send(CommandId::DATA_SM, OK, 5, |out| message.emit(out));
    let Some(Event::Delivered { delivery, .. }) = world.session.poll_event() else { panic!("no delivery") };
    world.session.answer(world.now, delivery, OK);
    assert_eq!(world.answers(), [(CommandId::DATA_SM_RESP, OK, 5)]);
}

proptest! {
    #[test]
    fn reads_may_cut_the_stream_anywhere(cuts in proptest::collection::vec(1_usize..40, 1..40)) {
        let mut world = World::bound(quiet());
        let mut stream = Vec::new();
        for number in 1..20 {
            let body = DeliverSm { short_message: b"0123456789", ..DeliverSm::default() };
            smpp::emit(&mut stream, CommandId::DELIVER_SM, OK, number, |out| body.emit(out));
        }
        let stream = Bytes::from(stream);
        let (mut at, mut cuts) = (0, cuts.iter().cycle());
        while at < stream.len() {
            let end = (at + cuts.next().unwrap()).min(stream.len());
            world.session.handle_bytes(world.now, &stream.slice(at..end));
            at = end;
        }
        let numbers: Vec<u32> = world.events().iter().map(|event| match event {
            Event::Delivered { delivery, pdu, .. } if Pdu::parse(pdu).is_ok() => delivery.sequence_number,
            _ => 0,
        }).collect();
        prop_assert_eq!(numbers, (1..20).collect::<Vec<u32>>());
    }

    #[test]
    fn any_stream_and_any_timing_ends_with_each_submission_reported_once(
        steps in proptest::collection::vec((0_u8..8, any::<u32>(), proptest::collection::vec(any::<u8>(), 0..40)), 1..80),
    ) {
        let mut world = World::bound(Config { window: 3, pending_max: 5, throughput_per_second: 7, ..Config::default() });
        let mut taken = 0_u64;
        let mut outcomes = Vec::new();
        for (what, number, octets) in steps {
            match what {
                0 | 1 => taken += u64::from(world.submit_with(taken, retried_until(u64::from(number) % 100_000)).is_ok()),
                2 => world.respond(number % 12, OK, b"id"),
                3 => world.respond(number % 12, CommandStatus::ESME_RTHROTTLED, b""),
                4 => world.session.handle_bytes(world.now, &Bytes::from(octets)),
                5 => world.pass(u64::from(number) % 30_000),
                6 => world.deliver(number),
                _ => {
                    world.session.handle_closed(world.now);
                    outcomes.extend(world.outcomes());
                    world.session.handle_connected(world.now);
                    world.send(CommandId::BIND_TRANSCEIVER_RESP, OK, 1, |_| {});
                }
            }
            world.drain();
            world.sent.clear();
            outcomes.extend(world.outcomes());
        }
        world.session.handle_closed(world.now);
        outcomes.extend(world.outcomes());
        let mut tokens: Vec<u64> = outcomes.iter().map(|(token, _)| *token).collect();
        tokens.sort_unstable();
        prop_assert_eq!(tokens, (0..taken).collect::<Vec<u64>>());
    }
}

#[test]
fn a_generic_nack_takes_nothing_whatever_its_status() {
    let mut world = World::bound(Config::default());
    world.submit(1);
    let (submit, _) = world.next_pdu().unwrap();
    world.send_plain(CommandId::GENERIC_NACK, submit.sequence_number);
    assert_eq!(world.outcomes(), [(1, responded(CommandStatus::ESME_RUNKNOWNERR, b""))]);
}

#[test]
fn without_a_queue_the_window_still_takes_what_it_holds() {
    let mut world = World::bound(Config { window: 1, pending_max: 0, ..Config::default() });
    assert!(world.session.can_submit(world.now.moment));
    world.submit(1);
    assert!(!world.session.can_submit(world.now.moment));
    assert_eq!(world.submit_with(2, SubmitOptions::default()), Err(SubmitRefused::QueueFull));
}
