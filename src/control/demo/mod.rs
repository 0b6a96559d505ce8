//! The demonstration: the real gateway on loopback between a CPM client, an SM-SC and an MMS Relay/Server of our own. Texts,
//! large messages, pictures and a chat cross both ways, each step is printed, and all must arrive unchanged.

mod client;
mod fault;
mod inbox;
mod mmsc;
mod msrp_peer;
mod multimedia;
mod received;
mod session_client;
mod sessions;
mod smsc;
mod trace;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

pub use fault::Fault;

use super::config::{Config, Host, Log, LogFormat};
use super::log::Logging;
use super::run;
use crate::engine::transport::Transport;
use crate::observe::Snapshot;
use crate::shell::Gateway;
use crate::wire::cpim::imdn::{Notification, Status};
use client::{Client, Outgoing, TEXT};
use mmsc::Mmsc;
use smsc::Smsc;
use trace::{Party, Trace, shown};

const CPM_USER: &str = "+4915112345678";
const SMS_USER: &str = "+491701234567";
/// Host part of the gateway's addresses in MMS.
const MMS_DOMAIN: &str = "mms.gateway.invalid";

/// How long each step may take, repetitions and new connections included.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often a refused text is sent again.
const ATTEMPTS_MAX: u32 = 8;

const TO_SMS: [(&str, &str); 3] = [
    ("a short text", "Hello from CPM!"),
    (
        "a long text in the GSM 7 bit alphabet, with characters of its extension",
        "The {braces} and the euro sign \u{20ac} cost two septets each, and none of them may be cut in two. This text is \
         longer than the 160 septets of one short message, so it travels in several segments: [1], [2], and perhaps [3]. \
         At the other end it must be the same ~ character by character. \u{c4}\u{d6}\u{dc} \u{e4}\u{f6}\u{fc} \u{df} \u{3a9}",
    ),
    (
        "a long text in UCS-2, with characters outside the basic plane",
        "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}! \u{1f44b}\u{1f3fd} \u{65e5}\u{672c}\u{8a9e} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \
         e\u{301}te\u{301} \u{2014} a family of five code points stays together, and so does a letter with its accent. \u{1f680}\u{1f680}\u{1f680}",
    ),
];

const TO_CPM: [(&str, &str); 2] = [
    ("a short text", "Hello from SMS!"),
    (
        "a text in several segments, the last one first",
        "\u{39a}\u{3b1}\u{3bb}\u{3b7}\u{3bc}\u{3ad}\u{3c1}\u{3b1} \u{1f31e} these parts arrive in the wrong order and are joined \
         before anything is decoded, so that a surrogate pair on a border survives \u{1f31d}\u{1f31e}\u{1f31d}",
    ),
];

/// What happened at the peers.
#[derive(Debug)]
enum Happened {
    /// The CPM client has its final response.
    Answer { code: u16, retry_after_s: Option<u64> },
    /// The last chunk of a message of the CPM client has its response.
    Responded { code: u16 },
    /// The gateway left a session.
    Left,
    /// The CPM client got an IMDN.
    Notified { message_id: String, notification: Notification, status: Status },
    /// The CPM client got a text.
    TextAtCpm(String),
    /// The CPM client got a message of several parts.
    MmAtCpm(Vec<Vec<u8>>),
    /// The MMS Relay/Server has an MM of these parts.
    MmAtMmsc(Vec<Vec<u8>>),
    /// The MM that it brought has its MM4_forward.RES.
    MmAnswered { ok: bool },
    /// The SM-SC has all segments of a text.
    TextAtSmsc(String),
    /// Something that must not happen.
    Wrong(String),
}

/// Runs the demonstration; exit code 0 only if all arrived unchanged.
#[must_use]
pub fn demo(faults: &[Fault]) -> ExitCode {
    let _logging = Logging::start(Log { level: tracing::Level::ERROR, format: LogFormat::Text });
    let trace = Trace::new();
    match show(trace, faults) {
        Ok(count) => {
            trace.heading(&format!("All {count} texts arrived unchanged, with their reports."));
            ExitCode::SUCCESS
        }
        Err(what) => {
            trace.heading(&format!("FAILED: {what}"));
            ExitCode::FAILURE
        }
    }
}

