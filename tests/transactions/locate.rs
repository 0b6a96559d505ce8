//! Locating servers (RFC 3263 4, RFC 2782), in the world of a zone file.

use isthmus::engine::sip::{Locate, NextHop, Reach, Step, Target, Targets};
use isthmus::engine::transport::{Record, RecordKind, Transport};
use isthmus::engine::{Moment, Random};
use isthmus::limits;
use isthmus::wire::sip::uri::{SipUri, Uri};
use proptest::prelude::*;

use crate::rows;

const SECOND: u64 = 1_000_000;

fn zone(name: &str, kind: RecordKind) -> (Vec<Record>, u32) {
    let wanted = |row: &&Vec<&str>| row[0].eq_ignore_ascii_case(name.trim_end_matches('.')) && row[1] == text_of(kind);
    let found: Vec<Vec<&str>> = rows(include_str!("../spec/locate_zone.tsv")).collect();
    let found: Vec<&Vec<&str>> = found.iter().filter(wanted).collect();
    let ttl_s = found.iter().map(|row| row[2].parse().unwrap()).min().unwrap_or(0);
    (found.iter().map(|row| record(row[1], row[3])).collect(), ttl_s)
}

fn record(kind: &str, data: &str) -> Record {
    let fields: Vec<&str> = data.split(' ').collect();
    let number = |at: usize| fields[at].parse().unwrap();
    match kind {
        "NAPTR" => naptr(number(0), number(1), fields[2], fields[3], fields[4]),
        "SRV" => srv(number(0), number(1), number(2), fields[3]),
        _ => Record::Address(data.parse().unwrap()),
    }
}

fn naptr(order: u16, preference: u16, flags: &str, service: &str, replacement: &str) -> Record {
    let [flags, service, replacement] = [flags, service, replacement].map(str::to_owned);
    Record::Naptr { order, preference, flags, service, replacement }
}

fn srv(priority: u16, weight: u16, port: u16, target: &str) -> Record {
    Record::Srv { priority, weight, port, target: target.to_owned() }
}

fn text_of(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Naptr => "NAPTR",
        RecordKind::Srv => "SRV",
        RecordKind::Address => "ADDRESS",
    }
}

fn sip_uri(uri: &str) -> SipUri<'_> {
    let Some(Uri::Sip(uri)) = Uri::parse(uri.as_bytes()) else { panic!("{uri} is no SIP URI") };
    uri
}

/// The questions of a lookup, and its end.
fn look_up(
    uri: &str,
    reach: Reach,
    answer: impl Fn(&str, RecordKind) -> (Vec<Record>, u32),
) -> (Vec<String>, Option<Targets>) {
    let (mut locate, mut step) = Locate::start(&sip_uri(uri), reach);
    let (mut questions, mut random) = (Vec::new(), Random::from_seed([5; 32]));
    loop {
        match step {
            Step::Ask { name, kind } => {
                questions.push(format!("{} {name}", text_of(kind)));
                let (records, ttl_s) = answer(&name, kind);
                step = locate.answered(&records, ttl_s, &mut random);
            }
            Step::Done(targets) => return (questions, Some(targets)),
            Step::Failed => return (questions, None),
        }
    }
}

fn listed<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() { "-".to_owned() } else { items.join(", ") }
}

fn text_of_target(target: &Target) -> String {
    let transport = if target.transport == Transport::Udp { "udp" } else { "tcp" };
    format!("{transport} {}", target.peer)
}

#[test]
fn each_uri_leads_where_rfc_3263_says() {
    for row in rows(include_str!("../spec/locate.tsv")) {
        let [section, uri, reach, questions, targets, ttl_s] = row[..] else { panic!("{row:?}") };
        let reach = Reach { udp_ipv4: reach.contains('4'), udp_ipv6: reach.contains('6') };
        let (asked, found) = look_up(uri, reach, zone);
        assert_eq!(listed(asked), questions, "{section}: {uri}");
        let list = found.iter().flat_map(Targets::as_slice).map(text_of_target);
        assert_eq!(listed(list), targets, "{section}: {uri}");
        assert_eq!(listed(found.and_then(|found| found.ttl()).map(|ttl| ttl.as_secs())), ttl_s, "{section}: {uri}");
    }
}

