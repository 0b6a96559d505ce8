//! Sessions and large messages: questions of IWF V3.0 6.1.2, 6.1.4, 6.1.5.1, 6.1.6, 6.2.2.1.3 (Tables 4 and 5), 6.2.2.1.5
//! (Table 7), 6.2.2.2.2 and 6.2.2.2.3 (Table 11).

use serde::{Deserialize, Serialize};

use super::EarlyAnswer;

/// How sessions are opened, how their messages pass, and how they end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// 6.1.4 step 5: what becomes of the invitation to a session. Where `switches.ask_non_cpm_user` is off it is accepted.
    pub invitation: SessionInvitation,
    /// 6.1: an INVITE without any CPM Feature Tag.
    pub untagged_invitation: UntaggedInvitation,
    /// 6.2.2.1.3 step 1: under which number the SMS user sees the CPM user.
    pub sender: SessionSender,
    /// Numbers that can be assigned to sessions: E.164 numbers with their plus, or `first-last`.
    pub interworking_numbers: Vec<String>,
    /// Table 4 short_message: what the SMS user is asked; the first whose `prefix` his number has, or else the first.
    pub questions: Vec<Question>,
    /// Table 5: how much of a short message must be a keyword.
    pub keyword_match: KeywordMatch,
    /// Table 5 user_response_code: values that accept; any other declines. They are the application's own (SMPP 3.4
    /// 5.3.2.18).
    pub accept_codes: Vec<u8>,
    /// Table 4 registered_delivery, in CDMA and TDMA.
    pub user_acknowledgement: u8,
    /// Table 4 sm_default_msg_id: the text that the SM-SC has for this, 0 for none.
    pub sm_default_msg_id: u8,
    /// 6.1.4 step 8, Table 4 validity_period: seconds for which the answer of the SMS user is waited for.
    pub answer_timeout_s: u32,
    /// 6.1.4: the response to the INVITE when that time is over.
    pub no_answer: NoAnswer,
    /// 6.1.4 step 8d: the response to the INVITE when the SMS user declines.
    pub decline: Decline,
    /// 6.1.4 step 8e: what the SMS user is told whose answer came too late; nothing if empty.
    pub late_answer_text: String,
    /// 6.1.4 step 6b: the CPM Feature Tag in Contact of the 200 to the invitation.
    pub contact_feature_tag: ContactFeatureTag,
    /// 6.1.4 step 6d: seconds of the session timer that we ask for (RFC 4028).
    pub session_interval_s: u32,
    /// 6.1.2, 6.1.5.1: the response to the last chunk before the SM-SC has responded.
    pub early_answer: EarlyAnswer,
    /// 6.2.2.1.5 step 2a: the MSRP response to content that SMS cannot carry.
    pub unsupported_content: UnsupportedContent,
    /// 6.2.2.2.2: short messages by which an SMS user leaves the session; matched as a whole, in any case.
    pub leave_keywords: Vec<String>,
    /// Table 7 short_message: instructions on how to leave, behind the first message of a session; nothing if empty.
    pub leave_instructions: String,
    /// 6.1.6 step 3: whether the SMS user is told that the CPM user left.
    pub leaving_notice: LeavingNotice,
    /// What he is told then, `{inviter}` standing for the CPM user's number.
    pub leaving_text: String,
    /// 6.1.5.1: whether deliver_sm_resp goes out before the response to the MSRP SEND.
    pub answer_before_msrp_response: bool,
    /// 6.2.2.2.2 step 2d: whether Success-Report is set. Where `switches.msrp_success_reports` is off it is not.
    pub success_report: bool,
    /// 6.2.2.2.2 step 2d: Failure-Report.
    pub failure_report: FailureReport,
    /// 6.2.2.2: octets above which a text for a CPM user goes in Large Message Mode.
    pub large_message_octets: u32,
    /// What these octets are of.
    pub large_message_counts: LargeMessageCounts,
    /// Table 11 Message-Expires, seconds; without a value there is no such header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_expires_s: Option<u32>,
}

impl Default for Sessions {
    fn default() -> Sessions {
        Sessions {
            invitation: SessionInvitation::Accept,
            untagged_invitation: UntaggedInvitation::Session,
            sender: SessionSender::InvitingUser,
            interworking_numbers: Vec::new(),
            questions: vec![Question::default()],
            keyword_match: KeywordMatch::Whole,
            accept_codes: vec![1],
            user_acknowledgement: 0x08,
            sm_default_msg_id: 0,
            answer_timeout_s: 150,
            no_answer: NoAnswer::TemporarilyUnavailable,
            decline: Decline::Decline,
            late_answer_text: String::new(),
            contact_feature_tag: ContactFeatureTag::Session,
            session_interval_s: 1_800,
            early_answer: EarlyAnswer::None,
            unsupported_content: UnsupportedContent::StopSending,
            leave_keywords: vec!["#leave".into()],
            leave_instructions: String::new(),
            leaving_notice: LeavingNotice::Known,
            leaving_text: "{inviter} has left the chat.".into(),
            answer_before_msrp_response: false,
            success_report: false,
            failure_report: FailureReport::Yes,
            large_message_octets: 1_300,
            large_message_counts: LargeMessageCounts::Text,
            message_expires_s: None,
        }
    }
}

