//! What one shard is told at start: the configuration as values, no file and no key names.

mod mm4;

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use crate::engine::joining::{Incomplete, JoiningOptions};
use crate::engine::sip::{NextHop, Reach};
use crate::engine::smpp;
use crate::engine::transport::{ListenerId, ShardId, Transport};
use crate::limits;
use crate::policy::{IncompleteMessage, Policy};
use crate::wire::short_message::{CodingOptions, Concatenation};
use crate::wire::sip::uri::Uri;
use crate::wire::smpp::MessageIdForm;

pub use mm4::{Mm4Settings, MmscSettings};

/// Everything a shard needs to know. Times are durations, sizes are octets.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which shard this is.
    pub id: ShardId,
    /// How many there are.
    pub shards: u16,
    /// Secret of the ownership hash, the same for all shards of the process.
    pub hash_key: [u64; 2],
    /// Entropy of this shard alone.
    pub seed: [u8; 32],
    /// Whether an acknowledgement waits until the shell has written what it promises to remember.
    pub durable: bool,
    /// Which run of the process this is, where promises are durable.
    pub run: u32,
    /// The service provider's policies.
    pub policy: Policy,
    /// The SIP side.
    pub sip: SipSettings,
    /// Media of sessions.
    pub msrp: MsrpSettings,
    /// The SM-SCs in order of preference.
    pub smscs: Vec<SmscSettings>,
    /// Our side of MM4.
    pub mm4: Mm4Settings,
    /// The MMS Relay/Servers, those that serve the same numbers in order of preference.
    pub mmscs: Vec<MmscSettings>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            id: ShardId(0),
            shards: 1,
            hash_key: [0; 2],
            seed: [0; 32],
            durable: false,
            run: 0,
            policy: Policy::default(),
            sip: SipSettings::default(),
            msrp: MsrpSettings::default(),
            smscs: Vec::new(),
            mm4: Mm4Settings::default(),
            mmscs: Vec::new(),
        }
    }
}

impl Settings {
    /// Where SM-SCs connect, in the order of their listeners, which follow those of SIP.
    pub fn outbind(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.smscs.iter().filter_map(|smsc| smsc.outbind)
    }

    /// Whether connections to this listener carry MSRP.
    #[must_use]
    pub fn is_msrp(&self, listener: ListenerId) -> bool {
        self.msrp.listeners.iter().any(|(of, _)| *of == listener)
    }

    /// The SM-SC that connects to this listener, if it is one for outbind.
    pub(super) fn smsc_of(&self, listener: ListenerId) -> Option<u16> {
        let nth = usize::from(listener.0).checked_sub(self.sip.listeners.len())?;
        let smsc = self.smscs.iter().enumerate().filter(|(_, smsc)| smsc.outbind.is_some()).nth(nth)?.0;
        u16::try_from(smsc).ok()
    }

    /// For each SM-SC the first that is the same account, itself if there is none before it: a transmitter and a
    /// receiver are sections of their own, and what the one submits the other gets reports of.
    pub(super) fn accounts(&self) -> Vec<u16> {
        let same = |one: &SmscSettings| self.smscs.iter().position(|other| other.is_account_of(one));
        let first = |one: &SmscSettings| same(one).unwrap_or_default();
        self.smscs.iter().map(|one| u16::try_from(first(one)).unwrap_or(u16::MAX)).collect()
    }

    /// How parts of short messages are joined.
    pub(super) fn joining(&self) -> JoiningOptions {
        let delivery = &self.policy.delivery;
        JoiningOptions {
            timeout: Duration::from_secs(u64::from(delivery.joining_timeout_s)),
            incomplete: match delivery.incomplete_message {
                IncompleteMessage::Deliver => Incomplete::DeliverWhatCame,
                IncompleteMessage::Refuse => Incomplete::Refuse,
            },
            ..JoiningOptions::default()
        }
    }
}

/// The SIP side.
#[derive(Clone, Debug)]
pub struct SipSettings {
    /// Host part of the URIs and Call-IDs we mint.
    pub domain: String,
    /// SIP URI where requests that we originate go; with `;lr` it also stands in their Route.
    pub next_hop: String,
    /// Peers whose P-Asserted-Identity is believed.
    pub trusted: Vec<Network>,
    /// The sockets, by listener number. Those for outbind come after them, in the order of their SM-SCs.
    pub listeners: Vec<Listener>,
    /// A connection on which nothing happens this long is closed.
    pub idle: Duration,
    /// Octets of a request that may leave as a datagram: 1300, or more where the path is known to carry more (RFC 3261
    /// 18.1.1).
    pub datagram_request_bytes_max: usize,
}

impl Default for SipSettings {
    fn default() -> SipSettings {
        SipSettings {
            domain: String::new(),
            next_hop: String::new(),
            trusted: Vec::new(),
            listeners: Vec::new(),
            idle: Duration::from_secs(600),
            datagram_request_bytes_max: limits::SIP_DATAGRAM_REQUEST_BYTES_MAX,
        }
    }
}

