//! What is timed.

use super::family::Labels;
use super::histogram::Histogram;

/// How long things take at one core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    /// From a CPM message's arrival to its final response.
    pub cpm_to_sms: Histogram,
    /// From a short message's arrival to the answer to its SM-SC.
    pub sms_to_cpm: Histogram,
    /// From a submission to its response.
    pub submit: Histogram,
    /// From a status report's arrival to the response to its disposition notification.
    pub report: Histogram,
}

impl Latencies {
    /// Name without prefix and unit, help, labels and value of each; those of one name stand together.
    #[must_use]
    pub fn families(&self) -> [(&'static str, &'static str, Labels, &Histogram); 4] {
        const MESSAGE: &str = "From a message's arrival to the answer to its sender.";
        [
            ("message_latency", MESSAGE, &[("direction", "cpm_to_sms")], &self.cpm_to_sms),
            ("message_latency", MESSAGE, &[("direction", "sms_to_cpm")], &self.sms_to_cpm),
            ("submit_latency", "From a submission to its response.", &[], &self.submit),
            ("report_latency", "From a status report to the response to its notification.", &[], &self.report),
        ]
    }
}
