//! A CPM message becomes short messages, and the SM-SC's answer its response (IWF 6.1.1, 6.2.2.1.1).

use std::time::Duration;

use isthmus::iwf::retained::{ENDS, Progress, Stored};
use isthmus::policy::EarlyAnswer;
use isthmus::wire::smpp::{CommandId, CommandStatus};

use crate::read::joined;
use crate::sip::{answer_to, asking, message, send};
use crate::world::{World, settings};

const LONG: &str = "a text that needs more than one short message because it goes on and on, [with brackets] and €uro \
                    signs, until it has gone past one hundred and sixty septets by a good margin, and then on";

/// [GEN-PAGER-00] [GEN-PAGER-03] [GEN-PAGER-04] [GEN-PAGER-05] [SMS-OUT-01a] [SMS-PAGER-01] [SMS-PAGER-03]
/// [SMS-PAGER-05] [SMS-PAGER-06] [SMS-PAGER-08] [SMS-PAGER-09] [SMS-ESME-01] [SMS-ESME-03a] [SMS-ESME-05]
#[test]
fn a_message_with_the_feature_tag_becomes_one_submit_sm() {
    let mut world = World::new(1, 1, &settings(1));
    let answer = send(&mut world, &message("one@client", "Grüße [€]"));
    assert_eq!(answer.status(), (202, "Accepted"));
    let smsc = &world.smscs[0];
    let commands: Vec<CommandId> = smsc.seen.iter().map(|(_, header)| header.command_id).collect();
    assert_eq!(commands, [CommandId::BIND_TRANSCEIVER, CommandId::SUBMIT_SM], "a bind precedes what is sent");
    let accepted = &smsc.accepted[0];
    assert_eq!((accepted.source_addr.as_slice(), accepted.sar), (b"491700000001".as_slice(), None));
    assert_eq!(accepted.destination_addr, b"491700000002");
    assert_eq!(joined(&[accepted]), "Grüße [€]");
}

/// [SMS-T2-status] [SMS-T2-Call-ID] [SMS-T2-To] [SMS-T2-Via] [SMS-T2-From] [SMS-T2-CSeq] [SMS-T2-Content-Length]
/// [GEN-PAGER-02] [SMS-T2-202] [SMS-T2-404]
#[test]
fn responses_copy_what_the_request_said() {
    for (status, expected) in
        [(CommandStatus::ESME_ROK, (202, "Accepted")), (CommandStatus::ESME_RINVDSTADR, (404, "Not Found"))]
    {
        let mut world = World::new(2, 1, &settings(1));
        world.smscs[0].faults.status = status;
        let answer = send(&mut world, &message("copied@client", "x"));
        assert_eq!(answer.status(), expected);
        assert_eq!(answer.get("Call-ID"), "copied@client");
        assert_eq!(answer.get("From"), "<tel:+491700000001>;tag=a1");
        assert_eq!(answer.get("CSeq"), "1 MESSAGE");
        assert_eq!(answer.get("Content-Length"), "0");
        let to = answer.get("To").split_once(";tag=").expect("a tag of ours");
        assert_eq!(to.0, "<tel:+491700000002>");
        assert!(!to.1.is_empty());
        // RFC 3581 4: received and rport are filled in, the rest stays.
        let via = answer.get("Via");
        assert!(via.starts_with("SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKcopied-client;rport=5070"), "{via}");
        assert!(via.contains("received=192.0.2.1"), "{via}");
        assert!(!answer.has("Contact"), "RFC 3428 7: a MESSAGE response has no Contact");
    }
}

/// [GEN-PAGER-02a] [GEN-PAGER-06a] [GEN-PAGER-06b] [SMS-OK-A1] [SMS-OK-A2]
#[test]
fn the_positive_answer_carries_the_stored_headers() {
    let mut world = World::new(3, 1, &settings(1));
    let headers = "InReplyTo-Contribution-ID: reply-of-mine\r\n";
    let answer = send(&mut world, &crate::cpm::Outgoing { headers: headers.into(), ..message("h@client", "Hello") });
    assert_eq!(answer.status().0, 202);
    assert_eq!(answer.get("Conversation-ID"), "conv-h@client");
    assert_eq!(answer.get("Contribution-ID"), "contrib-h@client");
    assert_eq!(answer.get("InReplyTo-Contribution-ID"), "reply-of-mine");
    assert!(answer.get("Server").starts_with("IWF-SMS-serv/OMA2.1"), "{}", answer.get("Server"));
    assert_eq!(answer.get("Message-Context"), "pager-message");
    assert!(!answer.get("Message-Correlator").is_empty());
}

