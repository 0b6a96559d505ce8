//! Results add up, and their verdict says what is wrong.

use isthmus::limits::{LOAD_BEHIND_US, LOAD_LATENCY_US_MAX, LOAD_SECONDS_MAX};
use isthmus::load::{Answer, Counts, FlowResult, Results, Setting};
use isthmus::wire::smpp::CommandStatus;

const S: u64 = 1_000_000;

/// A flow whose messages are due every millisecond from 0, each answered after `latency_us`.
fn flow(name: &str, latencies_us: &[u64]) -> FlowResult {
    let mut flow = FlowResult::new(name);
    for (due_us, latency_us) in (0..).step_by(1_000).zip(latencies_us) {
        flow.counts.intended += 1;
        flow.sent(due_us, due_us);
        flow.taken(due_us, due_us + latency_us, Answer::Sip(202));
    }
    flow
}

fn results(began_unix_ms: u64, duration_us: u64, flows: Vec<FlowResult>) -> Results {
    Results { settings: vec![Setting::new("rate", 1_000)], began_unix_ms, duration_us, flows, ..Results::default() }
}

#[test]
fn latency_counts_from_when_a_message_was_due() {
    let mut flow = FlowResult::new("f");
    flow.sent(0, LOAD_BEHIND_US);
    flow.sent(1_000, 1_001 + LOAD_BEHIND_US);
    flow.taken(0, 500, Answer::Sip(202));
    flow.arrived(1_000, 3 * S);
    assert_eq!(flow.counts, Counts { sent: 2, behind: 1, answered: 1, arrived: 1, ..Counts::default() });
    assert_eq!((flow.latency_us.min(), flow.latency_us.len()), (500, 2));
    assert!(flow.latency_us.equivalent(flow.latency_us.max(), 3 * S - 1_000));
}

#[test]
fn a_second_has_what_happened_in_it() {
    let mut flow = FlowResult::new("f");
    (0..100).for_each(|n| flow.taken(n, n + 1 + n * 10, Answer::Sip(202)));
    flow.sent(0, 2 * S);
    flow.refused(2 * S + 1, Answer::Sip(503));
    let [first, second, third] = &flow.timeline[..] else { panic!("{}", flow.timeline.len()) };
    assert_eq!((first.sent, first.answered, first.refused), (0, 100, 0));
    assert_eq!((first.quantile_us(0.5), first.quantile_us(0.99), first.max_us()), (Some(491), Some(983), Some(991)));
    assert_eq!((second.answered, second.quantile_us(0.5), second.max_us()), (0, None, None));
    assert_eq!((third.sent, third.answered, third.refused), (1, 0, 1));
    assert_eq!(flow.latency_us.len(), 100, "what was refused has no latency");
}

#[test]
fn bounds_hold() {
    let mut flow = FlowResult::new("f");
    flow.taken(0, u64::MAX, Answer::None);
    assert_eq!(flow.timeline.len(), LOAD_SECONDS_MAX);
    let max_us = flow.latency_us.max();
    assert!((LOAD_LATENCY_US_MAX..2 * LOAD_LATENCY_US_MAX).contains(&max_us), "{max_us}");
}

#[test]
fn cores_add_up() {
    let [short, long] = [vec![100; 500], vec![4_000; 1_500]];
    let mut sum = results(1_000, 10 * S, vec![flow("a", &short)]);
    sum.merge(results(3_000, 9 * S, vec![flow("a", &long), flow("b", &short)]));
    assert_eq!((sum.began_unix_ms, sum.duration_us), (1_000, 11 * S));
    assert_eq!(sum.flows.iter().map(|flow| flow.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let a = &sum.flows[0];
    assert_eq!((a.counts.intended, a.counts.sent, a.counts.answered), (2_000, 2_000, 2_000));
    assert_eq!(a.answers.iter().collect::<Vec<_>>(), [(&Answer::Sip(202), &2_000)]);
    assert_eq!((a.latency_us.len(), a.latency_us.value_at_quantile(0.25)), (2_000, 100));
    assert!(a.latency_us.equivalent(a.latency_us.value_at_quantile(0.26), 4_000));
    let per_second: Vec<_> = a.timeline.iter().map(|second| (second.sent, second.answered)).collect();
    assert_eq!(per_second, [(1_500, 500 + 996), (500, 504)]);
}

#[test]
fn the_order_of_cores_does_not_matter() {
    let [mut one, mut other] = [flow("a", &[1, 2, 3]), flow("a", &vec![9_999; 2_000])];
    other.refused(S, Answer::Smpp(CommandStatus::ESME_RTHROTTLED));
    let (first, second) = (one.clone(), other.clone());
    one.merge(&second);
    other.merge(&first);
    assert_eq!((one.counts, &one.answers), (other.counts, &other.answers));
    assert_eq!(one.latency_us, other.latency_us);
    assert_eq!(one.timeline.len(), other.timeline.len());
}

#[test]
fn a_clean_run_passes() {
    let mut clean = flow("a", &[1, 2]);
    clean.refused(1, Answer::Sip(503));
    let verdict = results(0, S, vec![clean, FlowResult::new("unused")]).verdict();
    assert!(verdict.passed());
    assert_eq!(verdict.to_string(), "passed: nothing lost, doubled or damaged");
}

#[test]
fn a_fast_wrong_gateway_fails() {
    let none = Counts::default();
    for (extra, says) in [
        (Counts { lost: 3, ..none }, "FAILED: a: 3 lost"),
        (Counts { doubled: 1, ..none }, "FAILED: a: 1 doubled"),
        (Counts { damaged: 2, ..none }, "FAILED: a: 2 damaged"),
    ] {
        let mut flow = flow("a", &[1, 2]);
        flow.merge(&FlowResult { counts: extra, ..FlowResult::new("a") });
        assert_eq!(results(0, S, vec![flow]).verdict().to_string(), says);
    }
}

#[test]
fn nothing_done_is_nothing_passed() {
    assert_eq!(results(0, S, vec![]).verdict().to_string(), "FAILED: all: nothing was sent");
    let mut refused = FlowResult::new("a");
    refused.sent(0, 0);
    refused.refused(1, Answer::Sip(503));
    assert_eq!(results(0, S, vec![refused]).verdict().to_string(), "FAILED: a: 1 sent and none taken");
}

#[test]
fn answers_say_what_they_are() {
    let answers = [
        (Answer::Sip(202), "SIP 202"),
        (Answer::Smpp(CommandStatus::ESME_RTHROTTLED), "ESME_RTHROTTLED"),
        (Answer::Smpp(CommandStatus(0x400)), "command_status 0x00000400"),
        (Answer::Word("delivered"), "delivered"),
        (Answer::None, "no answer"),
    ];
    answers.into_iter().for_each(|(answer, text)| assert_eq!(answer.to_string(), text));
}
