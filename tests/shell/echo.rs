//! A world whose first octet names the owner and whose words are orders, and clients for it.

use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use isthmus::engine::transport::{
    ConnectId, LinkId, ListenerId, QueryId, Record, RecordKind, ShardId, Transmit, Transport,
};
use isthmus::engine::{Moment, Now};
use isthmus::observe::{Overrun, Snapshot};
use isthmus::shell::{Backend, Gateway, Options, StartError, World};

use crate::pour::Pour;

/// Longer than anything here takes, shorter than anybody's patience.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

type Place = (ListenerId, SocketAddr);

/// Echoes.
pub(crate) struct Echo {
    id: ShardId,
    cores: u16,
    transmits: Vec<Transmit>,
    handoffs: Vec<(ShardId, String, Place)>,
    events: Vec<String>,
    /// Who is told how the connection went, and what came of it.
    connecting: Option<Place>,
    asking: Option<Place>,
    alarm: Option<(Moment, Place)>,
    outgoing: Option<LinkId>,
    /// Octets that are never let go, still in the buffers they came in.
    kept: Vec<Bytes>,
    held: usize,
    /// A long answer, as fast as it is taken.
    pour: Option<Pour>,
    draining: bool,
}

impl Echo {
    fn new(id: ShardId, cores: u16) -> Echo {
        Echo {
            id,
            cores,
            transmits: Vec::new(),
            handoffs: Vec::new(),
            events: Vec::new(),
            connecting: None,
            asking: None,
            alarm: None,
            outgoing: None,
            kept: Vec::new(),
            held: 0,
            pour: None,
            draining: false,
        }
    }

    fn say(&mut self, (listener, peer): Place, text: &str) {
        let bytes = format!("{}:{text}", self.id.0).into_bytes();
        self.transmits.push(Transmit::Datagram { listener, peer, bytes });
    }

    fn obey(&mut self, now: Now, place: Place, text: &str) {
        match text.split_once(' ').unwrap_or((text, "")) {
            ("connect", address) => {
                self.connecting = Some(place);
                let peer = address.parse().expect("address");
                self.transmits.push(Transmit::Connect { order: ConnectId(7), peer });
            }
            ("hop", _) => self.handoffs.push((ShardId((self.id.0 + 1) % self.cores), text.into(), place)),
            ("flood", count) => {
                let to = ShardId((self.id.0 + 1) % self.cores);
                let count: usize = count.parse().expect("number");
                self.handoffs.extend((1..count).map(|_| (to, String::new(), place)));
                self.handoffs.push((to, format!("all {count}"), place));
            }
            ("resolve", name) => {
                self.asking = Some(place);
                self.transmits.push(Transmit::Resolve {
                    query: QueryId(1),
                    name: name.into(),
                    kind: RecordKind::Address,
                });
            }
            ("wait", ms) => {
                let ms = ms.parse().expect("number");
                self.alarm = Some((now.moment + Duration::from_millis(ms), place));
            }
            ("dawdle", ms) => {
                std::thread::sleep(Duration::from_millis(ms.parse().expect("number")));
                self.say(place, "awake");
            }
            ("panic", _) => unreachable!("as ordered"),
            ("hold", _) => {
                self.held += 1;
                self.say(place, "held");
            }
            ("release", _) => {
                self.held = 0;
                self.say(place, "released");
            }
            ("poured", _) => {
                let said = self.pour.as_ref().map_or(String::from("nothing"), Pour::to_string);
                self.say(place, &said);
            }
            _ => self.say(place, text),
        }
    }
}

impl World for Echo {
    type Handoff = (String, Place);
    type Event = String;

    fn owner_of(&self, datagram: &[u8]) -> ShardId {
        let digit = datagram.first().map_or(0, |digit| digit.wrapping_sub(b'0'));
        ShardId(u16::from(digit) % self.cores)
    }

    fn on_datagram(&mut self, now: Now, listener: ListenerId, peer: SocketAddr, bytes: &[u8]) {
        assert_eq!(self.owner_of(bytes), self.id, "only the owner sees a datagram");
        let text = std::str::from_utf8(&bytes[1..]).expect("text");
        self.obey(now, (listener, peer), text);
    }

