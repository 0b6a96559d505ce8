//! What is fuzzed: a function for each target, from octets to nothing, which panics if a promise is broken. The fuzzers
//! of `fuzz_targets/` and the short test `tests/fuzz_smoke.rs` call the same functions.

pub mod cpim;
pub mod imdn;
pub mod input;
pub mod joining;
pub mod mail_mime;
pub mod mm4;
pub mod msrp_head;
pub mod msrp_scanner;
pub mod msrp_session;
pub mod sdp;
pub mod seeds;
pub mod shard;
pub mod short_message;
pub mod sip_message;
pub mod sip_stream;
pub mod smpp_pdu;
pub mod smpp_session;
pub mod smtp_client;
pub mod smtp_server;
pub mod smtp_wire;

/// One target.
#[derive(Clone, Copy)]
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// Inputs to start from: see `seeds`.
    pub seeds: &'static str,
}

/// Every target, by the name of its binary.
pub const TARGETS: [Target; 18] = [
    Target { name: "sip_message", run: sip_message::run, seeds: include_str!("../seeds/sip.txt") },
    Target { name: "sip_stream", run: sip_stream::run, seeds: include_str!("../seeds/sip_stream.txt") },
    Target { name: "smpp_pdu", run: smpp_pdu::run, seeds: include_str!("../seeds/smpp_pdu.txt") },
    Target { name: "smpp_session", run: smpp_session::run, seeds: include_str!("../seeds/smpp_session.txt") },
    Target { name: "cpim", run: cpim::run, seeds: include_str!("../seeds/cpim.txt") },
    Target { name: "imdn", run: imdn::run, seeds: include_str!("../seeds/imdn.txt") },
    Target { name: "short_message", run: short_message::run, seeds: include_str!("../seeds/short_message.txt") },
    Target { name: "joining", run: joining::run, seeds: include_str!("../seeds/joining.txt") },
    Target { name: "msrp_session", run: msrp_session::run, seeds: include_str!("../seeds/msrp_session.txt") },
    Target { name: "sdp", run: sdp::run, seeds: include_str!("../seeds/sdp.txt") },
    Target { name: "msrp_head", run: msrp_head::run, seeds: include_str!("../seeds/msrp_head.txt") },
    Target { name: "msrp_scanner", run: msrp_scanner::run, seeds: include_str!("../seeds/msrp_scanner.txt") },
    Target { name: "mm4", run: mm4::run, seeds: include_str!("../seeds/mm4.txt") },
    Target { name: "mail_mime", run: mail_mime::run, seeds: include_str!("../seeds/mail_mime.txt") },
    Target { name: "smtp_wire", run: smtp_wire::run, seeds: include_str!("../seeds/smtp_wire.txt") },
    Target { name: "smtp_server", run: smtp_server::run, seeds: include_str!("../seeds/smtp_server.txt") },
    Target { name: "smtp_client", run: smtp_client::run, seeds: include_str!("../seeds/smtp_client.txt") },
    Target { name: "shard", run: shard::run, seeds: include_str!("../seeds/shard.txt") },
];
