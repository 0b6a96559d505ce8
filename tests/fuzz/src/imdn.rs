//! A disposition notification: read, and if it can be read, written and read again.

use isthmus::wire::cpim::imdn::{Document, InterworkingForm, Notification, Report, Status, read};

pub fn run(data: &[u8]) {
    let Ok(document) = read(data) else { return };
    assert!(!document.message_id.is_empty());
    let outcomes = document.notifications.iter().collect::<Vec<_>>();
    let said = outcomes.first().copied().unwrap_or((Notification::Delivery, Status::Delivered));
    for interworking_form in [InterworkingForm::OmaNamespace, InterworkingForm::ImdnNamespace] {
        written_again(&document, said, interworking_form);
    }
}

fn written_again(document: &Document<'_>, said: (Notification, Status), interworking_form: InterworkingForm) {
    let (notification, status) = said;
    let report = Report {
        message_id: &document.message_id,
        datetime: &document.datetime,
        recipient_uri: &document.recipient_uri,
        original_recipient_uri: &document.original_recipient_uri,
        subject: &document.subject,
        notification,
        status,
        interworking_form,
    };
    let mut out = Vec::new();
    report.write(&mut out);
    if writable(&document.message_id).is_empty() {
        return;
    }
    // Escapes make it longer, and then it may be too long.
    let Ok(again) = read(&out) else {
        assert!(out.len() > isthmus::limits::IMDN_OCTETS_MAX, "{}", String::from_utf8_lossy(&out));
        return;
    };
    assert_eq!(again.message_id, writable(&document.message_id));
    assert_eq!(again.datetime, writable(&document.datetime));
    assert_eq!(again.recipient_uri, writable(&document.recipient_uri));
    assert_eq!(again.notifications.iter().next(), Some(said));
}

/// Without the characters that no document may hold (XML 1.0 2.2), and without white space at the ends.
fn writable(value: &str) -> String {
    let allowed = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    value.chars().filter(allowed).collect::<String>().trim().to_owned()
}
