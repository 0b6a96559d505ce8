//! What a client session is told when it is made.

use core::time::Duration;

use crate::limits::SMTP_QUEUE_MAX;

/// One connection to one server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our name in EHLO: a domain or an address literal.
    pub hostname: Vec<u8>,
    /// Mails that wait for the one under way, 1 to `SMTP_QUEUE_MAX`.
    pub queue_max: usize,

    /// Connection to greeting (RFC 5321 4.5.3.2.1).
    pub greeting: Duration,
    /// EHLO, MAIL, RCPT, RSET or NOOP to its reply (RFC 5321 4.5.3.2.2, 4.5.3.2.3).
    pub command: Duration,
    /// DATA to its reply (RFC 5321 4.5.3.2.4).
    pub data_initiation: Duration,
    /// End of the mail data to the reply (RFC 5321 4.5.3.2.6). It counts from the moment the data are handed out, so the time
    /// for sending them (4.5.3.2.5) is within.
    pub data_termination: Duration,
    /// QUIT to its reply.
    pub quit: Duration,
    /// Silence after which NOOP is sent; zero for never.
    pub noop: Duration,
    /// Time without a mail after which QUIT is sent, and the next mail opens a new connection; zero for never.
    pub idle: Duration,
    /// How long a drain waits for what is outstanding.
    pub drain: Duration,
    /// First wait before a new connection; doubled each time.
    pub reconnect_min: Duration,
    /// Longest wait before a new connection.
    pub reconnect_max: Duration,
    /// Wait after the server refused to serve us.
    pub reconnect_refused: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            hostname: b"localhost".to_vec(),
            queue_max: 256,
            greeting: Duration::from_secs(300),
            command: Duration::from_secs(300),
            data_initiation: Duration::from_secs(120),
            data_termination: Duration::from_secs(600),
            quit: Duration::from_secs(5),
            noop: Duration::from_secs(60),
            idle: Duration::ZERO,
            drain: Duration::from_secs(30),
            reconnect_min: Duration::from_secs(1),
            reconnect_max: Duration::from_secs(60),
            reconnect_refused: Duration::from_secs(60),
        }
    }
}

impl Config {
    /// The queue within its bounds.
    pub(super) fn queue_max(&self) -> usize {
        self.queue_max.clamp(1, SMTP_QUEUE_MAX)
    }
}
