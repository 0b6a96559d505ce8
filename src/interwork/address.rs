//! Telephone numbers of both sides: tel URI and SIP URI with user=phone (RFC 3966, RFC 3261 19.1.6), SMPP addresses, and
//! the Non-CPM Communication Service Identifier (IWF V3.0 Appendix D).

use crate::policy::{Addresses, ShortCodes, UnknownTon};
use crate::wire::inline::Inline;
use crate::wire::scan;
use crate::wire::sip::uri::{self, SipUri, TelUri, Uri};

/// Most digits of an E.164 number (ITU-T E.164 6.2.1).
const E164_DIGITS_MAX: usize = 15;
/// Octets of an SMPP address without its NUL (SMPP 3.4 5.2.8).
const ADDRESS_BYTES_MAX: usize = 20;
/// addr_ton values (SMPP 3.4 5.2.5).
const TON_UNKNOWN: u8 = 0;
const TON_INTERNATIONAL: u8 = 1;
const TON_NATIONAL: u8 = 2;

/// nccsid of messages that came by SMS (Appendix D).
pub const NCCSID_SMS: &[u8] = b";nccsid=SMS";
/// nccsid of messages that came by MMS.
pub const NCCSID_MMS: &[u8] = b";nccsid=MMS";
/// What follows the number in the address of a telephone (TS 23.140 Annex A).
const PLMN: &[u8] = b"/TYPE=PLMN";

/// A telephone number: digits, and whether they are a global number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Number {
    /// The digits, without '+'.
    pub digits: Inline<ADDRESS_BYTES_MAX>,
    /// E.164; otherwise a short code that policy lets through.
    pub global: bool,
}

impl Number {
    /// addr_ton and addr_npi under which it goes to an SM-SC.
    #[must_use]
    pub const fn ton_npi(&self, addresses: &Addresses) -> (u8, u8) {
        if self.global { (addresses.ton, addresses.npi) } else { (addresses.short_code_ton, addresses.short_code_npi) }
    }

    /// Appends the number as a tel URI.
    pub fn write_tel(&self, addresses: &Addresses, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.global { b"tel:+" } else { b"tel:" });
        out.extend_from_slice(&self.digits);
        if !self.global {
            out.extend_from_slice(b";phone-context=");
            out.extend_from_slice(addresses.phone_context.as_bytes());
        }
    }

    /// Appends the number as an MMS address, `+491700000001/TYPE=PLMN@domain`.
    pub fn write_mms(&self, domain: &[u8], out: &mut Vec<u8>) {
        if self.global {
            out.push(b'+');
        }
        out.extend_from_slice(&self.digits);
        out.extend_from_slice(PLMN);
        out.push(b'@');
        out.extend_from_slice(domain);
    }

    /// Appends the SIP URI that `template` makes of a global number, `{number}` standing for it with its plus.
    pub fn write_sip(&self, template: &str, out: &mut Vec<u8>) {
        let (before, after) = template.split_once("{number}").unwrap_or((template, ""));
        out.extend_from_slice(before.as_bytes());
        out.push(b'+');
        out.extend_from_slice(&self.digits);
        out.extend_from_slice(after.as_bytes());
    }
}

/// The number of a tel URI, or of a SIP URI with user=phone.
#[must_use]
pub fn of_uri(uri: &[u8], addresses: &Addresses) -> Option<Number> {
    if let Some(number) = plain_tel(uri) {
        return global_of_digits(number, addresses);
    }
    match Uri::parse(uri)? {
        Uri::Tel(tel) => of_tel(&tel, addresses),
        Uri::Sip(sip) => of_sip(&sip, addresses),
        Uri::Other { .. } => None,
    }
}

/// The digits of a tel URI that is a global number and nothing else, as most are.
fn plain_tel(uri: &[u8]) -> Option<&[u8]> {
    uri.strip_prefix(b"tel:+").filter(|number| !number.is_empty() && scan::is_digits(number))
}

fn of_tel(tel: &TelUri<'_>, addresses: &Addresses) -> Option<Number> {
    of_dialled(tel.number, addresses)
}

