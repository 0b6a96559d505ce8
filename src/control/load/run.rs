//! The load from its options to its exit code.

use std::io::{self, Write, stderr, stdout};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, SystemTime};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::cost::Used;
use super::options::Options;
use super::report;
use super::values::Ramp;
use crate::engine::transport::Transport;
use crate::limits;
use crate::load::{
    CpmSettings, EsmeSettings, Event, Generator, Mix, Pace, Results, Role, Setting, Settings, SmscSettings, Way,
    Weighted,
};
use crate::shell::{Gateway, Listener, StartError};
use crate::wire::cpim::Dispositions;

/// How often signals are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Events that may wait to be shown.
const EVENTS: usize = 64;
/// The exit code of a load that cannot be run as it was asked for.
const MISTAKEN: u8 = 2;

/// Runs a load and shows what came of it. The exit code is 0 if nothing was lost, doubled or damaged, 1 if something was
/// or nothing could be sent, 2 if the options do not fit together.
#[must_use]
pub fn load(options: &Options) -> ExitCode {
    if let Some(mistake) = mistake(options) {
        let _ = writeln!(stderr(), "error: {mistake}");
        return ExitCode::from(MISTAKEN);
    }
    match run(options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            let _ = writeln!(stderr(), "error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Why a load could not be run.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("no signals from this host: {0}")]
    Signals(io::Error),
    #[error("{0}: nobody was there in time; who binds or listens must be up within --wait")]
    Nobody(&'static str),
    #[error("the core ended by itself")]
    Ended,
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
}

fn mistake(options: &Options) -> Option<&'static str> {
    let has = |way| ways(options).iter().any(|one| one.what == way);
    match () {
        () if has(Way::CpmToSms) && options.sip.is_none() => Some("--direction cpm-to-sms needs --sip"),
        () if has(Way::SmsToCpm) && options.smsc_listen.is_none() => Some("--direction sms-to-cpm needs --smsc-listen"),
        () if options.plain && options.reports > 0.0 => Some("--plain has no place for --reports"),
        () if options.sip_listen.ip().is_unspecified() && options.sip.is_some() => {
            Some("--sip-listen must be the address by which the gateway reaches it")
        }
        () if options.warm_up >= duration(options).unwrap_or(Duration::MAX) => Some("--warm-up ends after the load"),
        () => None,
    }
}

fn run(options: &Options) -> Result<bool, Failure> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(Failure::Signals)?;
    let (sender, events) = sync_channel(EVENTS);
    // Progress that nobody reads in time is not shown; the end is.
    let sink = move |_, event| match event {
        Event::Progress { .. } => drop(sender.try_send(event)),
        Event::Began | Event::Ended(_) => drop(sender.send(event)),
    };
    let gateway = Gateway::start_worlds(&shell_options(options), |open| make(options, open), Arc::new(sink))?;
    let mut results = watch(options, &gateway, &events, &mut signals)?;
    drop(gateway);
    results.settings = shown(options);
    let _ = write!(stdout(), "{}", report::summary(&results));
    if let Some(directory) = &options.output {
        let written = report::write(&results, directory)?;
        let _ = writeln!(stdout(), "written: {} files in {}", written.len(), directory.display());
    }
    Ok(results.verdict().passed())
}

/// Shows progress until the results are there. The first signal ends the sending, the second everything.
fn watch(
    options: &Options,
    gateway: &Gateway,
    events: &Receiver<Event>,
    signals: &mut Signals,
) -> Result<Results, Failure> {
    let used = || (Used::by(None), options.gateway_pid.and_then(|pid| Used::by(Some(pid))));
    let (mut before, mut asked) = (used(), false);
    loop {
        match events.recv_timeout(LOOK_EVERY) {
            Ok(Event::Began) => before = used(),
            Ok(Event::Progress { at_s, of_s, flows }) if !options.quiet => {
                let flows = flows.iter().map(|(name, second)| (name.as_str(), second));
                let _ = writeln!(stderr(), "{}", report::progress(at_s, of_s, flows));
            }
            Ok(Event::Progress { .. }) => {}
            Ok(Event::Ended(Some(results))) => return Ok(with_cost(*results, before, used())),
            Ok(Event::Ended(None)) => return Err(Failure::Nobody(awaited(options))),
            Err(RecvTimeoutError::Disconnected) => return Err(Failure::Ended),
            Err(RecvTimeoutError::Timeout) if gateway.is_finished() => return Err(Failure::Ended),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if signals.pending().next().is_some() {
            if asked {
                return Err(Failure::Ended);
            }
            asked = true;
            gateway.drain();
        }
    }
}

type Both = (Option<Used>, Option<Used>);

fn with_cost(mut results: Results, before: Both, after: Both) -> Results {
    let is_first = |flow: &&crate::load::FlowResult| !flow.answers.is_empty();
    let messages = results.flows.iter().filter(is_first).map(|flow| flow.counts.answered).sum();
    results.observed.extend(Used::between("generator", before.0, after.0, messages));
    results.observed.extend(Used::between("gateway", before.1, after.1, messages));
    results
}

fn awaited(options: &Options) -> &'static str {
    match (&options.smsc_listen, &options.smpp) {
        (Some(_), _) => "--smsc-listen",
        (None, Some(_)) => "--smpp",
        (None, None) => "--sip",
    }
}

fn shell_options(options: &Options) -> crate::shell::Options {
    crate::shell::Options {
        cores: options.core.into_iter().collect(),
        backend: options.backend,
        listen: listeners(options).into_iter().map(|(_, transport, address)| (transport, address)).collect(),
        drain: Duration::from_secs(1),
        profile: false,
        storage: None,
    }
}

/// The datagram sockets of the CPM side come first, one for each peer.
fn listeners(options: &Options) -> Vec<(Role, Transport, SocketAddr)> {
    let mut all = Vec::new();
    if let Some(sip) = options.sip.as_ref().map(|sip| sip.transport).or(takes_requests(options)) {
        let sockets = if sip == Transport::Udp { options.peers } else { 1 };
        all.push((Role::Sip, Transport::Udp, options.sip_listen));
        let any = SocketAddr::new(options.sip_listen.ip(), 0);
        all.extend((1..sockets).map(|_| (Role::Sip, Transport::Udp, any)));
        all.push((Role::Sip, Transport::Tcp, options.sip_listen));
    }
    all.extend(options.smsc_listen.map(|address| (Role::Smpp, Transport::Tcp, address)));
    all
}

/// The CPM side may do nothing but take what an SM-SC side originates.
fn takes_requests(options: &Options) -> Option<Transport> {
    ways(options).iter().any(|one| one.what == Way::SmsToCpm).then_some(Transport::Udp)
}

fn make(
    options: &Options,
    open: &[Listener],
) -> Arc<dyn Fn(crate::engine::transport::ShardId) -> Generator + Send + Sync> {
    let roles: Vec<Role> = listeners(options).into_iter().map(|(role, ..)| role).collect();
    let settings = settings(options, open);
    Arc::new(move |_| Generator::new(settings.clone(), roles.clone()))
}

fn settings(options: &Options, open: &[Listener]) -> Settings {
    Settings {
        seed: options.seed,
        run: run_name(),
        pace: pace(options),
        duration: duration(options),
        messages: options.messages.unwrap_or(limits::LOAD_MESSAGES_MAX),
        warm_up: options.warm_up,
        settle: options.settle,
        patience: options.wait,
        awake: !options.sleep,
        mix: mix(options),
        cpm: cpm(options, open),
        smsc: options.smsc_listen.map(|_| smsc(options)),
        esme: options.smpp.map(|smsc| esme(options, smsc)),
    }
}

/// Another one for each run: what a clock says in its last milliseconds.
fn run_name() -> u32 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_millis() & 0xFFFF_FFFF).unwrap_or(0) ^ std::process::id().rotate_left(16)
}

