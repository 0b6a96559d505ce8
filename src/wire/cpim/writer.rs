//! Writing message/cpim in the order deployed clients use: From, To, NS, imdn headers, `DateTime`, then the content.

use super::disposition::Dispositions;
use crate::wire::digits::decimal;

/// A CPIM message to be written. Empty values are left out.
///
/// CR, LF and other controls in a value are written as RFC 3862 escapes where it has them and dropped otherwise, so that
/// no value can start a header of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wrapper<'a> {
    /// From, a URI without brackets.
    pub from: &'a [u8],
    /// To, a URI without brackets.
    pub to: &'a [u8],
    /// imdn.Message-ID.
    pub message_id: &'a [u8],
    /// `DateTime`, RFC 3339.
    pub date_time: &'a [u8],
    /// imdn.Disposition-Notification.
    pub dispositions: Dispositions,
    /// imdn.Original-To, a URI without brackets.
    pub original_to: &'a [u8],
    /// imdn.IMDN-Record-Route, each as it was received.
    pub record_routes: &'a [&'a [u8]],
    /// imdn.IMDN-Route, each as the Record-Route was received.
    pub routes: &'a [&'a [u8]],
    /// Subject.
    pub subject: &'a [u8],
    /// Content-Type of the content.
    pub content_type: &'a [u8],
    /// Content-Transfer-Encoding of the content.
    pub content_transfer_encoding: &'a [u8],
    /// Content-Disposition of the content ("notification" for an IMDN).
    pub content_disposition: &'a [u8],
}

impl Wrapper<'_> {
    /// Appends the whole body around `content`.
    pub fn write(&self, content: &[u8], out: &mut Vec<u8>) {
        self.write_with(|out| out.extend_from_slice(content), out);
    }

    /// Appends the whole body around what `content` appends.
    pub fn write_with(&self, content: impl FnOnce(&mut Vec<u8>), out: &mut Vec<u8>) {
        self.write_head(out);
        header(b"Content-Type", self.content_type, out);
        header(b"Content-Transfer-Encoding", self.content_transfer_encoding, out);
        header(b"Content-Disposition", self.content_disposition, out);
        let start = out.len();
        content(out);
        let end = out.len();
        out.extend_from_slice(b"Content-Length: ");
        decimal(out, (end - start) as u64);
        out.extend_from_slice(b"\r\n\r\n");
        // The length is known now; its header goes in front of the content.
        let header_len = out.len() - end;
        if let Some(written) = out.get_mut(start..) {
            written.rotate_right(header_len);
        }
    }

    fn write_head(&self, out: &mut Vec<u8>) {
        uri_header(b"From", self.from, out);
        uri_header(b"To", self.to, out);
        if self.has_imdn_headers() {
            out.extend_from_slice(b"NS: imdn <urn:ietf:params:imdn>\r\n");
        }
        header(b"imdn.Message-ID", self.message_id, out);
        header(b"DateTime", self.date_time, out);
        if !self.dispositions.is_none() {
            out.extend_from_slice(b"imdn.Disposition-Notification: ");
            self.dispositions.write(out);
            out.extend_from_slice(b"\r\n");
        }
        uri_header(b"imdn.Original-To", self.original_to, out);
        self.record_routes.iter().for_each(|route| header(b"imdn.IMDN-Record-Route", route, out));
        self.routes.iter().for_each(|route| header(b"imdn.IMDN-Route", route, out));
        escaped_header(b"Subject", self.subject, out);
        out.extend_from_slice(b"\r\n");
    }

    fn has_imdn_headers(&self) -> bool {
        let texts = [self.message_id, self.original_to];
        let routes = !self.record_routes.is_empty() || !self.routes.is_empty();
        routes || !self.dispositions.is_none() || texts.iter().any(|text| !text.is_empty())
    }
}

/// Appends `value` with RFC 3862 3.1 escapes for what must not stand in a header.
pub fn escape(value: &[u8], out: &mut Vec<u8>) {
    for octet in value {
        match octet {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            octet if octet.is_ascii_control() => {}
            octet => out.push(*octet),
        }
    }
}

fn uri_header(name: &[u8], uri: &[u8], out: &mut Vec<u8>) {
    if uri.is_empty() {
        return;
    }
    out.extend_from_slice(name);
    out.extend_from_slice(b": <");
    put_without(uri, |octet| octet.is_ascii_control() || matches!(octet, b'<' | b'>'), out);
    out.extend_from_slice(b">\r\n");
}

fn header(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    if value.is_empty() {
        return;
    }
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    put_without(value, |octet| octet.is_ascii_control(), out);
    out.extend_from_slice(b"\r\n");
}

/// Appends `value` without what may not stand there, which is nearly always nothing.
fn put_without(value: &[u8], unwanted: impl Fn(u8) -> bool, out: &mut Vec<u8>) {
    if value.iter().fold(false, |any, octet| any | unwanted(*octet)) {
        out.extend(value.iter().filter(|octet| !unwanted(**octet)));
    } else {
        out.extend_from_slice(value);
    }
}

fn escaped_header(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    if value.is_empty() {
        return;
    }
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    escape(value, out);
    out.extend_from_slice(b"\r\n");
}
