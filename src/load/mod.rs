//! The load generator without its sockets: what is sent when, what came of each message, and the results.
//!
//! Pure, as the rooms below it: times are microseconds since the load began and come as arguments.

mod flow;
mod results;
mod second;

pub use flow::{Answer, Counts, FlowResult};
pub use results::{Fault, Results, Setting, Verdict};
pub use second::Second;
