//! What the pages of the interworking specification want of INVITE, BYE and their responses, as far as dialogs write them:
//! Tables 5 and 11, IWF V3.0 6.1.2 and 6.1.4.

use isthmus::engine::sip::calls::{By, Heard};
use isthmus::interwork::product;
use isthmus::policy::Identity;
use isthmus::wire::sip::{Index, Message, Name};

use super::world::{A, B, World, body_of, header_of};

const HEADERS: [Name; 3] = [Name::CallId, Name::From, Name::CSeq];

/// The response has what the request had; To has its tag beside it (RFC 3261 8.2.6.2).
fn check_headers(request: &[u8], response: &[u8]) {
    for name in HEADERS {
        assert_eq!(header_of(response, name), header_of(request, name), "{name:?}");
    }
    let [asked, answered] = [request, response].map(|bytes| {
        let mut index = Index::new();
        let message = Message::parse(bytes, &mut index).unwrap();
        let via = message.top_via().unwrap();
        let branch = via.params.get(b"branch").unwrap().to_vec();
        assert_eq!(message.content_length(), Ok(Some(message.body().len())));
        (message.to().unwrap().uri.to_vec(), branch, via.host.to_vec())
    });
    assert_eq!(asked, answered);
}

/// [SMS-T5-Call-ID] [SMS-T5-To] [SMS-T5-Via] [SMS-T5-From] [SMS-T5-CSeq] [SMS-T5-Content-Length] [SMS-T5-body]
/// [SMS-T5-body2]
#[test]
fn an_answer_has_the_headers_of_its_invite_and_only_a_2xx_has_a_description() {
    let mut world = World::new();
    world.session();
    let accepted = world.last(B, "200 INVITE");
    check_headers(&world.last(A, "INVITE"), &accepted);
    assert_eq!(header_of(&accepted, Name::ContentType).as_deref(), Some("application/sdp"));
    assert!(body_of(&accepted).starts_with(b"v=0"));
    let mut world = World::new();
    world.invite();
    world.run(20);
    let b = world.invited();
    assert!(world.act(B, |calls, turn| calls.refuse(turn, b, 603, "Decline", |_| {})));
    world.run(20);
    let declined = world.last(B, "603 INVITE");
    check_headers(&world.last(A, "INVITE"), &declined);
    assert!(body_of(&declined).is_empty() && header_of(&declined, Name::ContentType).is_none());
}

/// [SMS-T11-Call-ID] [SMS-T11-CSeq] [SMS-T11-Max-Forwards] [SMS-T11-Via] [SMS-T11-Content-Type]
#[test]
fn an_invite_of_ours_has_what_every_invite_has() {
    let mut world = World::new();
    world.session();
    let bytes = world.last(A, "INVITE");
    let mut index = Index::new();
    let invite = Message::parse(&bytes, &mut index).unwrap();
    assert!(invite.call_id().is_some_and(|call_id| call_id.ends_with(b"@192.0.2.1")));
    assert_eq!(invite.cseq().map(|cseq| (cseq.number, cseq.method)), Ok((1, b"INVITE".as_slice())));
    assert_eq!(invite.max_forwards(), Ok(Some(70)));
    assert_eq!(invite.top_via().unwrap().host, b"192.0.2.1", "our own address");
    assert_eq!(invite.header(Name::ContentType), Some(b"application/sdp".as_slice()));
}

/// [GEN-SES-06d] [GEN-SES-06e] [GEN-SES-06f] [GEN-SES-06h]
#[test]
fn the_200_to_a_session_has_its_timer_and_says_what_it_takes() {
    let mut world = World::new();
    world.session();
    let accepted = |name| header_of(&world.last(B, "200 INVITE"), name).unwrap_or_default();
    assert_eq!(accepted(Name::SessionExpires), "1800;refresher=uac");
    assert!(accepted(Name::Supported).split(", ").any(|tag| tag == "timer"));
    assert!(accepted(Name::Require).split(", ").any(|tag| tag == "timer"));
    for method in ["INVITE", "ACK", "CANCEL", "BYE", "UPDATE", "OPTIONS"] {
        assert!(accepted(Name::Allow).split(", ").any(|allowed| allowed == method), "{method}");
    }
}

/// [GEN-LMM-04a] [GEN-SES-06a] [SMS-T11-User-Agent]
#[test]
fn both_name_the_product_of_the_iwf() {
    let identity = Identity::default();
    let own = [product::server(&identity), product::user_agent(&identity)].map(String::into_bytes);
    let mut world = World::with(|_, config| config.product = own.clone());
    world.session();
    let server = header_of(&world.last(B, "200 INVITE"), Name::Server).unwrap();
    assert!(server.starts_with("IWF-SMS-serv/OMA2.1 Isthmus/"), "{server}");
    let user_agent = header_of(&world.last(A, "INVITE"), Name::UserAgent).unwrap();
    assert!(user_agent.starts_with("IWF-SMS-client/OMA2.1 Isthmus/"), "{user_agent}");
}

/// [GEN-LMM-03] [GEN-LMM-04] [GEN-LMM-08] [GEN-SES-02] [GEN-SES-11]
#[test]
fn an_ack_asks_for_nothing() {
    let mut world = World::new();
    world.session();
    let before = world.names(B);
    assert!(before.ends_with(&["200 INVITE".to_owned()]));
    world.run(20_000);
    assert_eq!(world.names(B), before, "nor is anything sent again");
}

/// [GEN-LMM-07]
#[test]
fn a_cancel_is_answered_and_ends_the_invite() {
    let mut world = World::new();
    let a = world.invite();
    world.run(300);
    let b = world.invited();
    assert!(world.act(A, |calls, turn| calls.cancel(turn, a, b"")));
    world.run(300);
    assert!(world.names(B).ends_with(&["200 CANCEL".to_owned(), "487 INVITE".to_owned()]));
    assert_eq!(world.ends[B].heard.last(), Some(&Heard::Ended { dialog: b, by: By::Cancel }));
}

/// [GEN-LMM-12c] [GEN-LEAVE-01] [GEN-LEAVE-02]
#[test]
fn a_bye_is_answered_200() {
    let mut world = World::new();
    let [a, b] = world.session();
    world.act(A, |calls, turn| calls.bye(turn, a, b""));
    world.run(20);
    let answered = world.last(B, "200 BYE");
    check_headers(&world.last(A, "BYE"), &answered);
    assert_eq!(world.ends[B].heard.last(), Some(&Heard::Ended { dialog: b, by: By::Bye }));
}
