//! Octets on an MSRP connection: where reads cut them changes nothing, and data end at the first end line.
//!
//! First how many cuts and their distances, which repeat; then the stream.

use isthmus::wire::msrp::emit::end_line;
use isthmus::wire::msrp::{Continuation, Head, Heads, Scanner};

use super::input::Input;

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let cuts = input.below(16);
    let distances: Vec<usize> = input.take(cuts).iter().map(|octet| usize::from(*octet).max(1)).collect();
    let stream = input.rest();
    let expected = framed(stream);
    let mut connection = Connection::default();
    let mut rest = stream;
    for distance in distances.iter().cycle() {
        let (part, after) = rest.split_at((*distance).min(rest.len()));
        connection.push(part);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    connection.push(rest);
    assert_eq!(connection.chunks, expected, "cut by {distances:?}");
}

/// The head, the data and the flag.
type Chunk = (Vec<u8>, Vec<u8>, Continuation);

/// The whole chunks of a stream, found in the simplest way.
fn framed(mut stream: &[u8]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    while let Ok(Some(head)) = Head::read(stream) {
        let (bytes, rest) = stream.split_at(head.len());
        let Some((data, end, flag)) = first_end(&head, bytes, rest) else { break };
        chunks.push((bytes.to_vec(), rest[..data].to_vec(), flag));
        stream = &rest[end..];
    }
    chunks
}

/// Octets of data, octets up to the next head, and the flag.
fn first_end(head: &Head, bytes: &[u8], rest: &[u8]) -> Option<(usize, usize, Continuation)> {
    if let Some(flag) = head.end() {
        return Some((0, 0, flag));
    }
    let flags = [Continuation::Complete, Continuation::More, Continuation::Abort];
    let ends = flags.map(|flag| {
        let mut out = Vec::new();
        end_line(&mut out, head.transaction_id(bytes), flag);
        (out, flag)
    });
    // The blank line that should not be there may be the line end before the end line.
    if let Some((end, flag)) = ends.iter().find(|(end, _)| !head.has_body() && rest.starts_with(&end[2..])) {
        return Some((0, end.len() - 2, *flag));
    }
    (0..rest.len()).find_map(|at| {
        let (end, flag) = ends.iter().find(|(end, _)| rest[at..].starts_with(end))?;
        Some((at, at + end.len(), *flag))
    })
}

/// A connection that is handed its octets in parts.
#[derive(Default)]
struct Connection {
    heads: Heads,
    scanner: Scanner,
    /// A head that is not whole, or one whose data are coming.
    head: Vec<u8>,
    in_data: bool,
    data: Vec<u8>,
    held: Vec<u8>,
    is_broken: bool,
    chunks: Vec<Chunk>,
}

impl Connection {
    fn push(&mut self, mut part: &[u8]) {
        while !part.is_empty() && !self.is_broken {
            let used = if self.in_data { self.data(part) } else { self.head(part) };
            part = &part[used..];
        }
    }

    fn head(&mut self, part: &[u8]) -> usize {
        let before = self.head.len();
        self.head.extend_from_slice(part);
        let Ok(Some(head)) = self.heads.read(&self.head).map(Option::<&Head>::copied) else {
            self.is_broken = Head::read(&self.head).is_err();
            return part.len();
        };
        self.head.truncate(head.len());
        match head.end() {
            Some(flag) => self.finish(flag),
            None => {
                self.scanner.begin(&head, &self.head);
                self.in_data = true;
            }
        }
        head.len() - before
    }

    fn data(&mut self, part: &[u8]) -> usize {
        let scanned = self.scanner.scan(part);
        assert!(scanned.released == 0 || scanned.released == self.held.len());
        self.data.extend(self.held.drain(..scanned.released));
        self.data.extend_from_slice(&part[..scanned.data]);
        let Some(end) = scanned.end else {
            self.held.extend_from_slice(&part[scanned.data..]);
            assert_eq!(self.scanner.held(), self.held.len());
            return part.len();
        };
        self.held.clear();
        self.finish(end.continuation);
        end.at
    }

    fn finish(&mut self, flag: Continuation) {
        self.in_data = false;
        self.chunks.push((std::mem::take(&mut self.head), std::mem::take(&mut self.data), flag));
    }
}
