//! Response codes that we send (RFC 4975 10).

/// It was taken.
pub(super) const OK: u16 = 200;
/// It makes no sense.
pub(super) const BAD_REQUEST: u16 = 400;
/// No more of this message.
pub(super) const STOP: u16 = 413;
/// A media type that we did not offer.
pub(super) const MEDIA_TYPE: u16 = 415;
/// No such session.
pub(super) const NO_SESSION: u16 = 481;
/// A method that we do not know.
pub(super) const UNKNOWN_METHOD: u16 = 501;
/// The session is bound to another connection.
pub(super) const OTHER_CONNECTION: u16 = 506;
