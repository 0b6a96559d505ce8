//! SIP messages that this shard owns: requests as a UAS (RFC 3261 8.2, RFC 3428), responses to what we sent.

use crate::engine::Now;
use crate::engine::sip::{Arrived, ResponseRoute, TransactionId};
use crate::engine::transport::Source;
use crate::interwork::table::NotConvertible;
use crate::iwf::mms::forward;
use crate::iwf::pager::{self, NotAcceptable};
use crate::limits;
use crate::policy::Policy;
use crate::wire::sip::check::{self, Rejection};
use crate::wire::sip::{Message, Name, Via, Writer};

use super::Shard;
use super::event::{self, Event};

/// What is served, by whether there are sessions.
#[derive(Clone, Copy, Debug)]
struct Served {
    /// Methods we have.
    methods: &'static [&'static [u8]],
    /// Methods we have an answer to beside 405.
    answered: &'static [&'static [u8]],
    allow: &'static [u8],
    accept: &'static [u8],
    supported: &'static [u8],
}

/// Without sessions ACK is no request of its own: there is nothing it could acknowledge; and a CANCEL finds nothing that it
/// could cancel (RFC 3261 9.2).
const MESSAGES: Served = Served {
    methods: &[b"MESSAGE", b"OPTIONS"],
    answered: &[b"MESSAGE", b"OPTIONS", b"CANCEL"],
    allow: b"MESSAGE, OPTIONS",
    accept: ACCEPT,
    supported: b"",
};
const SESSIONS: Served = Served {
    methods: METHODS_OF_SESSIONS,
    answered: METHODS_OF_SESSIONS,
    allow: ALLOW_OF_SESSIONS,
    accept: b"message/cpim, text/plain, multipart/mixed, application/sdp",
    supported: b"timer, 100rel",
};
const METHODS_OF_SESSIONS: &[&[u8]] =
    &[b"INVITE", b"ACK", b"CANCEL", b"BYE", b"UPDATE", b"PRACK", b"OPTIONS", b"MESSAGE"];
pub(super) const ALLOW_OF_SESSIONS: &[u8] = b"INVITE, ACK, CANCEL, BYE, UPDATE, PRACK, OPTIONS, MESSAGE";
/// What a MESSAGE body may be.
pub(super) const ACCEPT: &[u8] = b"message/cpim, text/plain, multipart/mixed";
/// Seconds after which an overloaded or unbound gateway may be asked again.
pub(super) const RETRY_AFTER_SECONDS: u64 = 5;

/// A refusal with what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) reason: &'static str,
    /// For the log.
    pub(super) why: &'static str,
}

impl Refusal {
    /// A code with its usual reason phrase.
    pub(super) const fn of_code(code: u16) -> Refusal {
        Refusal::because(code, reason_of(code))
    }

    /// A code, and for the log why.
    pub(super) const fn because(code: u16, why: &'static str) -> Refusal {
        Refusal { code, reason: reason_of(code), why }
    }

    /// A message that cannot be converted.
    pub(super) fn not_acceptable(why: NotAcceptable, policy: &Policy) -> Refusal {
        let (code, reason) = pager::refusal(why, policy);
        let why = match why {
            NotAcceptable::Malformed(what) => what,
            NotAcceptable::MediaType => "no text in a known character set",
            NotAcceptable::Requirement => "CPIM requires an unknown header",
            NotAcceptable::Protected => "end to end protection",
            NotAcceptable::Address(NotConvertible::Originator) => "the originator has no E.164 number",
            NotAcceptable::Address(NotConvertible::Target) => "the target has no E.164 number",
            NotAcceptable::Address(NotConvertible::Anonymous) => "the originator is anonymous",
            NotAcceptable::TooLarge => "more segments than one message may have",
        };
        Refusal { code, reason, why }
    }

