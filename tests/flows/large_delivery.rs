//! A short message that is too large for a SIP MESSAGE goes to the CPM user as a Large Message (IWF V3.0 6.2.2.2.3, Table
//! 11), and what comes of it is its deliver_sm_resp.

use isthmus::policy::Policy;
use isthmus::wire::smpp::{CommandStatus, Tag, Tlvs, tlv};

use crate::callee::Callee;
use crate::chat::{
    CPM_USER, OK, REFUSED, SMS_USER, TRY_AGAIN, nothing_is_left, nothing_stays, seconds, sms_part, statuses, world_of,
};
use crate::client::{LARGE_MESSAGE, header};
use crate::large_message::long_text;
use crate::sip::Cpim;
use crate::world::World;

/// One part of a text; its place in the SM-SC's deliveries.
fn part(world: &mut World, from: &str, (number, total): (usize, usize), text: &str) -> usize {
    let mut tlvs = Vec::new();
    tlv::put(&mut tlvs, Tag::SAR_MSG_REF_NUM, &77_u16.to_be_bytes());
    tlv::put(&mut tlvs, Tag::SAR_TOTAL_SEGMENTS, &[u8::try_from(total).unwrap()]);
    tlv::put(&mut tlvs, Tag::SAR_SEGMENT_SEQNUM, &[u8::try_from(number).unwrap()]);
    sms_part(world, (from, CPM_USER), text, Tlvs::parse(&tlvs).unwrap())
}

/// A text in parts of 140 characters; the place of the last one.
fn deliver(world: &mut World, from: &str, text: &str) -> usize {
    let parts: Vec<&str> = text.as_bytes().chunks(140).map(|part| core::str::from_utf8(part).unwrap()).collect();
    let mut last = 0;
    for (number, text) in parts.iter().enumerate() {
        last = part(world, from, (number + 1, parts.len()), text);
        seconds(world, 1);
    }
    last
}

/// Gateways with so many cores, whose CPM users' sessions the test plays.
fn world(shards: u16) -> World {
    let mut world = world_of(shards, Policy::default());
    world.sessions_apart = true;
    world
}

/// A text of twenty parts, and the invitation that it became.
fn called() -> (World, Callee, usize) {
    let mut world = world(1);
    let last = deliver(&mut world, SMS_USER, &long_text(2_800));
    let callee = Callee::called(&world);
    (world, callee, last)
}

/// The same, accepted and connected.
fn accepted() -> (World, Callee, usize) {
    let (mut world, mut callee, last) = called();
    callee.accept(&mut world, "passive");
    callee.connected(&world);
    (world, callee, last)
}

/// [SMS-INLMM-02] [SMS-INLMM-03] [SMS-INLMM-04] [SMS-T11-to] [SMS-T11-from] [SMS-T11-from-tel] [SMS-T11-Call-ID]
/// [SMS-T11-CSeq] [SMS-T11-Max-Forwards] [SMS-T11-Via] [SMS-T11-Contact] [SMS-T11-Content-Type] [SMS-T11-Accept-Contact]
/// [SMS-T11-Date] [SMS-T11-User-Agent]
#[test]
fn the_whole_text_becomes_an_invite_of_table_11() {
    let mut world = world(1);
    let text = long_text(40 * 140);
    let (but_last, last) = text.split_at(39 * 140);
    for (number, text) in but_last.as_bytes().chunks(140).enumerate() {
        part(&mut world, SMS_USER, (number + 1, 40), core::str::from_utf8(text).unwrap());
    }
    seconds(&mut world, 1);
    assert!(world.strays.is_empty(), "it waits for the rest");
    part(&mut world, SMS_USER, (40, 40), last);
    seconds(&mut world, 1);
    let invite = Callee::called(&world).invite;
    assert!(invite.starts_with("INVITE tel:+15550001 SIP/2.0\r\n"), "{invite}");
    let get = |name: &str| header(&invite, name).unwrap_or_else(|| panic!("{name} in {invite}"));
    assert_eq!(get("To"), "<tel:+15550001>");
    assert!(get("From").starts_with("<tel:+15550002;nccsid=SMS>;tag="), "{invite}");
    assert_eq!(get("P-Asserted-Identity"), "<tel:+15550002>");
    assert!(!get("Call-ID").is_empty() && get("CSeq").ends_with(" INVITE"));
    assert_eq!(get("Max-Forwards"), "70");
    assert!(get("Via").starts_with("SIP/2.0/UDP ") && get("Via").contains(";branch=z9hG4bK"), "{invite}");
    let tag = format!("+g.3gpp.icsi-ref=\"{LARGE_MESSAGE}\"");
    assert!(get("Contact").contains(&tag) && get("Accept-Contact").contains(&tag), "{invite}");
    assert_eq!(get("Content-Type"), "application/sdp");
    assert!(get("Date").ends_with(" GMT") && get("User-Agent").contains("/OMA"), "{invite}");
    for line in ["a=sendonly", "a=setup:actpass", "a=accept-types:message/cpim"] {
        assert!(invite.contains(&format!("\r\n{line}\r\n")), "{line} in {invite}");
    }
}