impl SipSettings {
    /// Whether what this peer asserts is believed.
    pub(super) fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(peer))
    }

    /// `host:port` under which responses reach us from peers of this address family (RFC 3261 18.1.1). A socket that is
    /// bound to every address has none that a peer could use: there our domain stands for it.
    pub(super) fn sent_by(&self, transport: Transport, is_ipv4: bool) -> Vec<u8> {
        let of = |fits: &dyn Fn(&&Listener) -> bool| self.listeners.iter().find(fits);
        let kind = of(&|one| one.transport == transport && one.local.is_ipv4() == is_ipv4);
        let Some(bound) = kind.or_else(|| of(&|one| one.transport == transport)).or(self.listeners.first()) else {
            return Vec::new();
        };
        if bound.local.ip().is_unspecified() && !self.domain.is_empty() {
            return [self.domain.as_bytes(), b":", bound.local.port().to_string().as_bytes()].concat();
        }
        // Without the scope of a link-local address: it means something on this host only.
        SocketAddr::new(bound.local.ip(), bound.local.port()).to_string().into_bytes()
    }

    /// The next hop if its URI has an address; a name may have many.
    #[must_use]
    pub fn next_hop_address(&self) -> Option<SocketAddr> {
        let Uri::Sip(uri) = Uri::parse(self.next_hop.as_bytes())? else { return None };
        let host = core::str::from_utf8(uri.host).ok()?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Some(SocketAddr::new(host.parse().ok()?, uri.port.unwrap_or(5060)))
    }

    /// The socket that datagrams to `peer` leave from: the first of its address family.
    pub(super) fn listener_for(&self, peer: SocketAddr) -> Option<ListenerId> {
        let fits =
            |listener: &Listener| listener.transport == Transport::Udp && listener.local.is_ipv4() == peer.is_ipv4();
        self.listeners.iter().position(fits).and_then(|at| u16::try_from(at).ok()).map(ListenerId)
    }

    /// The next hop as a route, if it says that it is one (`;lr`, RFC 3261 19.1.1): the request carries it then.
    pub(super) fn route(&self) -> Option<&[u8]> {
        let Some(Uri::Sip(uri)) = Uri::parse(self.next_hop.as_bytes()) else { return None };
        uri.param(b"lr").map(|_| self.next_hop.as_bytes())
    }

    /// Where requests that we originate go; `None` if it cannot be reached from our sockets.
    pub(super) fn hop(&self) -> Option<NextHop> {
        NextHop::new(self.next_hop.as_bytes(), self.reach())
    }

    /// What we can send with.
    pub(super) fn reach(&self) -> Reach {
        let udp = |ipv4: bool| {
            let fits = |listener: &Listener| listener.transport == Transport::Udp && listener.local.is_ipv4() == ipv4;
            self.listeners.iter().any(fits)
        };
        Reach { udp_ipv4: udp(true), udp_ipv6: udp(false) }
    }

    /// Value of our Contact with this feature tag: where requests within a dialog reach us.
    pub(super) fn contact(&self, feature_tag: &str) -> Vec<u8> {
        let by_udp = self.listeners.iter().any(|listener| listener.transport == Transport::Udp);
        let (transport, param) = if by_udp { (Transport::Udp, "") } else { (Transport::Tcp, ";transport=tcp") };
        let host = self.sent_by(transport, true);
        let separator = if feature_tag.is_empty() { "" } else { ";" };
        [b"<sip:", &*host, param.as_bytes(), b">", separator.as_bytes(), feature_tag.as_bytes()].concat()
    }
}

/// Media of sessions (RFC 4975).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MsrpSettings {
    /// The sockets as they were bound; as many as were configured before that. Their numbers follow those for outbind.
    /// With none there are no sessions.
    pub listeners: Vec<(ListenerId, SocketAddr)>,
    /// What peers are told to connect to, in `a=path` and `c=`; port 0 becomes that of the first socket.
    pub address: SocketAddr,
    /// Octets of content in a chunk of ours.
    pub chunk_bytes: usize,
    /// Octets of the largest message that is taken (`a=max-size`).
    pub message_bytes_max: usize,
    /// Octets that the messages of a core that are not whole may hold together.
    pub memory_bytes_max: usize,
    /// The next octets of a message that has begun come within this time.
    pub idle: Duration,
    /// A session that was agreed on has its connection within this time.
    pub bind: Duration,
    /// A connection that no session uses is closed after this time.
    pub unbound: Duration,
}

impl MsrpSettings {
    /// Takes the sockets as they were bound; a port that peers are told and that was left open is that of the first.
    pub fn opened(&mut self, listeners: impl Iterator<Item = (ListenerId, SocketAddr)>) {
        self.listeners = listeners.collect();
        if let (0, Some((_, first))) = (self.address.port(), self.listeners.first()) {
            self.address.set_port(first.port());
        }
    }
}

impl Default for MsrpSettings {
    fn default() -> MsrpSettings {
        MsrpSettings {
            listeners: Vec::new(),
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            chunk_bytes: 2_048,
            message_bytes_max: 10 << 20,
            memory_bytes_max: 64 << 20,
            idle: Duration::from_secs(60),
            bind: Duration::from_secs(30),
            unbound: Duration::from_secs(10),
        }
    }
}

