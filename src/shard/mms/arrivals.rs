//! CPM messages as they arrive, and what their senders are answered (IWF V3.0 6.1.1, 6.1.2, 6.3.1.1.7).

use crate::engine::Now;
use crate::engine::msrp::IncomingId;
use crate::engine::sip::TransactionId;
use crate::interwork::mms::large_message_to_forward_req::msrp_status_of_sip;
use crate::interwork::sms::chat_to_submit_sm::Ending;
use crate::iwf::body::Body;
use crate::iwf::invitation::Invitation;
use crate::iwf::mms::forward::{self, Read};
use crate::iwf::session_media;
use crate::policy::Network;
use crate::shard::Shard;
use crate::shard::event;
use crate::shard::submit::{Reply, stored_headers};
use crate::shard::uas::Refusal;
use crate::wire::sip::{Message as SipMessage, Name, Writer};

impl Shard {
    /// Whether a message goes to MMS: where there is no other network, where SMS cannot carry it, or by policy.
    pub(in crate::shard) fn goes_to_mms(&self, body: &Body<'_>) -> bool {
        if self.settings.mmscs.is_empty() {
            return false;
        }
        let policy = &self.iwf.policy;
        let no_sms = self.settings.smscs.is_empty() || !policy.switches.sms_standalone_messages;
        no_sms || body.multimedia || policy.selection.text == Network::Mms
    }

    /// 6.3.1.1.1: a MESSAGE. An error is its response; otherwise it comes later.
    pub(in crate::shard) fn forward_pager(
        &mut self,
        now: Now,
        transaction: TransactionId,
        message: &SipMessage<'_>,
        body: &Body<'_>,
    ) -> Result<(), Refusal> {
        let call_id = event::call_id(message.call_id().unwrap_or_default());
        let read = Read::pager(message, body, &self.iwf.policy);
        let read = read.map_err(|why| Refusal::not_acceptable_for_mms(why, &self.iwf.policy))?;
        self.forward(now, Reply::Sip(transaction), call_id, &read)
    }

    /// 6.3.1.1.2: a large message that came whole. An error is how it ends.
    pub(in crate::shard) fn forward_large(
        &mut self,
        now: Now,
        (session, incoming): (u64, IncomingId),
        (invitation, content_type, octets): (&Invitation, &[u8], &[u8]),
        body: &Body<'_>,
    ) -> Result<(), Ending> {
        let call_id = self.sessions.get(&session).map(|session| self.call_id_of(session.dialog)).unwrap_or_default();
        let read = Read::large(invitation, body, content_type, octets).map_err(session_media::ending)?;
        if let Err(refusal) = self.forward(now, Reply::Msrp { session, incoming }, call_id, &read) {
            self.media_not_forwarded(now, session, incoming, refusal);
        }
        Ok(())
    }

    /// Table 14, and 6.3.1.1.7 A).
    pub(super) fn respond_forwarded(&mut self, now: Now, key: u64, transaction: TransactionId) {
        let Some(message) = self.mms.messages.get(key) else { return };
        let (retained, server) = (&message.retained, self.iwf.mms_server.as_bytes());
        self.sip_codes.sent.add(202);
        self.servers.respond(now.moment, transaction, 202, "Accepted", |headers| {
            stored_headers(retained, headers);
            headers.header(Name::Server, server);
            forward::write_successful(retained, headers);
        });
    }

    pub(super) fn refuse_forwarded(&mut self, now: Now, key: u64, transaction: TransactionId, refusal: Refusal) {
        let Some(message) = self.mms.messages.get(key) else { return };
        let (retained, server) = (&message.retained, self.iwf.mms_server.as_bytes());
        self.sip_codes.sent.add(u32::from(refusal.code));
        self.servers.respond(now.moment, transaction, refusal.code, refusal.reason, |headers| {
            stored_headers(retained, headers);
            headers.header(Name::Server, server);
            refusal.write_headers(headers);
        });
    }

    /// 6.3.1.1.2 step 6, and 6.3.1.1.7 B).
    pub(super) fn media_forwarded(&mut self, now: Now, session: u64, incoming: IncomingId, key: u64) {
        if let (Some(session), Some(message)) = (self.sessions.get(&session), self.mms.messages.get(key)) {
            let mut lines = Vec::new();
            forward::write_successful(&message.retained, &mut Writer::resume(&mut lines));
            self.calls.set_bye_headers(session.dialog, &lines);
        }
        self.answer_media_with(now, session, incoming, 200, false);
    }

    /// The response to the last chunk, then the BYE (6.2.3 B).
    pub(super) fn media_not_forwarded(&mut self, now: Now, session: u64, incoming: IncomingId, refusal: Refusal) {
        let code = msrp_status_of_sip(refusal.code);
        self.note_media_refused(session, code, refusal.why);
        self.answer_media_with(now, session, incoming, code, true);
    }
}
