//! Our client against a server that says what the test says.

use core::time::Duration;

use bytes::Bytes;
use isthmus::engine::smtp::Client;
use isthmus::engine::smtp::client::{
    CloseReason, Config, Doubt, Event, Mail, NotSent, Order, Outcome, Stage, State, TimerName,
};
use isthmus::engine::{Moment, Now, Random};
use isthmus::wire::smtp::{EnhancedStatus, Extensions, Reply, ReplyLines};
use proptest::prelude::*;

const ALL: &str = "250-mmsc\r\n250-PIPELINING\r\n250-SIZE 100\r\n250 8BITMIME\r\n";
const NONE: &str = "250 mmsc\r\n";
const MAIL: &str = "MAIL FROM:<a@b.example>\r\n";
const RCPT: &str = "RCPT TO:<+1@mms.example>\r\n";

/// A client, the clock, and what the client did.
struct World {
    client: Client,
    now: Now,
    events: Vec<Event>,
    orders: Vec<Order>,
}

fn config() -> Config {
    Config { hostname: b"gw.mms.example".to_vec(), queue_max: 3, noop: Duration::ZERO, ..Config::default() }
}

fn mail(token: u64) -> Mail {
    Mail {
        token,
        mail_from: b"a@b.example".to_vec(),
        rcpt_to: vec![b"+1@mms.example".to_vec()],
        content: vec![Bytes::from_static(b"x\r\n")],
        until: None,
    }
}

fn reply(octets: &str) -> Reply {
    ReplyLines::parse(octets.as_bytes()).unwrap().to_reply()
}

impl World {
    fn new(config: Config) -> World {
        let client = Client::new(config, Random::from_seed([7; 32]));
        let mut world = World { client, now: Now::default(), events: Vec::new(), orders: Vec::new() };
        assert_eq!(world.collect(), "");
        assert_eq!(world.orders(), [Order::Connect]);
        world
    }

    /// A client whose server can do what `hello` says.
    fn ready(hello: &str) -> World {
        World::ready_with(config(), hello)
    }

    fn ready_with(config: Config, hello: &str) -> World {
        let mut world = World::new(config);
        world.connect(hello);
        world
    }

    fn connect(&mut self, hello: &str) {
        self.client.handle_connected(self.now);
        assert_eq!(self.say("220 mmsc ESMTP\r\n"), "EHLO gw.mms.example\r\n");
        self.client.handle_bytes(self.now, hello.as_bytes());
        assert!(self.client.is_ready());
    }

    /// A client that has sent the end of a mail.
    fn sent() -> World {
        let mut world = World::ready(ALL);
        world.send(1);
        assert_eq!(world.say("250 a\r\n250 b\r\n354 c\r\n"), "x\r\n.\r\n");
        world
    }

    fn collect(&mut self) -> String {
        let mut said = Vec::new();
        while let Some(octets) = self.client.poll_transmit() {
            said.extend_from_slice(&octets);
        }
        self.orders.extend(core::iter::from_fn(|| self.client.poll_order()));
        self.events.extend(core::iter::from_fn(|| self.client.poll_event()));
        String::from_utf8(said).unwrap()
    }

    /// What the client says to these octets.
    fn say(&mut self, octets: &str) -> String {
        self.client.handle_bytes(self.now, octets.as_bytes());
        self.collect()
    }

    fn send(&mut self, token: u64) -> String {
        self.send_mail(mail(token))
    }

    fn send_mail(&mut self, mail: Mail) -> String {
        self.client.send(self.now, mail).unwrap();
        self.collect()
    }

    fn lose(&mut self) -> String {
        self.client.handle_closed(self.now);
        self.collect()
    }

    /// Lets time pass, running timers when they are due.
    fn pass(&mut self, time: Duration) -> String {
        let end = self.now.after(time);
        let mut said = String::new();
        while let Some((at, _)) = self.client.poll_timeout().filter(|(at, _)| *at <= end.moment) {
            self.now = self.now.after(at.since(self.now.moment));
            self.client.handle_timeout(self.now);
            said += &self.collect();
        }
        self.now = end;
        said
    }

    fn orders(&mut self) -> Vec<Order> {
        core::mem::take(&mut self.orders)
    }

    fn timer(&self) -> Option<TimerName> {
        self.client.poll_timeout().map(|(_, name)| name)
    }

    fn outcomes(&mut self) -> Vec<(u64, Outcome)> {
        self.collect();
        let done = |event| match event {
            Event::Done { token, outcome } => Some((token, outcome)),
            _ => None,
        };
        core::mem::take(&mut self.events).into_iter().filter_map(done).collect()
    }

