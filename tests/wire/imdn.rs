//! Disposition notifications, event reports and the fingerprint.

use isthmus::wire::cpim::event::InterworkingEvent;
use isthmus::wire::cpim::imdn::{InterworkingForm, Notification, Report, Status, read};
use isthmus::wire::short_message::fingerprint;
use proptest::prelude::*;

const REPORT: Report<'_> = Report {
    message_id: "Msg+_34",
    datetime: "2026-11-21T02:10:49Z",
    recipient_uri: "tel:+491710000000",
    original_recipient_uri: "sip:list@example.com",
    subject: "",
    notification: Notification::Delivery,
    status: Status::Delivered,
    interworking_form: InterworkingForm::OmaNamespace,
};

fn written(report: &Report<'_>) -> String {
    let mut out = Vec::new();
    report.write(&mut out);
    String::from_utf8(out).unwrap()
}

fn outcomes(document: &str) -> Vec<(Notification, Status)> {
    read(document.as_bytes()).unwrap().notifications.iter().collect()
}

#[test]
fn a_delivery_notification_as_the_rfc_shows_it() {
    assert_eq!(
        written(&REPORT),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\">\
         <message-id>Msg+_34</message-id><datetime>2026-11-21T02:10:49Z</datetime>\
         <recipient-uri>tel:+491710000000</recipient-uri>\
         <original-recipient-uri>sip:list@example.com</original-recipient-uri>\
         <delivery-notification><status><delivered/></status></delivery-notification></imdn>"
    );
}

#[test]
fn the_two_forms_of_an_interworking_notification() {
    let report = Report { notification: Notification::Interworking, status: Status::LegacySms, ..REPORT };
    let oma = written(&report);
    assert!(oma.contains(" xmlns:cpmimdn=\"urn:oma:xml:cpm:imdn-extensions:1.0\">"), "{oma}");
    assert!(oma.contains(
        "<cpmimdn:interworking-notification><cpmimdn:status><cpmimdn:legacy-sms/></cpmimdn:status>\
         </cpmimdn:interworking-notification></imdn>"
    ));
    let imdn = written(&Report { interworking_form: InterworkingForm::ImdnNamespace, ..report });
    assert!(
        imdn.contains(
            "<interworking-notification><status><cpm:legacy-sms/></status></interworking-notification></imdn>"
        )
    );
    for document in [oma, imdn] {
        assert_eq!(outcomes(&document), [(Notification::Interworking, Status::LegacySms)]);
    }
}

#[test]
fn every_status_of_every_notification_is_read_as_written() {
    use Notification::{Delivery, Display, Interworking, Processing};
    for notification in [Delivery, Display, Processing, Interworking] {
        for status in Status::ALL {
            for interworking_form in [InterworkingForm::OmaNamespace, InterworkingForm::ImdnNamespace] {
                let document = written(&Report { notification, status, interworking_form, ..REPORT });
                assert_eq!(outcomes(&document), [(notification, status)], "{document}");
            }
        }
    }
}

#[test]
fn values_are_read_without_their_markup() {
    let document = read(
        b"<?xml version='1.0'?><!-- c --><i:imdn xmlns:i='urn:ietf:params:xml:ns:imdn'>\n <i:message-id> a&amp;&#x62;<![CDATA[<c]]> \
          </i:message-id>\n<i:datetime>2026</i:datetime><i:recipient-uri>sip:x?a&amp;b</i:recipient-uri>\
          <i:display-notification><i:status><i:displayed></i:displayed></i:status></i:display-notification>\
          <other><status><failed/></status></other></i:imdn>",
    )
    .unwrap();
    assert_eq!(document.message_id, "a&b<c");
    assert_eq!(document.datetime, "2026");
    assert_eq!(document.recipient_uri, "sip:x?a&b");
    assert_eq!(document.original_recipient_uri, "");
    assert_eq!(document.notifications.iter().collect::<Vec<_>>(), [(Notification::Display, Status::Displayed)]);
}

