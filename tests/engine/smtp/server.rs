//! Our server against a client that says what the test says.

use core::time::Duration;
use std::sync::Arc;

use isthmus::engine::Now;
use isthmus::engine::smtp::Server;
use isthmus::engine::smtp::server::{CloseReason, Config, Event, MailId, TimerName};
use isthmus::wire::smtp::{EnhancedStatus, Reply};
use proptest::prelude::*;

const HELLO: &str = "EHLO mmsc.example.org\r\n";
const BEGIN: &str = "MAIL FROM:<a@b.example>\r\nRCPT TO:<+447700900123/TYPE=PLMN@mms.example>\r\nDATA\r\n";

/// A server, the clock, and what the server did.
struct World {
    server: Server,
    now: Now,
    events: Vec<Event>,
    is_closing: bool,
}

fn config() -> Config {
    Config {
        hostname: b"gw.mms.example".to_vec(),
        domains: vec![b"mms.example".to_vec(), b"[192.0.2.1]".to_vec()],
        system_user: b"system-user".to_vec(),
        message_bytes_max: 100,
        recipients_max: 3,
        errors_max: 4,
        commands_max: 10,
        ..Config::default()
    }
}

impl World {
    fn new(config: Config) -> World {
        let now = Now::default();
        let server = Server::new(Arc::new(config), now);
        let mut world = World { server, now, events: Vec::new(), is_closing: false };
        assert_eq!(world.collect(), "220 gw.mms.example ESMTP\r\n");
        world
    }

    /// A session in which EHLO was said.
    fn greeted() -> World {
        World::greeted_with(config())
    }

    fn greeted_with(config: Config) -> World {
        let mut world = World::new(config);
        assert_eq!(world.codes(HELLO), [250]);
        world
    }

    /// A session with a mail that waits for its answer.
    fn waiting() -> (World, MailId) {
        let mut world = World::greeted();
        world.codes(BEGIN);
        assert_eq!(world.say("x\r\n.\r\n"), "");
        let id = world.server.awaits_answer().unwrap();
        (world, id)
    }

    fn collect(&mut self) -> String {
        let mut said = Vec::new();
        while let Some(octets) = self.server.poll_transmit() {
            said.extend_from_slice(&octets);
        }
        self.is_closing |= self.server.poll_close();
        self.events.extend(core::iter::from_fn(|| self.server.poll_event()));
        String::from_utf8(said).unwrap()
    }

    /// What the server says to these octets.
    fn say(&mut self, octets: &str) -> String {
        self.server.handle_bytes(self.now, octets.as_bytes());
        self.collect()
    }

    /// The codes of that, one for each reply.
    fn codes(&mut self, octets: &str) -> Vec<u16> {
        codes(&self.say(octets))
    }

    fn answer(&mut self, id: MailId, reply: Reply) -> String {
        self.server.answer(self.now, id, reply);
        self.collect()
    }

    fn pass(&mut self, time: Duration) -> String {
        self.now = self.now.after(time);
        self.server.handle_timeout(self.now);
        self.collect()
    }

    /// Data of the mails that were handed up.
    fn mails(&self) -> Vec<&[u8]> {
        fn data(event: &Event) -> Option<&[u8]> {
            match event {
                Event::Mail { data, .. } => Some(data),
                _ => None,
            }
        }
        self.events.iter().filter_map(data).collect()
    }

    fn closed(&self) -> Option<CloseReason> {
        let reason = |event: &Event| match event {
            Event::Closed { reason, .. } => Some(*reason),
            _ => None,
        };
        assert_eq!(self.is_closing, self.events.iter().any(|event| reason(event).is_some()));
        self.events.iter().find_map(reason)
    }
}

fn codes(said: &str) -> Vec<u16> {
    said.split_terminator("\r\n")
        .filter(|line| line.as_bytes()[3] == b' ')
        .map(|line| line[..3].parse().unwrap())
        .collect()
}

fn taken() -> Reply {
    Reply::new(250, EnhancedStatus(2, 0, 0), b"taken")
}

#[test]
fn ehlo_says_what_we_can_and_helo_does_not() {
    let mut world = World::new(config());
    let lines = "250-gw.mms.example\r\n250-PIPELINING\r\n250-SIZE 100\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n";
    assert_eq!(world.say("EHLO [192.0.2.9]\r\n"), lines);
    assert_eq!(world.say("helo mmsc\r\n"), "250 gw.mms.example\r\n");
}