    fn closed(&mut self) -> Option<CloseReason> {
        let reason = |event: &Event| match event {
            Event::Closed { reason, .. } => Some(*reason),
            _ => None,
        };
        self.events.iter().find_map(reason)
    }
}

fn accepted(octets: &str) -> Outcome {
    Outcome::Accepted { reply: reply(octets), refused: vec![] }
}

fn refused(stage: Stage, octets: &str) -> Outcome {
    let reply = reply(octets);
    let refused = if stage == Stage::Recipients { vec![(0, reply)] } else { vec![] };
    Outcome::Refused { stage, reply, refused }
}

#[test]
fn a_server_that_can_nothing_is_asked_step_by_step() {
    let mut world = World::ready(NONE);
    let mut two = mail(1);
    two.rcpt_to.push(b"+2@mms.example".to_vec());
    assert_eq!(world.send_mail(two), MAIL);
    assert_eq!(world.say("250 ok\r\n"), RCPT);
    assert_eq!(world.say("250 ok\r\n"), "RCPT TO:<+2@mms.example>\r\n");
    assert_eq!(world.say("251 ok\r\n"), "DATA\r\n");
    assert_eq!(world.say("354 go\r\n"), "x\r\n.\r\n");
    assert_eq!(world.say("250 2.6.0 queued\r\n"), "");
    assert_eq!(world.outcomes(), [(1, accepted("250 2.6.0 queued\r\n"))]);
    assert_eq!(world.client.state(), State::Ready);
}

#[test]
fn a_server_that_can_more_is_asked_at_once() {
    let mut world = World::ready(ALL);
    let ready = Extensions { pipelining: true, eight_bit_mime: true, size: Some(100), enhanced_status_codes: false };
    world.collect();
    assert_eq!(world.events, [Event::Ready { extensions: ready }]);
    let mut eight_bit = mail(1);
    eight_bit.content = vec![Bytes::from("ä\r\n"), Bytes::new(), Bytes::from(".\r\n")];
    let said = world.send_mail(eight_bit);
    assert_eq!(said, format!("MAIL FROM:<a@b.example> SIZE=7 BODY=8BITMIME\r\n{RCPT}DATA\r\n"));
    assert_eq!(world.say("250 ok\r\n250 ok\r\n354 go\r\n"), "ä\r\n..\r\n.\r\n");
    world.say("250 ok\r\n");
    assert_eq!(world.outcomes(), [(1, accepted("250 ok\r\n"))]);
}

#[test]
fn a_server_that_knows_no_ehlo_is_greeted_with_helo() {
    for refusal in ["500 what\r\n", "502 what\r\n", "550 no\r\n"] {
        let mut world = World::new(config());
        world.client.handle_connected(world.now);
        world.say("220-mmsc\r\n220 ready\r\n");
        assert_eq!(world.say(refusal), "HELO gw.mms.example\r\n");
        world.say("250 PIPELINING\r\n");
        assert_eq!(world.events, [Event::Ready { extensions: Extensions::default() }]);
        assert_eq!(world.send(1), MAIL);
    }
}

#[test]
fn a_server_that_does_not_serve_us_is_left_alone_for_a_while() {
    for (says, said, code) in [
        (&["554 go away\r\n"][..], "QUIT\r\n", 554),
        (&["421 later\r\n"], "", 421),
        (&["220 x\r\n", "421 later\r\n"], "", 421),
        (&["220 x\r\n", "450 later\r\n"], "", 450),
        (&["220 x\r\n", "500 what\r\n", "554 no\r\n"], "", 554),
    ] {
        let mut world = World::new(config());
        world.client.handle_connected(world.now);
        let last = says.iter().map(|octets| world.say(octets)).last();
        assert_eq!(last.as_deref(), Some(said));
        let Some(CloseReason::Refused(reply)) = world.closed() else { panic!("{:?}", world.events) };
        assert_eq!(reply.code, code);
        assert_eq!(world.orders(), [Order::Close]);
        assert!(!world.client.can_send());
        world.pass(Duration::from_secs(29));
        assert!(world.orders().is_empty(), "it waits");
        world.pass(Duration::from_secs(31));
        assert_eq!(world.orders(), [Order::Connect]);
    }
}

#[test]
fn what_is_no_reply_ends_the_connection() {
    for octets in ["SSH-2.0-x\r\n", "250 a\r\n250 b\r\n250 c\r\n", "25x\r\n", "250-a\r\n251 b\r\n"] {
        let mut world = World::ready(NONE);
        world.send(1);
        world.say(octets);
        assert_eq!(world.closed(), Some(CloseReason::FramingLost), "{octets:?}");
        assert_eq!(world.outcomes(), [(1, Outcome::NotSent(NotSent::ConnectionLost))]);
        assert_eq!(world.client.counters().framing_lost, 1);
    }
}

