//! MM4: our own MMS Relay/Server and those of others (3GPP TS 23.140 8.4).

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use super::Network;
use crate::engine::transport::ListenerId;
use crate::limits;

/// Our side of MM4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mm4Settings {
    /// The sockets where MMS Relay/Servers bring mail. Their numbers follow those for MSRP.
    pub listeners: Vec<ListenerId>,
    /// Host part of our addresses and of the ids we mint.
    pub domain: String,
    /// Local part of our address as an MMS Relay/Server.
    pub system_user: String,
    /// Peers who may bring mail.
    pub trusted: Vec<Network>,
    /// Octets of the largest mail that is taken.
    pub message_bytes_max: usize,
    /// Connections of peers that one core holds at a time.
    pub sessions_max: usize,
    /// A peer that says nothing this long is hung up on.
    pub idle: Duration,
}

impl Default for Mm4Settings {
    fn default() -> Mm4Settings {
        Mm4Settings {
            listeners: Vec::new(),
            domain: "localhost".to_owned(),
            system_user: "system-user".to_owned(),
            trusted: Vec::new(),
            message_bytes_max: 2 << 20,
            sessions_max: limits::SMTP_SESSIONS_MAX,
            idle: Duration::from_secs(300),
        }
    }
}

impl Mm4Settings {
    /// Our address as an MMS Relay/Server: MAIL FROM of responses and reports.
    #[must_use]
    pub fn system_address(&self) -> Vec<u8> {
        [self.system_user.as_bytes(), b"@", self.domain.as_bytes()].concat()
    }

    /// Whether this peer may bring mail.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(peer))
    }
}

/// An MMS Relay/Server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MmscSettings {
    /// Its name in logs and metrics.
    pub name: String,
    /// Where to connect.
    pub address: SocketAddr,
    /// Host part of the addresses of its users.
    pub domain: String,
    /// The numbers it serves, by their first digits after "+"; with none it serves all.
    pub prefixes: Vec<String>,
    /// Connections that each core opens.
    pub connections: u16,
    /// Octets of the largest content that it takes (IWF 6.3 1b).
    pub message_bytes_max: usize,
    /// Media types that it takes, `image/*` for all of a kind (IWF 6.3 1a).
    pub content_types: Vec<String>,
    /// First and longest wait before a new connection.
    pub reconnect: [Duration; 2],
}

impl MmscSettings {
    /// Digits of the longest prefix that `digits` begin with; `None` if it does not serve them.
    #[must_use]
    pub fn serves(&self, digits: &[u8]) -> Option<usize> {
        if self.prefixes.is_empty() {
            return Some(0);
        }
        let fitting = self.prefixes.iter().filter(|prefix| digits.starts_with(prefix.as_bytes()));
        fitting.map(String::len).max()
    }

    /// Whether it takes content of this type.
    #[must_use]
    pub fn takes(&self, media_type: &[u8]) -> bool {
        self.content_types.iter().any(|known| match known.strip_suffix('*') {
            Some(kind) => media_type.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind.as_bytes())),
            None => media_type.eq_ignore_ascii_case(known.as_bytes()),
        })
    }
}

impl Default for MmscSettings {
    fn default() -> MmscSettings {
        MmscSettings {
            name: String::new(),
            address: SocketAddr::from(([127, 0, 0, 1], 25)),
            domain: String::new(),
            prefixes: Vec::new(),
            connections: 1,
            message_bytes_max: 300 << 10,
            content_types: CONTENT_TYPES.map(str::to_owned).to_vec(),
            reconnect: [Duration::from_secs(1), Duration::from_secs(60)],
        }
    }
}

/// What the MMS conformance document lets every client have, and what surrounds it.
const CONTENT_TYPES: [&str; 7] =
    ["text/*", "image/*", "audio/*", "video/*", "application/smil", "application/smil+xml", "application/vnd.wap.*"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_counts() {
        let mmsc = MmscSettings { prefixes: vec!["44".into(), "4477".into()], ..MmscSettings::default() };
        assert_eq!(mmsc.serves(b"447700900123"), Some(4));
        assert_eq!(mmsc.serves(b"441700900123"), Some(2));
        assert_eq!(mmsc.serves(b"491700000001"), None);
        assert_eq!(MmscSettings::default().serves(b"1"), Some(0));
    }

    #[test]
    fn kinds_of_media_stand_for_all_of_them() {
        let mmsc = MmscSettings::default();
        assert!(mmsc.takes(b"Image/JPEG") && mmsc.takes(b"application/smil"));
        assert!(!mmsc.takes(b"application/smi") && !mmsc.takes(b"application/zip") && !mmsc.takes(b""));
    }
}