#[test]
fn each_command_has_its_reply() {
    let table = [
        ("NOOP\r\n", "250 2.0.0"),
        ("NOOP x\r\n", "250 2.0.0"),
        ("RSET\r\n", "250 2.0.0"),
        ("HELP\r\n", "214 2.0.0"),
        ("VRFY a\r\n", "252 2.5.0"),
        ("EXPN a\r\n", "502 5.5.1"),
        ("QUIT\r\n", "221 2.0.0"),
        ("STARTTLS\r\n", "500 5.5.1"),
        ("BDAT 5 LAST\r\n", "500 5.5.1"),
        ("\r\n", "500 5.5.1"),
        ("EHLO\r\n", "501 5.5.4"),
        ("EHLO a_b..c\r\n", "501 5.5.4"),
        ("HELO [\r\n", "501 5.5.4"),
        ("MAIL FROM:<>\r\n", "250 2.1.0"),
        ("MAIL FROM:<@x:a@b> BODY=7bit SIZE=100\r\n", "250 2.1.0"),
        ("MAIL FROM:<a@b> SIZE=101\r\n", "552 5.3.4"),
        ("MAIL FROM:<a@b> SIZE=99999999999999999999\r\n", "552 5.3.4"),
        ("MAIL FROM:<a@b> SIZE=x\r\n", "501 5.5.4"),
        ("MAIL FROM:<a@b> SIZE\r\n", "501 5.5.4"),
        ("MAIL FROM:<a@b> BODY=BINARYMIME\r\n", "501 5.5.4"),
        ("MAIL FROM:<a@b> RET=HDRS\r\n", "555 5.5.4"),
        ("MAIL FROM:<a@b\r\n", "501 5.1.7"),
        ("MAIL TO:<a@b>\r\n", "501 5.1.7"),
        ("RCPT TO:<+44@mms.example>\r\n", "503 5.5.1"),
        ("RCPT TO:<a b>\r\n", "501 5.1.3"),
        ("DATA\r\n", "503 5.5.1"),
        ("DATA x\r\n", "501 5.5.4"),
        ("NOOP\n", "500 5.5.2"),
        ("NOOP\r", ""),
        ("NOOP \u{e4}\r\n", "500 5.5.2"),
    ];
    for (line, reply) in table {
        let said = World::greeted().say(line);
        assert!(said.starts_with(reply) && said.is_empty() == reply.is_empty(), "{line:?}: {said:?}");
    }
}

#[test]
fn no_mail_before_a_name() {
    let mut world = World::new(config());
    assert!(world.say("MAIL FROM:<a@b>\r\n").starts_with("503 5.5.1"));
    assert_eq!(world.codes("NOOP\r\nQUIT\r\n"), [250, 221]);
}

#[test]
fn recipients_are_numbers_of_ours_and_the_system_address() {
    let table = [
        ("+447700900123/TYPE=PLMN@mms.example", "250 2.1.5"),
        ("+447700900123/type=plmn@MMS.EXAMPLE", "250 2.1.5"),
        ("447700900123@mms.example", "250 2.1.5"),
        ("1@[192.0.2.1]", "250 2.1.5"),
        ("System-User@mms.example", "250 2.1.5"),
        ("@relay.example:+1@mms.example", "250 2.1.5"),
        ("+447700900123/TYPE=PLMN@other.example", "550 5.7.1"),
        ("+447700900123@x.mms.example", "550 5.7.1"),
        ("+447700900123@[192.0.2.2]", "550 5.7.1"),
        ("+447700900123", "550 5.7.1"),
        ("postmaster", "550 5.7.1"),
        ("alice@mms.example", "550 5.1.1"),
        ("+@mms.example", "550 5.1.1"),
        ("++44@mms.example", "550 5.1.1"),
        ("+44a@mms.example", "550 5.1.1"),
        ("+44/TYPE=IPv4@mms.example", "550 5.1.1"),
        ("+44/TYPE=PLMN/x@mms.example", "550 5.1.1"),
        ("+123456789012345678901@mms.example", "550 5.1.1"),
        ("\"+44\"@mms.example", "550 5.1.1"),
        ("+44%other.example@mms.example", "550 5.1.1"),
        ("", "501 5.1.3"),
    ];
    for (mailbox, reply) in table {
        let mut world = World::greeted();
        world.codes("MAIL FROM:<>\r\n");
        let said = world.say(&format!("RCPT TO:<{mailbox}>\r\n"));
        assert!(said.starts_with(reply), "{mailbox}: {said}");
    }
}

