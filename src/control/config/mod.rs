//! The configuration file: read whole, every mistake reported at its line with what would be right.
//!
//! `docs/configuration.md` is the reference of the keys; a test holds it to this code. All values are read at start;
//! a change needs a restart.

mod mm4;
mod msrp;
mod policy;
mod problem;
mod reader;
mod sections;
mod settings;
mod smsc;
mod values;

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

pub use problem::{Problem, Problems};

use crate::engine::transport::Transport;
use crate::policy::Policy;
use crate::shard::settings::{Mm4Settings, MmscSettings, MsrpSettings, Network, SmscSettings};
use reader::{Section, Sink};

/// A valid configuration. Showing it does not show passwords.
#[derive(Clone, Debug)]
pub struct Config {
    /// `profile`: which answers the policies start from.
    pub profile: Profile,
    /// `state_dir`: directory of what outlives the process.
    pub state_dir: PathBuf,
    /// `durable`: whether anything does.
    pub durable: bool,
    /// `[runtime]`
    pub runtime: Runtime,
    /// `[sip]`
    pub sip: Sip,
    /// `[msrp]`
    pub msrp: Msrp,
    /// `[[smsc]]`, in order of preference.
    pub smscs: Vec<SmscSettings>,
    /// `[mm4]`
    pub mm4: Mm4,
    /// `[[mmsc]]`; with `smscs` at least one.
    pub mmscs: Vec<MmscSettings>,
    /// `[admin]`
    pub admin: Admin,
    /// `[log]`
    pub log: Log,
    /// `[policy.*]` laid over the profile's answers.
    pub policy: Policy,
}

/// Answers to start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// All that the documents describe.
    Cpm,
    /// The switches of IWF V3.0 4.4.
    Rcs,
}

/// `[runtime]`: how the gateway runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// `cores`: one thread is pinned to each; at least one.
    pub cores: Vec<usize>,
    /// `backend`: how packets are moved.
    pub backend: Backend,
    /// `drain_s`: how long a drain waits for what was accepted.
    pub drain: Duration,
}

/// How packets are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// `io_uring` where the host allows it, else `epoll`.
    Auto,
    /// io_uring or no start.
    IoUring,
    /// recvmmsg and epoll.
    Epoll,
}

/// `[sip]`: the CPM side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sip {
    /// `listen`
    pub listen: Vec<Listen>,
    /// `next_hop`: SIP URI where requests that we originate go.
    pub next_hop: String,
    /// `domain`: host part of the URIs and Call-IDs we mint.
    pub domain: String,
    /// `trusted`: peers whose P-Asserted-Identity is believed; others are answered 403.
    pub trusted: Vec<Network>,
    /// `idle_s`: a connection on which nothing happens this long is closed.
    pub idle: Duration,
    /// `datagram_request_bytes_max`: octets of a request of ours that may leave as a datagram; more go by TCP.
    pub datagram_request_bytes_max: usize,
}

/// A socket to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// `udp://` or `tcp://`.
    pub transport: Transport,
    /// Port 0 takes any that is free.
    pub address: SocketAddr,
}

/// `[msrp]`: media of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Msrp {
    /// `listen`; with none there are no sessions.
    pub listen: Vec<Listen>,
    /// The rest of the section, as shards are told it; `address` stands there whether it was given or not.
    pub settings: MsrpSettings,
}

/// `[mm4]`: our own MMS Relay/Server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mm4 {
    /// `listen`; with none no MMS Relay/Server can bring anything.
    pub listen: Vec<Listen>,
    /// The rest of the section, as shards are told it.
    pub settings: Mm4Settings,
}

/// `[admin]`: what operators ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// `listen`: HTTP, GET /healthz /readyz /metrics.
    pub listen: SocketAddr,
}

/// `[log]`: what is written to standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Log {
    /// `level`: the least important that is written.
    pub level: tracing::Level,
    /// `format`
    pub format: LogFormat,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What a configuration is checked against.
#[derive(Clone, Debug)]
pub struct Host {
    /// Cores this process may use.
    pub cores: Vec<usize>,
    /// Relative paths of secrets start here: the directory of the file.
    pub directory: PathBuf,
    /// Finds the address of `host:port`.
    pub resolve: fn(&str) -> io::Result<Option<SocketAddr>>,
}

impl Host {
    /// This host.
    #[must_use]
    pub fn here(directory: PathBuf) -> Host {
        let resolve = |peer: &str| peer.to_socket_addrs().map(|mut found| found.next());
        Host { cores: cores_of_this_host(), directory, resolve }
    }
}

impl Config {
    /// Reads and checks a file on this host.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(file: &Path) -> Result<Config, Problems> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| unreadable(&name, &error))?;
        let directory = file.parent().unwrap_or(Path::new("")).to_owned();
        Config::parse(&name, &text, &Host::here(directory))
    }

    /// Checks the text of a file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(file: &str, text: &str, host: &Host) -> Result<Config, Problems> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let sink = Sink::new(text);
        let config = sections::read(Section::root(&sink, table.get_ref()), host);
        let (mut problems, _) = sink.into_inner();
        if !errors.is_empty() {
            let lines: Vec<_> = errors.iter().map(|error| problem::line_of(text, error.span())).collect();
            // What else is said about these lines, or about keys that they may hold, follows from the syntax error.
            problems.retain(|problem| !lines.contains(&problem.line) && !problem.text.contains("is missing"));
            problems.extend(lines.iter().zip(&errors).map(|(line, error)| syntax_error(*line, error)));
            problems.sort();
        }
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(Problems { file: file.to_owned(), problems }),
        }
    }

    /// Every key there is, with its tables: `sip.listen`, `smsc[1].window`, `policy.reports.unmatched_hold_s`.
    #[must_use]
    pub fn keys() -> Vec<String> {
        let text = "[[smsc]]\n[[mmsc]]";
        let (table, _) = DeTable::parse_recoverable(text);
        let sink = Sink::new(text);
        let host = Host { cores: vec![0], directory: PathBuf::new(), resolve: |_| Ok(None) };
        drop(sections::read(Section::root(&sink, table.get_ref()), &host));
        sink.into_inner().1
    }
}

/// The cores that the scheduler may give this process.
fn cores_of_this_host() -> Vec<usize> {
    let set = rustix::thread::sched_getaffinity(None).unwrap_or_default();
    let cores: Vec<_> = (0..rustix::thread::CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect();
    if cores.is_empty() { vec![0] } else { cores }
}

fn unreadable(file: &str, error: &io::Error) -> Problems {
    let text = format!("cannot be read: {error}; right would be -c with the path of the configuration");
    Problems { file: file.to_owned(), problems: vec![Problem { line: 1, key: String::new(), text }] }
}

fn syntax_error(line: usize, error: &toml::de::Error) -> Problem {
    Problem { line, key: String::new(), text: format!("no TOML: {}", error.message().replace('\n', ", ")) }
}
