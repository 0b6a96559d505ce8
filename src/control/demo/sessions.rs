//! The part of the demonstration that needs sessions: a large message each way, and a chat.

use std::time::Duration;

use super::client::{Outgoing, TEXT};
use super::session_client::Service;
use super::trace::shown;
use super::{ATTEMPTS_MAX, CPM_USER, Happened, SMS_USER, Stage};
use crate::wire::cpim::imdn::{Notification, Status};

/// Segments of the text that becomes a large message for the CPM user.
const PARTS: usize = 40;
/// Septets of a segment with a header that bears an 8-bit reference.
const SEPTETS_OF_PART: usize = 153;
const CHAT: [(&str, &str); 2] =
    [("Are you coming tonight?", "Yes, at eight \u{1f44d}"), ("Shall I bring something?", "Only yourself :-)")];

impl Stage {
    /// Large messages and a chat; how many texts crossed.
    pub(super) fn show_sessions(&self) -> Result<usize, String> {
        let (to_sms, to_cpm) = (large_text(1_900), large_text(PARTS * SEPTETS_OF_PART - 20));
        self.trace.heading("CPM to SMS: a large message, by MSRP in chunks");
        self.attempts("large", |call_id| self.large_to_sms(call_id, &to_sms))?;
        self.trace.heading(&format!("SMS to CPM: a text in {PARTS} segments becomes a large message"));
        self.large_to_cpm(&to_cpm)?;
        self.trace.heading("A chat, for which the SMS user is asked");
        self.attempts("chat", |call_id| self.chat(call_id))?;
        Ok(2 + 2 * CHAT.len())
    }

    /// Until one is not refused for the moment.
    fn attempts(&self, name: &str, attempt: impl Fn(&str) -> Result<bool, String>) -> Result<(), String> {
        self.smsc.prepare();
        for number in 0..ATTEMPTS_MAX {
            if attempt(&format!("{name}-{number}"))? {
                return Ok(());
            }
            self.trace.line("        refused for now, and tried again");
            std::thread::sleep(Duration::from_secs(1));
        }
        Err(format!("{name} was refused {ATTEMPTS_MAX} times"))
    }

    fn large_to_sms(&self, call_id: &str, text: &str) -> Result<bool, String> {
        let message_id = format!("{call_id}-id");
        let message = outgoing(call_id, &message_id, text);
        self.client.invite(self.sip, Service::LargeMessage, &message);
        if !self.invitation_accepted()? || !self.said(&message)? {
            return Ok(false);
        }
        self.trace.line("        arrived unchanged");
        self.leave(call_id)?;
        Ok(true)
    }

    fn large_to_cpm(&self, text: &str) -> Result<(), String> {
        self.deliver(text)?;
        self.arrives_at_cpm(text)?;
        match self.next()? {
            Happened::Left => Ok(()),
            other => Err(format!("{other:?} in place of BYE")),
        }
    }

    fn chat(&self, call_id: &str) -> Result<bool, String> {
        self.client.invite(self.sip, Service::Chat, &outgoing(call_id, "", ""));
        match self.next()? {
            Happened::TextAtSmsc(question) => self.trace.line(&format!("        {SMS_USER} is asked: {question}")),
            Happened::Answer { code: 480 | 503, .. } => return Ok(false),
            other => return Err(format!("{other:?} in place of a question")),
        }
        self.deliver("YES")?;
        if !self.invitation_accepted()? {
            return Ok(false);
        }
        for (number, (text, answer)) in CHAT.into_iter().enumerate() {
            if !self.said(&outgoing(call_id, &format!("{call_id}-{number}"), text))? {
                return Ok(false);
            }
            self.trace.line("        arrived unchanged");
            self.deliver(answer)?;
            self.arrives_at_cpm(answer)?;
        }
        self.leave_chat(call_id)?;
        Ok(true)
    }

    /// The BYE is answered, and the SMS user is told; nothing says which comes first.
    fn leave_chat(&self, call_id: &str) -> Result<(), String> {
        self.client.leave(self.sip, call_id);
        let (mut answered, mut told) = (false, false);
        while !(answered && told) {
            match self.next()? {
                Happened::Answer { code: 200, .. } => answered = true,
                Happened::TextAtSmsc(notice) => {
                    self.trace.line(&format!("        {SMS_USER} is told: {notice}"));
                    told = true;
                }
                other => return Err(format!("{other:?} in place of a notice or the answer to BYE")),
            }
        }
        Ok(())
    }

    /// Whether the INVITE was accepted; false if it is to be repeated.
    fn invitation_accepted(&self) -> Result<bool, String> {
        match self.next()? {
            Happened::Answer { code: 200..=299, .. } => Ok(true),
            Happened::Answer { code: 480 | 503, .. } => Ok(false),
            other => Err(format!("{other:?} in place of an answer to INVITE")),
        }
    }

    /// Sends a text in a session; the SM-SC must have it and the client its report. False if it is to be repeated.
    fn said(&self, message: &Outgoing<'_>) -> Result<bool, String> {
        self.client.say(message).map_err(|error| format!("MSRP: {error}"))?;
        let (mut taken, mut arrived, mut notified) = (false, false, false);
        while !(taken && arrived && notified) {
            match self.next()? {
                Happened::Responded { code: 200 } => taken = true,
                Happened::Responded { .. } => return self.left_by_the_gateway(),
                // The BYE may overtake the response, which comes by another connection.
                Happened::Left => return Ok(false),
                Happened::TextAtSmsc(came) if came == message.text => arrived = true,
                Happened::Notified { message_id, notification: Notification::Delivery, status } => {
                    notified = message_id == message.message_id && status == Status::Delivered;
                }
                Happened::Notified { .. } => {}
                other => return Err(format!("{other:?} in place of {}", shown(message.text))),
            }
        }
        Ok(true)
    }

    /// After a message that the SM-SC did not take, the gateway ends the session (IWF V3.0 6.2.3).
    fn left_by_the_gateway(&self) -> Result<bool, String> {
        loop {
            match self.next()? {
                Happened::Left => return Ok(false),
                // Of segments that were taken.
                Happened::Notified { .. } => {}
                other => return Err(format!("{other:?} in place of BYE")),
            }
        }
    }

    fn leave(&self, call_id: &str) -> Result<(), String> {
        self.client.leave(self.sip, call_id);
        match self.next()? {
            Happened::Answer { code: 200, .. } => Ok(()),
            other => Err(format!("{other:?} in place of an answer to BYE")),
        }
    }

    fn deliver(&self, text: &str) -> Result<(), String> {
        let bound = self.smsc.deliver(SMS_USER, CPM_USER, text);
        bound.then_some(()).ok_or_else(|| "the gateway is not bound".to_owned())
    }
}

fn outgoing<'m>(call_id: &'m str, message_id: &'m str, text: &'m str) -> Outgoing<'m> {
    Outgoing { from: CPM_USER, to: SMS_USER, message_id, call_id, content_type: TEXT, text }
}

/// A text that shows where it was cut, in the GSM 7 bit alphabet.
fn large_text(characters: usize) -> String {
    let words = (1..).flat_map(|number: u32| format!("Sentence {number} of a long letter. ").into_bytes());
    words.map(char::from).take(characters).collect()
}
