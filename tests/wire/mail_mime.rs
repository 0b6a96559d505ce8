//! Contents copied between mails and instant messages: mail-parser, another reader of MIME, finds the same leaves in the
//! copy as in the original.

use isthmus::limits;
use isthmus::wire::mail::mime::{Channel, Entity, LeftOut, decoded_octets, leaf_types, leaves, rewrite};
use isthmus::wire::mail::mm4::ForwardReq;
use isthmus::wire::mail::quoted_printable;
use mail_parser::{MessageParser, MimeHeaders, PartType};
use proptest::prelude::*;

const ALBUM: &str = "preamble\r\n--b1\r\nContent-Type: application/smil; charset=utf-8\r\nContent-ID: <s>\r\n\r\n\
    <smil>\r\n<img src=\"cid:i\"/></smil>\r\n--b1  \r\nContent-type: multipart/alternative; boundary=\"b1-2\"\r\n\r\n--b1-2\r\n\r\n\
    plain\r\n--b1-2\r\nCONTENT-TYPE:text/html\r\n\r\n<p>\r\n--b1-2--\r\n\r\n--b1\r\nContent-Type: image/gif\r\n\
    Content-ID: <i>\r\nContent-Transfer-Encoding: base64\r\n\r\nR0lGODlh\r\n--b1--\r\nepilogue";
const ALBUM_TYPE: &str = "multipart/related; type=\"application/smil\"; start=\"<s>\"; boundary=b1";

struct Copied {
    content_type: String,
    content_transfer_encoding: String,
    body: Vec<u8>,
    left_out: LeftOut,
}

fn copied(entity: Entity<'_>, channel: Channel, keep: impl Fn(&[u8]) -> bool) -> Copied {
    let (mut content_type, mut body) = (b"before".to_vec(), b"before".to_vec());
    let rewritten = rewrite(entity, keep, channel, &mut content_type, &mut body);
    Copied {
        content_type: String::from_utf8_lossy(&content_type[6..]).into_owned(),
        content_transfer_encoding: String::from_utf8(rewritten.content_transfer_encoding.to_vec()).unwrap(),
        body: body[6..].to_vec(),
        left_out: rewritten.left_out,
    }
}

fn to_mail(content_type: &str, content_transfer_encoding: &str, body: &[u8]) -> Copied {
    let entity = Entity::new(content_type.as_bytes(), content_transfer_encoding.as_bytes(), body);
    copied(entity, Channel::SevenBit, |_| true)
}

fn types(content_type: &str, body: &str) -> String {
    let types: Vec<_> = leaf_types(content_type.as_bytes(), body.as_bytes()).map(String::from_utf8_lossy).collect();
    types.join(" ")
}

#[test]
fn leaves_of_contents_as_they_are_met() {
    let album = "application/smil text/plain text/html image/gif";
    assert_eq!(types(ALBUM_TYPE, ALBUM), album);
    let label = ALBUM_TYPE.replace("multipart/related", "application/vnd.wap.multipart.related");
    for (content_type, body) in [
        (ALBUM_TYPE.to_owned(), ALBUM.replace("\r\n", "\n")),
        (ALBUM_TYPE.to_owned(), ALBUM.replace("--b1--\r\nepilogue", "")),
        (ALBUM_TYPE.to_owned(), ALBUM.replace("--b1-2--\r\n", "")),
        (ALBUM_TYPE.to_owned(), ALBUM.replace("\r\nContent-type: multi", "\r\nX-Odd: x\r\nContent-type:\r\n multi")),
        (label, ALBUM.to_owned()),
        (ALBUM_TYPE.replace("; type", ";\r\n\ttype").replace("boundary=b1", "BOUNDARY = \"b1 \""), ALBUM.to_owned()),
    ] {
        assert_eq!(types(&content_type, &body), album, "{content_type}: {body}");
    }
}

#[test]
fn what_has_no_parts_is_a_leaf() {
    for (content_type, body, expected) in [
        ("", "x", "text/plain"),
        ("image/jpeg; name=x", "x", "image/jpeg"),
        ("multipart/mixed", "--x\r\n\r\n--x--", "multipart/mixed"),
        ("multipart/mixed; boundary=y", "--x\r\n\r\n--x--", "multipart/mixed"),
        ("multipart/mixed; boundary=\"\"", "--\r\n\r\n----", "multipart/mixed"),
        ("application/vnd.wap.multipart.related", "\x03", "multipart/related"),
        ("multipart/mixed; boundary=x", "--x\r\nno header at all\r\nA: b\r\n\r\n--x--", "text/plain"),
        ("multipart/mixed; boundary=x", "--x\r\n--x\r\nX-Only: x\r\n\r\n--x--", "text/plain text/plain"),
        ("multipart/mixed; boundary=x", "--x--\r\n--x\r\n\r\n", ""),
    ] {
        assert_eq!(types(content_type, body), expected, "{content_type}: {body}");
    }
}

