//! Invitations to CPM Sessions (IWF V3.0 6.1.4, 6.2.2.1.3, Tables 4 and 5; 4.4 for RCS).

use isthmus::policy::{
    ContactFeatureTag, Decline, NetworkType, NoAnswer, Policy, SessionInvitation, UntaggedInvitation,
};
use isthmus::wire::smpp::{CommandId, CommandStatus, Pdu};

use crate::chat::{CPM_USER, OK, SMS_USER, answer, nothing_is_left, seconds, statuses, submitted, world_with};
use crate::client::{Client, FILE_TRANSFER, GROUP_SESSION, LARGE_MESSAGE, SESSION, cpim, header, line};
use crate::sip::requests;
use crate::world::{MSRP, World};

fn asking() -> Policy {
    let mut policy = Policy::default();
    policy.sessions.invitation = SessionInvitation::Ask;
    policy
}

/// An invitation, and what came back at once.
fn invite(policy: Policy, client: &mut Client) -> (World, Vec<String>) {
    let mut world = world_with(policy);
    let responses = client.invite(&mut world);
    (world, responses)
}

/// The SMS user is being asked.
fn asked(call_id: &str, policy: Policy) -> (World, Client) {
    let mut client = Client::new(call_id, SESSION);
    let (mut world, _) = invite(policy, &mut client);
    seconds(&mut world, 1);
    client.heard(&mut world);
    (world, client)
}

fn code(response: &str) -> u16 {
    response.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{response}"))
}

/// Codes of the final responses that came since.
fn finals(client: &mut Client, world: &mut World) -> Vec<u16> {
    let responses = client.heard(world).into_iter().filter(|message| message.starts_with("SIP/2.0 "));
    let mut codes: Vec<u16> = responses.map(|response| code(&response)).filter(|code| *code >= 200).collect();
    codes.dedup();
    codes
}

/// [GEN-SES-02] [GEN-SES-06] [GEN-SES-06a] [GEN-SES-06c] [GEN-SES-06d] [GEN-SES-06e] [GEN-SES-06f] [GEN-SES-06g]
/// [GEN-SES-06h] [GEN-SES-06i] [GEN-SES-09] [SMS-OUT-02] [SMS-INV-00] [SMS-OK-SES] [GEN-SES-06b-X1]
#[test]
fn an_invitation_is_accepted_on_behalf_of_the_sms_user() {
    let mut client = Client {
        headers: "InReplyTo-Contribution-ID: before\r\nSession-Expires: 1200;refresher=uac\r\n".into(),
        ..Client::new("inv1@a", SESSION)
    };
    let (world, responses) = invite(Policy::default(), &mut client);
    let ok = responses.last().expect("a response");
    assert_eq!(code(ok), 200, "{ok}");
    let get = |name: &str| header(ok, name).unwrap_or_else(|| panic!("{name} in {ok}"));
    assert!(get("Via").starts_with("SIP/2.0/UDP 192.0.2.9:5060;"));
    assert!(get("Server").contains("/OMA"));
    assert!(get("Contact").contains(&format!("+g.3gpp.icsi-ref=\"{SESSION}\"")));
    assert_eq!(get("Conversation-ID"), "conv-inv1@a");
    assert_eq!(get("Contribution-ID"), "contrib-inv1@a");
    assert_eq!(get("InReplyTo-Contribution-ID"), "before");
    assert_eq!(get("Session-Expires"), "1200;refresher=uac");
    assert!(get("Supported").contains("timer") && get("Require").contains("timer"));
    for method in ["INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "PRACK", "MESSAGE"] {
        assert!(get("Allow").contains(method), "{method}");
    }
    assert!(get("P-Asserted-Identity").contains("tel:+15550002"));
    assert_eq!(get("Message-Context"), "pager-message");
    assert_eq!(get("Content-Type"), "application/sdp");
    assert!(line(ok, "a=path:").expect("path").starts_with(&format!("msrp://{MSRP}/")), "{ok}");
    assert!(ok.contains("\r\na=setup:passive\r\n") && ok.contains("\r\nm=message 2855 TCP/MSRP *\r\n"), "{ok}");
    assert!(submitted(&world).is_empty(), "nobody was asked");
}

