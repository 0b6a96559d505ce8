//! One MSRP head, and what follows it.

use isthmus::limits::MSRP_HEADER_SECTION_BYTES_MAX;
use isthmus::wire::msrp::uri::is_same;
use isthmus::wire::msrp::{Continuation, Head, Heads, MsrpUri, Start, Writer};

pub fn run(data: &[u8]) {
    let read = Head::read(data);
    let mut heads = Heads::new();
    assert_eq!(heads.read(data).map(Option::<&Head>::copied), read);
    assert_eq!(heads.read(data).map(Option::<&Head>::copied), read, "read again");
    let Ok(Some(head)) = read else { return };
    let (bytes, _) = data.split_at(head.len());
    assert_eq!(Head::parse(bytes), Ok(head));
    for len in [head.len() - 1, head.len() / 2, head.len() / 3] {
        assert_eq!(heads.read(&bytes[..len]), Ok(None), "{len} octets");
    }
    ask_everything(&head, bytes);
    write_again(&head, bytes);
}

fn ask_everything(head: &Head, bytes: &[u8]) {
    assert!((4..=32).contains(&head.transaction_id(bytes).len()));
    for (name, value) in head.headers(bytes) {
        assert!(!value.contains(&b'\n') && !name.contains(&b'\r'));
        assert!(head.header_named(bytes, name).is_some());
    }
    let _ = (head.status(bytes), head.content_type(bytes), head.comment(bytes), head.message_id(bytes));
    for uri in head.to_path(bytes).uris().chain(head.from_path(bytes).uris()) {
        let Some(parsed) = MsrpUri::parse(uri) else { continue };
        let mut written = Vec::new();
        parsed.write(&mut written);
        assert!(is_same(uri, &written));
    }
}

/// The same headers in the same order are the same head; the answer goes where it came from.
fn write_again(head: &Head, bytes: &[u8]) {
    let mut out = Vec::new();
    Writer::response_to(&mut out, head, bytes, 200, "OK").end(Continuation::Complete);
    let answer = Head::parse(&out).unwrap();
    assert_eq!(answer.transaction_id(&out), head.transaction_id(bytes));
    assert_eq!((answer.start(), answer.flaw()), (Start::Response { code: 200 }, None));
    assert_eq!(answer.to_path(&out).as_bytes(), head.from_path(bytes).first());
    if head.flaw().is_some() || matches!(head.start(), Start::Response { .. }) {
        return;
    }
    let mut out = Vec::new();
    let (to, from) = (head.to_path(bytes).as_bytes(), head.from_path(bytes).as_bytes());
    let mut writer = Writer::request(&mut out, head.transaction_id(bytes), head.method_name(bytes), to, from);
    for (name, value) in head.headers(bytes).skip(2) {
        writer.header(name, value);
    }
    writer.end(Continuation::More);
    // A space after each colon may make it too long.
    if out.len() > MSRP_HEADER_SECTION_BYTES_MAX {
        return;
    }
    let again = Head::parse(&out).unwrap();
    assert_eq!(again.flaw(), None);
    assert_eq!(
        (again.start(), again.byte_range(), again.has_body()),
        (head.start(), head.byte_range(), head.has_body())
    );
    assert_eq!((again.success_report(), again.failure_report()), (head.success_report(), head.failure_report()));
    assert_eq!(again.message_id(&out), head.message_id(bytes));
    assert!(again.headers(&out).skip(2).eq(head.headers(bytes).skip(2)));
}