/// RFC 2782, "Weight": the share of first places is the share of the weight.
#[test]
fn weights_are_shares_and_a_weight_of_zero_is_a_small_chance() {
    let answer = |name: &str, kind: RecordKind| match (name, kind) {
        (_, RecordKind::Srv) => {
            (vec![srv(1, 60, 1, "a"), srv(1, 30, 1, "b"), srv(1, 0, 1, "c"), srv(2, 99, 1, "d")], 60)
        }
        (name, _) => (vec![Record::Address([192, 0, 2, name.as_bytes()[0] - b'a' + 1].into())], 60),
    };
    let (_, targets) = look_up("sip:x;transport=udp", Reach::ALL, answer);
    let (mut targets, mut random, mut firsts) = (targets.unwrap(), Random::from_seed([9; 32]), [0_u32; 4]);
    for _ in 0..10_000 {
        targets.draw(&mut random, |_| true);
        assert_eq!(targets.as_slice().len(), 4);
        assert_eq!(targets.as_slice()[3].peer.to_string(), "192.0.2.4:1", "the other priority is last");
        let std::net::IpAddr::V4(first) = targets.as_slice()[0].peer.ip() else { panic!() };
        firsts[usize::from(first.octets()[3]) - 1] += 1;
    }
    assert!((6_400..6_800).contains(&firsts[0]) && (3_100..3_500).contains(&firsts[1]), "{firsts:?}");
    assert!((50..200).contains(&firsts[2]), "{firsts:?}");
}

fn any_record() -> impl Strategy<Value = Record> {
    let name = || prop_oneof![Just("a.x"), Just("b.x."), Just("."), Just(""), Just("c")];
    prop_oneof![
        (
            0..3_u16,
            0..3_u16,
            prop_oneof![Just("s"), Just("u")],
            prop_oneof![Just("SIP+D2U"), Just("SIP+D2T"), Just("?")],
            name()
        )
            .prop_map(|(order, preference, flags, service, to)| naptr(order, preference, flags, service, to)),
        (0..3_u16, 0..3_u16, any::<u16>(), name())
            .prop_map(|(priority, weight, port, to)| srv(priority, weight, port, to)),
        any::<u8>().prop_map(|last| Record::Address([192, 0, 2, last].into())),
    ]
}

proptest! {
    /// Whatever the DNS says, the lookup ends, with few questions and few targets.
    #[test]
    fn every_lookup_ends(answers in proptest::collection::vec(proptest::collection::vec(any_record(), 0..12), 14)) {
        let (mut locate, mut step) = Locate::start(&sip_uri("sip:x"), Reach::ALL);
        let mut random = Random::from_seed([1; 32]);
        let mut asked = 0;
        while let Step::Ask { .. } = step {
            step = locate.answered(&answers[asked], 1, &mut random);
            asked += 1;
            prop_assert!(asked <= 1 + limits::SIP_SERVICES_MAX + limits::SIP_TARGETS_MAX);
        }
        if let Step::Done(targets) = step {
            prop_assert!((1..=limits::SIP_TARGETS_MAX).contains(&targets.as_slice().len()));
        }
    }
}

struct Hop {
    hop: NextHop,
    random: Random,
}

impl Hop {
    fn new(uri: &str) -> Hop {
        Hop { hop: NextHop::new(uri.as_bytes(), Reach::ALL).unwrap(), random: Random::from_seed([2; 32]) }
    }

    /// Answers every question at `at`; how many there were.
    fn answer_all(&mut self, at: u64, answer: impl Fn(&str, RecordKind) -> (Vec<Record>, u32)) -> usize {
        let mut count = 0;
        while let Some((name, kind)) = self.hop.poll_query(Moment(at)) {
            assert_eq!(self.hop.poll_timeout(), None, "a question is asked once");
            assert_eq!(self.hop.poll_query(Moment(at)), None);
            let (records, ttl_s) = answer(&name, kind);
            self.hop.answered(Moment(at), &records, ttl_s, &mut self.random);
            count += 1;
        }
        count
    }

    fn targets(&mut self, at: u64) -> String {
        listed(self.hop.targets(Moment(at), &mut self.random).iter().map(text_of_target))
    }
}

