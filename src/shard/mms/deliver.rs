//! MMs for CPM users (IWF V3.0 6.3.1.2.1, 6.3.1.2.2): each recipient gets a message of his own, and the mail is answered
//! when all of them have their outcome.

use core::net::SocketAddr;
use std::sync::Arc;

use crate::engine::Now;
use crate::engine::sip::Body;
use crate::engine::sip::calls::Invite;
use crate::engine::sip::dialog::FirstRequest;
use crate::interwork::address::{self, Number};
use crate::interwork::mms::cpm_message::CpmMessage;
use crate::interwork::mms::forward_req_to_pager::{left_s, refusal, request_status};
use crate::interwork::table::NotConvertible;
use crate::iwf::large_message;
use crate::iwf::message::Minted;
use crate::iwf::mms::deliver::{self, Content, Mode};
use crate::iwf::mms::response::Kept;
use crate::iwf::mms::unix_s;
use crate::limits;
use crate::shard::Shard;
use crate::shard::deliver::uuid;
use crate::shard::event::Event;
use crate::shard::large_delivery::Inviting;
use crate::shard::negotiation::Terms;
use crate::shard::records::Acknowledgement;
use crate::shard::uac::{Ended, Purpose};
use crate::wire::mail::address as mailbox;
use crate::wire::mail::mm4::id::unquoted;
use crate::wire::mail::mm4::{ForwardReq, RequestStatus};
use crate::wire::sdp::msrp::{Local, offer};
use crate::wire::smtp::{EnhancedStatus, Reply};

use super::mails::{Brought, later, taken};
use super::repeats::Seen;
use super::responses::Owed;

/// An MM on its way to its recipients.
#[derive(Debug)]
pub(in crate::shard) struct Delivery {
    owed: Owed,
    /// What tells it from others, should it come again.
    hash: u64,
    recipients: Vec<Recipient>,
    /// Recipients without outcome, and one more while the others are begun.
    open: usize,
    /// What it holds at most.
    octets: usize,
}

#[derive(Debug)]
struct Recipient {
    address: Vec<u8>,
    status: RequestStatus,
    /// The MM as notifications find it, or 0.
    original: u64,
}

impl Recipient {
    fn new(address: &[u8]) -> Recipient {
        Recipient { address: address.to_vec(), status: RequestStatus::Unknown, original: 0 }
    }
}

/// What is minted for one message.
struct Names {
    call_id: Vec<u8>,
    tag: [u8; 12],
    message_id: Vec<u8>,
    conversation_id: [u8; 36],
    contribution_id: [u8; 36],
}

impl Names {
    fn minted(&self) -> Minted<'_> {
        Minted {
            call_id: &self.call_id,
            tag: &self.tag,
            message_id: &self.message_id,
            conversation_id: &self.conversation_id,
            contribution_id: &self.contribution_id,
        }
    }
}

impl Shard {
    /// As owner: an MM4_forward.REQ.
    pub(super) fn take_mm(&mut self, now: Now, brought: &Brought, forward: &ForwardReq<'_>) {
        self.stats.mms_received += 1;
        let hash = self.mm_hash(brought, forward);
        let kept = || Kept::of_forward(forward, &brought.mail_from, &self.iwf.policy);
        let owed = Owed::new(brought, forward.ack_request, kept);
        if self.draining || self.records.is_failing() || !self.has_room_for(brought) {
            return self.answer_mail(now, owed.whose, later(b"busy, come again later"));
        }
        match self.mms.repeats.came(hash) {
            Seen::New => self.deliver_mm(now, owed, hash, brought, forward),
            Seen::Open => self.answer_mail(now, owed.whose, later(b"the same message is on its way")),
            Seen::Ended(statuses) => {
                self.stats.mms_repeated += 1;
                self.answer_mail(now, owed.whose, taken());
                let recipients = brought.rcpt_to.iter().zip(statuses);
                let recipient = |(address, status): (&Vec<u8>, _)| Recipient { status, ..Recipient::new(address) };
                self.send_mm_responses(now, &owed, &recipients.map(recipient).collect::<Vec<_>>());
            }
        }
    }

    fn has_room_for(&self, brought: &Brought) -> bool {
        let octets = self.mms.delivery_bytes.saturating_add(brought.octets());
        self.requests.len() + brought.rcpt_to.len() <= limits::MMS_DELIVERIES_MAX
            && octets <= limits::MMS_DELIVERIES_BYTES_MAX
    }

    /// The same MM for the same recipients, whatever stands in its mail beside that.
    fn mm_hash(&self, brought: &Brought, forward: &ForwardReq<'_>) -> u64 {
        let mut parts = vec![unquoted(forward.message_id), forward.from];
        if forward.message_id.is_empty() {
            // It has no name: only the same octets are the same MM.
            parts.push(&brought.data);
        }
        parts.extend(brought.rcpt_to.iter().flat_map(|address| [b"\n".as_slice(), address]));
        self.route.hash(&parts)
    }