/// [SMS-INLMM-05] [SMS-INLMM-06]
#[test]
fn the_client_accepts_and_the_sm_sc_is_answered_when_it_has_the_text() {
    let text = long_text(40 * 140);
    for setup in ["passive", "active"] {
        let mut world = world(1);
        let last = deliver(&mut world, SMS_USER, &text);
        let mut callee = Callee::called(&world);
        let sent = callee.accept(&mut world, setup);
        assert!(sent.iter().any(|request| request.starts_with("ACK ")), "{sent:?}");
        if setup == "passive" {
            callee.connected(&world);
        } else {
            assert!(world.dials.is_empty());
            callee.connect(&mut world, 0);
        }
        seconds(&mut world, 1);
        assert_eq!(statuses(&world, last), [], "{setup}: not before the MSRP response");
        let messages = callee.client.listen(&mut world);
        let texts: Vec<String> = messages.iter().filter(|m| !m.is_empty()).map(|m| Cpim::read(m).content).collect();
        assert_eq!(texts, std::slice::from_ref(&text), "{setup}");
        seconds(&mut world, 1);
        assert_eq!(statuses(&world, last), [OK], "{setup}");
        callee.client.take_bye(&mut world);
        assert_eq!(world.count(|s| s.large_deliveries_open), 0, "{setup}");
        nothing_stays(&mut world);
    }
}

/// [SMS-INLMM-01]
#[test]
fn a_sender_without_a_number_is_refused_and_nobody_invited() {
    let mut world = world(1);
    let last = deliver(&mut world, "12", &long_text(2_800));
    assert_eq!(statuses(&world, last), [REFUSED]);
    assert!(world.strays.is_empty());
    nothing_stays(&mut world);
}

/// A refused INVITE is what a refused MESSAGE is (Table 10); it is acknowledged.
#[test]
fn a_refusal_becomes_the_deliver_sm_resp() {
    for (code, expected) in [
        (404, CommandStatus::ESME_RINVDSTADR),
        (486, TRY_AGAIN),
        (480, TRY_AGAIN),
        (503, TRY_AGAIN),
        (403, REFUSED),
        (488, REFUSED),
    ] {
        let (mut world, mut callee, last) = called();
        callee.refuse(&mut world, code);
        let sent = callee.client.asked(&mut world);
        assert!(sent.iter().any(|request| request.starts_with("ACK ")), "{code}: {sent:?}");
        seconds(&mut world, 1);
        assert_eq!(statuses(&world, last), [expected], "{code}");
        nothing_is_left(&mut world);
    }
}

/// The MSRP response as in 6.2.2.2.2.
#[test]
fn an_msrp_error_becomes_the_deliver_sm_resp() {
    for (code, expected) in [(408, TRY_AGAIN), (413, REFUSED), (415, REFUSED), (481, TRY_AGAIN), (403, REFUSED)] {
        let (mut world, mut callee, last) = accepted();
        assert!(callee.client.refuse(&mut world, code) > 0);
        seconds(&mut world, 1);
        assert_eq!(statuses(&world, last), [expected], "{code}");
        callee.client.take_bye(&mut world);
        nothing_is_left(&mut world);
    }
}

