//! The pages of 6.3.1 against the rows of the code, as in [`crate::tables`].

use isthmus::interwork::mms::delivery_report_to_imdn::{MM_STATUS_TO_STATUS, TABLE_17, TABLE_18, TABLE_19};
use isthmus::interwork::mms::forward_req_to_large_message::{MSRP_SEND, TABLE_39, TABLE_40};
use isthmus::interwork::mms::forward_req_to_pager::{SIP_TO_REQUEST_STATUS, TABLE_35, TABLE_36, TABLE_37, TABLE_38};
use isthmus::interwork::mms::imdn_to_delivery_report::{STATUS_TO_MM_STATUS, TABLE_41, TABLE_42};
use isthmus::interwork::mms::imdn_to_read_reply::{STATUS_TO_READ_STATUS, TABLE_43, TABLE_44};
use isthmus::interwork::mms::large_message_to_forward_req::{TABLE_15, TABLE_16};
use isthmus::interwork::mms::pager_to_forward_req::{REQUEST_STATUS_TO_SIP, TABLE_12, TABLE_13};
use isthmus::interwork::mms::read_reply_to_imdn::{READ_STATUS_TO_STATUS, TABLE_20, TABLE_21, TABLE_22};

use crate::cases::Case;
use crate::tables::{cited, same_rows};
use crate::{cpm_to_mms, mms_reports, mms_to_cpm};

/// Each test: its name, the table, the file of its page, where it stands, and the cases of its rows.
macro_rules! pages {
    ($($name:ident: $table:ident, $page:literal, $section:literal, $number:literal, $cases:expr;)+) => {
        $(
            #[test]
            fn $name() {
                cited($table.cite, $section, $number);
                same_rows(include_str!(concat!("../spec/", $page, ".tsv")), &$table, $cases);
            }
        )+
    };
}

pages! {
    table_12_has_the_rows_of_the_page: TABLE_12, "iwf_table_12", "6.3.1.1.1", 12, cpm_to_mms::CASES;
    table_13_has_the_rows_of_the_page: TABLE_13, "iwf_table_13", "6.3.1.1.1", 13, cpm_to_mms::CASES;
    table_15_has_the_rows_of_the_page: TABLE_15, "iwf_table_15", "6.3.1.1.2", 15, cpm_to_mms::CASES;
    table_16_has_the_rows_of_the_page: TABLE_16, "iwf_table_16", "6.3.1.1.2", 16, cpm_to_mms::CASES;
    table_17_has_the_rows_of_the_page: TABLE_17, "iwf_table_17", "6.3.1.1.3", 17, mms_reports::TO_CPM;
    table_18_has_the_rows_of_the_page: TABLE_18, "iwf_table_18", "6.3.1.1.3", 18, mms_reports::RESPONSES;
    table_19_has_the_rows_of_the_page: TABLE_19, "iwf_table_19", "6.3.1.1.3", 19, mms_reports::RESPONSES;
    table_20_has_the_rows_of_the_page: TABLE_20, "iwf_table_20", "6.3.1.1.4", 20, mms_reports::TO_CPM;
    table_21_has_the_rows_of_the_page: TABLE_21, "iwf_table_21", "6.3.1.1.4", 21, mms_reports::RESPONSES;
    table_22_has_the_rows_of_the_page: TABLE_22, "iwf_table_22", "6.3.1.1.4", 22, mms_reports::RESPONSES;
    table_35_has_the_rows_of_the_page: TABLE_35, "iwf_table_35", "6.3.1.2.1", 35, mms_to_cpm::CASES;
    table_36_has_the_rows_of_the_page: TABLE_36, "iwf_table_36", "6.3.1.2.1", 36, mms_to_cpm::CASES;
    table_37_has_the_rows_of_the_page: TABLE_37, "iwf_table_37", "6.3.1.2.1", 37, mms_reports::RESPONSES;
    table_38_has_the_rows_of_the_page: TABLE_38, "iwf_table_38", "6.3.1.2.1", 38, mms_reports::RESPONSES;
    table_39_has_the_rows_of_the_page: TABLE_39, "iwf_table_39", "6.3.1.2.2", 39, mms_to_cpm::CASES;
    table_40_has_the_rows_of_the_page: TABLE_40, "iwf_table_40", "6.3.1.2.2", 40, mms_to_cpm::CASES;
    the_msrp_send_has_the_rows_of_the_page: MSRP_SEND, "iwf_mms_send", "6.3.1.2.2", 0, mms_to_cpm::CASES;
    table_41_has_the_rows_of_the_page: TABLE_41, "iwf_table_41", "6.3.1.2.3", 41, mms_reports::TO_MMS;
    table_42_has_the_rows_of_the_page: TABLE_42, "iwf_table_42", "6.3.1.2.3", 42, mms_reports::TO_MMS;
    table_43_has_the_rows_of_the_page: TABLE_43, "iwf_table_43", "6.3.1.2.4", 43, mms_reports::TO_MMS;
    table_44_has_the_rows_of_the_page: TABLE_44, "iwf_table_44", "6.3.1.2.4", 44, mms_reports::TO_MMS;
}

#[test]
fn table_14_has_the_codes_of_the_page() {
    cited(REQUEST_STATUS_TO_SIP.cite, "6.3.1.1.1", 14);
    let token = |status: &[u8]| String::from_utf8(status.to_vec()).unwrap();
    let code: Vec<(String, u16)> =
        REQUEST_STATUS_TO_SIP.rows.iter().map(|(status, code)| (token(status.token()), *code)).collect();
    let cases = Case::all(include_str!("../spec/iwf_table_14.tsv"));
    let listed = cases.iter().filter(|case| !case.get("code").is_empty());
    let page: Vec<(String, u16)> =
        listed.map(|case| (case.get("request_status").to_owned(), case.get("code").parse().unwrap())).collect();
    assert_eq!(code, page);
}

/// The values that the pages print in their comments, in the pages' order: no row more, none less.
#[test]
fn the_values_are_those_of_the_pages() {
    let names: Vec<_> = MM_STATUS_TO_STATUS.rows.iter().map(|(status, _)| format!("{status:?}")).collect();
    assert_eq!(names.join(" "), "Retrieved Rejected Expired Unrecognised Indeterminate Forwarded Deferred", "Table 17");
    let names: Vec<_> = READ_STATUS_TO_STATUS.rows.iter().map(|row| format!("{row:?}")).collect();
    assert_eq!(names.join(" "), "(Read, Displayed) (DeletedWithoutBeingRead, Error)", "Table 20");
    let names: Vec<_> = SIP_TO_REQUEST_STATUS.rows.iter().map(|row| format!("{row:?}")).collect();
    assert_eq!(names.join(" "), "(200, Ok) (202, Ok) (401, ErrorServiceDenied) (503, ErrorServiceDenied)", "Table 38");
    let names: Vec<_> = STATUS_TO_MM_STATUS.rows.iter().map(|row| format!("{row:?}")).collect();
    assert_eq!(
        names.join(" "),
        "(Delivered, Retrieved) (Failed, Rejected) (Forbidden, Rejected) (Error, Indeterminate)",
        "Table 42"
    );
    let names: Vec<_> = STATUS_TO_READ_STATUS.rows.iter().map(|row| format!("{row:?}")).collect();
    assert_eq!(names.join(" "), "(Displayed, Read)", "Table 44");
}