fn show(trace: Trace, faults: &[Fault]) -> Result<usize, String> {
    let stage = Stage::set(trace, faults)?;
    for (number, (title, text)) in TO_SMS.iter().enumerate() {
        trace.heading(&format!("CPM to SMS: {title}"));
        stage.smsc.prepare();
        stage.to_sms(number, text)?;
    }
    for (title, text) in TO_CPM {
        trace.heading(&format!("SMS to CPM: {title}"));
        stage.to_cpm(text)?;
    }
    let in_sessions = stage.show_sessions()?;
    let with_pictures = stage.show_multimedia()?;
    trace.heading("Drain");
    stage.end()?;
    Ok(TO_SMS.len() + TO_CPM.len() + in_sessions + with_pictures)
}

/// The gateway and its peers.
struct Stage {
    trace: Trace,
    client: Client,
    smsc: Smsc,
    mmsc: Mmsc,
    gateway: Gateway,
    sip: SocketAddr,
    happened: Receiver<Happened>,
}

impl Stage {
    fn set(trace: Trace, faults: &[Fault]) -> Result<Stage, String> {
        let (sender, happened) = channel();
        let text = |error: std::io::Error| error.to_string();
        let client = Client::start(trace, sender.clone(), faults).map_err(text)?;
        let smsc = Smsc::start(trace, sender.clone(), faults).map_err(text)?;
        let mmsc = Mmsc::start(trace, sender).map_err(text)?;
        let config = configuration(client.address(), smsc.address(), mmsc.address())?;
        let gateway = run::start(&config, run::event_log(&config), false, None).map_err(|error| error.to_string())?;
        let udp = gateway.listeners().iter().find(|listener| listener.transport == Transport::Udp);
        let sip = udp.ok_or("no UDP listener")?.local;
        let [.., msrp, mail] = gateway.listeners() else { return Err("no MSRP or MM4 listener".into()) };
        let (msrp, mail) = (msrp.local, mail.local);
        mmsc.knows(mail);
        let (backend, because) = gateway.backend();
        let because = if because.is_empty() { String::new() } else { format!(" ({because})") };
        let cores = config.runtime.cores.len();
        trace.line(&format!("gateway on {backend}{because}, {cores} cores, SIP on udp://{sip}, MSRP on tcp://{msrp}, MM4 on tcp://{mail}"));
        let (cpm, [smsc_at, mmsc_at]) = (client.address(), [smsc.address(), mmsc.address()]);
        trace.line(&format!("CPM client on udp://{cpm}, SM-SC on tcp://{smsc_at}, MMSC on tcp://{mmsc_at}"));
        let stage = Stage { trace, client, smsc, mmsc, gateway, sip, happened };
        stage.wait_until_ready()?;
        Ok(stage)
    }