/// One `sip.listen` entry as it was bound.
#[derive(Clone, Copy, Debug)]
pub struct Listener {
    /// UDP or TCP.
    pub transport: Transport,
    /// The address, with the port that is really open. Where that is every address of the host, the one that peers see
    /// if it is known.
    pub local: SocketAddr,
}

/// An address block, `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Any address of the block.
    pub address: IpAddr,
    /// Leading bits that count.
    pub prefix_bits: u8,
}

impl Network {
    /// Whether `address` is in the block. An IPv4 address in IPv6 form counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                same_prefix(u128::from(a.to_bits()) << 96, u128::from(b.to_bits()) << 96, self.prefix_bits)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => same_prefix(a.to_bits(), b.to_bits(), self.prefix_bits),
            _ => false,
        }
    }
}

fn same_prefix(a: u128, b: u128, bits: u8) -> bool {
    (a ^ b).checked_shr(128_u32.saturating_sub(u32::from(bits))).is_none_or(|rest| rest == 0)
}

/// One SM-SC.
#[derive(Clone, Debug)]
pub struct SmscSettings {
    /// Its name in logs and metrics.
    pub name: String,
    /// Where to connect.
    pub address: SocketAddr,
    /// Where the SM-SC connects to send outbind (SMPP 3.4 2.2.1), if it is the one that does. Only its address may.
    pub outbind: Option<SocketAddr>,
    /// How the session behaves.
    pub session: smpp::Config,
    /// Number of connections, spread over the shards.
    pub binds: u16,
    /// Which alphabets may be used and what data_coding 0 means here.
    pub coding: CodingOptions,
    /// How long texts are split.
    pub concatenation: Concatenation,
    /// How ids of responses and reports compare.
    pub message_id: MessageIdForm,
    /// data_sm in place of submit_sm (IWF 6.2.2).
    pub data_sm: bool,
    /// SM-SCs of the same name are one account: what concerns a message of one may arrive over another. Empty: those with
    /// the same address and system_id are, as a transmitter and a receiver of one SM-SC.
    pub account: String,
}

impl Default for SmscSettings {
    fn default() -> SmscSettings {
        SmscSettings {
            name: String::new(),
            address: SocketAddr::from(([127, 0, 0, 1], 2775)),
            outbind: None,
            session: smpp::Config::default(),
            binds: 1,
            coding: CodingOptions::default(),
            concatenation: Concatenation::default(),
            message_id: MessageIdForm::default(),
            data_sm: false,
            account: String::new(),
        }
    }
}

impl SmscSettings {
    fn is_account_of(&self, other: &SmscSettings) -> bool {
        let one = (self.address, &*self.session.system_id) == (other.address, &*other.session.system_id);
        self.account == other.account && (one || !self.account.is_empty())
    }

    /// What stays the same of an account while its section moves in the file or gets another name.
    #[must_use]
    pub fn identity(&self) -> String {
        if self.account.is_empty() {
            format!("{} {}", self.address, self.session.system_id.escape_ascii())
        } else {
            format!("account {}", self.account)
        }
    }

    /// Binds that `shard` of `shards` holds: they are dealt out in turn, starting at a different core for each SM-SC. What
    /// the SM-SC opens may arrive at any core, so there each is ready for all.
    #[must_use]
    pub fn binds_of(&self, smsc: usize, shard: ShardId, shards: u16) -> u16 {
        if self.outbind.is_some() {
            return self.binds;
        }
        let first = u16::try_from(smsc % usize::from(shards)).unwrap_or(0);
        let place = (shard.0 + shards - first) % shards;
        self.binds / shards + u16::from(place < self.binds % shards)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_told_the_port_that_is_open() {
        let open: SocketAddr = "0.0.0.0:2855".parse().unwrap();
        for (told, becomes) in [("192.0.2.1:0", "192.0.2.1:2855"), ("192.0.2.1:7", "192.0.2.1:7")] {
            let mut msrp = MsrpSettings { address: told.parse().unwrap(), ..MsrpSettings::default() };
            msrp.opened([(ListenerId(2), open)].into_iter());
            assert_eq!(msrp.address.to_string(), becomes);
            let settings = Settings { msrp, ..Settings::default() };
            assert!(settings.is_msrp(ListenerId(2)) && !settings.is_msrp(ListenerId(1)));
        }
    }

    #[test]
    fn networks_contain_by_prefix() {
        let loopback = Network { address: [127, 0, 0, 0].into(), prefix_bits: 8 };
        assert!(loopback.contains([127, 9, 9, 9].into()));
        assert!(!loopback.contains([128, 0, 0, 1].into()));
        assert!(loopback.contains("::ffff:127.0.0.1".parse().unwrap()));
        assert!(Network { address: [0, 0, 0, 0].into(), prefix_bits: 0 }.contains([8, 8, 8, 8].into()));
        assert!(!Network { address: [10, 0, 0, 1].into(), prefix_bits: 32 }.contains([10, 0, 0, 2].into()));
    }
}
