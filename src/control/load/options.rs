//! The options of `isthmus load`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::values::{Delay, Numbers, Ramp, Shared, SipTarget};
use crate::load::{Alphabet, Length, Way};
use crate::shell::Backend;
use crate::wire::short_message::{Concatenation, DataCodingZero};
use crate::wire::smpp::CommandStatus;

use super::values;

/// What is sent to whom, how fast, and what for.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("sides").required(true).multiple(true).args(["sip", "smsc_listen", "smpp"]))]
#[command(group = clap::ArgGroup::new("pace").args(["rate", "ramp", "window"]))]
pub struct Options {
    /// CPM side: send MESSAGE requests to this gateway
    #[arg(long, value_name = "URI", value_parser = values::sip, help_heading = "Sides")]
    pub sip: Option<SipTarget>,
    /// CPM side: where MESSAGE requests of the gateway are taken, over UDP and TCP
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5070", help_heading = "Sides")]
    pub sip_listen: SocketAddr,
    /// SM-SC side: where the gateway binds
    #[arg(long, value_name = "ADDRESS", help_heading = "Sides")]
    pub smsc_listen: Option<SocketAddr>,
    /// Client side: submit to this SM-SC
    #[arg(long, value_name = "ADDRESS", value_parser = values::address, help_heading = "Sides", conflicts_with = "smsc_listen")]
    pub smpp: Option<SocketAddr>,
    /// SM-SC side: the only one that may bind; client side: who binds
    #[arg(long, value_name = "NAME", help_heading = "Sides")]
    pub system_id: Option<String>,
    /// Its password
    #[arg(long, value_name = "WORD", default_value = "", hide_default_value = true, help_heading = "Sides")]
    pub password: String,

    /// Open loop: messages a second
    #[arg(long, value_name = "N", value_parser = values::rate, help_heading = "Pace")]
    pub rate: Option<f64>,
    /// Open loop: from N to M messages a second over S seconds
    #[arg(long, value_name = "N:M:S", value_parser = values::ramp, help_heading = "Pace")]
    pub ramp: Option<Ramp>,
    /// Closed loop: messages without an answer
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Pace")]
    pub window: Option<u32>,
    /// For how long messages are due [default: 10s, or the ramp, or until --messages]
    #[arg(long, value_name = "TIME", value_parser = values::duration, help_heading = "Pace")]
    pub duration: Option<Duration>,
    /// How many messages are sent at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(crate::limits::LOAD_MESSAGES_MAX)), help_heading = "Pace")]
    pub messages: Option<u32>,
    /// Messages due before this are checked but not counted
    #[arg(long, value_name = "TIME", value_parser = values::duration, default_value = "0", help_heading = "Pace")]
    pub warm_up: Duration,
    /// How long after the last message its end is waited for
    #[arg(long, value_name = "TIME", value_parser = values::duration, default_value = "10s", help_heading = "Pace")]
    pub settle: Duration,
    /// How long binds and connections are waited for
    #[arg(long, value_name = "TIME", value_parser = values::duration, default_value = "30s", help_heading = "Pace")]
    pub wait: Duration,