#[test]
fn each_refusal_is_told_with_its_stage() {
    let table: &[(&[&str], Stage, &str)] = &[
        (&["550 5.7.1 no\r\n"], Stage::Sender, "550 5.7.1 no\r\n"),
        (&["250 ok\r\n", "450 4.2.0 later\r\n"], Stage::Recipients, "450 4.2.0 later\r\n"),
        (&["250 ok\r\n", "250 ok\r\n", "554 no\r\n"], Stage::Content, "554 no\r\n"),
        (&["250 ok\r\n", "250 ok\r\n", "354 go\r\n", "552 big\r\n"], Stage::Content, "552 big\r\n"),
    ];
    for (says, stage, told) in table {
        let mut world = World::ready(NONE);
        world.send(1);
        let last = says.iter().map(|octets| world.say(octets)).last().unwrap();
        assert_eq!(world.outcomes(), [(1, refused(*stage, told))], "{says:?}");
        if last == "RSET\r\n" {
            assert_eq!(world.client.state(), State::Busy);
            world.say("250 reset\r\n");
        }
        assert_eq!(world.client.state(), State::Ready);
        assert_eq!(world.send(2), MAIL, "the session goes on");
    }
}

#[test]
fn refusals_of_a_group_are_told_and_the_session_goes_on() {
    let no = "503 no\r\n";
    let table: &[(&[&str], &str, Stage, &str)] = &[
        // What was refused, what is said then, and what comes of it.
        (&["550 a\r\n", no, no], "", Stage::Sender, "550 a\r\n"),
        (&["550 a\r\n", no, "354 go\r\n"], ".\r\n", Stage::Sender, "550 a\r\n"),
        (&["550 a\r\n", "250 b\r\n", "354 go\r\n"], ".\r\n", Stage::Sender, "550 a\r\n"),
        (&["250 ok\r\n", "550 b\r\n", "554 no\r\n"], "RSET\r\n", Stage::Recipients, "550 b\r\n"),
        (&["250 ok\r\n", "550 b\r\n", "354 go\r\n"], ".\r\n", Stage::Recipients, "550 b\r\n"),
        (&["250 ok\r\n", "250 ok\r\n", "451 c\r\n"], "RSET\r\n", Stage::Content, "451 c\r\n"),
    ];
    for (says, then, stage, told) in table {
        let mut world = World::ready(ALL);
        world.send(1);
        assert_eq!(world.say(&says.concat()), *then, "{says:?}");
        if !then.is_empty() {
            world.say("250 whatever\r\n");
        }
        assert_eq!(world.outcomes(), [(1, refused(*stage, told))], "{says:?}");
        assert_eq!(world.client.state(), State::Ready);
    }
}

#[test]
fn recipients_are_told_apart() {
    for hello in [ALL, NONE] {
        let mut world = World::ready(hello);
        let mut three = mail(1);
        three.rcpt_to = [&b"no mailbox"[..], b"+1@mms.example", b"+2@mms.example", b""].map(<[u8]>::to_vec).to_vec();
        world.send_mail(three);
        for octets in ["250 ok\r\n", "452 4.5.3 many\r\n", "250 ok\r\n", "354 go\r\n", "250 taken\r\n"] {
            world.say(octets);
        }
        let unfit = Reply::new(553, EnhancedStatus(5, 1, 3), b"the recipient is no mailbox");
        let refused = vec![(0, unfit), (1, reply("452 4.5.3 many\r\n")), (3, unfit)];
        assert_eq!(world.outcomes(), [(1, Outcome::Accepted { reply: reply("250 taken\r\n"), refused })]);
    }
}

#[test]
fn what_would_be_refused_is_not_begun() {
    let large = Mail { content: vec![Bytes::from(vec![b'x'; 101])], ..mail(1) };
    let eight_bit = Mail { content: vec![Bytes::from("ä")], ..mail(1) };
    let no_sender = Mail { mail_from: b"a\r\nRSET".to_vec(), ..mail(1) };
    let no_recipient = Mail { rcpt_to: vec![], ..mail(1) };
    let bad_recipient = Mail { rcpt_to: vec![b"a>\r\nDATA\r\n<b@c".to_vec()], ..mail(1) };
    let table = [
        (large, ALL, Stage::Sender, 552),
        (eight_bit, NONE, Stage::Sender, 554),
        (no_sender, ALL, Stage::Sender, 553),
        (no_recipient, ALL, Stage::Recipients, 553),
        (bad_recipient, ALL, Stage::Recipients, 553),
    ];
    for (mail, hello, stage, code) in table {
        let mut world = World::ready(hello);
        assert_eq!(world.send_mail(mail), "");
        let [(1, Outcome::Refused { stage: told, reply, .. })] = &world.outcomes()[..] else { panic!() };
        assert_eq!((*told, reply.code), (stage, code));
        assert_eq!(world.client.state(), State::Ready);
    }
}

