//! What a session makes of the chunks of its peer.

use core::time::Duration;

use isthmus::engine::msrp::{DiscardReason, Event, IncomingId, Settings, TimerName};
use isthmus::wire::msrp::{Method, Start};
use proptest::prelude::*;

use super::world::{BUDGET, LOCAL, PEER, World, request};

fn settings() -> Settings {
    Settings { message_bytes_max: 100, open_messages_max: 2, ..Settings::default() }
}

/// A chunk as the table writes it.
fn give(world: &mut World, chunk: &str) -> String {
    let words: Vec<&str> = chunk.split_whitespace().collect();
    let [message_id, range, flag, content, options @ ..] = words.as_slice() else { panic!("{chunk}") };
    let option = |letter: &str| options.iter().find_map(|option| option.strip_prefix(letter));
    let mut headers = String::new();
    if *message_id != "-" {
        headers += &format!("Message-ID: {message_id}\r\n");
    }
    if !matches!(*range, "*" | "none") {
        headers += &format!("Byte-Range: {range}\r\n");
    }
    if let Some(failure_report) = option("F:") {
        headers += &format!("Failure-Report: {failure_report}\r\n");
    }
    if *range != "none" {
        headers += &format!("Content-Type: {}\r\n", option("T:").unwrap_or("text/plain"));
    }
    let content = match content.parse() {
        Ok(octets) => vec![b'x'; octets],
        Err(_) => content.strip_prefix('-').unwrap_or(content).as_bytes().to_vec(),
    };
    let content = (*range != "none").then_some(content.as_slice());
    world.request("SEND", &headers, content, flag.chars().next().unwrap())
}

/// The events as the table writes them; and which messages came.
fn results(events: Vec<Event>) -> (Vec<String>, Vec<IncomingId>) {
    let (mut results, mut came) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            Event::Bound => {}
            Event::Received { incoming, message } => {
                let (id, mut content) = (String::from_utf8_lossy(&message.message_id).into_owned(), Vec::new());
                message.copy_to(&mut content);
                came.push(incoming);
                results.push(match content.len() {
                    100 => format!("{id}:100"),
                    _ => format!("{id}={}", String::from_utf8_lossy(&content)),
                });
            }
            Event::Discarded { message_id, reason } => {
                let reason = match reason {
                    DiscardReason::Refused(code) => code.to_string(),
                    DiscardReason::Aborted => "#".to_owned(),
                    other => panic!("{other:?}"),
                };
                results.push(format!("{}!{reason}", String::from_utf8_lossy(&message_id)));
            }
            other => panic!("{other:?}"),
        }
    }
    (results, came)
}

/// [GEN-LMM-09a] [GEN-LMM-09c] [GEN-MEDIA-02] [SMS-CHAT-01]
#[test]
fn chunks_answers_and_messages_are_those_of_the_table() {
    for row in include_str!("../../spec/msrp_receiver.tsv").lines().filter(|line| !line.starts_with('#')).skip(1) {
        let [case, chunks, answers, result] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let mut world = World::passive(settings());
        let ids: Vec<String> = chunks.split("; ").map(|chunk| give(&mut world, chunk)).collect();
        let (results, came) = results(world.events());
        assert_eq!(results.join(" "), result, "{case}");
        let mut given = world.answers();
        came.iter().for_each(|incoming| assert!(world.session.respond(*incoming, 488)));
        let late = world.answers();
        given.extend(late.iter().map(|(id, _)| (id.clone(), 0)));
        let of = |id: &String| given.iter().find(|(answered, _)| answered == id).map(|(_, code)| *code);
        let shown: Vec<String> = ids
            .iter()
            .map(|id| match of(id) {
                None => "-".to_owned(),
                Some(0) => "wait".to_owned(),
                Some(code) => code.to_string(),
            })
            .collect();
        assert_eq!(shown.join(" "), answers, "{case}");
        assert!(late.iter().all(|(_, code)| *code == 488));
    }
}

#[test]
fn the_chunk_that_completes_the_message_waits_for_the_answer_of_the_gateway() {
    for code in [200, 413] {
        let mut world = World::passive(Settings::default());
        let last = world.chunk("m", "4-6/6", "def", '$');
        let first = world.chunk("m", "1-3/6", "abc", '+');
        assert_eq!(world.answers(), [(last, 200)]);
        let received = world.received();
        assert_eq!(received[0].2, b"abcdef");
        assert!(world.session.respond(received[0].0, code));
        assert_eq!(world.answers(), [(first, code)]);
        assert!(!world.session.respond(received[0].0, code), "an answer is given once");
    }
}