#[test]
fn a_mail_is_handed_up_with_its_envelope() {
    let mut world = World::greeted();
    let envelope = "MAIL FROM:<@r:A@b.example> SIZE=10\r\nRCPT TO:<+1@mms.example>\r\nRCPT TO:<x@y>\r\n\
                    RCPT TO:<+1@MMS.example>\r\nRCPT TO:<2@mms.example>\r\nDATA\r\n";
    assert_eq!(world.codes(envelope), [250, 250, 550, 250, 250, 354]);
    assert_eq!(world.say("Subject: x\r\n\r\n..\r\n.\r\n"), "");
    let [Event::Mail { id, mail_from, rcpt_to, data }] = &world.events[..] else { panic!("{:?}", world.events) };
    assert_eq!(mail_from, b"A@b.example");
    assert_eq!(rcpt_to, &[b"+1@mms.example".to_vec(), b"2@mms.example".to_vec()]);
    assert_eq!(&data[..], b"Subject: x\r\n\r\n.\r\n");
    let id = *id;
    assert_eq!(world.answer(id, taken()), "250 2.0.0 taken\r\n");
    assert_eq!(world.codes("DATA\r\n"), [503], "the mail is over");
}

#[test]
fn what_follows_a_mail_waits_for_its_answer() {
    let mut world = World::greeted();
    world.codes(BEGIN);
    assert_eq!(world.say("one\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<2@mms.example>\r\nDA"), "");
    assert_eq!(world.say("TA\r\n"), "");
    let id = world.server.awaits_answer().unwrap();
    let said = world.answer(id, Reply::plain(451, b"later"));
    assert_eq!(codes(&said), [451, 250, 250, 354]);
    world.say("two\r\n.\r\nQUIT\r\n");
    let id = world.server.awaits_answer().unwrap();
    assert_eq!(codes(&world.answer(id, taken())), [250, 221]);
    assert_eq!(world.mails(), [b"one\r\n", b"two\r\n"]);
    assert_eq!(world.closed(), Some(CloseReason::Quit));
}

#[test]
fn a_late_answer_is_none() {
    let (mut world, id) = World::waiting();
    world.answer(id, taken());
    assert_eq!(world.answer(id, taken()), "");
    world.codes(BEGIN);
    world.say("y\r\n.\r\n");
    assert_eq!(world.answer(id, taken()), "", "it is for the mail before");
    assert_eq!(world.server.counters().answers_late, 2);
}

#[test]
fn an_answer_with_421_closes() {
    let (mut world, id) = World::waiting();
    assert_eq!(codes(&world.answer(id, Reply::new(421, EnhancedStatus(4, 3, 2), b"closing"))), [421]);
    assert_eq!(world.closed(), Some(CloseReason::Answered));
}

#[test]
fn more_than_may_wait_closes() {
    let (mut world, id) = World::waiting();
    assert_eq!(world.say(&"NOOP\r\n".repeat(10_922)), "");
    assert_eq!(codes(&world.say("NOOP\r\n")), [421]);
    assert_eq!(world.closed(), Some(CloseReason::TooManyOctets));
    assert!(world.events.contains(&Event::Closed { reason: CloseReason::TooManyOctets, unanswered: Some(id) }));
    assert_eq!(world.answer(id, taken()), "");
}

#[test]
fn a_connection_lost_while_a_mail_waits_names_it() {
    let (mut world, id) = World::waiting();
    world.server.drain(world.now);
    world.server.handle_closed();
    world.server.handle_closed();
    assert_eq!(world.collect(), "");
    assert_eq!(world.events[1..], [Event::Closed { reason: CloseReason::PeerClosed, unanswered: Some(id) }]);
    assert!(!world.is_closing, "it is closed");
    assert_eq!(world.answer(id, taken()), "");
    assert_eq!(world.server.poll_timeout(), None);
}