/// [GEN-SES-06b]
#[test]
fn by_policy_contact_has_the_tag_that_the_step_prints() {
    let mut policy = Policy::default();
    policy.sessions.contact_feature_tag = ContactFeatureTag::LargeMessage;
    let (_, responses) = invite(policy, &mut Client::new("inv2@a", SESSION));
    let contact = header(&responses[0], "Contact").expect("Contact");
    assert!(contact.contains(&format!("+g.3gpp.icsi-ref=\"{LARGE_MESSAGE}\"")), "{contact}");
}

/// [GEN-SES-06h2] [RCS-OFF-MULTISTREAM]
#[test]
fn of_several_streams_one_is_accepted_and_in_rcs_none() {
    let second = "m=message 7395 TCP/MSRP *\r\na=accept-types:text/plain\r\na=path:msrp://192.0.2.9:7395/b;tcp\r\n";
    let audio = "m=audio 4000 RTP/AVP 0\r\n";
    for other in [second, audio] {
        let client = || Client { attributes: format!("a=sendrecv\r\n{other}"), ..Client::new("inv3@a", SESSION) };
        let (_, responses) = invite(Policy::default(), &mut client());
        let ok = responses.last().unwrap();
        assert_eq!(code(ok), 200, "{ok}");
        let ports: Vec<_> = ok.split("\r\n").filter(|line| line.starts_with("m=")).collect();
        assert_eq!(ports.len(), 2, "{ok}");
        assert!(ports[0].starts_with("m=message 2855 ") && ports[1].split(' ').nth(1) == Some("0"), "{ok}");
        let (_, responses) = invite(Policy::rcs(), &mut client());
        assert_eq!(code(responses.last().unwrap()), 488);
    }
}

/// [GEN-SES-01]
#[test]
fn an_offer_of_which_nothing_can_be_taken_is_488_with_a_warning() {
    for (from, to) in [
        ("TCP/MSRP", "TCP/TLS/MSRP"),
        ("m=message", "m=audio"),
        ("accept-types:message/cpim", "accept-types:text/plain"),
        ("m=message 7394", "m=message 0"),
    ] {
        let mut world = world_with(Policy::default());
        let mut client = Client::new("inv4@a", SESSION);
        let offer = client.offer().replace(from, to);
        let tag = format!("Contact: <sip:192.0.2.9:5060>;+g.3gpp.icsi-ref=\"{SESSION}\"\r\n");
        let identity = "P-Asserted-Identity: <tel:+15550001>\r\n";
        let invite = client.request("INVITE", &format!("{tag}{identity}"), &offer);
        let responses = client.send(&mut world, &invite);
        let refusal = responses.last().unwrap();
        assert_eq!(code(refusal), 488, "{to}: {refusal}");
        assert!(header(refusal, "Warning").is_some(), "{to}: {refusal}");
        client.ack_refusal(&mut world);
        nothing_is_left(&mut world);
    }
}

/// [GEN-SES-05a] [GEN-SES-07]
#[test]
fn by_policy_an_invitation_is_refused() {
    let mut policy = Policy::default();
    policy.sessions.invitation = SessionInvitation::Refuse;
    let (world, responses) = invite(policy, &mut Client::new("inv5@a", SESSION));
    let refusal = responses.last().unwrap();
    assert!(refusal.starts_with("SIP/2.0 480 Temporarily Unavailable\r\n"), "{refusal}");
    assert_eq!(world.count(|s| s.chats_refused), 1);
}

/// [GEN-FT-00] [RCS-OFF-GROUP] [RCS-OFF-FT]
#[test]
fn sms_has_neither_files_nor_groups() {
    for policy in [Policy::default(), Policy::rcs()] {
        for feature in [FILE_TRANSFER, GROUP_SESSION] {
            let (_, responses) = invite(policy.clone(), &mut Client::new("inv6@a", feature));
            assert_eq!(code(responses.last().unwrap()), 488, "{feature}");
        }
    }
}

#[test]
fn what_an_invite_without_a_tag_is_says_policy() {
    for (untagged_invitation, expected) in [(UntaggedInvitation::Session, 200), (UntaggedInvitation::Refuse, 488)] {
        let mut policy = Policy::default();
        policy.sessions.untagged_invitation = untagged_invitation;
        let (_, responses) = invite(policy, &mut Client::new("inv7@a", ""));
        assert_eq!(code(responses.last().unwrap()), expected);
    }
}

