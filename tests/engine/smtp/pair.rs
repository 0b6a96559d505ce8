//! Our client against our server.

use core::time::Duration;
use std::sync::Arc;

use bytes::Bytes;
use isthmus::engine::smtp::client::{self, Doubt, Mail, Outcome, Stage, State};
use isthmus::engine::smtp::server::{self, CloseReason, MailId};
use isthmus::engine::smtp::{Client, Server};
use isthmus::engine::{Now, Random};
use isthmus::wire::smtp::{EnhancedStatus, Reply};
use proptest::prelude::*;

/// A mail that the server has handed up.
struct Arrived {
    id: MailId,
    mail_from: Vec<u8>,
    rcpt_to: Vec<Vec<u8>>,
    data: Bytes,
}

/// Both ends of one connection, which carries octets in pieces of a chosen length.
struct Pair {
    client: Client,
    server: Server,
    now: Now,
    piece_bytes: usize,
    mails: Vec<Arrived>,
    outcomes: Vec<(u64, Outcome)>,
    closed: Option<CloseReason>,
    is_open: bool,
}

fn server_config() -> server::Config {
    server::Config {
        hostname: b"mms.gw.example.net".to_vec(),
        domains: vec![b"mms.gw.example.net".to_vec()],
        ..server::Config::default()
    }
}

impl Pair {
    fn new(piece_bytes: usize) -> Pair {
        Pair::with(server_config(), piece_bytes)
    }

    fn with(config: server::Config, piece_bytes: usize) -> Pair {
        let now = Now::default();
        let client_config = client::Config { hostname: b"mmsc.example.org".to_vec(), ..client::Config::default() };
        let mut pair = Pair {
            client: Client::new(client_config, Random::from_seed([3; 32])),
            server: Server::new(Arc::new(config), now),
            now,
            piece_bytes,
            mails: Vec::new(),
            outcomes: Vec::new(),
            closed: None,
            is_open: true,
        };
        assert_eq!(pair.client.poll_order(), Some(client::Order::Connect));
        pair.client.handle_connected(now);
        pair.run();
        assert_eq!(pair.client.state(), State::Ready);
        pair
    }

    /// Carries octets to and fro until neither has more to say.
    fn run(&mut self) {
        loop {
            self.collect();
            let (to_server, to_client) = (self.client.poll_transmit(), self.server.poll_transmit());
            if to_server.is_none() && to_client.is_none() {
                break;
            }
            for piece in to_server.unwrap_or_default().chunks(self.piece_bytes) {
                self.server.handle_bytes(self.now, piece);
            }
            for piece in to_client.unwrap_or_default().chunks(self.piece_bytes) {
                self.client.handle_bytes(self.now, piece);
            }
        }
        if self.server.poll_close() || matches!(self.client.poll_order(), Some(client::Order::Close)) {
            self.break_connection();
        }
    }

    fn break_connection(&mut self) {
        self.is_open = false;
        self.client.handle_closed(self.now);
        self.server.handle_closed();
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(event) = self.server.poll_event() {
            match event {
                server::Event::Mail { id, mail_from, rcpt_to, data } => {
                    self.mails.push(Arrived { id, mail_from, rcpt_to, data })
                }
                server::Event::Closed { reason, .. } => self.closed = Some(reason),
                server::Event::Expired { .. } => {}
            }
        }
        while let Some(event) = self.client.poll_event() {
            if let client::Event::Done { token, outcome } = event {
                self.outcomes.push((token, outcome));
            }
        }
    }

    fn send(&mut self, token: u64, rcpt_to: &[&[u8]], content: &[u8]) {
        self.client.send(self.now, mail(token, rcpt_to, content)).unwrap();
        self.run();
    }

    fn answer(&mut self, reply: Reply) {
        let id = self.mails.last().unwrap().id;
        self.server.answer(self.now, id, reply);
        self.run();
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
        self.run();
    }
}

const BOB: &[u8] = b"+447700900123/TYPE=PLMN@mms.gw.example.net";
const EVE: &[u8] = b"+447700900999/TYPE=PLMN@elsewhere.example";

