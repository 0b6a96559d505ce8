//! The content of a CPM message: what MMS gets of it "unmodified" (IWF V3.0 6.3 1).

use crate::iwf::body::Body;
use crate::wire::cpim;

/// The outermost content: a MIME entity without what wraps it for CPM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content<'a> {
    /// Content-Type; empty for plain text.
    pub content_type: &'a [u8],
    /// Content-Transfer-Encoding; empty for octets as they are.
    pub transfer_encoding: &'a [u8],
    /// The octets.
    pub octets: &'a [u8],
}

impl<'a> Content<'a> {
    /// That of a body that was looked into: what its CPIM wrapper holds, or else all of it. `content_type` and
    /// `transfer_encoding` describe `octets`.
    #[must_use]
    pub fn of(body: &Body<'a>, content_type: &'a [u8], transfer_encoding: &'a [u8], octets: &'a [u8]) -> Content<'a> {
        match &body.cpim {
            Some(cpim) => Content::within(cpim),
            None => Content { content_type, transfer_encoding, octets },
        }
    }

    fn within(cpim: &cpim::Message<'a>) -> Content<'a> {
        Content {
            content_type: cpim.content_type().unwrap_or_default(),
            transfer_encoding: cpim.content_header(b"Content-Transfer-Encoding").unwrap_or_default(),
            octets: cpim.content(),
        }
    }
}