#[test]
fn mails_wait_their_turn_and_the_queue_has_a_bound() {
    let mut world = World::ready(ALL);
    for token in 1..=4 {
        assert!(world.client.can_send());
        world.send(token);
    }
    assert_eq!(world.client.outstanding(), (1, 3));
    assert!(!world.client.can_send());
    assert_eq!(world.client.send(world.now, mail(5)), Err(mail(5)));
    world.say("250 a\r\n250 b\r\n354 c\r\n");
    assert_eq!(world.say("250 d\r\n"), format!("MAIL FROM:<a@b.example> SIZE=3\r\n{RCPT}DATA\r\n"));
    assert!(world.client.can_send());
}

#[test]
fn nothing_is_taken_before_the_server_is_ready() {
    let mut world = World::new(config());
    assert_eq!(world.client.send(world.now, mail(1)), Err(mail(1)));
    world.client.handle_connected(world.now);
    assert!(!world.client.can_send() && !world.client.is_ready());
    world.say("220 x\r\n");
    assert!(!world.client.can_send());
}

#[test]
fn each_reply_has_its_time() {
    let steps: &[(&[&str], TimerName, u64)] = &[
        (&[], TimerName::Greeting, 300),
        (&["220 x\r\n"], TimerName::Command, 300),
        (&["220 x\r\n", "500 x\r\n"], TimerName::Command, 300),
    ];
    for (says, timer, seconds) in steps {
        let mut world = World::new(config());
        world.client.handle_connected(world.now);
        says.iter().for_each(|octets| drop(world.say(octets)));
        expect_timeout(&mut world, *timer, *seconds);
    }
    let steps: &[(&[&str], TimerName, u64, Outcome)] = &[
        (&[], TimerName::Command, 300, Outcome::NotSent(NotSent::Unavailable)),
        (&["250 x\r\n"], TimerName::Command, 300, Outcome::NotSent(NotSent::Unavailable)),
        (&["250 x\r\n", "250 x\r\n"], TimerName::DataInitiation, 120, Outcome::NotSent(NotSent::Unavailable)),
        (
            &["250 x\r\n", "250 x\r\n", "354 x\r\n"],
            TimerName::DataTermination,
            600,
            Outcome::Unknown(Doubt::ReplyTimeout),
        ),
    ];
    for (hello, (says, timer, seconds, outcome)) in
        [ALL, NONE].iter().flat_map(|hello| steps.iter().map(move |step| (hello, step)))
    {
        let mut world = World::ready(hello);
        world.send(1);
        for octets in *says {
            world.pass(Duration::from_secs(100));
            world.say(octets);
        }
        world.say("25");
        expect_timeout(&mut world, *timer, *seconds);
        assert_eq!(world.outcomes(), [(1, outcome.clone())]);
        assert!(!world.client.can_send(), "it is not well");
        assert_eq!(world.client.counters().reply_timeouts, 1);
    }
}

fn expect_timeout(world: &mut World, timer: TimerName, seconds: u64) {
    assert_eq!(world.timer(), Some(timer));
    world.pass(Duration::from_secs(seconds) - Duration::from_millis(1));
    assert_eq!(world.closed(), None);
    world.pass(Duration::from_millis(1));
    assert_eq!(world.closed(), Some(CloseReason::ReplyTimeout));
    assert_eq!(world.orders(), [Order::Close]);
}

#[test]
fn a_connection_lost_after_the_end_leaves_the_mail_in_doubt() {
    let mut world = World::sent();
    world.lose();
    assert_eq!(world.outcomes(), [(1, Outcome::Unknown(Doubt::ConnectionLost))]);
    let mut world = World::sent();
    world.say("354 go on\r\n");
    assert_eq!(world.outcomes(), [(1, Outcome::Unknown(Doubt::ConnectionLost))]);
}

#[test]
fn a_connection_lost_before_the_end_leaves_the_mail_unsent() {
    for says in ["", "250 a\r\n", "250 a\r\n250 b\r\n"] {
        for hello in [ALL, NONE] {
            let mut world = World::ready(hello);
            world.send(1);
            world.send(2);
            world.say(says);
            world.lose();
            let lost = Outcome::NotSent(NotSent::ConnectionLost);
            assert_eq!(world.outcomes(), [(1, lost.clone()), (2, lost)]);
            assert!(!world.client.can_send());
            assert!(world.orders().is_empty(), "it waits");
        }
    }
}

