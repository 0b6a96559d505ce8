//! The loop of one core: what arrived goes to the world, what the world orders goes out, until nothing is left to do;
//! then it sleeps.

use core::future::{Future as _, poll_fn};
use core::net::SocketAddr;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::Arc;

use tokio::time::{Sleep, sleep_until};

use super::buffers::Slot;
use super::clock::Clock;
use super::common::Common;
use super::core_thread::Sink;
use super::dns::Dns;
use super::outgoing::Outgoing;
use super::parcel::Parcel;
use super::port::{Arrival, Port};
use super::storage::Records;
use super::ticks::Ticks;
use super::usage;
use super::wait::Edge;
use super::world::World;
use crate::engine::transport::{ListenerId, ShardId, Transmit};
use crate::engine::{Moment, Now};
use crate::limits;
use crate::observe::{ArrivedAt, Overrun, ShellStats, Step, StepTimes, TurnWatch};

/// Between two snapshots.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(1);
/// What found a full queue is tried again after this long.
const RETRY_AFTER: Duration = Duration::from_millis(1);
/// After so many turns in a row the runtime's other tasks have theirs.
const TURNS_IN_A_ROW: u32 = 16;
/// Turns without work before a core sleeps, about five microseconds: at 30,000 messages a second what comes next is mostly
/// found by them, for nearly the same CPU time and a lower median latency. A hundred did not help further. After a large read
/// there are none: while a large message comes, they made it a quarter dearer.
const IDLE_TURNS: u32 = 20;
/// So much comes of a connection at a time while a large message is under way.
const LARGE_READ_BYTES: usize = 16 << 10;
/// What is still to be sent when all is done may take this long.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// One core at work.
pub(super) struct Pump<W: World, P> {
    pub(super) id: ShardId,
    pub(super) world: W,
    pub(super) port: P,
    pub(super) out: Outgoing<W::Handoff>,
    pub(super) common: Arc<Common>,
    pub(super) sink: Arc<Sink<W::Event>>,
    pub(super) clock: Clock,
    pub(super) ticks: Ticks,
    pub(super) watch: TurnWatch,
    /// What the steps of turns took, if that is looked at.
    pub(super) steps: Option<Box<StepTimes>>,
    /// When what this turn took from the kernel arrived, if that is looked at.
    pub(super) arrival: ArrivedAt,
    pub(super) dns: Dns,
    pub(super) records: Records,
    pub(super) port_edge: Edge,
    pub(super) bell_edge: Edge,
    pub(super) timer: Pin<Box<Sleep>>,
    pub(super) arrivals: Vec<Arrival>,
    pub(super) stats: ShellStats,
    pub(super) state: State,
}

/// What the pump remembers from turn to turn.
#[derive(Debug, Default)]
pub(super) struct State {
    /// When the timer rings, if it does.
    armed: Option<Moment>,
    snapshot_due: Moment,
    /// Turns without work before it sleeps.
    idle_turns: u32,
    ready: bool,
    draining: bool,
    /// Counted among the cores that are done.
    drained: bool,
}

/// How a turn went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Idle,
    Busy,
}

impl<W: World, P: Port> Pump<W, P> {
    /// Runs until every core is drained or all are told to stop.
    pub(super) async fn run(mut self) {
        // What a world wants from the start, it says when it is first asked.
        self.world.on_tick(self.clock.now());
        let (mut in_a_row, mut idle) = (0, 0);
        while !self.common.is_over() {
            idle = if self.turn() == Turn::Idle { idle + 1 } else { 0 };
            if idle > self.state.idle_turns && self.lie_down() {
                poll_fn(|context| self.poll_anything(context)).await;
                in_a_row = 0;
            }
            self.out.sleeper().get_up();
            in_a_row += 1;
            if in_a_row == TURNS_IN_A_ROW {
                tokio::task::yield_now().await;
                in_a_row = 0;
            }
        }
        self.finish().await;
    }

