//! A mail to hand over.

use bytes::Bytes;

use crate::engine::Moment;

/// A mail, by its envelope and its data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// Comes back with the outcome.
    pub token: u64,
    /// Mailbox of MAIL FROM without brackets; empty for the null path.
    pub mail_from: Vec<u8>,
    /// Mailboxes of RCPT TO without brackets.
    pub rcpt_to: Vec<Vec<u8>>,
    /// The mail data, cut anywhere: lines that end in CR LF, without added dots and without the end. A bare CR or LF leaves as
    /// CR LF.
    pub content: Vec<Bytes>,
    /// Not begun at or after this moment, if there is one.
    pub until: Option<Moment>,
}

impl Mail {
    /// Octets of the content, as SIZE counts them (RFC 1870 3).
    pub(super) fn size(&self) -> usize {
        self.content.iter().map(Bytes::len).sum()
    }

    pub(super) fn is_eight_bit(&self) -> bool {
        !self.content.iter().all(|piece| piece.is_ascii())
    }
}