/// [RCS-ACCEPT] [RCS-OFF-ASK]
#[test]
fn in_rcs_an_invitation_is_always_accepted() {
    for invitation in [SessionInvitation::Ask, SessionInvitation::Refuse] {
        let mut policy = Policy::rcs();
        policy.sessions.invitation = invitation;
        let (mut world, responses) = invite(policy, &mut Client::new("inv8@a", SESSION));
        assert_eq!(code(responses.last().unwrap()), 200);
        seconds(&mut world, 1);
        assert!(submitted(&world).is_empty(), "nobody was asked");
    }
}

/// [GEN-SES-08] [GEN-SES-08a] [GEN-SES-08b] [GEN-SES-08c] [SMS-INV-03] [SMS-INV-04] [SMS-INV-05b] [SMS-T4-short_message]
/// [SMS-T4-source_addr] [SMS-T4-destination_addr] [SMS-T4-registered_delivery-gsm]
#[test]
fn the_sms_user_is_asked_while_it_rings() {
    let mut client = Client { headers: "Subject: Dinner\r\n".into(), ..Client::new("ask1@a", SESSION) };
    let (mut world, responses) = invite(asking(), &mut client);
    assert_eq!(responses.iter().map(|response| code(response)).collect::<Vec<_>>(), [180]);
    seconds(&mut world, 10);
    assert_eq!(submitted(&world), ["+15550001 invites you to a chat: Dinner. Answer YES or NO."]);
    let question = &world.smscs[0].accepted[0];
    assert_eq!((&*question.source_addr, &*question.destination_addr), (CPM_USER.as_bytes(), SMS_USER.as_bytes()));
    assert_eq!(question.registered_delivery, 0);
    assert!(finals(&mut client, &mut world).is_empty(), "the answer is waited for");
}

/// [SMS-T4-registered_delivery-cdma] [SMS-T4-short_message]
#[test]
fn in_cdma_the_phone_prompts() {
    let mut policy = asking();
    policy.submission.network_type = NetworkType::Cdma;
    let (world, _) = asked("ask2@a", policy);
    let question = &world.smscs[0].accepted[0];
    assert_eq!(question.registered_delivery, 0x08);
    assert!(question.short_message.is_empty());
}

/// [GEN-SES-08d1] [SMS-INV-06] [SMS-INV-06B] [SMS-INV-07] [SMS-INV-07B] [SMS-INV-08] [SMS-INV-08-N] [SMS-INV-09]
/// [SMS-INV-10] [SMS-INV-11] [SMS-T5-200] [SMS-T5-keywords] [SMS-T5-body] [SMS-T5-Call-ID] [SMS-T5-CSeq]
#[test]
fn a_word_of_the_sms_user_accepts() {
    for word in ["YES", "ok", " Yes! "] {
        let (mut world, mut client) = asked("ask3@a", asking());
        let place = answer(&mut world, word);
        let heard = client.heard(&mut world);
        let ok = heard.last().expect("a response");
        assert_eq!(code(ok), 200, "{word}: {ok}");
        assert_eq!(header(ok, "Call-ID").as_deref(), Some("ask3@a"));
        assert_eq!(header(ok, "CSeq").as_deref(), Some("1 INVITE"));
        assert!(line(ok, "a=path:").is_some() && header(ok, "Session-Expires").is_some(), "{ok}");
        assert_eq!(statuses(&world, place), [OK]);
        client.ack(&mut world);
        client.connect(&mut world, 0);
        client.bind(&mut world);
        client.say(&mut world, &cpim("id1", "", "Hello"), 10_000);
        seconds(&mut world, 1);
        assert_eq!(submitted(&world).last().unwrap(), "Hello");
        client.bye(&mut world);
        seconds(&mut world, 1);
        assert_eq!(submitted(&world).last().unwrap(), "+15550001 has left the chat.");
        nothing_is_left(&mut world);
    }
}

/// [GEN-SES-08d2] [SMS-INV-09] [SMS-INV-10] [SMS-INV-11] [SMS-T5-603] [SMS-T5-keywords] [SMS-T5-body]
#[test]
fn a_word_of_the_sms_user_declines() {
    for (decline, expected) in [(Decline::Decline, 603), (Decline::TemporarilyUnavailable, 480)] {
        let mut policy = asking();
        policy.sessions.decline = decline;
        let (mut world, mut client) = asked("ask4@a", policy);
        let place = answer(&mut world, "No.");
        let refusal = client.heard(&mut world).pop().expect("a response");
        assert_eq!(code(&refusal), expected, "{refusal}");
        assert_eq!(header(&refusal, "Content-Length").as_deref(), Some("0"));
        assert_eq!(statuses(&world, place), [OK]);
        client.ack_refusal(&mut world);
        nothing_is_left(&mut world);
    }
}