    /// The same for a message that would have become an MM.
    pub(super) fn not_acceptable_for_mms(not_acceptable: NotAcceptable, policy: &Policy) -> Refusal {
        let (code, reason) = forward::refusal(not_acceptable, policy);
        let why = match not_acceptable {
            NotAcceptable::MediaType => "nothing in it that the MMS Relay/Server takes",
            NotAcceptable::TooLarge => "larger than the MMS Relay/Server takes",
            _ => Refusal::not_acceptable(not_acceptable, policy).why,
        };
        Refusal { code, reason, why }
    }

    /// What a status code must say beside itself (RFC 3261 21.4, 21.5).
    pub(super) fn write_headers(&self, headers: &mut Writer<'_>) {
        match self.code {
            415 => headers.header(Name::Accept, ACCEPT),
            503 => headers.number(Name::RetryAfter, RETRY_AFTER_SECONDS),
            _ => {}
        }
    }
}

/// Reason phrases of RFC 3261 21; for codes that only the configuration knows, their class.
const fn reason_of(code: u16) -> &'static str {
    match code {
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        433 => "Anonymity Disallowed",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        488 => "Not Acceptable Here",
        500 => "Server Internal Error",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        513 => "Message Too Large",
        603 => "Decline",
        _ => class_of(code),
    }
}

const fn class_of(code: u16) -> &'static str {
    match code / 100 {
        2 => "OK",
        4 => "Request Failure",
        5 => "Server Failure",
        _ => "Global Failure",
    }
}

impl Shard {
    pub(super) fn handle_sip(&mut self, now: Now, source: Source, bytes: &[u8]) {
        self.stats.sip_messages += 1;
        self.stopwatch.begin();
        let mut index = core::mem::take(&mut self.index);
        match Message::parse(bytes, &mut index) {
            Ok(message) if message.is_request() => self.handle_request(now, &source, &message, bytes.len()),
            Ok(message) => self.handle_response(now, &message),
            Err(_) => self.stats.sip_malformed += 1,
        }
        self.index = index;
    }

    fn handle_response(&mut self, now: Now, message: &Message<'_>) {
        let awaited = check::response(message)
            && (self.clients.handle_response(now.moment, message, &mut self.random)
                || self.handle_call_response(now, message));
        self.stats.sip_responses_unmatched += u64::from(!awaited);
    }

    fn handle_request(&mut self, now: Now, source: &Source, message: &Message<'_>, len: usize) {
        if message.method() == b"ACK" {
            // Where there are no sessions there is nothing that it could acknowledge.
            if self.has_sessions() && self.settings.sip.trusts(source.peer.ip()) {
                self.handle_call(now, source, message);
            }
            return;
        }
        if let Err(rejection) = admissible(message, len, self.served()) {
            self.stats.sip_rejected += 1;
            return self.reject(source, message, rejection);
        }
        if !self.settings.sip.trusts(source.peer.ip()) {
            // Without a transaction: strangers could fill the table, and those we serve would find no room.
            self.stats.sip_untrusted += 1;
            return self.refuse_statelessly(source, message, Refusal::because(403, "the peer is not in sip.trusted"));
        }
        if self.has_sessions() && is_of_a_call(message) {
            return self.handle_call(now, source, message);
        }
        match self.servers.handle_request(now.moment, message, source, &mut self.random) {
            Arrived::New(transaction) => self.handle_new(now, transaction, message),
            Arrived::Retransmission => {}
            Arrived::Merged => self.reject(source, message, rejection(482)),
            Arrived::Full => {
                self.stats.sip_overload += 1;
                self.reject(source, message, rejection(503));
            }
        }
    }

    /// Whether media could reach us.
    pub(super) fn has_sessions(&self) -> bool {
        !self.settings.msrp.listeners.is_empty()
    }

