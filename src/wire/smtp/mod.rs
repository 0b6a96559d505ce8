//! SMTP commands, replies and mail data (RFC 5321), read in place and written.
//!
//! Guarantees: no accessor panics; what is written cannot be read as more than it is: a path holds no line end, a reply's text
//! none either, and mail data end where the sender ends them and nowhere else.

pub mod command;
pub mod data;
pub mod extensions;
pub mod parameters;
pub mod path;
pub mod reply;

pub use command::Command;
pub use data::{Fault, Stuffer, Unstuffer};
pub use extensions::Extensions;
pub use parameters::Parameters;
pub use path::Path;
pub use reply::{EnhancedStatus, Reply, ReplyLines};

/// What ends a command, a reply and a line of mail data.
pub const CRLF: &[u8] = b"\r\n";
