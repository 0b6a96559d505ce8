//! SMTP sessions in virtual time: a client and a server that talk to each other, and each of them against a peer that says what
//! the test says.

mod client;
mod pair;
mod server;