#[test]
fn a_mail_that_nobody_was_to_get_is_not_in_doubt() {
    let mut world = World::ready(ALL);
    world.send(1);
    assert_eq!(world.say("250 a\r\n550 b\r\n354 c\r\n"), ".\r\n");
    world.lose();
    assert_eq!(world.outcomes(), [(1, refused(Stage::Recipients, "550 b\r\n"))]);
}

/// Servers close a connection after some mails, or while it is idle: the mail that meets this goes by the next one.
#[test]
fn a_mail_that_meets_a_closing_server_goes_by_the_next_connection() {
    for how in ["421 4.3.2 that was enough\r\n", ""] {
        let mut world = World::sent();
        world.say("250 taken\r\n");
        world.outcomes();
        world.send(2);
        world.send(3);
        if how.is_empty() {
            world.lose()
        } else {
            world.say(how)
        };
        world.collect();
        assert!(!world.events.iter().any(|event| matches!(event, Event::Done { .. })));
        assert_eq!(world.orders().last(), Some(&Order::Connect), "at once");
        let closed = |event: &Event| matches!(event, Event::Closed { reconnect_at: Some(at), .. } if *at == Moment(0));
        assert!(closed(world.events.last().unwrap()));
        assert!(world.client.can_send());
        assert_eq!(world.client.counters().repeated, 1);
        world.connect(ALL);
        assert_eq!(world.collect().matches("MAIL").count(), 1);
        // Only once: this connection has served nothing.
        world.lose();
        let lost = Outcome::NotSent(NotSent::ConnectionLost);
        assert_eq!(world.outcomes(), [(2, lost.clone()), (3, lost)]);
    }
}

#[test]
fn a_server_that_refused_a_mail_was_well_too() {
    let mut world = World::ready(ALL);
    world.send(1);
    world.say("550 a\r\n503 b\r\n503 c\r\n");
    world.outcomes();
    world.send(2);
    world.lose();
    assert_eq!(world.client.outstanding(), (0, 1));
}

#[test]
fn a_server_that_closes_after_every_mail_gets_them_all() {
    let mut world = World::ready(ALL);
    for token in 1..=3 {
        world.send(token);
    }
    for token in 1..=3 {
        world.say("250 a\r\n250 b\r\n354 c\r\n");
        world.say("250 d\r\n421 enough\r\n");
        assert_eq!(world.outcomes(), [(token, accepted("250 d\r\n"))]);
        if token < 3 {
            assert_eq!(world.orders().last(), Some(&Order::Connect));
            world.connect(ALL);
        }
    }
}

#[test]
fn a_server_that_closes_what_was_idle_gets_the_mail_that_met_it() {
    for (idle_s, goes_on) in [(9, false), (10, true)] {
        let mut world = World::ready(ALL);
        world.pass(Duration::from_secs(idle_s));
        world.send(1);
        world.lose();
        assert_eq!(world.client.can_send(), goes_on);
        assert_eq!(world.outcomes().is_empty(), goes_on);
    }
}

#[test]
fn a_mail_is_begun_twice_at_most() {
    let mut world = World::ready(ALL);
    world.pass(Duration::from_secs(10));
    world.send(1);
    world.send(2);
    world.lose();
    world.connect(ALL);
    world.pass(Duration::from_secs(10));
    world.lose();
    assert_eq!(world.outcomes(), [(1, Outcome::NotSent(NotSent::ConnectionLost))]);
    assert_eq!(world.client.outstanding(), (0, 1), "the other has its turn");
}

#[test]
fn a_server_that_closes_after_our_noop_or_rset_is_met_again() {
    let mut world = World::ready_with(Config { noop: Duration::from_secs(60), ..config() }, ALL);
    assert_eq!(world.pass(Duration::from_secs(60)), "NOOP\r\n");
    world.send(1);
    world.say("421 idle\r\n");
    let Some(CloseReason::Unavailable(reply)) = world.closed() else { panic!() };
    assert_eq!(reply.code, 421);
    assert_eq!(world.orders(), [Order::Close, Order::Connect]);
    world.connect(ALL);
    world.say("");
    assert_eq!(world.say("250 a\r\n550 b\r\n554 c\r\n"), "RSET\r\n");
    world.send(2);
    world.say("451 no\r\n");
    assert_eq!(world.outcomes().last(), Some(&(2, Outcome::NotSent(NotSent::ConnectionLost))));
}

