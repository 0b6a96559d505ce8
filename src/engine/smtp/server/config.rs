//! What a server session is told when it is made.

use core::time::Duration;

use crate::limits::SMTP_RECIPIENTS_MAX;

/// What all sessions of a listener share.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our name: a domain or an address literal.
    pub hostname: Vec<u8>,
    /// Domains that recipients may have, compared without case; mail for others would have to be relayed.
    pub domains: Vec<Vec<u8>>,
    /// The local part of our system address, compared without case; every other recipient is a telephone number.
    pub system_user: Vec<u8>,
    /// Octets of a mail, announced as SIZE.
    pub message_bytes_max: usize,
    /// Recipients of a mail, 1 to `SMTP_RECIPIENTS_MAX`; one more gets 452.
    pub recipients_max: usize,
    /// Commands refused since the last mail that was taken; one more gets 421.
    pub errors_max: u32,
    /// Commands without a pause of a second that bring no mail on; one more gets 421.
    pub commands_max: u32,
    /// Our reply to the end of the client's next command (RFC 5321 4.5.3.2.7 wants five minutes at least).
    pub command: Duration,
    /// Between arrivals of mail data.
    pub data: Duration,
    /// 354 to the end of the data.
    pub mail: Duration,
    /// End of the data to our answer; the client waits for ten minutes (RFC 5321 4.5.3.2.6). Past it the mail gets 451.
    pub answer: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            hostname: b"localhost".to_vec(),
            domains: Vec::new(),
            system_user: b"system-user".to_vec(),
            message_bytes_max: 1 << 20,
            recipients_max: 100,
            errors_max: 50,
            commands_max: 1_000,
            command: Duration::from_secs(300),
            data: Duration::from_secs(180),
            mail: Duration::from_secs(1_800),
            answer: Duration::from_secs(570),
        }
    }
}

impl Config {
    /// The recipients within their bounds.
    pub(super) fn recipients_max(&self) -> usize {
        self.recipients_max.clamp(1, SMTP_RECIPIENTS_MAX)
    }
}
