//! The tables of the specification, row by row: the rows themselves, and what each of them makes of a message, octets in
//! and octets out.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "../sim/cpm.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "shared with the simulation")]
mod cpm;
#[path = "../sim/smsc.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "shared with the simulation")]
mod smsc;
#[path = "../sim/world.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "shared with the simulation")]
mod world;

mod addresses;
mod any_input;
mod any_mms;
mod cases;
mod chats;
mod cpm_to_mms;
mod cpm_to_sms;
mod deviations;
mod events;
mod identity;
mod invitations;
mod large_messages;
mod mms_reports;
mod mms_tables;
mod mms_to_cpm;
mod products;
mod read_back;
mod retention;
mod session_invitations;
mod sms_to_cpm;
mod status_report_to_imdn;
mod statuses;
mod switches;
mod tables;
mod waits;
