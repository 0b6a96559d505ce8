//! The side that takes mails in.

mod commands;
mod config;
mod event;
mod phase;
mod recipients;
mod session;

pub use config::Config;
pub use event::{CloseReason, Counters, Event, MailId, TimerName};
pub use session::Server;