/// Why a request came to the IWF (CPM SD 5.3.1) changes nothing: it is converted, and goes to the address in it.
///
/// [GEN-03] [GEN-IWF-01] [GEN-IWF-02] [GEN-IWF-03] [GEN-IWF-04] [GEN-IWF-05]
#[test]
fn a_message_with_the_feature_tag_is_a_pager_mode_message() {
    let mut world = World::new(3, 1, &settings(1));
    let headers = "Accept-Contact: *;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg\"\r\n";
    let answer = send(&mut world, &crate::cpm::Outgoing { headers: headers.into(), ..message("t@client", "Hello") });
    assert_eq!(answer.status().0, 202);
    let accepted = &world.smscs[0].accepted[0];
    assert_eq!(
        (accepted.destination_addr.as_slice(), joined(&[accepted]).as_str()),
        (b"491700000002".as_slice(), "Hello")
    );
}

/// [GEN-PAGER-06a] [GEN-PAGER-06b]
#[test]
fn a_negative_answer_carries_them_as_well() {
    let mut world = World::new(3, 1, &settings(1));
    world.smscs[0].faults.status = CommandStatus::ESME_RSUBMITFAIL;
    let answer = send(&mut world, &message("n@client", "Hello"));
    assert_eq!(answer.get("Conversation-ID"), "conv-n@client");
    assert_eq!(answer.get("Contribution-ID"), "contrib-n@client");
    assert!(!answer.has("InReplyTo-Contribution-ID"), "it was not there");
    assert!(answer.has("Server") && !answer.has("Message-Correlator"));
}

/// [SMS-OUT-01b] [SMS-PAGER-03] [SMS-PAGER-04] [SMS-PAGER-10] [SMS-PAGER-11]
#[test]
fn a_long_message_is_answered_when_the_last_segment_is() {
    let mut world = World::new(4, 1, &settings(1));
    world.smscs[0].faults.response_delay = Duration::from_secs(3);
    let answer = send(&mut world, &message("long@client", LONG));
    assert_eq!(answer.status().0, 202);
    let smsc = &world.smscs[0];
    assert_eq!(smsc.count(CommandId::SUBMIT_SM), 2);
    assert_eq!(joined(&smsc.accepted.iter().collect::<Vec<_>>()), LONG);
    assert!(smsc.accepted.iter().all(|accepted| accepted.sar.is_some()));
    assert_eq!(world.cpm.responses.len(), 1);
}

/// [SMS-PAGER-10] [SMS-PAGER-11]
#[test]
fn one_refused_segment_refuses_the_message_once_all_are_answered() {
    let mut world = World::new(5, 1, &settings(1));
    world.smscs[0].faults.statuses = [CommandStatus::ESME_RINVDSTADR].into();
    world.smscs[0].faults.response_delay = Duration::from_secs(3);
    let answer = send(&mut world, &message("part@client", LONG));
    assert_eq!(answer.status(), (404, "Not Found"));
    assert_eq!(world.count(|stats| stats.submit_partial), 1);
}

/// [GEN-PAGER-01] [SMS-PAGER-01]
#[test]
fn content_that_is_no_text_is_refused_with_what_is_accepted() {
    let mut world = World::new(6, 1, &settings(1));
    let request = String::from_utf8(message("pic@client", "x").bytes("UDP", "z9hG4bKpic")).unwrap();
    let request = request.replace("text/plain;charset=utf-8", "image/jpeg;name=\"abcdef\"");
    world.cpm.send_bytes(world.now.moment, "pic@client", request.into_bytes(), false);
    let answer = answer_to(&mut world, "pic@client");
    assert_eq!(answer.status(), (415, "Unsupported Media Type"));
    assert_eq!(answer.get("Accept"), "message/cpim, text/plain, multipart/mixed");
    assert!(world.smscs[0].accepted.is_empty());
}

/// [SMS-PAGER-02]
#[test]
fn a_target_without_a_number_is_not_acceptable() {
    let mut world = World::new(7, 1, &settings(1));
    let request = String::from_utf8(message("name@client", "x").bytes("UDP", "z9hG4bKname")).unwrap();
    let request = request.replace("MESSAGE tel:+491700000002", "MESSAGE sip:alice@home.example");
    let request = request.replace("To: <tel:+491700000002>\r\nCall", "To: <sip:alice@home.example>\r\nCall");
    world.cpm.send_bytes(world.now.moment, "name@client", request.into_bytes(), false);
    assert_eq!(answer_to(&mut world, "name@client").status(), (488, "Not Acceptable Here"));
    assert!(world.smscs[0].accepted.is_empty());
}

