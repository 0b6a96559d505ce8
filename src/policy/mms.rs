//! CPM to MMS and back: questions of IWF V3.0 6.3 and 6.3.1 (Tables 12 to 22 and 35 to 44).
//!
//! Shared with SMS: `addresses`, `identity`, the SIP URIs of `delivery`, `submission.end_to_end_protection` and its media
//! types (6.6), `submission.unknown_outcome`, `reports.negative_delivery`, `reports.wait_without_validity_s`.

use serde::{Deserialize, Serialize};

/// How a CPM message becomes a multimedia message, and the other way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mms {
    /// Tables 13, 16, 19, 22, 38, 42 and 44, 3GPP MMS Version: "the MMS protocol version supported by the IWF".
    pub version: String,
    /// 6.3 1a, 6.1.1 step 1: the SIP response to a message without any content that MMS takes.
    pub unsupported_content: UnsupportedMms,
    /// 6.3 1b: the SIP response to a message larger than the MMS Relay/Server allows.
    pub too_large: TooLargeMms,
    /// Tables 13 and 16, Time of Expiry: seconds when there is no Expires or Message-Expires; without a value the MMS
    /// Relay/Server decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_without_expires_s: Option<u32>,
    /// Tables 13 and 16, Time of Expiry: most seconds asked for; without a value there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_s_max: Option<u32>,
    /// Tables 13 and 16, Forward counter; without a value there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_counter: Option<u32>,
    /// Tables 13 and 16, Sender visibility: a CPM user that wants to stay anonymous.
    pub anonymous_sender: Anonymity,
    /// Table 16, Acknowledgement Request.
    pub ack_request_large_message: bool,
    /// Tables 42 and 44, Acknowledgement Request.
    pub ack_request_reports: bool,
    /// Milliseconds after which the CPM request is answered although no MM4_forward.RES came.
    pub answer_deadline_ms: u32,
    /// What is answered then, the MMS Relay/Server having taken the mail.
    pub no_response: NoResponse,
    /// Table 14, every Request Status the page does not list.
    pub unmapped_request_status: UnmappedRequestStatus,
    /// The SIP response when SMTP refuses the mail, for which the text has no row.
    pub smtp_refusal: SmtpRefusal,
    /// Table 17, `<interworking-notification>`: `<status>` of a failure.
    pub interworking_failure: InterworkingFailure,
    /// Table 17, every MM Status the page does not list.
    pub unmapped_mm_status: UnmappedMmStatus,
    /// Tables 18, 21 and 37, RCPT TO of an MM4 response.
    pub response_recipient: ResponseRecipient,
    /// 6.3.1.2.1 and 6.3.1.2.2 step 1: an MMS user that wants to stay anonymous.
    pub anonymous_originator: Anonymity,
    /// Tables 36 and 40: whether P-Asserted-Identity still has the address of a sender that is anonymous, for the trust
    /// domain to take it out (RFC 3325).
    pub assert_anonymous_originator: bool,
    /// 6.3.1.2: octets above which a multimedia message for a CPM user goes in Large Message Mode.
    pub large_message_octets: u32,
    /// Table 35, Request-URI and To.
    pub pager_recipient_uri: RecipientUri,
    /// Tables 36 and 40: seconds of Expires and Message-Expires when there is no Time of Expiry; without a value there is
    /// no such header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_without_expiry_s: Option<u32>,
    /// Table 36, Expires, and Message-Expires alike: most seconds; without a value there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_s_max: Option<u32>,
    /// Tables 36 and 40, Max-Forwards.
    pub max_forwards: u32,
    /// Table 38, every response code the page does not list.
    pub unmapped_sip_status: RequestStatusByCode,
    /// 6.3.1.2.4 step 3: whether a display notification also gives a delivery report, if one is due that did not go.
    pub displayed_is_delivered: bool,
}

