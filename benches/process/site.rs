//! A gateway and the peers around it. The gateway's cores have processors of their own where the host has enough; the
//! peers take turns on the calling thread, which never sleeps: the gateway is not charged for waking it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use isthmus::engine::transport::{ShardId, Transport};
use isthmus::observe::ShellStats;
use isthmus::shard::Shard;
use isthmus::shard::settings::{Listener, Network, Settings, SipSettings, SmscSettings};
use isthmus::shell::{Backend, Gateway, Options};

use crate::cpm::Cpm;
use crate::flows::{self, CPM_USER};
use crate::owners::Owners;
use crate::smsc::Smsc;
use crate::threads;

/// Snapshots are published about once a second.
const SNAPSHOT: Duration = Duration::from_millis(1_300);
/// Whatever is waited for is there by then.
const PATIENCE: Duration = Duration::from_secs(30);

const HASH_KEY: [u64; 2] = [7, 11];
/// Numbers of requests that find out who is who.
const PROBES: usize = 9_000_000;

/// What is to be measured.
#[derive(Clone, Copy)]
pub struct Plan {
    pub backend: Backend,
    pub cores: u16,
    /// Whether the requests ask for a report.
    pub reported: bool,
    /// Time between two responses of the SM-SC, if it is slow.
    pub pace: Option<Duration>,
}

pub struct Site {
    pub gateway: Gateway,
    pub cpm: Cpm,
    pub smsc: Smsc,
    owners: Owners,
    /// The core that CPM's datagrams reach.
    pub receiver: ShardId,
    /// Whether a core runs on the peers' processor.
    shared: bool,
}

impl Site {
    pub fn new(plan: Plan) -> Site {
        let (cpm, mut smsc) = (Cpm::new(plan.reported), Smsc::new(plan.pace));
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let options = Options {
            cores: (0..usize::from(plan.cores)).collect(),
            backend: plan.backend,
            listen: vec![(Transport::Udp, any), (Transport::Tcp, any)],
            drain: Duration::from_secs(5),
            profile: false,
            storage: None,
        };
        let template = settings(plan, &cpm, &smsc);
        let make = |open: &[isthmus::shell::Listener]| shards(template, open);
        // Its threads begin where this one is: behind one that never sleeps they might not begin at all.
        threads::pin(0);
        let gateway = Gateway::start_worlds(&options, make, Arc::new(|_, _| {})).unwrap();
        threads::pin(1);
        let until = Instant::now() + PATIENCE;
        // A core is ready that can submit by another one.
        while !gateway.snapshots().iter().all(|core| core.links.iter().any(|link| link.bound > 0)) {
            smsc.accept();
            smsc.turn();
            std::thread::yield_now();
            assert!(Instant::now() < until, "no binds");
        }
        cpm.towards(gateway.listeners()[0].local);
        let owners = Owners::new(plan.cores, HASH_KEY);
        Site { gateway, cpm, smsc, owners, receiver: ShardId(0), shared: plan.cores > 1 }
    }

    /// Numbers from `first` whose requests this core owns.
    pub fn owned_by(&mut self, core: ShardId, first: usize, count: usize) -> Vec<usize> {
        let Site { cpm, owners, .. } = self;
        (first..).filter(|number| owners.of_request(cpm.request(*number)) == core).take(count).collect()
    }

    /// An SMS user whose short messages this core owns.
    pub fn sender_owned_by(&self, core: ShardId) -> Vec<u8> {
        let mut users = (0..).map(|number| format!("4917100{number:05}").into_bytes());
        users.find(|user| self.owners.of_short_messages(user, CPM_USER) == core).unwrap()
    }

    /// message_ids from `first` that this core looks up.
    pub fn ids_known_to(&self, core: ShardId, first: u64, count: usize) -> Vec<u64> {
        (first..).filter(|number| self.owners.of_message_id(*number) == core).take(count).collect()
    }

    /// Finds the core that receives, and has deliveries go to that one as well.
    pub fn find_receiver(&mut self) {
        let received = |site: &mut Site| site.counters().iter().map(|core| core.datagrams_in).collect::<Vec<_>>();
        let before = received(self);
        let any = self.owned_by(ShardId(0), PROBES, 1);
        flows::submit(self, &any);
        let core = received(self).iter().zip(before).position(|(now, before)| *now > before).unwrap();
        self.receiver = ShardId(u16::try_from(core).unwrap());
        // A core submits over its own bind.
        let own = self.owned_by(self.receiver, any[0] + 1, 1);
        flows::submit(self, &own);
        self.smsc.bearer = self.smsc.last;
    }

    /// A moment in which the peers do what they are asked and nothing more.
    pub fn rest(&mut self) {
        self.smsc.turn();
        self.cpm.receive(|_| {});
        std::thread::sleep(Duration::from_millis(1));
    }

    /// With two cores the peers share a processor with one of them: it has its turn.
    pub fn give_way(&self) {
        if self.shared {
            std::thread::yield_now();
        }
    }

    /// The counters of all cores, up to date.
    pub fn counters(&mut self) -> Vec<ShellStats> {
        let until = Instant::now() + SNAPSHOT;
        while Instant::now() < until {
            self.rest();
        }
        self.gateway.snapshots().iter().map(|core| core.shell).collect()
    }

    /// What crossed between cores, so far.
    pub fn crossed(&mut self) -> u64 {
        self.counters().iter().map(|core| core.handoffs_in).sum()
    }
}

fn shards(template: Settings, open: &[isthmus::shell::Listener]) -> Arc<dyn Fn(ShardId) -> Shard + Send + Sync> {
    let mut template = template;
    let listeners = open.iter().map(|one| Listener { transport: one.transport, local: one.local });
    template.sip.listeners = listeners.collect();
    Arc::new(move |id| Shard::new(Settings { id, seed: [u8::try_from(id.0).unwrap(); 32], ..template.clone() }))
}

fn settings(plan: Plan, cpm: &Cpm, smsc: &Smsc) -> Settings {
    let mut one =
        SmscSettings { name: "smsc".into(), address: smsc.address(), binds: plan.cores, ..SmscSettings::default() };
    // As an operator sets it for a link that carries this much; the default is for an SM-SC of which nothing is known.
    one.session.window = 256;
    // Nobody answers for this site while another has its turn.
    one.session.enquire_link = PATIENCE * 20;
    Settings {
        shards: plan.cores,
        hash_key: HASH_KEY,
        sip: SipSettings {
            domain: "gw.example.net".into(),
            next_hop: format!("sip:{}", cpm.address()),
            trusted: vec![Network { address: [127, 0, 0, 0].into(), prefix_bits: 8 }],
            // Loopback carries it: notifications stay datagrams, which the floor is made of.
            datagram_request_bytes_max: 1_500,
            ..SipSettings::default()
        },
        smscs: vec![one],
        ..Settings::default()
    }
}
