//! Call flows through whole shards, octets in and octets out, one file per flow. IWF V3.0 6.1.1, 6.2.2, 6.2.3, 6.2.4, 6.6.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(missing_docs, unreachable_pub, dead_code, reason = "modules shared by test crates")]

#[path = "../sim/callee.rs"]
mod callee;
#[path = "../sim/client.rs"]
mod client;
#[path = "../sim/cpm.rs"]
mod cpm;
#[path = "../sim/mmsc.rs"]
mod mmsc;
#[path = "../sim/multimedia.rs"]
mod multimedia;
#[path = "../sim/text.rs"]
mod read;
#[path = "../sim/smsc.rs"]
mod smsc;
#[path = "../allocations/surroundings.rs"]
mod surroundings;
#[path = "../sim/world.rs"]
mod world;

mod chat;
mod delivery_failure;
mod drain;
mod explanations;
mod interworking_numbers;
mod large_delivery;
mod large_message;
mod large_message_ends;
mod large_message_failures;
mod mms;
mod mms_content;
mod mms_delivery;
mod mms_delivery_storm;
mod mms_delivery_trouble;
mod mms_failures;
mod mms_large;
mod mms_large_delivery;
mod mms_mail_trouble;
mod mms_notifications;
mod mms_pager;
mod mms_reports;
mod mms_restarts;
mod mms_storms;
mod next_hop;
mod pager_to_sms;
mod session_edges;
mod session_invitation;
mod session_races;
mod session_upkeep;
mod sip;
mod sms_to_pager;
mod stages;
mod status_report_to_imdn;
mod text;
mod throttling;
mod trouble;
mod uas;
