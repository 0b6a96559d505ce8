//! What a response takes from its request, and where it goes.

use core::net::{IpAddr, SocketAddr};

use crate::engine::Random;
use crate::engine::transport::{LinkRef, ListenerId, Road, Source};
use crate::wire::digits::decimal;
use crate::wire::scan;
use crate::wire::sip::lists::find_outside;
use crate::wire::sip::{Field, Message, Name, Names, Via, Writer};

/// Where the response to a request goes (RFC 3261 18.2.2, RFC 3581 4, RFC 5923).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseRoute {
    /// A datagram.
    Datagram {
        /// From the socket the request came to.
        listener: ListenerId,
        /// To the source address; to its port if rport asks for it, else to the sent-by port.
        peer: SocketAddr,
    },
    /// The connection the request came on.
    Stream {
        /// As long as it lives.
        link: LinkRef,
        /// Where a new one goes: source address, sent-by port.
        otherwise: SocketAddr,
    },
}

impl ResponseRoute {
    /// The route for a request with this topmost Via.
    #[must_use]
    pub fn new(source: &Source, via: &Via<'_>) -> ResponseRoute {
        let sent_by = SocketAddr::new(source.peer.ip(), via.port.unwrap_or(5060));
        match source.road {
            Road::Stream(link) => ResponseRoute::Stream { link, otherwise: sent_by },
            Road::Datagram(listener) => {
                let maddr = via.maddr().and_then(|text| core::str::from_utf8(text).ok()?.parse::<IpAddr>().ok());
                let peer = match maddr.filter(|address| !is_broadcast(*address)) {
                    Some(address) => SocketAddr::new(address, sent_by.port()),
                    None if via.wants_rport() => source.peer,
                    None => sent_by,
                };
                ResponseRoute::Datagram { listener, peer }
            }
        }
    }

    /// The same, but to nobody other than who sent it: a sender who is not trusted could name anybody in maddr.
    #[must_use]
    pub fn to_sender(source: &Source, via: &Via<'_>) -> ResponseRoute {
        let Road::Datagram(listener) = source.road else { return ResponseRoute::new(source, via) };
        let port = if via.wants_rport() { source.peer.port() } else { via.port.unwrap_or(5060) };
        ResponseRoute::Datagram { listener, peer: SocketAddr::new(source.peer.ip(), port) }
    }

    /// Whether the transport repeats for us (RFC 3261 17).
    #[must_use]
    pub fn is_reliable(&self) -> bool {
        matches!(self, ResponseRoute::Stream { .. })
    }
}

/// RFC 4475 3.1.2.19: nothing is sent to everybody.
fn is_broadcast(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(v4) if v4.is_broadcast()) || address.is_multicast() || address.is_unspecified()
}

/// What a response copies. Timestamp is no name of the list.
const COPIED: Names = Names::of(&[Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq, Name::Other]);

/// Appends the headers that a response copies (RFC 3261 8.2.6.2): every Via with the topmost one's received and rport
/// filled in, From, To with `to_tag` if it has none, Call-ID, CSeq; and Timestamp (8.2.6.1).
pub fn write_response_head(message: &Message<'_>, source: &Source, to_tag: &[u8], out: &mut Vec<u8>) {
    let mut top = true;
    for field in message.fields_of(COPIED) {
        match field.name {
            Name::Via if core::mem::take(&mut top) => top_via(message, field.value, source, out),
            Name::Via | Name::From | Name::CallId | Name::CSeq => line(field.name.as_start(), &field, b"", out),
            Name::To => {
                let tagged = message.to().is_ok_and(|to| to.tag().is_some());
                line("To: ", &field, if tagged { b"" } else { to_tag }, out);
            }
            Name::Other if field.raw_name.eq_ignore_ascii_case(b"Timestamp") => line("Timestamp: ", &field, b"", out),
            _ => {}
        }
    }
}

/// Octets of a tag that we give.
pub const TAG_BYTES: usize = 16;