#[test]
fn a_message_that_comes_again_is_answered_as_before_and_not_received_again() {
    for code in [200, 403] {
        let mut world = World::passive(Settings::default());
        world.chunk("m", "1-3/3", "abc", '$');
        let (incoming, ..) = world.received().remove(0);
        // Before the gateway has dealt with it, the repetition waits as well.
        let early = world.chunk("m", "1-3/3", "abc", '$');
        assert!(world.answers().is_empty());
        world.session.respond(incoming, code);
        assert_eq!(world.answers().len(), 2);
        let late = world.chunk("m", "1-3/3", "abc", '$');
        assert_eq!(world.answers(), [(late, code)]);
        assert!(world.received().is_empty());
        let _ = early;
    }
}

#[test]
fn a_success_report_goes_out_with_the_200_and_only_then() {
    for (code, reports) in [(200, 1), (400, 0)] {
        let mut world = World::passive(Settings::default());
        let headers = "Message-ID: m\r\nByte-Range: 1-3/3\r\nSuccess-Report: yes\r\nContent-Type: text/plain\r\n";
        world.request("SEND", headers, Some(b"abc"), '$');
        let (incoming, ..) = world.received().remove(0);
        assert!(world.sent().is_empty());
        world.session.respond(incoming, code);
        let sent = world.sent();
        let found: Vec<_> =
            sent.iter().filter(|frame| frame.start == Start::Request { method: Method::Report }).collect();
        assert_eq!((found.len(), sent.len()), (reports, reports + 1));
        for report in found {
            let range = report.range.unwrap();
            assert_eq!((report.message_id.as_str(), report.status), ("m", Some(200)));
            assert_eq!((range.start, range.end, range.total), (1, Some(3), Some(3)));
            assert!(report.head.contains(&format!("To-Path: {PEER}\r\nFrom-Path: {LOCAL}\r\n")));
        }
    }
}

#[test]
fn a_failure_after_the_200_is_told_by_report() {
    let mut world = World::passive(Settings::default());
    world.chunk("m", "1-3/3", "abc", '$');
    let received = world.received().remove(0);
    world.session.respond(received.0, 200);
    world.sent();
    world.session.report(super::world::ident("m"), 3, 408);
    let sent = world.sent();
    assert_eq!((sent.len(), sent[0].status, sent[0].message_id.as_str()), (1, Some(408), "m"));
}

