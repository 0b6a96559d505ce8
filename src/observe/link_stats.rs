//! What one SMPP bind counts.

use super::codes::Codes;
use super::family::families;

families! {
    /// One bind of one core, counted since it was made; it outlives its connections.
    pub struct LinkStats {
        /// The SM-SC, by its place in the configuration.
        pub smsc: u16,
        /// Which of the SM-SC's binds on this core, from 0.
        pub bind: u16,
        /// Responses to our submissions by command_status.
        pub submit_responses: Codes<32>,
        /// Our answers to deliveries by command_status.
        pub deliver_responses: Codes<32>,
    }

    Gauge smpp_bound "1 while the link is bound." { bound }
    Gauge smpp_window "Slots of the window." {
        window_used [state "used"],
        window_size [state "all"],
    }
    Gauge smpp_pending "Submissions that wait for the window, the rate or the end of a pause." { pending }

    Counter smpp_submits "Submissions written, repetitions after throttling included." { submits }
    Counter smpp_delivers "deliver_sm and data_sm received, by result." {
        delivers [result "handed_up"],
        delivers_refused [result "refused"],
    }
    Counter smpp_throttled "Responses that asked for fewer requests (ESME_RTHROTTLED, ESME_RMSGQFUL)." { throttled }
    Counter smpp_timeouts "Submissions without a response in time." { timeouts }
    Counter smpp_late_responses "Responses that found no request: late, doubled or not ours." { late_responses }
    Counter smpp_answers_lost "Answers to deliveries whose connection was gone." { answers_lost }
    Counter smpp_pdus "SMPP PDUs." {
        pdus_in [direction "in"],
        pdus_out [direction "out"],
    }
    Counter smpp_generic_nacks "generic_nack PDUs." {
        generic_nacks_in [direction "in"],
        generic_nacks_out [direction "out"],
    }
    Counter smpp_malformed "What the SM-SC sent and could not be read, by what it spoiled." {
        malformed [what "pdu"],
        framing_lost [what "connection"],
    }
    Counter smpp_binds "Binds accepted by the SM-SC." { binds }
}