/// A tag that nobody can guess (RFC 3261 19.3).
pub fn new_tag(random: &mut Random) -> [u8; TAG_BYTES] {
    let mut tag = [0; TAG_BYTES];
    random.token(&mut tag);
    tag
}

/// What a message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Body<'a> {
    /// Its Content-Type.
    pub content_type: &'a [u8],
    /// Its octets.
    pub octets: &'a [u8],
}

/// Appends a whole response: the copied headers in `heads`, what `headers` adds, the body.
pub(super) fn write_response(
    code: u16,
    reason: &str,
    heads: &[&[u8]],
    body: Option<Body<'_>>,
    headers: impl FnOnce(&mut Writer<'_>),
    out: &mut Vec<u8>,
) {
    Writer::response(out, code, reason);
    for head in heads {
        out.extend_from_slice(head);
    }
    let mut writer = Writer::resume(out);
    headers(&mut writer);
    match body {
        Some(body) => writer.body(body.content_type, |out| out.extend_from_slice(body.octets)),
        None => writer.end(),
    }
}

pub(super) fn write_trying(heads: &[&[u8]], out: &mut Vec<u8>) {
    write_response(100, "Trying", heads, None, |_| {}, out);
}

/// Appends the lines of Record-Route, which the responses that make a dialog copy (RFC 3261 12.1.1).
pub(super) fn write_record_route(message: &Message<'_>, out: &mut Vec<u8>) {
    for field in message.fields().filter(|field| field.name == Name::RecordRoute) {
        line(field.name.as_start(), &field, b"", out);
    }
}

/// `start` is the name with its colon.
#[inline(always)]
fn line(start: &str, field: &Field<'_>, tag: &[u8], out: &mut Vec<u8>) {
    if tag.is_empty() && !field.line.is_empty() {
        return out.extend_from_slice(field.line);
    }
    if let Some(line) = field.line.strip_suffix(b"\r\n") {
        out.extend_from_slice(line);
    } else {
        out.extend_from_slice(start.as_bytes());
        unfolded(field.value, out);
    }
    if !tag.is_empty() {
        out.extend_from_slice(b";tag=");
        out.extend_from_slice(tag);
    }
    out.extend_from_slice(b"\r\n");
}

fn unfolded(value: &[u8], out: &mut Vec<u8>) {
    if scan::is_plain(value) {
        return out.extend_from_slice(value);
    }
    out.extend(value.iter().map(|&octet| if matches!(octet, b'\r' | b'\n') { b' ' } else { octet }));
}

/// The first Via line, its first value completed: received if the sender is another than it says (RFC 3261 18.2.1), and
/// always with rport, which gets its value (RFC 3581 4). A received that the sender wrote itself is not believed.
fn top_via(message: &Message<'_>, value: &[u8], source: &Source, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Via: ");
    let Ok(via) = message.top_via() else { return finish(value, out) };
    match via.behind_rport() {
        Some(behind) => usual_via(&via, value.split_at(value.len().saturating_sub(behind)), source, out),
        None => via_with_care(&via, value, source, out),
    }
}

fn via_with_care(via: &Via<'_>, value: &[u8], source: &Source, out: &mut Vec<u8>) {
    let comma = scan::find(b',', value).and_then(|_| find_outside(value, b','));
    let (first, rest) = value.split_at(comma.unwrap_or(value.len()));
    let sent = scan::find(b';', first).unwrap_or(first.len());
    unfolded(first.get(..sent).unwrap_or_default().trim_ascii_end(), out);
    for (name, value) in via.params.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(b"received")) {
        via_parameter(name, value, source, out);
    }
    if via.wants_rport() || !is_address(via.host, source.peer.ip()) {
        received(source.peer.ip(), out);
    }
    finish(rest, out);
}

/// The same of a Via that may be sent back as it came: what stands before the value of its rport, and what behind.
fn usual_via(via: &Via<'_>, (before, behind): (&[u8], &[u8]), source: &Source, out: &mut Vec<u8>) {
    out.extend_from_slice(before);
    if via.wants_rport() {
        out.push(b'=');
        decimal(out, u64::from(source.peer.port()));
    }
    out.extend_from_slice(behind);
    if via.wants_rport() || !is_address(via.host, source.peer.ip()) {
        received(source.peer.ip(), out);
    }
    out.extend_from_slice(b"\r\n");
}

