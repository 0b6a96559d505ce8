//! The rows of the pages against the rows of the code: none missing, none more, in the same order. That each row does what
//! the page says is tested by the cases, so every row must have one.

use isthmus::interwork::cite::Cite;
use isthmus::interwork::sms::chat_to_submit_sm::TABLE_7;
use isthmus::interwork::sms::deliver_sm_to_chat::CHAT_SEND;
use isthmus::interwork::sms::deliver_sm_to_large_message::TABLE_11;
use isthmus::interwork::sms::deliver_sm_to_pager::{SIP_TO_COMMAND_STATUS, TABLE_9};
use isthmus::interwork::sms::delivery_outcome::MESSAGE_STATE_TO_STATUS;
use isthmus::interwork::sms::pager_to_submit_sm::{COMMAND_STATUS_TO_SIP, TABLE_1};
use isthmus::interwork::sms::session_invitation::{ANSWER_TO_SIP, TABLE_4};
use isthmus::interwork::sms::status_report_to_imdn::TABLE_3;
use isthmus::interwork::table::{FieldTable, Record, Status};

use crate::cases::{Case, names};

pub(crate) const IWF_TABLE_1: &str = include_str!("../spec/iwf_table_1.tsv");
pub(crate) const IWF_TABLE_2: &str = include_str!("../spec/iwf_table_2.tsv");
pub(crate) const IWF_TABLE_3: &str = include_str!("../spec/iwf_table_3.tsv");
pub(crate) const IWF_TABLE_4: &str = include_str!("../spec/iwf_table_4.tsv");
pub(crate) const IWF_TABLE_5: &str = include_str!("../spec/iwf_table_5.tsv");
pub(crate) const IWF_TABLE_7: &str = include_str!("../spec/iwf_table_7.tsv");
pub(crate) const IWF_TABLE_9: &str = include_str!("../spec/iwf_table_9.tsv");
pub(crate) const IWF_TABLE_10: &str = include_str!("../spec/iwf_table_10.tsv");
pub(crate) const IWF_TABLE_11: &str = include_str!("../spec/iwf_table_11.tsv");
pub(crate) const IWF_CHAT_SEND: &str = include_str!("../spec/iwf_chat_send.tsv");

/// Parameter, status, sources.
type Line = (String, Status, Vec<String>);

fn page(tsv: &str) -> Vec<Line> {
    let status = |cell: &str| match cell {
        "Mandatory" => Status::Mandatory,
        "Conditional" => Status::Conditional,
        "Optional" => Status::Optional,
        other => panic!("no status {other}"),
    };
    let sources = |cell: &str| cell.split(", ").filter(|source| !source.is_empty()).map(str::to_owned).collect();
    let line =
        |case: &Case<'_>| (case.get("parameter").to_owned(), status(case.get("status")), sources(case.get("source")));
    Case::all(tsv).iter().map(line).collect()
}

fn code<S: Record, T: Record>(table: &FieldTable<S, T>) -> Vec<Line> {
    let sources = |sources: &[&str]| sources.iter().map(|source| (*source).to_owned()).collect();
    table.rows.iter().map(|row| (row.field.to_owned(), row.status, sources(row.sources))).collect()
}

pub(crate) fn same_rows<S: Record, T: Record>(tsv: &str, table: &FieldTable<S, T>, cases: &str) {
    assert_eq!(code(table), page(tsv), "{:?}", table.cite);
    for row in Case::all(tsv) {
        for req in row.get("req").split(' ').filter(|req| !req.is_empty()) {
            assert!(names(&[cases], req), "no case for {req}");
        }
    }
}

pub(crate) fn cited(cite: Cite, section: &str, table: u8) {
    assert_eq!((cite.section, cite.table), (section, table));
}

#[test]
fn table_1_has_the_rows_of_the_page() {
    cited(TABLE_1.cite, "6.2.2.1.1", 1);
    same_rows(IWF_TABLE_1, &TABLE_1, crate::cpm_to_sms::CASES);
}