fn pace(options: &Options) -> Pace {
    match (options.rate, options.ramp, options.window) {
        (_, Some(Ramp(from_per_s, to_per_s, over_s)), _) => Pace::Ramp { from_per_s, to_per_s, over_s },
        (_, _, Some(window)) => Pace::Closed { window },
        (rate, None, None) => Pace::Open { per_s: rate.unwrap_or(100.0) },
    }
}

fn duration(options: &Options) -> Option<Duration> {
    let ramp = options.ramp.map(|Ramp(.., over_s)| Duration::from_secs_f64(over_s));
    let default = options.messages.is_none().then_some(Duration::from_secs(10));
    options.duration.or(ramp).or(default)
}

fn ways(options: &Options) -> Vec<Weighted<Way>> {
    let only = |what| vec![Weighted { what, weight: 1 }];
    match (&options.direction, &options.sip, &options.smpp) {
        (Some(ways), ..) => ways.0.clone(),
        (None, Some(_), _) => only(Way::CpmToSms),
        (None, None, Some(_)) => only(Way::Esme),
        (None, None, None) => only(Way::SmsToCpm),
    }
}

fn mix(options: &Options) -> Mix {
    Mix {
        ways: ways(options),
        lengths: options.length.0.clone(),
        alphabets: options.alphabet.0.clone(),
        report_share: options.reports,
        reports: if options.reports > 0.0 { options.report_kinds } else { Dispositions::NONE },
        repeat_share: options.repeat,
        undelivered_share: options.undelivered,
    }
}

