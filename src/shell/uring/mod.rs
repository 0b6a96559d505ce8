//! The back end on io_uring: our own ring beside the runtime's, with buffers that the kernel picks itself.

mod buffer_ring;
mod connect;
mod datagrams;
mod link;
mod message;
mod probe;
mod ring;
mod streams;

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use io_uring::{cqueue, opcode, types};

use super::bell::Bell;
use super::buffers::{Lease, Measures, Slot};
use super::credit;
use super::mmsg::Batch;
use super::places::Places;
use super::port::{Arrival, Port};
use super::slow_readers::SlowReaders;
use super::sockets::{self, Listening};
use super::token::{Kind, Token};
use crate::engine::Moment;
use crate::engine::transport::{ConnectId, LinkId, ListenerId, Transport};
use crate::limits;
use crate::observe::ShellStats;

use buffer_ring::BufferRing;
use link::Link;
use message::Message;
use ring::Ring;

pub(super) use probe::probe;

/// After an error that is not the end, a listener is asked again this much later.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// What waits to be sent on a connection that is being closed may take this long.
const LINGER: Duration = Duration::from_secs(5);
/// Buffers that lie ready for the kernel, at first and at most.
const UDP_READY: (u16, u16) = (limits::UDP_BUFFERS_READY, limits::UDP_BUFFERS_READY);
const TCP_READY: (u16, u16) = (limits::TCP_BUFFERS_READY_FIRST, limits::TCP_BUFFERS_READY);
/// Kept sends: more are made when needed.
const SPARE_MESSAGES_MAX: usize = 512;

/// One core's sockets, served by io_uring. The ring is the first to be dropped: what follows is memory it points to.
pub(super) struct UringPort {
    ring: Ring,
    listeners: Vec<Listener>,
    links: Places<Link>,
    datagrams: Places<Box<Message>>,
    udp: BufferRing,
    tcp: BufferRing,
    template: Box<libc::msghdr>,
    batch: Box<Batch>,
    connect_timeout: Box<types::Timespec>,
    #[allow(clippy::vec_box, reason = "messages point into themselves")]
    spare: Vec<Box<Message>>,
    /// Links with something new to send, and links that do not receive though they should.
    to_send: Vec<LinkId>,
    to_receive: Vec<LinkId>,
    /// Watched links of which something left.
    noted: Vec<LinkId>,
    /// Links that must be shut by then, in order of time.
    closing: VecDeque<(Moment, LinkId)>,
    slow_readers: SlowReaders,
    arrivals: Vec<Arrival>,
    completions: Vec<cqueue::Entry>,
    spent: Vec<Vec<u8>>,
    stats: ShellStats,
    now: Moment,
    turn: u64,
}

struct Listener {
    transport: Transport,
    socket: socket2::Socket,
    out: VecDeque<(SocketAddr, Vec<u8>)>,
    armed: bool,
    /// Not to be armed before.
    rest_until: Moment,
    was_armed: bool,
}

impl UringPort {
    /// On the thread that will use it.
    pub(super) fn new(sockets: Vec<Listening>, bell: &Arc<Bell>) -> io::Result<UringPort> {
        let ring = Ring::new()?;
        let udp = BufferRing::new(&ring.inner, 0, Measures::UDP, UDP_READY, Arc::clone(bell))?;
        let tcp = BufferRing::new(&ring.inner, 1, Measures::TCP, TCP_READY, Arc::clone(bell))?;
        ring.enable()?;
        let listeners = sockets.into_iter().map(Listener::new).collect();
        Ok(UringPort {
            ring,
            listeners,
            links: Places::new(limits::LINKS_MAX),
            datagrams: Places::new(limits::DATAGRAMS_SENDING_MAX),
            udp,
            tcp,
            template: datagrams::template(),
            batch: Batch::new(),
            connect_timeout: Box::new(connect::TIMEOUT.into()),
            spare: Vec::new(),
            to_send: Vec::new(),
            to_receive: Vec::new(),
            noted: Vec::new(),
            closing: VecDeque::new(),
            slow_readers: SlowReaders::default(),
            arrivals: Vec::new(),
            completions: Vec::new(),
            spent: Vec::new(),
            stats: ShellStats::default(),
            now: Moment::default(),
            turn: 0,
        })
    }

    fn completed(&mut self, entry: &cqueue::Entry) {
        let Some(token) = Token::unpack(entry.user_data()) else { return };
        match token.kind {
            Kind::Receive => self.datagram_received(token.index as usize, entry),
            Kind::Accept => self.accepted(token.index as usize, entry),
            Kind::SendDatagram => self.datagram_sent(token, entry),
            Kind::Connect => self.connected(token, entry),
            Kind::ReceiveStream => self.received(token, entry),
            Kind::SendStream => self.sent(token, entry),
            Kind::Aside => {}
        }
    }

    /// The kernel stopped serving a listener.
    fn disarmed(&mut self, listener: usize, result: i32) {
        let Some(listener) = self.listeners.get_mut(listener) else { return };
        listener.armed = false;
        if result < 0 && result != -libc::ENOBUFS && result != -libc::ECANCELED {
            listener.rest_until = self.now + RETRY_AFTER;
        }
    }

