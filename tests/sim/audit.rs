//! What was sent, and what must have become of it: every message is lost, doubled or changed in no case, and what nobody
//! can know is counted.

use std::collections::BTreeMap;
use std::time::Duration;

use isthmus::wire::cpim;
use isthmus::wire::cpim::imdn::{self, Notification, Status};
use isthmus::wire::sip::{Index, Message};
use isthmus::wire::smpp::CommandStatus;

use crate::cpm::Outgoing;
use crate::mms_users::cpim_in;
use crate::smsc::Accepted;
use crate::text::joined;
use crate::world::World;

const TEXTS: [&str; 4] = [
    "Hello",
    "Grüße aus Köln [€] {~}",
    "Ελληνικά και 漢字 😀👍🏽 together",
    "a long text that needs more than one short message because it goes on and on and on, [brackets] and €uro signs \
     included, until it has gone past one hundred and sixty septets by a good margin, and then some more of it follows",
];

/// Names its seed if the test fails while it lives.
pub struct Seed(pub u8);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            #[allow(clippy::print_stderr, reason = "what failed must be found again")]
            {
                eprintln!("seed {}", self.0);
            }
        }
    }
}

/// Runs a test with each seed, on one core, two and three in turn; with more seeds if SIM_SEEDS says how many, up to 255.
pub fn seeds(count: u8, test: impl Fn(u8, u16)) {
    let more = std::env::var("SIM_SEEDS").ok().and_then(|count| count.parse().ok());
    for seed in 0..more.unwrap_or(count) {
        let _named = Seed(seed);
        test(seed, u16::from(seed % 3) + 1);
    }
}

/// The message of this number. Its recipient gets no other.
pub fn outgoing(number: usize) -> Outgoing {
    Outgoing {
        call_id: format!("m{number}@client.example"),
        from: "+491700000001".into(),
        to: format!("+4917{number:08}"),
        dispositions: [Some("positive-delivery, negative-delivery"), None, Some("interworking")][number % 3],
        imdn_message_id: format!("imdn-{number}"),
        text: format!("{} #{number}", TEXTS[number % TEXTS.len()]),
        headers: String::new(),
    }
}

/// Sends the messages of these numbers, one each `pace`.
pub fn send_all(world: &mut World, numbers: core::ops::Range<usize>, pace: Duration) {
    for number in numbers {
        let message = outgoing(number);
        world.cpm.send(world.now.moment, &message);
        world.run_for(pace);
    }
}

/// The short messages of each recipient, by reference.
fn sets(world: &World) -> BTreeMap<Vec<u8>, BTreeMap<Option<u16>, Vec<&Accepted>>> {
    let mut sets: BTreeMap<Vec<u8>, BTreeMap<Option<u16>, Vec<&Accepted>>> = BTreeMap::new();
    for accepted in world.smscs.iter().flat_map(|smsc| &smsc.accepted) {
        let reference = accepted.sar.map(|(reference, ..)| reference);
        let of = sets.entry(accepted.destination_addr.clone()).or_default();
        of.entry(reference).or_default().push(accepted);
    }
    sets
}

/// What became of many messages.
#[derive(Debug, Default)]
pub struct Tally {
    /// By response code.
    pub codes: BTreeMap<u16, u64>,
}

impl Tally {
    pub fn of(&self, code: u16) -> u64 {
        self.codes.get(&code).copied().unwrap_or(0)
    }
}

/// Checks the messages of these numbers: what was answered 202 was taken once and whole, nothing was taken twice, and each
/// notification that was due came once. `outcome` is what a `delivery-notification` says.
pub fn audit(world: &World, numbers: core::ops::Range<usize>, outcome: Status) -> Tally {
    let sets = sets(world);
    let mut tally = Tally::default();
    let all = notifications(world);
    let mut told = all.clone();
    for number in numbers {
        let message = outgoing(number);
        let code = *world.cpm.answers.get(&message.call_id).unwrap_or_else(|| panic!("no answer to {number}"));
        *tally.codes.entry(code).or_default() += 1;
        let taken = sets.get(message.to.trim_start_matches('+').as_bytes());
        check_taken(&message, code, taken);
        told.retain(|(id, ..)| *id != message.imdn_message_id || code != 202);
        if code == 202 {
            assert_eq!(told_of(&all, &message.imdn_message_id), due(number, outcome), "notifications of {number}");
        }
    }
    assert_eq!(told, [], "nobody asked for these");
    tally
}

