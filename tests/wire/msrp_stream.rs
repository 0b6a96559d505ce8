//! The data of one chunk, put together from what a scanner says of its buffers.

use isthmus::wire::msrp::{Continuation, Head, Scanned, Scanner};

/// What followed a head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Body {
    /// What is data for certain.
    pub(crate) data: Vec<u8>,
    /// How many octets data and end line are, and the flag.
    pub(crate) end: Option<(usize, Continuation)>,
}

impl Body {
    /// Reads what follows `head` in these buffers.
    pub(crate) fn read(index: &Head, head: &[u8], buffers: &[&[u8]]) -> Body {
        let mut scanner = Scanner::new();
        scanner.begin(index, head);
        Body::scan(buffers, |_, buffer| scanner.scan(buffer))
    }

    /// The same, if the head lies in the first buffer.
    pub(crate) fn read_with_head(index: &Head, head: &[u8], buffers: &[&[u8]]) -> Body {
        let mut scanner = Scanner::new();
        Body::scan(buffers, |at, buffer| match at {
            0 => scanner.begin_in(index, &[head, buffer].concat()),
            _ => scanner.scan(buffer),
        })
    }

    fn scan(buffers: &[&[u8]], mut scan: impl FnMut(usize, &[u8]) -> Scanned) -> Body {
        let (mut body, mut held, mut before) = (Body::default(), Vec::new(), 0);
        for (at, buffer) in buffers.iter().enumerate() {
            let scanned = scan(at, buffer);
            assert!(scanned.released == 0 || scanned.released == held.len());
            body.data.extend(held.drain(..scanned.released));
            body.data.extend_from_slice(&buffer[..scanned.data]);
            if let Some(end) = scanned.end {
                body.end = Some((before + end.at, end.continuation));
                return body;
            }
            held.extend_from_slice(&buffer[scanned.data..]);
            before += buffer.len();
        }
        body
    }
}

/// The same stream whole, octet for octet, and cut in two at every place.
pub(crate) fn cut_anywhere(index: &Head, head: &[u8], stream: &[u8]) -> Vec<Body> {
    let octets: Vec<&[u8]> = stream.chunks(1).collect();
    let halves = (0..=stream.len()).map(|at| stream.split_at(at)).flat_map(|(one, other)| {
        [Body::read(index, head, &[one, other]), Body::read_with_head(index, head, &[one, other])]
    });
    [Body::read(index, head, &[stream]), Body::read(index, head, &octets)].into_iter().chain(halves).collect()
}
