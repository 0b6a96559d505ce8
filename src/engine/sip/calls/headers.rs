//! The headers that requests and responses of a session have in common.

use crate::wire::sip::{Name, Writer};

use super::Config;
use super::call::{Asked, Call};
use crate::engine::sip::dialog::{Dialog, Role};
use crate::engine::sip::response::Body;
use crate::engine::sip::session_timer;

/// What our responses understand: reliable provisional responses for those who insist. Our requests do not offer them,
/// they would cost every call a round trip.
const SUPPORTED: &[u8] = b"100rel, timer";
const SUPPORTED_OF_REQUESTS: &[u8] = b"timer";

/// A refusal that needs nobody's help, and what its code owes (RFC 3261 21.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    pub(super) reason: &'static str,
    pub(super) owes: Owes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owes {
    Nothing,
    /// Allow.
    Methods,
    /// Min-SE in seconds (RFC 4028 6).
    MinSe(u32),
    /// Retry-After in seconds.
    RetryAfter(u64),
}

impl Refusal {
    pub(super) const fn new(code: u16, reason: &'static str) -> Refusal {
        Refusal { code, reason, owes: Owes::Nothing }
    }

    pub(super) const fn owing(self, owes: Owes) -> Refusal {
        Refusal { owes, ..self }
    }

    pub(super) fn write(&self, config: &Config, headers: &mut Writer<'_>) {
        headers.header_if(Name::Server, server(config));
        match self.owes {
            Owes::Nothing => {}
            Owes::Methods => headers.header(Name::Allow, &config.allow),
            Owes::MinSe(seconds) => headers.number(Name::MinSe, u64::from(seconds)),
            Owes::RetryAfter(seconds) => headers.number(Name::RetryAfter, seconds),
        }
    }
}

pub(super) const NO_DIALOG: Refusal = Refusal::new(481, "Call/Transaction Does Not Exist");
pub(super) const PENDING: Refusal = Refusal::new(491, "Request Pending");
pub(super) const TERMINATED: Refusal = Refusal::new(487, "Request Terminated");

/// Server.
pub(super) fn server(config: &Config) -> &[u8] {
    &config.product[0]
}

/// Of a 1xx that makes a dialog.
pub(super) fn write_provisional(config: &Config, dialog: &Dialog, headers: &mut Writer<'_>) {
    headers.header_if(Name::Contact, dialog.contact());
    headers.header_if(Name::Server, server(config));
}

/// Of a 2xx to INVITE and UPDATE (RFC 3261 13.3.1.4, RFC 4028 9).
pub(super) fn write_success(config: &Config, call: &Call, headers: &mut Writer<'_>) {
    headers.header_if(Name::Contact, call.dialog.contact());
    write_capabilities(config, headers);
    if let Some(agreed) = call.agreed {
        agreed.write(headers);
    }
}

/// What OPTIONS asks for (RFC 3261 11.2).
pub(super) fn write_capabilities(config: &Config, headers: &mut Writer<'_>) {
    headers.header(Name::Allow, &config.allow);
    headers.header(Name::Supported, SUPPORTED);
    headers.header_if(Name::Server, server(config));
}

/// An INVITE or UPDATE of ours: all but its Via.
pub(super) fn write_asking(config: &Config, call: &Call, asked: &Asked, method: &[u8], cseq: u32, out: &mut Vec<u8>) {
    let mut headers = call.dialog.write_request(method, cseq, out);
    headers.header_if(Name::Contact, call.dialog.contact());
    headers.header(Name::Allow, &config.allow);
    headers.header(Name::Supported, SUPPORTED_OF_REQUESTS);
    session_timer::write_request(asked.interval_s, asked.min_se_s, refresher(call), &mut headers);
    headers.header_if(Name::UserAgent, &config.product[1]);
    out.extend_from_slice(&asked.headers);
    write_end(Writer::resume(out), if method == b"UPDATE" { None } else { body(call, asked) });
}

/// RFC 4028 7.4: it stays who it is. In the first request nobody is named.
fn refresher(call: &Call) -> Option<Role> {
    call.timer.map(|timer| if timer.ours { Role::Uac } else { Role::Uas })
}

/// A refresh repeats the last session description, its version unchanged (RFC 4028 7.4).
fn body<'a>(call: &'a Call, asked: &'a Asked) -> Option<Body<'a>> {
    let octets = call.dialog.description();
    asked.body().or((!octets.is_empty()).then_some(Body { content_type: SDP, octets }))
}

/// The media type of a session description.
pub(super) const SDP: &[u8] = b"application/sdp";

fn write_end(writer: Writer<'_>, body: Option<Body<'_>>) {
    match body {
        Some(body) => writer.body(body.content_type, |out| out.extend_from_slice(body.octets)),
        None => writer.end(),
    }
}
