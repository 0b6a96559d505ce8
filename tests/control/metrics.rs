//! What a scrape shows.

use std::collections::BTreeSet;

use isthmus::control::metrics::{About, text};
use isthmus::observe::{LinkStats, ShellStats, SipCodes, Snapshot, Stats};

use super::exposition::{Page, parse};

pub(crate) fn about() -> About {
    About { backend: "epoll".into(), smscs: vec!["smsc-a".into(), "b\"\\".into()] }
}

pub(crate) fn snapshots() -> Vec<Snapshot> {
    let links = [(0, 0), (1, 0)].map(|(smsc, bind)| LinkStats { smsc, bind, ..LinkStats::default() });
    [0, 1].map(|core| Snapshot { core, ready: true, links: links.into(), ..Snapshot::default() }).into()
}

fn value(page: &Page, family: &str, sample: &str) -> f64 {
    let samples = &page[family].samples;
    *samples.get(sample).unwrap_or_else(|| panic!("{sample} is not in {samples:#?}"))
}

#[test]
fn a_fresh_gateway_shows_every_family() {
    let page = parse(&text(&about(), &snapshots(), 0));
    let declared = Stats::FAMILIES.len() + ShellStats::FAMILIES.len() + LinkStats::FAMILIES.len();
    // build_info, log lines, ready, draining, two families of codes, three of latencies
    assert_eq!(page.len(), declared + 9, "{:#?}", page.keys());
    assert_eq!(value(&page, "isthmus_ready", "isthmus_ready{core=1}"), 1.0);
}

#[test]
fn numbers_stand_under_their_core_and_link() {
    let mut snapshots = snapshots();
    snapshots[1].stats.cpm_accepted = 5;
    snapshots[1].shell.datagrams_in = 6;
    snapshots[1].links[1].window_size = 64;
    let page = parse(&text(&about(), &snapshots, 3));
    let sample = "isthmus_messages_total{core=1,direction=cpm_to_sms,result=accepted}";
    assert_eq!(value(&page, "isthmus_messages_total", sample), 5.0);
    assert_eq!(value(&page, "isthmus_datagrams_total", "isthmus_datagrams_total{core=1,direction=in}"), 6.0);
    let sample = "isthmus_smpp_window{bind=0,core=1,smsc=b\"\\,state=all}";
    assert_eq!(value(&page, "isthmus_smpp_window", sample), 64.0);
    assert_eq!(value(&page, "isthmus_log_lines_dropped_total", "isthmus_log_lines_dropped_total{}"), 3.0);
}

#[test]
fn results_are_shown_by_code() {
    let mut snapshots = snapshots();
    let SipCodes { sent, .. } = &mut snapshots[0].sip_codes;
    [202, 202, 480].into_iter().for_each(|code| sent.add(code));
    let responses = &mut snapshots[0].links[0].submit_responses;
    [0, 0x58, 0x0400].into_iter().for_each(|status| responses.add(status));
    let page = parse(&text(&about(), &snapshots, 0));
    let sample = "isthmus_sip_responses_total{code=202,core=0,direction=out}";
    assert_eq!(value(&page, "isthmus_sip_responses_total", sample), 2.0);
    for status in ["ESME_ROK", "ESME_RTHROTTLED", "0x00000400"] {
        let labels = format!("bind=0,command_status={status},core=0,smsc=smsc-a,to=submit");
        let sample = format!("isthmus_smpp_responses_total{{{labels}}}");
        assert_eq!(value(&page, "isthmus_smpp_responses_total", &sample), 1.0);
    }
}

#[test]
fn latencies_are_histograms_in_seconds() {
    let mut snapshots = snapshots();
    [900, 1_500, 200_000_000].into_iter().for_each(|us| snapshots[0].latencies.cpm_to_sms.add(us));
    let page = parse(&text(&about(), &snapshots, 0));
    let family = "isthmus_message_latency_seconds";
    assert_eq!(page[family].kind, "histogram");
    for (le, count) in [("0.000512", 0.0), ("0.001024", 1.0), ("0.002048", 2.0), ("134.217728", 2.0), ("+Inf", 3.0)] {
        let sample = format!("{family}_bucket{{core=0,direction=cpm_to_sms,le={le}}}");
        assert_eq!(value(&page, family, &sample), count, "{le}");
    }
    let sum = value(&page, family, &format!("{family}_sum{{core=0,direction=cpm_to_sms}}"));
    assert!((sum - 200.0024).abs() < 1e-9, "{sum}");
    assert_eq!(value(&page, family, &format!("{family}_count{{core=0,direction=cpm_to_sms}}")), 3.0);
}

/// The operator's table has every family that a scrape shows, and no other.
#[test]
fn every_family_is_documented() {
    let (_, document) = include_str!("../../docs/operations.md").split_once("## Metrics").unwrap();
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `isthmus_"));
    let documented: BTreeSet<_> = rows.map(|row| format!("isthmus_{}", row.split('`').next().unwrap())).collect();
    let shown: BTreeSet<_> = parse(&text(&about(), &snapshots(), 0)).into_keys().collect();
    let missing: Vec<_> = shown.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&shown).collect();
    assert!(missing.is_empty() && gone.is_empty(), "docs/operations.md lacks {missing:#?} and has {gone:#?}");
}
