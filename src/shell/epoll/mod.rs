//! The back end on epoll: the fallback where io_uring is forbidden, and what it is measured against.

mod datagrams;
mod link;

mod streams;

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use socket2::Socket;

use super::bell::Bell;
use super::buffers::{Lease, Measures, Slot};
use super::credit;
use super::mmsg::Batch;
use super::places::Places;
use super::port::{Arrival, Port};
use super::slow_readers::SlowReaders;
use super::sockets::{self, Listening};
use super::stock::Stock;
use super::token::{Kind, Token};
use crate::engine::Moment;
use crate::engine::transport::{ConnectId, LinkId, ListenerId, Transport};
use crate::limits;
use crate::observe::ShellStats;

use link::Link;

/// What waits to be sent on a connection that is being closed may take this long.
const LINGER: Duration = Duration::from_secs(5);
/// Opening a connection may take this long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// After an error that is not the end, a listener is asked again this much later.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// One core's sockets, served by epoll.
pub(super) struct EpollPort {
    epoll: OwnedFd,
    listeners: Vec<Listener>,
    links: Places<Link>,
    udp: Stock,
    tcp: Stock,
    batch: Box<Batch>,
    /// Listeners and links with something new to send.
    to_send: Vec<LinkId>,
    /// Watched links of which something left.
    noted: Vec<LinkId>,
    /// Links that must be shut, or connected, by then, each in order of time.
    closing: VecDeque<(Moment, LinkId)>,
    slow_readers: SlowReaders,
    connecting: VecDeque<(Moment, LinkId)>,
    events: Vec<Event>,
    arrivals: Vec<Arrival>,
    /// Datagrams received in this turn.
    datagrams: usize,
    spent: Vec<Vec<u8>>,
    stats: ShellStats,
    now: Moment,
}

struct Listener {
    transport: Transport,
    socket: Socket,
    out: VecDeque<(SocketAddr, Vec<u8>)>,
    /// Whether its send buffer was full.
    blocked: bool,
    /// Not to be asked before, after an error.
    rest_until: Option<Moment>,
}

impl EpollPort {
    /// On the thread that will use it.
    pub(super) fn new(sockets: Vec<Listening>, bell: &Arc<Bell>) -> io::Result<EpollPort> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let mut listeners = Vec::with_capacity(sockets.len());
        for (index, Listening { transport, socket }) in sockets.into_iter().enumerate() {
            socket.set_nonblocking(true)?;
            epoll::add(&epoll, &socket, listener_data(index), EventFlags::IN)?;
            listeners.push(Listener { transport, socket, out: VecDeque::new(), blocked: false, rest_until: None });
        }
        Ok(EpollPort {
            epoll,
            listeners,
            links: Places::new(limits::LINKS_MAX),
            udp: Stock::new(Measures::UDP, Arc::clone(bell))?,
            tcp: Stock::new(Measures::TCP, Arc::clone(bell))?,
            batch: Batch::new(),
            to_send: Vec::new(),
            noted: Vec::new(),
            closing: VecDeque::new(),
            slow_readers: SlowReaders::default(),
            connecting: VecDeque::new(),
            events: Vec::with_capacity(limits::TURN_ARRIVALS_MAX),
            arrivals: Vec::new(),
            datagrams: 0,
            spent: Vec::new(),
            stats: ShellStats::default(),
            now: Moment::default(),
        })
    }

    fn happened(&mut self, event: Event) {
        let Some(token) = Token::unpack(event.data.u64()) else { return };
        match token.kind {
            Kind::Receive => self.listener_ready(token.index as usize, event.flags),
            _ => {
                if let Some(id) = self.links.named(token) {
                    self.link_ready(id, event.flags);
                }
            }
        }
    }

    fn listener_ready(&mut self, index: usize, flags: EventFlags) {
        let Some(listener) = self.listeners.get(index) else { return };
        match listener.transport {
            Transport::Udp => self.datagrams_ready(index, flags),
            Transport::Tcp => self.accept(index),
        }
    }

    /// Asks the kernel for these events of a listener from now on.
    fn watch_listener(&mut self, index: usize, flags: EventFlags) {
        // It fails only for a file that is not watched; listeners are.
        let _ = epoll::modify(&self.epoll, &self.listeners[index].socket, listener_data(index), flags);
    }

    fn wake_rested_listeners(&mut self) {
        for index in 0..self.listeners.len() {
            if self.listeners[index].rest_until.is_some_and(|until| until <= self.now) {
                self.listeners[index].rest_until = None;
                self.watch_listener(index, EventFlags::IN);
            }
        }
    }
}

