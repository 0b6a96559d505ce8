//! `isthmus load`: what it found out, for people and for plotters.

pub mod report;