    fn on_accepted(&mut self, _now: Now, _link: LinkId, _listener: ListenerId, _peer: SocketAddr) {
        self.events.push("accepted".into());
    }

    fn on_connected(&mut self, _now: Now, link: LinkId, order: ConnectId, peer: SocketAddr) {
        assert_eq!(order, ConnectId(7));
        self.outgoing = Some(link);
        self.transmits.push(Transmit::Stream { link, bytes: b"hello".to_vec() });
        if let Some(place) = self.connecting {
            self.say(place, &format!("connected {peer}"));
        }
    }

    fn on_connect_failed(&mut self, _now: Now, order: ConnectId) {
        assert_eq!(order, ConnectId(7));
        if let Some(place) = self.connecting {
            self.say(place, "connect failed");
        }
    }

    fn on_stream(&mut self, _now: Now, link: LinkId, bytes: Bytes) {
        if self.outgoing == Some(link) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            return if let Some(place) = self.connecting {
                self.say(place, &text)
            };
        }
        let crumbs = bytes.strip_prefix(b"crumbs ");
        if let Some(octets) = crumbs.or(bytes.strip_prefix(b"pour ")) {
            let octets = str::from_utf8(octets).expect("text").parse().expect("number");
            self.transmits.push(Transmit::Watch { link });
            let pour = Pour::new(link, octets);
            let pour = self.pour.insert(if crumbs.is_some() { pour.of_crumbs() } else { pour });
            return self.transmits.extend(pour.more());
        }
        if bytes.starts_with(b"held") {
            let bytes = self.held.to_string().into_bytes();
            return self.transmits.push(Transmit::Stream { link, bytes });
        }
        let last = bytes.ends_with(b"bye");
        if bytes.starts_with(b"keep") {
            self.kept.push(bytes.clone());
        }
        self.transmits.push(Transmit::Stream { link, bytes: bytes.to_vec() });
        if last {
            self.transmits.push(Transmit::Close { link });
        }
    }

    fn on_written(&mut self, _now: Now, link: LinkId, bytes: usize) {
        let pour = self.pour.as_mut().filter(|pour| pour.link == link).expect("only the watched link is told of");
        pour.written(bytes);
        self.transmits.extend(pour.more());
    }

    fn on_closed(&mut self, _now: Now, link: LinkId) {
        self.events.push("closed".into());
        if self.outgoing.take_if(|outgoing| *outgoing == link).is_some()
            && let Some(place) = self.connecting
        {
            self.say(place, "closed");
        }
    }

    fn on_resolved(&mut self, _now: Now, _query: QueryId, answers: Vec<Record>) {
        if let Some(place) = self.asking.take() {
            self.say(place, &format!("{answers:?}"));
        }
    }

    fn on_handoff(&mut self, _now: Now, from: ShardId, (text, place): (String, Place)) {
        if !text.is_empty() {
            self.say(place, &format!("{text} from {}", from.0));
        }
    }

    fn on_tick(&mut self, now: Now) {
        if let Some((_, place)) = self.alarm.take_if(|(at, _)| *at <= now.moment) {
            self.say(place, "rung");
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        if self.transmits.is_empty() { None } else { Some(self.transmits.remove(0)) }
    }

    fn poll_handoff(&mut self) -> Option<(ShardId, (String, Place))> {
        self.handoffs.pop().map(|(to, text, place)| (to, (text, place)))
    }

    fn poll_event(&mut self) -> Option<String> {
        self.events.pop()
    }

    fn poll_timeout(&mut self) -> Option<Moment> {
        self.alarm.map(|(at, _)| at)
    }

    fn recycle(&mut self, _bytes: Vec<u8>) {}

    fn drain(&mut self, _now: Now) {
        self.draining = true;
    }

    fn is_drained(&self) -> bool {
        self.draining && self.held == 0
    }

    fn is_ready(&self) -> bool {
        !self.draining
    }

    fn overran(&mut self, overrun: Overrun) {
        self.events.push(format!("overran at {}", overrun.step.name()));
    }

    fn show(&self, snapshot: &mut Snapshot) {
        snapshot.stats.open_messages = self.held as u64;
    }
}

