//! Whatever an MMS Relay/Server or a CPM user writes: nothing panics, and what leaves has the fields it should have.

use proptest::prelude::*;

use isthmus::interwork::address;
use isthmus::interwork::mms::cpm_message::{CpmMessage, Received};
use isthmus::interwork::mms::forward_req_to_large_message::{MSRP_SEND, TABLE_39, TABLE_40};
use isthmus::interwork::mms::forward_req_to_pager::{TABLE_35, TABLE_36};
use isthmus::policy::{Policy, RecipientUri};
use isthmus::wire::mail::header;
use isthmus::wire::mail::mm4::{self, Mm4};
use isthmus::wire::resource_lists;
use isthmus::wire::sip::uri::Uri;

use crate::cpm_to_mms::{NOW_UNIX_S, mail, ordinary};

const MAIL: &str = "X-Mms-3GPP-MMS-Version: 6.10.0\r\nX-Mms-Message-Type: MM4_forward.REQ\r\nX-Mms-Transaction-ID: \"t\"\r\n\
    X-Mms-Message-ID: <m@mms.example>\r\nFrom: A <+491700000001/TYPE=PLMN@mms.example>\r\n\
    To: +491700000002/TYPE=PLMN@gw.example, b: +491700000003/TYPE=PLMN;, c@example.net\r\nCc: 0049170000004\r\n\
    Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nX-Mms-Expiry: 3600\r\nSubject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\
    X-Mms-Sender-Visibility: Show\r\nX-Mms-Delivery-Report: Yes\r\nContent-Type: text/plain\r\n\r\nHello\r\n";

/// A text with a piece replaced by other octets.
fn damaged(whole: &'static [u8], from: usize) -> impl Strategy<Value = Vec<u8>> {
    let telling = [
        "\r\n",
        "\r\n ",
        "<",
        ">",
        "\"",
        ";",
        "%",
        ",",
        "+",
        "(",
        ":",
        "@",
        "=?x?q?=0D=0A?=",
        "é",
        "&",
        "\0",
        "99999999999",
    ];
    let telling = prop::sample::select(telling.to_vec()).prop_map(|piece| piece.as_bytes().to_vec());
    let piece = prop_oneof![proptest::collection::vec(any::<u8>(), 0..8), telling];
    (from..whole.len(), 0_usize..8, piece).prop_map(move |(at, len, piece)| {
        let mut bytes = whole.to_vec();
        bytes.splice(at..(at + len).min(whole.len()), piece);
        bytes
    })
}

/// Every URI is one, and nothing that is written as text can end its line.
fn check(message: &CpmMessage<'_>) {
    let parties = &message.parties;
    let asserted = [parties.p_asserted_identity_sip, parties.p_asserted_identity_tel].map(|span| parties.get(span));
    let uris = asserted.into_iter().filter(|uri| !uri.is_empty()).chain([parties.from(), parties.to()]);
    assert!(uris.into_iter().all(|uri| Uri::parse(uri).is_some()));
    assert!(!message.subject.contains(char::is_control), "{:?}", message.subject);
    if !message.recipients.is_empty() {
        let (mut document, mut found) = (Vec::new(), 0);
        message.write_recipient_list(&mut document);
        resource_lists::read(&document, |uri, _| found += usize::from(Uri::parse(uri.as_bytes()).is_some())).unwrap();
        assert_eq!(found, message.recipients.len());
    }
}

fn carry(mail: &[u8], policy: &Policy) {
    let Ok(Mm4::ForwardReq(forward_req)) = mm4::read(mail) else { return };
    let recipient = address::of_mms(b"+491700000002", &policy.addresses).unwrap();
    let received = Received { forward_req, recipient, now_unix_s: NOW_UNIX_S, product: b"IWF-MMS-client", policy };
    for tables in [[&TABLE_35, &TABLE_36].as_slice(), &[&TABLE_39, &TABLE_40, &MSRP_SEND]] {
        let mut message = CpmMessage::default();
        if tables.iter().try_for_each(|table| table.fill(&received, &mut message)).is_ok() {
            check(&message);
        }
    }
}

fn policies() -> [Policy; 3] {
    let mut sip = Policy::default();
    sip.delivery.originator_sip_uri = Some("sip:{number}@ims.example;user=phone".into());
    sip.delivery.recipient_sip_uri.clone_from(&sip.delivery.originator_sip_uri);
    sip.mms.pager_recipient_uri = RecipientUri::SipIfAvailable;
    sip.mms.assert_anonymous_originator = true;
    [Policy::default(), Policy::rcs(), sip]
}

proptest! {
    #[test]
    fn a_damaged_mail_is_carried_whole_or_not_at_all(mail in damaged(MAIL.as_bytes(), 0)) {
        policies().iter().for_each(|policy| carry(&mail, policy));
    }

    #[test]
    fn no_value_of_a_cpm_message_adds_a_field(
        uri in damaged(b"sip:+491700000001@ims.example;user=phone", 0),
        subject in damaged(b"Lunch at eight?", 0),
        list in damaged(b"<resource-lists><list><entry uri=\"tel:+491700000002\" copyControl=\"cc\"/></list></resource-lists>", 0),
        date in damaged(b"2026-11-20T08:00:00+01:00", 0),
    ) {
        let policy = Policy::default();
        let names = |head: &[u8]| header::fields(head).map(|field| field.name.to_vec()).collect::<Vec<_>>();
        let mut message = ordinary(&policy);
        message.subject = b"x";
        message.recipient_list = b"<l><entry uri='tel:+491700000002'/><entry uri='tel:+491700000003' copyControl='cc'/></l>";
        let (_, whole, _) = mail(&message, "pager").unwrap();
        let known = names(&whole);
        (message.p_asserted_identity, message.subject) = ([uri.as_slice(), b""], &subject);
        (message.recipient_list, message.date_time) = (&list, &date);
        for mode in ["pager", "large"] {
            if let Ok((envelope, head, _)) = mail(&message, mode) {
                prop_assert!(names(&head).iter().all(|name| known.contains(name)), "{}", head.escape_ascii());
                let is_mailbox = |octet: &u8| octet.is_ascii_graphic() && !b"<>,;\"".contains(octet);
                prop_assert!(envelope.mail_from.iter().all(is_mailbox) && envelope.rcpt_to.iter().all(is_mailbox));
            }
        }
    }
}
