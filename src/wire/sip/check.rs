//! What a request must satisfy before anything looks at its meaning (RFC 3261 8.1.1, 8.2, 16.3; RFC 4475).

use crate::wire::{Malformed, scan};

use super::chars::REQUEST_URI;
use super::uri::Uri;
use super::{Message, Name, NameAddr, StartLine, Via, Writer, decimal, trim};

/// The response a request gets instead of being processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Status code.
    pub code: u16,
    /// Reason phrase; a 400 names the header that is wrong.
    pub reason: &'static str,
    /// The header that is wrong; `None` if it is the request line.
    pub header: Option<Name>,
}

impl Rejection {
    /// Writes the headers that this status code owes: Allow (RFC 3261 21.4.6, 21.5.2), Unsupported (8.2.2.3).
    pub fn write_headers(&self, message: &Message<'_>, methods: &[&[u8]], headers: &mut Writer<'_>) {
        match self.code {
            405 | 501 => headers.list(Name::Allow, methods.iter().copied()),
            420 => headers.list(Name::Unsupported, required(message)),
            _ => {}
        }
    }
}

const fn reject(code: u16, reason: &'static str) -> Rejection {
    Rejection { code, reason, header: None }
}

const fn because_of(header: Name, code: u16, reason: &'static str) -> Rejection {
    Rejection { code, reason, header: Some(header) }
}

/// Checks a request in the order of RFC 3261 8.2: syntax, method, Request-URI, body, Require. `methods` are the ones we
/// serve.
///
/// # Errors
/// The first rule it breaks.
pub fn request(message: &Message<'_>, methods: &[&[u8]]) -> Result<(), Rejection> {
    request_line(message)?;
    syntax(message)?;
    method_mismatch(message, methods)?;
    request_uri(message)?;
    method(message, methods)?;
    body(message)?;
    require(message)
}

/// Whether a response may be used: its Via is one and ours to judge (RFC 3261 8.1.3.3), and what finds its transaction
/// can be read (RFC 4475 3.1.2.5, 3.1.2.19, 3.3.10).
#[must_use]
pub fn response(message: &Message<'_>) -> bool {
    (100..700).contains(&message.code())
        && message.has_one_via()
        && message.left_out() == 0
        && message.top_via().is_ok_and(|via| via.is_ours())
        && message.cseq().is_ok()
        && message.call_id().is_some()
}

/// RFC 3261 7.1: single spaces, none at the end (RFC 4475 3.1.2.9, 3.1.2.10), our version.
fn request_line(message: &Message<'_>) -> Result<(), Rejection> {
    let StartLine::Request { request_uri, version, .. } = message.start_line() else { return Ok(()) };
    if version != b"SIP/2.0" && !version.trim_ascii_end().eq_ignore_ascii_case(b"SIP/2.0") {
        return Err(reject(505, "Version Not Supported"));
    }
    let spaced = trim(request_uri).len() < request_uri.len() || trim(version).len() < version.len();
    if spaced { Err(reject(400, "Bad Request-Line")) } else { Ok(()) }
}

fn syntax(message: &Message<'_>) -> Result<(), Rejection> {
    if message.left_out() > 0 {
        return Err(reject(400, "Too Many Headers"));
    }
    once(message)?;
    let via = via(message)?;
    message.cseq().map_err(|_| fault(message, Name::CSeq))?;
    let from = address(message, Name::From, message.from())?;
    address(message, Name::To, message.to())?;
    message.call_id().ok_or_else(|| fault(message, Name::CallId))?;
    message.max_forwards().map_err(|_| fault(message, Name::MaxForwards))?;
    content_length(message)?;
    contacts(message)?;
    // A client that knows the magic cookie knows tags as well (RFC 3261 8.1.1.3); an older one need not (RFC 4475 3.4.1).
    let untagged = via.has_magic_cookie() && from.tag().is_none();
    if untagged { Err(because_of(Name::From, 400, "Missing From Tag")) } else { Ok(()) }
}

/// The headers whose faults make a request useless, and how a 400 names them.
struct Needed {
    name: Name,
    missing: &'static str,
    bad: &'static str,
    repeated: &'static str,
}

macro_rules! needed {
    ($($variant:ident $text:literal),+ $(,)?) => {
        &[$(Needed {
            name: Name::$variant,
            missing: concat!("Missing ", $text, " Header"),
            bad: concat!("Bad ", $text, " Header"),
            repeated: concat!("Repeated ", $text, " Header"),
        }),+]
    };
}

const NEEDED: &[Needed] = needed! {
    From "From",
    To "To",
    CallId "Call-ID",
    CSeq "CSeq",
    MaxForwards "Max-Forwards",
    ContentLength "Content-Length",
    ContentType "Content-Type",
    Via "Via",
    Contact "Contact",
};

/// 400 for a header that is missing or cannot be read.
fn fault(message: &Message<'_>, name: Name) -> Rejection {
    let there = message.header(name).is_some();
    let row = NEEDED.iter().find(|row| row.name == name);
    because_of(name, 400, row.map_or("Bad Request", |row| if there { row.bad } else { row.missing }))
}

/// RFC 3261 7.3.1: only lists may be repeated (RFC 4475 3.3.8, 3.3.9).
fn once(message: &Message<'_>) -> Result<(), Rejection> {
    if !message.is_any_single_repeated() {
        return Ok(());
    }
    let repeated = NEEDED.iter().find(|row| row.name.is_single() && message.is_repeated(row.name));
    repeated.map_or(Ok(()), |row| Err(because_of(row.name, 400, row.repeated)))
}

