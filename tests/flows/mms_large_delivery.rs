//! An MM that is too large for a SIP MESSAGE goes to the CPM user by MSRP (IWF V3.0 6.3.1.2.2, Tables 39 and 40 and the
//! table behind them), and what comes of that answers its mail.

use isthmus::shard::settings::{MsrpSettings, Settings};

use crate::callee::Callee;
use crate::client::{LARGE_MESSAGE, header};
use crate::large_message::long_text;
use crate::mms_delivery::sides_with;
use crate::mmsc::Bringing;
use crate::multimedia::{Mm, Sides, base64, chunks, find};
use crate::sip::{Cpim, requests};
use crate::world::settings_with_mms;

fn sides_of(shards: u16, settings: &Settings) -> Sides {
    let mut sides = Sides::of(shards, settings);
    sides.world.sessions_apart = true;
    sides
}

fn sides() -> Sides {
    sides_of(1, &settings_with_mms(0))
}

/// A long text, and the invitation that it became.
fn called(mm: &Mm) -> (Sides, Callee) {
    let mut sides = sides();
    assert_eq!(sides.bring(&mm.mail()), "", "not before the CPM side has it");
    let callee = Callee::called(&sides.world);
    (sides, callee)
}

fn long_mm() -> Mm {
    Mm::text("mm-1", &long_text(2_800))
}

/// The same, accepted and connected.
fn accepted(mm: &Mm) -> (Sides, Callee) {
    let (mut sides, mut callee) = called(mm);
    callee.accept(&mut sides.world, "passive");
    callee.connected(&sides.world);
    (sides, callee)
}

/// What the Relay/Server has been told: the class of the reply to its mail, and the status of the response.
fn told(sides: &mut Sides) -> (String, Vec<String>) {
    sides.pass(1);
    let reply = sides.brings.replies(&sides.world);
    (reply.get(..3).unwrap_or_default().to_owned(), sides.statuses())
}

