//! Session timers (RFC 4028): what is agreed, in both roles, and when it is due.

use isthmus::engine::sip::Role;
use isthmus::engine::sip::session_timer::{Agreed, Said, SessionTimer, Terms, TooSmall, answer, write_request};
use isthmus::engine::{Moment, sip};
use isthmus::wire::sip::{Index, Message, Name, Writer, check};

fn said(headers: &str) -> Said {
    let bytes = format!("INVITE sip:a@b SIP/2.0\r\n{headers}\r\n");
    Said::by(&Message::parse(bytes.as_bytes(), &mut Index::new()).unwrap())
}

fn agreed(headers: &str) -> Option<Agreed> {
    let bytes = format!("SIP/2.0 200 OK\r\n{headers}\r\n");
    Agreed::by(&Message::parse(bytes.as_bytes(), &mut Index::new()).unwrap())
}

/// RFC 4028 9, table 2: (client supports timers, refresher asked for, refresher in the response).
const TABLE_2: [(&str, &str, Role); 6] = [
    ("", "", Role::Uas),
    ("", ";refresher=uac", Role::Uas),
    ("", ";refresher=uas", Role::Uas),
    ("Supported: x, Timer\r\n", "", Role::Uac),
    ("Supported: timer\r\n", ";refresher=uac", Role::Uac),
    ("k: timer\r\n", " ; refresher=\"uas\"", Role::Uas),
];

#[test]
fn the_refresher_is_who_can_and_who_was_asked_for() {
    for (supported, refresher, expected) in TABLE_2 {
        let headers = format!("{supported}Session-Expires: 600{refresher}\r\n");
        let agreed = answer(&said(&headers), Terms::default(), false).unwrap();
        assert_eq!((agreed.interval_s, agreed.refresher), (600, expected), "{headers}");
    }
    let unasked = said("Supported: timer\r\nx: 600\r\n");
    assert_eq!(answer(&unasked, Terms::default(), true).unwrap().refresher, Role::Uas, "it stays with whom it was");
}

#[test]
fn the_interval_is_not_raised_and_not_below_anybodys_minimum() {
    let terms = Terms { interval_s: 1_000, min_se_s: 300 };
    let interval = |headers: &str| answer(&said(headers), terms, false).map(|agreed| agreed.interval_s);
    assert_eq!(interval("Supported: timer\r\nSession-Expires: 400\r\n"), Ok(400));
    assert_eq!(interval("Supported: timer\r\nSession-Expires: 4000\r\n"), Ok(1_000));
    assert_eq!(interval("Supported: timer\r\nSession-Expires: 4000\r\nMin-SE: 2000\r\n"), Ok(2_000));
    assert_eq!(interval("Supported: timer\r\nMin-SE: 2000\r\n"), Ok(2_000));
    assert_eq!(interval(""), Ok(1_000));
    assert_eq!(interval("Supported: timer\r\nSession-Expires: 299\r\n"), Err(TooSmall { min_se_s: 300 }));
    assert_eq!(interval("Session-Expires: 299\r\n"), Ok(299), "who does not know timers does not know 422");
    assert_eq!(interval("Supported: timer\r\nSession-Expires: soon\r\n"), Ok(1_000));
}

#[test]
fn a_response_without_session_expires_has_no_timer() {
    assert_eq!(agreed("Supported: timer\r\n"), None);
    assert_eq!(agreed("Session-Expires: 99999999999\r\n"), None);
    let both = agreed("Session-Expires: 100;refresher=uas\r\nMin-SE: 95\r\n").unwrap();
    assert_eq!((both.interval_s, both.refresher, both.min_se_s), (100, Role::Uas, 95));
    assert_eq!(agreed("x: 10\r\n").map(|agreed| (agreed.interval_s, agreed.refresher)), Some((90, Role::Uac)));
}

fn written(write: impl FnOnce(&mut Writer<'_>)) -> String {
    let mut out = Vec::new();
    write(&mut Writer::resume(&mut out));
    String::from_utf8(out).unwrap()
}

#[test]
fn what_is_written_is_what_the_other_role_reads() {
    let uac = Agreed { interval_s: 600, refresher: Role::Uac, min_se_s: 90 };
    assert_eq!(written(|headers| uac.write(headers)), "Session-Expires: 600;refresher=uac\r\nRequire: timer\r\n");
    let uas = Agreed { refresher: Role::Uas, ..uac };
    let headers = written(|headers| uas.write(headers));
    assert_eq!(agreed(&headers), Some(uas));
    assert!(!headers.contains(Name::Require.as_str()));
    assert_eq!(written(|headers| write_request(1_800, 90, None, headers)), "Session-Expires: 1800\r\n");
    let raised = written(|headers| write_request(2_000, 2_000, Some(Role::Uac), headers));
    assert_eq!(raised, "Session-Expires: 2000;refresher=uac\r\nMin-SE: 2000\r\n");
}

#[test]
fn the_refresh_is_at_half_time_and_the_end_before_the_end() {
    let second = 1_000_000;
    let timer = |interval_s, role| {
        let agreed = Agreed { interval_s, refresher: Role::Uac, min_se_s: 90 };
        sip::SessionTimer::new(Moment(5 * second), agreed, role)
    };
    let long: SessionTimer = timer(1_800, Role::Uac);
    assert!(long.ours && !timer(1_800, Role::Uas).ours);
    assert_eq!((long.refresh_at(), long.ends_at()), (Moment(905 * second), Moment((5 + 1_768) * second)));
    assert_eq!(timer(90, Role::Uac).ends_at(), Moment((5 + 60) * second), "a third of the interval");
}

#[test]
fn session_timers_may_be_required_of_a_session_and_what_else_is_not_known_is_named() {
    let judged = |method: &str, required: &str| {
        let bytes = format!(
            "{method} sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <tel:+1>;tag=1\r\nTo: <tel:+2>\r\n\
             Call-ID: c\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\nRequire: {required}\r\nContent-Length: 0\r\n\r\n"
        );
        let mut index = Index::new();
        let message = Message::parse(bytes.as_bytes(), &mut index).unwrap();
        let refused = check::request(&message, &[b"INVITE", b"MESSAGE"]).err()?;
        Some((refused.code, written(|headers| refused.write_headers(&message, &[], headers))))
    };
    assert_eq!(judged("INVITE", "timer, 100rel"), None);
    assert_eq!(judged("INVITE", "timer, gruu"), Some((420, "Unsupported: gruu\r\n".into())));
    assert_eq!(judged("MESSAGE", "timer"), Some((420, "Unsupported: timer\r\n".into())));
}
