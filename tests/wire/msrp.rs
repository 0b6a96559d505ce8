//! MSRP heads and end lines as they come (RFC 4975).

use isthmus::wire::msrp::{Continuation, Head, Method, Scanner, Start};

const SEND: &[u8] = b"MSRP a786hjs2 SEND\r\nTo-Path: msrp://biloxi.example.com:12763/kjhd37s2s20w2a;tcp\r\n\
    From-Path: msrp://atlanta.example.com:7654/jshA7weztas;tcp\r\nMessage-ID: 87652491\r\n\
    Byte-Range: 1-25/25\r\nContent-Type: text/plain\r\n\r\nHey Bob, are you there?\r\n\r\n-------a786hjs2$\r\n";

#[test]
fn a_request_with_a_body() {
    let head = Head::read(SEND).unwrap().unwrap();
    assert_eq!(head.start(), Start::Request { method: Method::Send });
    assert_eq!(head.transaction_id(SEND), b"a786hjs2");
    assert_eq!(head.message_id(SEND), b"87652491");
    assert_eq!(head.content_type(SEND), b"text/plain");
    assert_eq!((head.flaw(), head.end(), head.has_body()), (None, None, true));
    let mut scanner = Scanner::new();
    scanner.begin(&head, SEND);
    let scanned = scanner.scan(&SEND[head.len()..]);
    assert_eq!((scanned.released, scanned.data), (0, 25));
    let end = scanned.end.unwrap();
    assert_eq!((end.at, end.continuation), (SEND.len() - head.len(), Continuation::Complete));
}