    fn arm_listeners(&mut self) {
        for index in 0..self.listeners.len() {
            let listener = &self.listeners[index];
            let starved = listener.transport == Transport::Udp && !self.udp.has_buffers();
            if !listener.armed && !starved && listener.rest_until <= self.now {
                self.arm_listener(index);
            }
        }
    }

    fn arm_listener(&mut self, index: usize) {
        let listener = &mut self.listeners[index];
        self.stats.rearms += u64::from(listener.was_armed);
        (listener.armed, listener.was_armed) = (true, true);
        let file = types::Fd(listener.socket.as_raw_fd());
        let place = u32::try_from(index).unwrap_or(u32::MAX);
        let order = match listener.transport {
            Transport::Udp => {
                let group = self.udp.group();
                let order = opcode::RecvMsgMulti::new(file, &raw const *self.template, group).build();
                order.user_data(Token::new(Kind::Receive, 0, place).pack())
            }
            Transport::Tcp => {
                let order = opcode::AcceptMulti::new(file).flags(libc::SOCK_CLOEXEC).build();
                order.user_data(Token::new(Kind::Accept, 0, place).pack())
            }
        };
        // SAFETY: socket and template live as long as the port, which waits for the end of every order (`drop`).
        unsafe { self.ring.push(order) };
    }

    fn a_spare_message(&mut self) -> Box<Message> {
        self.spare.pop().unwrap_or_else(Message::new)
    }

    fn keep(&mut self, message: Box<Message>) {
        if self.spare.len() < SPARE_MESSAGES_MAX {
            self.spare.push(message);
        }
    }
}

impl Listener {
    fn new(Listening { transport, socket }: Listening) -> Listener {
        let (out, rest_until) = (VecDeque::new(), Moment::default());
        Listener { transport, socket, out, armed: false, rest_until, was_armed: false }
    }
}

impl Port for UringPort {
    fn readable(&self) -> io::Result<OwnedFd> {
        self.ring.duplicate()
    }

    fn collect(&mut self, now: Moment, limit: usize, arrivals: &mut Vec<Arrival>) -> bool {
        (self.now, self.turn) = (now, self.turn + 1);
        let mut completions = core::mem::take(&mut self.completions);
        self.ring.collect(limit, &mut completions);
        completions.iter().for_each(|entry| self.completed(entry));
        // A turn takes no more datagrams than lie ready.
        let more = completions.len() == limit || !self.udp.has_buffers();
        completions.clear();
        self.completions = completions;
        self.shut_overdue();
        self.cut_slow_readers();
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

    fn connect(&mut self, _now: Moment, order: ConnectId, peer: SocketAddr) {
        self.start_connect(order, peer);
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
        self.receive_streams();
        self.arm_listeners();
        self.ring.flush();
    }

    fn spent(&mut self) -> Option<Vec<u8>> {
        self.spent.pop()
    }

    fn deadline(&self) -> Option<Moment> {
        let resting = self.listeners.iter().filter(|listener| !listener.armed && listener.rest_until > self.now);
        let resting = resting.map(|listener| listener.rest_until);
        let closing = self.closing.front().map(|(until, _)| *until);
        resting.chain(closing).chain(self.slow_readers.deadline()).min()
    }

    fn may_sleep(&mut self) -> bool {
        let udp_starved = self.listeners.iter().any(|listener| !listener.armed && listener.transport == Transport::Udp);
        let tcp_starved = !self.to_receive.is_empty();
        self.arrivals.is_empty()
            && self.noted.is_empty()
            && self.ring.is_quiet()
            && (!udp_starved || self.udp.await_return())
            && (!tcp_starved || self.tcp.await_return())
    }

    fn is_sending(&self) -> bool {
        self.datagrams.len() > 0 || self.links.iter().any(|link| !link.queue.is_empty())
    }

    fn stats(&mut self) -> &mut ShellStats {
        let (udp, tcp) = (self.udp.used(), self.tcp.used());
        (self.stats.buffers_used, self.stats.buffers_all) = (udp.0 + tcp.0, udp.1 + tcp.1);
        self.stats.octets_copied = self.udp.copied() + self.tcp.copied();
        self.stats.transmits_waiting = self.datagrams.len() as u64;
        &mut self.stats
    }
}

impl Drop for UringPort {
    fn drop(&mut self) {
        if self.ring.end() {
            return;
        }
        // The kernel still uses what the orders point to: better lost than written to by two.
        self.udp.leave_to_kernel();
        self.tcp.leave_to_kernel();
        core::mem::forget(core::mem::replace(&mut self.links, Places::new(0)));
        core::mem::forget(core::mem::replace(&mut self.datagrams, Places::new(0)));
        core::mem::forget(core::mem::replace(&mut self.template, datagrams::template()));
        core::mem::forget(core::mem::take(&mut self.connect_timeout));
    }
}
