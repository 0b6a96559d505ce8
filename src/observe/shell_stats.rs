//! What the shell of one core counts.

use super::family::families;
use super::turns::Step;

families! {
    /// Sockets, buffers and turns of one core.
    pub struct ShellStats {
        /// Processor time of the core's thread in microseconds.
        pub cpu_us: u64,
    }

    Counter datagrams "UDP datagrams." {
        datagrams_in [direction "in"],
        datagrams_out [direction "out"],
    }
    Counter stream_octets "Octets on TCP connections." {
        stream_octets_in [direction "in"],
        stream_octets_out [direction "out"],
    }
    Counter octets_copied "Received octets that were copied because too many buffers were held." { octets_copied }
    Counter wakes "Wake-ups of other cores." { wakes }
    Counter turns "Turns of the core's loop." { turns }
    Counter turn_budget_exhausted "Turns that ended with work left for the next one." { budget_exhausted }
    Counter turn_overruns "Turns that took longer than their budget, by the step that took the most of it." {
        overran_collect [step "collect"],
        overran_arrivals [step "arrivals"],
        overran_parcels [step "parcels"],
        overran_timers [step "timers"],
        overran_orders [step "orders"],
        overran_flush [step "flush"],
        overran_publish [step "publish"],
    }
    Counter core_preemptions "How often a core's thread lost its processor to another thread." { preempted }
    Counter receive_rearms "Multishot receives that ended and were armed again." { rearms }
    Counter handoffs "Values that crossed between cores." {
        handoffs_in [direction "in"],
        handoffs_out [direction "out"],
    }
    Counter datagrams_handed_over "UDP datagrams handed to the core that owns their Call-ID." { datagrams_handed_over }
    Counter handoffs_delayed "Values that found the queue to their core full and waited." { handoffs_delayed }
    Counter connections_refused "Connections that were closed at once because there were too many." { connections_refused }
    Counter drops "What the shell dropped, by reason." {
        dropped_truncated [reason "truncated_datagram"],
        dropped_send_failed [reason "send_failed"],
        dropped_link_gone [reason "link_gone"],
        dropped_slow_reader [reason "slow_reader"],
    }
    Gauge receive_buffers "Receive buffers." {
        buffers_used [state "used"],
        buffers_all [state "all"],
    }
    Gauge queue_depth "Values that wait, by queue." {
        handoffs_waiting [queue "handoff"],
        transmits_waiting [queue "transmit"],
    }
}

impl ShellStats {
    /// One more turn that `step` made too long.
    pub fn count_overrun(&mut self, step: Step) {
        let count = match step {
            Step::Collect => &mut self.overran_collect,
            Step::Arrivals => &mut self.overran_arrivals,
            Step::Parcels => &mut self.overran_parcels,
            Step::Timers => &mut self.overran_timers,
            Step::Orders => &mut self.overran_orders,
            Step::Flush => &mut self.overran_flush,
            Step::Publish => &mut self.overran_publish,
        };
        *count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overrun_is_counted_under_the_name_of_its_step() {
        let overruns = ShellStats::FAMILIES.iter().find(|family| family.name == "turn_overruns").unwrap();
        for step in Step::ALL {
            let mut stats = ShellStats::default();
            stats.count_overrun(step);
            let counted = overruns.members.iter().filter(|member| (member.value)(&stats) == 1);
            assert_eq!(counted.map(|member| member.labels).collect::<Vec<_>>(), [[("step", step.name())]]);
        }
    }
}
