//! What Tables 18, 19, 21, 22, 37 and 38 say alike of the three responses.

use crate::interwork::table::NotConvertible;
use crate::wire::mail::address;
use crate::wire::span::Span;

use super::envelope::{Data, Envelope};
use super::response::{Request, Response};

type Filled = Result<(), NotConvertible>;

/// "to its own SMTP address"
pub(super) fn mail_from<'a>(request: &Request<'a>, envelope: &mut Envelope) -> Filled {
    envelope.mail_from = request.system_address.to_vec();
    Ok(())
}

/// "to the Mail From command parameter that was carried in the" request
pub(super) fn rcpt_to<'a>(request: &Request<'a>, envelope: &mut Envelope) -> Filled {
    envelope.rcpt_to = address::first(request.response_recipient()).address.to_vec();
    Ok(())
}

/// "The generated […] response"
pub(super) fn data<'a>(request: &Request<'a>, envelope: &mut Envelope) -> Filled {
    envelope.data = Some(Data::Res(request.kind));
    Ok(())
}

/// "to the appropriate value, as defined for X-Mms-Request-Status-Code"
pub(super) fn request_status<'a>(request: &Request<'a>, response: &mut Response<'a>) -> Filled {
    response.borrowed.request_status = request.request_status;
    Ok(())
}

/// "the MMS protocol version supported by the IWF"
pub(super) fn version<'a>(request: &Request<'a>, response: &mut Response<'a>) -> Filled {
    response.borrowed.version = request.policy.mms.version.as_bytes();
    Ok(())
}

/// The type, and what every mail has beside it: Sender, To and Date.
pub(super) fn message_type<'a>(request: &Request<'a>, response: &mut Response<'a>) -> Filled {
    response.borrowed.kind = request.kind;
    response.borrowed.sender = request.system_address;
    response.borrowed.to = request.response_recipient();
    response.borrowed.date_unix_s = Some(request.now_unix_s);
    Ok(())
}

/// "to the Transaction ID received"
pub(super) fn transaction_id<'a>(request: &Request<'a>, response: &mut Response<'a>) -> Filled {
    response.borrowed.transaction_id = request.transaction_id;
    Ok(())
}

/// "to the Message ID received"
pub(super) fn message_id<'a>(request: &Request<'a>, response: &mut Response<'a>) -> Filled {
    response.borrowed.message_id = request.message_id;
    Ok(())
}

/// "per the content of the Forward-Route received"
pub(super) fn return_route<'a>(request: &Request<'a>, response: &mut Response<'a>) -> Filled {
    response.borrowed.return_route = request.forward_route;
    Ok(())
}

/// "adding its own address (formatted as an MMS R/S address), after the one received"
pub(super) fn originator_recipient<'a>(request: &Request<'a>, response: &mut Response<'a>) -> Filled {
    response.originator_recipient_address = Span::append_with(&mut response.octets, |octets| {
        octets.extend_from_slice(request.originator_recipient_address);
        octets.extend_from_slice(if request.originator_recipient_address.is_empty() { b"" } else { b", " });
        octets.extend_from_slice(request.system_address);
    });
    Ok(())
}
