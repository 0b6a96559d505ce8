//! The tables of the file, but for SM-SCs, MMS Relay/Servers, media and policies.

use core::net::SocketAddr;
use core::time::Duration;

use super::reader::{Section, Value, wrong};
use super::values::{boolean, domain, integer, list, listen, network, one_of, seconds, sip_uri, socket_address, text};
use super::{Admin, Backend, Config, Host, Listen, Log, LogFormat, Profile, Runtime, Sip, mm4, msrp, policy, smsc};
use crate::engine::transport::Transport;
use crate::limits::{SHARDS_MAX, SIP_DATAGRAM_REQUEST_BYTES_MAX, SIP_MESSAGE_BYTES_MAX};
use crate::shard::settings::SmscSettings;

/// What links may take of the time for a drain, so that they have unbound before it is over.
const LINK_SHARE: f64 = 0.8;

/// The whole file. `None` if something without a default is missing or wrong.
pub(super) fn read(mut root: Section<'_>, host: &Host) -> Option<Config> {
    let profile = root.or("profile", Profile::Cpm, one_of(&[("cpm", Profile::Cpm), ("rcs", Profile::Rcs)]));
    let state_dir = root.or("state_dir", "state".into(), text("a directory", |text| Some(text.into())));
    let durable = root.or("durable", true, boolean);
    let runtime = runtime(root.section("runtime"), host);
    let sip = sip(root.section("sip"));
    let msrp = root.section("msrp");
    let admin = admin(root.section("admin"));
    let log = log(root.section("log"));
    let policy = policy::read(&root.section("policy"), profile);
    let smscs = smsc::read_all(&mut root, host, &policy, runtime.drain.mul_f64(LINK_SHARE));
    let mm4 = root.section("mm4");
    let mmscs = mm4::read_all(&mut root, host);
    root.finish();
    let mut taken = taken(sip.as_ref(), smscs.as_deref().unwrap_or_default(), &admin);
    let msrp = msrp::read(msrp, &taken);
    taken.extend(msrp.listen.iter().map(|one| (one.address, "msrp.listen")));
    let mm4 = mm4::read(mm4, &taken, mmscs.as_ref().is_none_or(|mmscs| !mmscs.is_empty()));
    let (sip, smscs, mmscs) = (sip?, smscs?, mmscs?);
    Some(Config { profile, state_dir, durable, runtime, sip, msrp, smscs, mm4, mmscs, admin, log, policy })
}

/// The TCP ports that others listen on, and the keys that say so.
fn taken(sip: Option<&Sip>, smscs: &[SmscSettings], admin: &Admin) -> Vec<(SocketAddr, &'static str)> {
    let tcp = sip.into_iter().flat_map(|sip| &sip.listen).filter(|one| one.transport == Transport::Tcp);
    let outbind = smscs.iter().filter_map(|smsc| smsc.outbind).map(|address| (address, "smsc.outbind"));
    let sip = tcp.map(|one| (one.address, "sip.listen"));
    sip.chain(outbind).chain([(admin.listen, "admin.listen")]).collect()
}

fn runtime(mut section: Section<'_>, host: &Host) -> Runtime {
    let backends = [("auto", Backend::Auto), ("io_uring", Backend::IoUring), ("epoll", Backend::Epoll)];
    let runtime = Runtime {
        cores: section.or("cores", host.cores.clone(), |value| cores(value, host)),
        backend: section.or("backend", Backend::Auto, one_of(&backends)),
        drain: section.or("drain_s", Duration::from_secs(30), seconds(0.0..=3_600.0)),
    };
    section.finish();
    runtime
}

fn cores(value: &Value<'_>, host: &Host) -> super::reader::Read<Vec<usize>> {
    let right = format!("\"all\" or a list of cores out of {:?}", host.cores);
    if value.get_ref().as_str() == Some("all") {
        return Ok(host.cores.iter().copied().take(SHARDS_MAX).collect());
    }
    let read = list(&right, integer(0..=usize::from(u16::MAX)))(value)?;
    let repeated = read.iter().enumerate().find(|(at, core)| read.iter().take(*at).any(|earlier| earlier == *core));
    match read.iter().find(|core| !host.cores.contains(core)) {
        Some(core) => wrong(value, format_args!("names core {core}, which this host does not give us"), right),
        None if repeated.is_some() => wrong(value, "names a core twice", right),
        None if read.is_empty() => wrong(value, "is empty", right),
        None if read.len() > SHARDS_MAX => wrong(value, "is too long", format_args!("{SHARDS_MAX} cores at most")),
        None => Ok(read),
    }
}

fn sip(mut section: Section<'_>) -> Option<Sip> {
    let any = |transport| Listen { transport, address: ([0, 0, 0, 0], 5060).into() };
    let sip = Sip {
        listen: section.or("listen", vec![any(Transport::Udp), any(Transport::Tcp)], listens),
        next_hop: section.need("next_hop", "sip:10.0.0.1:5060", sip_uri).unwrap_or_default(),
        domain: section.or("domain", "localhost".into(), domain),
        trusted: section.or("trusted", Vec::new(), list("a list of address blocks", network)),
        idle: section.or("idle_s", Duration::from_secs(600), seconds(1.0..=86_400.0)),
        datagram_request_bytes_max: section.or(
            "datagram_request_bytes_max",
            SIP_DATAGRAM_REQUEST_BYTES_MAX,
            integer(512..=SIP_MESSAGE_BYTES_MAX),
        ),
    };
    section.finish();
    (!sip.next_hop.is_empty()).then_some(sip)
}

fn listens(value: &Value<'_>) -> super::reader::Read<Vec<Listen>> {
    let right = "a list such as [\"udp://0.0.0.0:5060\", \"tcp://0.0.0.0:5060\"]";
    let read = list(right, listen)(value)?;
    let twice = |at: usize, one: &Listen| one.address.port() != 0 && read.iter().take(at).any(|other| other == one);
    match read.iter().enumerate().find(|(at, one)| twice(*at, one)) {
        Some((_, twice)) => wrong(value, format_args!("has {} twice", twice.address), "each socket once"),
        None if read.is_empty() => wrong(value, "is empty", right),
        None => Ok(read),
    }
}

fn admin(mut section: Section<'_>) -> Admin {
    let admin = Admin { listen: section.or("listen", ([127, 0, 0, 1], 9464).into(), socket_address) };
    section.finish();
    admin
}

fn log(mut section: Section<'_>) -> Log {
    let levels = [
        ("error", tracing::Level::ERROR),
        ("warn", tracing::Level::WARN),
        ("info", tracing::Level::INFO),
        ("debug", tracing::Level::DEBUG),
        ("trace", tracing::Level::TRACE),
    ];
    let log = Log {
        level: section.or("level", tracing::Level::INFO, one_of(&levels)),
        format: section.or("format", LogFormat::Text, one_of(&[("text", LogFormat::Text), ("json", LogFormat::Json)])),
    };
    section.finish();
    log
}
