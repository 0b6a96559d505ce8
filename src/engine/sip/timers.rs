//! Timers of SIP, one row each (RFC 3261 table 4, RFC 4320).

use core::time::Duration;

/// Round-trip time estimate (RFC 3261 17.1.1.1).
pub const T1: Duration = Duration::from_millis(500);
/// Longest interval between retransmissions of a non-INVITE request.
pub const T2: Duration = Duration::from_secs(4);
/// Longest time a message stays in the network.
pub const T4: Duration = Duration::from_secs(5);
/// Timer A over UDP begins with T1 and doubles; Timer B: an INVITE client transaction without any response ends.
pub const TIMER_B: Duration = Duration::from_secs(32);
/// Timer C: how long an INVITE that we sent may ring before it is cancelled (RFC 3261 16.6 step 11; more than 3 minutes).
/// Every 1xx but 100 starts it again.
pub const TIMER_C: Duration = Duration::from_secs(190);
/// Timer D over UDP: how long a refused INVITE client transaction acknowledges repeated responses. Zero over reliable
/// transports.
pub const TIMER_D: Duration = Duration::from_secs(32);
/// Timer F: a non-INVITE client transaction without final response ends.
pub const TIMER_F: Duration = Duration::from_secs(32);
/// Timer G over UDP begins with T1 and doubles to T2; Timer H: an INVITE server transaction whose refusal nobody
/// acknowledges ends.
pub const TIMER_H: Duration = Duration::from_secs(32);
/// Timer I over UDP: how long acknowledgements of a refusal are absorbed. Zero over reliable transports.
pub const TIMER_I: Duration = T4;
/// Timer J over UDP: how long a server transaction repeats its final response. Zero over reliable transports.
pub const TIMER_J: Duration = Duration::from_secs(32);
/// A client that has no response yet repeats its request at least every T2, and what it sent arrives within T4: one that
/// was silent for longer has the response.
pub const QUIET: Duration = Duration::from_secs(9);
/// Timer K over UDP: how long a client transaction absorbs repeated responses. Zero over reliable transports.
pub const TIMER_K: Duration = T4;
/// Timer L: how long an accepted INVITE absorbs its retransmissions, and its 2xx is repeated while nobody acknowledges it
/// (RFC 6026 8.7, RFC 3261 13.3.1.4).
pub const TIMER_L: Duration = Duration::from_secs(32);
/// Timer M: how long the 2xx of further branches of an accepted INVITE are taken (RFC 6026 8.4).
pub const TIMER_M: Duration = Duration::from_secs(32);
/// An INVITE that the user has not answered by then gets 100 (RFC 3261 17.2.1).
pub const INVITE_TRYING_100: Duration = Duration::from_millis(200);
/// A provisional response is sent again so often, since one may be lost and proxies give up (RFC 3261 13.3.1.1).
pub const PROVISIONAL_AGAIN: Duration = Duration::from_secs(60);
/// An INVITE that the user has not answered by then gets 408: nobody waits for so long.
pub const ANSWER_MAX: Duration = Duration::from_secs(1_800);
/// When the client's Timer E has been reset to T2, 100 must be sent if nothing final was (RFC 4320 4.1): 0.5 + 1 + 2 s.
pub const TRYING_100: Duration = Duration::from_millis(3_500);

const _: () = assert!(QUIET.as_millis() == T2.as_millis() + T4.as_millis());
const _: () = assert!(TIMER_F.as_millis() == 64 * T1.as_millis() && TIMER_J.as_millis() == 64 * T1.as_millis());
const _: () = assert!(TIMER_B.as_millis() == 64 * T1.as_millis() && TIMER_H.as_millis() == 64 * T1.as_millis());
const _: () = assert!(TIMER_L.as_millis() == 64 * T1.as_millis() && TIMER_M.as_millis() == 64 * T1.as_millis());
const _: () = assert!(TIMER_C.as_secs() > 180 && TIMER_D.as_secs() >= 32);

/// How long others are preferred to a target that did not answer; a 503 says it itself by Retry-After.
pub const TARGET_PAUSE: Duration = Duration::from_secs(30);
/// Addresses of the next hop are asked for again not sooner than this, whatever their time to live.
pub const LOOKUP_AGAIN_MIN: Duration = Duration::from_secs(5);
/// Nor later than this.
pub const LOOKUP_AGAIN_MAX: Duration = Duration::from_secs(3_600);
/// A lookup that failed is repeated after this, doubling with each failure.
pub const LOOKUP_RETRY_MIN: Duration = Duration::from_secs(1);
/// The longest time to wait before a lookup is repeated.
pub const LOOKUP_RETRY_MAX: Duration = Duration::from_secs(60);
