//! A whole message as a list of slices of the receive buffers it came in.

use super::budget::Charge;
use super::slices::Slices;
use crate::limits;
use crate::wire::inline::Inline;
use crate::wire::msrp::FailureReport;

/// A Message-ID.
pub type Ident = Inline<{ limits::MSRP_MESSAGE_ID_BYTES_MAX }>;

/// A received message.
#[derive(Debug)]
pub struct Message {
    /// Its name, unique in the session.
    pub message_id: Ident,
    /// Content-Type with its parameters, as written.
    pub content_type: Box<[u8]>,
    /// Whether the sender wants a REPORT on success; [`super::Session::respond`] sends it.
    pub success_report: bool,
    /// Which responses the sender wants.
    pub failure_report: FailureReport,
    slices: Slices,
    len: usize,
    charge: Option<Charge>,
}

impl Message {
    /// A message of these slices, one behind the other, that no budget counts.
    pub(super) fn new(message_id: Ident, slices: Slices) -> Message {
        Message {
            message_id,
            content_type: Box::default(),
            success_report: false,
            failure_report: FailureReport::Yes,
            len: slices.iter().map(|slice| slice.len()).sum(),
            slices,
            charge: None,
        }
    }

    pub(super) fn charged(mut self, charge: Charge) -> Message {
        self.charge = Some(charge);
        self
    }

    /// Octets of content.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the content is empty; such a message is one nevertheless.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The content, slice by slice.
    pub fn slices(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.slices.iter().map(|slice| slice.octets())
    }

    /// The content, if it is in one slice.
    #[must_use]
    pub fn as_contiguous(&self) -> Option<&[u8]> {
        let mut slices = self.slices();
        let first = slices.next().unwrap_or_default();
        slices.next().is_none().then_some(first)
    }

    /// Appends the content to `out`: for those who cannot do with slices.
    pub fn copy_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.len);
        self.slices().for_each(|slice| out.extend_from_slice(slice));
    }

    /// The content in one piece: where it is, or else copied to `scratch`.
    #[must_use]
    pub fn contiguous<'a>(&'a self, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        if let Some(content) = self.as_contiguous() {
            return content;
        }
        scratch.clear();
        self.copy_to(scratch);
        scratch
    }

    /// Octets of the core's budget that it holds until it is dropped.
    #[must_use]
    pub fn budget_bytes(&self) -> usize {
        self.charge.as_ref().map_or(0, Charge::drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::super::slices::Lent;
    use super::*;
    use bytes::Bytes;

    fn message(slices: &[&'static str]) -> Message {
        let mut all = Slices::default();
        slices.iter().for_each(|slice| all.push(Lent::whole(&Bytes::from_static(slice.as_bytes()))));
        Message::new(Ident::from_slice(b"m1").unwrap(), all)
    }

    #[test]
    fn content_is_copied_only_when_it_must() {
        let whole = message(&["abc"]);
        let mut scratch = Vec::new();
        assert_eq!(whole.contiguous(&mut scratch).as_ptr(), whole.slices().next().unwrap().as_ptr());
        let cut = message(&["ab", "cd"]);
        assert_eq!((cut.as_contiguous(), cut.len()), (None, 4));
        assert_eq!(cut.contiguous(&mut scratch), b"abcd");
        let empty = message(&[]);
        assert_eq!((empty.as_contiguous(), empty.is_empty()), (Some(b"".as_slice()), true));
    }
}
