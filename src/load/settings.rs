//! What a load is told.

use core::net::SocketAddr;
use core::time::Duration;

use super::mix::Mix;
use super::pace::Pace;
use crate::engine::transport::Transport;
use crate::wire::short_message::{Concatenation, DataCodingZero};
use crate::wire::smpp::CommandStatus;

/// What a load is told. At least one side sends.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Every choice of the mix follows from it: the same seed makes the same messages.
    pub seed: u64,
    /// Names the run in branches, Call-IDs and Message-IDs, so that a gateway does not take the messages of one run for
    /// repetitions of another's.
    pub run: u32,
    /// When messages are due.
    pub pace: Pace,
    /// Messages due after this long are not sent.
    pub duration: Option<Duration>,
    /// No more messages are sent than these; at most `LOAD_MESSAGES_MAX`.
    pub messages: u32,
    /// Messages due before this are checked, but not counted.
    pub warm_up: Duration,
    /// How long after the last message its end is waited for.
    pub settle: Duration,
    /// How long binds and connections are waited for before the first message.
    pub patience: Duration,
    /// Whether the core stays awake between messages: it sends on time, and takes a whole processor.
    pub awake: bool,
    /// What is sent.
    pub mix: Mix,
    /// The CPM side.
    pub cpm: Option<CpmSettings>,
    /// The SM-SC side.
    pub smsc: Option<SmscSettings>,
    /// A client of an SM-SC.
    pub esme: Option<EsmeSettings>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            seed: 1,
            run: 0,
            pace: Pace::Open { per_s: 100.0 },
            duration: Some(Duration::from_secs(10)),
            messages: crate::limits::LOAD_MESSAGES_MAX,
            warm_up: Duration::ZERO,
            settle: Duration::from_secs(10),
            patience: Duration::from_secs(30),
            awake: false,
            mix: Mix::default(),
            cpm: None,
            smsc: None,
            esme: None,
        }
    }
}

/// The CPM side: sends MESSAGE requests and answers those it gets.
#[derive(Clone, Debug)]
pub struct CpmSettings {
    /// Where requests go.
    pub gateway: SocketAddr,
    /// By which transport.
    pub transport: Transport,
    /// What it is called, for Via: the first addresses of the listeners are its peers.
    pub peers: Vec<SocketAddr>,
    /// Octets before the five digits of a sender's telephone number.
    pub from: String,
    /// Octets before the five digits of a recipient's telephone number.
    pub to: String,
    /// Of unique Call-IDs, 0; else how many there are.
    pub call_ids: u32,
    /// The CPIM `DateTime` of every message.
    pub date_time: String,
    /// Whether text goes in message/cpim; otherwise it goes as text/plain.
    pub cpim: bool,
}

/// The SM-SC side: takes binds and short messages, reports on them, and delivers short messages of mobiles.
#[derive(Clone, Debug)]
pub struct SmscSettings {
    /// The only system_id and password that may bind; any if there are none.
    pub credentials: Option<(String, String)>,
    /// The time between a submission and its response: from the first to the second.
    pub answer_delay: (Duration, Duration),
    /// The share of submissions that is refused.
    pub error_share: f64,
    /// How.
    pub error_status: CommandStatus,
    /// Submissions a second; those beyond get ESME_RTHROTTLED. 0: no limit.
    pub throttle: u32,
    /// The time between a response and the status report.
    pub report_delay: Duration,
    /// Requests to the gateway without a response; more wait.
    pub window: usize,
    /// What data_coding 0 means.
    pub data_coding_0: DataCodingZero,
    /// How texts of mobiles are cut.
    pub concatenation: Concatenation,
    /// Octets before the five digits of a mobile's telephone number.
    pub from: String,
    /// Octets before the five digits of the number it writes to.
    pub to: String,
}

impl Default for SmscSettings {
    fn default() -> SmscSettings {
        SmscSettings {
            credentials: None,
            answer_delay: (Duration::ZERO, Duration::ZERO),
            error_share: 0.0,
            error_status: CommandStatus::ESME_RSYSERR,
            throttle: 0,
            report_delay: Duration::ZERO,
            window: 200,
            data_coding_0: DataCodingZero::Gsm7,
            concatenation: Concatenation::Udh8,
            from: String::from("4915140"),
            to: String::from("4917250"),
        }
    }
}

/// A client that submits short messages to an SM-SC.
#[derive(Clone, Debug)]
pub struct EsmeSettings {
    /// The SM-SC.
    pub smsc: SocketAddr,
    /// Who binds.
    pub system_id: String,
    /// Its password.
    pub password: String,
    /// Submissions without a response; more wait.
    pub window: usize,
    /// Whether the SM-SC sends every text back as a deliver_sm.
    pub echoes: bool,
    /// What data_coding 0 means there.
    pub data_coding_0: DataCodingZero,
    /// How texts are cut.
    pub concatenation: Concatenation,
    /// Octets before the five digits of a sender's telephone number.
    pub from: String,
    /// Octets before the five digits of a recipient's telephone number.
    pub to: String,
}
