//! MSRP sessions and connections in virtual time.

mod framing;
mod hostile;
mod pair;
mod receiving;
mod sending;
mod session;
mod world;