impl Sessions {
    /// The question for an SMS user, his number without its plus; the first where none fits.
    #[must_use]
    pub fn question(&self, digits: &[u8]) -> Option<&Question> {
        let fits = |question: &&Question| digits.starts_with(question.prefix.trim_start_matches('+').as_bytes());
        self.questions.iter().find(fits).or(self.questions.first())
    }

    /// The first and last number of each entry of the pool, without their plus; an entry that is none is passed over.
    pub fn number_ranges(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.interworking_numbers.iter().filter_map(|entry| number_range(entry))
    }
}

/// `+first` or `+first-+last`, the second plus optional; both with as many digits.
#[must_use]
pub fn number_range(entry: &str) -> Option<(u64, u64)> {
    let (first, last) = entry.split_once('-').unwrap_or((entry, entry));
    let (first, last) = (first.trim().strip_prefix('+')?, last.trim());
    let last = last.strip_prefix('+').unwrap_or(last);
    let is_number = |text: &str| {
        (1..=15).contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|octet| octet.is_ascii_digit())
    };
    let range = (first.parse().ok()?, last.parse().ok()?);
    (is_number(first) && is_number(last) && first.len() == last.len() && range.0 <= range.1).then_some(range)
}

/// What an SMS user is asked about an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Question {
    /// How the numbers of those begin who are asked so, "+49"; empty fits every number.
    pub prefix: String,
    /// The text, with `{inviter}`, `{accept}` and `{decline}`.
    pub text: String,
    /// The text for an invitation with a Subject, with `{subject}` as well.
    pub text_with_subject: String,
    /// What stands for an inviter who wants to stay anonymous.
    pub anonymous_inviter: String,
    /// Words that accept; `{accept}` is the first.
    pub accept: Vec<String>,
    /// Words that decline; `{decline}` is the first.
    pub decline: Vec<String>,
}

impl Default for Question {
    fn default() -> Question {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Question {
            prefix: String::new(),
            text: "{inviter} invites you to a chat. Answer {accept} or {decline}.".into(),
            text_with_subject: "{inviter} invites you to a chat: {subject}. Answer {accept} or {decline}.".into(),
            anonymous_inviter: "Somebody".into(),
            accept: words(&["YES", "Y", "OK"]),
            decline: words(&["NO", "N"]),
        }
    }
}

/// 6.1.4 step 5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionInvitation {
    /// Step 6: it is accepted on behalf of the SMS user.
    #[default]
    Accept,
    /// Step 7: 480.
    Refuse,
    /// Step 8: the SMS user is asked.
    Ask,
}

/// An INVITE that names no CPM service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UntaggedInvitation {
    /// It is one to a session.
    #[default]
    Session,
    /// 488.
    Refuse,
}

/// "either assign a new address […] or use the TEL URI of the inviting CPM User".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionSender {
    /// The CPM user's own.
    #[default]
    InvitingUser,
    /// One of `interworking_numbers`; the CPM user's own if none is free.
    InterworkingNumber,
}

/// A short message as an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeywordMatch {
    /// All of it, but for case, spaces and punctuation around it.
    #[default]
    Whole,
    /// Its beginning, up to the end of a word.
    Beginning,
}

/// The SMS user did not answer in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoAnswer {
    /// 480
    #[default]
    TemporarilyUnavailable,
    /// 408
    RequestTimeout,
}

/// The SMS user said no.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decline {
    /// 603, as Table 5 has it.
    #[default]
    Decline,
    /// 480
    TemporarilyUnavailable,
}

/// 6.1.4 step 6b prints the tag of a large message for a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactFeatureTag {
    /// oma.cpm.session, as in the invitation.
    #[default]
    Session,
    /// oma.cpm.largemsg, as the step prints it.
    LargeMessage,
}

/// Content that SMS cannot carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnsupportedContent {
    /// 413, as the text has it: the sender is to stop sending this message (RFC 4975 10.5).
    #[default]
    StopSending,
    /// 415, RFC 4975's own code for a media type that is not understood.
    UnsupportedMediaType,
}

/// Who is told that a CPM user left the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeavingNotice {
    /// Nobody.
    Never,
    /// An SMS user who was asked about the session, or sees it under a number of its own.
    #[default]
    Known,
    /// Every SMS user in a session.
    Always,
}

/// Failure-Report (RFC 4975 7.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReport {
    /// Every chunk is answered; without it no final response would tell the outcome.
    #[default]
    Yes,
    /// Failures are answered.
    Partial,
    /// Nothing is answered.
    No,
}

/// 6.2.2.2 counts the message, 6.2.2.2.1 step 3 the request (RFC 3428 8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LargeMessageCounts {
    /// The SIP MESSAGE that would carry it.
    Request,
    /// The text in UTF-8: "the received payload". What is then too large for a datagram leaves by TCP.
    #[default]
    Text,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_the_pool_are_numbers_or_ranges() {
        assert_eq!(number_range("+49170"), Some((49_170, 49_170)));
        assert_eq!(number_range("+49170-+49179"), Some((49_170, 49_179)));
        assert_eq!(number_range("+49170 - 49179"), Some((49_170, 49_179)));
        for wrong in ["", "+", "49170", "+49179-49170", "+49170-491700", "+0170", "+4917x", "+1234567890123456", "+1-"]
        {
            assert_eq!(number_range(wrong), None, "{wrong}");
        }
    }
}
