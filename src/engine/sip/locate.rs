//! Where a SIP URI leads: the client procedures of RFC 3263 over answers of the DNS.
//!
//! | TARGET | port | transport parameter | questions |
//! |---|---|---|---|
//! | numeric | any | any | none |
//! | name | given | any | addresses of the name |
//! | name | none | given | SRV of that transport; without any, addresses of the name |
//! | name | none | none | NAPTR; SRV of what it names, else of each transport; without any, addresses of the name |
//!
//! TLS is not offered: sips URIs lead nowhere, and NAPTR records for it are passed over.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::VecDeque;

use crate::engine::Random;
use crate::engine::transport::{Record, RecordKind, Transport};
use crate::limits;
use crate::wire::sip::uri::SipUri;

use super::targets::{Server, Targets, draw};

/// RFC 3261 19.1.2: the port of UDP and TCP.
const DEFAULT_PORT: u16 = 5060;

/// What we can send with. TCP connections can be opened to any address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Whether we have a UDP socket for IPv4.
    pub udp_ipv4: bool,
    /// Whether we have a UDP socket for IPv6.
    pub udp_ipv6: bool,
}

impl Reach {
    /// Every transport to every address.
    pub const ALL: Reach = Reach { udp_ipv4: true, udp_ipv6: true };

    fn has(self, transport: Transport) -> bool {
        transport == Transport::Tcp || self.udp_ipv4 || self.udp_ipv6
    }

    fn reaches(self, transport: Transport, address: IpAddr) -> bool {
        match (transport, address) {
            (Transport::Tcp, _) => true,
            (Transport::Udp, IpAddr::V4(_)) => self.udp_ipv4,
            (Transport::Udp, IpAddr::V6(_)) => self.udp_ipv6,
        }
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask the DNS, then call `answered`.
    Ask {
        /// The domain name.
        name: String,
        /// Which records.
        kind: RecordKind,
    },
    /// Here it leads; at least one target.
    Done(Targets),
    /// It leads nowhere that we can reach.
    Failed,
}

/// A service of a domain: what an SRV question asks for.
#[derive(Clone, Debug)]
struct Service {
    name: String,
    transport: Transport,
    /// Place in the domain's preference.
    preference: u16,
}

/// One lookup in progress.
#[derive(Debug)]
pub struct Locate {
    reach: Reach,
    /// TARGET of RFC 3263 4.
    target: String,
    /// What is used with the addresses of TARGET itself.
    transport: Transport,
    asks_naptr: bool,
    /// SRV questions not yet answered.
    services: VecDeque<Service>,
    servers: Vec<Server>,
    /// RFC 2782: a target of "." says that there is decidedly no such service.
    refused: bool,
    ttl_s: Option<u32>,
}

impl Locate {
    /// Begins with the URI of the next hop (RFC 3263 4.1, 4.2).
    #[must_use]
    pub fn start(uri: &SipUri<'_>, reach: Reach) -> (Locate, Step) {
        let preferred = if reach.has(Transport::Udp) { Transport::Udp } else { Transport::Tcp };
        let mut locate = Locate {
            reach,
            target: String::new(),
            transport: preferred,
            asks_naptr: false,
            services: VecDeque::new(),
            servers: Vec::new(),
            refused: false,
            ttl_s: None,
        };
        let step = locate.begin(uri).map_or(Step::Failed, |()| locate.next());
        (locate, step)
    }

    fn begin(&mut self, uri: &SipUri<'_>) -> Option<()> {
        let transport = transport_parameter(uri).ok()?;
        let host = uri.params.get(b"maddr").unwrap_or(uri.host);
        self.transport = transport.unwrap_or(self.transport);
        if let Some(address) = numeric(host) {
            self.server(uri.port, Some(vec![address]));
            return Some(());
        }
        self.target = domain_name(host)?;
        match (uri.port, transport) {
            (Some(_), _) => self.server(uri.port, None),
            (None, Some(transport)) => self.service(transport, 0),
            (None, None) => self.asks_naptr = true,
        }
        Some(())
    }

