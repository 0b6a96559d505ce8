//! An SMPP 3.4 ESME: one bind towards an SM-SC, without its socket.
//!
//! [`Session`] is told what happened (`handle_*`) and what to do (`submit`, `answer`, `unbind`), and is then drained:
//!
//! 1. [`Session::poll_transmit`]: octets for the connection, many PDUs at once;
//! 2. [`Session::poll_order`]: open or close the connection, after those octets;
//! 3. [`Session::poll_event`]: what came of it, until there is none;
//! 4. [`Session::poll_timeout`]: when to call [`Session::handle_timeout`], and for which timer.
//!
//! Every accepted submission comes back exactly once as [`Event::SubmitDone`].

pub mod config;
mod enquire_link;
pub mod event;
mod inbound;
mod outbound;
mod pending;
pub mod session;
pub mod states;
mod throughput;
mod window;

pub use config::{Config, Initiator};
pub use event::{CloseReason, Counters, DeliveryId, Doubt, Event, NotSent, Order, Outcome, TimerName};
pub use outbound::{Request, SubmitOptions, SubmitRefused};
pub use session::Session;
pub use states::{BindType, State};