#[test]
fn a_numeric_next_hop_is_known_at_once_and_for_good() {
    let mut hop = Hop::new("sip:192.0.2.9;transport=tcp");
    assert!(hop.hop.is_known());
    assert_eq!((hop.hop.poll_query(Moment(0)), hop.hop.poll_timeout()), (None, None));
    assert_eq!(hop.targets(0), "tcp 192.0.2.9:5060");
    for bad in ["tel:+1", "sips:a.example", "sip:192.0.2.9;transport=ws", "192.0.2.9", "sip:x;maddr=a/b"] {
        assert!(NextHop::new(bad.as_bytes(), Reach::ALL).is_none(), "{bad}");
    }
}

#[test]
fn a_next_hop_is_asked_for_again_when_its_time_is_over_and_serves_meanwhile() {
    let mut hop = Hop::new("sip:plain.example:5060");
    assert!(!hop.hop.is_known());
    assert_eq!(hop.hop.poll_timeout(), Some(Moment(0)));
    assert_eq!(hop.answer_all(0, zone), 1);
    assert_eq!(hop.targets(0), "udp 192.0.2.30:5060, udp 192.0.2.31:5060");
    assert_eq!(hop.hop.poll_timeout(), Some(Moment(40 * SECOND)));
    assert_eq!(hop.hop.poll_query(Moment(39 * SECOND)), None);
    assert!(hop.hop.poll_query(Moment(40 * SECOND)).is_some());
    assert_eq!(hop.targets(41 * SECOND), "udp 192.0.2.30:5060, udp 192.0.2.31:5060");
    hop.hop.answered(Moment(42 * SECOND), &[Record::Address([192, 0, 2, 33].into())], 0, &mut hop.random);
    assert_eq!(hop.targets(42 * SECOND), "udp 192.0.2.33:5060");
    assert_eq!(hop.hop.poll_timeout(), Some(Moment(47 * SECOND)), "a time to live of zero is five seconds");
}

#[test]
fn a_failed_lookup_keeps_what_is_known_and_is_repeated_less_and_less_often() {
    let mut hop = Hop::new("sip:plain.example:5060");
    hop.answer_all(0, zone);
    let (mut at, mut waits) = (40, Vec::new());
    for _ in 0..8 {
        assert_eq!(hop.answer_all(at * SECOND, |_, _| (Vec::new(), 0)), 1);
        let next = hop.hop.poll_timeout().unwrap().0 / SECOND;
        waits.push(next - at);
        at = next;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(hop.targets(at * SECOND), "udp 192.0.2.30:5060, udp 192.0.2.31:5060");
    assert_eq!(hop.answer_all(at * SECOND, zone), 1);
    assert_eq!(hop.hop.poll_timeout(), Some(Moment((at + 40) * SECOND)));
}

#[test]
fn a_paused_target_is_the_last_resort_until_its_pause_is_over() {
    let mut hop = Hop::new("sip:plain.example:5060");
    hop.answer_all(0, zone);
    let first = hop.hop.targets(Moment(0), &mut hop.random)[0];
    hop.hop.pause(Moment(0), first, Some(10));
    assert_eq!(hop.targets(SECOND), "udp 192.0.2.31:5060, udp 192.0.2.30:5060");
    hop.hop.pause(Moment(0), Target { peer: "192.0.2.31:5060".parse().unwrap(), ..first }, None);
    assert_eq!(hop.targets(2 * SECOND), "udp 192.0.2.30:5060, udp 192.0.2.31:5060", "all are paused");
    assert_eq!(hop.targets(10 * SECOND), "udp 192.0.2.30:5060, udp 192.0.2.31:5060");
    hop.hop.pause(Moment(30 * SECOND), first, None);
    assert_eq!(hop.targets(59 * SECOND), "udp 192.0.2.31:5060, udp 192.0.2.30:5060");
    assert_eq!(hop.targets(60 * SECOND), "udp 192.0.2.30:5060, udp 192.0.2.31:5060");
}

/// RFC 3261 21.5.4; but nobody can turn us away for a year.
#[test]
fn a_retry_after_is_believed_for_an_hour_at_most() {
    let mut hop = Hop::new("sip:plain.example:5060");
    let hour = limits::SIP_TARGET_PAUSE_S_MAX * SECOND;
    hop.answer_all(0, zone);
    let first = hop.hop.targets(Moment(0), &mut hop.random)[0];
    hop.hop.pause(Moment(0), first, Some(u32::MAX));
    assert_eq!(hop.targets(hour - 1), "udp 192.0.2.31:5060, udp 192.0.2.30:5060");
    assert_eq!(hop.targets(hour), "udp 192.0.2.30:5060, udp 192.0.2.31:5060");
}
