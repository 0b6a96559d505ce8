//! The two requests that an INVITE transaction writes itself: the ACK of a refusal (RFC 3261 17.1.1.3) and CANCEL (9.1).

use crate::wire::sip::{Index, Message, Name, Writer};

use crate::engine::sip::dispatch::Request;

/// Appends the ACK of the refusal that has this To.
pub(super) fn write_ack(invite: &Request, to: &[u8], index: &mut Index, out: &mut Vec<u8>) {
    write(invite, b"ACK", Some(to), b"", index, out);
}

/// Appends the CANCEL, with header lines of the user's.
pub(super) fn write_cancel(invite: &Request, headers: &[u8], index: &mut Index, out: &mut Vec<u8>) {
    write(invite, b"CANCEL", None, headers, index, out);
}

/// Both have the Request-URI, Call-ID, From, CSeq number and Route of the INVITE; the Via comes with sending.
fn write(invite: &Request, method: &[u8], to: Option<&[u8]>, headers: &[u8], index: &mut Index, out: &mut Vec<u8>) {
    let Ok(invite) = Message::parse(invite.octets(), index) else {
        debug_assert!(false, "the user wrote no request");
        return;
    };
    let mut writer = Writer::request(out, method, invite.request_uri());
    for field in invite.fields() {
        match field.name {
            Name::Route | Name::MaxForwards | Name::From | Name::CallId => writer.header(field.name, field.value),
            Name::To => writer.header(Name::To, to.unwrap_or(field.value)),
            _ => {}
        }
    }
    let cseq = invite.header(Name::CSeq).unwrap_or_default();
    let number = cseq.split(|octet| !octet.is_ascii_digit()).next().unwrap_or_default();
    writer.header_parts(Name::CSeq, &[number, b" ", method]);
    out.extend_from_slice(headers);
    Writer::resume(out).end();
}
