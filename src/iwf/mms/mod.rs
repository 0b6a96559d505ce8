//! Interworking with MMS over MM4 (IWF V3.0 6.3): SIP, MSRP and CPIM become mails between MMS Relay/Servers, and mails
//! become SIP, MSRP and CPIM.

pub mod bounce;
pub mod deliver;
pub mod forward;
pub mod id;
pub mod notification;
pub mod report;
pub mod response;

use crate::engine::Now;

/// Seconds since 1970-01-01T00:00:00Z, as mails count them.
#[must_use]
pub fn unix_s(now: Now) -> i64 {
    i64::try_from(now.unix_ms / 1_000).unwrap_or(i64::MAX)
}
