//! The side that hands mails over.

mod config;
mod event;
mod mail;
mod queue;
mod replies;
mod session;
mod transaction;

pub use config::Config;
pub use event::{CloseReason, Counters, Doubt, Event, NotSent, Order, Outcome, Stage, State, TimerName};
pub use mail::Mail;
pub use session::Client;