#[test]
fn a_mail_larger_than_was_announced_is_refused_at_its_end() {
    let mut world = World::greeted();
    world.codes(BEGIN);
    assert_eq!(world.say(&"1234567890\r\n".repeat(1_000)), "");
    assert!(world.say(".\r\n").starts_with("552 5.3.4"));
    assert!(world.mails().is_empty());
    assert_eq!(world.codes(BEGIN), [250, 250, 354], "the session goes on");
    world.say(&format!("{}\r\n.\r\n", "x".repeat(98)));
    assert_eq!(world.mails().len(), 1);
}

#[test]
fn one_recipient_too_many_may_have_the_mail_later() {
    let mut world = World::greeted();
    world.codes("MAIL FROM:<>\r\n");
    let codes = world.codes(
        "RCPT TO:<1@mms.example>\r\nRCPT TO:<2@mms.example>\r\nRCPT TO:<3@mms.example>\r\nRCPT TO:<4@mms.example>\r\n",
    );
    assert_eq!(codes, [250, 250, 250, 452]);
    assert_eq!(world.codes("DATA\r\n"), [354]);
}

#[test]
fn data_without_recipients_are_not_wanted() {
    let mut world = World::greeted();
    assert_eq!(world.codes("MAIL FROM:<>\r\nRCPT TO:<x@y>\r\nDATA\r\n"), [250, 550, 554]);
    assert_eq!(world.codes("RCPT TO:<1@mms.example>\r\nDATA\r\n"), [250, 354]);
}

#[test]
fn a_mail_can_be_given_up_before_its_data() {
    for (command, code) in [("RSET\r\n", 250), (HELLO, 250), ("HELO a\r\n", 250)] {
        let mut world = World::greeted();
        world.codes("MAIL FROM:<>\r\nRCPT TO:<1@mms.example>\r\n");
        assert_eq!(world.codes("MAIL FROM:<>\r\n"), [503], "one at a time");
        assert_eq!(world.codes(command), [code]);
        assert_eq!(world.codes("DATA\r\n"), [503]);
        assert_eq!(world.codes("MAIL FROM:<>\r\n"), [250]);
    }
}

/// What gets a second mail past servers that end mail data at something else than CR LF, dot, CR LF.
#[test]
fn no_mail_is_smuggled_in_another() {
    let smuggled = "MAIL FROM:<admin@b.example>\r\nRCPT TO:<2@mms.example>\r\nDATA\r\nforged\r\n.\r\n";
    for end in
        ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r.\r", "\r\n.\r", "\r\n.\r\r\n", "\r\n\0.\r\n", "\n\n.\r\r\n"]
    {
        let mut world = World::greeted_with(Config { message_bytes_max: 1_000, ..config() });
        world.codes(BEGIN);
        let said = world.say(&format!("honest{end}{smuggled}"));
        assert!(
            world.mails().iter().all(|mail| mail.starts_with(b"honest") && mail.ends_with(b"forged\r\n")),
            "{end:?}"
        );
        let is_line_end = !end.contains('\0');
        assert_eq!(codes(&said), if is_line_end { vec![554] } else { vec![] }, "{end:?}");
        assert_eq!(world.mails().len(), usize::from(!is_line_end), "{end:?}");
    }
}

#[test]
fn a_bare_line_feed_does_no_command() {
    let mut world = World::greeted();
    assert_eq!(world.codes("MAIL FROM:<>\nRCPT TO:<1@mms.example>\r\n"), [500, 503]);
    assert_eq!(world.codes("MAIL FROM:<>\rNOOP\r\n"), [500]);
}

#[test]
fn other_protocols_are_shown_the_door() {
    for request in ["GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nHost: x\r\n", "Host: x\r\n", "connect a:25 HTTP/1.1\r\n"]
    {
        let mut world = World::new(config());
        assert_eq!(world.codes(&format!("{request}\r\nEHLO a\r\nMAIL FROM:<>\r\n")), [421]);
        assert_eq!(world.closed(), Some(CloseReason::NotSmtp));
    }
}

#[test]
fn too_many_errors_close() {
    let mut world = World::greeted();
    assert_eq!(world.codes(&"WHAT\r\n".repeat(4)), [500; 4]);
    assert_eq!(world.codes("WHAT\r\nNOOP\r\n"), [500, 421]);
    assert_eq!(world.closed(), Some(CloseReason::TooManyErrors));
    assert_eq!(world.say("NOOP\r\n"), "");
}

