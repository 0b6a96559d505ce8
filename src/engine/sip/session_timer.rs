//! Session timers (RFC 4028): what both ends agree on, and when a session is refreshed or given up.

use core::time::Duration;

use crate::engine::Moment;
use crate::wire::digits::digits;
use crate::wire::sip::lists::Params;
use crate::wire::sip::{Message, Name, Writer, decimal};

use super::dialog::Role;

/// The smallest interval there is, and the default of Min-SE (RFC 4028 4, 5).
pub const MIN_SE_S: u32 = 90;
/// The interval that RFC 4028 4.2 recommends.
pub const SESSION_EXPIRES_S: u32 = 1_800;
/// Nobody refreshes less often than this, whatever the peer says.
const INTERVAL_S_MAX: u32 = 30 * 24 * 3_600;

/// What we ask for and accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The session interval that we want, in seconds.
    pub interval_s: u32,
    /// The smallest that we accept, in seconds; at least [`MIN_SE_S`].
    pub min_se_s: u32,
}

impl Default for Terms {
    fn default() -> Terms {
        Terms { interval_s: SESSION_EXPIRES_S, min_se_s: MIN_SE_S }
    }
}

/// What a message says of its session timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Session-Expires in seconds.
    pub interval_s: Option<u32>,
    /// Who shall refresh, in terms of this transaction.
    pub refresher: Option<Role>,
    /// Min-SE in seconds, its default if it is absent.
    pub min_se_s: u32,
    /// Whether Supported or Require has `timer`.
    pub supported: bool,
}

impl Said {
    /// What this message says; what cannot be read counts as absent.
    #[must_use]
    pub fn by(message: &Message<'_>) -> Said {
        let (interval_s, refresher) = message.header(Name::SessionExpires).map_or((None, None), session_expires);
        let min_se_s = message.header(Name::MinSe).and_then(delta_seconds).map_or(MIN_SE_S, |min| min.max(MIN_SE_S));
        let has = |name| message.values(name).any(|tag| tag.eq_ignore_ascii_case(b"timer"));
        Said { interval_s, refresher, min_se_s, supported: has(Name::Supported) || has(Name::Require) }
    }
}

fn session_expires(value: &[u8]) -> (Option<u32>, Option<Role>) {
    let Some(interval_s) = delta_seconds(value) else { return (None, None) };
    let params = memchr::memchr(b';', value).and_then(|at| value.get(at + 1..)).unwrap_or_default();
    let refresher = match Params(params).get(b"refresher") {
        Some(uac) if uac.eq_ignore_ascii_case(b"uac") => Some(Role::Uac),
        Some(uas) if uas.eq_ignore_ascii_case(b"uas") => Some(Role::Uas),
        _ => None,
    };
    (Some(interval_s), refresher)
}

/// The number before any parameter.
fn delta_seconds(value: &[u8]) -> Option<u32> {
    let end = value.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(value.len());
    decimal(value.get(..end)?)
}

/// The interval is too small for us: 422 with this Min-SE (RFC 4028 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSmall {
    /// In seconds.
    pub min_se_s: u32,
}

/// What a 2xx says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// In seconds.
    pub interval_s: u32,
    /// Who refreshes, in terms of this transaction.
    pub refresher: Role,
    /// The largest Min-SE that was heard.
    pub min_se_s: u32,
}

/// As the UAS of a request (RFC 4028 9, table 2). A client that supports timers refreshes itself if it has no other wish;
/// `ours` says that we have done so until now.
///
/// # Errors
/// The client supports timers and wants an interval below our minimum.
pub fn answer(said: &Said, terms: Terms, ours: bool) -> Result<Agreed, TooSmall> {
    if said.supported && said.interval_s.is_some_and(|interval_s| interval_s < terms.min_se_s) {
        return Err(TooSmall { min_se_s: terms.min_se_s });
    }
    let refresher = match (said.supported, said.refresher) {
        (true, Some(refresher)) => refresher,
        (true, None) if !ours => Role::Uac,
        _ => Role::Uas,
    };
    let wanted_s = terms.interval_s.max(said.min_se_s);
    let interval_s = said.interval_s.map_or(wanted_s, |asked_s| asked_s.min(wanted_s)).max(MIN_SE_S);
    Ok(Agreed { interval_s, refresher, min_se_s: said.min_se_s })
}

impl Agreed {
    /// As the UAC, from a 2xx (RFC 4028 7.2). `None`: there is no session timer. Without a refresher, which it must have,
    /// we take it upon us.
    #[must_use]
    pub fn by(response: &Message<'_>) -> Option<Agreed> {
        let said = Said::by(response);
        let interval_s = said.interval_s?.max(MIN_SE_S);
        Some(Agreed { interval_s, refresher: said.refresher.unwrap_or(Role::Uac), min_se_s: said.min_se_s })
    }

    /// Session-Expires of a 2xx, and Require if the client is the one to act (RFC 4028 9).
    pub fn write(&self, headers: &mut Writer<'_>) {
        write_session_expires(self.interval_s, Some(self.refresher), headers);
        if self.refresher == Role::Uac {
            headers.header(Name::Require, b"timer");
        }
    }
}

/// Session-Expires of a request (RFC 4028 7.1, 7.4), with Min-SE if that is more than its default.
pub fn write_request(interval_s: u32, min_se_s: u32, refresher: Option<Role>, headers: &mut Writer<'_>) {
    write_session_expires(interval_s, refresher, headers);
    if min_se_s > MIN_SE_S {
        headers.number(Name::MinSe, u64::from(min_se_s));
    }
}

fn write_session_expires(interval_s: u32, refresher: Option<Role>, headers: &mut Writer<'_>) {
    let refresher = match refresher {
        Some(Role::Uac) => b";refresher=uac".as_slice(),
        Some(Role::Uas) => b";refresher=uas",
        None => b"",
    };
    headers.header_parts(Name::SessionExpires, &[&digits(u64::from(interval_s)), refresher]);
}

/// The timer of one session, as one end has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    /// In seconds.
    pub interval_s: u32,
    /// Below this no interval may be asked for, in seconds.
    pub min_se_s: u32,
    /// Whether we refresh.
    pub ours: bool,
    since: Moment,
}

impl SessionTimer {
    /// Begins with the 2xx that says so; `role` is ours in its transaction.
    #[must_use]
    pub fn new(now: Moment, agreed: Agreed, role: Role) -> SessionTimer {
        let interval_s = agreed.interval_s.clamp(MIN_SE_S, INTERVAL_S_MAX);
        SessionTimer { interval_s, min_se_s: agreed.min_se_s, ours: agreed.refresher == role, since: now }
    }

    /// When to refresh, if we are to: at half the interval (RFC 4028 7.2).
    #[must_use]
    pub fn refresh_at(&self) -> Moment {
        self.since + Duration::from_secs(u64::from(self.interval_s)) / 2
    }

    /// When to give the session up by BYE: the smaller of 32 s and a third of the interval before it expires (RFC 4028 10).
    #[must_use]
    pub fn ends_at(&self) -> Moment {
        let interval = Duration::from_secs(u64::from(self.interval_s));
        self.since + (interval - Duration::from_secs(32).min(interval / 3))
    }
}