    fn served(&self) -> &'static Served {
        if self.has_sessions() { &SESSIONS } else { &MESSAGES }
    }

    fn handle_new(&mut self, now: Now, transaction: TransactionId, message: &Message<'_>) {
        if message.method() == b"OPTIONS" {
            let served = self.served();
            let server = self.iwf.server.as_bytes();
            self.sip_codes.sent.add(200);
            self.servers.respond(now.moment, transaction, 200, "OK", |headers| {
                headers.header(Name::Server, server);
                headers.header(Name::Allow, served.allow);
                headers.header(Name::Accept, served.accept);
                headers.header(Name::Supported, served.supported);
            });
            return;
        }
        if let Err(refusal) = self.handle_message(now, transaction, message) {
            self.stats.cpm_refused += 1;
            self.stats.sip_overload += u64::from(refusal.code == 503);
            self.log_refusal(message, refusal);
            self.refuse(now, transaction, refusal);
        }
    }

    fn log_refusal(&mut self, message: &Message<'_>, refusal: Refusal) {
        let call_id = event::call_id(message.call_id().unwrap_or_default());
        self.event(Event::Refused { call_id, code: refusal.code, why: refusal.why });
    }

    pub(super) fn refuse(&mut self, now: Now, transaction: TransactionId, refusal: Refusal) {
        let server = self.iwf.server.as_bytes();
        self.sip_codes.sent.add(u32::from(refusal.code));
        self.servers.respond(now.moment, transaction, refusal.code, refusal.reason, |headers| {
            headers.header(Name::Server, server);
            refusal.write_headers(headers);
        });
    }

    fn refuse_statelessly(&mut self, source: &Source, message: &Message<'_>, refusal: Refusal) {
        self.log_refusal(message, refusal);
        self.sip_codes.sent.add(u32::from(refusal.code));
        let route = self.route_to(source);
        let server = self.iwf.server.as_bytes();
        self.servers.respond_by(route, message, source, refusal.code, refusal.reason, |headers| {
            headers.header(Name::Server, server);
        });
    }

    /// Whoever is not trusted gets responses himself: the maddr of his Via could name anybody.
    fn route_to(&self, source: &Source) -> fn(&Source, &Via<'_>) -> ResponseRoute {
        if self.settings.sip.trusts(source.peer.ip()) { ResponseRoute::new } else { ResponseRoute::to_sender }
    }

    /// Refuses what does not become a transaction.
    fn reject(&mut self, source: &Source, message: &Message<'_>, rejection: Rejection) {
        let refusal = Refusal { code: rejection.code, reason: rejection.reason, why: rejection.reason };
        self.log_refusal(message, refusal);
        self.sip_codes.sent.add(u32::from(rejection.code));
        let (route, methods) = (self.route_to(source), self.served().methods);
        let server = self.iwf.server.as_bytes();
        self.servers.respond_by(route, message, source, rejection.code, rejection.reason, |headers| {
            headers.header(Name::Server, server);
            rejection.write_headers(message, methods, headers);
            refusal.write_headers(headers);
        });
    }
}

const fn rejection(code: u16) -> Rejection {
    Rejection { code, reason: reason_of(code), header: None }
}

/// Whether a request is for the dialogs: what makes, changes or ends one, and whatever names one by a To tag
/// (RFC 3261 12.2.2).
fn is_of_a_call(message: &Message<'_>) -> bool {
    let method = message.method();
    let of_a_call = [b"INVITE".as_slice(), b"CANCEL", b"BYE", b"UPDATE", b"PRACK"].contains(&method);
    of_a_call || message.to().is_ok_and(|to| to.tag().is_some())
}

/// Whether a request may become a transaction.
fn admissible(message: &Message<'_>, len: usize, served: &Served) -> Result<(), Rejection> {
    check::request(message, served.answered)?;
    if len > limits::SIP_MESSAGE_BYTES_MAX {
        return Err(rejection(513));
    }
    // Without sessions there are no dialogs that a To tag could name (RFC 3261 12.2.2).
    let sessions = served.methods.contains(&b"INVITE".as_slice());
    if !sessions && (message.method() == b"CANCEL" || message.to().is_ok_and(|to| to.tag().is_some())) {
        return Err(rejection(481));
    }
    // A MESSAGE leaves for another network here, as at a proxy (RFC 3261 16.3 step 3); OPTIONS is answered for ourselves.
    if message.method() == b"MESSAGE" && message.max_forwards() == Ok(Some(0)) {
        return Err(rejection(483));
    }
    Ok(())
}
