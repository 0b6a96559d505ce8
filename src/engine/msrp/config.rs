//! What a session is told about itself when it is made.

use core::time::Duration;

use std::sync::Arc;

use crate::limits;

/// Which end opens the connection (RFC 6135 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// We connect, and send at once, or the other end would not know whose connection it is (RFC 4975 5.4).
    Active,
    /// The peer does.
    Passive,
}

/// One session, as SDP described it.
#[derive(Clone, Debug)]
pub struct Config {
    /// The one URI of our `a=path`.
    pub local_path: Box<[u8]>,
    /// The peer's `a=path`: its relays, if it has any, then its own URI.
    pub peer_path: Box<[u8]>,
    /// Who connects.
    pub role: Role,
    /// Our `a=accept-types`.
    pub accept: Accept,
    /// The numbers.
    pub settings: Settings,
}

/// Media types that are taken; others are answered 415 (RFC 4975 8.6).
#[derive(Clone, Debug, Default)]
pub struct Accept(Option<Arc<[Box<[u8]>]>>);

impl Accept {
    /// `*`: every type.
    pub const ANY: Accept = Accept(None);

    /// The types of a list; `text/*` stands for every subtype.
    #[must_use]
    pub fn only(types: &[&str]) -> Accept {
        if types.contains(&"*") {
            return Accept::ANY;
        }
        Accept(Some(types.iter().map(|one| one.as_bytes().into()).collect()))
    }

    /// Whether a Content-Type is taken. Its parameters do not count.
    #[must_use]
    pub fn takes(&self, content_type: &[u8]) -> bool {
        let end = content_type.iter().position(|octet| matches!(octet, b';' | b' ' | b'\t'));
        let media_type = content_type.get(..end.unwrap_or(content_type.len())).unwrap_or_default();
        self.0.as_ref().is_none_or(|types| types.iter().any(|one| covers(one, media_type)))
    }
}

fn covers(one: &[u8], media_type: &[u8]) -> bool {
    match one.strip_suffix(b"*") {
        Some(stem) => media_type.get(..stem.len()).is_some_and(|start| start.eq_ignore_ascii_case(stem)),
        None => one.eq_ignore_ascii_case(media_type),
    }
}

/// The numbers of a session; a deployment has one or two sets of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Octets of content in a chunk of ours. Above 2,048 the end of its range is not said, as it could be interrupted
    /// (RFC 4975 7.1.1).
    pub chunk_bytes: usize,
    /// Octets of a message that is taken: our `a=max-size`. Of a larger one not even the start is kept.
    pub message_bytes_max: u64,
    /// Messages of the peer that may be incomplete or unanswered at a time; one more gets 413.
    pub open_messages_max: usize,
    /// How long the next octet of a message may take.
    pub message_idle: Duration,
    /// How long a response may take (RFC 4975 7.1: 30 seconds).
    pub transaction: Duration,
    /// Octets that may be on their way into the socket before it says that it took some.
    pub in_flight_bytes: usize,
    /// Messages that may wait to be sent or answered.
    pub sending_max: usize,
    /// Octets of these.
    pub sending_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            chunk_bytes: limits::MSRP_UNINTERRUPTIBLE_BYTES_MAX,
            message_bytes_max: 10 << 20,
            open_messages_max: 8,
            message_idle: Duration::from_secs(60),
            transaction: Duration::from_secs(30),
            in_flight_bytes: 64 << 10,
            sending_max: 256,
            sending_bytes_max: 16 << 20,
        }
    }
}

impl Settings {
    /// Octets of content in a chunk, whatever was configured: a chunk leaves in one piece, so that sessions can share a
    /// connection.
    pub(super) fn chunk(&self) -> usize {
        self.chunk_bytes.clamp(1, limits::MSRP_CHUNK_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_taken_by_list_wildcard_and_without_parameters() {
        let accept = Accept::only(&["message/cpim", "text/*"]);
        for (content_type, taken) in [
            ("message/cpim", true),
            ("Message/CPIM;charset=utf-8", true),
            ("text/plain ; charset=utf-8", true),
            ("message/cpimx", false),
            ("textual/plain", false),
            ("image/png", false),
            ("", false),
        ] {
            assert_eq!(accept.takes(content_type.as_bytes()), taken, "{content_type}");
        }
        assert!(Accept::only(&["a/b", "*"]).takes(b"image/png"));
    }
}
