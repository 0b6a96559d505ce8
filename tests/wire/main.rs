//! The wire room as its peers see it: bytes in, values out, the same bytes again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod cpim;
mod gsm7;
mod imdn;
mod mail;
mod mail_mime;
mod mail_mm4;
mod msrp;
mod msrp_properties;
mod msrp_stream;
mod msrp_uri;
mod rfc4475;
mod sdp;
mod sdp_msrp;
mod segments;
mod sip_properties;
mod sip_uri;
mod smpp;
mod smpp_receipts;
mod smtp;
mod torture;
mod tsv;