#[test]
fn a_reply_that_makes_no_sense_ends_the_connection() {
    let mut world = World::ready(NONE);
    world.send(1);
    world.say("250 a\r\n");
    world.say("250 b\r\n");
    assert_eq!(world.say("250 c\r\n"), "", "DATA is answered by 354");
    assert_eq!(world.closed(), Some(CloseReason::FramingLost));
    assert_eq!(world.outcomes(), [(1, Outcome::NotSent(NotSent::ConnectionLost))]);
}

#[test]
fn what_421_says_of_a_whole_mail_is_its_outcome() {
    let mut world = World::sent();
    world.say("421 4.3.0 no\r\n");
    assert_eq!(world.outcomes(), [(1, refused(Stage::Content, "421 4.3.0 no\r\n"))]);
}

#[test]
fn a_mail_sent_between_connections_opens_the_next() {
    let mut world = World::sent();
    world.say("250 taken\r\n");
    world.lose();
    world.outcomes();
    assert_eq!((world.client.state(), world.timer()), (State::Closed, Some(TimerName::Reconnect)));
    world.orders();
    world.send(2);
    world.send(3);
    assert_eq!(world.orders(), [Order::Connect], "once");
    world.client.handle_connect_failed(world.now);
    let lost = Outcome::NotSent(NotSent::ConnectionLost);
    assert_eq!(world.outcomes(), [(2, lost.clone()), (3, lost)]);
    assert!(!world.client.can_send());
}

#[test]
fn connections_are_tried_less_and_less_often() {
    let mut world = World::new(config());
    let mut waits = Vec::new();
    for _ in 0..9 {
        world.client.handle_connect_failed(world.now);
        world.client.handle_connect_failed(world.now);
        world.collect();
        let (at, name) = world.client.poll_timeout().unwrap();
        assert_eq!(name, TimerName::Reconnect);
        waits.push(at.since(world.now.moment));
        world.pass(at.since(world.now.moment));
        assert_eq!(world.orders(), [Order::Connect]);
    }
    for (round, wait) in waits.into_iter().enumerate() {
        let whole = Duration::from_secs((1 << round).min(60));
        assert!((whole / 2..=whole).contains(&wait), "{round}: {wait:?}");
    }
}

#[test]
fn silence_is_broken_by_noop() {
    let mut world = World::ready_with(Config { noop: Duration::from_secs(60), ..config() }, ALL);
    world.pass(Duration::from_secs(59));
    assert_eq!(world.pass(Duration::from_secs(1)), "NOOP\r\n");
    assert!(world.client.is_ready() && world.client.can_send());
    assert_eq!(world.send(1), "", "it waits for the reply");
    assert!(world.say("250 ok\r\n").starts_with("MAIL"));
    world.say("250 a\r\n250 b\r\n354 c\r\n");
    world.say("250 d\r\n");
    assert_eq!(world.timer(), Some(TimerName::Noop));
    world.pass(Duration::from_secs(60));
    world.pass(Duration::from_secs(300));
    assert_eq!(world.closed(), Some(CloseReason::ReplyTimeout));
}

#[test]
fn without_mails_the_connection_is_given_back() {
    let mut world = World::ready_with(Config { idle: Duration::from_secs(100), ..config() }, ALL);
    assert_eq!(world.pass(Duration::from_secs(100)), "QUIT\r\n");
    assert_eq!(world.client.state(), State::Quitting);
    assert!(world.client.can_send() && !world.client.is_ready());
    world.say("221 bye\r\n");
    assert_eq!((world.closed(), world.orders()), (Some(CloseReason::Idle), vec![Order::Close]));
    assert_eq!(world.client.poll_timeout(), None, "nothing to wait for");
    world.send(1);
    assert_eq!(world.orders(), [Order::Connect]);
    world.connect(ALL);
    assert!(world.collect().starts_with("MAIL"));
}

#[test]
fn a_mail_that_meets_our_quit_goes_by_the_next_connection() {
    for how in ["221 bye\r\n", "421 bye\r\n", "lost", "silence"] {
        let mut world = World::ready_with(Config { idle: Duration::from_secs(100), ..config() }, ALL);
        world.pass(Duration::from_secs(100));
        assert_eq!(world.send(1), "");
        match how {
            "lost" => world.lose(),
            "silence" => world.pass(Duration::from_secs(5)),
            octets => world.say(octets),
        };
        assert_eq!(world.closed(), Some(CloseReason::Idle), "{how}");
        assert_eq!(world.orders().last(), Some(&Order::Connect));
        world.connect(ALL);
        assert!(world.collect().starts_with("MAIL"));
    }
}

