//! A SIP MESSAGE of the gateway as its receiver reads it, by the names of Tables 3 and 9.

use isthmus::wire::cpim::{self, Dispositions, imdn};
use isthmus::wire::sip::uri::Uri;
use isthmus::wire::sip::{Message, Name};

const HEADERS: &[(&str, Name)] = &[
    ("Accept-Contact", Name::AcceptContact),
    ("Call-ID", Name::CallId),
    ("CSeq", Name::CSeq),
    ("Content-Language", Name::ContentLanguage),
    ("Content-Type", Name::ContentType),
    ("Contribution-ID", Name::ContributionId),
    ("Conversation-ID", Name::ConversationId),
    ("P-Asserted-Identity", Name::PAssertedIdentity),
    ("P-Asserted-Service", Name::PAssertedService),
    ("Priority", Name::Priority),
    ("User-Agent", Name::UserAgent),
];

/// What a message says; an absent header is empty.
pub(crate) fn parameter(message: &Message<'_>, name: &str) -> String {
    if let Some((_, header)) = HEADERS.iter().find(|(known, _)| *known == name) {
        return text(message.header(*header).unwrap_or_default());
    }
    match name {
        "Request-URI" => text(message.request_uri()),
        "From" => text(message.from().unwrap().uri),
        "To" => text(message.to().unwrap().uri),
        "Content-Length" => (message.content_length() == Ok(Some(message.body().len()))).to_string(),
        _ => of_cpim(&cpim::Message::parse(message.body()).unwrap(), name),
    }
}

pub(crate) fn of_cpim(cpim: &cpim::Message<'_>, name: &str) -> String {
    let content_header = |name: &[u8]| text(cpim.content_header(name).unwrap_or_default());
    match name {
        "CPIM From" => text(cpim.from().unwrap().uri),
        "CPIM To" => text(cpim.to().unwrap().uri),
        "CPIM DateTime" => text(cpim.date_time().unwrap()),
        "imdn.Message-ID" => text(cpim.message_id().unwrap()),
        "imdn.Disposition-Notification" => match cpim.dispositions() {
            Dispositions::NONE => String::new(),
            some => format!("{some:?}"),
        },
        "IMDN-Route" => cpim.routes().map(text).collect::<Vec<_>>().join(" "),
        "CPIM Content-Type" => content_header(b"Content-Type"),
        "CPIM Content-Length" => content_header(b"Content-Length"),
        "Content-Disposition" => content_header(b"Content-Disposition"),
        "body" => text(cpim.content()),
        _ => of_imdn(&imdn::read(cpim.content()).unwrap(), name),
    }
}

fn of_imdn(document: &imdn::Document<'_>, name: &str) -> String {
    match name {
        "datetime" => document.datetime.to_string(),
        "message-id" => document.message_id.to_string(),
        "recipient-uri" => document.recipient_uri.to_string(),
        "original-recipient-uri" => document.original_recipient_uri.to_string(),
        "status" => {
            let said = document.notifications.iter().map(|(what, status)| [what.element(), status.element()].join(" "));
            said.collect::<Vec<_>>().join(" ")
        }
        other => panic!("no parameter {other}"),
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

/// It is a request as RFC 3261 8.1.1 wants it (its Via comes with the transaction), and its addresses are absolute URIs.
pub(crate) fn check_request(message: &Message<'_>) {
    assert_eq!(message.method(), b"MESSAGE");
    assert!(message.cseq().is_ok() && message.max_forwards() == Ok(Some(70)));
    assert!(message.from().unwrap().tag().is_some() && message.to().unwrap().tag().is_none());
    assert_eq!(message.content_length(), Ok(Some(message.body().len())));
    let uris = [message.request_uri(), message.from().unwrap().uri, message.to().unwrap().uri];
    assert!(uris.iter().all(|uri| Uri::parse(uri).is_some()));
}