    /// TARGET itself is the server.
    fn server(&mut self, port: Option<u16>, addresses: Option<Vec<IpAddr>>) {
        let (name, transport, port) = (self.target.clone(), self.transport, port.unwrap_or(DEFAULT_PORT));
        self.servers.push(Server { rank: (0, 0), weight: 0, name, transport, port, addresses });
    }

    fn service(&mut self, transport: Transport, preference: u16) {
        let label = match transport {
            Transport::Udp => "_sip._udp.",
            Transport::Tcp => "_sip._tcp.",
        };
        self.services.push_back(Service { name: [label, &self.target].concat(), transport, preference });
    }

    /// The answer to the last question: empty if the name or such records do not exist, or if nobody answered. `ttl_s` is
    /// the shortest of its records, in seconds.
    #[must_use]
    pub fn answered(&mut self, records: &[Record], ttl_s: u32, random: &mut Random) -> Step {
        if !records.is_empty() {
            self.ttl_s = Some(self.ttl_s.map_or(ttl_s, |shortest| shortest.min(ttl_s)));
        }
        if core::mem::take(&mut self.asks_naptr) {
            self.naptr(records);
        } else if let Some(service) = self.services.pop_front() {
            self.srv(&service, records, random);
        } else {
            self.addresses(records);
        }
        self.next()
    }

    /// RFC 3263 4.1: services that we do not have are discarded first; of the others the lowest order counts.
    fn naptr(&mut self, records: &[Record]) {
        let mut found: Vec<(u16, u16, Transport, &str)> = records.iter().filter_map(naptr_service).collect();
        found.retain(|(_, _, transport, _)| self.reach.has(*transport));
        found.sort_by_key(|(order, preference, ..)| (*order, *preference));
        let lowest = found.first().map(|(order, ..)| *order);
        found.retain(|(order, ..)| Some(*order) == lowest);
        found.truncate(limits::SIP_SERVICES_MAX);
        if let Some((_, _, transport, _)) = found.first() {
            self.transport = *transport;
        }
        let services = (0..).zip(found);
        self.services = services
            .map(|(preference, (_, _, transport, name))| Service { name: name.into(), transport, preference })
            .collect();
        if self.services.is_empty() {
            self.each_transport();
        }
    }

    /// RFC 3263 4.1: without NAPTR records each transport is asked for; the first is ours to choose.
    fn each_transport(&mut self) {
        for (preference, transport) in [(0, Transport::Udp), (1, Transport::Tcp)] {
            if self.reach.has(transport) {
                self.service(transport, preference);
            }
        }
    }

    fn srv(&mut self, service: &Service, records: &[Record], random: &mut Random) {
        let mut found = Vec::new();
        for record in records {
            let Record::Srv { priority, weight, port, target } = record else { continue };
            if target.trim_end_matches('.').is_empty() {
                self.refused = true;
                continue;
            }
            let (rank, name) = ((service.preference, *priority), target.clone());
            found.push(Server {
                rank,
                weight: *weight,
                name,
                transport: service.transport,
                port: *port,
                addresses: None,
            });
        }
        found.sort_by_key(|server| server.rank);
        found.truncate(limits::SIP_SRV_RECORDS_MAX);
        draw(&mut found, random);
        found.truncate(limits::SIP_TARGETS_MAX.saturating_sub(self.servers.len()));
        self.servers.append(&mut found);
    }

    fn addresses(&mut self, records: &[Record]) {
        let Some(name) = self.unresolved().map(|server| server.name.clone()) else { return };
        let reach = self.reach;
        for server in self.servers.iter_mut().filter(|server| same_name(&server.name, &name)) {
            let reachable = records.iter().filter_map(|record| match record {
                Record::Address(address) => Some(address.to_canonical()),
                _ => None,
            });
            let transport = server.transport;
            let reachable = reachable.filter(|address| reach.reaches(transport, *address));
            server.addresses = Some(reachable.take(limits::SIP_TARGETS_MAX).collect());
        }
    }

