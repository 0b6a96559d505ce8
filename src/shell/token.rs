//! What the kernel is told with an order and tells us back when the order ends: 64 bits.

use crate::engine::transport::LinkId;

/// What was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Datagrams of a listener.
    Receive,
    /// Connections of a listener.
    Accept,
    /// A datagram's way out.
    SendDatagram,
    /// A connection to a peer.
    Connect,
    /// Octets of a connection.
    ReceiveStream,
    /// The same, their way out.
    SendStream,
    /// An order about an order; its end says nothing.
    Aside,
}

const KINDS: [Kind; 7] = [
    Kind::Receive,
    Kind::Accept,
    Kind::SendDatagram,
    Kind::Connect,
    Kind::ReceiveStream,
    Kind::SendStream,
    Kind::Aside,
];

/// Generations are told apart by this many bits.
const GENERATION_BITS: u32 = 24;
const GENERATION_MASK: u32 = (1 << GENERATION_BITS) - 1;

/// An order's name: its kind, and a place that has had a number of uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) generation: u32,
    pub(super) index: u32,
}

impl Token {
    pub(super) const fn new(kind: Kind, generation: u32, index: u32) -> Token {
        Token { kind, generation: generation & GENERATION_MASK, index }
    }

    pub(super) const fn of_link(kind: Kind, link: LinkId) -> Token {
        Token::new(kind, link.generation, link.index)
    }

    pub(super) const fn pack(self) -> u64 {
        (self.kind as u64) << 56 | (self.generation as u64) << 32 | self.index as u64
    }

    /// `None` if `bits` were never packed here.
    #[allow(clippy::cast_possible_truncation, reason = "the parts of a word")]
    pub(super) fn unpack(bits: u64) -> Option<Token> {
        let kind = *KINDS.get((bits >> 56) as usize)?;
        Some(Token::new(kind, (bits >> 32) as u32, bits as u32))
    }

    /// Whether it was made for a link of this generation.
    pub(super) const fn fits(self, generation: u32) -> bool {
        self.generation == generation & GENERATION_MASK
    }
}

#[cfg(test)]
mod tests {
    use super::{KINDS, Token};

    #[test]
    fn what_is_packed_is_unpacked() {
        for (at, kind) in KINDS.into_iter().enumerate() {
            assert_eq!(kind as usize, at);
            let token = Token::new(kind, 0x12_3456, u32::MAX);
            assert_eq!(Token::unpack(token.pack()), Some(token));
        }
        assert_eq!(Token::unpack(u64::MAX), None);
        assert!(Token::new(KINDS[0], u32::MAX, 0).fits(u32::MAX));
    }
}
