//! Responses whose body is one C-Octet String and TLVs: bind_*_resp (system_id) and *_sm_resp (message_id).

use super::fields::{Reader, put_c_octets};
use super::{PduError, Tlvs};

/// bind_*_resp (SMPP 3.4 4.1.2), submit_sm_resp (4.4.2), deliver_sm_resp (4.6.2), data_sm_resp (4.7.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Response<'a> {
    /// `system_id` of a bind response, `message_id` of the others; `None` if the body was left out, which SMPP 3.4 asks
    /// for when command_status is not zero and which peers do at other times too.
    pub id: Option<&'a [u8]>,
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
}

impl<'a> Response<'a> {
    /// Reads the body: nothing, a lone NUL, or all of it. An id without its NUL is taken to the end of the body, and
    /// optional parameters up to the first that is broken: there is nobody to refuse a response to, and with it the
    /// message_id would be lost.
    ///
    /// # Errors
    /// The id does not end within its bound.
    pub fn parse(body: &'a [u8]) -> Result<Response<'a>, PduError> {
        let mut reader = Reader::new(body);
        if reader.is_empty() {
            return Ok(Response::default());
        }
        match reader.c_octets(65, "message_id") {
            Ok(id) => Ok(Response { id: Some(id), tlvs: Tlvs::whole_ones(reader.rest()) }),
            Err(_) if body.len() <= 65 => Ok(Response { id: Some(body), tlvs: Tlvs::default() }),
            Err(why) => Err(why),
        }
    }

    /// Appends the body.
    #[inline]
    pub fn emit(&self, out: &mut Vec<u8>) {
        if let Some(id) = self.id {
            put_c_octets(out, id, 65);
        }
        out.extend_from_slice(self.tlvs.as_bytes());
    }
}