fn mail(token: u64, rcpt_to: &[&[u8]], content: &[u8]) -> Mail {
    Mail {
        token,
        mail_from: b"+491701234567/TYPE=PLMN@mmsc.example.org".to_vec(),
        rcpt_to: rcpt_to.iter().map(|mailbox| mailbox.to_vec()).collect(),
        content: vec![Bytes::copy_from_slice(content)],
        until: None,
    }
}

fn taken() -> Reply {
    Reply::new(250, EnhancedStatus(2, 0, 0), b"taken")
}

#[test]
fn a_mail_goes_over_as_it_is() {
    let content = b"Subject: dots\r\n\r\n.one\r\n..two\r\n.\r\nend\r\n";
    let mut pair = Pair::new(usize::MAX);
    pair.send(7, &[BOB], content);
    let Arrived { mail_from: from, rcpt_to: to, data, .. } = &pair.mails[0];
    assert_eq!(
        (from.as_slice(), to.as_slice()),
        (&b"+491701234567/TYPE=PLMN@mmsc.example.org"[..], &[BOB.to_vec()][..])
    );
    assert_eq!(&data[..], content);
    assert!(pair.outcomes.is_empty(), "it waits for the answer");
    pair.answer(taken());
    assert_eq!(pair.outcomes, [(7, Outcome::Accepted { reply: taken(), refused: vec![] })]);
    assert_eq!(pair.client.state(), State::Ready);
}

#[test]
fn an_empty_mail_and_one_without_a_last_line_end_go_over() {
    for (content, arrives) in
        [(&b""[..], &b""[..]), (b".", b".\r\n"), (b"a", b"a\r\n"), (b"a\r", b"a\r\n"), (b"\r\n.", b"\r\n.\r\n")]
    {
        let mut pair = Pair::new(1);
        pair.send(1, &[BOB], content);
        assert_eq!(&pair.mails[0].data[..], arrives, "{content:?}");
    }
}

#[test]
fn a_recipient_that_is_refused_is_named_by_its_place() {
    let mut pair = Pair::new(usize::MAX);
    let relaying = Reply::new(550, EnhancedStatus(5, 7, 1), b"relaying denied");
    pair.send(1, &[EVE, BOB, b"nobody@mms.gw.example.net"], b"x\r\n");
    assert_eq!(pair.mails[0].rcpt_to, [BOB.to_vec()]);
    pair.answer(taken());
    let unknown = Reply::new(550, EnhancedStatus(5, 1, 1), b"no such recipient");
    let refused = vec![(0, relaying), (2, unknown)];
    assert_eq!(pair.outcomes, [(1, Outcome::Accepted { reply: taken(), refused })]);
}

#[test]
fn mails_go_one_after_the_other_over_one_connection() {
    let mut pair = Pair::new(3);
    for token in 1..=5 {
        pair.client.send(pair.now, mail(token, &[BOB], b"x\r\n")).unwrap();
    }
    assert_eq!(pair.client.outstanding(), (1, 4));
    pair.run();
    for token in 1..=5 {
        assert_eq!(pair.mails.len(), token);
        pair.answer(taken());
    }
    assert_eq!(pair.outcomes.iter().map(|(token, _)| *token).collect::<Vec<u64>>(), [1, 2, 3, 4, 5]);
    assert!(pair.is_open);
}

#[test]
fn a_refusal_after_the_data_is_the_outcome() {
    let reply = Reply::new(451, EnhancedStatus(4, 4, 1), b"the user cannot be reached");
    let mut pair = Pair::new(usize::MAX);
    pair.send(1, &[BOB], b"x\r\n");
    pair.answer(reply);
    assert_eq!(pair.outcomes, [(1, Outcome::Refused { stage: Stage::Content, reply, refused: vec![] })]);
    pair.send(2, &[BOB], b"x\r\n");
    pair.answer(taken());
    assert_eq!(pair.outcomes.len(), 2, "the session goes on");
}

