//! Two cores, everything received by one of them: what it owns, beside what the other owns.

use isthmus::engine::transport::ShardId;
use isthmus::shell::Backend;

use crate::flows::{self, Cost};
use crate::rows::Row;
use crate::site::{Plan, Site};
use crate::{MESSAGES, ROUNDS, forget};

/// So many numbers apart, what belongs to different cores is not the same.
const FAR: usize = 10_000_000;
/// As many as all rounds together, and one round more for those flows that need messages of before.
const WARM_UP: usize = (ROUNDS + 1) * MESSAGES;

struct Flow {
    name: &'static str,
    what: &'static str,
    reported: bool,
    /// How often each message crosses to another core if it is not received by its owner.
    crossings: usize,
    warm_up: fn(&mut Site, ShardId),
    round: fn(&mut Site, ShardId, usize) -> Cost,
}

const FLOWS: [Flow; 3] = [
    Flow {
        name: "handed-submit",
        what: "MESSAGE to the core that owns its Call-ID",
        reported: false,
        crossings: 1,
        warm_up: |site, owner| submit(site, owner, 0, WARM_UP),
        round: |site, owner, round| {
            flows::measure(MESSAGES, || submit(site, owner, WARM_UP + round * MESSAGES, MESSAGES))
        },
    },
    Flow {
        name: "handed-deliver",
        what: "deliver_sm to the core that owns its numbers, its answer back, the 200 to the owner of the MESSAGE",
        reported: false,
        crossings: 3,
        warm_up: |site, owner| deliver(site, owner, WARM_UP),
        round: |site, owner, _| flows::measure(MESSAGES, || deliver(site, owner, MESSAGES)),
    },
    Flow {
        name: "handed-report",
        what: "report to the core that owns the message, its answer and the end of its message_id back, the 200 to the \
               owner of the IMDN",
        reported: true,
        crossings: 4,
        warm_up: submit_and_report,
        round: |site, owner, round| {
            let ids = ids_of(site, owner);
            flows::measure(MESSAGES, || flows::report(site, &ids[(round + 1) * MESSAGES..][..MESSAGES]))
        },
    },
];

/// All of them, or those that are wanted by their names.
pub fn handed_over(backends: &[(&'static str, Backend)], wanted: impl Fn(&str) -> bool) {
    println!("received on the core that does not own it, beside one that does; two cores on the peers' processors");
    let all = wanted("handed");
    FLOWS.iter().filter(|flow| all || wanted(flow.name)).for_each(|flow| beside_the_owned(flow, backends));
}

fn beside_the_owned(flow: &Flow, backends: &[(&'static str, Backend)]) {
    let two = |backend| Site::new(Plan { backend, cores: 2, reported: flow.reported, pace: None });
    let mut sites: Vec<_> = backends.iter().map(|(_, backend)| two(*backend)).collect();
    sites.iter_mut().for_each(|site| warm_up(flow, site));
    forget(&mut sites);
    println!("{}: {}", flow.name, flow.what);
    for ((backend, _), site) in backends.iter().zip(&mut sites) {
        let mut row = Row::new(flow.name, backend, "owned");
        for round in 0..ROUNDS {
            let [owned, handed] = [true, false].map(|owned| (flow.round)(site, owner(site, owned), round));
            row.add(handed, owned.cpu_us);
        }
        row.print();
    }
}

/// Everything arrives where CPM's datagrams do. What that core owns stays there, the rest crosses as often as it is said
/// to; a window that is full for a moment may send a few another way.
fn warm_up(flow: &Flow, site: &mut Site) {
    site.find_receiver();
    for (owned, crossings) in [(true, 0), (false, flow.crossings)] {
        let (before, owner) = (site.crossed(), owner(site, owned));
        (flow.warm_up)(site, owner);
        let crossed = site.crossed() - before;
        let least = u64::try_from(crossings * MESSAGES).unwrap();
        assert!(
            if owned { crossed < 100 } else { crossed >= least },
            "{}: {crossed} crossed, owned: {owned}",
            flow.name
        );
    }
}

fn owner(site: &Site, owned: bool) -> ShardId {
    if owned { site.receiver } else { ShardId(1 - site.receiver.0) }
}

fn submit(site: &mut Site, owner: ShardId, first: usize, count: usize) {
    let numbers = site.owned_by(owner, usize::from(owner.0) * FAR + 3 * first, count);
    flows::submit(site, &numbers);
}

fn deliver(site: &mut Site, owner: ShardId, count: usize) {
    let sender = site.sender_owned_by(owner);
    flows::deliver(site, &sender, count);
}

/// What is reported in the rounds, and one round more, which is reported at once.
fn submit_and_report(site: &mut Site, owner: ShardId) {
    let ids = ids_of(site, owner);
    site.smsc.ids = ids.clone().into_iter();
    submit(site, owner, 0, WARM_UP);
    flows::report(site, &ids[..MESSAGES]);
}

/// message_ids that the receiving core looks up itself, whoever owns the messages.
fn ids_of(site: &Site, owner: ShardId) -> Vec<u64> {
    let first = u64::from(owner.0) * u64::try_from(FAR).unwrap() + 1;
    site.ids_known_to(site.receiver, first, WARM_UP)
}
