//! Servers found by DNS, and the order in which to try them (RFC 2782, RFC 3263 4.3).

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use crate::engine::Random;
use crate::engine::transport::Transport;
use crate::limits;

use super::Target;

/// One server: an SRV record with its addresses, or what stands for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// Which service by preference of the domain, then the priority of RFC 2782. Low ones are tried first.
    pub(super) rank: (u16, u16),
    /// Share among servers of the same rank.
    pub(super) weight: u16,
    pub(super) name: String,
    pub(super) transport: Transport,
    pub(super) port: u16,
    /// `None` until they are known.
    pub(super) addresses: Option<Vec<IpAddr>>,
}

impl Server {
    fn targets(&self) -> impl Iterator<Item = Target> {
        let addresses = self.addresses.as_deref().unwrap_or_default();
        addresses.iter().map(|&ip| Target { transport: self.transport, peer: SocketAddr::new(ip, self.port) })
    }
}

/// Where requests may go, and for how long that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    servers: Vec<Server>,
    list: Vec<Target>,
    /// `None`: for good.
    ttl: Option<Duration>,
}

impl Targets {
    pub(super) fn new(servers: Vec<Server>, ttl: Option<Duration>) -> Targets {
        let mut targets = Targets { servers, list: Vec::with_capacity(limits::SIP_TARGETS_MAX), ttl };
        targets.fill(|_| true);
        targets
    }

    /// In the order to try them.
    #[must_use]
    pub fn as_slice(&self) -> &[Target] {
        &self.list
    }

    /// How long this is known; `None` for good.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// Draws a new order by the weights (RFC 2782 wants a draw for each contact). Targets that are not `fit` go to the
    /// end. Allocates nothing.
    pub fn draw(&mut self, random: &mut Random, fit: impl Fn(&Target) -> bool) {
        draw(&mut self.servers, random);
        self.fill(fit);
    }

    fn fill(&mut self, fit: impl Fn(&Target) -> bool) {
        self.list.clear();
        for wanted in [true, false] {
            for target in self.servers.iter().flat_map(Server::targets).filter(|target| fit(target) == wanted) {
                if self.list.len() < limits::SIP_TARGETS_MAX && !self.list.contains(&target) {
                    self.list.push(target);
                }
            }
        }
    }
}

/// Orders servers, sorted by rank already, within each rank (RFC 2782, "Weight").
pub(super) fn draw(servers: &mut [Server], random: &mut Random) {
    for equals in servers.chunk_by_mut(|a, b| a.rank == b.rank) {
        for first in 0..equals.len().saturating_sub(1) {
            let Some(rest) = equals.get_mut(first..) else { return };
            let chosen = choose(rest, random);
            rest.swap(0, chosen);
        }
    }
}

/// The first server whose running sum of weights reaches a random number from 0 to their sum; those of weight 0 stand
/// before the others and so are chosen by the number 0 alone.
fn choose(servers: &[Server], random: &mut Random) -> usize {
    let sum: u64 = servers.iter().map(|server| u64::from(server.weight)).sum();
    let number = random.below(sum + 1);
    if number == 0 {
        return servers.iter().position(|server| server.weight == 0).unwrap_or(0);
    }
    let mut running = 0;
    let reaches = |server: &Server| {
        running += u64::from(server.weight);
        running >= number
    };
    servers.iter().position(reaches).unwrap_or(0)
}