    /// Directions and their weights: cpm-to-sms, sms-to-cpm [default: all that the sides allow from CPM]
    #[arg(long, value_name = "WAY[:WEIGHT],...", value_parser = values::ways, help_heading = "Mix")]
    pub direction: Option<Shared<Way>>,
    /// Characters of a text, or ranges of them, and their weights
    #[arg(long, value_name = "N[-M][:WEIGHT],...", value_parser = values::lengths, default_value = "40", help_heading = "Mix")]
    pub length: Shared<Length>,
    /// Alphabets and their weights: gsm7, latin1, ucs2, emoji
    #[arg(long, value_name = "NAME[:WEIGHT],...", value_parser = values::alphabets, default_value = "gsm7", help_heading = "Mix")]
    pub alphabet: Shared<Alphabet>,
    /// Share of messages that ask for reports, 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = values::share, default_value = "0", help_heading = "Mix")]
    pub reports: f64,
    /// Which: positive, negative, interworking
    #[arg(long, value_name = "KIND,...", value_parser = values::kinds, default_value = "positive,negative", help_heading = "Mix")]
    pub report_kinds: crate::wire::cpim::Dispositions,
    /// Share of messages that the SM-SC side reports as undeliverable
    #[arg(long, value_name = "SHARE", value_parser = values::share, default_value = "0", help_heading = "Mix")]
    pub undelivered: f64,
    /// Share of MESSAGE requests that are sent twice
    #[arg(long, value_name = "SHARE", value_parser = values::share, default_value = "0", help_heading = "Mix")]
    pub repeat: f64,
    /// How many Call-IDs: unique, or a number of them in turn
    #[arg(long, value_name = "N", value_parser = values::numbers, default_value = "unique", help_heading = "Mix")]
    pub call_ids: Numbers,
    /// How many sockets (UDP) or connections (TCP) the CPM side sends from
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=crate::limits::LOAD_PEERS_MAX as i64), default_value = "1", help_heading = "Mix")]
    pub peers: u16,
    /// Send text/plain in place of message/cpim; no reports can be asked for then
    #[arg(long, help_heading = "Mix")]
    pub plain: bool,
    /// The seed of the mix: the same one makes the same messages
    #[arg(long, value_name = "N", default_value = "1", help_heading = "Mix")]
    pub seed: u64,

    /// Time between a submission and its answer, fixed or drawn from a range
    #[arg(long, value_name = "TIME[-TIME]", value_parser = values::delay, default_value = "0", help_heading = "SM-SC")]
    pub answer_delay: Delay,
    /// Share of submissions that are refused
    #[arg(long, value_name = "SHARE", value_parser = values::share, default_value = "0", help_heading = "SM-SC")]
    pub errors: f64,
    /// With which command_status, by name or number
    #[arg(long, value_name = "STATUS", value_parser = values::status, default_value = "ESME_RSYSERR", help_heading = "SM-SC")]
    pub error_status: CommandStatus,
    /// Submissions a second beyond which they get ESME_RTHROTTLED; 0: none
    #[arg(long, value_name = "N", default_value = "0", help_heading = "SM-SC")]
    pub throttle: u32,
    /// Time between the answer and the status report
    #[arg(long, value_name = "TIME", value_parser = values::duration, default_value = "0", help_heading = "SM-SC")]
    pub report_delay: Duration,
    /// Requests to the peer without a response: deliver_sm of the SM-SC side, submit_sm of the client
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=crate::limits::LOAD_WINDOW_MAX as i64), default_value = "200", help_heading = "SM-SC")]
    pub smpp_window: u32,
    /// What data_coding 0 means: gsm7, latin1, ascii
    #[arg(long, value_name = "NAME", value_parser = values::data_coding_0, default_value = "gsm7", help_heading = "SM-SC")]
    pub data_coding_0: DataCodingZero,
    /// How texts are cut that this side sends: udh8, udh16, sar, payload
    #[arg(long, value_name = "NAME", value_parser = values::concatenation, default_value = "udh8", help_heading = "SM-SC")]
    pub concatenation: Concatenation,
    /// Client side: the SM-SC sends every text back as a deliver_sm, which is checked
    #[arg(long, help_heading = "SM-SC")]
    pub echo: bool,

    /// Processor to run on [default: any]
    #[arg(long, value_name = "N", help_heading = "Process")]
    pub core: Option<usize>,
    /// Sleep between messages: takes less of a processor, and sends up to 1 ms late
    #[arg(long, help_heading = "Process")]
    pub sleep: bool,
    /// How the kernel is asked: auto, io_uring, epoll
    #[arg(long, value_name = "NAME", value_parser = values::backend, default_value = "auto", help_heading = "Process")]
    pub backend: Backend,
    /// Process of the gateway, on this host: its CPU time and memory are shown beside the results
    #[arg(long, value_name = "PID", help_heading = "Process")]
    pub gateway_pid: Option<u32>,
    /// Directory for report.html, timeline.csv, percentiles.csv, summary.txt and a .hgrm for each flow
    #[arg(long, value_name = "DIRECTORY", help_heading = "Process")]
    pub output: Option<PathBuf>,
    /// No line of progress each second
    #[arg(long, help_heading = "Process")]
    pub quiet: bool,
}
