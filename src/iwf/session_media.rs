//! CPM Session Media handling (IWF V3.0 6.1.5.1): chat messages become short messages (6.2.2.1.5) and short messages chat
//! messages (6.2.2.2.2).

use crate::engine::Now;
use crate::interwork::address::Number;
use crate::interwork::cpm::{ChatMessage, ChatMessageRecord, Part};
use crate::interwork::sms::chat_to_submit_sm::{Ending, TABLE_7};
use crate::interwork::sms::deliver_sm_to_chat::{CHAT_SEND, ChatSend, Received};
use crate::interwork::sms::short_message::ShortMessageRecord;
use crate::interwork::table::FieldTable;
use crate::policy::Policy;
use crate::wire::cpim::{self, Dispositions, Wrapper};
use crate::wire::short_message::fingerprint;
use crate::wire::span::Span;

use super::body::Body;
use super::date_time;
use super::invitation::Invitation;
use super::pager::{Form, NotAcceptable, read_text, retain_cpim};
use super::retained::Retained;
use super::session_invitation::{fill, inviter};
use super::split;

/// Between whom the short messages of a session pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// The number that the SMS user sees: the CPM user's, or the one that was assigned (6.2.2.1.3 step 1).
    pub sender: Number,
    /// The SMS user.
    pub sms_user: Number,
}

/// A chat message that was read.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    invitation: &'a Invitation,
    cpim: Option<cpim::Message<'a>>,
    /// The notifications it asks for.
    pub requested: Dispositions,
}

/// Reads a message that came whole, and whose body was looked into ([`super::pager::look_into`]). Its text replaces what
/// `text` holds.
///
/// # Errors
/// Why it is not acceptable.
pub fn read<'a>(invitation: &'a Invitation, body: &Body<'a>, text: &mut String) -> Result<Read<'a>, NotAcceptable> {
    read_text(body, text)?;
    let requested = body.cpim.as_ref().map_or(Dispositions::NONE, cpim::Message::dispositions);
    Ok(Read { invitation, cpim: body.cpim, requested })
}

/// What a message that cannot be read, or written as short messages, means for its last chunk.
#[must_use]
pub const fn ending(why: NotAcceptable) -> Ending {
    match why {
        NotAcceptable::Malformed(_) => Ending::Malformed,
        NotAcceptable::MediaType
        | NotAcceptable::Requirement
        | NotAcceptable::Protected
        | NotAcceptable::Address(_)
        | NotAcceptable::TooLarge => Ending::NotInterworkable,
    }
}

/// Puts beside the text of the first message of a session what its SMS user must know: who writes, if he sees a number that
/// was assigned and was not asked (6.2.2.1.3 step 1), and how to leave, by policy (Table 7).
pub fn introduce(text: &mut String, invitation: &Invitation, names_sender: bool, policy: &Policy) {
    let anonymous = invitation.sms_user(policy).ok().and_then(|number| policy.sessions.question(&number.digits));
    let anonymous = anonymous.map_or("", |question| &question.anonymous_inviter);
    if names_sender && let Ok(inviter) = inviter(invitation, anonymous, policy) {
        text.insert_str(0, ": ");
        text.insert_str(0, &inviter);
    }
    if policy.switches.leave_session && !policy.sessions.leave_instructions.is_empty() {
        let keyword = policy.sessions.leave_keywords.first().map_or("", String::as_str);
        text.push('\n');
        fill(&policy.sessions.leave_instructions, &[("{leave}", keyword)], text);
    }
}

struct Chat {
    between: Between,
    requested: Dispositions,
}

impl split::Source for Chat {
    type Record = ChatMessageRecord;
    const TABLE: &'static FieldTable<ChatMessageRecord, ShortMessageRecord> = &TABLE_7;

    fn of_part<'a>(&'a self, part: Part<'a>) -> ChatMessage<'a> {
        let Between { sender, sms_user } = self.between;
        ChatMessage { sender, sms_user, disposition_notification: self.requested, part }
    }
}

/// Appends the short messages of a text to the SMS user of a session and says how many they are; of one of our own, about
/// which nobody wants to hear, with [`Dispositions::NONE`]. `octets` is cleared and used.
///
/// # Errors
/// Why they cannot be written.
pub fn write_short_messages(
    (between, requested): (Between, Dispositions),
    text: &str,
    form: &Form<'_>,
    reference: u16,
    policy: &Policy,
    octets: &mut Vec<u8>,
    pdus: &mut Vec<u8>,
) -> Result<u8, NotAcceptable> {
    split::write(&Chat { between, requested }, text, form, reference, policy, octets, pdus)
}

impl Read<'_> {
    /// Stores what notifications need. "SHALL ignore the CPIM From and To headers if the CPM Session is a one-to-one
    /// session" (step 1): the SIP addresses of the invitation stand for them.
    pub fn retain(&self, now: Now, text: &str, retained: &mut Retained) {
        self.invitation.headers().retain(retained);
        retained.correlator = Span::append_with(&mut retained.octets, |octets| fingerprint::write(text, octets));
        retain_cpim(self.cpim.as_ref(), now, retained);
        (retained.cpim_from, retained.cpim_to) = (Span::default(), Span::default());
    }
}

/// The MSRP SEND for a text of the SMS user; [`write_message`] makes its body.
#[must_use]
pub fn send<'a>(text: &'a str, policy: &'a Policy) -> ChatSend<'a> {
    let mut send = ChatSend::default();
    // Its rules only copy: there is nothing that cannot be converted.
    let _filled = CHAT_SEND.fill(&Received { text, policy }, &mut send);
    send
}

/// Appends the body of a SEND: the text in its CPIM wrapper.
pub fn write_message(send: &ChatSend<'_>, now: Now, message_id: &[u8], out: &mut Vec<u8>) {
    let date_time = date_time::of(now.unix_ms);
    let wrapper = Wrapper {
        from: send.cpim_from.as_bytes(),
        to: send.cpim_to.as_bytes(),
        message_id,
        date_time: &date_time,
        content_type: send.cpim_content_type.as_bytes(),
        ..Wrapper::default()
    };
    wrapper.write(send.body.as_bytes(), out);
}
