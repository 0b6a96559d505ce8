//! How a Large Message's session ends, at every step of it, and what is kept after that (IWF V3.0 6.1.2 steps 2, 9b and 12,
//! 6.2.4 B).

use isthmus::policy::Policy;
use isthmus::wire::cpim::imdn::{Notification, Status};
use isthmus::wire::smpp::MessageState;

use crate::chat::{nothing_is_left, nothing_stays, seconds, world_of, world_with};
use crate::client::{Client, LARGE_MESSAGE, cpim, header};
use crate::large_message::long_text;
use crate::read;
use crate::sip::{imdns, outcomes};
use crate::world::World;

/// How far a session came before its BYE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Accepted,
    Acknowledged,
    Connected,
    Bound,
    FirstChunk,
    AllButTheLastChunk,
    WholeMessage,
    Answered,
}

use Step::*;

/// Step, whether the SM-SC gets the message, whether the 200 to the BYE says that it went out as SMS.
const ENDS: [(Step, bool, bool); 8] = [
    (Accepted, false, false),
    (Acknowledged, false, false),
    (Connected, false, false),
    (Bound, false, false),
    (FirstChunk, false, false),
    (AllButTheLastChunk, false, false),
    (WholeMessage, true, false),
    (Answered, true, true),
];

const CHUNK: usize = 500;

/// Takes a session as far as `step`; the message is `content`.
fn play(world: &mut World, client: &mut Client, step: Step, content: &str) {
    let responses = client.invite(world);
    assert!(responses.last().is_some_and(|last| last.starts_with("SIP/2.0 200 ")), "{responses:?}");
    if step >= Acknowledged {
        client.ack(world);
    }
    if step >= Connected {
        client.connect(world, 0);
    }
    if step >= Bound {
        client.bind(world);
    }
    let chunks = content.len().div_ceil(CHUNK);
    let said = match step {
        FirstChunk => 1,
        AllButTheLastChunk => chunks - 1,
        WholeMessage | Answered => chunks,
        _ => 0,
    };
    client.say_some(world, content, CHUNK, 0..said);
    if step == Answered {
        seconds(world, 1);
    }
}

fn sender(call_id: &str) -> Client {
    Client { attributes: "a=sendonly\r\n".into(), ..Client::new(call_id, LARGE_MESSAGE) }
}

/// [GEN-LMM-12a] [GEN-LMM-12b] [GEN-LMM-12c] [SMS-OK-B1] [SMS-OK-B2]
#[test]
fn a_bye_at_every_step() {
    let text = long_text(2_000);
    for (step, submitted, told) in ENDS {
        for wanted in ["", "positive-delivery"] {
            let mut world = world_with(Policy::default());
            let mut client = sender("end1@a");
            play(&mut world, &mut client, step, &cpim("id1", wanted, &text));
            let bye = client.bye(&mut world);
            assert!(bye.starts_with("SIP/2.0 200 OK\r\n"), "{step:?}: {bye}");
            assert_eq!(header(&bye, "Message-Context").as_deref(), told.then_some("pager-message"), "{step:?}");
            assert_eq!(header(&bye, "Message-Correlator").is_some(), told, "{step:?}");
            assert_eq!(world.count(|s| s.large_messages_open), 0, "{step:?}");
            seconds(&mut world, 30);
            let parts: Vec<_> = world.smscs[0].accepted.iter().collect();
            assert_eq!(!parts.is_empty(), submitted, "{step:?}");
            if submitted {
                assert_eq!(read::joined(&parts), text, "{step:?}");
            }
            let told = outcomes(&world, "id1");
            assert_eq!(told.len(), usize::from(submitted && !wanted.is_empty()), "{step:?}: {told:?}");
            assert_eq!(world.count(|s| s.open_messages), 0, "{step:?}");
            nothing_stays(&mut world);
        }
    }
}

/// The peer goes without a BYE.
#[test]
fn a_connection_that_is_cut_at_any_step_leaves_nothing() {
    for (step, ..) in ENDS.into_iter().filter(|(step, ..)| *step >= Connected) {
        let mut world = world_with(Policy::default());
        let mut client = sender("end2@a");
        play(&mut world, &mut client, step, &cpim("id2", "", &long_text(2_000)));
        world.tcp_close(client.link.take().expect("a connection").0);
        seconds(&mut world, 120);
        client.take_bye(&mut world);
        nothing_stays(&mut world);
    }
}

/// [GEN-LMM-02a] [GEN-LMM-09b1]
#[test]
fn nothing_is_kept_for_a_report_that_nobody_wants() {
    let mut world = world_with(Policy::default());
    let mut client = sender("end3@a");
    play(&mut world, &mut client, Answered, &cpim("id3", "", "Hello"));
    assert_eq!(world.count(|s| s.open_messages), 1);
    client.bye(&mut world);
    assert_eq!(world.count(|s| s.open_messages), 0);
}

