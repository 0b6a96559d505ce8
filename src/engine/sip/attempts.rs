//! The targets of one request, tried one after another (RFC 3263 4.3, RFC 3261 18.1.1).

use core::net::SocketAddr;

use crate::engine::transport::Transport;
use crate::limits;

/// Where a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// How.
    pub transport: Transport,
    /// Where.
    pub peer: SocketAddr,
}

/// A target that failed a request: others should be preferred for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which.
    pub target: Target,
    /// Seconds, if it answered 503 and said for how long; else it did not answer, or could not be reached.
    pub retry_after: Option<u32>,
}

/// What is tried now and what remains. The list can be used again for another request.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    list: Vec<Target>,
    at: usize,
}

impl Attempts {
    /// Begins with the first of `targets`. RFC 3261 18.1.1: a large request goes by TCP, and by UDP only if nobody listens
    /// there.
    pub(super) fn begin(&mut self, targets: &[Target], large: bool) {
        self.list.clear();
        self.at = 0;
        for &target in targets {
            let over_tcp = Target { transport: Transport::Tcp, ..target };
            for candidate in [large.then_some(over_tcp), Some(target)].into_iter().flatten() {
                if self.list.len() < limits::SIP_TARGETS_MAX && !self.list.contains(&candidate) {
                    self.list.push(candidate);
                }
            }
        }
    }

    /// What is tried now.
    pub(super) fn target(&self) -> Option<Target> {
        self.list.get(self.at).copied()
    }

    /// Whether that repeats for us.
    pub(super) fn is_reliable(&self) -> bool {
        self.target().is_some_and(|target| target.transport == Transport::Tcp)
    }

    /// Goes on when the target could not be reached; `false` if it was the last.
    pub(super) fn unreached(&mut self) -> bool {
        self.go_to(self.at + 1)
    }

    /// Goes on when the target took the request and refused it or fell silent: what a server got over TCP, it does not get
    /// again over UDP. `false` if none is left.
    pub(super) fn failed(&mut self) -> bool {
        let Some(now) = self.target() else { return false };
        let repeats = |next: &Target| next.peer == now.peer && now.transport == Transport::Tcp;
        let skipped = self.list.iter().skip(self.at + 1).take_while(|next| repeats(next)).count();
        self.go_to(self.at + 1 + skipped)
    }

    fn go_to(&mut self, at: usize) -> bool {
        let there = at < self.list.len();
        if there {
            self.at = at;
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_request_keeps_the_order_of_servers_and_is_not_repeated_over_udp_to_who_answered() {
        let [udp, tcp] = [Transport::Udp, Transport::Tcp];
        let target = |transport, last: u8| Target { transport, peer: SocketAddr::from(([192, 0, 2, last], 5060)) };
        let mut attempts = Attempts::default();
        attempts.begin(&[target(tcp, 1), target(udp, 2), target(udp, 3)], true);
        assert_eq!(
            attempts.list,
            [target(tcp, 1), target(tcp, 2), target(udp, 2), target(tcp, 3), target(udp, 3)],
            "RFC 3263 4.3: the order is that of the DNS"
        );
        assert!(attempts.failed() && attempts.target() == Some(target(tcp, 2)));
        assert!(attempts.failed() && attempts.target() == Some(target(tcp, 3)));
        assert!(!attempts.failed());
        assert!(attempts.unreached() && attempts.target() == Some(target(udp, 3)));
        assert!(!attempts.unreached());
    }

    #[test]
    fn a_small_request_goes_as_it_was_told() {
        let target = Target { transport: Transport::Udp, peer: SocketAddr::from(([192, 0, 2, 1], 5060)) };
        let over_tcp = Target { transport: Transport::Tcp, ..target };
        let mut attempts = Attempts::default();
        attempts.begin(&[target, target, over_tcp], false);
        assert_eq!(attempts.list, [target, over_tcp]);
        assert!(attempts.failed() && attempts.is_reliable());
    }
}
