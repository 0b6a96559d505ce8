//! Delivery status notifications (RFC 3464): a mail system between us and the MMS Relay/Server says what became of a mail
//! that it had taken. For the MM in it that is what MM4_forward.RES would have said.

use crate::wire::cpim::mime;
use crate::wire::mail::mm4::RequestStatus;

use super::id::{self, Id, Kind};

/// A CPM message whose mail was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounce {
    /// What its Message ID says.
    pub message: Id,
    /// What a response would have said.
    pub status: RequestStatus,
}

/// Reads a mail of the mail system; `None` if it does not say that a mail with an MM of ours was lost.
#[must_use]
pub fn read(mail: &[u8]) -> Option<Bounce> {
    field(mail, b"Action", |action| action.eq_ignore_ascii_case(b"failed").then_some(()))?;
    let ours = |value: &[u8]| id::read(Kind::Message, value);
    let message = field(mail, b"X-Mms-Message-ID", ours).or_else(|| field(mail, b"Message-ID", ours))?;
    let is_unresolved = |status: &[u8]| Some(status.starts_with(b"5.1."));
    let status = if field(mail, b"Status", is_unresolved) == Some(true) {
        RequestStatus::ErrorSendingAddressUnresolved
    } else {
        RequestStatus::ErrorNetworkProblem
    };
    Some(Bounce { message, status })
}

/// What `read` makes of the first field of this name that it makes something of, in whatever part of the mail.
fn field<T>(mail: &[u8], name: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    mime::lines(mail).find_map(|line| {
        let (found, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?.trim_ascii();
        if found.eq_ignore_ascii_case(name) { read(value) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::transport::ShardId;

    const OURS: Id = Id { owner: ShardId(2), key: 0x1_0000_0003, seal: 0x0123_4567_89AB_CDEF };
    const BOUNCE: &str = "From: MAILER-DAEMON@relay.example.com\r\nTo: +15550001/TYPE=PLMN@mms.gw.example.net\r\n\
        Message-ID: <2@relay.example.com>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
        --b\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.example.com\r\n\r\n\
        Final-Recipient: rfc822; +15550002/TYPE=PLMN@mms.example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n\
        --b\r\nContent-Type: text/rfc822-headers\r\n\r\nX-Mms-Message-Type: MM4_forward.REQ\r\n\
        X-Mms-Message-ID: m000200000100000003-0123456789abcdef@mms.gw.example.net\r\n\r\n--b--\r\n";

    #[test]
    fn a_lost_mail_is_that_of_its_message() {
        let found = |mail: &str| read(mail.as_bytes());
        let status = RequestStatus::ErrorSendingAddressUnresolved;
        assert_eq!(found(BOUNCE), Some(Bounce { message: OURS, status }));
        let status = RequestStatus::ErrorNetworkProblem;
        let later = BOUNCE.replace("Status: 5.1.1", "Status: 4.4.7");
        assert_eq!(found(&later), Some(Bounce { message: OURS, status }));
        assert_eq!(found(&BOUNCE.replace("Action: failed", "Action: delayed")), None);
        assert_eq!(found(&BOUNCE.replace("m0002", "x0002")), None);
        assert_eq!(found(""), None);
    }
}
