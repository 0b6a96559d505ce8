//! Table 3: from the message as it was retained, and a message_state, to the notification as the CPM side reads it.

use isthmus::engine::{Moment, Now};
use isthmus::interwork::sms::delivery_outcome::{Outcome, outcome, status_of};
use isthmus::iwf::message::Minted;
use isthmus::iwf::retained::Retained;
use isthmus::iwf::{Iwf, notification, pager};
use isthmus::policy::{DeliveryAnswer, InterworkingAnswer, Policy};
use isthmus::wire::cpim::Dispositions;
use isthmus::wire::cpim::imdn::{Notification, Status};
use isthmus::wire::sip::{Index, Message};
use isthmus::wire::smpp::MessageState;

use crate::cases::Case;
use crate::cpm_to_sms::request;
use crate::read_back::{check_request, parameter};

pub(crate) const CASES: &str = include_str!("../spec/status_report_to_imdn.tsv");
const STATES: &str = include_str!("../spec/iwf_table_3_states.tsv");
const OUTCOMES: &str = include_str!("../spec/delivery_outcome.tsv");

pub(crate) const NOW: Now = Now { moment: Moment(1_000_000), unix_ms: 1_795_255_530_123 };
pub(crate) const MINTED: Minted<'static> = Minted {
    call_id: b"minted@gw.example",
    tag: b"minted-tag",
    message_id: b"minted-id",
    conversation_id: b"minted-conversation",
    contribution_id: b"minted-contribution",
};

/// The message of a case as it is retained.
pub(crate) fn retained(case: &Case<'_>, policy: &Policy) -> Retained {
    let bytes = request(case.get("headers"), case.get("cpim"), "");
    let mut index = Index::new();
    let message = Message::parse(&bytes, &mut index).unwrap();
    let (mut text, mut retained) = (String::new(), Retained::default());
    let read = pager::look(&message, policy).and_then(|body| pager::read(&message, &body, policy, &mut text)).unwrap();
    read.retain(NOW, &text, &mut retained);
    retained
}

fn state(name: &str) -> MessageState {
    let known = MessageState::ALL.iter().find(|state| state.name() == Some(name));
    known.copied().unwrap_or_else(|| MessageState(name.parse().unwrap()))
}

fn notification_of(cell: &str) -> (Notification, Status) {
    let (what, status) = cell.split_once(' ').expect("notification status");
    let known = [Notification::Delivery, Notification::Interworking, Notification::Processing];
    let what = known.into_iter().find(|known| known.element() == what).unwrap();
    (what, Status::ALL.into_iter().find(|known| known.element() == status).unwrap())
}

fn written(case: &Case<'_>) -> Vec<u8> {
    let iwf = Iwf::new(case.policy());
    let mut out = Vec::new();
    notification::write(&retained(case, &iwf.policy), notification_of(case.get("status")), &iwf, &MINTED, &mut out);
    out
}

#[test]
fn every_case_gives_the_notification_it_expects() {
    for case in Case::all(CASES) {
        let bytes = written(&case);
        let mut index = Index::new();
        let message = Message::parse(&bytes, &mut index).unwrap();
        check_request(&message);
        for (name, expected) in case.expected() {
            assert_eq!(parameter(&message, name), expected, "{}: {name}", case.name());
        }
    }
}

#[test]
fn every_state_has_the_status_of_the_page_or_of_policy() {
    for case in Case::all(STATES) {
        let answer = status_of(state(case.get("message_state")), &case.policy());
        let delivery = match answer.delivery {
            DeliveryAnswer::None => "-",
            DeliveryAnswer::Delivered => "delivered",
            DeliveryAnswer::Failed => "failed",
            DeliveryAnswer::Forbidden => "forbidden",
            DeliveryAnswer::Error => "error",
        };
        let interworking = match answer.interworking {
            InterworkingAnswer::None => "-",
            InterworkingAnswer::LegacySms => "legacy-sms",
            InterworkingAnswer::Error => "error",
        };
        let expected = (case.get("delivery"), case.get("interworking"));
        assert_eq!((delivery, interworking), expected, "{}", case.get("message_state"));
    }
}

fn told(outcome: &Outcome) -> String {
    let named = |what: &str, status: Option<Status>| status.map(|status| format!("{what} {}", status.element()));
    let parts = [
        named("delivery", outcome.delivery),
        named("interworking", outcome.interworking),
        outcome.failed_iw.then(|| "failed-iw".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[test]
fn who_is_told_what_follows_what_was_requested() {
    for case in Case::all(OUTCOMES) {
        let requested = Dispositions::NONE.with_list(case.get("requested").as_bytes());
        let got = told(&outcome(state(case.get("message_state")), requested, &case.policy()));
        assert_eq!(got, case.get("expected"), "{}", case.name());
    }
}
