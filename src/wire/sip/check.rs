//! What a request must satisfy before anything looks at its meaning (RFC 3261 8.1.1, 8.2, 16.3; RFC 4475).

use super::uri::Uri;
use super::{Message, Name, NameAddr, StartLine, decimal, is_token};

/// The response a request gets instead of being processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Status code.
    pub code: u16,
    /// Reason phrase; a 400 names the header that is wrong.
    pub reason: &'static str,
}

const fn reject(code: u16, reason: &'static str) -> Rejection {
    Rejection { code, reason }
}

/// Checks a request in the order of RFC 3261 8.2: syntax, method, Request-URI, Require.
///
/// # Errors
/// The first rule it breaks.
pub fn request(message: &Message<'_>, methods: &[&[u8]]) -> Result<(), Rejection> {
    version(message)?;
    syntax(message)?;
    cseq(message, methods)?;
    request_uri(message)?;
    method(message, methods)?;
    body(message)?;
    require(message)
}

/// Whether a response may be used (RFC 3261 8.1.3; RFC 4475 3.1.2.5, 3.1.2.19).
#[must_use]
pub fn response(message: &Message<'_>) -> bool {
    (100..700).contains(&message.code())
        && message.top_via().is_ok()
        && message.cseq().is_ok()
        && message.call_id().is_some()
}

fn version(message: &Message<'_>) -> Result<(), Rejection> {
    match message.start_line() {
        StartLine::Request { version, .. } if !version.eq_ignore_ascii_case(b"SIP/2.0") => {
            Err(reject(505, "Version Not Supported"))
        }
        _ => Ok(()),
    }
}

fn syntax(message: &Message<'_>) -> Result<(), Rejection> {
    once(message)?;
    if message.top_via().is_err() {
        return Err(reject(400, "Bad Via Header"));
    }
    let from = message.from().map_err(|_| reject(400, bad_or_missing(message, Name::From)))?;
    message.to().map_err(|_| reject(400, bad_or_missing(message, Name::To)))?;
    message.call_id().ok_or(reject(400, "Missing Call-ID Header"))?;
    message.max_forwards().map_err(|_| reject(400, "Bad Max-Forwards Header"))?;
    content_length(message)?;
    contacts(message)?;
    // A client that knows the magic cookie knows tags as well.
    let modern = message.top_via().is_ok_and(|via| via.has_magic_cookie());
    if modern && from.tag().is_none() {
        return Err(reject(400, "Missing From Tag"));
    }
    Ok(())
}

/// RFC 3261 7.3.1: only lists may be repeated.
fn once(message: &Message<'_>) -> Result<(), Rejection> {
    const SINGLE: [(Name, &str); 6] = [
        (Name::From, "Repeated From Header"),
        (Name::To, "Repeated To Header"),
        (Name::CallId, "Repeated Call-ID Header"),
        (Name::CSeq, "Repeated CSeq Header"),
        (Name::MaxForwards, "Repeated Max-Forwards Header"),
        (Name::ContentLength, "Repeated Content-Length Header"),
    ];
    let repeated = SINGLE.iter().find(|(name, _)| message.count(*name) > 1);
    repeated.map_or(Ok(()), |(_, reason)| Err(reject(400, reason)))
}

fn bad_or_missing(message: &Message<'_>, name: Name) -> &'static str {
    match (name, message.header(name).is_some()) {
        (Name::From, true) => "Bad From Header",
        (Name::From, false) => "Missing From Header",
        (_, true) => "Bad To Header",
        (_, false) => "Missing To Header",
    }
}

fn content_length(message: &Message<'_>) -> Result<(), Rejection> {
    match message.content_length() {
        Ok(Some(len)) if len > message.body_len_received() => Err(reject(400, "Content-Length Beyond Datagram")),
        Ok(_) => Ok(()),
        Err(_) => Err(reject(400, "Bad Content-Length Header")),
    }
}

/// RFC 4475 3.1.2.13: a Contact with a question mark needs brackets.
fn contacts(message: &Message<'_>) -> Result<(), Rejection> {
    let bad = message.values(Name::Contact).any(|value| value != b"*" && NameAddr::parse(value).is_none());
    if bad { Err(reject(400, "Bad Contact Header")) } else { Ok(()) }
}

fn cseq(message: &Message<'_>, methods: &[&[u8]]) -> Result<(), Rejection> {
    let Ok(cseq) = message.cseq() else {
        let missing = message.header(Name::CSeq).is_none();
        return Err(reject(400, if missing { "Missing CSeq Header" } else { "Bad CSeq Header" }));
    };
    if cseq.method == message.method() {
        return Ok(());
    }
    let known = methods.contains(&message.method());
    Err(if known { reject(400, "CSeq Method Mismatch") } else { reject(501, "Not Implemented") })
}

fn request_uri(message: &Message<'_>) -> Result<(), Rejection> {
    let uri = message.request_uri();
    if uri.is_empty() || uri.iter().any(|&octet| octet <= b' ' || matches!(octet, b'<' | b'>' | b'"')) {
        return Err(reject(400, "Bad Request-URI"));
    }
    let scheme = uri.split(|&octet| octet == b':').next().unwrap_or_default();
    let known = [b"sip".as_slice(), b"sips", b"tel"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if !known {
        return Err(reject(416, "Unsupported URI Scheme"));
    }
    match Uri::parse(uri) {
        Some(Uri::Sip(uri)) if !uri.headers.is_empty() => Err(reject(400, "Headers In Request-URI")),
        Some(_) => Ok(()),
        None => Err(reject(400, "Bad Request-URI")),
    }
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

fn method(message: &Message<'_>, methods: &[&[u8]]) -> Result<(), Rejection> {
    if methods.contains(&message.method()) {
        return Ok(());
    }
    let defined = DEFINED.contains(&message.method());
    Err(if defined { reject(405, "Method Not Allowed") } else { reject(501, "Not Implemented") })
}

fn body(message: &Message<'_>) -> Result<(), Rejection> {
    if message.body().is_empty() || message.header(Name::ContentType).is_some() {
        return Ok(());
    }
    Err(reject(400, "Missing Content-Type Header"))
}

/// RFC 3261 8.2.2.3: no extension is required of us that we have.
fn require(message: &Message<'_>) -> Result<(), Rejection> {
    let demanded = message.values(Name::Require).chain(message.values(Name::ProxyRequire)).any(|tag| !tag.is_empty());
    if demanded { Err(reject(420, "Bad Extension")) } else { Ok(()) }
}

/// RFC 3261 20.13: 2xx and others may carry any delta-seconds; a value that is none is ignored.
#[must_use]
pub fn retry_after_seconds(message: &Message<'_>) -> Option<u32> {
    let value = message.header(Name::RetryAfter)?;
    let end = value.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(value.len());
    decimal(value.get(..end)?)
}

/// Whether `token` is one (RFC 3261 25.1).
#[must_use]
pub fn is_token_text(token: &[u8]) -> bool {
    !token.is_empty() && token.iter().all(|&octet| is_token(octet))
}