/// [GEN-PAGER-07a]
#[test]
fn by_policy_the_answer_does_not_wait_for_the_smsc() {
    let mut settings = settings(1);
    settings.policy.submission.early_answer = EarlyAnswer::Accepted;
    let mut world = World::new(8, 2, &settings);
    world.smscs[0].faults.response_delay = Duration::from_secs(10);
    let before = world.now.moment;
    let answer = send(&mut world, &asking("early@client", "positive-delivery"));
    assert_eq!(answer.status(), (202, "Accepted"));
    assert!(world.now.moment.since(before) < Duration::from_millis(10));
    world.run_for(Duration::from_secs(20));
    assert_eq!(crate::sip::outcomes(&world, "id-of-early@client").len(), 1, "its report still finds it");
    assert_eq!(world.cpm.responses.len(), 1);
}

/// [GEN-PAGER-07b]
#[test]
fn by_policy_even_408_is_sent_early() {
    let mut settings = settings(1);
    settings.policy.submission.early_answer = EarlyAnswer::RequestTimeout;
    let mut world = World::new(9, 1, &settings);
    world.smscs[0].faults.response_delay = Duration::from_secs(10);
    let answer = send(&mut world, &message("408@client", "x"));
    assert_eq!(answer.status(), (408, "Request Timeout"));
    assert_eq!(world.count(|stats| stats.open_messages), 1);
    world.run_for(Duration::from_secs(20));
    assert_eq!(world.count(|stats| stats.open_messages), 0);
}

fn open(world: &World) -> u64 {
    world.count(|stats| stats.open_messages)
}

fn ends(progress: &Progress) -> Vec<&'static str> {
    ENDS.iter().filter(|end| end.procedure == progress.procedure && (end.met)(progress)).map(|end| end.cite).collect()
}

/// [GEN-PAGER-02a1] [GEN-PAGER-02b3]
#[test]
fn without_a_request_nothing_is_kept_beyond_the_answer() {
    let mut world = World::new(10, 1, &settings(1));
    world.smscs[0].faults.response_delay = Duration::from_secs(5);
    world.cpm.send(world.now.moment, &message("a@client", "x"));
    world.run_for(Duration::from_millis(10));
    assert_eq!(open(&world), 1, "kept while the SM-SC has not answered");
    assert_eq!(answer_to(&mut world, "a@client").status().0, 202);
    assert_eq!(open(&world), 0);
    let over = Progress { answered: true, submitted: true, ..Progress::default() };
    assert_eq!(ends(&over), ["6.1.1 2a a", "6.1.1 2b c"]);
    assert_eq!(ends(&Progress { report_requested: true, ..over }), [""; 0]);
}

/// [GEN-PAGER-02a2] [GEN-PAGER-02b1] [GEN-PAGER-02b] [SMS-PAGER-07]
#[test]
fn with_a_request_it_is_kept_until_the_report_was_relayed() {
    let mut world = World::new(11, 2, &settings(1));
    world.smscs[0].faults.no_reports = true;
    world.cpm.silent = true;
    assert_eq!(send(&mut world, &asking("b@client", "positive-delivery")).status().0, 202);
    world.run_for(Duration::from_secs(3600));
    assert_eq!((open(&world), world.count(|stats| stats.open_reports)), (1, 1));
    let (id, now) = (world.smscs[0].accepted[0].message_id, world.now.moment);
    world.smscs[0].report_on(now, id, isthmus::wire::smpp::MessageState::DELIVERED);
    world.run_for(Duration::from_secs(1));
    assert_eq!(open(&world), 1, "received, but not relayed");
    world.cpm.silent = false;
    world.run_for(Duration::from_secs(5));
    assert_eq!((open(&world), world.count(|stats| stats.open_reports)), (0, 0));
    let relayed =
        Progress { report_requested: true, answered: true, submitted: true, relayed: true, ..Progress::default() };
    assert_eq!(ends(&relayed), ["6.1.1 2a b", "6.1.1 2b a"]);
}