#[test]
fn a_notification_and_an_extension_in_one_document() {
    let document = "<imdn><message-id>x</message-id><delivery-notification><status><delivered/></status>\
        </delivery-notification><o:interworking-notification xmlns:o='u'><o:status><o:legacy-mms/></o:status>\
        </o:interworking-notification></imdn>";
    assert_eq!(
        outcomes(document),
        [(Notification::Delivery, Status::Delivered), (Notification::Interworking, Status::LegacyMms)]
    );
}

#[test]
fn what_is_refused() {
    let deep = format!("<imdn><message-id>x</message-id>{}{}</imdn>", "<a>".repeat(20), "</a>".repeat(20));
    let large = format!("<imdn><message-id>{}</message-id></imdn>", "x".repeat(20_000));
    for wrong in [
        "",
        "text",
        "<imdn/>",
        "<imdn><message-id>x</message-id>",
        "<imdn><message-id>x</imdn>",
        "<imdn><message-id>&bomb;</message-id></imdn>",
        "<!DOCTYPE imdn [<!ENTITY x 'y'>]><imdn><message-id>x</message-id></imdn>",
        "<other><message-id>x</message-id></other>",
        "<imdn><message-id>x</message-id></imdn><imdn/>",
        &deep,
        &large,
    ] {
        assert!(read(wrong.as_bytes()).is_err(), "{wrong:.80}");
    }
    assert!(read(b"<imdn><message-id>\xFF</message-id></imdn>").is_err());
}

/// [SMS-FAIL-2-i] [SMS-FAIL-2-i1] [SMS-FAIL-2-i2]
#[test]
fn a_failure_is_reported_as_an_event() {
    let mut out = Vec::new();
    InterworkingEvent::FailedIw { cpm_user_address: "tel:+49171", message_id: "a<b" }.write(&mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<cpm-evfw xmlns=\"urn:oma:xml:cpm:evfw\"><cpm-event-iw><failed-iw>\
         <cpm-user-address>tel:+49171</cpm-user-address><message-id>a&lt;b</message-id></failed-iw></cpm-event-iw>\
         </cpm-evfw>"
    );
}

/// [SMS-ALERT-02] [SMS-ALERT-03]
#[test]
fn a_recipient_who_is_back_is_reported_as_an_event() {
    let mut out = Vec::new();
    InterworkingEvent::ReadyForSms { cpm_user_address: "tel:+49171" }.write(&mut out);
    assert!(String::from_utf8(out).unwrap().ends_with(
        "<cpm-event-iw><ready-for-sms><cpm-user-address>tel:+49171</cpm-user-address></ready-for-sms></cpm-event-iw>\
         </cpm-evfw>"
    ));
}

#[test]
fn fingerprints() {
    let of = |text: &str| {
        let mut out = Vec::new();
        fingerprint::write(text, &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(of("Hello,\r\nworld"), "Hello,  world");
    assert_eq!(of(&"a".repeat(200)), "a".repeat(160));
    assert_eq!(of("Hallö"), "=?utf-8?b?SGFsbMO2?=");
    assert_eq!(of("ö\ny"), "=?utf-8?b?w7YgeQ==?=");
    assert_eq!(of(" x"), "=?utf-8?b?IHg=?=");
    assert_eq!(of("=?x"), "=?utf-8?b?PT94?=");
    assert_eq!(of(&format!("{}ö", "a".repeat(160))), "a".repeat(160));
    assert_eq!(of(""), "");
}

proptest! {
    #[test]
    fn texts_survive(id in "[ -~\u{a0}-\u{2fff}]{1,40}", uri in "[!-~]{1,40}") {
        let report = Report { message_id: &id, recipient_uri: &uri, ..REPORT };
        let document = written(&report);
        let document = read(document.as_bytes());
        if id.trim().is_empty() {
            prop_assert!(document.is_err());
        } else {
            let document = document.unwrap();
            prop_assert_eq!(&*document.message_id, id.trim());
            prop_assert_eq!(&*document.recipient_uri, &*uri);
        }
    }

    #[test]
    fn never_panics(text in "[<>/a-z&;!\\[\\]'\" =?-]{0,120}") {
        let _ = read(text.as_bytes());
    }
}
