//! Internet mail (RFC 5322, RFC 2045 to 2047) as far as messages between carriers use it, and the MM4 messages in it
//! (3GPP TS 23.140 8.4).
//!
//! Read liberally where deployed relays differ: bare LF, names in any case, folded fields, octets beyond ASCII.

pub mod address;
pub mod base64;
pub mod date;
pub mod encoded_word;
pub mod header;
pub mod mime;
pub mod mm4;
pub mod quoted_printable;
