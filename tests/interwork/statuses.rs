//! Results in both directions: Table 2 and Table 10, which are not each other's inverse, with the policy around them.

use isthmus::interwork::sms::deliver_sm_to_pager::command_status;
use isthmus::interwork::sms::pager_to_submit_sm::sip_status;
use isthmus::policy::Policy;
use isthmus::wire::smpp::CommandStatus;

use crate::cases::Case;

const COMMAND_STATUS_TO_SIP: &str = include_str!("../spec/command_status_to_sip.tsv");
const SIP_TO_COMMAND_STATUS: &str = include_str!("../spec/sip_to_command_status.tsv");

#[test]
fn every_command_status_has_its_code() {
    for case in Case::all(COMMAND_STATUS_TO_SIP) {
        let status = CommandStatus(u32::from_str_radix(case.get("command_status"), 16).unwrap());
        assert_eq!(sip_status(status, &case.policy()).to_string(), case.get("expected"), "{}", case.name());
    }
}

#[test]
fn every_code_has_its_command_status() {
    for case in Case::all(SIP_TO_COMMAND_STATUS) {
        let status = command_status(case.get("code").parse().unwrap(), &case.policy());
        assert_eq!(format!("{:X}", status.0), case.get("expected"), "{}", case.name());
    }
}

/// Nothing but ESME_ROK is a success, and every other value a failure that SIP knows.
///
/// [SMS-T2-other] [SMS-T2-reserved]
#[test]
fn every_value_has_an_answer() {
    let policy = Policy::default();
    for status in (0..0x600).map(CommandStatus) {
        let code = sip_status(status, &policy);
        let expected = if status == CommandStatus::ESME_ROK { 200..300 } else { 400..700 };
        assert!(expected.contains(&code), "{status:?} {code}");
    }
}

/// [SMS-T10-other]
#[test]
fn every_final_response_has_an_answer() {
    let policy = Policy::default();
    for code in 200..700 {
        let status = command_status(code, &policy);
        assert_eq!(status == CommandStatus::ESME_ROK, code < 300, "{code}");
    }
}
