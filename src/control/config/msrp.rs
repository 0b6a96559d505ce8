//! `[msrp]`.

use core::net::SocketAddr;

use super::Msrp;
use super::reader::Section;
use super::values::{collision, integer, list, seconds, socket_address, tcp_listen};
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
        if let Some((one, key)) = collision(&self.listen, taken) {
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
}
