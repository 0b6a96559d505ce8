//! What is owed and what was paid: responses to SIP requests, answers to deliveries.

use std::collections::{BTreeMap, BTreeSet};

use isthmus::wire::sip::{Index, Message};
use isthmus::wire::smpp::{CommandId, Header};

/// Times asked and times answered.
type Count = (u64, u64);

#[derive(Default)]
pub struct Ledger {
    /// Final responses, by the branch that request and response share.
    responses: BTreeMap<Vec<u8>, Count>,
    /// Branches of requests that must be answered.
    due: BTreeSet<Vec<u8>>,
    /// Answers to deliveries, by link and sequence_number.
    answers: BTreeMap<(usize, u32), Count>,
    /// Of these, the ones that must be there if the link lives.
    deliveries: BTreeSet<(usize, u32)>,
}

impl Ledger {
    /// A whole message goes to the gateway.
    pub fn sip_in(&mut self, octets: &[u8]) {
        let mut index = Index::new();
        if let Ok(message) = Message::parse(octets, &mut index)
            && message.is_request()
        {
            self.responses.entry(branch(&message)).or_default().0 += 1;
        }
    }

    /// This one is well-formed: it must be answered.
    pub fn owes_response(&mut self, octets: &[u8]) {
        let mut index = Index::new();
        if let Ok(message) = Message::parse(octets, &mut index) {
            self.due.insert(branch(&message));
        }
    }

    /// A whole message leaves the gateway; whether it is a request.
    pub fn sip_out(&mut self, octets: &[u8]) -> bool {
        let mut index = Index::new();
        let message = Message::parse(octets, &mut index).expect("the gateway sends SIP");
        if message.is_request() || message.code() < 200 {
            return message.is_request();
        }
        let (asked, answered) = self.responses.entry(branch(&message)).or_default();
        *answered += 1;
        assert!(*answered <= *asked, "a response that nobody asked for: {}", String::from_utf8_lossy(octets));
        false
    }

    /// A whole PDU goes to the gateway. `clean`: nothing before it on its link can have swallowed it.
    pub fn pdu_in(&mut self, link: usize, header: Header, clean: bool) {
        if matches!(header.command_id, CommandId::DELIVER_SM | CommandId::DATA_SM) {
            let key = (link, header.sequence_number);
            self.answers.entry(key).or_default().0 += 1;
            if clean {
                self.deliveries.insert(key);
            }
        }
    }

    pub fn pdu_out(&mut self, link: usize, header: Header) {
        if matches!(header.command_id, CommandId::DELIVER_SM_RESP | CommandId::DATA_SM_RESP) {
            let (asked, answered) = self.answers.entry((link, header.sequence_number)).or_default();
            *answered += 1;
            assert!(*answered <= *asked, "an answer that nobody asked for: {header:?}");
        }
    }

    /// The link is gone, and with it what was owed on it.
    pub fn closed(&mut self, link: usize) {
        self.deliveries.retain(|(of, _)| *of != link);
    }

    /// Time enough has passed for every response.
    pub fn check_responses(&self) {
        for branch in &self.due {
            let answered = self.responses.get(branch).is_some_and(|(_, answered)| *answered > 0);
            assert!(answered, "never answered: {}", String::from_utf8_lossy(branch));
        }
    }

    /// Time enough has passed for every answer.
    pub fn check_answers(&self) {
        for key in &self.deliveries {
            let answered = self.answers.get(key).is_some_and(|(_, answered)| *answered > 0);
            assert!(answered, "never answered: delivery {key:?}");
        }
    }
}

fn branch(message: &Message<'_>) -> Vec<u8> {
    message.top_via().ok().and_then(|via| via.branch()).unwrap_or_default().to_vec()
}
