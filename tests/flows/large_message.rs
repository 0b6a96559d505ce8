//! Large Message Mode CPM Standalone Message to SMS (IWF V3.0 6.1.2, 6.2.2.1, 6.2.3, 6.2.4).

use std::time::Duration;

use crate::client::{Client, LARGE_MESSAGE, cpim, header, line};
use crate::read;
use crate::world::{MSRP, World, settings_with_msrp};

/// A text of so many characters that says where it was cut.
pub fn long_text(characters: usize) -> String {
    (0..).map(|n| format!("{n} ")).flat_map(|word| word.chars().collect::<Vec<_>>()).take(characters).collect()
}

fn world() -> World {
    let mut world = World::new(1, 1, &settings_with_msrp(1));
    world.run_for(Duration::from_secs(1));
    world
}

fn sender(call_id: &str) -> Client {
    Client { attributes: "a=sendonly\r\n".into(), ..Client::new(call_id, LARGE_MESSAGE) }
}

/// [GEN-04] [GEN-LMM-00] [GEN-LMM-03] [GEN-LMM-04] [GEN-LMM-04a] [GEN-LMM-04b] [GEN-LMM-04c] [GEN-LMM-04d]
/// [GEN-LMM-04d1] [GEN-LMM-04d2] [GEN-LMM-04d3] [GEN-LMM-06]
#[test]
fn the_invite_is_answered_as_the_text_says() {
    let mut world = world();
    let mut client = sender("lmm1@a");
    let responses = client.invite(&mut world);
    let ok = responses.last().expect("a response");
    assert!(ok.starts_with("SIP/2.0 200 OK\r\n"), "{ok}");
    assert!(header(ok, "Server").expect("Server").contains("/OMA"), "{ok}");
    assert_eq!(header(ok, "Conversation-ID").as_deref(), Some("conv-lmm1@a"));
    assert_eq!(header(ok, "Contribution-ID").as_deref(), Some("contrib-lmm1@a"));
    assert!(header(ok, "Contact").expect("Contact").contains(&format!("+g.3gpp.icsi-ref=\"{LARGE_MESSAGE}\"")), "{ok}");
    assert!(line(ok, "a=path:").expect("path").starts_with(&format!("msrp://{MSRP}/")), "{ok}");
    assert!(ok.contains("\r\na=recvonly\r\n") && ok.contains("\r\na=setup:passive\r\n"), "{ok}");
}

/// [GEN-LMM-05] [GEN-LMM-08] [GEN-LMM-09] [GEN-LMM-09a] [GEN-LMM-09c] [GEN-LMM-09d] [GEN-LMM-10] [GEN-LMM-12b]
/// [GEN-LMM-12c]
#[test]
fn chunks_are_answered_and_the_last_when_the_sm_sc_has_the_whole_text() {
    let mut world = world();
    let mut client = sender("lmm2@a");
    client.establish(&mut world);
    let text = long_text(5_000);
    let (_, answers) = client.say(&mut world, &cpim("id2", "positive-delivery", &text), 1_000);
    assert_eq!(answers.iter().filter(|answer| answer.contains(" 200 OK\r\n")).count(), 5, "{answers:?}");
    world.run_for(Duration::from_secs(1));
    let parts: Vec<_> = world.smscs[0].accepted.iter().collect();
    assert_eq!(read::joined(&parts), text);
    let last = client.frames(&world);
    assert_eq!(last.len(), 1);
    assert!(last[0].contains(" 200 OK\r\n"), "{last:?}");
    let bye = client.bye(&mut world);
    assert!(bye.starts_with("SIP/2.0 200 OK\r\n"), "{bye}");
    assert_eq!(header(&bye, "Message-Context").as_deref(), Some("pager-message"));
    assert!(header(&bye, "Message-Correlator").is_some(), "{bye}");
    assert_eq!(world.count(|stats| stats.large_messages_open), 0);
}

/// A peer with much to say and much to read: what answers its chunks takes few writes, on whichever core its session is.
#[test]
fn chunks_that_come_together_are_answered_together() {
    for (call_id, shards) in [("lmm9@a", 1), ("lmm9@a", 2), ("lmm10@a", 2), ("lmm11@a", 2), ("lmm12@a", 2)] {
        let mut world = World::new(1, shards, &settings_with_msrp(1));
        world.run_for(Duration::from_secs(1));
        let mut client = sender(call_id);
        client.establish(&mut world);
        let chunks = client.chunks(&cpim("id2", "", &long_text(5_000)), 100, 0..40);
        let (place, _) = client.link.expect("a connection");
        let before = world.tcp[place].writes.len();
        let answers = client.push(&mut world, chunks.concat().as_bytes());
        assert_eq!(answers.iter().filter(|answer| answer.contains(" 200 OK\r\n")).count(), 40, "{answers:?}");
        assert_eq!(world.tcp[place].writes.len() - before, 1, "{call_id} on {shards}");
    }
}
