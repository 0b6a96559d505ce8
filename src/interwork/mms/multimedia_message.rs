//! A multimedia message towards an MMS Relay/Server: the record that Tables 13 and 16 fill.

use crate::interwork::table::Record;
use crate::wire::mail::mm4::ForwardReq;
use crate::wire::span::Span;

/// The information elements of Tables 13 and 16.
#[derive(Clone, Debug, Default)]
pub struct MultimediaMessage<'a> {
    /// Those that are the CPM message's or the gateway's own.
    pub borrowed: ForwardReq<'a>,
    /// Where those that had to be written stand.
    pub octets: Vec<u8>,
    /// Recipient(s) address, To
    pub to: Span,
    /// Recipient(s) address, Cc
    pub cc: Span,
    /// Sender address
    pub from: Span,
}

impl MultimediaMessage<'_> {
    /// The MM4_forward.REQ.
    #[must_use]
    pub fn forward_req(&self) -> ForwardReq<'_> {
        let [to, cc, from] = [self.to, self.cc, self.from].map(|span| span.of(&self.octets));
        ForwardReq { to, cc, from, ..self.borrowed }
    }
}

/// Names the record in tables.
pub enum MultimediaMessageRecord {}

impl Record for MultimediaMessageRecord {
    type Of<'a> = MultimediaMessage<'a>;
}
