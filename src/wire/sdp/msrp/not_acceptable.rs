//! Why a stream cannot be taken, and what to say about it: 488 with a Warning (RFC 3261 20.43, 21.4.26).

use crate::wire::digits::decimal;

/// Why no stream of a description can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAcceptable {
    /// There is no stream for messages, or its port is 0: an answer refused it.
    NoStream,
    /// Not plain MSRP over TCP; TLS is not carried.
    Transport,
    /// An address of another family than ours, or of an unknown one.
    AddressFormat,
    /// The path is missing, too long, or no list of MSRP URIs (RFC 4975 8).
    Path,
    /// What our messages are in is not accepted (RFC 4975 8.6).
    AcceptTypes,
    /// The types inside others are not ours.
    WrappedTypes,
    /// Both sides insist on the same role (RFC 4145 4.1).
    Setup,
    /// We were to connect, and there is no address for that.
    Unreachable,
    /// A middlebox changed the c= and m= lines of a peer that does not speak CEMA. An offer is refused; after an answer a
    /// new offer, without CEMA, may succeed (RFC 6714).
    Cema,
}

impl NotAcceptable {
    /// Not Acceptable Here.
    pub const CODE: u16 = 488;

    /// The warn-code and warn-text of the Warning header.
    #[must_use]
    pub const fn warning(self) -> (u16, &'static str) {
        match self {
            NotAcceptable::NoStream => (304, "Media type not available"),
            NotAcceptable::Transport => (302, "Incompatible transport protocol"),
            NotAcceptable::AddressFormat => (301, "Incompatible network address formats"),
            NotAcceptable::AcceptTypes => (305, "Incompatible media format: accept-types"),
            NotAcceptable::WrappedTypes => (305, "Incompatible media format: accept-wrapped-types"),
            NotAcceptable::Path => (399, "No usable MSRP path"),
            NotAcceptable::Setup => (399, "Conflicting setup"),
            NotAcceptable::Unreachable => (399, "No address to connect to"),
            NotAcceptable::Cema => (399, "Path differs from connection address"),
        }
    }

    /// Appends the value of the Warning header; `agent` is our host name.
    pub fn write_warning(self, agent: &[u8], out: &mut Vec<u8>) {
        let (code, text) = self.warning();
        decimal(out, u64::from(code));
        for part in [b" ", agent, b" \"", text.as_bytes(), b"\""] {
            out.extend_from_slice(part);
        }
    }
}

impl core::fmt::Display for NotAcceptable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.warning().1)
    }
}

impl core::error::Error for NotAcceptable {}