/// [GEN-PAGER-02b2]
#[test]
fn a_display_notification_would_end_the_imdn_headers() {
    let displayed = Progress { report_requested: true, displayed: true, ..Progress::default() };
    assert_eq!(displayed.end_of(Stored::ImdnHeaders).map(|end| end.cite), Some("6.1.1 2b b"));
    assert!(displayed.end_of(Stored::SipHeaders).is_none());
}

/// [GEN-PAGER-02a3] [GEN-PAGER-02b4] [GEN-PAGER-02a]
#[test]
fn nothing_outlives_the_short_message() {
    let mut world = World::new(12, 1, &settings(1));
    world.smscs[0].faults.no_reports = true;
    let expiring =
        crate::cpm::Outgoing { headers: "Expires: 60\r\n".into(), ..asking("c@client", "positive-delivery") };
    assert_eq!(send(&mut world, &expiring).status().0, 202);
    world.run_for(Duration::from_secs(600));
    assert_eq!(open(&world), 1, "the report about its end may still come");
    world.run_for(Duration::from_secs(120));
    assert_eq!((open(&world), world.count(|stats| stats.open_reports)), (0, 0));
    assert_eq!(
        ends(&Progress { report_requested: true, expired: true, ..Progress::default() }),
        ["6.1.1 2a c", "6.1.1 2b d"]
    );
}

/// [GEN-PAGER-03-N]
#[test]
fn headers_of_the_message_have_their_fields_in_the_short_message() {
    use isthmus::wire::smpp::{Pdu, Tag};
    let mut world = World::new(13, 1, &settings(1));
    let headers = "Expires: 3600\r\nPriority: urgent\r\nContent-Language: fr\r\n".into();
    assert_eq!(send(&mut world, &crate::cpm::Outgoing { headers, ..message("map@client", "Salut") }).status().0, 202);
    let Ok((_, Pdu::SubmitSm(pdu))) = Pdu::parse(&world.smscs[0].accepted[0].pdu) else { panic!("submit_sm") };
    assert_eq!((pdu.priority_flag, pdu.validity_period), (2, b"000000010000000R".as_slice()));
    assert_eq!(pdu.tlvs.u8(Tag::LANGUAGE_INDICATOR), Some(2));
}

/// [IDENT-01] [IDENT-02-SIP] [IDENT-02-TEL] [HDR-D-04]
#[test]
fn both_sides_may_be_sip_or_tel_uris_and_a_reply_may_name_the_service() {
    let sip = |number: &str| format!("sip:{number}@home.example;user=phone");
    let tel = |number: &str| format!("tel:{number}");
    let reply = |number: &str| format!("tel:{number};nccsid=SMS");
    let (from, to) = ("+491700000001", "+491700000002");
    for (at, (sender, recipient)) in
        [(sip(from), sip(to)), (sip(from), tel(to)), (tel(from), sip(to)), (tel(from), reply(to))].iter().enumerate()
    {
        let mut world = World::new(14, 1, &settings(1));
        let call_id = format!("uri{at}@client");
        let request = message(&call_id, "x").bytes("UDP", &format!("z9hG4bKuri{at}"));
        let (head, body) = String::from_utf8(request)
            .unwrap()
            .split_once("\r\n\r\n")
            .map(|(h, b)| (h.to_owned(), b.to_owned()))
            .unwrap();
        let head = head.replace(&tel(from), sender).replace(&tel(to), recipient);
        world.cpm.send_bytes(world.now.moment, &call_id, format!("{head}\r\n\r\n{body}").into_bytes(), false);
        assert_eq!(answer_to(&mut world, &call_id).status().0, 202, "{sender} {recipient}");
        let accepted = &world.smscs[0].accepted[0];
        assert_eq!(accepted.source_addr, b"491700000001", "{sender}");
        assert_eq!(accepted.destination_addr, b"491700000002", "{recipient}");
    }
}

/// [RCS-E164-2]
#[test]
fn a_sender_without_a_number_is_not_interworked() {
    let mut world = World::new(15, 1, &settings(1));
    let request = String::from_utf8(message("alice@client", "x").bytes("UDP", "z9hG4bKalice")).unwrap();
    let request =
        request.replace("P-Asserted-Identity: <tel:+491700000001>", "P-Asserted-Identity: <sip:alice@home.example>");
    world.cpm.send_bytes(world.now.moment, "alice@client", request.into_bytes(), false);
    assert_eq!(answer_to(&mut world, "alice@client").status(), (488, "Not Acceptable Here"));
    assert!(world.smscs[0].accepted.is_empty());
}
