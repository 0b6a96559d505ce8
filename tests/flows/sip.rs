//! SIP as a peer reads it, by a reader of its own: what the gateway wrote must be plain enough for it.

use std::time::Duration;

use isthmus::wire::cpim::imdn::{self, Notification, Status};

use crate::cpm::Outgoing;
use crate::world::World;

/// A message, its header names and values as they stand.
#[derive(Clone, Debug)]
pub struct Sip {
    pub first_line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Sip {
    pub fn read(octets: &[u8]) -> Sip {
        let text = core::str::from_utf8(octets).expect("UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").expect("an empty line");
        let mut lines = head.split("\r\n");
        let first_line = lines.next().unwrap().to_owned();
        let headers = lines.map(|line| line.split_once(":").expect("name: value"));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
        let sip = Sip { first_line, headers, body: body.to_owned() };
        assert_eq!(sip.get("Content-Length").parse::<usize>().unwrap(), body.len(), "{text}");
        sip
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        let same = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers.iter().filter(same).map(|(_, value)| value.as_str()).collect()
    }

    /// The header's value, which must stand there once.
    pub fn get(&self, name: &str) -> &str {
        let all = self.all(name);
        assert_eq!(all.len(), 1, "{name} in {self:?}");
        all[0]
    }

    pub fn has(&self, name: &str) -> bool {
        !self.all(name).is_empty()
    }

    /// Code and reason phrase of a response.
    pub fn status(&self) -> (u16, &str) {
        let rest = self.first_line.strip_prefix("SIP/2.0 ").expect("a response");
        let (code, reason) = rest.split_once(' ').unwrap();
        (code.parse().unwrap(), reason)
    }

    /// Whether it is a request.
    pub fn is_request(&self) -> bool {
        self.first_line.ends_with(" SIP/2.0")
    }
}

/// A message to +491700000002 that asks for nothing.
pub fn message(call_id: &str, text: &str) -> Outgoing {
    Outgoing {
        call_id: call_id.into(),
        from: "+491700000001".into(),
        to: "+491700000002".into(),
        dispositions: None,
        imdn_message_id: format!("id-of-{call_id}"),
        text: text.into(),
        headers: String::new(),
    }
}

/// The same with a list of notifications it asks for.
pub fn asking(call_id: &str, dispositions: &'static str) -> Outgoing {
    Outgoing { dispositions: Some(dispositions), ..message(call_id, "Hello") }
}

/// Sends it over UDP, waits until it is answered, and returns the answer.
pub fn send(world: &mut World, message: &Outgoing) -> Sip {
    world.cpm.send(world.now.moment, message);
    answer_to(world, &message.call_id)
}

/// Waits for the final response to a request that was sent.
pub fn answer_to(world: &mut World, call_id: &str) -> Sip {
    let answered = world.run_until(Duration::from_secs(40), |world| world.cpm.answers.contains_key(call_id));
    assert!(answered, "no answer to {call_id}");
    let responses = world.cpm.responses.iter().map(|response| Sip::read(response));
    responses.into_iter().find(|response| response.get("Call-ID") == call_id).expect("a response")
}

/// Requests that reached the CPM side so far.
pub fn requests(world: &World) -> Vec<Sip> {
    world.cpm.received.iter().map(|received| Sip::read(&received.bytes)).collect()
}

/// A CPIM wrapper by a reader of its own: message headers, content headers, content.
#[derive(Clone, Debug)]
pub struct Cpim {
    pub headers: Vec<(String, String)>,
    pub content_headers: Vec<(String, String)>,
    pub content: String,
}

impl Cpim {
    pub fn read(body: &str) -> Cpim {
        let (headers, rest) = body.split_once("\r\n\r\n").expect("the end of the message headers");
        let (content_headers, content) = rest.split_once("\r\n\r\n").expect("the end of the content headers");
        let split = |section: &str| {
            let lines = section.split("\r\n").map(|line| line.split_once(':').expect("name: value"));
            lines.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
        };
        Cpim { headers: split(headers), content_headers: split(content_headers), content: content.to_owned() }
    }

    pub fn get(&self, name: &str) -> &str {
        let mut all = self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let value = all.next().unwrap_or_else(|| panic!("{name} in {self:?}"));
        assert!(all.next().is_none(), "{name} twice");
        value
    }

    pub fn content_header(&self, name: &str) -> &str {
        let known = self.content_headers.iter().find(|(known, _)| known == name);
        known.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("{name} in {self:?}"))
    }
}

/// One notification that reached the CPM side.
#[derive(Clone, Debug)]
pub struct Imdn {
    pub request: Sip,
    pub cpim: Cpim,
    pub message_id: String,
    pub outcome: (Notification, Status),
}

/// All notifications so far.
pub fn imdns(world: &World) -> Vec<Imdn> {
    let wrapped = requests(world).into_iter().filter(|request| request.get("Content-Type") == "message/cpim");
    let read = wrapped.map(|request| (Cpim::read(&request.body), request));
    let notifications = read.filter(|(cpim, _)| cpim.content_header("Content-Type").starts_with("message/imdn+xml"));
    let whole = notifications.map(|(cpim, request)| {
        let document = imdn::read(cpim.content.as_bytes()).expect("IMDN");
        let outcomes: Vec<_> = document.notifications.iter().collect();
        assert_eq!(outcomes.len(), 1, "one notification per document");
        let outcome = (outcomes[0].0, outcomes[0].1);
        Imdn { message_id: document.message_id.to_string(), outcome, request, cpim }
    });
    whole.collect()
}

/// What the notifications about one message say.
pub fn outcomes(world: &World, message_id: &str) -> Vec<(Notification, Status)> {
    imdns(world).iter().filter(|imdn| imdn.message_id == message_id).map(|imdn| imdn.outcome).collect()
}