    fn wait_until_ready(&self) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        let is_ready = |snapshot: &Snapshot| snapshot.ready && snapshot.stats.mms_sessions_ready > 0;
        while !self.gateway.snapshots().iter().all(is_ready) {
            if Instant::now() > until {
                return Err("the gateway has no bind, or no session with the MMSC".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Sends until the gateway takes it; then the SM-SC must have the text and the client its report.
    fn to_sms(&self, number: usize, text: &str) -> Result<(), String> {
        let message_id = format!("demo-{number}");
        for attempt in 0..ATTEMPTS_MAX {
            let call_id = format!("demo-{number}-{attempt}");
            let what = format!("SIP MESSAGE {message_id}: {}", shown(text));
            self.trace.crossed(Party::Cpm, Party::Gateway, &what);
            let outgoing = Outgoing {
                from: CPM_USER,
                to: SMS_USER,
                message_id: &message_id,
                call_id: &call_id,
                content_type: TEXT,
                text,
            };
            self.client.send(self.sip, &outgoing);
            if self.accepted(text, &message_id)? {
                return Ok(());
            }
        }
        Err(format!("{message_id} was refused {ATTEMPTS_MAX} times"))
    }

    /// Whether an attempt was accepted and all that must follow has happened; false if it is to be repeated.
    fn accepted(&self, text: &str, message_id: &str) -> Result<bool, String> {
        let (mut accepted, mut arrived, mut notified) = (false, false, false);
        while !(accepted && arrived && notified) {
            match self.next()? {
                Happened::Answer { code: 200..=299, .. } => accepted = true,
                Happened::Answer { code: 480 | 503, retry_after_s } => {
                    self.pause(retry_after_s);
                    return Ok(false);
                }
                Happened::Answer { code, .. } => return Err(format!("{message_id} was refused with {code}")),
                Happened::TextAtSmsc(came) if came == text => arrived = true,
                Happened::TextAtSmsc(came) => return Err(format!("{message_id} arrived as {came:?}")),
                Happened::Notified { message_id: of, notification: Notification::Delivery, status } => {
                    notified = of == message_id && status == Status::Delivered;
                }
                Happened::Notified { .. } => {}
                Happened::Wrong(what) => return Err(what),
                other => return Err(format!("nobody asked for {other:?}")),
            }
        }
        self.trace.line("        arrived unchanged");
        Ok(true)
    }

    fn pause(&self, retry_after_s: Option<u64>) {
        std::thread::sleep(Duration::from_secs(retry_after_s.unwrap_or(1).min(5)));
    }

    fn to_cpm(&self, text: &str) -> Result<(), String> {
        if !self.smsc.deliver(SMS_USER, CPM_USER, text) {
            return Err("the gateway is not bound".into());
        }
        self.arrives_at_cpm(text)
    }

    fn arrives_at_cpm(&self, text: &str) -> Result<(), String> {
        match self.next()? {
            Happened::TextAtCpm(came) if came == text => {}
            Happened::TextAtCpm(came) => return Err(format!("{text:?} arrived as {came:?}")),
            other => return Err(format!("{other:?}")),
        }
        self.trace.line("        arrived unchanged");
        Ok(())
    }

    fn next(&self) -> Result<Happened, String> {
        self.happened.recv_timeout(PATIENCE).map_err(|_| format!("nothing happened for {} s", PATIENCE.as_secs()))
    }

    fn end(self) -> Result<(), String> {
        self.gateway.drain();
        if !self.gateway.join() {
            return Err("the gateway did not finish what it had accepted".into());
        }
        self.trace.line("gateway drained");
        if self.smsc.unanswered() > 0 {
            return Err(format!("{} deliveries were not answered", self.smsc.unanswered()));
        }
        match self.happened.try_iter().next() {
            Some(extra) => Err(format!("afterwards: {extra:?}")),
            None => Ok(()),
        }
    }
}

fn configuration(client: SocketAddr, smsc: SocketAddr, mmsc: SocketAddr) -> Result<Config, String> {
    let host = Host::here(PathBuf::new());
    let cores = &host.cores[..host.cores.len().min(2)];
    let text = format!(
        "[runtime]\ncores = {cores:?}\ndrain_s = 10\n\
         [sip]\nlisten = ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0']\nnext_hop = 'sip:{client}'\n\
         domain = 'gateway.invalid'\ntrusted = ['127.0.0.0/8']\n\
         [msrp]\nlisten = ['tcp://127.0.0.1:0']\n[policy.sessions]\ninvitation = 'ask'\n\
         [[smsc]]\nname = 'demo'\naddress = '{smsc}'\npassword = 'demo'\nreconnect_min_s = 0.2\nreconnect_max_s = 1\n\
         throttle_min_s = 0.2\n\
         [mm4]\nlisten = ['tcp://127.0.0.1:0']\ndomain = '{MMS_DOMAIN}'\ntrusted = ['127.0.0.0/8']\n\
         [[mmsc]]\nname = 'demo'\naddress = '{mmsc}'\ndomain = '{}'\nreconnect_min_s = 0.2\nreconnect_max_s = 1\n",
        mmsc::DOMAIN
    );
    Config::parse("demo", &text, &host).map_err(|problems| problems.to_string())
}
