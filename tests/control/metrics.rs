//! What a scrape shows.

use std::collections::BTreeSet;

use isthmus::control::metrics::{About, text};
use isthmus::control::profile::table;
use isthmus::observe::{
    ArrivedAt, Flow, LinkStats, STEPS, ShellStats, SipCodes, Snapshot, Stage, Stats, StepTimes, Stopwatch,
};
use isthmus::store::Status;

use super::exposition::{Page, parse};

pub(crate) fn about() -> About {
    About { backend: "epoll".into(), smscs: vec!["smsc-a".into(), "b\"\\".into()], mmscs: vec!["mmsc-a".into()] }
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
    let page = parse(&text(&about(), &snapshots(), 0, None));
    let declared = Stats::FAMILIES.len() + ShellStats::FAMILIES.len() + LinkStats::FAMILIES.len();
    // build_info, log lines, ready, draining, processor time, two families of codes, three of latencies
    assert_eq!(page.len(), declared + 10, "{:#?}", page.keys());
    assert_eq!(value(&page, "isthmus_ready", "isthmus_ready{core=1}"), 1.0);
}

#[test]
fn numbers_stand_under_their_core_and_link() {
    let mut snapshots = snapshots();
    snapshots[1].stats.cpm_accepted = 5;
    snapshots[1].shell.datagrams_in = 6;
    snapshots[1].shell.cpu_us = 2_500_000;
    snapshots[1].links[1].window_size = 64;
    let page = parse(&text(&about(), &snapshots, 3, None));
    let sample = "isthmus_messages_total{core=1,direction=cpm_to_sms,result=accepted}";
    assert_eq!(value(&page, "isthmus_messages_total", sample), 5.0);
    assert_eq!(value(&page, "isthmus_datagrams_total", "isthmus_datagrams_total{core=1,direction=in}"), 6.0);
    assert_eq!(value(&page, "isthmus_core_cpu_seconds_total", "isthmus_core_cpu_seconds_total{core=1}"), 2.5);
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
    let page = parse(&text(&about(), &snapshots, 0, None));
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
    let page = parse(&text(&about(), &snapshots, 0, None));
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

/// Cores with a profile: one CPM message that was parsed in 1.5 us and one turn of 2 us in each step.
fn profiled() -> Vec<Snapshot> {
    let mut stopwatch = Stopwatch::start(|| 4_500);
    stopwatch.arrived(ArrivedAt { received_ns: 1_000, handed_ns: 2_000 });
    let mut trace = stopwatch.received(Flow::CpmToSms);
    stopwatch.end_at(&mut trace, Stage::Queue, 3_000);
    stopwatch.end(&mut trace, Stage::Parse);
    let mut steps = StepTimes::default();
    steps.add(&[2_000; STEPS]);
    let mut snapshots = snapshots();
    for snapshot in &mut snapshots {
        stopwatch.show(&mut snapshot.stages);
        snapshot.steps = Some(Box::new(steps.clone()));
    }
    snapshots
}

#[test]
fn stages_and_steps_are_shown_while_a_profile_is_made() {
    let page = parse(&text(&about(), &profiled(), 0, None));
    let family = "isthmus_stage_latency_seconds";
    assert_eq!(page[family].kind, "histogram");
    let labels = "core=1,flow=cpm_to_sms,";
    for (le, count) in [("0.000001024", 0.0), ("0.000002048", 1.0), ("137.438953472", 1.0), ("+Inf", 1.0)] {
        let sample = format!("{family}_bucket{{{labels}le={le},stage=parse}}");
        assert_eq!(value(&page, family, &sample), count, "{le}");
    }
    assert_eq!(value(&page, family, &format!("{family}_sum{{{labels}stage=parse}}")), 0.0000015);
    assert!(!page[family].samples.contains_key(&format!("{family}_count{{{labels}stage=map}}")));
    let family = "isthmus_turn_step_seconds";
    assert_eq!(value(&page, family, &format!("{family}_count{{core=0,step=flush}}")), 1.0);
    let without = parse(&text(&about(), &snapshots(), 0, None));
    assert!(without.keys().all(|name| !name.contains("_stage_") && !name.contains("_step_")));
}

#[test]
fn the_table_has_a_row_for_what_was_seen() {
    let table = table(&profiled());
    let words = |row: &String| row.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<_> = table.iter().map(words).collect();
    assert_eq!(rows[0][2..], ["stage", "count", "mean", "p50", "p99", "p99.9", "max", "total", "ms"]);
    assert_eq!(rows[3], ["cpm_to_sms", "parse", "2", "1.5", "1.5", "1.5", "1.5", "1.5", "0"]);
    assert_eq!(rows.len(), 1 + 3 + STEPS, "{table:#?}");
    assert_eq!(rows[4][..2], ["turn", "collect"]);
    // Numbers stand below their heads.
    assert!(table.iter().all(|row| row.len() == table[0].len()), "{table:#?}");
    assert!(isthmus::control::profile::table(&snapshots()).is_empty());
}

/// The operator's table has every family that a scrape shows, and no other.
#[test]
fn every_family_is_documented() {
    let (_, document) = include_str!("../../docs/operations.md").split_once("## Metrics").unwrap();
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `isthmus_"));
    let documented: BTreeSet<_> = rows.map(|row| format!("isthmus_{}", row.split('`').next().unwrap())).collect();
    let shown: BTreeSet<_> = parse(&text(&about(), &profiled(), 0, Some(&Status::default()))).into_keys().collect();
    let missing: Vec<_> = shown.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&shown).collect();
    assert!(missing.is_empty() && gone.is_empty(), "docs/operations.md lacks {missing:#?} and has {gone:#?}");
}