    fn turn(&mut self) -> Turn {
        let now = self.clock.now();
        self.stats.turns += 1;
        self.watch.begin((self.ticks)());
        let took = self.take_arrivals(now) + self.take_from_others(now);
        self.obey(now);
        if self.world.poll_timeout().is_some_and(|deadline| deadline <= now.moment) {
            self.world.on_tick(now);
            self.passed(Step::Timers);
        }
        let ordered = self.carry_out(now);
        self.out.retry(&mut self.stats);
        if ordered > 0 {
            self.passed(Step::Orders);
        }
        self.port.flush();
        self.out.wake(&self.common, &mut self.stats);
        self.passed(Step::Flush);
        if self.steps.is_some() {
            self.world.flushed();
        }
        self.report(now);
        self.look_back();
        if took + ordered > 0 { Turn::Busy } else { Turn::Idle }
    }

    /// One step of the turn has ended. Those that had nothing to do are not asked for the time.
    fn passed(&mut self, step: Step) {
        self.watch.passed(step, (self.ticks)());
    }

    /// Names what held the core up, if anything did.
    fn look_back(&mut self) {
        if let Some(steps) = &mut self.steps {
            steps.add(self.watch.spent_ns());
        }
        let Some(step) = self.watch.overran() else { return };
        self.stats.count_overrun(step);
        if let Some(overrun) = self.watch.tell() {
            let preempted = usage::of_this_thread().preempted - self.stats.preempted;
            self.world.overran(Overrun { preempted, ..overrun });
        }
    }

    /// All that a turn takes from the kernel arrived together: the kernel's own time would cost more than it tells.
    fn note_arrival(&mut self) {
        let (received_ns, handed_ns) = self.watch.so_far_ns();
        self.arrival = ArrivedAt { received_ns, handed_ns };
        self.world.arrived(self.arrival);
    }

    fn take_arrivals(&mut self, now: Now) -> usize {
        let mut arrivals = core::mem::take(&mut self.arrivals);
        // While other cores do not keep up with us, what comes waits in the kernel.
        if self.out.has_room() && self.port.collect(now.moment, limits::TURN_ARRIVALS_MAX, &mut arrivals) {
            self.stats.budget_exhausted += 1;
        }
        self.passed(Step::Collect);
        if self.steps.is_some() {
            self.note_arrival();
        }
        let took = arrivals.len() + self.take_written(now);
        if took > 0 {
            self.state.idle_turns = IDLE_TURNS;
        }
        arrivals.drain(..).for_each(|arrival| self.arrived(now, arrival));
        self.arrivals = arrivals;
        while let Some(buffer) = self.port.spent() {
            self.world.recycle(buffer);
        }
        if took > 0 {
            self.passed(Step::Arrivals);
        }
        took
    }

    /// Before the arrivals: of a connection that is gone nothing more is told.
    fn take_written(&mut self, now: Now) -> usize {
        let mut took = 0;
        while let Some((link, bytes)) = self.port.written() {
            took += 1;
            self.world.on_written(now, link, bytes);
        }
        took
    }

    fn arrived(&mut self, now: Now, arrival: Arrival) {
        match arrival {
            Arrival::Datagram(listener, peer, slot) => self.datagram_arrived(now, listener, peer, slot),
            Arrival::Accepted(link, listener, peer) => self.world.on_accepted(now, link, listener, peer),
            Arrival::Connected(link, order, peer) => self.world.on_connected(now, link, order, peer),
            Arrival::ConnectFailed(order) => self.world.on_connect_failed(now, order),
            Arrival::Stream(link, bytes) => {
                if bytes.len() >= LARGE_READ_BYTES {
                    self.state.idle_turns = 0;
                }
                self.world.on_stream(now, link, bytes);
            }
            Arrival::Closed(link) => self.world.on_closed(now, link),
        }
    }