fn check_taken(message: &Outgoing, code: u16, taken: Option<&BTreeMap<Option<u16>, Vec<&Accepted>>>) {
    let Some(taken) = taken else { return assert_ne!(code, 202, "{} is lost", message.call_id) };
    assert_eq!(taken.len(), 1, "{} was submitted once: {taken:?}", message.call_id);
    let parts = taken.values().next().unwrap();
    if code == 202 {
        return assert_eq!(joined(parts), message.text, "{}", message.call_id);
    }
    let mut numbers: Vec<u8> = parts.iter().map(|part| part.sar.map_or(1, |(_, _, number)| number)).collect();
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{} has segments twice", message.call_id);
}

/// The notifications that the message of this number asks for.
pub fn due(number: usize, outcome: Status) -> Vec<(Notification, Status)> {
    let interworking = if outcome == Status::Delivered { Status::LegacySms } else { Status::Error };
    match number % 3 {
        0 => vec![(Notification::Delivery, outcome)],
        2 => vec![(Notification::Interworking, interworking)],
        _ => Vec::new(),
    }
}

fn told_of(all: &[(String, Notification, Status)], id: &str) -> Vec<(Notification, Status)> {
    all.iter().filter(|(known, ..)| known == id).map(|(_, notification, status)| (*notification, *status)).collect()
}

/// Message-ID, notification and status of every IMDN that the CPM side has taken.
pub fn notifications(world: &World) -> Vec<(String, Notification, Status)> {
    let mut found = Vec::new();
    for received in world.cpm.received.iter().filter(|received| (200..300).contains(&received.code)) {
        let mut index = Index::new();
        let message = Message::parse(&received.bytes, &mut index).unwrap();
        let cpim = cpim::Message::parse(cpim_in(message.body())).expect("CPIM");
        if cpim.is_imdn() {
            let document = imdn::read(cpim.content()).expect("IMDN");
            let outcomes: Vec<_> = document.notifications.iter().collect();
            assert_eq!(outcomes.len(), 1, "one notification per document");
            found.push((document.message_id.to_string(), outcomes[0].0, outcomes[0].1));
        }
    }
    found
}

/// The texts that the CPM side has taken, with their senders' URIs.
pub fn texts(world: &World) -> BTreeMap<String, Vec<String>> {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for received in world.cpm.received.iter().filter(|received| (200..300).contains(&received.code)) {
        let mut index = Index::new();
        let message = Message::parse(&received.bytes, &mut index).unwrap();
        let cpim = cpim::Message::parse(message.body()).expect("CPIM");
        if !cpim.is_imdn() {
            let from = String::from_utf8(message.from().unwrap().uri.to_vec()).unwrap();
            texts.entry(from).or_default().push(String::from_utf8(cpim.content().to_vec()).unwrap());
        }
    }
    texts
}

/// Nothing is left over anywhere: no message, no id, no transaction, no delivery without its answer.
pub fn nothing_is_left(world: &World) {
    let left = |what: fn(&isthmus::observe::Stats) -> u64| world.count(what);
    assert_eq!(left(|s| s.open_messages), 0, "open messages");
    assert_eq!(left(|s| s.held_reports), 0, "held reports");
    assert_eq!(left(|s| s.undelivered), 0, "undelivered");
    for delivery in world.smscs.iter().flat_map(|smsc| &smsc.deliveries) {
        let last = delivery.statuses.last();
        assert!(last.is_some_and(|status| *status != CommandStatus::ESME_RX_T_APPN), "{delivery:?}");
    }
}
