//! What a run leaves behind: the summary, the line of progress, and the files.

use std::fs;
use std::path::Path;

use hdrhistogram::Histogram;
use isthmus::control::load::report;
use isthmus::load::{Answer, Counts, FlowResult, Results, Second, Setting};
use isthmus::wire::smpp::CommandStatus;
use quick_xml::Reader;
use quick_xml::events::Event;

const S: u64 = 1_000_000;
/// What the steps of a quantile may add up to.
const ROUNDING: f64 = 1e-6;
const HOSTILE: &str = "<script>alert(\"1\")</script>&'\u{1b}[2J\n]]>--";

/// Latencies with a long tail: most about `usual_us`, one in a hundred ten times as long, one in a thousand a hundred times.
fn latencies(usual_us: u64, count: u64) -> impl Iterator<Item = u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..count).map(move |n| {
        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        let spread = usual_us / 2 + (state >> 33) % usual_us;
        match n % 1_000 {
            0 => 100 * spread,
            n if n % 100 == 1 => 10 * spread,
            _ => spread,
        }
    })
}

fn flow(name: &str, usual_us: u64, per_second: u64, seconds: u64) -> FlowResult {
    let mut flow = FlowResult::new(name);
    for (n, latency_us) in (0..).zip(latencies(usual_us, per_second * seconds)) {
        let due_us = n * S / per_second;
        flow.counts.intended += 1;
        flow.sent(due_us, due_us + 30);
        match n % 500 {
            7 if due_us > 20 * S => flow.refused(due_us + latency_us, Answer::Sip(503)),
            _ => flow.taken(due_us, due_us + latency_us, Answer::Sip(202)),
        }
    }
    flow
}

/// Half a minute both ways with reports.
fn sample() -> Results {
    let mut arrival = FlowResult::new("CPM to SMS, arrival at the SM-SC");
    let mut report = FlowResult::new("report to IMDN");
    for (n, latency_us) in (0..).zip(latencies(220, 30_000)) {
        arrival.sent(n * 1_000, n * 1_000);
        arrival.arrived(n * 1_000, n * 1_000 + latency_us);
        report.sent(n * 1_000, n * 1_000);
        report.taken(n * 1_000, n * 1_000 + 4 * latency_us + 900, Answer::Word("delivered"));
    }
    let mut submitted = flow("SMS to CPM", 450, 200, 30);
    submitted.refused(25 * S, Answer::Smpp(CommandStatus::ESME_RTHROTTLED));
    let settings = [
        ("target", "udp 127.0.0.1:5060"),
        ("rate", "1,000 messages/s, open loop"),
        ("duration", "30 s"),
        ("lengths", "70 % of 20 to 160 characters, 30 % of 161 to 600"),
        ("reports asked for", "100 %"),
        ("connections of the SM-SC", "4 binds, answers after 2 ms"),
    ];
    Results {
        settings: settings.into_iter().map(|(name, value)| Setting::new(name, value)).collect(),
        observed: vec![
            Setting::new("CPU time of the generator", "3.1 us per message"),
            Setting::new("memory of the gateway, begin and end", "61.2 MB, 61.4 MB"),
        ],
        began_unix_ms: 1_790_000_000_000,
        duration_us: 30 * S,
        flows: vec![flow("CPM to SMS, answer", 310, 1_000, 30), arrival, report, submitted],
    }
}

fn hostile() -> Results {
    let mut flow = flow(HOSTILE, 100, 10, 1);
    flow.counts.lost = 1;
    Results { settings: vec![Setting::new(HOSTILE, HOSTILE)], flows: vec![flow], ..sample() }
}

/// All lines of `text` with numbers, as (microseconds, share, count).
fn hgrm_lines(text: &str) -> Vec<(u64, f64, u64)> {
    let thousandths = |text: &str| text.replace('.', "").parse::<u64>().unwrap();
    let numbers = |line: &str| -> Vec<String> { line.split_whitespace().map(String::from).collect() };
    let lines = text.lines().skip(2).filter(|line| !line.starts_with('#')).map(numbers);
    lines.map(|line| (thousandths(&line[0]), line[1].parse().unwrap(), line[2].parse().unwrap())).collect()
}