    fn datagram_arrived(&mut self, now: Now, listener: ListenerId, peer: SocketAddr, slot: Slot) {
        let bytes = self.port.bytes(&slot);
        let owner = self.world.owner_of(bytes);
        if owner == self.id {
            self.world.on_datagram(now, listener, peer, bytes);
            self.port.release(slot);
        } else {
            let lease = self.port.lease(slot);
            self.stats.datagrams_handed_over += 1;
            self.out.hand(owner, Parcel::Datagram(listener, peer, lease, self.arrival), &mut self.stats);
        }
    }

    fn take_from_others(&mut self, now: Now) -> usize {
        let took = self.take_parcels(now) + self.take_answers(now) + self.take_recorded(now);
        if took > 0 {
            self.passed(Step::Parcels);
        }
        took
    }

    fn take_parcels(&mut self, now: Now) -> usize {
        let mut took = 0;
        while took < limits::TURN_ARRIVALS_MAX
            && let Some((from, parcel)) = self.out.take()
        {
            took += 1;
            match parcel {
                Parcel::Datagram(listener, peer, lease, arrival) => {
                    if self.steps.is_some() {
                        self.world.arrived(arrival);
                    }
                    self.world.on_datagram(now, listener, peer, &lease)
                }
                Parcel::Handoff(handoff) => self.world.on_handoff(now, from, handoff),
            }
        }
        self.stats.handoffs_in += took as u64;
        took
    }

    fn take_answers(&mut self, now: Now) -> usize {
        let mut took = 0;
        while let Some((query, answers)) = self.dns.take() {
            took += 1;
            self.world.on_resolved(now, query, answers);
        }
        took
    }

    /// What the disk has done.
    fn take_recorded(&mut self, now: Now) -> usize {
        if let Some(failing) = self.records.failing() {
            self.world.on_storage(failing);
        }
        let Some(orders) = self.records.done() else { return 0 };
        self.world.on_recorded(now, orders);
        1
    }

    /// What the gateway was told.
    fn obey(&mut self, now: Now) {
        if self.common.is_draining() && !self.state.draining {
            self.state.draining = true;
            self.state.snapshot_due = now.moment;
            self.world.drain(now);
        }
    }

    fn carry_out(&mut self, now: Now) -> usize {
        let mut orders = 0;
        while let Some((to, handoff)) = self.world.poll_handoff() {
            orders += 1;
            if to == self.id {
                self.world.on_handoff(now, to, handoff);
            } else {
                self.out.hand(to, Parcel::Handoff(handoff), &mut self.stats);
            }
        }
        while let Some(transmit) = self.world.poll_transmit() {
            orders += 1;
            self.transmit(now, transmit);
        }
        self.records.hand_in();
        while let Some(event) = self.world.poll_event() {
            (self.sink)(usize::from(self.id.0), event);
        }
        orders
    }

    fn transmit(&mut self, now: Now, transmit: Transmit) {
        match transmit {
            Transmit::Datagram { listener, peer, bytes } => self.port.datagram(listener, peer, bytes),
            Transmit::Stream { link, bytes } => self.port.stream(link, bytes),
            Transmit::Connect { order, peer } => self.port.connect(now.moment, order, peer),
            Transmit::Close { link } => self.port.close(now.moment, link),
            Transmit::Watch { link } => self.port.watch(link),
            Transmit::Record { record, octets } => {
                self.records.write(record, &octets);
                self.world.recycle(octets);
            }
            Transmit::Forget { record } => self.records.forget(record),
            Transmit::Resolve { query, name, kind } => self.dns.ask(query, name, kind),
        }
    }

    fn report(&mut self, now: Now) {
        let ready = self.world.is_ready();
        let changed = ready != core::mem::replace(&mut self.state.ready, ready);
        if self.state.draining && !self.state.drained && self.world.is_drained() && self.out.is_empty() {
            self.state.drained = true;
            self.common.one_is_drained();
        }
        if changed {
            self.state.snapshot_due = now.moment;
        }
        if now.moment >= self.state.snapshot_due && self.publish() {
            self.state.snapshot_due = now.moment + SNAPSHOT_EVERY;
            self.passed(Step::Publish);
        }
    }

