//! SMTP without its sockets (RFC 5321, RFC 2920): sessions towards servers, and sessions that clients opened.
//!
//! - [`Client`], one for each connection we keep to an MMS Relay/Server: hands over one mail after the other. Every mail that
//!   [`Client::send`] took comes back exactly once as [`client::Event::Done`].
//! - [`Server`], one for each connection we accepted: takes mails in. Every [`server::Event::Mail`] wants one
//!   [`Server::answer`]; the client waits for it, since there is nowhere to keep a mail.
//!
//! Both are told what happened (`handle_*`) and what to do, and are then drained: `poll_transmit` first, then what is to be done
//! with the connection (`poll_order`, `poll_close`), then `poll_event`, `poll_timeout` last.

pub mod client;
pub mod server;

pub use client::Client;
pub use server::Server;
