//! The profile `rcs` against the list of 4.4, line by line.

use isthmus::policy::{Anonymity, AnonymousSender, Policy, Switches};

use crate::cases::Case;

const LINES: &str = include_str!("../spec/switches.tsv");
/// The line of the list that is a question of its own, not a switch.
const NEGATIVE_DELIVERY: &str = "reports.negative_delivery";

/// Keys and values as they stand in a configuration, in the order of the code.
fn keys(switches: &Switches) -> Vec<(String, String)> {
    let text = toml::to_string(switches).unwrap();
    let pairs = text.lines().map(|line| line.split_once(" = ").unwrap());
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn lines(profile: &str) -> Vec<(String, String)> {
    let cases = Case::all(LINES);
    let pair = |case: &Case<'_>| (case.get("key").to_owned(), case.get(profile).to_owned());
    cases.iter().map(pair).filter(|(key, _)| key != NEGATIVE_DELIVERY).collect()
}

#[test]
fn every_line_of_the_list_is_one_switch() {
    assert_eq!(keys(&Policy::rcs().switches), lines("rcs"));
    assert_eq!(keys(&Policy::default().switches), lines("cpm"));
}

#[test]
fn the_profile_sets_nothing_else() {
    let (rcs, mut cpm) = (Policy::rcs(), Policy::default());
    assert!(!rcs.reports.negative_delivery && cpm.reports.negative_delivery);
    assert_eq!(rcs.submission.anonymous_sender, AnonymousSender::Refuse);
    cpm.switches = rcs.switches;
    cpm.reports.negative_delivery = false;
    cpm.submission.anonymous_sender = AnonymousSender::Refuse;
    assert_eq!((rcs.mms.anonymous_sender, rcs.mms.anonymous_originator), (Anonymity::Refuse, Anonymity::Refuse));
    cpm.mms.anonymous_sender = Anonymity::Refuse;
    cpm.mms.anonymous_originator = Anonymity::Refuse;
    assert_eq!(rcs, cpm);
}
