//! Real shards on real sockets: messages enter on whatever core the kernel picks and are owned by another.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use isthmus::engine::transport::Transport;
use isthmus::observe::{Flow, Snapshot, Stage, StageTimes};
use isthmus::shard::settings::{Network, Settings, SipSettings, SmscSettings};
use isthmus::shell::{Backend, Gateway, Options};
use isthmus::wire::Framing;
use isthmus::wire::sip::{self, Index, Message};

use crate::echo::{PATIENCE, backends, tcp, udp};
use crate::smsc::Smsc;

const MESSAGES: usize = 120;
/// Requests that wait for their response at a time.
const WINDOW: usize = 6;

fn start(backend: Backend, cores: u16, smsc: &Smsc) -> Gateway {
    let any: SocketAddr = "127.0.0.1:0".parse().expect("address");
    let options = Options {
        cores: vec![0; usize::from(cores)],
        backend,
        listen: vec![(Transport::Udp, any), (Transport::Tcp, any)],
        drain: PATIENCE,
        // With one core it is off: then nothing may be shown.
        profile: cores > 1,
        storage: None,
    };
    let template = Settings {
        sip: SipSettings {
            domain: "gw.example.net".into(),
            next_hop: "sip:127.0.0.1:9".into(),
            trusted: vec![Network { address: [127, 0, 0, 0].into(), prefix_bits: 8 }],
            ..SipSettings::default()
        },
        smscs: vec![SmscSettings {
            name: "smsc".into(),
            address: smsc.address,
            binds: cores,
            ..SmscSettings::default()
        }],
        ..Settings::default()
    };
    let gateway = Gateway::start(&options, template, Arc::new(|_, _| ())).expect("start");
    let until = Instant::now() + PATIENCE;
    while !gateway.snapshots().iter().all(|snapshot| snapshot.ready) {
        assert!(Instant::now() < until, "no bind: {:?}", gateway.snapshots());
        std::thread::sleep(Duration::from_millis(5));
    }
    gateway
}