/// The topmost Via is what a response needs; the others are copied as they are. Stray separators spoil it, though the
/// refusal still finds its way by it (RFC 4475 3.1.2.1).
fn via<'a>(message: &Message<'a>) -> Result<Via<'a>, Rejection> {
    let via = message.top_via().ok().filter(|via| via.is_ours() && via.is_well_formed());
    via.ok_or_else(|| fault(message, Name::Via))
}

fn address<'a>(
    message: &Message<'a>,
    name: Name,
    address: Result<NameAddr<'a>, Malformed>,
) -> Result<NameAddr<'a>, Rejection> {
    address.ok().filter(NameAddr::is_well_formed).ok_or_else(|| fault(message, name))
}

fn content_length(message: &Message<'_>) -> Result<(), Rejection> {
    match message.content_length() {
        Ok(Some(len)) if len > message.body_len_received() => {
            Err(because_of(Name::ContentLength, 400, "Content-Length Beyond Datagram"))
        }
        Ok(_) => Ok(()),
        Err(_) => Err(fault(message, Name::ContentLength)),
    }
}

/// RFC 4475 3.1.2.13: a Contact with a question mark needs brackets.
fn contacts(message: &Message<'_>) -> Result<(), Rejection> {
    if message.header(Name::Contact).is_none() {
        return Ok(());
    }
    let fine = |value| value == b"*" || NameAddr::parse(value).is_some_and(|one| one.is_well_formed());
    if message.values(Name::Contact).all(fine) { Ok(()) } else { Err(fault(message, Name::Contact)) }
}

/// RFC 3261 8.1.1.5; of a method nobody knows, that is said instead (RFC 4475 3.1.2.18).
fn method_mismatch(message: &Message<'_>, methods: &[&[u8]]) -> Result<(), Rejection> {
    if message.cseq().is_ok_and(|cseq| cseq.method == message.method()) {
        return Ok(());
    }
    let known = methods.contains(&message.method()) || is_defined(message.method());
    Err(if known { because_of(Name::CSeq, 400, "CSeq Method Mismatch") } else { reject(501, "Not Implemented") })
}

fn request_uri(message: &Message<'_>) -> Result<(), Rejection> {
    let uri = message.request_uri();
    if uri.is_empty() || !REQUEST_URI.all(uri) {
        return Err(reject(400, "Bad Request-URI"));
    }
    match Uri::parse(uri) {
        Some(Uri::Sip(uri)) if !uri.headers.is_empty() => Err(reject(400, "Headers In Request-URI")),
        Some(Uri::Sip(_) | Uri::Tel(_)) => Ok(()),
        None if has_known_scheme(uri) => Err(reject(400, "Bad Request-URI")),
        None | Some(Uri::Other { .. }) => Err(reject(416, "Unsupported URI Scheme")),
    }
}

fn has_known_scheme(uri: &[u8]) -> bool {
    let scheme = uri.get(..scan::find(b':', uri).unwrap_or(uri.len())).unwrap_or_default();
    [b"sip".as_slice(), b"sips", b"tel"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// Every method RFC 3261 and its extensions define. One that is ours but not for here gets 405, an unknown one 501.
const DEFINED: [&[u8]; 14] = [
    b"ACK",
    b"BYE",
    b"CANCEL",
    b"INFO",
    b"INVITE",
    b"MESSAGE",
    b"NOTIFY",
    b"OPTIONS",
    b"PRACK",
    b"PUBLISH",
    b"REFER",
    b"REGISTER",
    b"SUBSCRIBE",
    b"UPDATE",
];

/// Whether a specification of SIP has this method.
#[must_use]
pub fn is_defined(method: &[u8]) -> bool {
    DEFINED.contains(&method)
}

fn method(message: &Message<'_>, methods: &[&[u8]]) -> Result<(), Rejection> {
    if methods.contains(&message.method()) {
        return Ok(());
    }
    let defined = is_defined(message.method());
    Err(if defined { reject(405, "Method Not Allowed") } else { reject(501, "Not Implemented") })
}

/// RFC 3261 20.15.
fn body(message: &Message<'_>) -> Result<(), Rejection> {
    let fine = message.header(Name::ContentType).is_some() || message.body().is_empty();
    if fine { Ok(()) } else { Err(fault(message, Name::ContentType)) }
}

/// RFC 3261 8.2.2.3: extensions may be required that we have. Proxy-Require is for proxies alone (20.29).
fn require(message: &Message<'_>) -> Result<(), Rejection> {
    let demanded = message.header(Name::Require).is_some() && required(message).next().is_some();
    if demanded { Err(because_of(Name::Require, 420, "Bad Extension")) } else { Ok(()) }
}

/// What is required that we do not have.
fn required<'a>(message: &Message<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let session = SESSION.contains(&message.method());
    let known = move |tag: &[u8]| session && EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(tag));
    message.values(Name::Require).filter(move |tag| !tag.is_empty() && !known(tag))
}

/// The methods of a session, in which the extensions that we have mean something. For ACK and CANCEL nothing can be
/// required (RFC 3261 8.2.2.3).
const SESSION: [&[u8]; 6] = [b"ACK", b"BYE", b"CANCEL", b"INVITE", b"PRACK", b"UPDATE"];
/// RFC 3262 and RFC 4028.
const EXTENSIONS: [&[u8]; 2] = [b"100rel", b"timer"];

/// RFC 3261 20.33: delta-seconds before any comment or parameter; a value that is none is ignored.
#[must_use]
pub fn retry_after_seconds(message: &Message<'_>) -> Option<u32> {
    let value = message.header(Name::RetryAfter)?;
    let end = value.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(value.len());
    decimal(value.get(..end)?)
}
