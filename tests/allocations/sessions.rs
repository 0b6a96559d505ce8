//! What a session costs while nothing happens in it, and that nothing stays of it when its peer is gone.

use std::net::IpAddr;

use isthmus::engine::keyed_hash::KeyedHash;
use isthmus::engine::sip::calls::{Calls, Config, Event, Heard, Turn};
use isthmus::engine::sip::{Body, NextHop, Reach, SentBy};
use isthmus::engine::transport::{LinkId, LinkRef, Road, ShardId, Source};
use isthmus::engine::{Moment, Random};
use isthmus::wire::sip::{Index, Message, Name};

const SESSIONS: u64 = 100_000;
/// What RCS clients and session border controllers write, more than less.
const INVITE: &str = "INVITE sip:interworking@sms.gw.example.net;user=phone SIP/2.0\r\n\
    Via: SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bKNUMBER;rport\r\n\
    Record-Route: <sip:scscf.ims.mnc001.mcc001.3gppnetwork.org:5060;transport=tcp;lr;orig>\r\n\
    Record-Route: <sip:192.0.2.2:5060;transport=tcp;lr>\r\n\
    Max-Forwards: 66\r\nFrom: \"Alice Example\" <sip:+12015550123@ims.mnc001.mcc001.3gppnetwork.org>;tag=k3h4g5jNUMBER\r\n\
    To: <sip:+12015550199@ims.mnc001.mcc001.3gppnetwork.org;user=phone>\r\n\
    Call-ID: 7d1c6a0e4b2f4c5e9d8a-NUMBER@192.0.2.77\r\nCSeq: 1 INVITE\r\n\
    Contact: <sip:+12015550123@192.0.2.77:5060;transport=tcp;ob>;+sip.instance=\"<urn:gsma:imei:90420156-025763-0>\"\r\n\
    Allow: INVITE, ACK, CANCEL, BYE, UPDATE, OPTIONS\r\nSupported: timer\r\nSession-Expires: 1800;refresher=uac\r\n";
const ACK: &str = "ACK sip:gw@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.2:5060;branch=z9hG4bKaNUMBER;rport\r\n\
    From: <sip:+12015550123@ims.mnc001.mcc001.3gppnetwork.org>;tag=k3h4g5jNUMBER\r\nTo: TO\r\n\
    Call-ID: 7d1c6a0e4b2f4c5e9d8a-NUMBER@192.0.2.77\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n";
const SDP: &str = "v=0\r\no=- 4873987239847 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
    m=message 2855 TCP/MSRP *\r\na=accept-types:message/cpim\r\na=accept-wrapped-types:text/plain message/imdn+xml\r\n\
    a=setup:passive\r\na=msrp-cema\r\na=path:msrp://192.0.2.1:2855/0123456789abcdefghij;tcp\r\na=sendrecv\r\n";
const CONTACT: &[u8] =
    b"<sip:gw@192.0.2.1:5060;transport=tcp>;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session\"";

struct Peer {
    calls: Calls,
    random: Random,
    hop: Option<NextHop>,
    index: Index,
    now: Moment,
}

fn trusts(_: IpAddr) -> bool {
    true
}

impl Peer {
    fn new() -> Peer {
        let sent_by = SentBy::new(|_, _| b"192.0.2.1:5060".to_vec());
        Peer {
            calls: Calls::new(KeyedHash::new([1, 2]), Config::new(sent_by, CONTACT)),
            random: Random::from_seed([1; 32]),
            hop: NextHop::new(b"sip:192.0.2.2;transport=tcp", Reach::ALL),
            index: Index::new(),
            now: Moment(0),
        }
    }

    fn act<T>(&mut self, act: impl FnOnce(&mut Calls, &mut Turn<'_>) -> T) -> T {
        let hop = self.hop.as_mut();
        act(&mut self.calls, &mut Turn { now: self.now, random: &mut self.random, hop, trusts: &trusts })
    }

    fn hear(&mut self, bytes: &[u8]) -> Heard {
        let link = LinkRef { shard: ShardId(0), link: LinkId { index: 0, generation: 0 } };
        let source = Source { peer: "192.0.2.2:5060".parse().unwrap(), road: Road::Stream(link) };
        let mut index = core::mem::take(&mut self.index);
        let message = Message::parse(bytes, &mut index).unwrap();
        let heard = self.act(|calls, turn| calls.handle_request(turn, &message, &source));
        self.index = index;
        heard
    }

    /// Sends nothing to anybody.
    fn drain(&mut self) -> [u64; 2] {
        let (mut expired, mut gone) = (0, 0);
        while let Some((_, bytes)) = self.calls.poll_response() {
            self.calls.recycle(bytes);
        }
        while let Some(out) = self.calls.poll_request() {
            self.calls.recycle(out.bytes);
        }
        while let Some(event) = self.calls.poll_event() {
            expired += u64::from(matches!(event, Event::Expired { .. }));
            gone += u64::from(matches!(event, Event::Gone { .. }));
        }
        [expired, gone]
    }

    fn open(&mut self, number: u64) {
        let numbered = |text: &str| text.replace("NUMBER", &number.to_string());
        let body = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{SDP}", SDP.len());
        let invite = numbered(INVITE) + &body;
        let Heard::Invited { dialog } = self.hear(invite.as_bytes()) else { panic!("not invited") };
        let sdp = Body { content_type: b"application/sdp", octets: SDP.as_bytes() };
        assert!(self.act(|calls, turn| calls.accept(turn, dialog, sdp, |_| {})));
        let (_, accepted) = self.calls.poll_response().unwrap();
        let to = Message::parse(&accepted, &mut self.index).unwrap().header(Name::To).unwrap();
        let ack = numbered(ACK).replace("TO", core::str::from_utf8(to).unwrap());
        assert_eq!(self.hear(ack.as_bytes()), Heard::Confirmed { dialog });
        self.drain();
    }

    fn run(&mut self, seconds: u64) -> [u64; 2] {
        let (until, mut told) = (Moment(self.now.0 + seconds * 1_000_000), [0, 0]);
        while let Some(at) = self.calls.deadline().filter(|&at| at <= until) {
            self.now = self.now.max(at);
            self.act(|calls, turn| calls.handle_timeout(turn));
            let [expired, gone] = self.drain();
            told = [told[0] + expired, told[1] + gone];
        }
        self.now = until;
        told
    }

    /// Sessions whose peers are never heard of again.
    fn open_all(&mut self) {
        for number in 0..SESSIONS {
            self.open(number);
            if number % 1_000 == 0 {
                self.run(4);
            }
        }
        // Until the transactions that began them are over.
        self.run(60);
        assert_eq!((self.calls.len() as u64, self.calls.transactions()), (SESSIONS, [0, 0]));
    }
}

#[test]
fn a_hundred_thousand_idle_dialogs_are_small_and_leave_nothing() {
    let mut peer = Peer::new();
    let before = super::live();
    peer.open_all();
    let idle = super::live() - before;
    let each = idle / i64::try_from(SESSIONS).unwrap();
    assert!(each < 1_300, "{each} octets");
    assert_eq!(peer.run(7_200), [SESSIONS, SESSIONS], "given up, and gone");
    assert!(peer.calls.is_empty() && peer.calls.transactions() == [0, 0] && peer.calls.deadline().is_none());
    let left = super::live() - before;
    assert!(left < idle / 4, "tables and pools keep their size: {left} of {idle}");
}
