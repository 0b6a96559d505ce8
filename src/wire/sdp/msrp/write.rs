//! Writing offers and answers. Every value loses what could end a line: some come from peers.

use super::{Agreed, Local, Setup};
use crate::wire::digits::decimal;
use crate::wire::sdp::{Direction, Media, Session, address};

/// What an answer about a file repeats (RFC 5547 8.3).
const OF_FILES: [&[u8]; 3] = [b"file-selector", b"file-transfer-id", b"file-range"];

/// Appends an offer.
pub(super) fn offer(local: &Local<'_>, out: &mut Vec<u8>) {
    local.check();
    session_level(local, [b"0 0".as_slice()].into_iter(), out);
    stream(local, local.setup, local.direction, local.cema, out);
}

/// Appends the answer: the stream of `agreed`, and every other one refused.
pub(super) fn answer(offer: &Session<'_>, local: &Local<'_>, agreed: &Agreed, out: &mut Vec<u8>) {
    local.check();
    let always = offer.times().next().is_none().then_some(b"0 0".as_slice());
    session_level(local, offer.times().chain(always), out);
    for (position, media) in offer.media().enumerate() {
        if position == agreed.position {
            stream(local, agreed.setup, agreed.direction, agreed.cema, out);
            of_file(local, &media, out);
        } else {
            refused(&media, out);
        }
    }
}

fn session_level<'a>(local: &Local<'_>, times: impl Iterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"v=0\r\no=- ");
    decimal(out, local.session_id & i64::MAX.unsigned_abs());
    out.push(b' ');
    decimal(out, local.session_version);
    out.push(b' ');
    address::write(local.address, out);
    out.extend_from_slice(b"\r\ns=-\r\nc=");
    address::write(local.address, out);
    out.extend_from_slice(b"\r\n");
    times.for_each(|time| line(out, b"t=", &[time]));
}

fn stream(local: &Local<'_>, setup: Setup, direction: Direction, cema: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b"m=message ");
    decimal(out, u64::from(local.port));
    out.extend_from_slice(b" TCP/MSRP *\r\n");
    line(out, b"a=path:", &[local.path]);
    line(out, b"a=accept-types:", &[local.accept_types]);
    if !local.accept_wrapped_types.is_empty() {
        line(out, b"a=accept-wrapped-types:", &[local.accept_wrapped_types]);
    }
    if let Some(octets) = local.max_size {
        out.extend_from_slice(b"a=max-size:");
        decimal(out, octets);
        out.extend_from_slice(b"\r\n");
    }
    line(out, b"a=setup:", &[setup.name()]);
    if cema {
        line(out, b"a=msrp-cema", &[]);
    }
    line(out, b"a=", &[direction.name()]);
    local.attributes.iter().for_each(|attribute| line(out, b"a=", &[attribute]));
}

fn of_file(local: &Local<'_>, media: &Media<'_>, out: &mut Vec<u8>) {
    for name in OF_FILES.into_iter().filter(|_| local.file_transfer) {
        if let Some(value) = media.attribute(name) {
            line(out, b"a=", &[name, b":", value]);
        }
    }
}

/// RFC 3264 6: a stream is refused by port 0, everything else as it was offered.
fn refused(media: &Media<'_>, out: &mut Vec<u8>) {
    let formats: &[u8] = if media.formats.is_empty() { b"*" } else { media.formats };
    line(out, b"m=", &[media.media, b" 0 ", media.protocol, b" ", formats]);
}

fn line(out: &mut Vec<u8>, name: &[u8], parts: &[&[u8]]) {
    out.extend_from_slice(name);
    let octets = parts.iter().flat_map(|part| part.iter());
    out.extend(octets.filter(|octet| !matches!(octet, 0 | b'\r' | b'\n')));
    out.extend_from_slice(b"\r\n");
}