/// [GEN-SES-08d3] [SMS-INV-08A]
#[test]
fn what_is_no_answer_is_a_message_of_its_own() {
    let (mut world, mut client) = asked("ask5@a", asking());
    let place = answer(&mut world, "Who is this?");
    assert!(finals(&mut client, &mut world).is_empty());
    let requests = requests(&world);
    assert!(requests.len() == 1 && requests[0].first_line.starts_with("MESSAGE tel:+15550001 "), "{requests:?}");
    assert_eq!(statuses(&world, place), [OK]);
    answer(&mut world, "Yes");
    assert_eq!(finals(&mut client, &mut world), [200], "the question still stands");
}

/// [GEN-SES-10]
#[test]
fn an_sms_user_who_does_not_answer_is_480_or_408() {
    for (no_answer, expected) in [(NoAnswer::TemporarilyUnavailable, 480), (NoAnswer::RequestTimeout, 408)] {
        let mut policy = asking();
        policy.sessions.no_answer = no_answer;
        let (mut world, mut client) = asked("ask6@a", policy);
        seconds(&mut world, 140);
        assert!(finals(&mut client, &mut world).is_empty());
        seconds(&mut world, 20);
        assert_eq!(finals(&mut client, &mut world), [expected]);
        client.ack_refusal(&mut world);
        // Nobody waits for an answer any more.
        answer(&mut world, "Yes");
        assert_eq!(requests(&world).len(), 1);
        nothing_is_left(&mut world);
    }
}

/// [GEN-SES-08e]
#[test]
fn by_policy_an_sms_user_is_told_that_the_acceptance_came_too_late() {
    let mut policy = asking();
    policy.sessions.late_answer_text = "Too late.".into();
    let (mut world, mut client) = asked("ask7@a", policy);
    seconds(&mut world, 160);
    assert_eq!(finals(&mut client, &mut world), [480]);
    client.ack_refusal(&mut world);
    let place = answer(&mut world, "Yes");
    assert_eq!(statuses(&world, place), [OK]);
    assert_eq!(submitted(&world).last().unwrap(), "Too late.");
    assert!(requests(&world).is_empty() && finals(&mut client, &mut world).is_empty());
    answer(&mut world, "Yes");
    assert_eq!(requests(&world).len(), 1, "once");
    nothing_is_left(&mut world);
}

/// [SMS-INV-05a]
#[test]
fn a_question_that_the_sm_sc_refuses_is_answered_as_table_2_has_it() {
    for (status, expected) in [
        (CommandStatus::ESME_RINVDSTADR, 404),
        (CommandStatus::ESME_RINVSRCADR, 488),
        (CommandStatus::ESME_RSYSERR, 480),
    ] {
        let mut world = world_with(asking());
        world.smscs[0].faults.status = status;
        let mut client = Client::new("ask8@a", SESSION);
        client.invite(&mut world);
        seconds(&mut world, 1);
        assert_eq!(finals(&mut client, &mut world), [expected], "{status:?}");
        client.ack_refusal(&mut world);
        nothing_is_left(&mut world);
    }
}

#[test]
fn an_inviter_may_change_his_mind() {
    let (mut world, mut client) = asked("ask9@a", asking());
    let codes: Vec<_> = client.cancel(&mut world).iter().map(|response| code(response)).collect();
    assert!(codes.contains(&200) && codes.contains(&487), "{codes:?}");
    client.ack_refusal(&mut world);
    let place = answer(&mut world, "Yes");
    assert_eq!(requests(&world).len(), 1, "there is nothing to accept");
    assert_eq!(statuses(&world, place), [OK]);
    nothing_is_left(&mut world);
}

/// [SMS-T4-validity_period] [SMS-T4-esm_class]
#[test]
fn a_question_is_no_longer_delivered_than_its_answer_is_waited_for() {
    let (world, _) = asked("ask10@a", asking());
    let pdu = &world.smscs[0].accepted[0].pdu;
    let Ok((header, Pdu::SubmitSm(question))) = Pdu::parse(pdu) else { panic!("a submit_sm") };
    assert_eq!(header.command_id, CommandId::SUBMIT_SM);
    assert_eq!(question.validity_period, b"000000000230000R");
    assert_eq!(question.esm_class & 0x03, 3);
}