#[test]
fn a_drain_waits_for_what_is_outstanding() {
    let mut world = World::sent();
    world.send(2);
    world.client.drain(world.now);
    world.client.drain(world.now);
    assert!(!world.client.can_send() && !world.client.is_drained());
    assert!(world.say("250 d\r\n").starts_with("MAIL"));
    world.say("250 a\r\n250 b\r\n354 c\r\n");
    assert_eq!(world.say("250 d\r\n"), "QUIT\r\n");
    world.say("221 bye\r\n");
    assert_eq!(world.closed(), Some(CloseReason::Drained));
    assert_eq!(world.outcomes().len(), 2);
    assert!(world.client.is_drained());
    assert_eq!(world.client.poll_timeout(), None);
    assert_eq!(world.orders(), [Order::Close]);
}

#[test]
fn the_patience_of_a_drain_ends() {
    let mut world = World::sent();
    world.send(2);
    world.client.drain(world.now);
    world.pass(Duration::from_secs(30));
    let unsent = Outcome::NotSent(NotSent::Draining);
    assert_eq!(world.outcomes(), [(1, Outcome::Unknown(Doubt::ConnectionLost)), (2, unsent)]);
    assert!(world.client.is_drained());
}

#[test]
fn a_drain_at_any_other_time_ends_at_once() {
    let mut world = World::ready(ALL);
    world.client.drain(world.now);
    assert_eq!(world.collect(), "QUIT\r\n");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.closed(), Some(CloseReason::Drained));

    for says in ["", "220 x\r\n"] {
        let mut world = World::new(config());
        world.client.handle_connected(world.now);
        world.say(says);
        world.client.drain(world.now);
        world.collect();
        assert_eq!((world.closed(), world.orders()), (Some(CloseReason::Drained), vec![Order::Close]));
    }

    let mut world = World::new(config());
    world.client.drain(world.now);
    assert!(world.client.is_drained());
    world.client.handle_connected(world.now);
    world.collect();
    assert_eq!(world.orders(), [Order::Close]);
    assert!(world.client.is_drained());

    let mut world = World::sent();
    world.say("250 d\r\n421 x\r\n");
    world.outcomes();
    world.send(2);
    world.client.drain(world.now);
    assert_eq!(world.outcomes(), [(2, Outcome::NotSent(NotSent::Draining))]);

    let mut world = World::ready_with(Config { idle: Duration::from_secs(100), ..config() }, ALL);
    world.pass(Duration::from_secs(100));
    world.send(1);
    world.client.drain(world.now);
    world.say("221 bye\r\n");
    assert_eq!(world.closed(), Some(CloseReason::Drained));
    assert_eq!(world.outcomes(), [(1, Outcome::NotSent(NotSent::Draining))]);
}

#[test]
fn a_mail_that_waited_too_long_is_not_begun() {
    let until = |token, seconds: u64| Mail { until: Some(Moment(seconds * 1_000_000)), ..mail(token) };
    let mut world = World::sent();
    world.send_mail(until(2, 20));
    world.send_mail(until(3, 10));
    world.send(4);
    assert_eq!(world.timer(), Some(TimerName::Pending));
    world.pass(Duration::from_secs(10));
    assert_eq!(world.outcomes(), [(3, Outcome::NotSent(NotSent::Expired))]);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.outcomes(), [(2, Outcome::NotSent(NotSent::Expired))]);
    assert_eq!(world.timer(), Some(TimerName::DataTermination));
    world.say("250 d\r\n");
    world.say("250 a\r\n250 b\r\n354 c\r\n250 d\r\n");
    assert_eq!(world.send_mail(until(5, 20)), "");
    assert_eq!(world.outcomes().last(), Some(&(5, Outcome::NotSent(NotSent::Expired))));
}

#[test]
fn replies_may_come_in_any_pieces() {
    let mut world = World::new(config());
    world.client.handle_connected(world.now);
    let mut said = String::new();
    for octet in format!("220 x\r\n{ALL}").chars() {
        said += &world.say(&octet.to_string());
    }
    assert!(world.client.is_ready());
    said += &world.send(1);
    for octet in "250 a\r\n250-b\r\n250 b\r\n354 c\r\n250 d\r\n".chars() {
        said += &world.say(&octet.to_string());
    }
    assert_eq!(said, format!("EHLO gw.mms.example\r\nMAIL FROM:<a@b.example> SIZE=3\r\n{RCPT}DATA\r\nx\r\n.\r\n"));
    assert_eq!(world.outcomes().len(), 1);
}

