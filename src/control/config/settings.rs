//! What shards are told.

use core::net::SocketAddr;

use super::{Backend, Config, Listen};
use crate::engine::transport::{ListenerId, Transport};
use crate::shard::settings::{Listener, Mm4Settings, MsrpSettings, Settings, SipSettings};
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
        Settings {
            policy: self.policy.clone(),
            sip,
            msrp: self.msrp(),
            smscs: self.smscs.clone(),
            mm4: self.mm4(),
            mmscs: self.mmscs.clone(),
            ..Settings::default()
        }
    }

    /// Sockets for media follow those for outbind.
    fn msrp(&self) -> MsrpSettings {
        let listeners = self.msrp.listen.iter().enumerate();
        let listeners = listeners.map(|(at, one)| (number(self.before_msrp() + at), one.address)).collect();
        MsrpSettings { listeners, ..self.msrp.settings.clone() }
    }

    /// Sockets for mail are the last ones.
    fn mm4(&self) -> Mm4Settings {
        let before = self.before_msrp() + self.msrp.listen.len();
        let listeners = (0..self.mm4.listen.len()).map(|at| number(before + at)).collect();
        Mm4Settings { listeners, ..self.mm4.settings.clone() }
    }

    fn before_msrp(&self) -> usize {
        self.sip.listen.len() + self.smscs.iter().filter(|smsc| smsc.outbind.is_some()).count()
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
            listen: sockets(&self.sip.listen)
                .chain(outbind)
                .chain(sockets(&self.msrp.listen))
                .chain(sockets(&self.mm4.listen))
                .collect(),
            drain: self.runtime.drain,
            profile: false,
            storage: None,
        }
    }
}

fn number(at: usize) -> ListenerId {
    ListenerId(u16::try_from(at).unwrap_or(u16::MAX))
}

fn sockets(listen: &[Listen]) -> impl Iterator<Item = (Transport, SocketAddr)> + '_ {
    listen.iter().map(|one| (one.transport, one.address))
}
