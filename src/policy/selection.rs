//! Which network a CPM message goes to whose user has no CPM, where several would do.

use serde::{Deserialize, Serialize};

/// What is preferred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// A standalone message that is text and nothing else, where there is an SM-SC as well as an MMS Relay/Server.
    pub text: Network,
}

/// A network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// By SMPP.
    #[default]
    Sms,
    /// By MM4.
    Mms,
}
