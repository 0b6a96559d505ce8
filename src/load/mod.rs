//! The load generator without its sockets: what is sent when, what came of each message, and the results.
//!
//! Pure, as the rooms below it: times are microseconds since the load began and come as arguments.

mod answers;
mod cpm;
mod desk;
mod esme;
mod flow;
mod generator;
mod joiner;
mod later;
mod ledger;
mod links;
mod mix;
mod outbox;
mod pace;
mod pdus;
mod remembered;
mod repeats;
mod request;
mod results;
mod second;
mod sender;
mod settings;
mod smsc;
mod texts;

pub use flow::{Answer, Counts, FlowResult};
pub use generator::{Event, Generator, Role};
pub use mix::{Length, Message, Mix, Way, Weighted};
pub use pace::Pace;
pub use results::{Fault, Results, Setting, Verdict};
pub use second::Second;
pub use settings::{CpmSettings, EsmeSettings, Settings, SmscSettings};
pub use texts::{Alphabet, Judged, Texts};