impl Default for Mms {
    fn default() -> Mms {
        Mms {
            version: "6.10.0".into(),
            unsupported_content: UnsupportedMms::NotAcceptableHere,
            too_large: TooLargeMms::NotAcceptableHere,
            expiry_without_expires_s: None,
            expiry_s_max: None,
            forward_counter: Some(1),
            anonymous_sender: Anonymity::Pass,
            ack_request_large_message: true,
            ack_request_reports: false,
            answer_deadline_ms: 25_000,
            no_response: NoResponse::Accept,
            unmapped_request_status: UnmappedRequestStatus::default(),
            smtp_refusal: SmtpRefusal::default(),
            interworking_failure: InterworkingFailure::Error,
            unmapped_mm_status: UnmappedMmStatus::Failure,
            response_recipient: ResponseRecipient::MailFrom,
            anonymous_originator: Anonymity::Pass,
            assert_anonymous_originator: false,
            large_message_octets: 1_300,
            pager_recipient_uri: RecipientUri::Tel,
            expires_without_expiry_s: None,
            expires_s_max: None,
            max_forwards: 70,
            unmapped_sip_status: RequestStatusByCode::default(),
            displayed_is_delivered: true,
        }
    }
}

impl Mms {
    /// Seconds that a multimedia message is valid whose CPM request says `expires_s`; `None`: as the MMS Relay/Server has it.
    #[must_use]
    pub fn expiry_s(&self, expires_s: Option<u32>) -> Option<u32> {
        at_most(expires_s.or(self.expiry_without_expires_s), self.expiry_s_max)
    }

    /// Seconds that a CPM message is valid whose multimedia message has `expiry_s` left; `None`: no such header.
    #[must_use]
    pub fn expires_s(&self, expiry_s: Option<u32>) -> Option<u32> {
        at_most(expiry_s.or(self.expires_without_expiry_s), self.expires_s_max)
    }
}

fn at_most(asked: Option<u32>, most: Option<u32>) -> Option<u32> {
    asked.map(|asked| most.map_or(asked, |most| asked.min(most)))
}

/// What becomes of a message whose sender wants to stay anonymous.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anonymity {
    /// It passes, and asks the other side to hide its sender.
    #[default]
    Pass,
    /// It is refused: 433, or Error-unsupported-message.
    Refuse,
}

/// The SIP response to a Pager Mode message whose content MMS does not take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnsupportedMms {
    /// 488, as 6.3 1a has it.
    #[default]
    NotAcceptableHere,
    /// 415, as 6.1.1 step 1 has it.
    UnsupportedMediaType,
}

/// The SIP response to a Pager Mode message that is too large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TooLargeMms {
    /// 488, as 6.3 1b has it.
    #[default]
    NotAcceptableHere,
    /// 413
    RequestEntityTooLarge,
}

/// No MM4_forward.RES came in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoResponse {
    /// 202, or 200 by MSRP: the MMS Relay/Server took the mail.
    #[default]
    Accept,
    /// 480, or 408 by MSRP: the sender may try again, and the user may see the message twice.
    Refuse,
}

/// SIP status codes for the values of X-Mms-Request-Status-Code that Table 14 does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnmappedRequestStatus {
    /// Error-sending-address-unresolved
    pub sending_address_unresolved: u16,
    /// Error-message-not-found
    pub message_not_found: u16,
    /// Error-unsupported-message
    pub unsupported_message: u16,
    /// Error-transient-failure and the like.
    pub transient: u16,
    /// Any other.
    pub other: u16,
}

impl Default for UnmappedRequestStatus {
    fn default() -> UnmappedRequestStatus {
        UnmappedRequestStatus {
            sending_address_unresolved: 404,
            message_not_found: 404,
            unsupported_message: 488,
            transient: 480,
            other: 400,
        }
    }
}

/// SIP status codes for SMTP replies that refuse a mail (RFC 5321 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmtpRefusal {
    /// 550, 551, 553: there is no such recipient.
    pub mailbox_unavailable: u16,
    /// 552: the mail is too large.
    pub too_large: u16,
    /// 554: the server does not want it.
    pub transaction_failed: u16,
    /// Any other 5yz.
    pub permanent: u16,
    /// 4yz
    pub temporary: u16,
}

