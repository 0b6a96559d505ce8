//! A gateway that reads more slowly than messages are due: the load waits, as a peer over TCP does.

use std::time::Duration;

use isthmus::engine::transport::{LinkId, Transmit, Transport};
use isthmus::engine::{Moment, Now};
use isthmus::limits::LOAD_UNWRITTEN_BYTES_MAX;
use isthmus::load::{CpmSettings, Event, Generator, Mix, Pace, Results, Role, Settings};

use super::net::settings;

const LINK: LinkId = LinkId { index: 1, generation: 1 };
/// More octets than any request has.
const REQUEST: usize = 2_000;

struct Load {
    generator: Generator,
    now: Now,
    sent: usize,
    ended: Option<Option<Box<Results>>>,
}

impl Load {
    /// 2,000 messages are due within a second, over one connection.
    fn new() -> Load {
        let udp = settings(Mix::default());
        let cpm = udp.cpm.map(|cpm| CpmSettings { transport: Transport::Tcp, ..cpm });
        let (pace, duration) = (Pace::Open { per_s: 2_000.0 }, Some(Duration::from_secs(1)));
        let settings = Settings { cpm, smsc: None, pace, duration, settle: Duration::from_secs(5), ..udp };
        let generator = Generator::new(settings, vec![Role::Sip]);
        let now = Now { moment: Moment(1_000_000), unix_ms: 1_795_255_530_000 };
        let mut load = Load { generator, now, sent: 0, ended: None };
        load.run_until(1);
        load
    }

    /// Runs until so many seconds after the begin.
    fn run_until(&mut self, seconds: u64) {
        let until = Moment((1 + seconds) * 1_000_000);
        for _ in 0..100_000 {
            self.settle();
            let due = self.generator.poll_timeout().filter(|due| *due <= until);
            let Some(due) = due else { return };
            self.now = self.now.after(due.since(self.now.moment));
            self.generator.on_tick(self.now);
        }
        panic!("it does not rest");
    }

    fn settle(&mut self) {
        while let Some(transmit) = self.generator.poll_transmit() {
            match transmit {
                Transmit::Connect { order, .. } => self.generator.on_connected(LINK, order),
                Transmit::Stream { link, bytes } if link == LINK => self.sent += bytes.len(),
                Transmit::Watch { link } => assert_eq!(link, LINK),
                other => panic!("{other:?}"),
            }
        }
        while let Some(event) = self.generator.poll_event() {
            if let Event::Ended(results) = event {
                self.ended = Some(results);
            }
        }
    }
}

#[test]
fn no_more_waits_in_a_connection_than_there_is_room_for_and_what_is_read_makes_room() {
    let mut load = Load::new();
    let mut read = 0;
    for second in 2..5 {
        let waiting = load.sent - read;
        assert!((LOAD_UNWRITTEN_BYTES_MAX..LOAD_UNWRITTEN_BYTES_MAX + REQUEST).contains(&waiting), "{waiting}");
        load.run_until(second);
        assert_eq!(load.sent - read, waiting, "nothing was read");
        load.generator.on_written(LINK, 100_000);
        read += 100_000;
        load.run_until(second);
    }
    assert!(load.ended.is_none());
    while load.sent > read {
        load.generator.on_written(LINK, load.sent - read);
        read = load.sent;
        load.run_until(5);
    }
    load.run_until(12);
    let results = load.ended.flatten().expect("an end");
    let counts = results.flows[0].counts;
    assert_eq!((counts.intended, counts.sent, counts.answered), (2_000, 2_000, 0), "late, but all of them");
    assert!(counts.behind > 1_000, "{counts:?}");
}

#[test]
fn a_gateway_that_reads_nothing_is_given_up() {
    let mut load = Load::new();
    load.run_until(5);
    assert!(load.ended.is_none());
    load.run_until(20);
    let results = load.ended.flatten().expect("an end");
    let counts = results.flows[0].counts;
    assert!(counts.sent < 2_000 && counts.lost == counts.sent && !results.verdict().passed(), "{counts:?}");
}