#[test]
fn nesting_has_a_bound_and_what_is_deeper_is_a_leaf() {
    let mut body = "--5\r\n\r\ndeep\r\n--5--\r\n".to_owned();
    for depth in (1..5).rev() {
        body = format!(
            "--{depth}\r\nContent-Type: multipart/mixed; boundary={}\r\n\r\n{body}\r\n--{depth}--\r\n",
            depth + 1
        );
    }
    assert_eq!(types("multipart/mixed; boundary=1", &body), "multipart/mixed");
    let copy = to_mail("multipart/mixed; boundary=1", "", body.as_bytes());
    assert!(String::from_utf8(copy.body).unwrap().contains("--5\r\n\r\ndeep\r\n--5--"));
    assert_eq!(limits::MIME_DEPTH_MAX, 4);
}

#[test]
fn a_leaf_that_a_mail_cannot_carry_is_encoded() {
    let long = "x".repeat(999);
    for (content_type, encoding, body, expected_encoding, expected) in [
        ("text/plain", "", &b"hello"[..], "7bit", &b"hello\r\n"[..]),
        ("text/plain", "8bit", b"a\nb\r\n", "7bit", b"a\r\nb\r\n"),
        (
            "text/plain;charset=utf-8",
            "",
            "Das ist sehr schön".as_bytes(),
            "quoted-printable",
            b"Das ist sehr sch=C3=B6n\r\n",
        ),
        ("text/plain;charset=utf-8", "binary", "日本".as_bytes(), "base64", b"5pel5pys\r\n"),
        ("text/plain", "", b"a\rb, and more", "quoted-printable", b"a=0Db, and more\r\n"),
        ("text/plain;charset=utf-16be", "", b"AABB\nA", "base64", b"QUFCQgpB\r\n"),
        ("image/svg+xml", "", b"<a>\n</a>", "7bit", b"<a>\r\n</a>\r\n"),
        ("application/octet-stream", "", b"a\r\nb", "base64", b"YQ0KYg==\r\n"),
        ("application/octet-stream", "", b"a\nb", "base64", b"YQpi\r\n"),
        ("image/gif", "", b"GIF\0", "base64", b"R0lGAA==\r\n"),
        ("image/gif", "Base64", b"R0lG\nAA==\n", "Base64", b"R0lG\r\nAA==\r\n"),
        ("image/gif", "base64", b"R0lG\rAA==", "base64", b"R0lGAA==\r\n"),
        ("text/plain", "quoted-printable", b"a=\nb\xC3=BC", "base64", b"YWLDvA==\r\n"),
        ("text/plain", "x-uuencode", b"#0V%T", "x-uuencode", b"#0V%T\r\n"),
    ] {
        let copy = to_mail(content_type, encoding, body);
        let found = (copy.content_transfer_encoding.as_str(), String::from_utf8(copy.body).unwrap());
        assert_eq!(
            found,
            (expected_encoding, String::from_utf8(expected.to_vec()).unwrap()),
            "{content_type} {encoding}"
        );
        assert_eq!((copy.content_type.as_str(), copy.left_out), (content_type, LeftOut::Nothing));
    }
    assert_eq!(to_mail("text/plain", "", long.as_bytes()).content_transfer_encoding, "quoted-printable");
    assert_eq!(to_mail("", "", b"x").content_type, "text/plain");
}

#[test]
fn a_leaf_for_an_instant_message_is_decoded() {
    for (encoding, body, expected) in [
        ("", &b"hello\r\n"[..], &b"hello"[..]),
        ("8bit", b"hello\r\n\r\n", b"hello\r\n"),
        ("quoted-printable", b"sch=C3=B6=\r\nn\r\n", "schön".as_bytes()),
        ("base64", b"R0lG\r\nAA==\r\n", b"GIF\0"),
        ("base64", b"YQo=\r\n", b"a\n"),
    ] {
        let copy = copied(Entity::new(b"text/plain", encoding.as_bytes(), body), Channel::Binary, |_| true);
        assert_eq!((copy.body.as_slice(), copy.content_transfer_encoding.as_str()), (expected, ""), "{encoding}");
    }
}

