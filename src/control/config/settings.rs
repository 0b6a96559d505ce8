//! What shards are told.

use super::{Backend, Config};
use crate::engine::transport::Transport;
use crate::shard::settings::{Listener, Settings, SipSettings};
use crate::shell::{self, Options};

impl Config {
    /// The settings of every shard, but for what the shell knows: which shard it is and of how many, secrets, and the
    /// ports that are really open.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let listeners = self.sip.listen.iter();
        let sip = SipSettings {
            domain: self.sip.domain.clone(),
            next_hop: self.sip.next_hop.clone(),
            trusted: self.sip.trusted.clone(),
            listeners: listeners.map(|one| Listener { transport: one.transport, local: one.address }).collect(),
            idle: self.sip.idle,
            datagram_request_bytes_max: self.sip.datagram_request_bytes_max,
        };
        Settings { policy: self.policy.clone(), sip, smscs: self.smscs.clone(), ..Settings::default() }
    }

    /// What the shell is told.
    #[must_use]
    pub fn shell_options(&self) -> Options {
        let outbind = self.smscs.iter().filter_map(|smsc| smsc.outbind).map(|address| (Transport::Tcp, address));
        Options {
            cores: self.runtime.cores.clone(),
            backend: match self.runtime.backend {
                Backend::Auto => shell::Backend::Auto,
                Backend::IoUring => shell::Backend::IoUring,
                Backend::Epoll => shell::Backend::Epoll,
            },
            listen: self.sip.listen.iter().map(|one| (one.transport, one.address)).chain(outbind).collect(),
            drain: self.runtime.drain,
        }
    }
}