    /// False if somebody is reading the last one.
    fn publish(&mut self) -> bool {
        let shell = self.shell_stats();
        self.common.publish(usize::from(self.id.0), |snapshot| {
            snapshot.core = usize::from(self.id.0);
            (snapshot.ready, snapshot.draining) = (self.state.ready, self.state.draining);
            snapshot.shell = shell;
            show_steps(self.steps.as_deref(), &mut snapshot.steps);
            self.world.show(snapshot);
        })
    }

    /// The port's numbers and ours.
    fn shell_stats(&mut self) -> ShellStats {
        let usage = usage::of_this_thread();
        self.stats.preempted = usage.preempted;
        let own = &self.stats;
        ShellStats {
            cpu_us: usage.cpu_us,
            preempted: usage.preempted,
            wakes: own.wakes,
            turns: own.turns,
            budget_exhausted: own.budget_exhausted,
            overran_collect: own.overran_collect,
            overran_arrivals: own.overran_arrivals,
            overran_parcels: own.overran_parcels,
            overran_timers: own.overran_timers,
            overran_orders: own.overran_orders,
            overran_flush: own.overran_flush,
            overran_publish: own.overran_publish,
            handoffs_in: own.handoffs_in,
            handoffs_out: own.handoffs_out,
            handoffs_delayed: own.handoffs_delayed,
            datagrams_handed_over: own.datagrams_handed_over,
            handoffs_waiting: self.out.waiting(),
            ..*self.port.stats()
        }
    }

    /// Gets ready to sleep. False if there is no time for it.
    fn lie_down(&mut self) -> bool {
        self.out.sleeper().lie_down();
        let deadline = self.deadline();
        self.arm(deadline);
        self.out.nothing_came() && self.port.may_sleep() && deadline > self.clock.now().moment
    }

    fn deadline(&mut self) -> Moment {
        let retry = (!self.out.is_empty()).then(|| self.clock.now().moment + RETRY_AFTER);
        let deadlines = [self.world.poll_timeout(), self.port.deadline(), retry];
        deadlines.into_iter().flatten().fold(self.state.snapshot_due, Moment::min)
    }

    /// A timer that rings too early costs a turn, and less than to set it again before each sleep.
    fn arm(&mut self, deadline: Moment) {
        if self.state.armed.is_none_or(|armed| deadline < armed) {
            self.state.armed = Some(deadline);
            self.timer.as_mut().reset(self.clock.instant(deadline).into());
        }
    }

    fn poll_anything(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let port = self.port_edge.poll(context).is_ready();
        let bell = self.bell_edge.poll(context).is_ready();
        let timer = self.state.armed.is_some() && self.timer.as_mut().poll(context).is_ready();
        if timer {
            self.state.armed = None;
        }
        let answer = self.dns.poll(context).is_ready();
        if port || bell || timer || answer { Poll::Ready(()) } else { Poll::Pending }
    }

    /// What was ordered last still leaves.
    async fn finish(&mut self) {
        let until = self.clock.now().moment + LAST_WORDS;
        while self.port.is_sending() && self.clock.now().moment < until && !self.common.must_stop() {
            let now = self.clock.now();
            let mut arrivals = core::mem::take(&mut self.arrivals);
            self.port.collect(now.moment, limits::TURN_ARRIVALS_MAX, &mut arrivals);
            arrivals.drain(..).for_each(|arrival| {
                if let Arrival::Datagram(_, _, slot) = arrival {
                    self.port.release(slot);
                }
            });
            self.port.flush();
            tokio::time::sleep(RETRY_AFTER).await;
        }
        let _ = self.publish();
    }
}

fn show_steps(steps: Option<&StepTimes>, shown: &mut Option<Box<StepTimes>>) {
    match (steps, shown) {
        (Some(steps), Some(shown)) => (**shown).clone_from(steps),
        (steps, shown) => *shown = steps.cloned().map(Box::new),
    }
}

/// A timer that was not armed.
pub(super) fn timer(clock: Clock) -> Pin<Box<Sleep>> {
    Box::pin(sleep_until(clock.instant(Moment::default()).into()))
}
