//! CPM Interworking Events (6.2.3 2), 6.2.3.2): a delivery that failed and nobody asked to hear of.

use isthmus::iwf::{Iwf, event_report};
use isthmus::policy::{Events, Policy};
use isthmus::wire::cpim::event::InterworkingEvent;
use isthmus::wire::sip::{Index, Message};

use crate::cases::Case;
use crate::read_back::{check_request, parameter};
use crate::status_report_to_imdn::{MINTED, retained};

/// One case with the cells that [`retained`] reads.
const ORIGINAL: &str = "req\tcase\theaders\tcpim\tpolicy\n\
     -\tan original\tP-Asserted-Identity: <tel:+491700000003>\timdn.Message-ID: a<b&c\t";

fn events() -> Events {
    Events { mcc: "262".into(), mnc: "01".into(), ..Events::default() }
}

fn written(events: &Events) -> Vec<u8> {
    let policy = Policy { events: events.clone(), ..Policy::default() };
    let iwf = Iwf::new(policy);
    let original = retained(&Case::all(ORIGINAL)[0], &iwf.policy);
    let mut out = Vec::new();
    event_report::write_failed_iw(&original, iwf.events.as_ref().unwrap(), &iwf.user_agent, &MINTED, &mut out);
    out
}

fn expect(bytes: &[u8], parameters: &[(&str, &str)]) {
    let mut index = Index::new();
    let message = Message::parse(bytes, &mut index).unwrap();
    check_request(&message);
    for (name, expected) in parameters {
        assert_eq!(parameter(&message, name), *expected, "{name}");
    }
}

/// [SMS-EVT-00] [SMS-EVT-01] [SMS-EVT-02] [SMS-EVT-03] [SMS-EVT-04] [SMS-EVT-05] [SMS-FAIL-2b]
#[test]
fn a_message_from_the_iwf_to_the_participating_function() {
    let user_agent = Iwf::new(Policy::default()).user_agent;
    expect(
        &written(&events()),
        &[
            ("Request-URI", "sip:CPM-PF@ims.mnc001.mcc262.3gppnetwork.org"),
            ("To", "sip:CPM-PF@ims.mnc001.mcc262.3gppnetwork.org"),
            ("From", "sip:CPM-IWF@ims.mnc001.mcc262.3gppnetwork.org"),
            ("P-Asserted-Identity", "<sip:CPM-IWF@ims.mnc001.mcc262.3gppnetwork.org>"),
            ("P-Asserted-Service", "urn:urn-7:3gpp-service.ims.icsi.oma.cpm.systemmsg"),
            (
                "Accept-Contact",
                "*;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.systemmsg\";require;explicit",
            ),
            ("User-Agent", &user_agent),
            ("Content-Type", "application/vnd.oma.cpm-eventfw+xml"),
            ("CSeq", "1 MESSAGE"),
        ],
    );
}

/// [SMS-EVT-02] [SMS-EVT-03]
#[test]
fn addresses_that_the_service_provider_gives() {
    let own = Events {
        iwf_address: "sip:iwf@ims.example".into(),
        pf_address: "sip:pf@ims.example".into(),
        ..Events::default()
    };
    expect(
        &written(&own),
        &[
            ("Request-URI", "sip:pf@ims.example"),
            ("To", "sip:pf@ims.example"),
            ("From", "sip:iwf@ims.example"),
            ("P-Asserted-Identity", "<sip:iwf@ims.example>"),
        ],
    );
    assert_eq!(Events::default().resolved(), None, "nobody to tell");
    let only_country = Events { mcc: "262".into(), ..Events::default() };
    assert_eq!(only_country.resolved(), None);
}

/// [SMS-FAIL-2-i] [SMS-FAIL-2-i1] [SMS-FAIL-2-i2] [SMS-EVT-06]
#[test]
fn the_event_names_the_user_and_the_message() {
    let bytes = written(&events());
    let mut index = Index::new();
    let message = Message::parse(&bytes, &mut index).unwrap();
    let body = core::str::from_utf8(message.body()).unwrap();
    let event = body.split_once("<cpm-event-iw>").unwrap().1.split_once("</cpm-event-iw>").unwrap().0;
    assert_eq!(
        event,
        "<failed-iw><cpm-user-address>tel:+491700000003</cpm-user-address>\
         <message-id>a&lt;b&amp;c</message-id></failed-iw>"
    );
}

/// The document of an alert; no SM-SC sends one, since only a MAP interface has it.
#[test]
fn ready_for_sms_names_the_user() {
    let mut out = Vec::new();
    InterworkingEvent::ReadyForSms { cpm_user_address: "tel:+491700000003" }.write(&mut out);
    let body = String::from_utf8(out).unwrap();
    let event = "<cpm-event-iw><ready-for-sms><cpm-user-address>tel:+491700000003</cpm-user-address></ready-for-sms>";
    assert!(body.contains(event), "{body}");
}
