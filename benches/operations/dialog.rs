//! A whole dialog, both of its ends.

use std::net::SocketAddr;
use std::time::Duration;

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::DialogKey;
use isthmus::engine::sip::calls::{Calls, Config, Heard, Invite, Turn};
use isthmus::engine::sip::{Body, FirstRequest, NextHop, Reach, SentBy};
use isthmus::engine::transport::{ListenerId, Road, Source};
use isthmus::engine::{Moment, Random};
use isthmus::wire::sip::{Index, Message};

use super::Operation;
use crate::watch::Watch;

/// Longer than any transaction lives: each dialog is over before the next.
const PACE: Duration = Duration::from_secs(70);
const SDP: Body<'static> = Body {
    content_type: b"application/sdp",
    octets: b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=message 2855 TCP/MSRP *\r\n\
              a=accept-types:message/cpim\r\na=path:msrp://192.0.2.1:2855/s111271;tcp\r\na=setup:active\r\n",
};

pub(super) fn operations<W: Watch + 'static>() -> [Operation; 1] {
    [Operation { name: "engine, SIP dialog from INVITE to BYE, both ends", start: dialog::<W> }]
}

struct End {
    calls: Calls,
    random: Random,
    hop: Option<NextHop>,
    index: Index,
    /// What the other end's messages came from.
    other: Source,
}

impl End {
    fn new(own: &str, other: &str) -> End {
        let sent_by = SentBy::new(|_, _| own.as_bytes().to_vec());
        let peer: SocketAddr = other.parse().unwrap();
        End {
            calls: Calls::new(KeyedHash::new([7, 8]), Config::new(sent_by, format!("<sip:{own}>").as_bytes())),
            random: Random::from_seed([7; 32]),
            hop: NextHop::new(format!("sip:{other}").as_bytes(), Reach::ALL),
            index: Index::new(),
            other: Source { peer, road: Road::Datagram(ListenerId(0)) },
        }
    }

    fn act<W: Watch, T>(&mut self, now: Moment, act: impl FnOnce(&mut Calls, &mut Turn<'_>) -> T) -> T {
        let End { calls, random, hop, .. } = self;
        let mut turn = Turn { now, random, hop: hop.as_mut(), trusts: &|_| true };
        W::inside(|| act(calls, &mut turn))
    }

    /// The next message to the other end.
    fn sent<W: Watch>(&mut self) -> Option<Vec<u8>> {
        let calls = &mut self.calls;
        W::inside(|| {
            let response = calls.poll_response().map(|(_, bytes)| bytes);
            response.or_else(|| calls.poll_request().map(|sent| sent.bytes))
        })
    }

    fn hears<W: Watch>(&mut self, now: Moment, bytes: &[u8]) -> Heard {
        let End { calls, random, hop, index, other } = self;
        let message = Message::parse(bytes, index).unwrap();
        let mut turn = Turn { now, random, hop: hop.as_mut(), trusts: &|_| true };
        W::inside(|| match message.is_request() {
            true => calls.handle_request(&mut turn, &message, other),
            false => calls.handle_response(&mut turn, &message).unwrap_or(Heard::Absorbed),
        })
    }

    fn rests<W: Watch>(&mut self, now: Moment) {
        self.act::<W, _>(now, |calls, turn| {
            calls.handle_timeout(turn);
            while calls.poll_event().is_some() {}
        });
        assert!(self.calls.is_empty());
    }
}

/// What passes from one end to the other until neither says anything; what either heard last.
fn converse<W: Watch>(ends: &mut [End; 2], now: Moment) -> [Heard; 2] {
    let mut heard = [Heard::Absorbed; 2];
    let mut silent = 0;
    for from in [0, 1].into_iter().cycle() {
        silent += 1;
        while let Some(bytes) = ends[from].sent::<W>() {
            heard[1 - from] = ends[1 - from].hears::<W>(now, &bytes);
            let calls = &mut ends[from].calls;
            W::inside(|| calls.recycle(bytes));
            silent = 0;
        }
        if silent == 2 {
            break;
        }
    }
    heard
}

fn invite(calls: &mut Calls, turn: &mut Turn<'_>, call_id: &str) -> DialogKey {
    let first = FirstRequest {
        request_uri: b"sip:b@gw.example.net",
        from: b"<sip:a@gw.example.net>",
        to: b"<sip:b@gw.example.net>",
        call_id: call_id.as_bytes(),
        contact: b"",
    };
    calls.invite(turn, &Invite { first, offer: SDP, user: 42 }, |_| {}).unwrap()
}

fn dialog<W: Watch>() -> Box<dyn FnMut()> {
    let mut ends = [End::new("192.0.2.1:5060", "192.0.2.2:5060"), End::new("192.0.2.2:5060", "192.0.2.1:5060")];
    let (mut now, mut number) = (Moment(1_000_000), 0);
    Box::new(move || {
        let call_id = format!("{number:010}@192.0.2.1");
        number += 1;
        let caller = ends[0].act::<W, _>(now, |calls, turn| invite(calls, turn, &call_id));
        let [_, Heard::Invited { dialog }] = converse::<W>(&mut ends, now) else { panic!("not invited") };
        assert!(ends[1].act::<W, _>(now, |calls, turn| calls.accept(turn, dialog, SDP, |_| {})));
        let [_, Heard::Confirmed { .. }] = converse::<W>(&mut ends, now) else { panic!("no session") };
        assert!(ends[0].act::<W, _>(now, |calls, turn| calls.bye(turn, caller, b"")));
        let [_, Heard::Ended { .. }] = converse::<W>(&mut ends, now) else { panic!("not ended") };
        now = now + PACE;
        ends.iter_mut().for_each(|end| end.rests::<W>(now));
    })
}