#[test]
fn hgrm_says_the_same_percentiles() {
    let results = sample();
    for flow in &results.flows {
        let lines = hgrm_lines(&report::hgrm(&flow.latency_us));
        assert!(lines.len() > 30, "{}", lines.len());
        for (value_us, share, count) in &lines {
            let [from_us, to_us] = [-ROUNDING, ROUNDING].map(|by| flow.latency_us.value_at_quantile(share + by));
            assert!((from_us..=to_us).contains(value_us), "{share}: {value_us}, {from_us} to {to_us}");
            assert_eq!(*count, flow.latency_us.count_between(0, *value_us), "{share}");
        }
        assert!(lines.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1 && a.2 <= b.2));
        let (last, total) = (lines.last().unwrap(), flow.latency_us.len());
        assert_eq!((last.1, last.2), (1.0, total));
    }
}

#[test]
fn hgrm_has_the_form_that_plotters_read() {
    let mut latency_us = Histogram::<u64>::new_with_bounds(1, 600 * S, 3).unwrap();
    [1_000, 1_000, 1_000, 2_000].into_iter().for_each(|us| latency_us.saturating_record(us));
    let text = report::hgrm(&latency_us);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "       Value     Percentile TotalCount 1/(1-Percentile)",
            "",
            "       1.000 0.000000000000          3           1.00",
        ]
    );
    assert_eq!(lines[lines.len() - 5], "       2.000 0.750000000000          4           4.00");
    assert_eq!(lines[lines.len() - 4], "       2.000 1.000000000000          4");
    assert_eq!(lines[lines.len() - 3], "#[Mean    =        1.250, StdDeviation   =        0.433]");
    assert_eq!(lines[lines.len() - 2], "#[Max     =        2.000, Total count    =            4]");
    assert!(lines[lines.len() - 1].starts_with("#[Buckets = ") && lines[lines.len() - 1].ends_with("2048]"));
}

#[test]
fn timeline_has_a_line_for_each_second() {
    let text = report::timeline(&sample());
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("flow,second,sent,answered,refused,p50_us,p99_us,max_us"));
    let lines: Vec<_> = lines.collect();
    let first: Vec<_> = lines[0].rsplitn(8, ',').collect();
    assert_eq!((first[7], &first[3..7]), ("\"CPM to SMS, answer\"", &["0", "1000", "1000", "0"][..]));
    let sent: u64 = lines.iter().map(|line| line.rsplit(',').nth(5).unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(sent, sample().flows.iter().map(|flow| flow.counts.sent).sum::<u64>());
}

#[test]
fn fields_of_csv_keep_their_text() {
    let mut results = hostile();
    results.flows[0].name = String::from("a \"b\", c\nd");
    let text = report::percentiles(&results);
    assert!(text.starts_with("flow,messages,percentile,latency_us\n\"a \"\"b\"\", c\nd\",10,p50,"), "{text}");
}

#[test]
fn percentiles_reach_four_nines() {
    let text = report::percentiles(&sample());
    let of_first: Vec<_> = text.lines().filter(|line| line.starts_with("\"CPM to SMS, answer\"")).collect();
    let names: Vec<_> = of_first.iter().map(|line| line.rsplit(',').nth(1).unwrap()).collect();
    assert_eq!(names, ["p50", "p90", "p99", "p99.9", "p99.99", "max"]);
}