    fn deliver_mm(&mut self, now: Now, owed: Owed, hash: u64, brought: &Brought, forward: &ForwardReq<'_>) {
        let recipients: Vec<_> = brought.rcpt_to.iter().map(|address| Recipient::new(address)).collect();
        let open = recipients.len() + 1;
        let octets = brought.octets();
        self.mms.delivery_bytes += octets;
        let key = self.mms.deliveries.insert(Delivery { owed, hash, recipients, open, octets });
        let content = Content::of(forward);
        for (at, address) in brought.rcpt_to.iter().enumerate() {
            if let Err(status) = self.deliver_to(now, (key, at), (address, brought.peer), forward, &content) {
                self.mm_ended(now, (key, at), status);
            }
        }
        self.mm_begun(now, key);
    }

    /// Steps 1 to 4 for one recipient.
    fn deliver_to(
        &mut self,
        now: Now,
        whose: (u64, usize),
        (address, peer): (&[u8], SocketAddr),
        forward: &ForwardReq<'_>,
        content: &Content,
    ) -> Result<(), RequestStatus> {
        if !forward.applic_id.is_empty() {
            // It is for an application, not for a person (TS 23.140 8.4.1).
            return Err(RequestStatus::ErrorUnsupportedMessage);
        }
        if left_s(forward, unix_s(now)) == Some(0) {
            // What is over is not delivered (TS 23.140 8.1.4).
            return Err(RequestStatus::ErrorUnspecified);
        }
        let number = self.cpm_user(address).ok_or(refusal(NotConvertible::Target))?;
        let original = self.keep_original(now, forward, peer);
        // Before it is sent: it may fail at once, and nothing is to be kept of it then.
        self.note_original(whose, original);
        let names = self.mint_names(original);
        self.send_mm(now, whose, (forward, content, number), &names)
    }

    /// The number in an address of ours.
    fn cpm_user(&self, address: &[u8]) -> Option<Number> {
        let number = mailbox::number(address)?;
        address::of_mms(number, &self.iwf.policy.addresses)
    }

    fn mint_names(&mut self, original: u64) -> Names {
        let mut names = Names {
            call_id: Vec::new(),
            tag: [0; 12],
            message_id: self.mint_message_id(original),
            conversation_id: uuid(&mut self.random),
            contribution_id: uuid(&mut self.random),
        };
        self.random.token(&mut names.tag);
        let domain = self.settings.sip.domain.as_bytes();
        self.route.mint_call_id(self.settings.id, domain, &mut self.random, &mut names.call_id);
        names
    }

