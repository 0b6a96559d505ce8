//! The load around the gateway's shard: what it counts, and that it sees every kind of harm.

use std::time::Duration;

use isthmus::engine::Moment;
use isthmus::load::{Alphabet, Answer, Counts, FlowResult, Mix, Pace, Results, Settings, SmscSettings, Way, Weighted};
use isthmus::wire::cpim::Dispositions;
use isthmus::wire::smpp::CommandStatus;

use super::net::{Harm, Net, settings};

fn flow<'r>(results: &'r Results, name: &str) -> &'r FlowResult {
    let flow = results.flows.iter().find(|flow| flow.name == name);
    flow.unwrap_or_else(|| panic!("no {name:?} in {:?}", results.flows.iter().map(|f| &f.name).collect::<Vec<_>>()))
}

fn counts(results: &Results, name: &str) -> Counts {
    flow(results, name).counts
}

const ANSWER: &str = "CPM to SMS: answer";
const ARRIVAL: &str = "CPM to SMS: arrival";

fn every<T: Copy>(all: &[T]) -> Vec<Weighted<T>> {
    all.iter().map(|what| Weighted { what: *what, weight: 1 }).collect()
}

fn hundred() -> Settings {
    Settings { duration: Some(Duration::from_secs(1)), ..settings(Mix::default()) }
}

#[test]
fn what_is_sent_at_a_rate_is_answered_and_arrives() {
    let results = Net::new(hundred()).run();
    assert!(results.verdict().passed(), "{}", results.verdict());
    let answer = counts(&results, ANSWER);
    assert_eq!((answer.intended, answer.sent, answer.answered, answer.refused), (100, 100, 100, 0));
    assert_eq!(counts(&results, ARRIVAL).arrived, 100);
    assert_eq!(flow(&results, ANSWER).answers.get(&Answer::Sip(202)), Some(&100));
    assert_eq!(results.duration_us, 1_000_000);
}

#[test]
fn every_length_alphabet_and_direction_arrives_unchanged_with_its_reports() {
    let mix = Mix {
        ways: every(&[Way::CpmToSms, Way::SmsToCpm]),
        lengths: every(&[(8, 8), (40, 40), (60, 400), (9, 170)]),
        alphabets: every(&Alphabet::ALL),
        report_share: 0.5,
        reports: Dispositions {
            positive_delivery: true,
            negative_delivery: true,
            interworking: true,
            ..Dispositions::NONE
        },
        repeat_share: 0.3,
        undelivered_share: 0.2,
    };
    let results = Net::new(Settings { messages: 600, ..settings(mix) }).run();
    assert!(results.verdict().passed(), "{}", results.verdict());
    let [to_sms, to_cpm] = [ARRIVAL, "SMS to CPM: arrival"].map(|name| counts(&results, name));
    assert!(to_sms.arrived > 200 && to_cpm.arrived > 200 && to_sms.arrived + to_cpm.arrived == 600);
    let notified = counts(&results, "status report: delivery notification");
    let interworked = counts(&results, "CPM to SMS: interworking notification");
    assert!(notified.arrived > 100 && notified.arrived == notified.sent, "{notified:?}");
    assert_eq!(interworked.arrived, notified.arrived);
}

#[test]
fn every_harm_is_seen() {
    let of = |harm: fn(u64) -> Harm| Net::new(hundred()).harmful(harm).run();
    for (results, lost, doubled, damaged) in [
        (of(|at| if at % 10 == 0 { Harm::Loses } else { Harm::Nothing }), 10, 0, 0),
        (of(|at| if at % 10 == 0 { Harm::Doubles } else { Harm::Nothing }), 0, 10, 0),
        (of(|at| if at % 10 == 0 { Harm::Damages } else { Harm::Nothing }), 0, 0, 10),
        (of(|at| if at % 10 == 5 { Harm::Delays } else { Harm::Nothing }), 0, 0, 0),
    ] {
        let seen = counts(&results, ARRIVAL);
        assert_eq!((seen.lost, seen.doubled, seen.damaged), (lost, doubled, damaged), "{seen:?}");
        assert_eq!(results.verdict().passed(), lost + doubled + damaged == 0);
    }
}

#[test]
fn segments_in_another_order_make_the_same_text_and_a_harmed_one_does_not() {
    let mix = Mix { lengths: every(&[(300, 300)]), ..Mix::default() };
    let long = |harm: fn(u64) -> Harm| Net::new(Settings { messages: 30, ..settings(mix.clone()) }).harmful(harm).run();
    let results = long(|at| if at % 3 == 1 { Harm::Delays } else { Harm::Nothing });
    assert!(results.verdict().passed(), "{}", results.verdict());
    assert_eq!(counts(&long(|at| if at == 7 { Harm::Loses } else { Harm::Nothing }), ARRIVAL).lost, 1);
    assert_eq!(counts(&long(|at| if at == 7 { Harm::Doubles } else { Harm::Nothing }), ARRIVAL).doubled, 1);
    assert_eq!(counts(&long(|at| if at == 7 { Harm::Damages } else { Harm::Nothing }), ARRIVAL).damaged, 1);
}

