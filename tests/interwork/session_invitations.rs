//! Tables 4 and 5: the question to the SMS user, and what his short message answers.

use isthmus::interwork::address::Number;
use isthmus::interwork::sms::session_invitation::{answer_of, sip_status};
use isthmus::iwf::pager::{self, NotAcceptable};
use isthmus::iwf::session_invitation;
use isthmus::wire::inline::Inline;

use crate::cases::Case;
use crate::cpm_to_sms::{check, coding, form_of, split};
use crate::invitations::stored;

pub(crate) const CASES: &str = include_str!("../spec/session_invitation_to_sms.tsv");
const ANSWERS: &str = include_str!("../spec/session_answers.tsv");

/// The number that a cell holds, if any.
pub(crate) fn number(digits: &str) -> Option<Number> {
    let digits = Inline::from_slice(digits.as_bytes()).filter(|digits| !digits.is_empty())?;
    Some(Number { digits, global: true })
}

fn pdus(case: &Case<'_>) -> Result<Vec<Vec<u8>>, NotAcceptable> {
    let policy = case.policy();
    let invitation = stored(case.get("headers"), &policy)?;
    let assigned = number(case.get("assigned"));
    let (mut text, mut octets, mut written) = (String::new(), Vec::new(), Vec::new());
    session_invitation::write_question(&invitation, assigned, &policy, &mut text)?;
    let coding = coding(case.get("form"));
    let form = form_of(case.get("form"), &coding);
    let whose = (&invitation, assigned);
    let total =
        session_invitation::write_short_messages(whose, &text, &form, 0xABCD, &policy, &mut octets, &mut written)?;
    let pdus = split(&written);
    assert_eq!(pdus.len(), usize::from(total));
    Ok(pdus)
}

#[test]
fn every_invitation_gives_the_question_it_should() {
    for case in Case::all(CASES) {
        match (pdus(&case), case.get("expected").strip_prefix("refused=")) {
            (Ok(pdus), None) => check(&case, &pdus),
            (Err(why), Some(expected)) => {
                let (code, reason) = pager::refusal(why, &case.policy());
                assert_eq!(format!("{code} {reason}"), expected, "{}", case.name());
            }
            (got, _) => panic!("{}: {got:?}", case.name()),
        }
    }
}

#[test]
fn every_short_message_is_the_answer_it_should_be() {
    for case in Case::all(ANSWERS) {
        let policy = case.policy();
        let answer = answer_of(case.get("text"), case.get("user_response_code").parse().ok(), &policy);
        let status = answer.map(|answer| sip_status(answer, &policy));
        let got = status.map_or("-".to_owned(), |(code, reason)| format!("{code} {reason}"));
        assert_eq!(got, case.get("expected"), "{}", case.name());
    }
}
