//! Non-INVITE transactions: a request in and its response out, and the other way; once more; and never answered.

use std::time::Duration;

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::{Arrived, ClientEvent, ClientNonInvite, SentBy, ServerNonInvite, Target};
use isthmus::engine::transport::{ListenerId, Road, Source, Transport};
use isthmus::engine::{Moment, Random};
use isthmus::wire::sip::{Index, Message, Name, Writer};

use super::Operation;
use crate::samples;
use crate::surroundings;
use crate::watch::Watch;

/// Between two messages: a server transaction lives 32 s, so that many are remembered and one ends for each that begins.
const PACE: Duration = Duration::from_millis(200);

pub(super) fn operations<W: Watch + 'static>() -> [Operation; 4] {
    [
        Operation { name: "engine, SIP server transaction", start: server::<W> },
        Operation { name: "engine, SIP request again", start: again::<W> },
        Operation { name: "engine, SIP client transaction", start: client::<W> },
        Operation { name: "engine, SIP request sent eleven times and given up", start: unanswered::<W> },
    ]
}

struct Server {
    server: ServerNonInvite,
    random: Random,
    source: Source,
    now: Moment,
    index: Index,
    request: Vec<u8>,
    /// Where its branch and its Call-ID are.
    places: [usize; 2],
}

const NUMBER_BYTES: usize = 10;

impl Server {
    fn new() -> Server {
        let at = |what: &str| samples::MESSAGE.find(what).unwrap() + what.len();
        Server {
            server: ServerNonInvite::new(KeyedHash::new([1, 2])),
            random: Random::from_seed([3; 32]),
            source: Source { peer: "192.0.2.17:5060".parse().unwrap(), road: Road::Datagram(ListenerId(0)) },
            now: Moment(1_000_000),
            index: Index::new(),
            request: samples::MESSAGE.into(),
            places: [at("branch=z9hG4bK"), at("Call-ID: ")],
        }
    }

    fn number(&mut self, number: u64) {
        let digits = format!("{number:010}");
        for at in self.places {
            self.request[at..at + NUMBER_BYTES].copy_from_slice(digits.as_bytes());
        }
    }

    fn arrives<W: Watch>(&mut self) -> Arrived {
        let message = Message::parse(&self.request, &mut self.index).unwrap();
        let (server, source, random, now) = (&mut self.server, &self.source, &mut self.random, self.now);
        W::inside(|| server.handle_request(now, &message, source, random))
    }

    fn answers<W: Watch>(&mut self, arrived: Arrived) {
        let Arrived::New(id) = arrived else { panic!("{arrived:?}") };
        let (server, now) = (&mut self.server, self.now);
        assert!(W::inside(|| server.respond(now, id, 202, "Accepted", |headers| headers.header(Name::Server, b"x"))));
    }

    fn leaves<W: Watch>(&mut self) {
        let server = &mut self.server;
        let left = W::inside(|| {
            let (_, bytes) = server.poll_transmit()?;
            server.recycle(bytes);
            server.poll_transmit()
        });
        assert!(left.is_none());
    }
}

fn server<W: Watch>() -> Box<dyn FnMut()> {
    let (mut bench, mut number) = (Server::new(), 0);
    Box::new(move || {
        bench.number(number);
        number += 1;
        let arrived = bench.arrives::<W>();
        bench.answers::<W>(arrived);
        bench.leaves::<W>();
        bench.now = bench.now + PACE;
        let (server, now) = (&mut bench.server, bench.now);
        W::inside(|| server.handle_timeout(now));
    })
}

fn again<W: Watch>() -> Box<dyn FnMut()> {
    let mut bench = Server::new();
    let arrived = bench.arrives::<W>();
    bench.answers::<W>(arrived);
    bench.leaves::<W>();
    Box::new(move || {
        assert_eq!(bench.arrives::<W>(), Arrived::Retransmission);
        bench.leaves::<W>();
    })
}

struct Client {
    client: ClientNonInvite,
    random: Random,
    now: Moment,
    index: Index,
    response: Vec<u8>,
}

impl Client {
    fn new() -> Client {
        let sent_by = SentBy::new(|_, _| b"gw.example.net:5060".to_vec());
        Client {
            client: ClientNonInvite::new(KeyedHash::new([1, 2]), sent_by, 1_300),
            random: Random::from_seed([3; 32]),
            now: Moment(1_000_000),
            index: Index::new(),
            response: Vec::new(),
        }
    }

    fn send<W: Watch>(&mut self) {
        let target = Target { transport: Transport::Udp, peer: "192.0.2.1:5070".parse().unwrap() };
        let (client, random, now) = (&mut self.client, &mut self.random, self.now);
        W::inside(|| client.send(now, 7, &[target], random, write));
    }

    fn answered<W: Watch>(&mut self) {
        let client = &mut self.client;
        let sent = W::inside(|| client.poll_transmit()).unwrap();
        surroundings::respond(&sent.bytes, &mut self.response);
        W::inside(|| client.recycle(sent.bytes));
        let response = Message::parse(&self.response, &mut self.index).unwrap();
        let (random, now) = (&mut self.random, self.now);
        assert!(W::inside(|| client.handle_response(now, &response, random)));
        let event = W::inside(|| client.poll_event());
        assert!(matches!(event, Some(ClientEvent::Answered { token: 7, code: 200, .. })));
    }

    /// What is due by now; how many requests left again.
    fn due<W: Watch>(&mut self) -> usize {
        let (client, random, now) = (&mut self.client, &mut self.random, self.now);
        W::inside(|| {
            client.handle_timeout(now, random);
            let sent = std::iter::from_fn(|| {
                let sent = client.poll_transmit()?;
                client.recycle(sent.bytes);
                Some(())
            });
            sent.count()
        })
    }
}

/// A request of ours; Via is written by who sends it.
fn write(out: &mut Vec<u8>) {
    let mut writer = Writer::request(out, b"MESSAGE", b"tel:+491700000002");
    writer.header(Name::From, b"<tel:+491710000001>;tag=a1b2c3d4e5f6");
    writer.header(Name::To, b"<tel:+491700000002>");
    writer.header(Name::CallId, b"a1b2c3d4e5f6a1b2c3d4e5f6@gw.example.net");
    writer.header(Name::CSeq, b"1 MESSAGE");
    writer.body(b"text/plain", |out| out.extend_from_slice(samples::TEXT.as_bytes()));
}

fn client<W: Watch>() -> Box<dyn FnMut()> {
    let mut bench = Client::new();
    Box::new(move || {
        bench.send::<W>();
        bench.answered::<W>();
        bench.now = bench.now + PACE;
        assert_eq!(bench.due::<W>(), 0);
    })
}

/// Timers E and F (RFC 3261 17.1.2.2).
fn unanswered<W: Watch>() -> Box<dyn FnMut()> {
    let mut bench = Client::new();
    Box::new(move || {
        bench.send::<W>();
        let mut sent = 0;
        while let Some(at) = bench.client.deadline() {
            bench.now = bench.now.max(at);
            sent += bench.due::<W>();
        }
        assert_eq!(sent, 11);
        assert!(matches!(bench.client.poll_event(), Some(ClientEvent::Failed { token: 7 })));
        while bench.client.poll_fault().is_some() {}
    })
}
