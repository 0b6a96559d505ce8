//! One MSRP session of the engine on a socket of the standard library: sends back every message that comes.
//!
//! Arguments: our port, our session id, the peer's path, octets in a chunk, and `passive`, or the address to connect to.
//! Prints `ready`, then a line for what became of each message.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use isthmus::engine::msrp::{Accept, Budget, Config, Event, Framed, Framer, Outgoing, Role, Session, Settings};
use isthmus::engine::{Moment, Now, Random};
use isthmus::wire::msrp::FailureReport;

const READ_BYTES: usize = 64 << 10;
const TICK: Duration = Duration::from_millis(100);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, id, peer, chunk, side] = &arguments[..] else { std::process::exit(2) };
    let role = if side == "passive" { Role::Passive } else { Role::Active };
    let config = Config {
        local_path: format!("msrp://127.0.0.1:{port}/{id};tcp").into_bytes().into(),
        peer_path: peer.as_bytes().into(),
        role,
        accept: Accept::ANY,
        settings: Settings { chunk_bytes: chunk.parse().unwrap(), message_bytes_max: 16 << 20, ..Settings::default() },
    };
    Echo::new(config, connection(port, side)).run();
}

/// Accepts one connection, or makes it.
fn connection(port: &str, side: &str) -> TcpStream {
    if side != "passive" {
        println!("ready");
        return TcpStream::connect(side).unwrap();
    }
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    println!("ready");
    listener.accept().unwrap().0
}

struct Echo {
    session: Session,
    framer: Framer,
    stream: TcpStream,
    random: Random,
    began: Instant,
    echoed: u64,
}

impl Echo {
    fn new(config: Config, stream: TcpStream) -> Echo {
        Echo {
            session: Session::new(config, &Budget::new(64 << 20)),
            framer: Framer::new(),
            stream,
            random: Random::from_seed([7; 32]),
            began: Instant::now(),
            echoed: 0,
        }
    }

    /// Until the peer closes the connection.
    fn run(mut self) {
        let received = reader(self.stream.try_clone().unwrap());
        self.session.handle_bound(self.now());
        loop {
            self.pump();
            match received.recv_timeout(TICK) {
                Ok(bytes) => self.hear(bytes),
                Err(RecvTimeoutError::Timeout) => self.session.handle_timeout(self.now()),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        println!("closed {:?}", self.session.counters());
    }

    fn now(&self) -> Now {
        let passed = u64::try_from(self.began.elapsed().as_micros()).unwrap();
        Now { moment: Moment(passed), ..Now::default() }
    }

    fn hear(&mut self, bytes: Bytes) {
        let now = self.now();
        self.framer.push(now.moment, bytes);
        loop {
            match self.framer.next_piece() {
                Framed::Piece(piece) => self.session.handle_piece(now, piece),
                Framed::Nothing => return,
                Framed::Broken(why) => {
                    println!("broken {why:?}");
                    std::process::exit(1);
                }
            }
        }
    }

    /// Everything that is due: events, then octets until there are none.
    fn pump(&mut self) {
        loop {
            while let Some(event) = self.session.poll_event() {
                self.tell(event);
            }
            let (now, mut octets) = (self.now(), Vec::new());
            if !self.session.poll_transmit(now, &mut self.random, &mut octets) {
                return;
            }
            if self.stream.write_all(&octets).is_err() {
                return;
            }
            self.session.handle_room(octets.len());
        }
    }

    fn tell(&mut self, event: Event) {
        match event {
            Event::Received { incoming, message } => {
                self.session.respond(incoming, 200);
                let mut body = Vec::with_capacity(message.len());
                message.copy_to(&mut body);
                self.echoed += 1;
                let what = Outgoing {
                    message_id: message.message_id,
                    content_type: message.content_type.clone(),
                    body: body.into(),
                    success_report: true,
                    failure_report: FailureReport::Yes,
                };
                self.session.send(self.echoed, what).unwrap();
            }
            other => println!("{other:?}"),
        }
    }
}

/// What arrives, from a thread of its own: the peer may write while we do.
fn reader(stream: TcpStream) -> Receiver<Bytes> {
    let (sender, receiver) = sync_channel(64);
    std::thread::spawn(move || read_all(stream, &sender));
    receiver
}

fn read_all(mut stream: TcpStream, sender: &SyncSender<Bytes>) {
    let mut buffer = vec![0; READ_BYTES];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        let Some(read) = buffer.get(..count) else { return };
        if sender.send(Bytes::copy_from_slice(read)).is_err() {
            return;
        }
    }
}