fn cpm(options: &Options, open: &[Listener]) -> Option<CpmSettings> {
    let (gateway, transport) = match (options.sip, takes_requests(options)) {
        (Some(sip), _) => (sip.address, sip.transport),
        (None, Some(transport)) => (options.sip_listen, transport),
        (None, None) => return None,
    };
    let local = |transport| open.iter().filter(move |one| one.transport == transport).map(|one| one.local);
    let peers = match transport {
        Transport::Udp => local(Transport::Udp).collect(),
        Transport::Tcp => local(Transport::Tcp).take(1).cycle().take(usize::from(options.peers)).collect(),
    };
    Some(CpmSettings {
        gateway,
        transport,
        peers,
        from: String::from("4915120"),
        to: String::from("4917230"),
        call_ids: options.call_ids.0,
        date_time: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        cpim: !options.plain,
    })
}

fn smsc(options: &Options) -> SmscSettings {
    let credentials = options.system_id.clone().map(|name| (name, options.password.clone()));
    SmscSettings {
        credentials,
        answer_delay: (options.answer_delay.0, options.answer_delay.1),
        error_share: options.errors,
        error_status: options.error_status,
        throttle: options.throttle,
        report_delay: options.report_delay,
        window: options.smpp_window as usize,
        data_coding_0: options.data_coding_0,
        concatenation: options.concatenation,
        ..SmscSettings::default()
    }
}

fn esme(options: &Options, smsc: SocketAddr) -> EsmeSettings {
    EsmeSettings {
        smsc,
        system_id: options.system_id.clone().unwrap_or_else(|| String::from("isthmus")),
        password: options.password.clone(),
        window: options.smpp_window as usize,
        echoes: options.echo,
        data_coding_0: options.data_coding_0,
        concatenation: options.concatenation,
        from: String::from("4915120"),
        to: String::from("4917230"),
    }
}

/// What was run, for whoever reads the results.
fn shown(options: &Options) -> Vec<Setting> {
    // The options as they were given say it best, and whoever has them can run the same again.
    let given: Vec<_> = std::env::args().skip(1).map(hidden()).collect();
    let mut all = vec![Setting::new("command", format!("isthmus {}", given.join(" ")))];
    all.push(Setting::new("seed", options.seed));
    all
}

/// A password is not shown.
fn hidden() -> impl FnMut(String) -> String {
    let mut secret = false;
    move |argument| {
        let hide = core::mem::replace(&mut secret, argument == "--password");
        match argument.strip_prefix("--password=") {
            Some(_) => String::from("--password=..."),
            None if hide => String::from("..."),
            None => argument,
        }
    }
}
