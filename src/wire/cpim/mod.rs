//! CPIM (RFC 3862), the instant message disposition notifications it carries (RFC 5438, OMA CPM extension), the text
//! inside it, and the CPM event report document that takes a notification's place (CPM Conv-Func 6.7).

pub mod charset;
pub mod content;
pub mod disposition;
pub mod event;
pub mod imdn;
mod known;
pub mod message;
pub mod mime;
pub mod transfer;
pub mod writer;
mod xml;

pub use content::{NotText, Part, Text, text_of};
pub use disposition::Dispositions;
pub use message::{Address, Header, Message};
pub use writer::Wrapper;