fn octets(count: u32) -> Vec<u8> {
    (0..count).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

/// [MM4-IN-02] [MM4-ROUTE-07] [MM4-INLMM-00] [MM4-INLMM-02] [MM4-T39-to] [MM4-T40-User-Agent] [MM4-T40-from]
/// [MM4-T40-from-tel] [MM4-T40-from-nccsid] [MM4-T40-Date] [MM4-T40-Message-Expires] [MM4-T40-Subject]
/// [MM4-T40-Max-Forwards] [MM4-T40-Accept-Contact] [MM4-T40-Via] [MM4-T40-CSeq] [MM4-T40-Call-ID] [SEC-03b]
#[test]
fn a_large_mm_becomes_an_invite_of_tables_39_and_40() {
    let (_, callee) = called(&long_mm().with(
        "Date: Sat, 21 Nov 2026 11:00:30 +0100\r\nX-Mms-Expiry: 3600\r\nX-Mms-Delivery-Report: Yes\r\n\
         Subject: =?utf-8?Q?Sch=C3=B6n?=\r\n",
    ));
    let invite = callee.invite;
    assert!(invite.starts_with("INVITE tel:+15550001 SIP/2.0\r\n"), "{invite}");
    let get = |name: &str| header(&invite, name).unwrap_or_else(|| panic!("{name} in {invite}"));
    assert_eq!(get("To"), "<tel:+15550001>");
    assert!(get("From").starts_with("<tel:+15550002;nccsid=MMS>;tag="), "{invite}");
    assert_eq!(get("P-Asserted-Identity"), "<tel:+15550002>");
    assert!(get("User-Agent").contains("/OMA"), "{invite}");
    assert_eq!((&*get("Date"), &*get("Message-Expires")), ("Sat, 21 Nov 2026 10:00:30 GMT", "3300"));
    assert_eq!((&*get("Subject"), &*get("Max-Forwards")), ("Schön", "70"));
    let tag = format!("+g.3gpp.icsi-ref=\"{LARGE_MESSAGE}\"");
    assert!(get("Contact").contains(&tag) && get("Accept-Contact").contains(&tag), "{invite}");
    assert!(get("Via").starts_with("SIP/2.0/") && get("CSeq").ends_with(" INVITE"), "{invite}");
    assert!(!get("Call-ID").is_empty() && header(&invite, "Privacy").is_none(), "{invite}");
    for id in ["Conversation-ID", "Contribution-ID"] {
        assert_eq!(get(id).len(), 36, "{id}");
    }
    // A description alone, without keys that only the endpoints would have.
    assert_eq!(get("Content-Type"), "application/sdp");
    assert!(
        !invite.contains("a=crypto") && !invite.contains("a=fingerprint") && !invite.contains("msrps:"),
        "{invite}"
    );
    for line in ["a=sendonly", "a=setup:actpass", "a=accept-types:message/cpim"] {
        assert!(invite.contains(&format!("\r\n{line}\r\n")), "{line} in {invite}");
    }
}

/// [MM4-INLMM-02a]
#[test]
fn the_offer_names_the_types_of_what_is_in_the_mm() {
    let part = |kind: &str, body: &str| format!("--b\r\nContent-Type: {kind}\r\n\r\n{body}\r\n");
    let content = [
        part("application/smil", "<smil/>"),
        part("text/plain; charset=utf-8", &long_text(900)),
        part("Image/JPEG; name=a.jpg", &long_text(900)),
        part("image/jpeg", "once more"),
        "--b--\r\n".into(),
    ];
    let content_headers = "Content-Type: multipart/related; boundary=b; type=\"application/smil\"\r\n".into();
    let (_, callee) = called(&Mm { content: content.concat(), content_headers, ..long_mm() });
    let expected = "a=accept-wrapped-types:application/smil text/plain image/jpeg multipart/related";
    assert!(callee.invite.contains(&format!("\r\n{expected}\r\n")), "{}", callee.invite);
}

/// [MM4-ROUTE-09] [MM4-INLMM-04] [MM4-INLMM-05a] [MM4-INLMM-05b] [MM4-INLMM-06a] [MM4-INLMM-06b] [MM4-TSEND-To-Path]
/// [MM4-TSEND-From-Path] [MM4-TSEND-Message-ID] [MM4-TSEND-Byte-Range] [MM4-TSEND-Content-Type]
/// [MM4-TSEND-cpim-Content-Type] [MM4-TSEND-disposition-delivery] [MM4-TSEND-disposition-display] [MM4-TSEND-body]
/// [MM4-CONTENT-2]
#[test]
fn the_content_goes_in_chunks_octet_by_octet_and_then_all_is_answered() {
    let image = octets(100_000);
    let content_headers = "Content-Type: image/jpeg; name=a.jpg\r\nContent-Transfer-Encoding: base64\r\n".into();
    let mm = Mm { content: base64(&image), content_headers, ..long_mm().acknowledged() };
    let (mut sides, mut callee) =
        called(&mm.with("X-Mms-Delivery-Report: Yes\r\nX-Mms-Read-Reply: Yes\r\nSubject: A picture\r\n"));
    let sent = callee.accept(&mut sides.world, "passive");
    assert!(sent.iter().any(|request| request.starts_with("ACK ")), "{sent:?}");
    callee.connected(&sides.world);
    assert_eq!(told(&mut sides), (String::new(), vec![]), "not before the MSRP responses");
    let (place, _) = callee.client.link.unwrap();
    let (mut taken, mut all) = (0, Vec::new());
    loop {
        let chunks = chunks(&sides.world.tcp[place].received());
        let Some(chunk) = chunks.get(taken) else { break };
        assert_eq!((chunk.get("To-Path"), chunk.get("From-Path")), (&*callee.client.path, &*callee.client.peer_path));
        assert_eq!((chunk.get("Content-Type"), chunk.get("Message-ID")), ("message/cpim", chunks[0].get("Message-ID")));
        all.extend_from_slice(&chunk.content);
        assert_eq!((chunk.range().0, chunk.range().1), (all.len() + 1 - chunk.content.len(), all.len()));
        assert_eq!(chunk.flag == b'$', all.len() == chunk.range().2);
        sides.world.tcp_send(place, chunk.accepted().as_bytes());
        taken += 1;
    }
    assert!(taken > 1, "several chunks");
    let end = find(&all, b"\r\n\r\nContent-").unwrap() + 4;
    let end = end + find(&all[end..], b"\r\n\r\n").unwrap() + 4;
    let cpim = Cpim::read(core::str::from_utf8(&all[..end]).unwrap());
    assert_eq!((cpim.get("From"), cpim.get("To")), ("<tel:+15550002;nccsid=MMS>", "<tel:+15550001>"));
    assert_eq!(cpim.get("imdn.Disposition-Notification"), "positive-delivery, negative-delivery, display");
    assert!(!cpim.get("imdn.Message-ID").is_empty());
    assert_eq!(cpim.content_header("Content-Type"), "image/jpeg; name=a.jpg");
    assert!(all[end..] == image, "the picture as it was");
    callee.client.take_bye(&mut sides.world);
    assert_eq!(told(&mut sides), ("250".into(), vec!["Ok".into()]));
    sides.pass(300);
    assert_eq!(sides.world.count(|s| s.msrp_connections + s.large_deliveries_open + s.client_transactions), 0);
}

/// [MM4-T40-from-sip] [MM4-T39-to]
#[test]
fn policy_gives_sip_uris() {
    let mut sides = sides_with(|policy| {
        policy.delivery.originator_sip_uri = Some("sip:{number}@gw.example.net;user=phone".into());
        policy.delivery.recipient_sip_uri = Some("sip:{number}@ims.example.net;user=phone".into());
    });
    sides.world.sessions_apart = true;
    sides.bring(&long_mm().mail());
    let invite = Callee::called(&sides.world).invite;
    assert!(invite.starts_with("INVITE sip:+15550001@ims.example.net;user=phone SIP/2.0\r\n"), "{invite}");
    assert!(header(&invite, "From").unwrap().starts_with("<sip:+15550002@gw.example.net"), "{invite}");
    let asserted: Vec<&str> = invite.split("\r\n").filter(|line| line.starts_with("P-Asserted-Identity: ")).collect();
    let asserted = asserted.concat();
    assert!(asserted.contains("<sip:+15550002@gw.") && asserted.contains("<tel:+15550002>"), "{asserted}");
}

/// [MM4-T40-from-anon] [MM4-T40-Privacy]
#[test]
fn who_hides_is_not_named() {
    let (mut sides, mut callee) = called(&long_mm().with("X-Mms-Sender-Visibility: Hide\r\n"));
    let invite = callee.invite.clone();
    let from = header(&invite, "From").unwrap();
    assert!(from.starts_with("Anonymous <sip:anonymous@anonymous.invalid;nccsid=MMS>;tag="), "{from}");
    assert_eq!(header(&invite, "Privacy").as_deref(), Some("id"));
    assert!(!invite.contains("15550002"), "{invite}");
    callee.accept(&mut sides.world, "passive");
    callee.connected(&sides.world);
    let messages = callee.client.listen(&mut sides.world);
    assert_eq!((messages.len(), messages.concat().contains("15550002")), (1, false));
}

/// [MM4-INLMM-01]
#[test]
fn where_nobody_may_hide_nobody_is_invited() {
    let mut sides = sides_with(|policy| policy.mms.anonymous_originator = isthmus::policy::Anonymity::Refuse);
    sides.world.sessions_apart = true;
    sides.brings.bring(&mut sides.world, &long_mm().acknowledged().with("X-Mms-Sender-Visibility: Hide\r\n").mail());
    assert_eq!(told(&mut sides), ("250".into(), vec!["Error-unsupported-message".into()]));
    assert!(sides.world.strays.is_empty());
}

/// [MM4-INLMM-N] [MM4-IN-N] [MM4-T39-many] [MM4-T40-recipients] [MM4-T40-recipients-copy] [MM4-T38-status]
#[test]
fn each_recipient_has_a_large_message_of_his_own() {
    let mut sides = sides();
    let numbers = ["+15550001", "+15550003", "+15550004"];
    assert_eq!(sides.bring(&long_mm().for_all(&numbers).acknowledged().mail()), "");
    let mut callees = Callee::all(&sides.world);
    assert_eq!(callees.len(), 3);
    for (callee, number) in callees.iter().zip(numbers) {
        let invite = &callee.invite;
        assert!(invite.starts_with(&format!("INVITE tel:{number} SIP/2.0\r\n")), "{invite}");
        assert!(header(invite, "Content-Type").unwrap().starts_with("multipart/mixed;boundary="), "{invite}");
        assert!(invite.contains("Content-Disposition: recipient-list-history"), "{invite}");
        for other in numbers {
            assert!(invite.contains(&format!("uri=\"tel:{other}\"")), "{other} in {invite}");
        }
        assert_eq!(invite.matches("copyControl=\"to\"").count(), 3, "{invite}");
    }
    callees[1].refuse(&mut sides.world, 404);
    assert_eq!(told(&mut sides), (String::new(), vec![]), "others are open");
    for at in [0, 2] {
        callees[at].accept(&mut sides.world, "active");
        callees[at].connect(&mut sides.world, 0);
        let messages = callees[at].client.listen(&mut sides.world);
        let whole: Vec<String> =
            messages.iter().filter(|message| !message.is_empty()).map(|message| Cpim::read(message).content).collect();
        assert_eq!(whole, [long_text(2_800)], "{at}");
        callees[at].client.take_bye(&mut sides.world);
    }
    let expected = vec!["Ok".to_owned(), "Error-sending-address-unresolved".to_owned()];
    assert_eq!(told(&mut sides), ("250".into(), expected));
}

/// [MM4-T38-status] [MM4-T38-denied-401] [MM4-T38-denied-503] [MM4-INLMM-04] [MM4-INLMM-05a]
#[test]
fn a_refused_invite_is_the_status_of_the_response() {
    for (code, status) in [
        (401, "Error-service-denied"),
        (404, "Error-sending-address-unresolved"),
        (480, "Error-network-problem"),
        (486, "Error-unspecified"),
        (488, "Error-content-not-accepted"),
        (503, "Error-service-denied"),
        (603, "Error-service-denied"),
    ] {
        let (mut sides, mut callee) = called(&long_mm().acknowledged());
        callee.refuse(&mut sides.world, code);
        let sent = callee.client.asked(&mut sides.world);
        assert!(sent.iter().any(|request| request.starts_with("ACK ")), "{code}: {sent:?}");
        assert_eq!(told(&mut sides), ("250".into(), vec![status.to_owned()]), "{code}");
        sides.nothing_stays();
    }
}

#[test]
fn an_msrp_refusal_is_the_status_of_the_response() {
    for (code, status, reply) in [
        (403, "Error-service-denied", "554"),
        (408, "Error-network-problem", "451"),
        (413, "Error-content-not-accepted", "554"),
        (415, "Error-content-not-accepted", "554"),
    ] {
        let (mut sides, mut callee) = accepted(&long_mm().acknowledged());
        assert!(callee.client.refuse(&mut sides.world, code) > 0);
        callee.client.take_bye(&mut sides.world);
        assert_eq!(told(&mut sides), ("250".into(), vec![status.to_owned()]), "{code}");
        let (mut sides, mut callee) = accepted(&long_mm());
        assert!(callee.client.refuse(&mut sides.world, code) > 0);
        callee.client.take_bye(&mut sides.world);
        assert_eq!(told(&mut sides), (reply.to_owned(), vec![]), "{code}");
        sides.nothing_stays();
    }
}

/// Nobody answers, nobody takes the connection, nobody answers by MSRP, the user leaves or his connection breaks.
#[test]
fn what_stops_in_the_middle_may_be_tried_again() {
    let again = || ("451".to_owned(), Vec::<String>::new());
    let (mut sides, _) = called(&long_mm());
    sides.pass(400);
    assert_eq!(told(&mut sides), again(), "no answer to INVITE");

    let (mut sides, mut callee) = called(&long_mm());
    sides.world.accept_dials = false;
    callee.accept(&mut sides.world, "passive");
    sides.pass(1);
    callee.client.seen = 0;
    callee.client.take_bye(&mut sides.world);
    assert_eq!(told(&mut sides), again(), "connection refused");

    let (mut sides, _) = accepted(&long_mm());
    sides.pass(120);
    assert_eq!(told(&mut sides), again(), "no MSRP response");

    let (mut sides, mut callee) = accepted(&long_mm());
    callee.bye(&mut sides.world);
    assert_eq!(told(&mut sides), again(), "BYE");

    let (mut sides, mut callee) = accepted(&long_mm());
    sides.world.tcp_close(callee.client.link.take().expect("a connection").0);
    sides.pass(60);
    assert_eq!(told(&mut sides), again(), "connection lost");
    sides.nothing_stays();
    // And then it is.
    sides.brings = Bringing::connect(&mut sides.world, 0);
    sides.bring(&long_mm().mail());
    assert_eq!(Callee::all(&sides.world).len(), 2);
}

/// The client says that it takes no message as large as this.
#[test]
fn what_is_too_large_for_the_client_is_refused() {
    let (mut sides, mut callee) = called(&long_mm().acknowledged());
    let description = callee.description("passive") + "a=max-size:1000\r\n";
    callee.respond(&mut sides.world, 200, "callee", &description);
    assert_eq!(told(&mut sides), ("250".into(), vec!["Error-content-not-accepted".into()]));
    callee.client.take_bye(&mut sides.world);
}

/// A relay that is still waiting has the message come once; the mail comes again on another connection.
#[test]
fn the_same_mm_again_while_the_client_rings_is_not_another() {
    let (mut sides, mut callee) = called(&long_mm());
    callee.respond(&mut sides.world, 180, "callee", "");
    let mut other = Bringing::connect(&mut sides.world, 0);
    other.bring(&mut sides.world, &long_mm().mail());
    assert!(other.replies(&sides.world).starts_with("451 "));
    sides.pass(60);
    callee.accept(&mut sides.world, "passive");
    callee.connected(&sides.world);
    callee.client.listen(&mut sides.world);
    assert_eq!(told(&mut sides).0, "250");
    other.bring(&mut sides.world, &long_mm().mail());
    assert!(other.replies(&sides.world).starts_with("250 "));
    assert_eq!(Callee::all(&sides.world).len(), 1);
}

/// Without sessions everything goes in a MESSAGE, by TCP where it is large (RFC 3261 18.1.1).
#[test]
fn without_msrp_a_large_mm_is_a_message_by_tcp() {
    let settings = Settings { msrp: MsrpSettings::default(), ..settings_with_mms(0) };
    let mut sides = Sides::of(1, &settings);
    assert!(sides.bring(&long_mm().mail()).starts_with("250 "));
    let message = requests(&sides.world).remove(0);
    assert_eq!(Cpim::read(&message.body).content, long_text(2_800));
    assert!(message.get("Via").starts_with("SIP/2.0/TCP ") && !sides.world.tcp_to_cpm.is_empty(), "{message:?}");
}

/// Any core may hear first: SIP, the client's connection, and the mail.
#[test]
fn it_does_not_matter_which_core_hears_first() {
    for at in [0, 1] {
        let mut sides = sides_of(2, &settings_with_mms(0));
        sides.world.arrive_at = Some(at);
        assert_eq!(sides.bring(&long_mm().acknowledged().mail()), "");
        let mut callee = Callee::called(&sides.world);
        callee.accept(&mut sides.world, "active");
        callee.connect(&mut sides.world, 1 - at);
        callee.client.listen(&mut sides.world);
        callee.client.take_bye(&mut sides.world);
        assert_eq!(told(&mut sides), ("250".into(), vec!["Ok".into()]), "{at}");
    }
}
