//! MSRP without its sockets (RFC 4975, RFC 6135, RFC 6714): sessions, and the connections they travel on.
//!
//! A connection may carry several sessions, and the core that holds its socket need not be the one that owns them. So there
//! are two machines, and what goes from one to the other is a [`Piece`], which crosses cores as an [`OwnedPiece`]:
//!
//! - [`Framer`], one for each connection: octets in ([`Framer::push`]), pieces out ([`Framer::next_piece`]). A piece is whole or
//!   part of a chunk; its data are a slice of the receive buffer, so that no octet of a payload is copied on the way in.
//! - [`Session`], one for each session: told what happened (`handle_*`) and what to do (`send`, `respond`, `report`,
//!   `abort`, `close`), and then drained:
//!   1. [`Session::poll_transmit`]: octets for the connection, whole chunks, so that sessions may share it;
//!   2. [`Session::poll_event`]: what came of it, until there is none;
//!   3. [`Session::poll_timeout`]: when to call [`Session::handle_timeout`], and for which timer.
//!
//! Every message that [`Session::send`] took comes back exactly once as [`Event::Sent`]; every [`Event::Received`] wants one
//! [`Session::respond`].

mod budget;
mod code;
mod config;
mod event;
mod framer;
mod message;
mod octets;
mod open;
mod piece;
mod receiver;
mod remembered;
mod reply;
mod sender;
mod session;
pub mod session_id;
mod slices;
mod transactions;
mod write;

pub use budget::Budget;
pub use config::{Accept, Config, Role, Settings};
pub use event::{CloseReason, Counters, DiscardReason, Event, IncomingId, Outcome, TimerName};
pub use framer::{Framed, Framer};
pub use message::{Ident, Message};
pub use piece::{OwnedPiece, Piece};
pub use reply::{refuse_second_connection, refuse_unknown};
pub use sender::{Outgoing, SendRefused};
pub use session::Session;
