//! Times the stages of messages, or does nothing: then each of its calls is one branch that is never taken.

use super::stages::{ArrivedAt, Flow, Stage, StageTimes, Trace};
use crate::limits;

/// One core's. It asks the time of whoever started it, so that those who use it need no clock.
#[derive(Debug, Default)]
pub struct Stopwatch(Option<Box<Running>>);

#[derive(Debug)]
struct Running {
    ticks_ns: fn() -> u64,
    arrival: ArrivedAt,
    /// When handling what arrived began.
    begun_ns: u64,
    /// Answers that leave at the end of this turn.
    replies: Vec<Trace>,
    times: StageTimes,
}

impl Stopwatch {
    /// One that runs, by a clock in nanoseconds that does not go back and is the same on all cores.
    #[must_use]
    pub fn start(ticks_ns: fn() -> u64) -> Stopwatch {
        let replies = Vec::with_capacity(limits::REPLIES_TIMED_MAX);
        let (arrival, begun_ns, times) = (ArrivedAt::default(), 0, StageTimes::default());
        Stopwatch(Some(Box::new(Running { ticks_ns, arrival, begun_ns, replies, times })))
    }

    /// Whether it runs.
    #[must_use]
    #[inline]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// What is handled from now on arrived then; zeros if it did not arrive.
    #[inline]
    pub fn arrived(&mut self, arrival: ArrivedAt) {
        if let Some(running) = &mut self.0 {
            running.arrival = arrival;
        }
    }

    /// When what is being handled arrived.
    #[must_use]
    #[inline]
    pub fn arrival(&self) -> ArrivedAt {
        self.0.as_ref().map_or_else(ArrivedAt::default, |running| running.arrival)
    }

    /// Handling one thing that arrived begins.
    #[inline]
    pub fn begin(&mut self) {
        if let Some(running) = &mut self.0 {
            running.begun_ns = (running.ticks_ns)();
        }
    }

    /// It is a message of `flow` and was read just now: ends its stages so far.
    #[inline]
    pub fn parsed(&mut self, flow: Flow) -> Trace {
        self.0.as_mut().map_or_else(Trace::default, |running| running.parsed(flow))
    }

    /// It is one of a batch, was read just now, and waits for its owner: ends its first stage, and takes the reading out of
    /// the waiting.
    #[inline]
    pub fn parsed_in_batch(&mut self, flow: Flow) -> Trace {
        self.0.as_mut().map_or_else(Trace::default, |running| running.parsed_in_batch(flow))
    }

    /// It is one of a batch, `flow` is known, and it waits for who reads it: ends its first stage.
    #[inline]
    pub fn received(&mut self, flow: Flow) -> Trace {
        self.0.as_mut().map_or_else(Trace::default, |running| running.received(flow))
    }

    /// A stage ends now.
    #[inline]
    pub fn end(&mut self, trace: &mut Trace, stage: Stage) {
        if let Some(running) = &mut self.0 {
            let now_ns = (running.ticks_ns)();
            running.end_at(trace, stage, now_ns);
        }
    }

    /// A stage ended then.
    #[inline]
    pub fn end_at(&mut self, trace: &mut Trace, stage: Stage, at_ns: u64) {
        if let Some(running) = &mut self.0 {
            running.end_at(trace, stage, at_ns);
        }
    }

    /// A stage ended when what is being handled arrived; now, if that is nothing that arrived.
    #[inline]
    pub fn end_at_arrival(&mut self, trace: &mut Trace, stage: Stage) {
        if let Some(running) = &mut self.0 {
            let handed_ns = running.arrival.handed_ns;
            let at_ns = if handed_ns > 0 { handed_ns } else { (running.ticks_ns)() };
            running.end_at(trace, stage, at_ns);
        }
    }

    /// The answer leaves at the end of this turn.
    #[inline]
    pub fn reply(&mut self, trace: Trace) {
        if let Some(running) = &mut self.0
            && running.replies.len() < limits::REPLIES_TIMED_MAX
        {
            running.replies.push(trace);
        }
    }

    /// All that was ordered has been handed to the kernel: ends the stage of the answers. When that was, if it runs.
    pub fn flushed(&mut self) -> Option<u64> {
        let running = self.0.as_deref_mut()?;
        let now_ns = (running.ticks_ns)();
        for at in 0..running.replies.len() {
            let mut trace = running.replies[at];
            running.end_at(&mut trace, Stage::Reply, now_ns);
        }
        running.replies.clear();
        Some(now_ns)
    }

    /// Copies what was counted, into the place of what was copied before.
    pub fn show(&self, times: &mut Option<Box<StageTimes>>) {
        match (&self.0, times) {
            (Some(running), Some(times)) => (**times).clone_from(&running.times),
            (Some(running), times) => *times = Some(Box::new(running.times.clone())),
            (None, times) => *times = None,
        }
    }
}

impl Running {
    fn received(&mut self, flow: Flow) -> Trace {
        let mut trace = Trace { flow: Some(flow), at_ns: self.arrival.received_ns };
        self.end_at(&mut trace, Stage::Receive, self.arrival.handed_ns);
        trace
    }

    fn parsed(&mut self, flow: Flow) -> Trace {
        let mut trace = self.received(flow);
        self.end_at(&mut trace, Stage::Queue, self.begun_ns);
        let now_ns = (self.ticks_ns)();
        self.end_at(&mut trace, Stage::Parse, now_ns);
        // What follows in the same octets waited for this one.
        self.begun_ns = now_ns;
        trace
    }

    fn parsed_in_batch(&mut self, flow: Flow) -> Trace {
        let mut trace = self.received(flow);
        let duration_ns = (self.ticks_ns)().saturating_sub(self.begun_ns);
        self.times.add(flow, Stage::Parse, duration_ns);
        trace.at_ns += duration_ns;
        trace
    }

    fn end_at(&mut self, trace: &mut Trace, stage: Stage, at_ns: u64) {
        let Some(flow) = trace.flow else { return };
        self.times.add(flow, stage, at_ns.saturating_sub(trace.at_ns));
        trace.at_ns = trace.at_ns.max(at_ns);
    }
}
