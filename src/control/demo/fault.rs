//! What the demonstration's peers do wrong on request.

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Fault {
    /// Status reports come before the submit response
    EarlyReports,
    /// The SM-SC takes 300 ms for each response
    Slow,
    /// The first submission of each text is answered ESME_RTHROTTLED
    Throttled,
    /// The SM-SC drops its connection before each text
    Disconnect,
    /// The first copy of each SIP request is lost
    Loss,
}
