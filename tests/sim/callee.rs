//! A CPM client that the gateway invites: answers, connects or is connected to, and leaves. The world must let its SIP
//! pass it by (`World::sessions_apart`).

use crate::client::{Client, header, line};
use crate::world::{CPM, World};

const PATH: &str = "msrp://192.0.2.20:7394/callee;tcp";

/// One invitation.
#[derive(Debug)]
pub struct Callee {
    /// Its MSRP, and SIP within the dialog.
    pub client: Client,
    pub invite: String,
    tag: String,
}

impl Callee {
    /// The only invitation that the gateway has sent so far.
    pub fn called(world: &World) -> Callee {
        let mut callees = Callee::all(world);
        assert_eq!(callees.len(), 1, "one dialog");
        callees.remove(0)
    }

    /// All invitations that the gateway has sent so far.
    pub fn all(world: &World) -> Vec<Callee> {
        let address = CPM.parse().unwrap();
        let sent = world.strays.iter().filter(|(to, _)| *to == address).map(|(_, bytes)| bytes);
        let texts = sent.map(|bytes| String::from_utf8(bytes.clone()).expect("UTF-8"));
        let mut callees: Vec<Callee> = Vec::new();
        for invite in texts.filter(|text| text.starts_with("INVITE ")) {
            let call_id = header(&invite, "Call-ID").expect("Call-ID");
            if callees.iter().all(|callee| callee.client.call_id != call_id) {
                let path = PATH.replace("callee", &format!("callee{}", callees.len()));
                let mut client = Client { address: CPM, path, ..Client::new(&call_id, "") };
                client.peer_path = line(&invite, "a=path:").expect("a path");
                callees.push(Callee { client, invite, tag: "callee".into() });
            }
        }
        callees
    }

    /// The description with which it answers.
    pub fn description(&self, setup: &str) -> String {
        let path = &self.client.path;
        format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\nm=message 7394 TCP/MSRP *\r\n\
             a=accept-types:message/cpim\r\na=accept-wrapped-types:text/plain\r\na=setup:{setup}\r\na=path:{path}\r\n\
             a=recvonly\r\n"
        )
    }

    /// A response to the INVITE.
    pub fn respond(&self, world: &mut World, code: u16, tag: &str, body: &str) {
        let own = ["Via", "From", "Call-ID", "CSeq"];
        let same =
            self.invite.split("\r\n").filter(|line| own.iter().any(|name| line.starts_with(&format!("{name}: "))));
        let to = header(&self.invite, "To").expect("To");
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let response = format!(
            "SIP/2.0 {code} X\r\n{}\r\nTo: {to};tag={tag}\r\nContact: <sip:{CPM}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            same.collect::<Vec<_>>().join("\r\n"),
            body.len()
        );
        world.datagram_from(CPM, response.as_bytes());
    }

    /// Refuses.
    pub fn refuse(&self, world: &mut World, code: u16) {
        self.respond(world, code, &self.tag, "");
    }

    /// 200; what the gateway sent then.
    pub fn accept(&mut self, world: &mut World, setup: &str) -> Vec<String> {
        let description = self.description(setup);
        self.respond(world, 200, &self.tag, &description);
        self.client.asked(world)
    }

    /// The gateway has connected.
    pub fn connected(&mut self, world: &World) {
        assert_eq!(world.dials.last().map(ToString::to_string).as_deref(), Some("192.0.2.20:7394"));
        self.client.link = Some((world.tcp.len() - 1, 0));
    }

    /// Connects to one core, and says whose connection it is. What the gateway sends at once is still to be read.
    pub fn connect(&mut self, world: &mut World, shard: usize) {
        self.client.connect(world, shard);
        self.client.bind(world);
        self.client.link = self.client.link.map(|(place, _)| (place, 0));
    }

    /// Leaves; the gateway's SIP that came then.
    pub fn bye(&mut self, world: &mut World) -> Vec<String> {
        let contact = header(&self.invite, "Contact").expect("Contact");
        let uri = contact.split_once('<').and_then(|(_, rest)| rest.split_once('>')).expect("a URI").0;
        let (from, to) = (header(&self.invite, "To").expect("To"), header(&self.invite, "From").expect("From"));
        let (call_id, tag) = (&self.client.call_id, &self.tag);
        let bye = format!(
            "BYE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {CPM};branch=z9hG4bKcalleebye;rport\r\nMax-Forwards: 70\r\n\
             From: {from};tag={tag}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
        );
        self.client.send(world, &bye)
    }
}