fn listener_data(index: usize) -> EventData {
    EventData::new_u64(Token::new(Kind::Receive, 0, u32::try_from(index).unwrap_or(u32::MAX)).pack())
}

impl Port for EpollPort {
    fn readable(&self) -> io::Result<OwnedFd> {
        self.epoll.try_clone()
    }

    fn collect(&mut self, now: Moment, limit: usize, arrivals: &mut Vec<Arrival>) -> bool {
        (self.now, self.datagrams) = (now, 0);
        let mut events = core::mem::take(&mut self.events);
        events.clear();
        // An interrupted look is made again in the next turn.
        let _ = epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&Timespec::default()));
        for event in &events {
            if self.arrivals.len() < limit {
                self.happened(*event);
            }
        }
        self.events = events;
        self.shut_overdue();
        self.cut_slow_readers();
        self.wake_rested_listeners();
        let more = self.arrivals.len() >= limit || self.datagrams >= limits::TURN_DATAGRAMS_MAX;
        arrivals.append(&mut self.arrivals);
        more
    }

    fn bytes(&self, slot: &Slot) -> &[u8] {
        self.udp.bytes(slot)
    }

    fn release(&mut self, slot: Slot) {
        self.udp.release(slot);
    }

    fn lease(&mut self, slot: Slot) -> Lease {
        self.udp.lease(slot)
    }

    fn datagram(&mut self, listener: ListenerId, peer: SocketAddr, bytes: Vec<u8>) {
        self.enqueue_datagram(usize::from(listener.0), peer, bytes);
    }

    fn stream(&mut self, link: LinkId, bytes: Vec<u8>) {
        self.enqueue(link, bytes);
    }

    fn connect(&mut self, now: Moment, order: ConnectId, peer: SocketAddr) {
        self.start_connect(now, order, peer);
    }

    fn watch(&mut self, link: LinkId) {
        if let Some(link) = self.links.get_mut(link) {
            link.credit.watch();
            sockets::keep_unsent_short(&link.socket);
        }
    }

    fn written(&mut self) -> Option<(LinkId, usize)> {
        credit::next(&mut self.noted, &mut self.links, |link| &mut link.credit)
    }

    fn close(&mut self, now: Moment, link: LinkId) {
        self.start_close(now, link);
    }

    fn flush(&mut self) {
        self.udp.reclaim(self.now);
        self.tcp.reclaim(self.now);
        self.send_datagrams();
        self.send_streams();
    }

    fn spent(&mut self) -> Option<Vec<u8>> {
        self.spent.pop()
    }

    fn deadline(&self) -> Option<Moment> {
        let resting = self.listeners.iter().filter_map(|listener| listener.rest_until);
        let first = |queue: &VecDeque<(Moment, LinkId)>| queue.front().map(|(until, _)| *until);
        let closing = first(&self.closing).into_iter().chain(first(&self.connecting));
        resting.chain(closing).chain(self.slow_readers.deadline()).min()
    }

    fn may_sleep(&mut self) -> bool {
        // What the last look found may not all have been taken.
        self.arrivals.is_empty() && self.events.is_empty() && self.noted.is_empty()
    }

    fn is_sending(&self) -> bool {
        let datagrams = self.listeners.iter().any(|listener| !listener.out.is_empty());
        datagrams || self.links.iter().any(|link| !link.queue.is_empty())
    }

    fn stats(&mut self) -> &mut ShellStats {
        let (udp, tcp) = (self.udp.used(), self.tcp.used());
        (self.stats.buffers_used, self.stats.buffers_all) = (udp.0 + tcp.0, udp.1 + tcp.1);
        self.stats.octets_copied = self.udp.copied() + self.tcp.copied();
        self.stats.transmits_waiting = self.listeners.iter().map(|listener| listener.out.len() as u64).sum();
        &mut self.stats
    }
}
