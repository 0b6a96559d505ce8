//! Whom we take mail for: telephone numbers of our domains, and our own system address (3GPP TS 23.140 8.4.5).

use super::Config;
use crate::wire::smtp::{EnhancedStatus, Path, Reply};

/// Digits of a number: E.164 has 15, and national forms are met that have some more.
const NUMBER_DIGITS_MAX: usize = 20;

/// Why a recipient is refused.
pub(super) fn refusal(config: &Config, to: &Path<'_>) -> Option<Reply> {
    if to.is_null() {
        Some(Reply::new(501, EnhancedStatus(5, 1, 3), b"a recipient needs an address"))
    } else if !config.domains.iter().any(|domain| domain.eq_ignore_ascii_case(to.domain())) {
        Some(Reply::new(550, EnhancedStatus(5, 7, 1), b"relaying denied"))
    } else if !is_number(to.local_part()) && !to.local_part().eq_ignore_ascii_case(&config.system_user) {
        Some(Reply::new(550, EnhancedStatus(5, 1, 1), b"no such recipient"))
    } else {
        None
    }
}

/// A number, with or without a plus, with or without `/TYPE=PLMN`.
fn is_number(local_part: &[u8]) -> bool {
    let (number, kind) = match local_part.iter().position(|octet| *octet == b'/') {
        Some(at) => local_part.split_at(at),
        None => (local_part, &b""[..]),
    };
    let digits = number.strip_prefix(b"+").unwrap_or(number);
    let plausible = (1..=NUMBER_DIGITS_MAX).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    plausible && (kind.is_empty() || kind.eq_ignore_ascii_case(b"/TYPE=PLMN"))
}