    fn unresolved(&self) -> Option<&Server> {
        self.servers.iter().find(|server| server.addresses.is_none())
    }

    fn next(&mut self) -> Step {
        if self.asks_naptr {
            return Step::Ask { name: self.target.clone(), kind: RecordKind::Naptr };
        }
        if let Some(service) = self.services.front() {
            return Step::Ask { name: service.name.clone(), kind: RecordKind::Srv };
        }
        // RFC 3263 4.2: no SRV records, so the name itself.
        if self.servers.is_empty() && !self.refused {
            self.server(None, None);
        }
        match self.unresolved().filter(|_| !self.is_enough()) {
            Some(server) => Step::Ask { name: server.name.clone(), kind: RecordKind::Address },
            None => self.finish(),
        }
    }

    fn is_enough(&self) -> bool {
        let known = |server: &Server| server.addresses.as_ref().map_or(0, Vec::len);
        self.servers.iter().map(known).sum::<usize>() >= limits::SIP_TARGETS_MAX
    }

    fn finish(&mut self) -> Step {
        let mut servers = core::mem::take(&mut self.servers);
        let reach = self.reach;
        servers.retain_mut(|server| {
            let transport = server.transport;
            let addresses = server.addresses.get_or_insert_default();
            addresses.retain(|address| reach.reaches(transport, *address));
            !addresses.is_empty()
        });
        if servers.is_empty() {
            return Step::Failed;
        }
        let ttl = self.ttl_s.map(|ttl_s| Duration::from_secs(u64::from(ttl_s)));
        Step::Done(Targets::new(servers, ttl))
    }
}

/// The transport parameter, if there is one; an error if it or the scheme wants what we do not have.
fn transport_parameter(uri: &SipUri<'_>) -> Result<Option<Transport>, ()> {
    match uri.params.get(b"transport") {
        _ if uri.secure => Err(()),
        None => Ok(None),
        Some(udp) if udp.eq_ignore_ascii_case(b"udp") => Ok(Some(Transport::Udp)),
        Some(tcp) if tcp.eq_ignore_ascii_case(b"tcp") => Ok(Some(Transport::Tcp)),
        Some(_) => Err(()),
    }
}

fn numeric(host: &[u8]) -> Option<IpAddr> {
    let inner = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
    core::str::from_utf8(inner).ok()?.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// RFC 1035 2.3.4 bounds a name; the label of a service needs ten octets more.
fn domain_name(host: &[u8]) -> Option<String> {
    let fine = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_');
    let named = !host.is_empty() && host.len() <= 243 && host.iter().all(fine) && host != b".";
    named.then(|| String::from_utf8_lossy(host).to_ascii_lowercase())
}

/// Order, preference, transport and SRV name of a NAPTR record that leads to a service of ours.
fn naptr_service(record: &Record) -> Option<(u16, u16, Transport, &str)> {
    let Record::Naptr { order, preference, flags, service, replacement } = record else { return None };
    let transport = match () {
        () if service.eq_ignore_ascii_case("SIP+D2U") => Transport::Udp,
        () if service.eq_ignore_ascii_case("SIP+D2T") => Transport::Tcp,
        () => return None,
    };
    // "s": the replacement is the name of SRV records. A replacement of "." belongs to a regular expression.
    let leads = flags.eq_ignore_ascii_case("s") && !replacement.trim_end_matches('.').is_empty();
    leads.then_some((*order, *preference, transport, replacement.as_str()))
}

fn same_name(a: &str, b: &str) -> bool {
    a.trim_end_matches('.').eq_ignore_ascii_case(b.trim_end_matches('.'))
}
