//! How the gateway names itself in Via.

use crate::engine::transport::Transport;
use crate::wire::scan;
use crate::wire::sip::Via;
use crate::wire::sip::uri::host_port;

use super::attempts::Target;

/// How the gateway names itself in Via.
#[derive(Clone, Debug)]
pub struct SentBy {
    /// For UDP and TCP, towards IPv4 and IPv6.
    names: [Vec<u8>; 4],
    /// What the names say, each once.
    hosts: Vec<(Vec<u8>, u16)>,
}

impl SentBy {
    /// `name` gives `host:port` for a transport and whether the peer has an IPv4 address.
    #[must_use]
    pub fn new(name: impl Fn(Transport, bool) -> Vec<u8>) -> SentBy {
        let ways = [(Transport::Udp, true), (Transport::Udp, false), (Transport::Tcp, true), (Transport::Tcp, false)];
        let names = ways.map(|(transport, is_ipv4)| name(transport, is_ipv4));
        let parts = names.iter().filter_map(|name| host_port(name));
        let mut hosts: Vec<_> = parts.map(|(host, port)| (host.to_vec(), port.unwrap_or(5060))).collect();
        hosts.dedup();
        SentBy { names, hosts }
    }

    pub(super) fn towards(&self, target: Target) -> &[u8] {
        let transport = usize::from(target.transport == Transport::Tcp);
        &self.names[2 * transport + usize::from(!target.peer.is_ipv4())]
    }

    pub(super) fn longest(&self) -> usize {
        self.names.iter().map(Vec::len).max().unwrap_or(0)
    }

    pub(super) fn is(&self, via: &Via<'_>) -> bool {
        let theirs = via.port.unwrap_or(5060);
        let same = |host: &[u8]| scan::same(host, via.host) || host.eq_ignore_ascii_case(via.host);
        self.hosts.iter().any(|(host, port)| *port == theirs && same(host))
    }
}
