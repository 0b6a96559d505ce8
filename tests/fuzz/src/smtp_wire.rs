//! Commands, replies and mail data. What is read can be written and reads the same; mail data end where the definition says.
//!
//! First an octet that says which of the three, and, for mail data, where they are cut; then the octets.

use isthmus::wire::Framing;
use isthmus::wire::smtp::{Command, Extensions, Fault, ReplyLines, Stuffer, Unstuffer};

use super::input::Input;

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.u8();
    match choice % 3 {
        0 => command(input.rest()),
        1 => replies(input.rest()),
        _ => mail_data(input.rest(), usize::from(choice / 3)),
    }
}

fn command(line: &[u8]) {
    let Ok(command) = Command::parse(line) else { return };
    let mut out = Vec::new();
    command.emit(&mut out);
    let again = out.strip_suffix(b"\r\n").expect("a line");
    assert!(again.iter().all(|octet| matches!(octet, b' '..=b'~')), "one line: {again:?}");
    assert_eq!(Command::parse(again), Ok(command));
}

fn replies(mut stream: &[u8]) {
    while let Framing::Complete(len) = ReplyLines::frame(stream) {
        let (octets, rest) = stream.split_at(len);
        if let Ok(lines) = ReplyLines::parse(octets) {
            let _ = Extensions::read(&lines);
            reply_again(&lines);
        }
        stream = rest;
    }
}

fn reply_again(lines: &ReplyLines<'_>) {
    let reply = lines.to_reply();
    let mut out = Vec::new();
    reply.emit(&mut out);
    assert_eq!(ReplyLines::frame(&out), Framing::Complete(out.len()));
    let again = ReplyLines::parse(&out).expect("a reply of ours").to_reply();
    assert_eq!((again.code, again.enhanced.is_some() || reply.enhanced.is_none()), (reply.code, true));
}

fn mail_data(octets: &[u8], cut: usize) {
    let (head, tail) = octets.split_at(cut.min(octets.len()));
    let whole = read(&[octets]);
    assert_eq!(read(&[head, tail]), whole, "cut at {cut}");
    assert_eq!(whole.1, end_by_definition(octets));
    let written = write(&[octets]);
    assert_eq!(write(&[head, tail]), written, "cut at {cut}");
    // Whatever follows, one mail was written.
    let (again, end, fault) = read(&[&written, octets]);
    assert_eq!((end, fault.filter(|fault| *fault != Fault::LongLine)), (Some(written.len()), None));
    assert_eq!(write(&[&again]), written);
}

fn write(pieces: &[&[u8]]) -> Vec<u8> {
    let (mut stuffer, mut out) = (Stuffer::new(), Vec::new());
    pieces.iter().for_each(|piece| stuffer.write(piece, &mut out));
    stuffer.finish(&mut out);
    out
}

fn read(pieces: &[&[u8]]) -> (Vec<u8>, Option<usize>, Option<Fault>) {
    let (mut unstuffer, mut out, mut before) = (Unstuffer::new(usize::MAX), Vec::new(), 0);
    for piece in pieces {
        if let Some(taken) = unstuffer.read(piece, &mut out) {
            return (out, Some(before + taken), unstuffer.fault());
        }
        before += piece.len();
    }
    (out, None, unstuffer.fault())
}

/// CR LF, a dot, CR LF; the first CR LF may be that of DATA.
fn end_by_definition(stream: &[u8]) -> Option<usize> {
    let with_data = [b"\r\n", stream].concat();
    with_data.windows(5).position(|window| window == b"\r\n.\r\n").map(|at| at + 3)
}
