//! How the gateway names itself in Via.

use crate::engine::transport::Transport;
use crate::wire::sip::Via;
use crate::wire::sip::uri::host_port;

use super::attempts::Target;

/// How the gateway names itself in Via.
#[derive(Clone, Debug)]
pub struct SentBy {
    /// For UDP and TCP, towards IPv4 and IPv6.
    names: [Vec<u8>; 4],
}

impl SentBy {
    /// `name` gives `host:port` for a transport and whether the peer has an IPv4 address.
    #[must_use]
    pub fn new(name: impl Fn(Transport, bool) -> Vec<u8>) -> SentBy {
        let ways = [(Transport::Udp, true), (Transport::Udp, false), (Transport::Tcp, true), (Transport::Tcp, false)];
        SentBy { names: ways.map(|(transport, is_ipv4)| name(transport, is_ipv4)) }
    }

    pub(super) fn towards(&self, target: Target) -> &[u8] {
        let transport = usize::from(target.transport == Transport::Tcp);
        &self.names[2 * transport + usize::from(!target.peer.is_ipv4())]
    }

    pub(super) fn longest(&self) -> usize {
        self.names.iter().map(Vec::len).max().unwrap_or(0)
    }

    pub(super) fn is(&self, via: &Via<'_>) -> bool {
        self.names
            .iter()
            .filter_map(|ours| host_port(ours))
            .any(|(host, port)| host.eq_ignore_ascii_case(via.host) && port.unwrap_or(5060) == via.port.unwrap_or(5060))
    }
}