#[test]
fn methods_that_no_session_has_are_answered_501_and_reports_never() {
    let mut world = World::passive(Settings::default());
    let auth = world.request("AUTH", "", None, '$');
    let nickname = world.request("NICKNAME", "Use-Nickname: \"x\"\r\n", None, '$');
    let unknown = world.request("FETCH", "", Some(b"x"), '$');
    for status in ["000 200 OK", "000 413 x", "001 200 x", "nothing"] {
        world.request("REPORT", &format!("Message-ID: m\r\nByte-Range: 1-3/3\r\nStatus: {status}\r\n"), None, '$');
    }
    world.request("REPORT", "Message-ID: m\r\n", None, '$');
    assert_eq!(world.answers(), [(auth, 501), (nickname, 501), (unknown, 501)]);
    let reports: Vec<_> = world
        .events()
        .into_iter()
        .map(|event| match event {
            Event::Reported { message_id, status, octets } => (message_id.to_vec(), status, octets),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(reports, [(b"m".to_vec(), 200, Some((1, 3))), (b"m".to_vec(), 413, Some((1, 3)))]);
    assert_eq!(world.session.counters().malformed_reports, 3);
}

/// [SMS-GW-c4]
#[test]
fn a_request_of_another_session_is_answered_481() {
    let other = "msrp://gw.example.net:2855/other;tcp";
    let relay = "msrp://relay.example.net:9000;tcp";
    for (to, from, code) in [
        (LOCAL, PEER, None),
        (&*LOCAL.replace("gw.", "GW."), PEER, None),
        (LOCAL, &*format!("{relay} {PEER}"), None),
        (other, PEER, Some(481)),
        (&*LOCAL.replace("s3ss", "S3ss"), PEER, Some(481)),
        (&*LOCAL.replace("2855", "2856"), PEER, Some(481)),
        (&*format!("{relay} {LOCAL}"), PEER, Some(481)),
        (LOCAL, other, Some(481)),
        (LOCAL, &*format!("{PEER} {relay}"), Some(481)),
    ] {
        let mut world = World::passive(Settings::default());
        let headers = "Message-ID: m\r\nByte-Range: 1-3/3\r\nContent-Type: text/plain\r\n";
        world.give(request("id01", "SEND", (to, from), headers, Some(b"abc"), '$'));
        assert_eq!(world.answers().first().map(|answer| answer.1), code, "{to} {from}");
        assert_eq!(world.received().len(), usize::from(code.is_none()), "{to} {from}");
    }
}

#[test]
fn an_answer_goes_to_the_hop_the_request_came_from() {
    let relay = "msrp://relay.example.net:9000;tcp";
    let mut world = World::passive(Settings::default());
    let path = format!("{relay} {PEER}");
    world.give(request("id01", "SEND", (LOCAL, &path), "Message-ID: m\r\n", None, '$'));
    let sent = world.sent();
    assert_eq!((sent[0].code(), sent[0].id.as_str()), (Some(200), "id01"));
    assert!(sent[0].head.contains(&format!("To-Path: {relay}\r\nFrom-Path: {LOCAL}\r\n")), "{}", sent[0].head);
}

#[test]
fn a_message_whose_next_octet_is_late_is_dropped_and_stopped() {
    let settings = Settings { message_idle: Duration::from_secs(60), ..Settings::default() };
    let mut world = World::passive(settings);
    world.chunk("m", "1-3/9", "abc", '+');
    world.pass(Duration::from_secs(59));
    world.chunk("m", "4-6/9", "def", '+');
    world.pass(Duration::from_secs(59));
    assert_eq!(world.session.bytes_held(), 6);
    assert!(matches!(world.session.poll_timeout(), Some((_, TimerName::MessageIdle))));
    world.pass(Duration::from_secs(1));
    assert!(matches!(world.events()[..], [Event::Bound, Event::Discarded { reason: DiscardReason::TimedOut, .. }]));
    assert_eq!((world.session.bytes_held(), world.budget.left(), world.session.poll_timeout()), (0, BUDGET, None));
    world.sent();
    let late = world.chunk("m", "7-9/9", "ghi", '$');
    assert_eq!(world.answers(), [(late, 413)]);
}

#[test]
fn a_message_that_stops_in_the_middle_of_a_chunk_is_dropped() {
    let mut world = World::passive(Settings::default());
    let headers = "Message-ID: m\r\nByte-Range: 1-*/9\r\nContent-Type: text/plain\r\n";
    let chunk = request("id01", "SEND", (LOCAL, PEER), headers, Some(b"abcdefghi"), '$');
    let (now, later) = chunk.split_at(chunk.len() - 20);
    world.give(now.to_vec());
    world.pass(Settings::default().message_idle);
    assert!(matches!(world.events()[..], [Event::Bound, Event::Discarded { reason: DiscardReason::TimedOut, .. }]));
    world.give(later.to_vec());
    assert_eq!(world.answers(), [("id01".to_owned(), 413)]);
    assert!(world.received().is_empty());
}

#[test]
fn with_the_connection_go_the_parts_and_what_was_owed() {
    let mut world = World::passive(Settings::default());
    world.chunk("m", "1-3/9", "abc", '+');
    world.chunk("n", "1-3/3", "abc", '$');
    let incoming = world.received()[0].0;
    world.session.handle_unbound(world.now);
    assert!(matches!(world.events()[..], [Event::Discarded { reason: DiscardReason::ConnectionLost, .. }]));
    assert!(!world.session.respond(incoming, 200));
    assert!(world.sent().is_empty());
    assert_eq!((world.budget.left(), world.session.open_messages()), (BUDGET, (0, 0)));
}

#[test]
fn a_message_counts_until_it_is_dropped_and_what_exceeds_the_budget_is_stopped() {
    let mut world = World::passive(Settings::default());
    let half = "x".repeat(BUDGET / 2);
    world.chunk("m", "1-*/*", &half, '$');
    let events = world.events();
    assert!(world.budget.left() < BUDGET / 2);
    let second = world.chunk("n", "1-*/*", &half, '$');
    assert_eq!(world.answers(), [(second, 413)]);
    drop(events);
    assert_eq!(world.budget.left(), BUDGET);
    world.chunk("o", "1-*/*", &half, '$');
    assert_eq!(world.received().len(), 1);
}

#[test]
fn a_refused_chunk_is_answered_before_its_end() {
    let mut world = World::passive(settings());
    let headers = "Message-ID: m\r\nByte-Range: 1-*/*\r\nContent-Type: text/plain\r\n";
    let chunk = request("id01", "SEND", (LOCAL, PEER), headers, Some(&[b'x'; 500]), '$');
    let (now, later) = chunk.split_at(chunk.len() - 200);
    world.give(now.to_vec());
    assert_eq!(world.answers(), [("id01".to_owned(), 413)]);
    world.give(later.to_vec());
    assert!(world.answers().is_empty());
    assert_eq!(world.budget.left(), BUDGET);
}

/// What a chunk brings: its answers, and what happened; what is received is taken.
fn outcome(world: &mut World, headers: &str, flag: char) -> String {
    world.request("SEND", headers, Some(b"xy"), flag);
    let (results, came) = results(world.events());
    came.into_iter().for_each(|incoming| assert!(world.session.respond(incoming, 200)));
    format!("{results:?} {:?} {}", world.answers(), world.session.bytes_held())
}

proptest! {
    /// RFC 4975 7.3.1, whether a head was read or recognised: no two of the second session are alike.
    #[test]
    fn a_head_like_the_last_means_what_it_says(
        chunks in prop::collection::vec((0..3_usize, 0..5_usize, prop::sample::select(&['+', '+', '+', '$', '#'][..])), 1..60),
    ) {
        let mut worlds = [World::passive(settings()), World::passive(settings())];
        for (at, (message, place, flag)) in chunks.into_iter().enumerate() {
            let (start, end) = (2 * place + 1, 2 * place + 2);
            let head = format!("Message-ID: m{message}\r\nByte-Range: {start}-{end}/8\r\nContent-Type: text/plain\r\n");
            let [alike, unlike] = &mut worlds;
            let outcomes = (outcome(alike, &head, flag), outcome(unlike, &format!("X-{at}: x\r\n{head}"), flag));
            prop_assert_eq!(outcomes.0, outcomes.1);
        }
    }

    /// Chunks of several messages in any order, cut anywhere, some of them twice: each message comes once, octet for octet.
    #[test]
    fn any_order_of_chunks_gives_each_message_once(
        lens in proptest::collection::vec(0..400usize, 1..6),
        chunk in 1..90usize,
        overlap in 0..30usize,
        seed in any::<u64>(),
        cut in 1..300usize,
    ) {
        let mut world = World::passive(Settings::default());
        let mut chunks = Vec::new();
        let texts: Vec<Vec<u8>> = lens.iter().map(|len| (0..*len).map(|at| b"abcdefghijklmnopqrstuvw"[at % 23]).collect()).collect();
        for (message, text) in texts.iter().enumerate() {
            for start in (0..text.len().max(1)).step_by(chunk) {
                let (from, end) = (start.saturating_sub(overlap), (start + chunk).min(text.len()));
                let total = if (start + message) % 3 == 0 { "*".to_owned() } else { text.len().to_string() };
                let flag = if end == text.len() { '$' } else { '+' };
                let headers = format!("Message-ID: m{message}\r\nByte-Range: {}-{end}/{total}\r\nContent-Type: text/plain\r\n", from + 1);
                let id = format!("id{message}x{start}");
                let octets = request(&id, "SEND", (LOCAL, PEER), &headers, Some(&text[from..end]), flag);
                chunks.push(octets.clone());
                if (start + message) % 4 == 0 {
                    chunks.push(octets);
                }
            }
        }
        shuffle(&mut chunks, seed);
        let stream = chunks.concat();
        let mut came = Vec::new();
        for octets in stream.chunks(cut) {
            world.give(octets.to_vec());
            for (incoming, id, content) in world.received() {
                prop_assert!(world.session.respond(incoming, 200));
                came.push((id, content));
            }
        }
        came.sort();
        let mut expected: Vec<_> = texts.into_iter().enumerate().map(|(message, text)| (format!("m{message}"), text)).collect();
        expected.sort();
        prop_assert_eq!(came, expected);
        let answers = world.answers();
        prop_assert_eq!(answers.len(), chunks.len());
        prop_assert!(answers.iter().all(|(_, code)| *code == 200));
        prop_assert_eq!((world.session.bytes_held(), world.budget.left()), (0, BUDGET));
    }
}

fn shuffle<T>(list: &mut [T], mut seed: u64) {
    for at in (1..list.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        list.swap(at, usize::try_from(seed >> 33).unwrap_or(0) % (at + 1));
    }
}
