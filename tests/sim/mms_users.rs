//! What CPM users do about multimedia messages: they send some, and tell of those that they got.

use isthmus::wire::sip::{Name, Writer};

use crate::world::World;

/// A message in its CPIM wrapper.
#[derive(Clone, Debug, Default)]
pub struct Wrapped {
    pub id: String,
    pub from: String,
    pub to: String,
    /// imdn.Disposition-Notification, or nothing.
    pub wanted: &'static str,
    pub content_type: String,
    pub content: String,
}

impl Wrapped {
    pub fn text(&self) -> String {
        let Wrapped { id, from, to, wanted, content_type, content } = self;
        let wanted = match *wanted {
            "" => String::new(),
            wanted => format!("imdn.Disposition-Notification: {wanted}\r\n"),
        };
        format!(
            "From: <tel:{from}>\r\nTo: <tel:{to}>\r\nDateTime: 2026-11-21T10:15:30Z\r\nNS: imdn <urn:ietf:params:imdn>\r\n\
             imdn.Message-ID: {id}\r\n{wanted}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{content}",
            content.len()
        )
    }

    /// Sends it as a MESSAGE with this Call-ID.
    pub fn send(&self, world: &mut World, call_id: &str) {
        let Wrapped { from, to, .. } = self;
        let branch = format!("z9hG4bK{}", call_id.replace('@', "-"));
        let mut out = Vec::new();
        let mut writer = Writer::request(&mut out, b"MESSAGE", format!("tel:{to}").as_bytes());
        writer.header(Name::Via, format!("SIP/2.0/UDP 192.0.2.1:5070;branch={branch};rport").as_bytes());
        writer.header(Name::MaxForwards, b"70");
        writer.header(Name::From, format!("<tel:{from}>;tag=a1").as_bytes());
        writer.header(Name::To, format!("<tel:{to}>").as_bytes());
        writer.header(Name::CallId, call_id.as_bytes());
        writer.header(Name::CSeq, b"1 MESSAGE");
        writer.header(Name::PAssertedIdentity, format!("<tel:{from}>").as_bytes());
        writer.header(
            Name::AcceptContact,
            br#"*;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg";require;explicit"#,
        );
        writer.header(Name::ConversationId, format!("conv-{call_id}").as_bytes());
        writer.header(Name::ContributionId, format!("contrib-{call_id}").as_bytes());
        writer.body(b"message/cpim", |body| body.extend_from_slice(self.text().as_bytes()));
        let now = world.now.moment;
        world.cpm.send_bytes(now, call_id, out, false);
    }
}

/// A notification about the message `about`: `what` is `delivery` or `display`.
pub fn notification(id: String, about: &str, what: &str, (from, to): (&str, &str)) -> Wrapped {
    let status = if what == "display" { "displayed" } else { "delivered" };
    let content = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\">\
         <message-id>{about}</message-id><datetime>2026-11-21T10:16:30Z</datetime>\
         <{what}-notification><status><{status}/></status></{what}-notification></imdn>"
    );
    let content_type = "message/imdn+xml".to_owned();
    Wrapped { id, from: from.to_owned(), to: to.to_owned(), wanted: "", content_type, content }
}

/// The CPIM message in a body, which may be one part of several.
pub fn cpim_in(body: &[u8]) -> &[u8] {
    let find = |what: &[u8], from: usize| {
        body.get(from..)?.windows(what.len()).position(|window| window == what).map(|at| at + from)
    };
    if !body.starts_with(b"--") {
        return body;
    }
    let boundary = body.split(|octet| *octet == b'\r').next().unwrap_or_default();
    let start = find(b"\r\n\r\n", 0).expect("a head") + 4;
    let end = find(&[b"\r\n", boundary].concat(), start).expect("an end");
    &body[start..end]
}
