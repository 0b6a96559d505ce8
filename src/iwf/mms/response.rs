//! MM4 responses (IWF V3.0 6.3.1.1.3 steps 4 and 5, 6.3.1.1.4 steps 3 and 4, 6.3.1.2.1 steps 5 and 6, 6.3.1.2.2 step 4):
//! what is kept of a request until its response is sent, and that response.

use crate::engine::Now;
use crate::interwork::mms::delivery_report_to_imdn::{TABLE_18, TABLE_19};
use crate::interwork::mms::envelope::Envelope;
use crate::interwork::mms::forward_req_to_pager::{TABLE_37, TABLE_38};
use crate::interwork::mms::read_reply_to_imdn::{TABLE_21, TABLE_22};
use crate::interwork::mms::response::{Request, Response};
use crate::iwf::Iwf;
use crate::policy::Policy;
use crate::wire::mail::mm4::{DeliveryReportReq, ForwardReq, ReadReplyReportReq, RequestStatus, Res, ResKind};
use crate::wire::span::Span;

use super::unix_s;

/// What is kept of a request, in one buffer.
#[derive(Clone, Debug)]
pub struct Kept {
    octets: Box<[u8]>,
    kind: ResKind,
    mail_from: Span,
    originator_system: Span,
    transaction_id: Span,
    message_id: Span,
    forward_route: Span,
    originator_recipient_address: Span,
}

impl Kept {
    /// Of an MM4_forward.REQ; `mail_from` is the command parameter.
    #[must_use]
    pub fn of_forward(request: &ForwardReq<'_>, mail_from: &[u8], policy: &Policy) -> Kept {
        Kept::new(&empty(mail_from, policy).of_forward(request))
    }

    /// Of an MM4_delivery_report.REQ.
    #[must_use]
    pub fn of_delivery_report(request: &DeliveryReportReq<'_>, mail_from: &[u8], policy: &Policy) -> Kept {
        Kept::new(&empty(mail_from, policy).of_delivery_report(request))
    }

    /// Of an MM4_read_reply_report.REQ.
    #[must_use]
    pub fn of_read_reply_report(request: &ReadReplyReportReq<'_>, mail_from: &[u8], policy: &Policy) -> Kept {
        Kept::new(&empty(mail_from, policy).of_read_reply_report(request))
    }

    fn new(request: &Request<'_>) -> Kept {
        let mut octets = Vec::new();
        let mut keep = |value: &[u8]| Span::append(&mut octets, value);
        let mut kept = Kept {
            kind: request.kind,
            mail_from: keep(request.mail_from),
            originator_system: keep(request.originator_system),
            transaction_id: keep(request.transaction_id),
            message_id: keep(request.message_id),
            forward_route: keep(request.forward_route),
            originator_recipient_address: keep(request.originator_recipient_address),
            octets: Box::default(),
        };
        kept.octets = octets.into();
        kept
    }

    fn request<'a>(&'a self, policy: &'a Policy) -> Request<'a> {
        let get = |span: Span| span.of(&self.octets);
        Request {
            kind: self.kind,
            originator_system: get(self.originator_system),
            transaction_id: get(self.transaction_id),
            message_id: get(self.message_id),
            forward_route: get(self.forward_route),
            originator_recipient_address: get(self.originator_recipient_address),
            ..empty(get(self.mail_from), policy)
        }
    }

    /// Where the response goes; empty if nowhere.
    #[must_use]
    pub fn recipient<'a>(&'a self, policy: &'a Policy) -> &'a [u8] {
        self.request(policy).response_recipient()
    }

    /// Appends the mail that is the response. `recipients`, a list of addresses, says whom the status concerns if not all;
    /// `mail_id` is minted.
    pub fn write(
        &self,
        (request_status, recipients): (RequestStatus, &[u8]),
        system_address: &[u8],
        mail_id: &[u8],
        now: Now,
        iwf: &Iwf,
        mail: &mut Vec<u8>,
    ) -> Envelope {
        let request = Request { request_status, system_address, now_unix_s: unix_s(now), ..self.request(&iwf.policy) };
        let (mut envelope, mut response) = (Envelope::default(), Response::default());
        let (commands, elements) = match self.kind {
            ResKind::Forward => (&TABLE_37, &TABLE_38),
            ResKind::DeliveryReport => (&TABLE_18, &TABLE_19),
            ResKind::ReadReplyReport => (&TABLE_21, &TABLE_22),
        };
        // Their rules only copy: there is nothing that cannot be converted.
        let _filled = commands.fill(&request, &mut envelope).and_then(|()| elements.fill(&request, &mut response));
        Res { request_recipients: recipients, ..response.res() }.write_head(mail_id, mail);
        envelope
    }
}

fn empty<'a>(mail_from: &'a [u8], policy: &'a Policy) -> Request<'a> {
    Request {
        kind: ResKind::Forward,
        mail_from,
        originator_system: b"",
        transaction_id: b"",
        message_id: b"",
        forward_route: b"",
        originator_recipient_address: b"",
        request_status: RequestStatus::Unknown,
        now_unix_s: 0,
        system_address: b"",
        policy,
    }
}
