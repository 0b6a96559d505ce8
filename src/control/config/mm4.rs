//! `[mm4]` and `[[mmsc]]`.

use core::net::SocketAddr;
use core::time::Duration;

use super::reader::{Read, Section, Value, wrong};
use super::smsc::{in_order, own_name, peer};
use super::values::{collision, domain, integer, list, network, seconds, tcp_listen, text};
use super::{Host, Mm4};
use crate::limits::{MM_BYTES_MAX, SMTP_SESSIONS_MAX};
use crate::shard::settings::{Mm4Settings, MmscSettings};

const MIB: usize = 1 << 20;

/// `[mm4]`. `taken`: addresses that others listen on, and their keys; `needed`: whether there is an `[[mmsc]]`.
pub(super) fn read(mut section: Section<'_>, taken: &[(SocketAddr, &'static str)], needed: bool) -> Mm4 {
    let default = Mm4Settings::default();
    let listen = section.or("listen", Vec::new(), list("a list such as [\"tcp://0.0.0.0:2525\"]", tcp_listen));
    let settings = Mm4Settings {
        listeners: Vec::new(),
        domain: section.get("domain", domain).unwrap_or_default(),
        system_user: section.or("system_user", default.system_user, text("a name such as \"system-user\"", local_part)),
        trusted: section.or("trusted", Vec::new(), list("a list of address blocks", network)),
        message_bytes_max: section.or("message_bytes_max", default.message_bytes_max, integer(1_024..=64 * MIB)),
        sessions_max: section.or("sessions_max", default.sessions_max, integer(1..=SMTP_SESSIONS_MAX)),
        idle: section.or("idle_s", default.idle, seconds(1.0..=3_600.0)),
    };
    if settings.domain.is_empty() && !section.has("domain") && (needed || !listen.is_empty()) {
        let right = "right would be domain = \"mms.gw.example.net\", say";
        section.object("domain", format!("is missing, and MMS Relay/Servers need it to answer us; {right}"));
    }
    if let Some((one, key)) = collision(&listen, taken) {
        section.object("listen", format!("has {one}, which {key} has as well; right would be a port of its own"));
    }
    section.finish();
    Mm4 { listen, settings }
}

/// `[[mmsc]]`, all of them. `None` if one has no usable address.
pub(super) fn read_all(root: &mut Section<'_>, host: &Host) -> Option<Vec<MmscSettings>> {
    let mut names: Vec<String> = Vec::new();
    let sections = root.sections("mmsc").into_iter().enumerate();
    let read = sections.map(|(at, mut section)| {
        let name = own_name(&mut section, format!("mmsc-{}", at + 1), &mut names);
        one(section, name, host)
    });
    let read: Vec<_> = read.collect();
    read.into_iter().collect()
}

fn one(mut section: Section<'_>, name: String, host: &Host) -> Option<MmscSettings> {
    let address = section.need("address", "10.0.0.3:25", |value| peer(value, host));
    let domain = section.need("domain", "mms.mnc001.mcc001.gprs", domain);
    let default = MmscSettings::default();
    let wait = |section: &mut Section<'_>, key, default: Duration| section.or(key, default, seconds(0.01..=3_600.0));
    let reconnect = [
        wait(&mut section, "reconnect_min_s", default.reconnect[0]),
        wait(&mut section, "reconnect_max_s", default.reconnect[1]),
    ];
    in_order(&section, ["reconnect_min_s", "reconnect_max_s"], reconnect);
    let mmsc = MmscSettings {
        name,
        address: address.unwrap_or(default.address),
        domain: domain.clone().unwrap_or_default(),
        prefixes: section.or("prefixes", Vec::new(), list("a list such as [\"+4477\"]", prefix)),
        connections: section.or("connections", default.connections, integer(1..=64)),
        message_bytes_max: section.or("message_bytes_max", default.message_bytes_max, integer(1_024..=MM_BYTES_MAX)),
        content_types: section.or(
            "content_types",
            default.content_types,
            list("a list such as [\"text/plain\", \"image/*\"]", media_type),
        ),
        reconnect,
    };
    section.finish();
    address.zip(domain).map(|_| mmsc)
}

/// First digits of numbers, with or without their "+".
fn prefix(value: &Value<'_>) -> Read<String> {
    text("the first digits of numbers such as \"+4477\"", |text| {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let fine = (1..=15).contains(&digits.len()) && digits.bytes().all(|octet| octet.is_ascii_digit());
        fine.then(|| digits.to_owned())
    })(value)
}

/// A media type, or all of a kind.
fn media_type(value: &Value<'_>) -> Read<String> {
    const RIGHT: &str = "a media type such as \"image/jpeg\", or \"image/*\"";
    let read = text(RIGHT, |text| Some(text.to_owned()))(value)?;
    let token =
        |part: &str| !part.is_empty() && part.bytes().all(|o| o.is_ascii_alphanumeric() || b"*.+-_".contains(&o));
    let fine = read.split_once('/').is_some_and(|(kind, of)| token(kind) && !kind.contains('*') && token(of));
    let star_ends = !read.trim_end_matches('*').contains('*') && !read.ends_with("**");
    if fine && star_ends { Ok(read) } else { wrong(value, format_args!("is \"{read}\""), RIGHT) }
}

/// RFC 5321 4.1.2: a dot-string.
fn local_part(text: &str) -> Option<String> {
    let atext = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&octet);
    let dotted = text.split('.').all(|atom| !atom.is_empty());
    let fine = (1..=64).contains(&text.len()) && text.bytes().all(atext) && dotted;
    fine.then(|| text.to_owned())
}
