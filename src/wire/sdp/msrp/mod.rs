//! Offer and answer about an MSRP session: RFC 3264, RFC 4975 8, RFC 6135 (who connects), RFC 6714 (CEMA: connections by
//! way of middleboxes), RFC 5547 (file transfer, as far as its attributes are passed on).
//!
//! | the offer's setup | the answerer is | source |
//! |---|---|---|
//! | active | passive | RFC 4145 4.1 |
//! | actpass | what it prefers ([`Local::setup`]); passive if it has no preference | RFC 4145 4.1 |
//! | passive | active | RFC 4145 4.1 |
//! | nothing or holdconn | passive: the offerer connects | RFC 6135 4, RFC 4975 5.4 |
//!
//! The active side connects to the first URI of the peer's path or, if both speak CEMA, to the address and port of the
//! c= and m= lines (RFC 6714); the path names the session in both cases.

mod agreed;
mod change;
mod file;
mod judge;
mod not_acceptable;
mod setup;
mod target;
pub mod types;
mod write;

use core::net::IpAddr;

use super::{Direction, Media, Session};
use crate::wire::msrp::uri::MsrpUri;

pub use agreed::Agreed;
pub use change::{Change, change};
pub use file::FileSelector;
pub use not_acceptable::NotAcceptable;
pub use setup::Setup;
pub use target::{Host, Target};

/// Our side of a session.
#[derive(Clone, Copy, Debug)]
pub struct Local<'a> {
    /// Where we listen, for o= and c=.
    pub address: IpAddr,
    /// Where we listen, for m=; 9 in an offer that says active and nothing else listens (RFC 4145 4.1).
    pub port: u16,
    /// Our MSRP URI, behind the URIs of relays if there are any, a space between (RFC 4975 8).
    pub path: &'a [u8],
    /// Any number; its top bit is not written, because 63 bits are what a peer need read (RFC 3264 5).
    pub session_id: u64,
    /// One more for each description of the session that differs from the one before it (RFC 3264 8); below 2^63.
    pub session_version: u64,
    /// Media types or ranges that we take, a space between. The first is what we send messages in, which the peer has to
    /// take.
    pub accept_types: &'a [u8],
    /// Those that we take inside another type; if empty the attribute is left out and the peer's is not judged.
    pub accept_wrapped_types: &'a [u8],
    /// How the peer's accept-wrapped-types are judged.
    pub wrapped: Wrapped,
    /// Octets of the largest message that we take; `None` leaves the attribute out.
    pub max_size: Option<u64>,
    /// In an offer, what we say. In an answer, what we prefer if the offer leaves the choice; inside a session that is
    /// what we are already ([`Agreed::setup`]), or the roles change.
    pub setup: Setup,
    /// What we want: an answer holds what the offer leaves of it.
    pub direction: Direction,
    /// Whether we speak CEMA.
    pub cema: bool,
    /// Whether an answer repeats what the offer says of a file, which accepts the transfer (RFC 5547 8.3).
    pub file_transfer: bool,
    /// Further attributes of the stream, without their `a=`.
    pub attributes: &'a [&'a [u8]],
}

impl Local<'_> {
    /// What our own configuration and allocation must have got right.
    fn check(&self) {
        debug_assert!(self.session_version.leading_zeros() > 0);
        debug_assert!(self.path.split(|octet| *octet == b' ').all(|uri| MsrpUri::parse(uri).is_some()));
        debug_assert!(!self.address.is_unspecified() && self.port != 0);
    }
}

/// When the types that a peer takes or sends inside others are acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapped {
    /// If one of them is one of ours: a chat, in which the peer says what it could display.
    AnyOf,
    /// If each of them is one of ours: a single message, whose content the offer lists.
    AllOf,
}

/// Appends an offer of one stream.
pub fn offer(local: &Local<'_>, out: &mut Vec<u8>) {
    write::offer(local, out);
}

/// Appends the answer to an offer: the first stream that can be taken, every other one refused (RFC 3264 6).
///
/// # Errors
/// [`NotAcceptable`] if no stream can be taken; then nothing is appended.
pub fn answer(offer: &Session<'_>, local: &Local<'_>, out: &mut Vec<u8>) -> Result<Agreed, NotAcceptable> {
    let agreed = first_acceptable(offer, |media| judge::offered(media, local))?;
    write::answer(offer, local, &agreed, out);
    Ok(agreed)
}

/// Reads the answer to what [`offer`] wrote with the same `local`.
///
/// # Errors
/// [`NotAcceptable`] if the peer refused the stream or said what does not fit the offer: such a session is ended.
pub fn read_answer(answer: &Session<'_>, local: &Local<'_>) -> Result<Agreed, NotAcceptable> {
    first_acceptable(answer, |media| judge::answered(media, local))
}

/// The first stream for messages, acceptable or not.
#[must_use]
pub fn stream<'a>(session: &Session<'a>) -> Option<Media<'a>> {
    session.media().find(is_message)
}

fn is_message(media: &Media<'_>) -> bool {
    media.media.eq_ignore_ascii_case(b"message")
}

/// The first stream that `judge` accepts, or what is wrong with the first one in use.
fn first_acceptable(
    session: &Session<'_>,
    judge: impl Fn(&Media<'_>) -> Result<Agreed, NotAcceptable>,
) -> Result<Agreed, NotAcceptable> {
    let mut wrong = None;
    for (position, media) in session.media().enumerate().filter(|(_, media)| is_message(media)) {
        match judge(&media) {
            Ok(agreed) => return Ok(Agreed { position, peer_origin: session.origin().value.to_vec(), ..agreed }),
            Err(NotAcceptable::NoStream) => {}
            Err(why) => wrong = wrong.or(Some(why)),
        }
    }
    Err(wrong.unwrap_or(NotAcceptable::NoStream))
}