#[test]
fn a_multipart_stays_as_it_is() {
    let expected = &ALBUM["preamble\r\n".len()..ALBUM.len() - "epilogue".len()];
    let expected = expected.replace("--b1  \r\n", "--b1\r\n").replace("b1-2--\r\n\r\n", "b1-2--\r\n");
    for channel in [Channel::SevenBit, Channel::Binary] {
        for body in [ALBUM.to_owned(), ALBUM.replace("--b1--\r\nepilogue", "")] {
            let copy = copied(Entity::new(ALBUM_TYPE.as_bytes(), b"8bit", body.as_bytes()), channel, |_| true);
            assert_eq!(String::from_utf8(copy.body).unwrap(), expected);
            assert_eq!((copy.content_type.as_str(), copy.left_out), (ALBUM_TYPE, LeftOut::Nothing));
            assert_eq!(copy.content_transfer_encoding, if channel == Channel::Binary { "" } else { "7bit" });
        }
    }
}

#[test]
fn leaves_that_nobody_takes_are_left_out() {
    let entity = Entity::new(ALBUM_TYPE.as_bytes(), b"", ALBUM.as_bytes());
    let without = |refused: &str| {
        let copy = copied(entity, Channel::SevenBit, |media_type| !media_type.starts_with(refused.as_bytes()));
        let types = types(&copy.content_type, std::str::from_utf8(&copy.body).unwrap());
        (types, copy.left_out)
    };
    assert_eq!(without("image/"), ("application/smil text/plain text/html".to_owned(), LeftOut::Some));
    assert_eq!(without("text/"), ("application/smil image/gif".to_owned(), LeftOut::Some));
    assert_eq!(without("video/"), ("application/smil text/plain text/html image/gif".to_owned(), LeftOut::Nothing));
    for (content_type, body) in [(ALBUM_TYPE, ALBUM), ("text/plain", "x"), ("multipart/mixed;boundary=x", "--x--")] {
        let copy = copied(Entity::new(content_type.as_bytes(), b"", body.as_bytes()), Channel::SevenBit, |_| false);
        assert_eq!((copy.left_out, copy.body.len(), copy.content_type.len()), (LeftOut::All, 0, 0), "{content_type}");
    }
    let copy = copied(entity, Channel::Binary, |media_type| media_type == b"image/gif");
    assert!(!String::from_utf8(copy.body).unwrap().contains("b1-2"), "a multipart of which nothing is left goes, too");
}

#[test]
fn headers_of_parts_are_made_fit_for_a_mail() {
    let body = "--x\nContent-Type: image/gif;\n name=\"Foto \u{e9}\u{e8}.gif\"\nContent-Transfer-Encoding: binary\n\
                Content-ID: i\nX-Odd: kept\n\nGIF\u{e9}\n--x\n\n\u{e9} one two three four\n--x--";
    let copy = to_mail("application/vnd.wap.multipart.mixed; boundary=x", "binary", body.as_bytes());
    let expected = "--x\r\nContent-Type: image/gif; name=\"Foto =?UTF-8?B?w6nDqA==?=.gif\"\r\n\
                    Content-Transfer-Encoding: base64\r\nContent-ID: i\r\nX-Odd: kept\r\n\r\nR0lGw6k=\r\n--x\r\n\
                    Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A9 one two three four\r\n--x--\r\n";
    assert_eq!(String::from_utf8(copy.body).unwrap(), expected);
    assert_eq!(copy.content_type, "multipart/mixed; boundary=x");
}

#[test]
fn sizes_are_those_of_the_decoded_leaves() {
    let entity = |content_type, encoding, body| Entity::new(content_type, encoding, body);
    assert_eq!(decoded_octets(entity(b"image/gif", b"base64", b"R0lG\r\nAA==\r\n")), 4);
    assert_eq!(decoded_octets(entity(b"text/plain", b"Quoted-Printable", b"a=\r\nb=C3=BC=")), 5);
    assert_eq!(decoded_octets(entity(b"text/plain", b"8bit", b"abc")), 3);
    assert_eq!(decoded_octets(Entity::new(ALBUM_TYPE.as_bytes(), b"", ALBUM.as_bytes())), 33 + 5 + 3 + 6);
}