    fn send_mm(
        &mut self,
        now: Now,
        whose: (u64, usize),
        (forward, content, number): (&ForwardReq<'_>, &Content, Number),
        names: &Names,
    ) -> Result<(), RequestStatus> {
        let iwf = Arc::clone(&self.iwf);
        let minted = names.minted();
        let mut written = self.pool.take();
        // What is large whatever stands around it is not written to find that out.
        if !deliver::is_large(content.len(), &iwf) || !self.can_invite() {
            if deliver::is_beyond_messages(content) {
                return Err(RequestStatus::ErrorContentNotAccepted);
            }
            let pager = deliver::message(forward, content, number, Mode::Pager, now, &iwf).map_err(refusal)?;
            deliver::write_pager(&pager, now, &minted, &mut written);
        }
        if self.can_invite() && (written.is_empty() || deliver::is_large(written.len(), &iwf)) {
            let large = deliver::message(forward, content, number, Mode::Large, now, &iwf).map_err(refusal)?;
            self.invite_for_mm(now, whose, &large, content, &minted);
        } else {
            let (delivery, recipient) = whose;
            self.send_written(now, Purpose::Mm { delivery, recipient }, &written);
        }
        self.pool.give(written);
        Ok(())
    }

    /// 6.3.1.2.2 steps 2 and 5.
    fn invite_for_mm(
        &mut self,
        now: Now,
        (delivery, recipient): (u64, usize),
        message: &CpmMessage<'_>,
        content: &Content,
        minted: &Minted<'_>,
    ) {
        let (key, uri) = self.mint_media();
        let (types, mut sdp, mut body) = (content.wrapped_types(), Vec::new(), Vec::new());
        offer(&Local { accept_wrapped_types: types.as_bytes(), ..self.local(&uri, Terms::DELIVERY, key, 0) }, &mut sdp);
        let (content_type, octets) = deliver::offer(message, &sdp, minted);
        deliver::write_cpim(message, now, minted, &mut body);
        let contact = self.settings.sip.contact(large_message::CONTACT_PARAMETER);
        let to = message.parties.to();
        let first = FirstRequest {
            request_uri: to,
            from: &deliver::from(message),
            to: &[b"<", to, b">"].concat(),
            call_id: minted.call_id,
            contact: &contact,
        };
        let token = self.requests.insert(Purpose::Mm { delivery, recipient });
        let request = Invite { first, offer: Body { content_type: &content_type, octets: &octets }, user: key };
        self.send_invitation(now, &request, Inviting { token, uri, body }, |headers| {
            deliver::write_invite(message, minted, headers);
        });
    }

    /// A recipient's MESSAGE, or his large message, has its outcome.
    pub(in crate::shard) fn mm_answered(&mut self, now: Now, whose: (u64, usize), ended: Ended) {
        let code = if ended == Ended::Failed { 408 } else { ended.code() };
        let status = request_status(code, &self.iwf.policy);
        self.mm_ended(now, whose, status);
    }

    fn mm_ended(&mut self, now: Now, (key, at): (u64, usize), status: RequestStatus) {
        let Some(delivery) = self.mms.deliveries.get_mut(key) else { return };
        let Some(recipient) = delivery.recipients.get_mut(at) else { return };
        recipient.status = status;
        let original = core::mem::take(&mut recipient.original);
        self.stats.mms_delivered += u64::from(status.is_ok());
        self.stats.mms_undelivered += u64::from(!status.is_ok());
        if status.is_ok() {
            self.record_original(now, original);
        } else {
            self.drop_original(original);
        }
        self.mm_begun(now, key);
    }

    /// One reason less to wait.
    fn mm_begun(&mut self, now: Now, key: u64) {
        let Some(delivery) = self.mms.deliveries.get_mut(key) else { return };
        delivery.open -= 1;
        if delivery.open == 0
            && let Some(delivery) = self.mms.deliveries.remove(key)
        {
            self.mms.delivery_bytes -= delivery.octets;
            self.acknowledge(now, Acknowledgement::Delivered(Box::new(delivery)));
        }
    }

    fn note_original(&mut self, (key, at): (u64, usize), original: u64) {
        let recipient = self.mms.deliveries.get_mut(key).and_then(|delivery| delivery.recipients.get_mut(at));
        if let Some(recipient) = recipient {
            recipient.original = original;
        }
    }

    /// The reply to the mail, and MM4_forward.RES.
    pub(in crate::shard) fn answer_mm(&mut self, now: Now, delivery: &Delivery) {
        let Delivery { owed, hash, recipients, .. } = delivery;
        let statuses = || recipients.iter().map(|recipient| recipient.status);
        let is_taken = statuses().any(RequestStatus::is_ok);
        // One that nobody got may be tried again.
        self.mms.repeats.ended(*hash, is_taken.then(|| statuses().collect()));
        if is_taken || owed.response.is_some() {
            self.answer_mail(now, owed.whose, taken());
        } else {
            let worst = statuses().find(|status| is_temporary(*status)).or_else(|| statuses().next());
            self.refuse_mm(now, owed, worst.unwrap_or_default());
        }
        self.send_mm_responses(now, owed, recipients);
    }

    /// One response, or one for each status that some recipients have.
    fn send_mm_responses(&mut self, now: Now, owed: &Owed, recipients: &[Recipient]) {
        let alike =
            recipients.iter().all(|recipient| Some(recipient.status) == recipients.first().map(|one| one.status));
        for (at, Recipient { status, .. }) in recipients.iter().enumerate() {
            if recipients.iter().take(at).all(|earlier| earlier.status != *status) {
                let named = if alike { Vec::new() } else { addresses_with(recipients, *status) };
                self.send_response_mail(now, owed, *status, &named);
            }
        }
    }

    /// Nobody got it, and nobody asked for a response: the reply to the mail says so.
    fn refuse_mm(&mut self, now: Now, owed: &Owed, status: RequestStatus) {
        let reply = match status {
            status if is_temporary(status) => later(b"the recipient cannot be reached"),
            RequestStatus::ErrorSendingAddressUnresolved => {
                Reply::new(550, EnhancedStatus(5, 1, 1), b"no such recipient")
            }
            _ => Reply::new(554, EnhancedStatus(5, 0, 0), status.token()),
        };
        self.event(Event::MailRefused { peer: owed.peer.ip(), code: reply.code, why: "the CPM side did not take it" });
        self.answer_mail(now, owed.whose, reply);
    }
}

const fn is_temporary(status: RequestStatus) -> bool {
    matches!(status, RequestStatus::ErrorNetworkProblem | RequestStatus::ErrorTransient)
}

fn addresses_with(recipients: &[Recipient], status: RequestStatus) -> Vec<u8> {
    let with: Vec<&[u8]> =
        recipients.iter().filter(|one| one.status == status).map(|one| one.address.as_slice()).collect();
    with.join(b", ".as_slice())
}
