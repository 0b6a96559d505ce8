//! One client session and everything that can happen to it. Each mail that was taken is reported once, what is sent are whole
//! lines, connections are ordered one at a time, and no bound is passed.

use std::time::Duration;

use bytes::Bytes;
use isthmus::engine::smtp::Client;
use isthmus::engine::smtp::client::{Config, Event, Mail, Order};
use isthmus::engine::{Moment, Now, Random};

use super::input::Input;

/// Steps of one run: more of them find nothing that these do not.
const STEPS_MAX: usize = 400;
const QUEUE_MAX: usize = 4;

/// What servers say.
const REPLIES: [&[u8]; 12] = [
    b"220 mmsc\r\n",
    b"250 mmsc\r\n",
    b"250-mmsc\r\n250-PIPELINING\r\n250-SIZE 100\r\n250 8BITMIME\r\n",
    b"250 2.0.0 ok\r\n",
    b"354 go on\r\n",
    b"250 ok\r\n250 ok\r\n354 go\r\n",
    b"450 4.2.0 later\r\n",
    b"550 5.1.1 no\r\n",
    b"421 4.3.2 closing\r\n",
    b"500 what\r\n",
    b"221 bye\r\n",
    b"250-",
];

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut world = World::new(&mut input);
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            break;
        }
        world.step(&mut input);
        world.drain();
    }
    world.end();
}

struct World {
    client: Client,
    now: Now,
    connected: bool,
    ordered: bool,
    stopped: bool,
    taken: u64,
    outcomes: Vec<u64>,
}

fn config(input: &mut Input<'_>) -> Config {
    let bits = input.u8();
    let seconds = |bit: u8, seconds| if bits & bit == 0 { Duration::ZERO } else { Duration::from_secs(seconds) };
    Config {
        hostname: b"gw.example".to_vec(),
        queue_max: QUEUE_MAX,
        noop: seconds(1, 60),
        idle: seconds(2, 100),
        ..Config::default()
    }
}

impl World {
    fn new(input: &mut Input<'_>) -> World {
        let mut world = World {
            client: Client::new(config(input), Random::from_seed([7; 32])),
            now: Now { moment: Moment(1), unix_ms: 1_795_255_530_000 },
            connected: false,
            ordered: false,
            stopped: false,
            taken: 0,
            outcomes: Vec::new(),
        };
        world.drain();
        world
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.below(10) {
            0 => self.send(input),
            1 | 2 => self.say(REPLIES[input.below(12)]),
            3 => self.say(input.octets()),
            4 => self.pass(Duration::from_millis(u64::from(input.u16()))),
            5 => self.pass(Duration::from_secs(4 * u64::from(input.u8()))),
            6 => self.connect(),
            7 => self.refuse_connection(),
            8 => self.close(),
            _ if input.u8() == 0xFF => {
                self.stopped = true;
                self.client.drain(self.now);
            }
            _ => self.client.handle_timeout(self.now),
        }
    }

    fn send(&mut self, input: &mut Input<'_>) {
        let how = input.u8();
        let until = (how & 1 == 1).then(|| self.now.moment + Duration::from_secs(u64::from(how)));
        let rcpt_to = vec![b"+1@mms.example".to_vec(), input.octets().to_vec()];
        let content = vec![Bytes::copy_from_slice(input.octets()), Bytes::copy_from_slice(input.octets())];
        let mail_from = if how & 2 == 0 { Vec::new() } else { input.octets().to_vec() };
        let mail = Mail { token: self.taken, mail_from, rcpt_to, content, until };
        let can_send = self.client.can_send();
        let taken = self.client.send(self.now, mail).is_ok();
        assert_eq!(taken, can_send);
        assert!(!(taken && self.stopped));
        self.taken += u64::from(taken);
    }

    fn say(&mut self, octets: &[u8]) {
        if self.connected {
            self.client.handle_bytes(self.now, octets);
        }
    }

    fn connect(&mut self) {
        if std::mem::take(&mut self.ordered) {
            self.connected = true;
            self.client.handle_connected(self.now);
        }
    }

    fn refuse_connection(&mut self) {
        if std::mem::take(&mut self.ordered) {
            self.client.handle_connect_failed(self.now);
        }
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.connected) {
            self.client.handle_closed(self.now);
        }
    }

    /// Lets time pass, running timers when they are due.
    fn pass(&mut self, time: Duration) {
        let end = self.now.after(time);
        for _ in 0..10_000 {
            let Some((at, _)) = self.client.poll_timeout().filter(|(at, _)| *at <= end.moment) else {
                self.now = end;
                return;
            };
            self.now = self.now.after(at.since(self.now.moment));
            self.client.handle_timeout(self.now);
            self.drain();
        }
        panic!("timers without end");
    }

    fn drain(&mut self) {
        if let Some(sent) = self.client.poll_transmit() {
            assert!(sent.ends_with(b"\r\n"), "half a line: {sent:?}");
        }
        while let Some(order) = self.client.poll_order() {
            match order {
                Order::Connect => {
                    assert!(!self.connected && !self.ordered && !self.stopped);
                    self.ordered = true;
                }
                Order::Close => self.connected = false,
            }
        }
        while let Some(event) = self.client.poll_event() {
            if let Event::Done { token, .. } = event {
                self.outcomes.push(token);
            }
        }
        let (under_way, waiting) = self.client.outstanding();
        // One that met a lost connection waits again, in front of a queue that may be full.
        assert!(under_way <= 1 && waiting <= QUEUE_MAX + 1);
        assert_eq!(self.outcomes.len() + under_way + waiting, usize::try_from(self.taken).expect("few"));
    }

    fn end(mut self) {
        self.client.drain(self.now);
        self.stopped = true;
        self.drain();
        self.close();
        self.drain();
        assert_eq!(self.client.outstanding(), (0, 0));
        self.outcomes.sort_unstable();
        assert_eq!(self.outcomes, (0..self.taken).collect::<Vec<u64>>(), "each mail is reported once");
    }
}