#[test]
fn a_second_of_silence_is_a_second_of_latencies() {
    let mut net = Net::new(Settings { duration: Some(Duration::from_secs(4)), ..settings(Mix::default()) });
    net.stall = Some((Moment(3_100_000), Moment(4_100_000)));
    let results = net.run();
    assert!(results.verdict().passed(), "{}", results.verdict());
    let latency_us = &flow(&results, ANSWER).latency_us;
    assert_eq!(latency_us.len(), 400);
    // One hundred messages were due in the silence, evenly, and none of them was forgotten.
    let slow = |from: u64, to: u64| latency_us.count_between(from, to - 1);
    assert!((99..=101).contains(&slow(5_000, 1_100_000)), "{}", slow(5_000, 1_100_000));
    assert!((49..=51).contains(&slow(500_000, 1_100_000)), "{}", slow(500_000, 1_100_000));
    assert!((9..=11).contains(&slow(900_000, 1_100_000)), "{}", slow(900_000, 1_100_000));
}

#[test]
fn a_ramp_sends_exactly_its_area() {
    let pace = Pace::Ramp { from_per_s: 50.0, to_per_s: 150.0, over_s: 2.0 };
    let results = Net::new(Settings { pace, duration: Some(Duration::from_secs(2)), ..settings(Mix::default()) }).run();
    let sent: Vec<u64> = flow(&results, ANSWER).timeline.iter().map(|second| second.sent).take(2).collect();
    assert_eq!(sent, [75, 125]);
}

#[test]
fn what_is_due_in_the_warm_up_is_not_counted() {
    let warm_up = Duration::from_millis(300);
    let results = Net::new(Settings { warm_up, ..hundred() }).run();
    assert_eq!(counts(&results, ANSWER).sent, 70);
    assert_eq!((counts(&results, ARRIVAL).arrived, results.duration_us), (70, 700_000));
}

#[test]
fn a_window_keeps_as_many_under_way() {
    let smsc = SmscSettings {
        answer_delay: (Duration::from_millis(100), Duration::from_millis(100)),
        ..SmscSettings::default()
    };
    let load = Settings { pace: Pace::Closed { window: 20 }, smsc: Some(smsc), ..hundred() };
    let results = Net::new(load).run();
    assert!(results.verdict().passed(), "{}", results.verdict());
    // Twenty every hundred milliseconds.
    assert_eq!(counts(&results, ANSWER).sent, 200);
    assert!(flow(&results, ANSWER).latency_us.min() >= 100_000 - 100);
}

#[test]
fn errors_and_throttling_are_counted_by_code_and_lose_nothing() {
    let answered = |smsc: SmscSettings| {
        let results = Net::new(Settings { smsc: Some(smsc), ..hundred() }).run();
        assert!(results.verdict().passed(), "{}", results.verdict());
        flow(&results, ANSWER).clone()
    };
    let error_status = CommandStatus::ESME_RINVDSTADR;
    let refused = answered(SmscSettings { error_share: 0.3, error_status, ..SmscSettings::default() });
    assert!((15..45).contains(&refused.counts.refused), "{:?}", refused.answers);
    assert_eq!(refused.counts.answered, 100);
    let throttled = answered(SmscSettings { throttle: 20, ..SmscSettings::default() });
    assert_eq!(throttled.counts.answered, 100, "{:?}", throttled.answers);
}

#[test]
fn a_status_report_that_is_not_taken_for_now_is_sent_again() {
    let reports = Dispositions { positive_delivery: true, ..Dispositions::NONE };
    let mix = Mix { report_share: 1.0, reports, ..Mix::default() };
    // More at once than the gateway takes of a bind.
    let smsc = SmscSettings { window: 2_000, report_delay: Duration::from_secs(1), ..SmscSettings::default() };
    let pace = Pace::Open { per_s: 1_000_000.0 };
    let results = Net::new(Settings { pace, messages: 800, smsc: Some(smsc), ..settings(mix) }).run();
    assert!(results.verdict().passed(), "{}", results.verdict());
    let notified = counts(&results, "status report: delivery notification");
    assert_eq!((notified.sent, notified.arrived), (800, 800));
}

#[test]
fn the_same_seed_makes_the_same_messages() {
    let mix = Mix { lengths: every(&[(8, 200)]), alphabets: every(&Alphabet::ALL), ..Mix::default() };
    let texts = |seed| {
        let texts = isthmus::load::Texts::new(seed, &mix);
        (0..500)
            .map(|number| {
                let mut text = String::new();
                texts.write(&texts.message(number), &mut text);
                text
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(texts(5), texts(5));
    assert!(texts(5).iter().zip(texts(6)).all(|(one, other)| *one != other));
}

#[test]
fn a_text_is_known_by_itself_and_by_nothing_else() {
    use isthmus::load::{Judged, Texts};
    let mix = Mix { lengths: every(&[(8, 100)]), alphabets: every(&Alphabet::ALL), ..Mix::default() };
    let texts = Texts::new(9, &mix);
    for number in [0, 1, 77, 99_999, 1_000_000_007] {
        let mut text = String::new();
        texts.write(&texts.message(number), &mut text);
        assert_eq!(text.chars().count(), texts.message(number).characters as usize);
        assert_eq!(texts.judge(&text), Judged::Intact(number));
        assert_eq!(texts.judge(&format!("{text}.")), Judged::Damaged(number));
        assert_eq!(texts.judge(&text[1..]), Judged::Unknown);
    }
    assert_eq!(texts.judge(""), Judged::Unknown);
}