#[test]
fn a_mail_that_is_not_answered_in_time_is_refused_for_now() {
    let mut pair = Pair::new(usize::MAX);
    pair.send(1, &[BOB], b"x\r\n");
    pair.pass(Duration::from_secs(569));
    assert!(pair.outcomes.is_empty());
    pair.pass(Duration::from_secs(1));
    let (token, Outcome::Refused { stage: Stage::Content, reply, .. }) = &pair.outcomes[0] else { panic!() };
    assert_eq!((*token, reply.code), (1, 451));
    pair.answer(taken());
    assert_eq!(pair.server.counters().answers_late, 1);
    assert_eq!(pair.outcomes.len(), 1);
}

#[test]
fn a_client_that_drains_quits_after_the_last_answer() {
    let mut pair = Pair::new(usize::MAX);
    pair.send(1, &[BOB], b"x\r\n");
    pair.client.drain(pair.now);
    assert!(pair.client.send(pair.now, mail(2, &[BOB], b"x\r\n")).is_err());
    pair.answer(taken());
    assert_eq!(pair.closed, Some(CloseReason::Quit));
    assert_eq!(pair.outcomes.len(), 1);
    assert!(pair.client.is_drained() && pair.server.is_closed());
}

#[test]
fn a_server_that_drains_closes_after_its_answer() {
    let mut pair = Pair::new(usize::MAX);
    pair.send(1, &[BOB], b"x\r\n");
    pair.server.drain(pair.now);
    pair.run();
    assert!(pair.is_open);
    pair.answer(taken());
    assert_eq!(pair.closed, Some(CloseReason::Drained));
    assert!(matches!(pair.outcomes[..], [(1, Outcome::Accepted { .. })]));
    assert!(pair.client.can_send(), "it was well until then");
}

#[test]
fn a_connection_lost_before_the_answer_leaves_the_mail_in_doubt() {
    let mut pair = Pair::new(usize::MAX);
    pair.send(1, &[BOB], b"x\r\n");
    pair.break_connection();
    assert_eq!(pair.outcomes, [(1, Outcome::Unknown(Doubt::ConnectionLost))]);
    assert_eq!(pair.closed, Some(CloseReason::PeerClosed));
}

#[test]
fn a_mail_larger_than_the_server_takes_is_not_begun() {
    let config = server::Config { message_bytes_max: 10, ..server_config() };
    let mut pair = Pair::with(config, usize::MAX);
    pair.send(1, &[BOB], b"12345678\r\n");
    pair.answer(taken());
    pair.send(2, &[BOB], b"123456789\r\n");
    let (2, Outcome::Refused { stage: Stage::Sender, reply, .. }) = &pair.outcomes[1] else { panic!() };
    assert_eq!(reply.code, 552);
    assert_eq!(pair.server.counters().commands_refused, 0);
}

/// What a mail is after it went over: every line ends in CR LF.
fn normalised(content: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let end = rest.iter().position(|octet| matches!(octet, b'\r' | b'\n')).unwrap_or(rest.len());
        lines.extend_from_slice(&rest[..end]);
        lines.extend_from_slice(b"\r\n");
        rest = &rest[end..];
        rest = rest.strip_prefix(b"\r\n").or(rest.get(1..)).unwrap_or_default();
    }
    lines
}

proptest! {
    /// However a connection cuts what goes over it, and whatever the content is: one mail arrives, and it is that content.
    #[test]
    fn no_content_ends_early_or_begins_another_mail(content in "(\\.|\r|\n|\r\n|\r\n\\.|MAIL FROM:<a@b>|QUIT|x|ä){0,40}", piece in 1_usize..80) {
        let mut pair = Pair::new(piece);
        pair.send(1, &[BOB], content.as_bytes());
        prop_assert_eq!(pair.mails.len(), 1);
        prop_assert_eq!(&pair.mails[0].data[..], &normalised(content.as_bytes())[..]);
        prop_assert!(pair.server.awaits_answer().is_some());
        pair.answer(taken());
        let accepted = matches!(pair.outcomes[..], [(1, Outcome::Accepted { .. })]);
        prop_assert!(accepted);
    }
}