#[test]
fn a_mail_that_is_taken_forgives_errors() {
    let mut world = World::greeted();
    for _ in 0..3 {
        assert_eq!(world.codes(&"WHAT\r\n".repeat(3)), [500; 3]);
        world.codes(BEGIN);
        world.say("x\r\n.\r\n");
        let id = world.server.awaits_answer().unwrap();
        world.answer(id, taken());
    }
    assert_eq!(world.closed(), None);
}

#[test]
fn a_mail_that_is_refused_forgives_none() {
    let mut world = World::greeted();
    for _ in 0..2 {
        world.codes(&"WHAT\r\n".repeat(2));
        world.codes(BEGIN);
        world.say("x\r\n.\r\n");
        let id = world.server.awaits_answer().unwrap();
        world.answer(id, Reply::plain(550, b"no"));
    }
    assert_eq!(world.codes("WHAT\r\n"), [500, 421]);
}

#[test]
fn commands_between_mails_are_no_flood() {
    let mut world = World::greeted();
    for _ in 0..3 {
        assert_eq!(world.codes(&"NOOP\r\n".repeat(8)), [250; 8]);
        world.codes(BEGIN);
        world.say("x\r\n.\r\n");
        let id = world.server.awaits_answer().unwrap();
        world.answer(id, taken());
    }
    assert_eq!(world.closed(), None);
}

#[test]
fn mails_with_bad_line_ends_count_as_errors() {
    let mut world = World::greeted();
    for round in 0..5 {
        assert_eq!(world.codes(BEGIN), [250, 250, 354]);
        let said = world.codes("a\nb\r\n.\r\n");
        assert_eq!(said, if round < 4 { vec![554] } else { vec![554, 421] });
    }
    assert_eq!(world.closed(), Some(CloseReason::TooManyErrors));
    assert_eq!(world.server.counters().mails_refused, 5);
}

#[test]
fn a_flood_of_commands_closes_and_a_heartbeat_does_not() {
    for command in ["NOOP\r\n", "RSET\r\n", HELLO, "VRFY a\r\n", "HELP\r\n"] {
        let mut world = World::new(config());
        for _ in 0..30 {
            assert!(!world.say(command).starts_with("421"));
            world.pass(Duration::from_secs(1));
        }
        let said = world.say(&command.repeat(11));
        assert!(said.contains("421 4.7.0"), "{command}: {said}");
        assert_eq!(world.closed(), Some(CloseReason::TooManyCommands));
    }
}

#[test]
fn a_recipient_said_again_and_again_is_a_flood() {
    let mut world = World::greeted();
    let said = world.codes(&format!("MAIL FROM:<>\r\n{}", "RCPT TO:<1@mms.example>\r\n".repeat(30)));
    assert_eq!(said.last(), Some(&421));
    assert_eq!(world.closed(), Some(CloseReason::TooManyCommands));
}

#[test]
fn a_line_that_is_too_long_is_one_error() {
    let mut world = World::greeted();
    let fits = format!("NOOP {}\r\n", "x".repeat(2_048 - 7));
    assert_eq!(world.codes(&fits), [250]);
    let long = format!("NOOP {}\r\nNOOP\r\n", "x".repeat(2_048 - 6));
    assert_eq!(world.codes(&long), [500, 250]);
    for octet in long.chars() {
        world.server.handle_bytes(world.now, &[octet as u8]);
    }
    assert_eq!(codes(&world.collect()), [500, 250]);
}

#[test]
fn a_line_without_end_closes() {
    let mut world = World::greeted();
    assert_eq!(world.say(&"x".repeat(64 << 10)), "");
    assert_eq!(world.codes("x"), [421]);
    assert_eq!(world.closed(), Some(CloseReason::TooManyOctets));
}

#[test]
fn a_client_that_says_nothing_is_told_so() {
    let mut world = World::greeted();
    assert_eq!(world.server.poll_timeout().map(|(_, name)| name), Some(TimerName::Command));
    assert_eq!(world.pass(Duration::from_secs(299)), "");
    assert_eq!(world.codes("NOOP\r\n"), [250]);
    // Octets that are no command do not count.
    for _ in 0..299 {
        world.pass(Duration::from_secs(1));
        assert_eq!(world.say("x"), "");
    }
    assert_eq!(codes(&world.pass(Duration::from_secs(1))), [421]);
    assert_eq!(world.closed(), Some(CloseReason::Timeout));
}