impl Default for SmtpRefusal {
    fn default() -> SmtpRefusal {
        SmtpRefusal {
            mailbox_unavailable: 404,
            too_large: 488,
            transaction_failed: 403,
            permanent: 400,
            temporary: 480,
        }
    }
}

impl SmtpRefusal {
    /// The SIP status code for a reply code.
    #[must_use]
    pub const fn of(&self, reply_code: u16) -> u16 {
        match reply_code {
            550 | 551 | 553 => self.mailbox_unavailable,
            552 => self.too_large,
            554 => self.transaction_failed,
            500..=599 => self.permanent,
            _ => self.temporary,
        }
    }
}

/// Table 17 says "failed", which the notification's schema (Conv-Func Appendix O) does not have; Table 3 says "error".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterworkingFailure {
    /// error, which the schema has.
    #[default]
    Error,
    /// failed, as the page has it.
    Failed,
}

/// A value of X-Mms-MM-Status-Code that Table 17 does not list, "Unreachable" for instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnmappedMmStatus {
    /// The message was not delivered.
    #[default]
    Failure,
    /// It says nothing; a later report may.
    Ignore,
}

/// Where MM4 responses go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseRecipient {
    /// MAIL FROM of the request, as the pages have it; its Originator-System-Address where that is empty.
    #[default]
    MailFrom,
    /// Originator-System-Address of the request, as TS 23.140 has it; its MAIL FROM where there is none.
    OriginatorSystem,
}

/// How a CPM user is addressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientUri {
    /// "to the corresponding TEL URI format"
    #[default]
    Tel,
    /// A SIP URI by `delivery.recipient_sip_uri`, as in a large message.
    SipIfAvailable,
}

/// An error of X-Mms-Request-Status-Code, without what is about a wrong request only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// Error-service-denied
    ServiceDenied,
    /// Error-message-format-corrupt
    MessageFormatCorrupt,
    /// Error-sending-address-unresolved
    SendingAddressUnresolved,
    /// Error-network-problem
    NetworkProblem,
    /// Error-content-not-accepted
    ContentNotAccepted,
    /// Error-unspecified
    Unspecified,
}

/// SIP response codes by what an MMS Relay/Server is told; those in no list are Error-unspecified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestStatusByCode {
    /// Error-service-denied
    pub service_denied: Vec<u16>,
    /// Error-message-format-corrupt
    pub message_format_corrupt: Vec<u16>,
    /// Error-sending-address-unresolved
    pub sending_address_unresolved: Vec<u16>,
    /// Error-network-problem
    pub network_problem: Vec<u16>,
    /// Error-content-not-accepted
    pub content_not_accepted: Vec<u16>,
}

impl Default for RequestStatusByCode {
    fn default() -> RequestStatusByCode {
        RequestStatusByCode {
            service_denied: vec![403, 407, 433, 603],
            message_format_corrupt: vec![400],
            sending_address_unresolved: vec![404, 410, 416, 484, 485, 604],
            network_problem: vec![408, 430, 480, 482, 483, 487, 500, 502, 504, 580],
            content_not_accepted: vec![413, 415, 488, 493, 513, 606],
        }
    }
}

impl RequestStatusByCode {
    /// The error for `code`.
    #[must_use]
    pub fn of(&self, code: u16) -> RequestError {
        let lists = [
            (&self.service_denied, RequestError::ServiceDenied),
            (&self.message_format_corrupt, RequestError::MessageFormatCorrupt),
            (&self.sending_address_unresolved, RequestError::SendingAddressUnresolved),
            (&self.network_problem, RequestError::NetworkProblem),
            (&self.content_not_accepted, RequestError::ContentNotAccepted),
        ];
        let listed = lists.into_iter().find(|(codes, _)| codes.contains(&code));
        listed.map_or(RequestError::Unspecified, |(_, error)| error)
    }
}