/// RFC 3261 19.1.1: the user part is a telephone-subscriber, parameters included.
fn of_sip(sip: &SipUri<'_>, addresses: &Addresses) -> Option<Number> {
    let is_phone = sip.params.get(b"user").is_some_and(|user| user.eq_ignore_ascii_case(b"phone"));
    let is_global = sip.user.first() == Some(&b'+') && addresses.plus_without_user_phone;
    if !is_phone && !is_global {
        return None;
    }
    let number = sip.user.split(|octet| *octet == b';').next()?;
    if !number.contains(&b'%') {
        return of_dialled(number, addresses);
    }
    let mut plain = Vec::new();
    uri::unescape(number, &mut plain);
    of_dialled(&plain, addresses)
}

/// A number as RFC 3966 writes it: visual separators are skipped, '+' makes it global, otherwise the rules decide.
fn of_dialled(text: &[u8], addresses: &Addresses) -> Option<Number> {
    let mut digits = Inline::<ADDRESS_BYTES_MAX>::new();
    let (plus, text) = text.strip_prefix(b"+").map_or((false, text), |rest| (true, rest));
    let of_number = |octet: &u8| matches!(octet, b'0'..=b'9' | b'-' | b'.' | b'(' | b')');
    if !text.iter().all(of_number) {
        return None;
    }
    for part in text.split(|octet| !octet.is_ascii_digit()) {
        digits.extend(part).then_some(())?;
    }
    if plus { global(&digits, addresses) } else { local(&digits, addresses) }
}

fn global(digits: &[u8], addresses: &Addresses) -> Option<Number> {
    if scan::is_digits(digits) { global_of_digits(digits, addresses) } else { None }
}

fn global_of_digits(digits: &[u8], addresses: &Addresses) -> Option<Number> {
    let fits = (usize::from(addresses.digits_min)..=E164_DIGITS_MAX).contains(&digits.len());
    if !fits || digits.first() == Some(&b'0') {
        return None;
    }
    Some(Number { digits: Inline::from_slice(digits)?, global: true })
}

fn local(digits: &[u8], addresses: &Addresses) -> Option<Number> {
    rewritten(digits, addresses).or_else(|| short_code(digits, addresses))
}

/// National rewriting: the first rule whose prefix fits.
fn rewritten(digits: &[u8], addresses: &Addresses) -> Option<Number> {
    let rest = |prefix: &str| digits.strip_prefix(prefix.as_bytes());
    let (rule, rest) = addresses.rewriting.iter().find_map(|rule| Some((rule, rest(&rule.prefix)?)))?;
    let mut number = Inline::<ADDRESS_BYTES_MAX>::new();
    let fits = number.extend(rule.replacement.strip_prefix('+')?.as_bytes()) && number.extend(rest);
    fits.then(|| global(&number, addresses))?
}

fn short_code(digits: &[u8], addresses: &Addresses) -> Option<Number> {
    let allowed = addresses.short_codes == ShortCodes::Allow && !digits.is_empty();
    allowed.then_some(Number { digits: Inline::from_slice(digits)?, global: false })
}

/// The number of an MMS address without its domain and its type: `+491700000001`, or a local number.
#[must_use]
pub fn of_mms(number: &[u8], addresses: &Addresses) -> Option<Number> {
    if number.is_empty() { None } else { of_dialled(number, addresses) }
}

/// The number of an SMPP address. Alphanumeric senders (addr_ton 5) have none.
#[must_use]
pub fn of_smpp(ton: u8, address: &[u8], addresses: &Addresses) -> Option<Number> {
    let (plus, digits) = address.strip_prefix(b"+").map_or((false, address), |rest| (true, rest));
    if digits.is_empty() || !scan::is_digits(digits) {
        return None;
    }
    match ton {
        TON_INTERNATIONAL => global_of_digits(digits, addresses),
        TON_UNKNOWN | TON_NATIONAL if plus => global_of_digits(digits, addresses),
        TON_UNKNOWN => unknown(digits, addresses),
        TON_NATIONAL => rewritten(digits, addresses),
        5 => None,
        _ => short_code(digits, addresses),
    }
}

fn unknown(digits: &[u8], addresses: &Addresses) -> Option<Number> {
    let as_global = match addresses.unknown_ton {
        UnknownTon::Rules => None,
        UnknownTon::International => global_of_digits(digits, addresses),
    };
    rewritten(digits, addresses).or(as_global).or_else(|| short_code(digits, addresses))
}