#[test]
fn the_summary_says_what_counts() {
    let text = report::summary(&sample());
    for part in [
        "CPM to SMS, answer",
        "SIP 202: 29,980, SIP 503: 20",
        "p99.99",
        "30,000",
        "rate                      1,000 messages/s, open loop",
        "passed: nothing lost, doubled or damaged",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let failed = report::summary(&hostile());
    assert!(failed.trim_end().ends_with(": 1 lost") && !failed.contains('\u{1b}'), "{failed}");
}

#[test]
fn the_summary_says_where_the_generator_was_behind() {
    let mut results = sample();
    results.flows[0].merge(&FlowResult {
        counts: Counts { behind: 300, ..Counts::default() },
        ..FlowResult::new("CPM to SMS, answer")
    });
    let text = report::summary(&results);
    assert!(text.contains("note: CPM to SMS, answer: 300 sent more than 1 ms late (1.00 %)"), "{text}");
    assert!(report::html(&results).contains("300 messages (1.00 %) were sent more than 1 ms late"));
}

#[test]
fn progress_is_one_line() {
    let results = sample();
    let seconds = results.flows.iter().map(|flow| (flow.name.as_str(), &flow.timeline[25]));
    let line = report::progress(26, 300, seconds.take(1));
    assert!(line.starts_with(" 26/300 s  CPM to SMS, answer: 1,000 sent, "), "{line}");
    assert!(line.contains(" refused, p50 ") && line.contains(", p99 ") && !line.contains('\n'), "{line}");
    assert_eq!(report::progress(1, 9, [("idle", &Second::default())]), "1/9 s  nothing sent");
    assert_eq!(report::progress(12, 9, []), "9+3 s  nothing sent");
}

#[test]
fn the_page_is_well_formed_and_alone() {
    for results in [sample(), hostile(), Results::default()] {
        let page = report::html(&results);
        let elements = elements(&page);
        assert!(elements.iter().all(|name| name != "script" && name != "link" && name != "img"), "{elements:?}");
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("url("));
    }
}

#[test]
fn the_page_shows_plots_and_verdict() {
    let page = report::html(&sample());
    assert_eq!(elements(&page).iter().filter(|name| *name == "figure").count(), 1 + 2 * 4);
    for part in ["Passed", "99.99 %", "messages per second", "seconds since the load began", "2026-09-21 14:13:20 UTC"]
    {
        assert!(page.contains(part), "{part}");
    }
    let failed = report::html(&hostile());
    assert!(failed.contains("Failed") && failed.contains("class=\"wrong\">1<"));
}

#[test]
fn nobody_writes_markup_into_the_page() {
    let page = report::html(&hostile());
    assert!(!page.contains("<script") && !page.contains('\u{1b}'));
    assert!(page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;\u{fffd}[2J\n]]&gt;--"));
}

#[test]
fn a_run_that_is_still_empty_has_no_plots() {
    let page = report::html(&Results { flows: vec![FlowResult::new("a")], ..Results::default() });
    assert!(!page.contains("<figure") && page.contains("nothing was sent"));
}

#[test]
fn hours_have_as_many_points_as_minutes() {
    let mut flow = FlowResult::new("a");
    (0..7_200).for_each(|at_s| flow.taken(at_s * S, at_s * S + 300, Answer::Sip(202)));
    let page = report::html(&Results { duration_us: 7_200 * S, flows: vec![flow], ..Results::default() });
    assert_eq!(page.matches("class=\"hint\"").count(), 2 * 300);
}

#[test]
fn everything_is_written_into_one_directory() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("load-report");
    let written = report::write(&sample(), &directory).unwrap();
    let names: Vec<_> = written.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "report.html",
            "timeline.csv",
            "percentiles.csv",
            "summary.txt",
            "cpm-to-sms-answer.hgrm",
            "cpm-to-sms-arrival-at-the-sm-sc.hgrm",
            "report-to-imdn.hgrm",
            "sms-to-cpm.hgrm",
        ]
    );
    assert_eq!(fs::read_to_string(&written[0]).unwrap(), report::html(&sample()));
}

#[test]
fn a_directory_that_cannot_be_is_named() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("load-report-in-the-way");
    fs::write(&file, "").unwrap();
    assert!(report::write(&sample(), &file).is_err());
}

/// Names of all elements of a page that is well-formed; every end must match its beginning.
fn elements(page: &str) -> Vec<String> {
    let mut reader = Reader::from_str(page);
    reader.config_mut().check_end_names = true;
    let mut names = Vec::new();
    let mut depth = 0_i32;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error} at {}", reader.buffer_position())) {
            Event::Start(start) => {
                depth += 1;
                start.attributes().for_each(|attribute| drop(attribute.unwrap()));
                names.push(start.name().as_ref().to_string());
            }
            Event::Empty(start) => names.push(start.name().as_ref().to_string()),
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "an element is not closed");
    names
}
