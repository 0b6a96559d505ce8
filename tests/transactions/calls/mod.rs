//! Sessions over dialogs (RFC 3261 12 to 15): both ends, and everything that crosses or gets lost between them.

mod pages;
mod races;
mod refresh;
mod reliable;
mod session;
mod storm;
mod world;
