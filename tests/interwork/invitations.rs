//! An INVITE: which section handles it, what is stored of it, and what the gateway's 200s say.

use isthmus::interwork::address::Number;
use isthmus::iwf::invitation::{Invitation, Networks, procedure};
use isthmus::iwf::pager::NotAcceptable;
use isthmus::iwf::session_invitation::{self, Decision, decide, may_have_streams, no_answer};
use isthmus::iwf::{Iwf, large_message, session_leaving};
use isthmus::policy::{LeavingNotice, NoAnswer, Policy, SessionInvitation};
use isthmus::wire::sip::{Index, Message, Name, Writer};

use crate::cases::{Case, changed};

const SMS: Networks = Networks { sms: true, mms: false };

const FEATURE_TAGS: &str = include_str!("../spec/feature_tags.tsv");

const SIP: &[(&str, &str)] = &[
    ("Request-URI", "tel:+491700000002"),
    ("Via", "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1"),
    ("From", "<tel:+491700000001>;tag=a"),
    ("To", "<tel:+491700000002>"),
    ("Call-ID", "1@client.example"),
    ("CSeq", "1 INVITE"),
    ("Max-Forwards", "70"),
    ("P-Asserted-Identity", "<tel:+491700000001>"),
    ("Contact", "<sip:alice@192.0.2.1:5070>"),
    ("Content-Type", "application/sdp"),
];

/// An INVITE as text: the ordinary one with the changes of a cell.
pub(crate) fn invite(changes: &str) -> Vec<u8> {
    let headers = changed(SIP, changes);
    let (_, uri) = headers.iter().find(|(name, _)| name == "Request-URI").expect("a Request-URI");
    let mut request = format!("INVITE {uri} SIP/2.0\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| name != "Request-URI") {
        request += &format!("{name}: {value}\r\n");
    }
    (request + "Content-Length: 0\r\n\r\n").into_bytes()
}

/// What is stored of it.
pub(crate) fn stored(changes: &str, policy: &Policy) -> Result<Invitation, NotAcceptable> {
    let bytes = invite(changes);
    let mut index = Index::new();
    Invitation::store(&Message::parse(&bytes, &mut index).expect("a SIP message"), policy)
}