#[test]
fn table_3_has_the_rows_of_the_page() {
    cited(TABLE_3.cite, "6.2.2.1.2", 3);
    same_rows(IWF_TABLE_3, &TABLE_3, crate::status_report_to_imdn::CASES);
}

#[test]
fn table_4_has_the_rows_of_the_page() {
    cited(TABLE_4.cite, "6.2.2.1.3", 4);
    same_rows(IWF_TABLE_4, &TABLE_4, crate::session_invitations::CASES);
}

#[test]
fn table_7_has_the_rows_of_the_page() {
    cited(TABLE_7.cite, "6.2.2.1.5", 7);
    same_rows(IWF_TABLE_7, &TABLE_7, crate::chats::CASES);
}

#[test]
fn table_11_has_the_rows_of_the_page() {
    cited(TABLE_11.cite, "6.2.2.2.3", 11);
    same_rows(IWF_TABLE_11, &TABLE_11, crate::large_messages::TO_CPM);
}

#[test]
fn a_chat_message_has_the_rows_of_the_steps() {
    cited(CHAT_SEND.cite, "6.2.2.2.2", 0);
    same_rows(IWF_CHAT_SEND, &CHAT_SEND, crate::chats::TO_CPM);
}

#[test]
fn table_5_has_the_codes_of_the_page() {
    cited(ANSWER_TO_SIP.cite, "6.2.2.1.3", 5);
    let code: Vec<String> =
        ANSWER_TO_SIP.rows.iter().map(|(answer, (code, reason))| format!("{answer:?} {code} {reason}")).collect();
    let cases = Case::all(IWF_TABLE_5);
    let listed = cases.iter().filter(|case| !case.get("code").is_empty());
    let page: Vec<String> =
        listed.map(|case| [case.get("answer"), case.get("code"), case.get("reason")].join(" ")).collect();
    assert_eq!(code, page);
}

#[test]
fn table_9_has_the_rows_of_the_page() {
    cited(TABLE_9.cite, "6.2.2.2.1", 9);
    same_rows(IWF_TABLE_9, &TABLE_9, crate::sms_to_cpm::CASES);
}

#[test]
fn table_2_has_the_codes_of_the_page() {
    cited(COMMAND_STATUS_TO_SIP.cite, "6.2.2.1.1", 2);
    let code: Vec<(u32, u16)> = COMMAND_STATUS_TO_SIP.rows.iter().map(|(status, code)| (status.0, *code)).collect();
    let cases = Case::all(IWF_TABLE_2);
    let listed = cases.iter().filter(|case| !case.get("code").is_empty());
    let status = |case: &Case<'_>| u32::from_str_radix(case.get("command_status"), 16).unwrap();
    let page: Vec<(u32, u16)> = listed.map(|case| (status(case), case.get("code").parse().unwrap())).collect();
    assert_eq!(code, page);
}

#[test]
fn table_10_has_the_codes_of_the_page() {
    cited(SIP_TO_COMMAND_STATUS.cite, "6.2.2.2.1", 10);
    let code: Vec<(u16, u32)> = SIP_TO_COMMAND_STATUS.rows.iter().map(|(code, status)| (*code, status.0)).collect();
    let hexadecimal = |cell: &str| u32::from_str_radix(cell.trim_start_matches("0x"), 16).unwrap();
    let row = |case: &Case<'_>| (case.get("code").parse().unwrap(), hexadecimal(case.get("command_status")));
    let page: Vec<(u16, u32)> = Case::all(IWF_TABLE_10).iter().map(row).collect();
    assert_eq!(code, page);
}

#[test]
fn table_3_has_the_states_of_the_page_and_no_others() {
    cited(MESSAGE_STATE_TO_STATUS.cite, "6.2.2.1.2", 3);
    let names: Vec<_> = MESSAGE_STATE_TO_STATUS.rows.iter().map(|(state, _)| state.name().unwrap()).collect();
    assert_eq!(names, ["DELIVERED", "REJECTED", "UNKNOWN"]);
}