#[test]
fn quoted_printable_lines() {
    let encoded = |text: &str| {
        let mut out = Vec::new();
        quoted_printable::encode(text.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    };
    assert_eq!(encoded("a = b \nc\t\r\n \r\nd "), "a =3D b=20\r\nc=09\r\n=20\r\nd=20");
    assert_eq!(encoded("--x\n.\n-"), "=2D-x\r\n=2E\r\n=2D");
    assert!(encoded(&"é-".repeat(200)).lines().all(|line| line.len() <= 76 && !line.starts_with('-')));
}

/// A leaf: type, transfer encoding, octets.
#[derive(Clone, Debug)]
struct Leaf {
    content_type: &'static str,
    encoding: &'static str,
    octets: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Tree {
    Leaf(Leaf),
    Multipart(&'static str, Vec<Tree>),
}

impl Tree {
    /// Content-Type, Content-Transfer-Encoding and body, as a client with these line ends would write them.
    fn written(&self, end: &str, boundary: &str) -> (String, &'static str, Vec<u8>) {
        match self {
            Tree::Leaf(leaf) => (leaf.content_type.to_owned(), leaf.encoding, leaf.encoded(end)),
            Tree::Multipart(subtype, trees) => {
                let mut body = Vec::new();
                for (at, tree) in trees.iter().enumerate() {
                    let (content_type, encoding, inner) = tree.written(end, &format!("{boundary}{at}"));
                    body.extend(format!("--{boundary}{end}Content-Type: {content_type}{end}").bytes());
                    if !encoding.is_empty() {
                        body.extend(format!("Content-Transfer-Encoding: {encoding}{end}").bytes());
                    }
                    body.extend(end.bytes().chain(inner).chain(end.bytes()));
                }
                body.extend(format!("--{boundary}--{end}").bytes());
                (format!("multipart/{subtype}; boundary=\"{boundary}\""), "", body)
            }
        }
    }

    fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Tree::Leaf(leaf) => vec![leaf],
            Tree::Multipart(_, trees) => trees.iter().flat_map(Tree::leaves).collect(),
        }
    }
}

impl Leaf {
    fn encoded(&self, end: &str) -> Vec<u8> {
        let mut out = Vec::new();
        match self.encoding {
            "base64" => {
                isthmus::wire::mail::base64::encode_lines(&self.octets, &mut out);
                String::from_utf8(out).unwrap().replace("\r\n", end).into_bytes()
            }
            "quoted-printable" => {
                quoted_printable::encode(&self.octets, &mut out);
                String::from_utf8(out).unwrap().replace("\r\n", end).into_bytes()
            }
            _ => self.octets.clone(),
        }
    }

    fn is_text(&self) -> bool {
        self.content_type.starts_with("text/")
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let text = ("[a-zA-Zäß😀 =.\n-]{0,200}", prop::sample::select(vec!["", "8bit", "base64", "quoted-printable"]));
    let text = text.prop_map(|(text, encoding)| Leaf {
        content_type: "text/plain; charset=utf-8",
        encoding,
        octets: text.into_bytes(),
    });
    let octets = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        prop::collection::vec(prop::sample::select(b"ab-.=\n\r".to_vec()), 0..40)
    ];
    let picture = (octets, prop::sample::select(vec!["base64", "binary"])).prop_map(|(mut octets, encoding)| {
        // In front of a line end that is LF alone, nobody can tell whose a CR is.
        octets.extend(octets.ends_with(b"\r").then_some(b'.'));
        Leaf { content_type: "image/gif", encoding, octets }
    });
    let leaf = prop_oneof![text, picture].prop_map(Tree::Leaf);
    let subtype = prop::sample::select(vec!["mixed", "related", "alternative"]);
    leaf.prop_recursive(2, 12, 4, move |inner| {
        (subtype.clone(), prop::collection::vec(inner, 1..4))
            .prop_map(|(subtype, trees)| Tree::Multipart(subtype, trees))
    })
}

/// What mail-parser finds: media types and decoded octets, line ends of text as LF, those at its end aside.
fn judged(content_type: &str, encoding: &str, body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut mail = Vec::new();
    let (content_type, content_transfer_encoding) = (content_type.as_bytes(), encoding.as_bytes());
    ForwardReq { content_type, content_transfer_encoding, ..ForwardReq::default() }.write_head(b"m@x", &mut mail);
    mail.extend_from_slice(body);
    let message = MessageParser::default().parse(&mail).unwrap();
    let leaves = message.parts.iter().filter(|part| !matches!(part.body, PartType::Multipart(_)));
    leaves
        .map(|part| {
            let kind = part.content_type().unwrap();
            (format!("{}/{}", kind.ctype(), kind.subtype().unwrap()), plain(kind.ctype() == "text", part.contents()))
        })
        .collect()
}

fn plain(is_text: bool, octets: &[u8]) -> Vec<u8> {
    if !is_text {
        return octets.to_vec();
    }
    String::from_utf8_lossy(octets).replace("\r\n", "\n").trim_end_matches('\n').as_bytes().to_vec()
}

proptest! {
    #[test]
    fn another_reader_finds_the_same_leaves(tree in tree(), end in prop::sample::select(vec!["\r\n", "\n"])) {
        let (content_type, encoding, body) = tree.written(end, "=_b");
        let copy = to_mail(&content_type, encoding, &body);
        prop_assert!(is_fit(&copy.body), "{}", String::from_utf8_lossy(&copy.body));
        let expected: Vec<_> = tree.leaves().into_iter().map(|leaf| {
            let kind = leaf.content_type.split(';').next().unwrap_or_default().to_owned();
            (kind, plain(leaf.is_text(), &leaf.octets))
        }).collect();
        prop_assert_eq!(judged(&copy.content_type, &copy.content_transfer_encoding, &copy.body), expected);
        let octets: usize = tree.leaves().iter().map(|leaf| leaf.octets.len()).sum();
        let counted = decoded_octets(Entity::new(content_type.as_bytes(), encoding.as_bytes(), &body));
        prop_assert!(counted >= octets && counted <= octets + body.len() / 2, "{} for {}", counted, octets);
    }

    #[test]
    fn a_copy_of_a_copy_is_the_same(tree in tree(), channel in prop::sample::select(vec![Channel::SevenBit, Channel::Binary])) {
        let (content_type, encoding, body) = tree.written("\r\n", "=_b");
        let one = copied(Entity::new(content_type.as_bytes(), encoding.as_bytes(), &body), Channel::SevenBit, |_| true);
        let entity = Entity::new(one.content_type.as_bytes(), one.content_transfer_encoding.as_bytes(), &one.body);
        let two = copied(entity, channel, |_| true);
        prop_assert_eq!(leaves(entity).count(), tree.leaves().len());
        if channel == Channel::SevenBit || matches!(tree, Tree::Multipart(..)) {
            prop_assert_eq!(&two.body, &one.body);
        }
        prop_assert_eq!(two.content_type, one.content_type);
    }

    #[test]
    fn any_octets_become_fit_for_a_mail(
        content_type in prop_oneof![Just("multipart/mixed; boundary=x".to_owned()), "[ -~é]{0,40}"],
        encoding in prop::sample::select(vec!["", "base64", "quoted-printable", "binary", "x"]),
        pieces in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            prop::sample::select(vec![
                &b"\r\n--x\r\n"[..], b"\n--x\n", b"\r\n--x--\r\n", b"\r\n\r\n", b"\r", b"Content-Type: text/plain\r\n",
                b"Content-Type: multipart/mixed; boundary=x\r\n", b"Content-Transfer-Encoding: base64\n", b"X: \xe9\r\n y\n",
            ]).prop_map(<[u8]>::to_vec)
        ], 0..12),
    ) {
        let body = pieces.concat();
        let copy = to_mail(&content_type, encoding, &body);
        prop_assert!(is_fit(&copy.body), "{}", String::from_utf8_lossy(&copy.body));
        prop_assert!(copy.content_type.is_ascii());
        let _ = copied(Entity::new(content_type.as_bytes(), encoding.as_bytes(), &body), Channel::Binary, |_| true);
        let _ = decoded_octets(Entity::new(content_type.as_bytes(), encoding.as_bytes(), &body));
    }
}

/// ASCII without NUL in lines that a mail can have.
fn is_fit(body: &[u8]) -> bool {
    let Some(lines) = body.strip_suffix(b"\r\n") else { return body.is_empty() };
    let lines = lines.split(|octet| *octet == b'\n').collect::<Vec<_>>();
    let fits = |line: &[u8]| line.len() <= 999 && !line[..line.len().saturating_sub(1)].contains(&b'\r');
    let ends = lines.iter().rev().skip(1).all(|line| line.ends_with(b"\r"));
    body.is_ascii() && !body.contains(&0) && ends && lines.iter().all(|line| fits(line))
}
