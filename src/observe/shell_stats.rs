//! What the shell of one core counts.

use super::family::families;

families! {
    /// Sockets, buffers and turns of one core.
    pub struct ShellStats {}

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
