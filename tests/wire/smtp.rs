//! SMTP commands, replies and mail data: bytes in, values out, the same bytes again.

use isthmus::wire::Framing;
use isthmus::wire::smtp::{
    Command, EnhancedStatus, Extensions, Fault, Parameters, Path, Reply, ReplyLines, Stuffer, Unstuffer, parameters,
    path, reply,
};
use proptest::prelude::*;

const NO_PARAMETERS: &[u8] = b"";

fn mail<'a>(from: &'a [u8], with: &'a [u8]) -> Command<'a> {
    Command::Mail { from: Path::from_mailbox(from).unwrap(), parameters: Parameters::parse(with).unwrap() }
}

fn rcpt<'a>(to: &'a [u8], with: &'a [u8]) -> Command<'a> {
    Command::Rcpt { to: Path::from_mailbox(to).unwrap(), parameters: Parameters::parse(with).unwrap() }
}

#[test]
fn commands_are_read_whatever_their_case_and_blanks() {
    let table: &[(&[u8], Command<'_>)] = &[
        (b"EHLO mmsc.example.org", Command::Ehlo(b"mmsc.example.org")),
        (b"ehlo [192.0.2.1]", Command::Ehlo(b"[192.0.2.1]")),
        (b"EHLO", Command::Ehlo(b"")),
        (b"HELO  a b ", Command::Helo(b"a b")),
        (b"MAIL FROM:<>", mail(b"", NO_PARAMETERS)),
        (b"mail from: <a@b.example>", mail(b"a@b.example", NO_PARAMETERS)),
        (b"MAIL FROM:a@b.example", mail(b"a@b.example", NO_PARAMETERS)),
        (b"MAIL FROM:<a@b> SIZE=10 BODY=8BITMIME", mail(b"a@b", b" SIZE=10 BODY=8BITMIME")),
        (b"MAIL FROM:<a@b>  X-ANY", mail(b"a@b", b"  X-ANY")),
        (b"MAIL FROM:<system-user>", mail(b"system-user", NO_PARAMETERS)),
        (b"RCPT TO:<+447700900123/TYPE=PLMN@mms.example>", rcpt(b"+447700900123/TYPE=PLMN@mms.example", NO_PARAMETERS)),
        (b"RCPT TO:<@one.example,@two.example:a@b.example>", rcpt(b"a@b.example", NO_PARAMETERS)),
        (b"RCPT TO:<\"a b>@\\\"c\"@b.example>", rcpt(b"\"a b>@\\\"c\"@b.example", NO_PARAMETERS)),
        (b"RCPT TO:<a@[192.0.2.1]>", rcpt(b"a@[192.0.2.1]", NO_PARAMETERS)),
        (b"RCPT TO:<a@[IPv6:2001:db8::1]>\t", rcpt(b"a@[IPv6:2001:db8::1]", NO_PARAMETERS)),
        (b"Data", Command::Data),
        (b"RSET  ", Command::Rset),
        (b"NOOP whatever", Command::Noop),
        (b"quit", Command::Quit),
        (b"HELP MAIL", Command::Help),
        (b"VRFY postmaster", Command::Vrfy(b"postmaster")),
        (b"EXPN list", Command::Expn(b"list")),
        (b"STARTTLS", Command::Other(b"STARTTLS")),
        (b"BDAT 10 LAST", Command::Other(b"BDAT")),
        (b"DATAX", Command::Other(b"DATAX")),
        (b"", Command::Other(b"")),
    ];
    for (line, command) in table {
        assert_eq!(Command::parse(line), Ok(*command), "{}", line.escape_ascii());
    }
}

#[test]
fn what_cannot_be_read_says_where() {
    let long_local_part = [b"MAIL FROM:<".as_slice(), &[b'a'; 65], b"@b>"].concat();
    let long_path = [b"RCPT TO:<a@".as_slice(), &b"abc.".repeat(63), b"abc>"].concat();
    let table: &[(&[u8], &str, usize)] = &[
        (b"MAIL", "path", 4),
        (b"MAIL <a@b>", "path", 5),
        (b"MAIL FROM:", "path", 10),
        (b"MAIL FROM:<a@b", "path", 10),
        (b"MAIL FROM: <a b@c>", "local-part", 10),
        (b"MAIL FROM:<a@b>SIZE=1", "parameter", 15),
        (b"MAIL FROM:<a@b> SIZE=", "parameter", 15),
        (b"MAIL FROM:<a@b> =1", "parameter", 15),
        (b"MAIL FROM:<a@b> -A", "parameter", 15),
        (b"RCPT TO:<a@>", "domain", 10),
        (b"RCPT TO:<a@b..c>", "domain", 10),
        (b"RCPT TO:<a@-b>", "domain", 10),
        (b"RCPT TO:<a@b@c>", "domain", 10),
        (b"RCPT TO:<a@[]>", "domain", 10),
        (b"RCPT TO:<a@[1>", "domain", 10),
        (b"RCPT TO:<@b>", "path", 8),
        (b"RCPT TO:<\"a@b>", "path", 8),
        (b"RCPT TO:<\"a\"b@c>", "local-part", 8),
        (b"RCPT FROM:<a@b>", "path", 5),
        (b"DATA now", "argument", 5),
        (b"QUIT now", "argument", 5),
        (b"RSET now", "argument", 5),
        (b"NOOP \x00", "command line", 5),
        (b"NOOP \xC3\xA4", "command line", 5),
        (b"MAIL FROM:<a@b>\rRCPT", "command line", 15),
        (b"QUIT\r", "command line", 4),
        (&long_local_part, "local-part", 10),
        (&long_path, "path", 264),
    ];
    for (line, what, at) in table {
        let why = Command::parse(line).unwrap_err();
        assert_eq!((why.what, why.at), (*what, *at), "{}", line.escape_ascii());
    }
}

#[test]
fn a_path_has_a_local_part_and_a_domain() {
    let table: &[(&[u8], &[u8], &[u8])] = &[
        (b"", b"", b""),
        (b"a", b"a", b""),
        (b"a@b", b"a", b"b"),
        (b"\"a@b\"@c_d", b"\"a@b\"", b"c_d"),
        (b"a..b@[192.0.2.1]", b"a..b", b"[192.0.2.1]"),
    ];
    for (mailbox, local_part, domain) in table {
        let path = Path::from_mailbox(mailbox).unwrap();
        assert_eq!((path.mailbox(), path.local_part(), path.domain()), (*mailbox, *local_part, *domain));
        assert_eq!(path.is_null(), mailbox.is_empty());
    }
}

#[test]
fn names_that_may_be_said_in_ehlo() {
    for name in [&b"a"[..], b"a.example", b"A-1.b_c", b"[192.0.2.1]", b"[IPv6:2001:db8::1]"] {
        assert!(path::is_domain_or_literal(name), "{}", name.escape_ascii());
    }
    for name in
        [&b""[..], b".", b"a.", b".a", b"a..b", b"-a", b"a-", b"a b", b"[", b"[]", b"[a", b"a]", b"[a]b", b"\xC3\xA4"]
    {
        assert!(!path::is_domain_or_literal(name), "{}", name.escape_ascii());
    }
    assert!(path::is_domain_or_literal(&[b'a'; 63]) && !path::is_domain_or_literal(&[b'a'; 64]));
}

#[test]
fn parameters_keep_what_they_are() {
    let parameters = Parameters::parse(b" SIZE=10  body=8BITMIME X-1 ").unwrap();
    let all: Vec<_> = parameters.iter().collect();
    assert_eq!(all, [(&b"SIZE"[..], Some(&b"10"[..])), (b"body", Some(b"8BITMIME")), (b"X-1", None)]);
    let sizes: &[(&[u8], Option<u64>)] = &[
        (b"0", Some(0)),
        (b"307200", Some(307_200)),
        (b"18446744073709551615", Some(u64::MAX)),
        (b"99999999999999999999", Some(u64::MAX)),
        (b"100000000000000000000", None),
        (b"", None),
        (b"-1", None),
        (b"1k", None),
    ];
    for (value, size) in sizes {
        assert_eq!(parameters::size(value), *size, "{}", value.escape_ascii());
    }
}

#[test]
fn replies_are_framed_up_to_their_last_line() {
    let table: &[(&[u8], Framing)] = &[
        (b"", Framing::Partial),
        (b"250", Framing::Partial),
        (b"250 ok\r", Framing::Partial),
        (b"250 ok\r\n220", Framing::Complete(8)),
        (b"250\r\n", Framing::Complete(5)),
        (b"250 ok\n", Framing::Complete(7)),
        (b"250-a\r\n250-b\r\n", Framing::Partial),
        (b"250-a\r\n250-\r\n250 c\r\nx", Framing::Complete(20)),
        (b"599 \r\n", Framing::Complete(6)),
    ];
    for (stream, framing) in table {
        assert_eq!(ReplyLines::frame(stream), *framing, "{}", stream.escape_ascii());
    }
    for stream in [
        &b"\r\n"[..],
        b"ok\r\n",
        b"25 ok\r\n",
        b"2500 ok\r\n",
        b"199 x\r\n",
        b"600 x\r\n",
        b"250_x\r\n",
        b"250-a\r\nb\r\n",
    ] {
        assert!(matches!(ReplyLines::frame(stream), Framing::Malformed(_)), "{}", stream.escape_ascii());
    }
    assert!(matches!(ReplyLines::frame(&[b'2'; 16 << 10]), Framing::Malformed(_)), "a line without end");
    let endless = b"250-a\r\n".repeat(4_000);
    assert!(matches!(ReplyLines::frame(&endless), Framing::Malformed(_)), "lines without end");
    assert!(ReplyLines::parse(b"250-a\r\n251 b\r\n").is_err(), "two codes");
}

#[test]
fn a_reply_keeps_its_first_line_and_its_enhanced_status() {
    type Kept<'a> = (u16, Option<[u16; 3]>, &'a [u8]);
    let table: &[(&[u8], Kept<'_>)] = &[
        (b"250 ok\r\n", (250, None, b"ok")),
        (b"250\r\n", (250, None, b"")),
        (b"250 2.1.5 ok\r\n", (250, Some([2, 1, 5]), b"ok")),
        (b"550-5.1.1 no such\r\n550 5.1.1 user\r\n", (550, Some([5, 1, 1]), b"no such")),
        (b"452 4.5.3\r\n", (452, Some([4, 5, 3]), b"")),
        (b"550 2.1.1 odd\r\n", (550, None, b"2.1.1 odd")),
        (b"550 5.1 odd\r\n", (550, None, b"5.1 odd")),
        (b"550 5.1.1.1 odd\r\n", (550, None, b"5.1.1.1 odd")),
        (b"550 5.1000.1 odd\r\n", (550, None, b"5.1000.1 odd")),
        (b"554 \xC3\xA4\x00\r\n", (554, None, b"???")),
    ];
    for (octets, kept) in table {
        let reply = ReplyLines::parse(octets).unwrap().to_reply();
        let enhanced = reply.enhanced.map(|EnhancedStatus(class, subject, detail)| [u16::from(class), subject, detail]);
        assert_eq!((reply.code, enhanced, &*reply.text), *kept, "{}", octets.escape_ascii());
    }
}

#[test]
fn the_first_digit_says_what_to_do() {
    let kinds = |code| {
        let reply = Reply::plain(code, b"");
        [reply.is_positive(), reply.is_intermediate(), reply.is_transient(), reply.is_permanent()]
    };
    assert_eq!(kinds(250), [true, false, false, false]);
    assert_eq!(kinds(354), [false, true, false, false]);
    assert_eq!(kinds(421), [false, false, true, false]);
    assert_eq!(kinds(599), [false, false, false, true]);
    assert_eq!((Reply::plain(42, b"").code, Reply::plain(600, b"").code), (554, 554));
    let reply = Reply::new(550, EnhancedStatus(5, 1, 1), "no sü\r\nch".as_bytes());
    assert_eq!(reply.to_string(), "550 5.1.1 no s????ch");
}

#[test]
fn extensions_are_read_from_the_reply_to_ehlo() {
    let mut octets = Vec::new();
    reply::emit_lines(
        250,
        &[b"PIPELINING.example", b"pipelining", b"SIZE 307200", b"8BITMIME", b"X-NEW a b"],
        &mut octets,
    );
    assert_eq!(
        octets,
        b"250-PIPELINING.example\r\n250-pipelining\r\n250-SIZE 307200\r\n250-8BITMIME\r\n250 X-NEW a b\r\n"
    );
    let extensions = Extensions::read(&ReplyLines::parse(&octets).unwrap());
    let expected =
        Extensions { pipelining: true, eight_bit_mime: true, size: Some(307_200), enhanced_status_codes: false };
    assert_eq!(extensions, expected);
    for (line, size) in
        [(&b"250-a\r\n250 SIZE\r\n"[..], Some(0)), (b"250-a\r\n250 SIZE x\r\n", Some(0)), (b"250 SIZE 5\r\n", None)]
    {
        assert_eq!(Extensions::read(&ReplyLines::parse(line).unwrap()).size, size);
    }
}

/// What comes out of mail data: the octets, where they end, and what is wrong.
type Unstuffed<T> = (T, Option<usize>, Option<Fault>);

fn unstuffed(stream: &[u8], bytes_max: usize) -> Unstuffed<Vec<u8>> {
    let (mut unstuffer, mut out) = (Unstuffer::new(bytes_max), Vec::new());
    let end = unstuffer.read(stream, &mut out);
    (out, end, unstuffer.fault())
}

#[test]
fn mail_data_end_at_a_line_of_one_dot_and_nowhere_else() {
    let bare = Some(Fault::BareLineEnd);
    let table: &[(&[u8], Unstuffed<&[u8]>)] = &[
        (b".\r\nQUIT\r\n", (b"", Some(3), None)),
        (b"a\r\n.\r\n", (b"a\r\n", Some(6), None)),
        (b"..a\r\n.b\r\n...\r\n.\r\n", (b".a\r\nb\r\n..\r\n", Some(17), None)),
        (b"a\r\n.", (b"a\r\n", None, None)),
        (b"a\r\n.\r", (b"a\r\n", None, None)),
        (b"a.\r\n.\r\n", (b"a.\r\n", Some(7), None)),
        (b"a\n.\n", (b"a\n.\n", None, bare)),
        (b"a\n.\r\n", (b"a\n.\r\n", None, bare)),
        (b"a\r.\r\n", (b"a\r.\r\n", None, bare)),
        (b"a\r\n.\nb\r\n.\r\n", (b"a\r\n\nb\r\n", Some(11), bare)),
        (b"a\r\n.\r.\r\n", (b"a\r\n\r.\r\n", None, bare)),
        (b"a\r\r\n.\r\n", (b"a\r\r\n", Some(7), bare)),
        (b"a\n\n.\r\n\r\n.\r\n", (b"a\n\n.\r\n\r\n", Some(11), bare)),
        (b"a\r\n.\x00\r\n.\r\n", (b"a\r\n\x00\r\n", Some(10), None)),
    ];
    for (stream, (data, end, fault)) in table {
        assert_eq!(unstuffed(stream, 1_000), (data.to_vec(), *end, *fault), "{}", stream.escape_ascii());
    }
}

#[test]
fn mail_data_have_bounds() {
    assert_eq!(unstuffed(b"abc\r\n.\r\n", 5), (b"abc\r\n".to_vec(), Some(8), None));
    assert_eq!(unstuffed(b"abcd\r\n.\r\n", 5), (vec![], Some(9), Some(Fault::TooLarge)));
    let line = |len: usize| [vec![b'x'; len], b"\r\n.\r\n".to_vec()].concat();
    let fault = |len: usize| unstuffed(&line(len), usize::MAX).2;
    assert_eq!((fault(998), fault((32 << 10) - 2), fault((32 << 10) - 1)), (None, None, Some(Fault::LongLine)));
}

#[test]
fn mail_data_are_written_so_that_they_end_once() {
    let table: &[(&[u8], &[u8])] = &[
        (b"", b".\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"),
        (b".\r\n.\r\n", b"..\r\n..\r\n.\r\n"),
        (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b"a\r\r\nb\n\r", b"a\r\n\r\nb\r\n\r\n.\r\n"),
    ];
    for (content, wanted) in table {
        assert_eq!(stuffed(&[content]), *wanted, "{}", content.escape_ascii());
    }
}

fn stuffed(pieces: &[&[u8]]) -> Vec<u8> {
    let (mut stuffer, mut out) = (Stuffer::new(), Vec::new());
    pieces.iter().for_each(|piece| stuffer.write(piece, &mut out));
    stuffer.finish(&mut out);
    out
}

/// Where mail data end, seen from the definition: CR LF dot CR LF, the first CR LF being that of DATA.
fn end_by_definition(stream: &[u8]) -> Option<usize> {
    let with_data = [b"\r\n", stream].concat();
    with_data.windows(5).position(|window| window == b"\r\n.\r\n").map(|at| at + 3)
}

/// Octets of which line ends and dots are many.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => Just(b"\r\n".to_vec()),
        3 => Just(b".".to_vec()),
        2 => Just(b"\r\n.\r\n".to_vec()),
        1 => Just(b"\r".to_vec()),
        1 => Just(b"\n".to_vec()),
        2 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

/// A command line of elements that commands have.
fn command_lines() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&[u8]> = vec![
        b"EHLO ",
        b"MAIL ",
        b"FROM:",
        b"RCPT TO:",
        b"<",
        b">",
        b"@",
        b"a",
        b"b.example",
        b"\"",
        b"\\",
        b" ",
        b"SIZE=1",
        b"=",
        b"[1.2.3.4]",
        b":",
        b",",
        b"+4477/TYPE=PLMN",
        b"DATA",
        b"VRFY ",
        b"\r",
        b"\n",
        b"\x00",
        b"\xFF",
    ];
    prop::collection::vec(prop::sample::select(words), 0..12).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn where_data_are_cut_changes_nothing(stream in lines(), cuts in prop::collection::vec(1_usize..9, 1..40)) {
        let whole = unstuffed(&stream, 60);
        let (mut unstuffer, mut out, mut at) = (Unstuffer::new(60), Vec::new(), 0);
        let mut end = None;
        for cut in cuts.iter().cycle() {
            let piece = &stream[at..(at + cut).min(stream.len())];
            end = unstuffer.read(piece, &mut out).map(|taken| at + taken);
            at += piece.len();
            if end.is_some() || at == stream.len() {
                break;
            }
        }
        prop_assert_eq!((out, end, unstuffer.fault()), whole);
    }

    #[test]
    fn data_end_where_the_definition_says(stream in lines()) {
        prop_assert_eq!(unstuffed(&stream, usize::MAX).1, end_by_definition(&stream));
    }

    #[test]
    fn what_is_written_is_read_and_ends_at_its_end(content in lines(), cut in 0_usize..60, behind in lines()) {
        let written = stuffed(&[&content]);
        let (head, tail) = content.split_at(cut.min(content.len()));
        prop_assert_eq!(&stuffed(&[head, b"", tail]), &written);
        let (data, end, fault) = unstuffed(&[written.as_slice(), &behind].concat(), usize::MAX);
        prop_assert_eq!((end, fault), (Some(written.len()), None));
        // Written again it is the same: what was no line end has become one.
        prop_assert_eq!(stuffed(&[&data]), written);
        let odd = |octet: &&u8| !matches!(**octet, b'\r' | b'\n');
        prop_assert!(data.iter().filter(odd).eq(content.iter().filter(odd)));
    }

    #[test]
    fn a_command_that_was_read_is_written_as_one_line_that_reads_the_same(line in command_lines()) {
        let Ok(command) = Command::parse(&line) else { return Ok(()) };
        let mut out = Vec::new();
        command.emit(&mut out);
        let again = out.strip_suffix(b"\r\n").unwrap();
        prop_assert!(again.iter().all(|octet| matches!(octet, b' '..=b'~')));
        prop_assert_eq!(Command::parse(again), Ok(command));
    }

    #[test]
    fn any_octets_are_a_command_or_none(line in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Command::parse(&line);
        let _ = path::is_domain_or_literal(&line);
        if let Ok(path) = Path::from_mailbox(&line) {
            prop_assert!(path.mailbox().len() >= path.local_part().len() + path.domain().len());
        }
    }

    #[test]
    fn any_octets_are_replies_or_none(stream in "(25[0-9]|5.1.1|-| |\r\n|\n|[a-z]|ä){0,20}") {
        let Framing::Complete(len) = ReplyLines::frame(stream.as_bytes()) else { return Ok(()) };
        let Ok(lines) = ReplyLines::parse(&stream.as_bytes()[..len]) else { return Ok(()) };
        prop_assert!(lines.texts().count() >= 1);
        let _ = (lines.to_reply(), Extensions::read(&lines));
    }

    #[test]
    fn a_reply_that_is_written_reads_the_same(
        code in 200_u16..600,
        detail in prop::option::of((0_u16..1_000, 0_u16..1_000)),
        text in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let class = u8::try_from(code / 100).unwrap();
        let status = detail.filter(|_| class != 3).map(|(subject, detail)| EnhancedStatus(class, subject, detail));
        let reply = status.map_or(Reply::plain(code, &text), |status| Reply::new(code, status, &text));
        let mut out = Vec::new();
        reply.emit(&mut out);
        prop_assert_eq!(ReplyLines::frame(&out), Framing::Complete(out.len()));
        let again = ReplyLines::parse(&out).unwrap().to_reply();
        if status.is_some() || EnhancedStatus::read(&reply.text).is_none() {
            prop_assert_eq!(again, reply);
        }
    }
}