fn request(number: usize, transport: &str, local: SocketAddr) -> Vec<u8> {
    let body = format!("text {number:04}");
    format!(
        "MESSAGE tel:+491701234567 SIP/2.0\r\n\
         Via: SIP/2.0/{transport} {local};branch=z9hG4bK-{number}\r\n\
         From: <tel:+4915112345678>;tag=t{number}\r\n\
         To: <tel:+491701234567>\r\n\
         Call-ID: call-{number}@client.example.net\r\n\
         CSeq: 1 MESSAGE\r\n\
         Max-Forwards: 70\r\n\
         P-Asserted-Identity: <tel:+4915112345678>\r\n\
         Content-Type: text/plain\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Number of the request and code of a final response; `None` for a provisional one.
fn response(bytes: &[u8]) -> Option<(usize, u16)> {
    let mut index = Index::new();
    let message = Message::parse(bytes, &mut index).expect("a response");
    let call_id = std::str::from_utf8(message.call_id().expect("Call-ID")).expect("text");
    let number = call_id.trim_start_matches("call-").split('@').next().expect("number");
    (message.code() >= 200).then(|| (number.parse().expect("number"), message.code()))
}

fn assert_all_went_through(smsc: &Smsc, mut answered: Vec<usize>) {
    answered.sort_unstable();
    assert_eq!(answered, (0..MESSAGES).collect::<Vec<_>>());
    let mut texts = smsc.texts();
    texts.sort();
    assert_eq!(texts, (0..MESSAGES).map(|number| format!("text {number:04}").into_bytes()).collect::<Vec<_>>());
}

/// One client has one core behind its datagrams; Call-IDs are spread over all.
fn assert_every_core_worked(gateway: &Gateway, cores: u16) {
    let until = Instant::now() + PATIENCE;
    loop {
        let snapshots = gateway.snapshots();
        let owned: Vec<_> = snapshots.iter().map(|snapshot| snapshot.stats.cpm_accepted).collect();
        let crossed: u64 = snapshots.iter().map(|snapshot| snapshot.shell.handoffs_in).sum();
        if owned.iter().sum::<u64>() == MESSAGES as u64 {
            assert!(owned.iter().all(|count| *count > 0), "{owned:?}");
            assert!(cores == 1 || crossed > MESSAGES as u64 / 4, "{crossed}");
            return assert_every_stage_was_timed(&snapshots, cores);
        }
        assert!(Instant::now() < until, "{owned:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Every message has been in every stage of its way once, whichever cores it crossed.
fn assert_every_stage_was_timed(snapshots: &[Snapshot], cores: u16) {
    let mut all = Box::<StageTimes>::default();
    let timed = snapshots.iter().filter_map(|snapshot| snapshot.stages.as_ref());
    assert_eq!(timed.map(|stages| all.merge(stages)).count(), if cores > 1 { snapshots.len() } else { 0 });
    for stage in Stage::ALL {
        let times = all.of(Flow::CpmToSms, stage);
        let messages = if stage == Stage::Sip || cores == 1 { 0 } else { MESSAGES as u64 };
        assert_eq!(times.count(), messages, "{stage:?}");
        assert_eq!(times.sum_ns() > 0, messages > 0, "{stage:?}");
    }
}

#[test]
fn datagrams_that_enter_on_any_core_become_short_messages() {
    for (backend, cores) in backends().into_iter().flat_map(|backend| [(backend, 1), (backend, 2), (backend, 3)]) {
        let smsc = Smsc::start();
        let gateway = start(backend, cores, &smsc);
        let client = udp(&gateway);
        let local = client.local_addr().expect("address");
        let (mut sent, mut answered, mut buffer) = (0, Vec::new(), vec![0; 65_536]);
        while answered.len() < MESSAGES {
            while sent < MESSAGES && sent - answered.len() < WINDOW {
                client.send(&request(sent, "UDP", local)).expect("send");
                sent += 1;
            }
            let len = match client.recv(&mut buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                received => received.expect("response in time"),
            };
            if let Some((number, code)) = response(&buffer[..len]) {
                assert_eq!(code / 100, 2, "{code} to {number}");
                answered.push(number);
            }
        }
        assert_all_went_through(&smsc, answered);
        assert_every_core_worked(&gateway, cores);
        assert!(gateway.join());
    }
}

/// All in one stream, so that messages lie across the borders of what is received at once.
#[test]
fn messages_of_one_connection_are_owned_by_all_cores() {
    for (backend, cores) in backends().into_iter().flat_map(|backend| [(backend, 1), (backend, 2)]) {
        let smsc = Smsc::start();
        let gateway = start(backend, cores, &smsc);
        let mut client = tcp(&gateway);
        let local = client.local_addr().expect("address");
        let all: Vec<u8> = (0..MESSAGES).flat_map(|number| request(number, "TCP", local)).collect();
        let mut writer = client.try_clone().expect("clone");
        let writing =
            std::thread::spawn(move || all.chunks(1_000).for_each(|part| writer.write_all(part).expect("write")));
        let (mut stream, mut chunk, mut answered) = (Vec::new(), vec![0; 4_096], Vec::new());
        while answered.len() < MESSAGES {
            let len = match client.read(&mut chunk) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                received => received.expect("response in time"),
            };
            assert!(len > 0, "closed after {} responses", answered.len());
            stream.extend_from_slice(&chunk[..len]);
            while let Framing::Complete(len) = sip::frame(&stream) {
                if let Some((number, code)) = response(&stream[..len]) {
                    assert_eq!(code / 100, 2, "{code} to {number}");
                    answered.push(number);
                }
                stream.drain(..len);
            }
        }
        writing.join().expect("writer");
        assert_all_went_through(&smsc, answered);
        assert_every_core_worked(&gateway, cores);
        assert!(gateway.join());
    }
}
