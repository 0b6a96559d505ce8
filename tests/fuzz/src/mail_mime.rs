//! A content: the first line is its Content-Type, the second its Content-Transfer-Encoding, the rest the body. What is
//! copied for a mail is fit for it, and is the same when it is copied again.

use isthmus::limits;
use isthmus::wire::mail::mime::{Channel, Entity, LeftOut, decoded_octets, leaves, rewrite};

pub fn run(data: &[u8]) {
    let (content_type, rest) = line(data);
    let (encoding, body) = line(rest);
    let entity = Entity::new(content_type, encoding, body);
    let count = leaves(entity).count();
    assert!(decoded_octets(entity) <= body.len());
    for refused in [&b"image/"[..], b"text/plain", b""] {
        for channel in [Channel::SevenBit, Channel::Binary] {
            copied(entity, channel, refused, count);
        }
    }
}

fn copied(entity: Entity<'_>, channel: Channel, refused: &[u8], count: usize) {
    let keep = |media_type: &[u8]| refused.is_empty() || !media_type.starts_with(refused);
    let (mut content_type, mut body) = (Vec::new(), Vec::new());
    let copy = rewrite(entity, keep, channel, &mut content_type, &mut body);
    let kept = leaves(entity).filter(|leaf| keep(leaf.media_type())).count();
    let left_out = match kept {
        0 => LeftOut::All,
        kept if kept == count => LeftOut::Nothing,
        _ => LeftOut::Some,
    };
    assert_eq!(copy.left_out, left_out);
    if kept == 0 {
        return assert!(content_type.is_empty() && body.is_empty());
    }
    if channel == Channel::SevenBit {
        assert!(body.ends_with(b"\r\n") && content_type.is_ascii());
        let lines = body.split(|octet| *octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        lines.for_each(|line| assert!(is_fit(line), "{}", String::from_utf8_lossy(line)));
        if leaves(entity).any(|leaf| leaf.media_type().starts_with(b"multipart/")) {
            // One without a usable boundary may have one when it is written without controls.
            return;
        }
        let (mut type_again, mut again) = (Vec::new(), Vec::new());
        let encoding = copy.content_transfer_encoding;
        rewrite(Entity::new(&content_type, encoding, &body), |_| true, channel, &mut type_again, &mut again);
        assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&body));
    }
}

fn is_fit(line: &[u8]) -> bool {
    line.is_ascii() && line.len() <= limits::MAIL_LINE_BYTES_MAX && !line.contains(&b'\r') && !line.contains(&0)
}

fn line(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|octet| *octet == b'\n') {
        Some(end) => (data[..end].trim_ascii(), &data[end + 1..]),
        None => (data, b""),
    }
}
