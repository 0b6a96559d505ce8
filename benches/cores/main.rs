//! What a message costs the whole gateway, sockets included, on one core and on two, beside the floor of the same run: a
//! UDP echo with recvmmsg and sendmmsg. CPU time is that of the gateway's threads alone, read from the kernel.
//!
//! Traffic stays on loopback, its amount is fixed, and it ends by itself.

#![allow(missing_docs, unreachable_pub, reason = "a program that measures")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "it prints its figures or fails")]
#![allow(unsafe_code, reason = "recvmmsg and sendmmsg for the floor")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use isthmus::engine::transport::Transport;
use isthmus::shard::settings::{Network, Settings, SipSettings, SmscSettings};
use isthmus::shell::{Backend, Gateway, Options};

mod answer;
mod client;
mod echo;
mod request;
mod smsc;
mod threads;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MESSAGES: usize = 60_000;

/// What one round took.
struct Cost {
    cpu_us: f64,
    per_second: f64,
    handed_over: u64,
}

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("{MESSAGES} pager messages, SIP over UDP to SMPP, answered with 202; loopback, all on this machine");
    for round in 1..=3 {
        let floor = echo::cpu_us(MESSAGES);
        println!("round {round}: UDP echo {floor:.2} us of CPU per echo");
        for (name, backend) in [("io_uring", Backend::IoUring), ("epoll", Backend::Epoll)] {
            let one = gateway(backend, vec![0]);
            let two = gateway(backend, vec![0, 1]);
            print(name, 1, &one, floor);
            print(name, 2, &two, floor);
            // The peers run on this machine too, so messages per second fall where there are not processors enough for all;
            // what two cores could carry follows from what a message costs them.
            println!("  {name}: by CPU time two cores carry {:.2} of what one carries", 2.0 * one.cpu_us / two.cpu_us);
        }
    }
}

fn print(name: &str, cores: usize, cost: &Cost, floor: f64) {
    println!(
        "  {name}, {cores} core(s): {:.2} us of CPU per message ({:.2} echoes), {:.0} messages/s, {} SIP messages handed over",
        cost.cpu_us,
        cost.cpu_us / floor,
        cost.per_second,
        cost.handed_over
    );
}

fn gateway(backend: Backend, cores: Vec<usize>) -> Cost {
    let binds = u16::try_from(cores.len()).unwrap();
    let smsc = smsc::start();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let options = Options {
        cores,
        backend,
        listen: vec![(Transport::Udp, any), (Transport::Tcp, any)],
        drain: Duration::from_secs(5),
        profile: false,
    };
    let gateway = Gateway::start(&options, settings(smsc, binds), Arc::new(|_, _| {})).unwrap();
    while !gateway.snapshots().iter().all(|core| core.ready) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let to = gateway.listeners()[0].local;
    client::send(to, 2_000, 0);
    let (cpu, began) = (threads::cpu("core-"), Instant::now());
    client::send(to, MESSAGES, 2_000);
    let (cpu, wall) = (threads::cpu("core-") - cpu, began.elapsed());
    std::thread::sleep(Duration::from_millis(1_100));
    let handed_over = gateway.snapshots().iter().map(|core| core.shell.handoffs_in).sum();
    assert!(gateway.join());
    let messages = f64::from(u32::try_from(MESSAGES).unwrap());
    Cost { cpu_us: cpu.as_secs_f64() * 1e6 / messages, per_second: messages / wall.as_secs_f64(), handed_over }
}

fn settings(smsc: SocketAddr, binds: u16) -> Settings {
    Settings {
        sip: SipSettings {
            domain: "gw.example.net".into(),
            next_hop: "sip:127.0.0.1:9".into(),
            trusted: vec![Network { address: [127, 0, 0, 0].into(), prefix_bits: 8 }],
            ..SipSettings::default()
        },
        smscs: vec![SmscSettings { name: "smsc".into(), address: smsc, binds, ..SmscSettings::default() }],
        ..Settings::default()
    }
}
