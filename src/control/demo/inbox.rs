//! What reaches the CPM client, by whichever way: a text or a disposition notification, printed and passed on.

use std::sync::mpsc::Sender;

use super::Happened;
use super::mmsc::parts;
use super::trace::{Party, Trace, shown};
use crate::wire::cpim::{self, imdn};

/// Where it goes.
#[derive(Clone, Debug)]
pub(super) struct Inbox {
    pub(super) trace: Trace,
    happened: Sender<Happened>,
}

impl Inbox {
    pub(super) fn new(trace: Trace, happened: Sender<Happened>) -> Inbox {
        Inbox { trace, happened }
    }

    /// Reads a message that came by `way`, "SIP MESSAGE" or "MSRP SEND".
    pub(super) fn read(&self, way: &str, content_type: &[u8], body: &[u8]) {
        let wrapped = cpim::Message::parse(body);
        if let Some(wrapped) = wrapped.ok().filter(cpim::Message::is_imdn) {
            return self.notified(way, wrapped.content());
        }
        if let Some(wrapped) = cpim::Message::parse(body).ok().filter(|wrapped| is_multipart(wrapped)) {
            self.crossed(&format!("{way}: {} octets in several parts", wrapped.content().len()));
            let content_type = wrapped.content_type().unwrap_or_default();
            return self.tell(Happened::MmAtCpm(parts(content_type, wrapped.content())));
        }
        let mut text = String::new();
        match cpim::text_of(content_type, body, &mut text) {
            Ok(_) => {
                self.crossed(&format!("{way}: {}", shown(&text)));
                self.tell(Happened::TextAtCpm(text));
            }
            Err(why) => self.tell(Happened::Wrong(format!("a message without text: {why:?}"))),
        }
    }

    /// A step from the gateway to the client.
    pub(super) fn crossed(&self, what: &str) {
        self.trace.crossed(Party::Gateway, Party::Cpm, what);
    }

    pub(super) fn tell(&self, happened: Happened) {
        // Nobody listens any more once the demonstration is over.
        let _ = self.happened.send(happened);
    }

    fn notified(&self, way: &str, content: &[u8]) {
        let Ok(document) = imdn::read(content) else {
            return self.tell(Happened::Wrong("an IMDN that cannot be read".into()));
        };
        for (notification, status) in document.notifications.iter() {
            self.crossed(&format!("{way}: IMDN {notification:?} {status:?} of {}", document.message_id));
            self.tell(Happened::Notified { message_id: document.message_id.to_string(), notification, status });
        }
    }
}

fn is_multipart(message: &cpim::Message<'_>) -> bool {
    let content_type = message.content_type().unwrap_or_default();
    content_type.get(..10).is_some_and(|top| top.eq_ignore_ascii_case(b"multipart/"))
}