/// What is seen once it stays the same for a while, after something was seen at all.
pub(crate) fn at_rest<T: Copy + Default + PartialEq + std::fmt::Debug>(see: impl Fn() -> T) -> T {
    let until = std::time::Instant::now() + PATIENCE;
    let (mut last, mut same) = (T::default(), 0);
    while same < 50 {
        std::thread::sleep(Duration::from_millis(4));
        let now = see();
        same = if now == last && now != T::default() { same + 1 } else { 0 };
        last = now;
        assert!(std::time::Instant::now() < until, "{last:?}");
    }
    last
}

/// The back ends that this host has.
pub(crate) fn backends() -> Vec<Backend> {
    let gateway = start(Backend::Auto, 1);
    match gateway.backend() {
        ("io_uring", _) => vec![Backend::IoUring, Backend::Epoll],
        ("epoll", why) => {
            assert!(!why.is_empty(), "a fallback has a reason");
            vec![Backend::Epoll]
        }
        (other, _) => unreachable!("{other}"),
    }
}

/// A gateway on any UDP port and any TCP port of loopback.
pub(crate) fn start(backend: Backend, cores: u16) -> Gateway {
    start_with_events(backend, cores, |_, _| ())
}

pub(crate) fn start_with_events(
    backend: Backend,
    cores: u16,
    sink: impl Fn(usize, String) + Send + Sync + 'static,
) -> Gateway {
    // Cores may share a processor.
    try_start(backend, vec![0; usize::from(cores)], sink).expect("start")
}

pub(crate) fn try_start(
    backend: Backend,
    processors: Vec<usize>,
    sink: impl Fn(usize, String) + Send + Sync + 'static,
) -> Result<Gateway, StartError> {
    try_start_at("127.0.0.1:0", backend, processors, sink)
}

pub(crate) fn try_start_at(
    address: &str,
    backend: Backend,
    processors: Vec<usize>,
    sink: impl Fn(usize, String) + Send + Sync + 'static,
) -> Result<Gateway, StartError> {
    let any: SocketAddr = address.parse().expect("address");
    let cores = u16::try_from(processors.len()).expect("few");
    let listen = vec![(Transport::Udp, any), (Transport::Tcp, any)];
    let options = Options { cores: processors, backend, listen, drain: PATIENCE, profile: false, storage: None };
    let make = |_: &_| -> Arc<dyn Fn(ShardId) -> Echo + Send + Sync> { Arc::new(move |id| Echo::new(id, cores)) };
    Gateway::start_worlds(&options, make, Arc::new(sink))
}

/// A client with its own port, and so perhaps with another core behind it.
pub(crate) fn udp(gateway: &Gateway) -> UdpSocket {
    let server = gateway.listeners()[0].local;
    let socket = UdpSocket::bind(SocketAddr::new(server.ip(), 0)).expect("port");
    socket.connect(server).expect("connect");
    socket.set_read_timeout(Some(PATIENCE)).expect("time-out");
    socket
}

pub(crate) fn tcp(gateway: &Gateway) -> TcpStream {
    let stream = TcpStream::connect(gateway.listeners()[1].local).expect("connect");
    stream.set_read_timeout(Some(PATIENCE)).expect("time-out");
    stream.set_write_timeout(Some(PATIENCE)).expect("time-out");
    stream
}

pub(crate) fn ask(socket: &UdpSocket, text: &str) -> String {
    socket.send(text.as_bytes()).expect("send");
    hear(socket)
}

pub(crate) fn hear(socket: &UdpSocket) -> String {
    let mut buffer = vec![0; 65_536];
    // A ring that this thread had probed may still interrupt it.
    let len = loop {
        match socket.recv(&mut buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            received => break received.expect("answer in time"),
        }
    };
    buffer.truncate(len);
    String::from_utf8(buffer).expect("text")
}