#[test]
fn mail_data_have_a_time_for_each_piece_and_one_for_all() {
    let mut world = World::greeted();
    world.codes(BEGIN);
    assert_eq!(world.server.poll_timeout().map(|(_, name)| name), Some(TimerName::Data));
    world.pass(Duration::from_secs(179));
    world.say("x");
    assert_eq!(world.pass(Duration::from_secs(179)), "");
    assert_eq!(codes(&world.pass(Duration::from_secs(1))), [421]);
    assert_eq!(world.closed(), Some(CloseReason::Timeout));

    let mut world = World::greeted();
    world.codes(BEGIN);
    for _ in 0..17 {
        world.pass(Duration::from_secs(100));
        assert_eq!(world.say("x"), "");
    }
    world.pass(Duration::from_secs(99));
    world.say("x");
    assert_eq!(world.server.poll_timeout().map(|(_, name)| name), Some(TimerName::Mail));
    assert_eq!(codes(&world.pass(Duration::from_secs(1))), [421]);
    assert!(world.mails().is_empty());
}

#[test]
fn an_answer_has_its_time() {
    let (mut world, id) = World::waiting();
    assert_eq!(world.server.poll_timeout().map(|(_, name)| name), Some(TimerName::Answer));
    assert_eq!(world.pass(Duration::from_secs(569)), "");
    assert!(world.pass(Duration::from_secs(1)).starts_with("451 4.4.7"));
    assert_eq!(world.events.last(), Some(&Event::Expired { id }));
    assert_eq!(world.codes(BEGIN), [250, 250, 354], "the session goes on");
}

#[test]
fn a_drain_closes_at_once_or_after_the_mail() {
    let mut world = World::greeted();
    world.server.drain(world.now);
    assert!(world.collect().starts_with("421 4.3.2"));
    assert_eq!(world.closed(), Some(CloseReason::Drained));

    for end in ["RSET\r\n", "HELO a\r\n", "DATA\r\na\nb\r\n.\r\n"] {
        let mut world = World::greeted();
        world.codes("MAIL FROM:<>\r\nRCPT TO:<1@mms.example>\r\n");
        world.server.drain(world.now);
        assert_eq!(world.closed(), None);
        assert_eq!(world.codes("NOOP\r\n"), [250]);
        assert_eq!(world.codes(end).last(), Some(&421), "{end:?}");
        assert_eq!(world.closed(), Some(CloseReason::Drained));
    }

    let (mut world, id) = World::waiting();
    world.say("NOOP\r\n");
    world.server.drain(world.now);
    assert_eq!(codes(&world.answer(id, taken())), [250, 421]);
    assert_eq!(world.closed(), Some(CloseReason::Drained));
}

#[test]
fn every_way_to_close_is_told_in_words() {
    let reasons = [
        CloseReason::PeerClosed,
        CloseReason::Quit,
        CloseReason::Drained,
        CloseReason::Timeout,
        CloseReason::TooManyErrors,
        CloseReason::TooManyCommands,
        CloseReason::TooManyOctets,
        CloseReason::NotSmtp,
        CloseReason::Answered,
    ];
    let words: std::collections::BTreeSet<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(words.len(), reasons.len());
}

/// What clients say, and other things.
fn sayings() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => Just(BEGIN.as_bytes().to_vec()),
        2 => Just(HELLO.as_bytes().to_vec()),
        2 => Just(b"x\r\n.\r\n".to_vec()),
        1 => Just(b".\r\n".to_vec()),
        1 => Just(b"RSET\r\n".to_vec()),
        1 => Just(b"NOOP\r\n".to_vec()),
        1 => Just(b"QUIT\r\n".to_vec()),
        1 => Just(b"\n".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..10),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

/// Says everything in pieces, answering each mail at once.
fn conversation(sayings: &[u8], piece: usize) -> (String, Vec<Event>) {
    let mut world = World::new(Config { message_bytes_max: 40, ..config() });
    let mut said = String::new();
    for octets in sayings.chunks(piece) {
        world.server.handle_bytes(world.now, octets);
        said += &world.collect();
        while let Some(id) = world.server.awaits_answer() {
            said += &world.answer(id, taken());
        }
    }
    (said, world.events)
}

proptest! {
    #[test]
    fn where_reads_cut_changes_nothing(sayings in sayings(), piece in 1_usize..30) {
        prop_assert_eq!(conversation(&sayings, piece), conversation(&sayings, usize::MAX));
    }
}