/// [GEN-LMM-02b] [GEN-LMM-09b2] [SMS-OK-02b]
#[test]
fn one_notification_for_all_segments_comes_after_the_session() {
    let mut world = world_with(Policy::default());
    world.smscs[0].faults.no_reports = true;
    let mut client = sender("end4@a");
    play(&mut world, &mut client, Answered, &cpim("id4", "positive-delivery", &long_text(1_000)));
    client.bye(&mut world);
    seconds(&mut world, 60);
    assert_eq!((world.count(|s| s.open_messages), imdns(&world).len()), (1, 0), "kept for the reports");
    let ids: Vec<u64> = world.smscs[0].accepted.iter().map(|accepted| accepted.message_id).collect();
    assert!(ids.len() > 5, "{}", ids.len());
    for id in ids {
        let now = world.now.moment;
        world.smscs[0].report_on(now, id, MessageState::DELIVERED);
        seconds(&mut world, 1);
    }
    assert_eq!(outcomes(&world, "id4"), [(Notification::Delivery, Status::Delivered)]);
    let imdn = &imdns(&world)[0];
    assert!(imdn.request.first_line.starts_with("MESSAGE "), "{imdn:?}");
    for (name, value) in [("Conversation-ID", "conv-end4@a"), ("Contribution-ID", "contrib-end4@a")] {
        assert_eq!(imdn.request.get(name), value);
    }
    assert_eq!(world.count(|s| s.open_messages), 0);
}

/// [GEN-LMM-02c] [GEN-LMM-09b3]
#[test]
fn what_was_stored_ends_with_the_message_that_expires() {
    let mut world = world_with(Policy::default());
    world.smscs[0].faults.no_reports = true;
    let mut client = Client { headers: "Message-Expires: 600\r\n".into(), ..sender("end5@a") };
    play(&mut world, &mut client, Answered, &cpim("id5", "positive-delivery", "Hello"));
    client.bye(&mut world);
    seconds(&mut world, 60);
    assert_eq!(world.count(|s| s.open_messages), 1);
    nothing_is_left(&mut world);
}

/// [GEN-LMM-07]
#[test]
fn a_cancel_that_comes_too_late_changes_nothing() {
    let mut world = world_with(Policy::default());
    let mut client = sender("end6@a");
    client.invite(&mut world);
    let responses = client.cancel(&mut world);
    let own = responses.iter().find(|response| response.contains(" CANCEL\r\n")).expect("a response to CANCEL");
    assert!(own.starts_with("SIP/2.0 200 "), "{own}");
    client.ack(&mut world);
    assert_eq!(world.count(|s| s.large_messages_open), 1);
    client.connect(&mut world, 0);
    client.bind(&mut world);
    client.say(&mut world, &cpim("id6", "", "Hello"), 10_000);
    seconds(&mut world, 1);
    assert_eq!(world.smscs[0].accepted.len(), 1);
    client.bye(&mut world);
    nothing_stays(&mut world);
}

/// Two cores, and everything comes to the one that does not have the session.
#[test]
fn it_does_not_matter_which_core_hears_first() {
    let text = long_text(3_000);
    for (at, other) in [(0, 1), (1, 0)] {
        for call_id in ["end7@a", "end8@b", "end9@c"] {
            let mut world = world_of(2, Policy::default());
            world.arrive_at = Some(at);
            let mut client = sender(call_id);
            client.invite(&mut world);
            client.ack(&mut world);
            client.connect(&mut world, other);
            client.bind(&mut world);
            client.say(&mut world, &cpim("id7", "positive-delivery", &text), 400);
            seconds(&mut world, 1);
            assert_eq!(read::joined(&world.smscs[0].accepted.iter().collect::<Vec<_>>()), text);
            client.bye(&mut world);
            seconds(&mut world, 30);
            assert_eq!(outcomes(&world, "id7").len(), 1);
            nothing_stays(&mut world);
        }
    }
}

/// Drain: what is under way goes on to its end, and then the gateway leaves; nothing new begins.
#[test]
fn a_drain_lets_the_message_end() {
    let mut world = world_with(Policy::default());
    let (mut client, mut late) = (sender("end10@a"), sender("end11@a"));
    let content = cpim("id10", "", &long_text(2_000));
    play(&mut world, &mut client, FirstChunk, &content);
    world.drain();
    let refused = late.invite(&mut world);
    assert!(refused.last().is_some_and(|last| last.starts_with("SIP/2.0 503 ")), "{refused:?}");
    late.ack_refusal(&mut world);
    client.say_some(&mut world, &content, CHUNK, 1..content.len().div_ceil(CHUNK));
    seconds(&mut world, 1);
    let parts: Vec<_> = world.smscs[0].accepted.iter().collect();
    assert_eq!(read::joined(&parts), long_text(2_000));
    let frames = client.frames(&world);
    assert!(frames.last().is_some_and(|last| last.contains(" 200 OK\r\n")), "{frames:?}");
    client.take_bye(&mut world);
    seconds(&mut world, 60);
    assert!(world.is_drained());
}