/// The headers that `write` writes into a message, as its receiver reads them.
pub(crate) fn header(name: &str, write: impl FnOnce(&mut Writer<'_>)) -> String {
    let mut out = Vec::new();
    let mut writer = Writer::response(&mut out, 200, "OK");
    write(&mut writer);
    writer.end();
    let mut index = Index::new();
    let message = Message::parse(&out, &mut index).unwrap();
    String::from_utf8(message.header_named(name.as_bytes()).unwrap_or_default().to_vec()).unwrap()
}

#[test]
fn every_invitation_has_its_section_or_is_refused() {
    for case in Case::all(FEATURE_TAGS) {
        let bytes = invite(case.get("headers"));
        let mut index = Index::new();
        let message = Message::parse(&bytes, &mut index).unwrap();
        let got =
            procedure(&message, SMS, &case.policy()).map_or("488".to_owned(), |procedure| format!("{procedure:?}"));
        assert_eq!(got, case.get("expected"), "{}", case.name());
    }
}

const STORED: &str = "Conversation-ID: conversation\\nContribution-ID: contribution\\n\
    InReplyTo-Contribution-ID: earlier\\nSubject: Lunch\\nSession-Replaces: other\\nMessage-Expires: 60";

/// [GEN-SES-03] [GEN-LMM-02]
#[test]
fn what_the_text_names_is_stored() {
    let invitation = stored(STORED, &Policy::default()).unwrap();
    assert_eq!(invitation.contact(), b"<sip:alice@192.0.2.1:5070>");
    assert_eq!(invitation.conversation_id(), b"conversation");
    assert_eq!(invitation.contribution_id(), b"contribution");
    assert_eq!(invitation.in_reply_to_contribution_id(), b"earlier");
    assert_eq!((invitation.subject(), invitation.session_replaces()), (b"Lunch".as_slice(), b"other".as_slice()));
    assert_eq!(invitation.message_expires_s, Some(60));
    assert!(!invitation.is_anonymous() && stored("Privacy: id", &Policy::default()).unwrap().is_anonymous());
    assert!(invitation.bytes() < 600, "{} octets for as long as the session lasts", invitation.bytes());
}

/// [GEN-LMM-04b] [GEN-LMM-04c]
#[test]
fn the_200_to_a_large_message() {
    let iwf = Iwf::new(Policy::default());
    let invitation = stored(STORED, &iwf.policy).unwrap();
    let header = |name| header(name, |headers| large_message::write_accepted(&invitation, headers));
    assert_eq!(header("Conversation-ID"), "conversation");
    assert_eq!(header("Contribution-ID"), "contribution");
    assert_eq!(header("InReplyTo-Contribution-ID"), "earlier");
    let tag = "+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.largemsg\"";
    assert_eq!(large_message::CONTACT_PARAMETER, tag);
}

/// [GEN-SES-06b] [GEN-SES-06b-X1] [GEN-SES-06c] [GEN-SES-06g] [SMS-OK-SES]
#[test]
fn the_200_to_a_session() {
    let mut iwf = Iwf::new(Policy::default());
    let invitation = stored(STORED, &iwf.policy).unwrap();
    let sms_user = invitation.sms_user(&iwf.policy).unwrap();
    let read = |iwf: &Iwf, name| {
        header(name, |headers| session_invitation::write_accepted(&invitation, &sms_user, iwf, headers))
    };
    assert_eq!(read(&iwf, "Conversation-ID"), "conversation");
    assert_eq!(read(&iwf, "Contribution-ID"), "contribution");
    assert_eq!(read(&iwf, "InReplyTo-Contribution-ID"), "earlier");
    assert_eq!(read(&iwf, "P-Asserted-Identity"), "<tel:+491700000002>");
    assert_eq!(read(&iwf, "Message-Context"), "pager-message");
    let tag = |policy: &Policy| session_invitation::contact_parameter(policy).to_owned();
    assert_eq!(tag(&iwf.policy), "+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.session\"");
    iwf.policy = toml::from_str("sessions.contact_feature_tag = 'large_message'").unwrap();
    assert_eq!(tag(&iwf.policy), large_message::CONTACT_PARAMETER);
    iwf.policy = toml::from_str("identity.nccsid_in_p_asserted_identity = true").unwrap();
    assert_eq!(read(&iwf, "P-Asserted-Identity"), "<tel:+491700000002;nccsid=SMS>");
    let without = stored("", &iwf.policy).unwrap();
    let write = |headers: &mut Writer<'_>| session_invitation::write_accepted(&without, &sms_user, &iwf, headers);
    assert_eq!(header("Conversation-ID", write), "");
}

/// [GEN-SES-05a] [GEN-SES-07] [GEN-SES-08] [RCS-ACCEPT] [RCS-OFF-ASK]
#[test]
fn policy_accepts_refuses_or_asks_and_rcs_always_accepts() {
    let (mut cpm, mut rcs) = (Policy::default(), Policy::rcs());
    assert_eq!(decide(&cpm), Decision::Accept);
    for (invitation, decision) in [
        (SessionInvitation::Accept, Decision::Accept),
        (SessionInvitation::Refuse, Decision::Refuse(480, "Temporarily Unavailable")),
        (SessionInvitation::Ask, Decision::Ask),
    ] {
        (cpm.sessions.invitation, rcs.sessions.invitation) = (invitation, invitation);
        assert_eq!((decide(&cpm), decide(&rcs)), (decision, Decision::Accept));
    }
}

/// [GEN-SES-10]
#[test]
fn an_sms_user_who_does_not_answer() {
    let mut policy = Policy::default();
    assert_eq!(no_answer(&policy), (480, "Temporarily Unavailable"));
    policy.sessions.no_answer = NoAnswer::RequestTimeout;
    assert_eq!(no_answer(&policy), (408, "Request Timeout"));
}

/// [RCS-OFF-MULTISTREAM]
#[test]
fn several_media_streams_are_policy() {
    let streams = |policy: &Policy| [0, 1, 2].map(|count| may_have_streams(count, policy));
    assert_eq!(streams(&Policy::default()), [false, true, true]);
    assert_eq!(streams(&Policy::rcs()), [false, true, false]);
}

/// [RCS-NOLEAVE]
#[test]
fn a_keyword_leaves_the_session_but_for_rcs() {
    let says = session_leaving::is_leaving;
    let mut policy = Policy::default();
    for (text, leaves) in [("#leave", true), (" #LEAVE. ", true), ("leave", false), ("#leave now", false), ("", false)]
    {
        assert_eq!(says(text, &policy), leaves, "{text}");
        assert!(!says(text, &Policy::rcs()));
    }
    policy.sessions.leave_keywords = vec!["STOP".into(), "Ende".into()];
    assert!(says("stop", &policy) && says("ENDE", &policy) && !says("#leave", &policy));
}

/// [GEN-LEAVE-03a] [GEN-LEAVE-X1] [RCS-OFF-CLOSING]
#[test]
fn the_sms_user_is_told_who_left_but_for_rcs() {
    let mut policy = Policy::default();
    let invitation = stored("", &policy).unwrap();
    let told = |knows, policy: &Policy| session_leaving::notice(&invitation, knows, policy);
    let text = Some("+491700000001 has left the chat.".to_owned());
    assert_eq!((told(true, &policy), told(false, &policy)), (text.clone(), None));
    policy.sessions.leaving_notice = LeavingNotice::Always;
    assert_eq!((told(true, &policy), told(false, &policy)), (text.clone(), text));
    policy.sessions.leaving_notice = LeavingNotice::Never;
    assert_eq!((told(true, &policy), told(false, &policy)), (None, None));
    let mut rcs = Policy::rcs();
    rcs.sessions.leaving_notice = LeavingNotice::Always;
    assert_eq!((told(true, &rcs), told(false, &rcs)), (None, None));
    policy = Policy::default();
    policy.sessions.leaving_text.clear();
    assert_eq!(told(true, &policy), None);
}

/// [IDENT-02-X1] [RCS-E164-2]
#[test]
fn a_target_without_a_number_is_not_sms() {
    let policy = Policy::default();
    for uri in ["wv:bob@example.com", "mailto:bob@example.com", "sip:bob@ims.example", "sip:chat-7@conference.example"]
    {
        let invitation = stored(&format!("Request-URI: {uri}\\nTo: <{uri}>"), &policy).unwrap();
        let why = invitation.sms_user(&policy).unwrap_err();
        assert_eq!(isthmus::iwf::pager::refusal(why, &policy), (488, "Not Acceptable Here"), "{uri}");
    }
    let digits = |number: Number| number.digits.to_vec();
    let invitation = stored("Request-URI: sip:+491700000009@ims.example;user=phone", &policy).unwrap();
    assert_eq!(invitation.sms_user(&policy).map(digits), Ok(b"491700000009".to_vec()));
}

/// An INVITE has no header that its name would not tell.
#[test]
fn headers_of_a_response_end_where_they_should() {
    let iwf = Iwf::new(Policy::default());
    let invitation = stored("Conversation-ID: a b", &iwf.policy).unwrap();
    let write = |headers: &mut Writer<'_>| large_message::write_accepted(&invitation, headers);
    assert_eq!(header(Name::ConversationId.as_str(), write), "a b");
}
