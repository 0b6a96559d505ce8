//! Requests that we originate (RFC 3428, RFC 3261 8.1): what each is for, and what its outcome means.

use crate::engine::Now;
use crate::engine::sip::ClientEvent;
use crate::engine::transport::ShardId;

use super::Shard;
use super::deliver::Delivery;
use super::mms;
use super::status_reports::Told;

/// What a request of ours carries.
#[derive(Debug)]
pub(super) enum Purpose {
    /// A short message for a CPM user (IWF 6.2.2.2.1).
    ShortMessage(Delivery),
    /// What became of a CPM message (IWF 6.2.2.1.2, 6.2.3.2).
    About {
        /// Key of the message.
        message: u64,
        /// What is told.
        told: Told,
    },
    /// A short message in a chat (IWF 6.2.2.2.2).
    Chat {
        /// The shard that has it.
        from: ShardId,
        /// Its name there.
        delivery: u64,
    },
    /// A short message too large for a MESSAGE (IWF 6.2.2.2.3).
    LargeMessage(Delivery),
    /// An MM for a CPM user (IWF 6.3.1.2.1, 6.3.1.2.2).
    Mm {
        /// Key of the delivery.
        delivery: u64,
        /// Which recipient of it.
        recipient: usize,
    },
    /// What became of a CPM message that is an MM (IWF 6.3.1.1.3, 6.3.1.1.4).
    AboutMm(mms::About),
}

/// How a request of ours ended, as far as anybody needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// A final response with this code.
    Answered(u16),
    /// Nobody answered.
    Failed,
}

impl Ended {
    /// The response code, 0 if there was none.
    pub(super) fn code(self) -> u16 {
        match self {
            Ended::Answered(code) => code,
            Ended::Failed => 0,
        }
    }
}

impl Shard {
    /// Sends a MESSAGE that is written already.
    pub(super) fn send_written(&mut self, now: Now, purpose: Purpose, written: &[u8]) {
        let token = self.requests.insert(purpose);
        let targets = self.hop.as_mut().map_or(&[][..], |hop| hop.targets(now.moment, &mut self.random));
        self.clients.send(now.moment, token, targets, &mut self.random, |out| out.extend_from_slice(written));
    }

    pub(super) fn request_ended(&mut self, now: Now, event: ClientEvent) {
        let (token, ended) = match event {
            ClientEvent::Answered { token, code, .. } => (token, Ended::Answered(code)),
            ClientEvent::Failed { token } => (token, Ended::Failed),
        };
        if let Ended::Answered(code) = ended {
            self.sip_codes.received.add(u32::from(code));
        }
        match self.requests.remove(token) {
            Some(Purpose::ShortMessage(delivery)) => self.short_message_ended(now, delivery, ended),
            Some(Purpose::About { message, told }) => self.about_ended(now, message, told, ended),
            Some(Purpose::Mm { delivery, recipient }) => self.mm_answered(now, (delivery, recipient), ended),
            Some(Purpose::AboutMm(about)) => self.about_mm_ended(now, about, ended),
            Some(Purpose::Chat { .. } | Purpose::LargeMessage(_)) | None => {}
        }
    }
}