/// Nobody answers, a description that is no answer, a connection that is refused, no MSRP response: try again.
#[test]
fn what_is_not_answered_may_be_tried_again() {
    let (mut world, _, last) = called();
    seconds(&mut world, 400);
    assert_eq!(statuses(&world, last), [TRY_AGAIN], "no answer to INVITE");
    nothing_is_left(&mut world);

    let (mut world, mut callee, last) = called();
    world.accept_dials = false;
    callee.accept(&mut world, "passive");
    seconds(&mut world, 1);
    callee.client.seen = 0;
    callee.client.take_bye(&mut world);
    seconds(&mut world, 1);
    assert_eq!(statuses(&world, last), [TRY_AGAIN], "connection refused");
    nothing_is_left(&mut world);

    let (mut world, mut callee, last) = accepted();
    seconds(&mut world, 120);
    assert_eq!(statuses(&world, last), [TRY_AGAIN], "no MSRP response");
    callee.client.take_bye(&mut world);
    nothing_is_left(&mut world);
}

/// The CPM user leaves in the middle, or his connection does.
#[test]
fn who_leaves_before_the_end_gets_it_again() {
    let (mut world, mut callee, last) = accepted();
    let heard = callee.bye(&mut world);
    assert!(heard.last().is_some_and(|last| last.starts_with("SIP/2.0 200 ")), "{heard:?}");
    seconds(&mut world, 1);
    assert_eq!(statuses(&world, last), [TRY_AGAIN]);
    nothing_is_left(&mut world);

    let (mut world, mut callee, last) = accepted();
    world.tcp_close(callee.client.link.take().expect("a connection").0);
    seconds(&mut world, 300);
    assert_eq!(statuses(&world, last), [TRY_AGAIN]);
    nothing_is_left(&mut world);
}

/// RFC 3261 13.2.2.4: another who answers the same INVITE is acknowledged, and left.
#[test]
fn of_two_who_answer_one_gets_the_message() {
    let (mut world, mut callee, last) = accepted();
    let description = callee.description("passive");
    callee.respond(&mut world, 200, "another", &description);
    let sent = callee.client.asked(&mut world);
    let to_other = |method: &str| {
        let of = |request: &&String| request.starts_with(method) && request.contains(";tag=another\r\n");
        sent.iter().filter(of).count()
    };
    assert_eq!((to_other("ACK "), to_other("BYE ")), (1, 1), "{sent:?}");
    assert_eq!(callee.client.listen(&mut world).iter().filter(|message| !message.is_empty()).count(), 1);
    seconds(&mut world, 1);
    assert_eq!(statuses(&world, last), [OK]);
    callee.client.take_bye(&mut world);
    nothing_stays(&mut world);
}

/// A client that takes its time, ringing.
#[test]
fn an_answer_may_come_late() {
    let (mut world, mut callee, last) = called();
    callee.respond(&mut world, 180, "callee", "");
    seconds(&mut world, 60);
    assert_eq!(statuses(&world, last), []);
    callee.accept(&mut world, "passive");
    callee.connected(&world);
    callee.client.listen(&mut world);
    seconds(&mut world, 1);
    assert_eq!(statuses(&world, last), [OK]);
    callee.client.take_bye(&mut world);
    nothing_stays(&mut world);
}

/// Two cores, the client's connection and SIP on either.
#[test]
fn it_does_not_matter_which_core_hears_first() {
    for at in [0, 1] {
        for setup in ["passive", "active"] {
            let mut world = world(2);
            world.arrive_at = Some(at);
            let last = deliver(&mut world, SMS_USER, &long_text(2_800));
            let mut callee = Callee::called(&world);
            callee.accept(&mut world, setup);
            if setup == "passive" {
                callee.connected(&world);
            } else {
                callee.connect(&mut world, 1 - at);
            }
            callee.client.listen(&mut world);
            seconds(&mut world, 1);
            assert_eq!(statuses(&world, last), [OK], "{at} {setup}");
            callee.client.take_bye(&mut world);
            nothing_stays(&mut world);
        }
    }
}
