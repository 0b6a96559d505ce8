//! Session descriptions as RFC 4566 writes them and as clients do.

use isthmus::limits;
use isthmus::wire::Malformed;
use isthmus::wire::sdp::{Address, Direction, Session};

const TWO_STREAMS: &str = "v=0\r\no=jdoe 2890844526 2890842807 IN IP4 10.47.16.5\r\ns=SDP Seminar\r\ni=A Seminar\r\n\
    e=j.doe@example.com (Jane Doe)\r\nc=IN IP4 224.2.17.12/127\r\nt=2873397496 2873404696\r\na=recvonly\r\n\
    m=audio 49170/2 RTP/AVP 0\r\nm=video 51372 RTP/AVP 99 100\r\nc=IN IP6 2001:db8::1\r\na=rtpmap:99 h263-1998/90000\r\n\
    a=sendonly\r\n";

#[test]
fn every_part_is_found() {
    let session = Session::parse(TWO_STREAMS.as_bytes()).unwrap();
    assert_eq!(session.origin().session_version, b"2890842807");
    assert_eq!(session.times().collect::<Vec<_>>(), [b"2873397496 2873404696"]);
    let media: Vec<_> = session.media().collect();
    assert_eq!(media.len(), 2);
    assert_eq!((media[0].media, media[0].port, media[0].formats), (b"audio".as_slice(), 49_170, b"0".as_slice()));
    assert_eq!(media[0].connection(), Some(Address::Ip("224.2.17.12".parse().unwrap())));
    assert_eq!((media[0].direction(), media[1].direction()), (Direction::RecvOnly, Direction::SendOnly));
    assert_eq!((media[1].protocol, media[1].formats), (b"RTP/AVP".as_slice(), b"99 100".as_slice()));
    assert_eq!(media[1].connection(), Some(Address::Ip("2001:db8::1".parse().unwrap())));
    assert_eq!(media[1].attribute(b"rtpmap"), Some(b"99 h263-1998/90000".as_slice()));
    assert_eq!(media[0].attribute(b"rtpmap"), None);
}

#[test]
fn what_clients_do_is_read() {
    for description in [
        "v=0\no=- 1 1 IN IP4 192.0.2.9\nm=message 7654 TCP/MSRP *",
        "\r\nv=0\r\n\r\no=- 1 1 IN IP4 192.0.2.9\r\n\r\nm=message 7654 TCP/MSRP *\r\n\r\n",
        "v= 0 \r\nZ=unknown\r\nc=IN IP4 192.0.2.9\r\no=a 1 1\r\nm= message  7654\tTCP/MSRP  *\r\nq=unknown\r\n",
        "v=0\r\no=- 18446744073709551616 x IN IP4 h\r\ns=\r\nt=\r\nm=message 7654 TCP/MSRP *\r\n \r\n",
    ] {
        let session = Session::parse(description.as_bytes()).unwrap();
        let media: Vec<_> = session.media().collect();
        assert_eq!((media.len(), media[0].port, media[0].protocol), (1, 7654, b"TCP/MSRP".as_slice()), "{description}");
        assert_eq!(media[0].formats, b"*");
    }
}

#[test]
fn what_makes_no_sense_is_named() {
    let start = "v=0\r\no=- 1 1 IN IP4 h\r\n";
    for (description, what, at) in [
        (String::new(), "o=", 0),
        ("o=- 1 1 IN IP4 h\r\nv=0\r\n".to_owned(), "v=", 0),
        ("v=1\r\n".to_owned(), "v=", 0),
        (format!("{start}v=0\r\n"), "v=", start.len()),
        ("v=0\r\ns=-\r\n".to_owned(), "o=", 10),
        ("v=0\r\nm=message 1 TCP/MSRP *\r\no=- 1 1 IN IP4 h\r\n".to_owned(), "o=", 5),
        ("v=0\r\no=- 1\r\n".to_owned(), "o=", 5),
        (format!("{start}m=message 65536 TCP/MSRP *\r\n"), "m=", start.len()),
        (format!("{start}m=message TCP/MSRP *\r\n"), "m=", start.len()),
        (format!("{start}m=message 1\r\n"), "m=", start.len()),
        (format!("{start}c=IN 192.0.2.9\r\n"), "c=", start.len()),
        (format!("{start}hello\r\n"), "SDP line", start.len()),
        (format!("{start}a=x\ry=\r\n"), "SDP byte-string", start.len()),
        (format!("{start}a=x\0\r\n"), "SDP byte-string", start.len()),
    ] {
        assert_eq!(Session::parse(description.as_bytes()), Err(Malformed::new(what, at)), "{description:?}");
    }
}

#[test]
fn bounds_hold() {
    let parse = |media: usize, lines: usize| {
        let text = ["v=0\no=- 1 1 IN IP4 h\n", &"m=audio 1 RTP/AVP 0\n".repeat(media), &"a=x\n".repeat(lines)].concat();
        Session::parse(text.as_bytes()).map(|session| session.media().count())
    };
    assert_eq!(parse(limits::SDP_MEDIA_MAX, 0), Ok(limits::SDP_MEDIA_MAX));
    assert!(parse(limits::SDP_MEDIA_MAX + 1, 0).is_err());
    assert_eq!(parse(1, limits::SDP_LINES_MAX - 3), Ok(1));
    assert!(parse(1, limits::SDP_LINES_MAX - 2).is_err());
    assert!(Session::parse(&vec![b'\n'; limits::SDP_BYTES_MAX + 1]).is_err());
}

#[test]
fn hosts_are_told_apart() {
    let ip = |text: &str| Address::Ip(text.parse().unwrap());
    for (host, address) in [
        ("192.0.2.9", ip("192.0.2.9")),
        ("[2001:DB8:0::9]", ip("2001:db8::9")),
        ("::ffff:192.0.2.9", ip("192.0.2.9")),
        ("alice.example.com", Address::Name(b"alice.example.com")),
        ("[alice]", Address::Other),
        ("a b", Address::Other),
        ("", Address::Other),
    ] {
        assert_eq!(Address::parse(host.as_bytes()), address, "{host}");
    }
}
