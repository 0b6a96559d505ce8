//! `isthmus load`: the load generator on sockets, and what it found out, for people and for plotters.

mod cost;
pub mod options;
pub mod report;
mod run;
mod values;
mod world;

pub use run::load;