#[test]
fn half_a_reply_is_no_part_of_the_next_connection() {
    let mut world = World::sent();
    world.say("250 taken\r\n25");
    world.lose();
    world.pass(Duration::from_secs(1));
    world.connect(ALL);
    assert!(world.client.is_ready());
}

#[test]
fn silence_and_idleness_begin_with_the_last_reply() {
    let config = Config { noop: Duration::from_secs(60), idle: Duration::from_secs(100), ..config() };
    let mut world = World::ready_with(config, ALL);
    world.pass(Duration::from_secs(50));
    world.send(1);
    world.say("250 a\r\n250 b\r\n354 c\r\n250 d\r\n");
    assert_eq!(world.pass(Duration::from_secs(59)), "");
    assert_eq!(world.pass(Duration::from_secs(1)), "NOOP\r\n");
    world.say("250 ok\r\n");
    assert_eq!(world.pass(Duration::from_secs(39)), "");
    assert_eq!(world.pass(Duration::from_secs(1)), "QUIT\r\n");
}

#[test]
fn octets_of_a_connection_that_is_gone_are_nobodys() {
    let mut world = World::ready(ALL);
    world.lose();
    assert_eq!(world.say("250 ok\r\n"), "");
    assert_eq!(world.client.counters().framing_lost, 0);
}

#[test]
fn every_way_to_close_is_told_in_words() {
    let reply = Reply::plain(421, b"");
    let reasons = [
        CloseReason::ConnectFailed,
        CloseReason::PeerClosed,
        CloseReason::Unavailable(reply),
        CloseReason::Refused(reply),
        CloseReason::ReplyTimeout,
        CloseReason::FramingLost,
        CloseReason::Idle,
        CloseReason::Drained,
    ];
    let words: std::collections::BTreeSet<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(words.len(), reasons.len());
}

/// Something that happens to a client.
#[derive(Clone, Debug)]
enum Step {
    Send,
    Say(&'static str),
    Pass(u64),
    Connect,
    Refuse,
    Lose,
    Drain,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let replies =
        ["220 x\r\n", ALL, NONE, "250 x\r\n", "250 x\r\n", "354 x\r\n", "421 x\r\n", "451 x\r\n", "550 x\r\n", "x\r\n"];
    let step = prop_oneof![
        6 => Just(Step::Send),
        12 => prop::sample::select(replies.to_vec()).prop_map(Step::Say),
        2 => (0_u64..400).prop_map(Step::Pass),
        4 => Just(Step::Connect),
        1 => Just(Step::Refuse),
        1 => Just(Step::Lose),
        1 => prop::bool::weighted(0.1).prop_map(|drain| if drain { Step::Drain } else { Step::Send }),
    ];
    prop::collection::vec(step, 0..80)
}

proptest! {
    /// Whatever happens: each mail that was taken has one outcome, and connections are ordered one at a time.
    #[test]
    fn each_mail_has_one_outcome(steps in steps(), idle in prop::bool::ANY) {
        let idle = if idle { Duration::from_secs(90) } else { Duration::ZERO };
        let mut world = World::ready_with(Config { idle, ..config() }, ALL);
        let (mut taken, mut is_open, mut is_ordered, mut outcomes) = (0, true, false, Vec::new());
        for step in steps {
            match step {
                Step::Send => taken += u64::from(world.client.send(world.now, mail(taken)).is_ok()),
                Step::Say(octets) if is_open => drop(world.say(octets)),
                Step::Pass(seconds) => drop(world.pass(Duration::from_secs(seconds))),
                Step::Connect if is_ordered => {
                    (is_open, is_ordered) = (true, false);
                    world.client.handle_connected(world.now);
                }
                Step::Refuse if is_ordered => {
                    is_ordered = false;
                    world.client.handle_connect_failed(world.now);
                }
                Step::Lose if std::mem::take(&mut is_open) => drop(world.lose()),
                Step::Drain => world.client.drain(world.now),
                _ => {}
            }
            outcomes.extend(world.outcomes().into_iter().map(|(token, _)| token));
            for order in world.orders() {
                prop_assert!(order == Order::Close || !(is_open || is_ordered), "one connection at a time");
                (is_open, is_ordered) = (false, order == Order::Connect);
            }
            let (under_way, waiting) = world.client.outstanding();
            prop_assert_eq!(outcomes.len() as u64 + (under_way + waiting) as u64, taken);
            prop_assert!(waiting <= 4);
        }
        if is_open { drop(world.lose()) }
        world.client.drain(world.now);
        outcomes.extend(world.outcomes().into_iter().map(|(token, _)| token));
        outcomes.sort_unstable();
        prop_assert_eq!(outcomes, (0..taken).collect::<Vec<u64>>());
    }
}
