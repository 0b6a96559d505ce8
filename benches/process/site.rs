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
use crate::smsc::Smsc;
use crate::threads;

/// Snapshots are published about once a second.
const SNAPSHOT: Duration = Duration::from_millis(1_300);
/// Whatever is waited for is there by then.
const PATIENCE: Duration = Duration::from_secs(30);

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
    /// Knows who owns what.
    oracle: Shard,
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
        };
        let template = settings(plan, &cpm, &smsc);
        let oracle = Shard::new(template.clone());
        let make = |open: &[isthmus::shell::Listener]| shards(template, open);
        // Its threads begin where this one is: behind one that never sleeps they might not begin at all.
        threads::pin(0);
        let gateway = Gateway::start_worlds(&options, make, Arc::new(|_, _| {})).unwrap();
        threads::pin(1);
        let until = Instant::now() + PATIENCE;
        while !gateway.snapshots().iter().all(|core| core.ready) {
            smsc.accept();
            smsc.turn();
            std::thread::yield_now();
            assert!(Instant::now() < until, "no binds");
        }
        cpm.towards(gateway.listeners()[0].local);
        Site { gateway, cpm, smsc, oracle, shared: plan.cores > 1 }
    }

    /// Numbers from `first` whose requests this core owns.
    pub fn owned_by(&mut self, core: u16, first: usize, count: usize) -> Vec<usize> {
        let Site { cpm, oracle, .. } = self;
        (first..).filter(|number| oracle.owner_of(cpm.request(*number)) == ShardId(core)).take(count).collect()
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

    /// Datagrams that were handed over, so far.
    pub fn handed_over(&mut self) -> u64 {
        self.counters().iter().map(|core| core.datagrams_handed_over).sum()
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
    Settings {
        shards: plan.cores,
        hash_key: [7, 11],
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
