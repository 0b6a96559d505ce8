//! `[msrp]`.

use core::net::SocketAddr;

use super::reader::Section;
use super::values::{integer, list, seconds, socket_address, tcp_listen};
use super::{Listen, Msrp};
use crate::shard::settings::MsrpSettings;

/// Octets of content in a chunk of ours; chunks larger than this leave in no shorter time.
const CHUNK_BYTES_MAX: usize = 64 << 10;
const GIB: usize = 1 << 30;

/// The section. `taken`: addresses that others listen on, and their keys.
pub(super) fn read(mut section: Section<'_>, taken: &[(SocketAddr, &'static str)]) -> Msrp {
    let default = MsrpSettings::default();
    let right = "a list such as [\"tcp://0.0.0.0:2855\"]";
    let listen = section.or("listen", Vec::new(), list(right, tcp_listen));
    let address = section.get("address", socket_address);
    let settings = MsrpSettings {
        listeners: Vec::new(),
        address: address.or(listen.first().map(|first| first.address)).unwrap_or(default.address),
        chunk_bytes: section.or("chunk_bytes", default.chunk_bytes, integer(1..=CHUNK_BYTES_MAX)),
        message_bytes_max: section.or("message_bytes_max", default.message_bytes_max, integer(1..=GIB)),
        memory_bytes_max: section.or("memory_bytes_max", default.memory_bytes_max, integer(1..=64 * GIB)),
        idle: section.or("idle_s", default.idle, seconds(1.0..=3_600.0)),
        bind: section.or("bind_s", default.bind, seconds(1.0..=3_600.0)),
        unbound: section.or("unbound_s", default.unbound, seconds(1.0..=3_600.0)),
    };
    let msrp = Msrp { listen, settings };
    msrp.object(&section, taken);
    section.finish();
    msrp
}

impl Msrp {
    /// What several keys together have wrong.
    fn object(&self, section: &Section<'_>, taken: &[(SocketAddr, &'static str)]) {
        self.object_to_address(section);
        if let Some((one, key)) = self.collision(taken) {
            let text = format!("has {one}, which {key} has as well; right would be a port of its own");
            section.object("listen", text);
        }
        let (memory, message) = (self.settings.memory_bytes_max, self.settings.message_bytes_max);
        if memory < message && section.has("memory_bytes_max") {
            let text = format!("is {memory}; right would be at least message_bytes_max, which is {message}");
            section.object("memory_bytes_max", text);
        } else if memory < message {
            let text = format!("is {message}; right would be at most memory_bytes_max, which is {memory}");
            section.object("message_bytes_max", text);
        }
    }

    /// Peers are told one address to connect to.
    fn object_to_address(&self, section: &Section<'_>) {
        let told = self.settings.address;
        let given = section.has("address");
        let right = format!("address = \"ADDRESS:{}\" with the address that peers connect to", told.port());
        if given && self.listen.is_empty() {
            section.object("address", "stands without listen; right would be both or neither");
        } else if !self.listen.is_empty() && told.ip().is_unspecified() {
            let (key, what) = if given { ("address", "is") } else { ("listen", "begins with") };
            section.object(
                key,
                format!("{what} every address of the host, which tells peers nothing; right would be {right}"),
            );
        }
    }

    /// A socket that somebody else has, or another of ours.
    fn collision(&self, taken: &[(SocketAddr, &'static str)]) -> Option<(SocketAddr, &'static str)> {
        let ours = self.listen.iter().enumerate();
        ours.map(|(at, one)| (at, one.address)).find_map(|(at, one)| {
            let before = self.listen.iter().take(at).map(|Listen { address, .. }| (*address, "an earlier entry"));
            let mut others = taken.iter().copied().chain(before);
            others.find(|(other, _)| collide(one, *other)).map(|(_, key)| (one, key))
        })
    }
}

/// Whether a host would not give both.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let any = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && one.is_ipv4() == other.is_ipv4() && (any || one.ip() == other.ip())
}
