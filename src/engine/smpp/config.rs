//! What an SMPP session is told when it is made.

use core::time::Duration;

use super::BindType;
use crate::limits::{SMPP_PDU_BYTES_MAX, SMPP_PENDING_MAX, SMPP_WINDOW_MAX};
use crate::wire::inline::Inline;

/// Who opens the connection (SMPP 3.4 2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Initiator {
    /// We connect and bind at once.
    #[default]
    Esme,
    /// The SM-SC connects and asks by outbind; we bind then.
    Smsc,
}

/// One bind. Strings are bounded by their fields in the bind PDU.
#[derive(Clone)]
pub struct Config {
    /// Which bind request is sent.
    pub bind: BindType,
    /// Who opens the connection.
    pub initiator: Initiator,
    /// Our system_id.
    pub system_id: Inline<15>,
    /// Our password.
    pub password: Inline<8>,
    /// Our system_type.
    pub system_type: Inline<12>,
    /// Type of number of the addresses we serve.
    pub addr_ton: u8,
    /// Numbering plan of the addresses we serve.
    pub addr_npi: u8,
    /// The addresses we serve, empty to leave it to the SM-SC.
    pub address_range: Inline<40>,
    /// The password an outbind must bear; `None` accepts any.
    pub outbind_password: Option<Inline<8>>,

    /// Submissions in flight, 1 to `SMPP_WINDOW_MAX`.
    pub window: usize,
    /// Submissions that wait for the window, the rate or the end of a throttling pause.
    pub pending_max: usize,
    /// Deliveries that we have not answered yet; one more is answered ESME_RX_T_APPN.
    pub deliver_window: usize,
    /// Submissions per second, 0 for no limit.
    pub throughput_per_second: u32,
    /// Octets of the largest PDU that is read.
    pub pdu_bytes_max: usize,
    /// Whether to send optional parameters to an SM-SC whose bind response did not say its version.
    pub tlvs_without_version: bool,

    /// Connection (or outbind) to bind response.
    pub session_init: Duration,
    /// Silence after which enquire_link is sent; zero for never.
    pub enquire_link: Duration,
    /// Request to response.
    pub response: Duration,
    /// How long a drain waits for what is outstanding.
    pub drain: Duration,
    /// First wait before a new connection; doubled each time.
    pub reconnect_min: Duration,
    /// Longest wait before a new connection.
    pub reconnect_max: Duration,
    /// Wait after a bind was refused for its system_id or password.
    pub reconnect_refused: Duration,
    /// First pause after ESME_RTHROTTLED or ESME_RMSGQFUL; doubled while it goes on.
    pub throttle_min: Duration,
    /// Longest such pause.
    pub throttle_max: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            bind: BindType::Transceiver,
            initiator: Initiator::Esme,
            system_id: Inline::new(),
            password: Inline::new(),
            system_type: Inline::new(),
            addr_ton: 0,
            addr_npi: 0,
            address_range: Inline::new(),
            outbind_password: None,
            window: 64,
            pending_max: SMPP_PENDING_MAX,
            deliver_window: 256,
            throughput_per_second: 0,
            pdu_bytes_max: SMPP_PDU_BYTES_MAX,
            tlvs_without_version: true,
            session_init: Duration::from_secs(10),
            enquire_link: Duration::from_secs(30),
            response: Duration::from_secs(20),
            drain: Duration::from_secs(30),
            reconnect_min: Duration::from_secs(1),
            reconnect_max: Duration::from_secs(60),
            reconnect_refused: Duration::from_secs(300),
            throttle_min: Duration::from_secs(1),
            throttle_max: Duration::from_secs(60),
        }
    }
}

impl Config {
    /// The window within its bounds.
    pub(super) fn window(&self) -> usize {
        self.window.clamp(1, SMPP_WINDOW_MAX)
    }
}

/// Does not show the password.
impl core::fmt::Debug for Config {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Config")
            .field("bind", &self.bind)
            .field("initiator", &self.initiator)
            .field("window", &self.window)
            .field("throughput_per_second", &self.throughput_per_second)
            .finish_non_exhaustive()
    }
}