fn via_parameter(name: &[u8], value: Option<&[u8]>, source: &Source, out: &mut Vec<u8>) {
    out.push(b';');
    unfolded(name, out);
    if name.eq_ignore_ascii_case(b"rport") && value.is_none_or(<[u8]>::is_empty) {
        out.push(b'=');
        decimal(out, u64::from(source.peer.port()));
    } else if let Some(value) = value {
        out.push(b'=');
        unfolded(value, out);
    }
}

fn finish(rest: &[u8], out: &mut Vec<u8>) {
    unfolded(rest, out);
    out.extend_from_slice(b"\r\n");
}

fn is_address(host: &[u8], address: IpAddr) -> bool {
    let host = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
    let parsed = core::str::from_utf8(host).ok().and_then(|host| host.parse::<IpAddr>().ok());
    parsed.is_some_and(|host| host.to_canonical() == address.to_canonical())
}

fn received(address: IpAddr, out: &mut Vec<u8>) {
    out.extend_from_slice(b";received=");
    write_address(address, out);
}

/// Appends the decimal digits of `octet` to the `len` octets of `text` and returns how many those are then.
fn put_octet(octet: u8, text: &mut [u8; 15], mut len: usize) -> usize {
    if octet >= 100 {
        text[len] = b'0' + octet / 100;
        len += 1;
    }
    if octet >= 10 {
        text[len] = b'0' + octet / 10 % 10;
        len += 1;
    }
    text[len] = b'0' + octet % 10;
    len + 1
}

/// Appends an address as text, without brackets.
pub fn write_address(address: IpAddr, out: &mut Vec<u8>) {
    use std::io::Write;
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let (mut text, mut len) = ([b'.'; 15], 0);
            for octet in v4.octets() {
                len = put_octet(octet, &mut text, len) + 1;
            }
            out.extend_from_slice(&text[..len - 1]);
        }
        // Writing to a Vec cannot fail.
        IpAddr::V6(v6) => drop(write!(out, "{v6}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sip::Index;

    #[test]
    fn a_usual_via_comes_back_as_one_that_is_read_with_care() {
        for params in ["", ";branch=z9hG4bK1", ";rport", ";rport;branch=z9hG4bK1", ";branch=z9hG4bK1;rport", ";rport="]
        {
            for (host, peer) in
                [("192.0.2.1", "192.0.2.1:5070"), ("h:9", "192.0.2.100:65535"), ("h", "[2001:db8::1]:1")]
            {
                let source = Source { peer: peer.parse().unwrap(), road: Road::Datagram(ListenerId(0)) };
                let value = format!("SIP/2.0/UDP {host}{params}");
                let request =
                    format!("OPTIONS sip:a SIP/2.0\r\nVia: {value}\r\nTo: <sip:a>\r\nCSeq: 1 OPTIONS\r\n\r\n");
                let mut index = Index::new();
                let message = Message::parse(request.as_bytes(), &mut index).unwrap();
                let (mut usual, mut careful) = (Vec::new(), b"Via: ".to_vec());
                write_response_head(&message, &source, b"t", &mut usual);
                via_with_care(&message.top_via().unwrap(), value.as_bytes(), &source, &mut careful);
                careful.extend_from_slice(b"To: <sip:a>;tag=t\r\nCSeq: 1 OPTIONS\r\n");
                assert_eq!(String::from_utf8(usual), String::from_utf8(careful));
            }
        }
    }

    #[test]
    fn every_octet_of_an_address_is_written() {
        let mut out = Vec::new();
        for octet in 0..=255 {
            out.clear();
            let address = IpAddr::from([octet, 255, 0, octet]);
            write_address(address, &mut out);
            assert_eq!(out, address.to_string().as_bytes());
        }
    }
}
