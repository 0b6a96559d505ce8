//! How values are read: a function for each kind, which says what would be right.

use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;
use core::time::Duration;

use toml::de::DeValue;

use super::Listen;
use super::reader::{Read, Value, wrong, wrong_type};
use crate::engine::transport::Transport;
use crate::shard::settings::Network;
use crate::wire::inline::Inline;
use crate::wire::sip::uri::{Uri, host_port};

pub(super) fn boolean(value: &Value<'_>) -> Read<bool> {
    value.get_ref().as_bool().map_or_else(|| wrong_type(value, "true or false"), Ok)
}

/// A whole number within bounds.
pub(super) fn integer<T>(range: RangeInclusive<T>) -> impl Fn(&Value<'_>) -> Read<T>
where
    T: TryFrom<i64> + PartialOrd + core::fmt::Display,
{
    move |value| {
        let right = format!("a whole number from {} to {}", range.start(), range.end());
        let Some(number) = value.get_ref().as_integer() else { return wrong_type(value, right) };
        let read = i64::from_str_radix(number.as_str(), number.radix()).ok().and_then(|read| T::try_from(read).ok());
        read.filter(|read| range.contains(read)).map_or_else(|| wrong(value, format_args!("is {number}"), right), Ok)
    }
}

/// A time in seconds, fractions allowed.
pub(super) fn seconds(range: RangeInclusive<f64>) -> impl Fn(&Value<'_>) -> Read<Duration> {
    move |value| {
        let right = format!("seconds from {} to {}", range.start(), range.end());
        let text = match value.get_ref() {
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            _ => return wrong_type(value, right),
        };
        let read = text.parse().ok().filter(|read| range.contains(read));
        read.map_or_else(|| wrong(value, format_args!("is {text}"), right), |read| Ok(Duration::from_secs_f64(read)))
    }
}

/// One of several words.
pub(super) fn one_of<T: Copy>(words: &[(&str, T)]) -> impl Fn(&Value<'_>) -> Read<T> {
    move |value| {
        let right = words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        let Some(text) = value.get_ref().as_str() else { return wrong_type(value, format_args!("one of {right}")) };
        let read = words.iter().find(|(word, _)| *word == text);
        read.map_or_else(
            || wrong(value, format_args!("is \"{text}\""), format_args!("one of {right}")),
            |(_, t)| Ok(*t),
        )
    }
}

/// A text, read by `parse`; `right` says what it takes.
pub(super) fn text<T>(right: &str, parse: impl Fn(&str) -> Option<T>) -> impl Fn(&Value<'_>) -> Read<T> {
    move |value| {
        let Some(text) = value.get_ref().as_str() else { return wrong_type(value, right) };
        parse(text).map_or_else(|| wrong(value, format_args!("is \"{text}\""), right), Ok)
    }
}

/// A list, every element read by `read`.
pub(super) fn list<T>(right: &str, read: impl Fn(&Value<'_>) -> Read<T>) -> impl Fn(&Value<'_>) -> Read<Vec<T>> {
    move |value| {
        let Some(array) = value.get_ref().as_array() else { return wrong_type(value, right) };
        let (mut elements, mut wrongs) = (Vec::new(), Vec::new());
        for element in array {
            match read(element) {
                Ok(element) => elements.push(element),
                Err(more) => wrongs.extend(more),
            }
        }
        if wrongs.is_empty() { Ok(elements) } else { Err(wrongs) }
    }
}

/// A C-Octet String of at most `N` characters (SMPP 3.4 3.1). Its text is not quoted: it may be a password.
pub(super) fn c_octet_string<const N: usize>(value: &Value<'_>) -> Read<Inline<N>> {
    let right = format!("at most {N} printable ASCII characters");
    let Some(text) = value.get_ref().as_str() else { return wrong_type(value, right) };
    c_octets(text).map_or_else(|what| wrong(value, what, right), Ok)
}

/// The same for a text from elsewhere; says what is wrong.
pub(super) fn c_octets<const N: usize>(text: &str) -> Result<Inline<N>, String> {
    if !text.bytes().all(|octet| (0x20..0x7F).contains(&octet)) {
        return Err("has characters that are not printable ASCII".into());
    }
    Inline::from_slice(text.as_bytes()).ok_or_else(|| format!("has {} characters", text.len()))
}

pub(super) fn listen(value: &Value<'_>) -> Read<Listen> {
    text("\"udp://ADDRESS:PORT\" or \"tcp://ADDRESS:PORT\", the address in figures", |text| {
        let (scheme, address) = text.split_once("://")?;
        let transport = match scheme {
            "udp" => Transport::Udp,
            "tcp" => Transport::Tcp,
            _ => return None,
        };
        Some(Listen { transport, address: address.parse().ok()? })
    })(value)
}

pub(super) fn tcp_listen(value: &Value<'_>) -> Read<Listen> {
    let read = listen(value)?;
    if read.transport == Transport::Tcp { Ok(read) } else { wrong(value, "is for datagrams", "\"tcp://ADDRESS:PORT\"") }
}

pub(super) fn socket_address(value: &Value<'_>) -> Read<SocketAddr> {
    text("\"ADDRESS:PORT\", the address in figures", |text| text.parse().ok())(value)
}

pub(super) fn network(value: &Value<'_>) -> Read<Network> {
    text("an address block such as \"10.0.0.0/8\" or one address", |text| {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = prefix.map_or(Some(bits), |prefix| prefix.parse().ok())?;
        (prefix_bits <= bits).then_some(Network { address, prefix_bits })
    })(value)
}

pub(super) fn sip_uri(value: &Value<'_>) -> Read<String> {
    text("a SIP URI such as \"sip:10.0.0.1:5060;transport=tcp\"", |text| match Uri::parse(text.as_bytes()) {
        Some(Uri::Sip(uri)) if !uri.secure && one_line(text) => Some(text.to_owned()),
        _ => None,
    })(value)
}

pub(super) fn domain(value: &Value<'_>) -> Read<String> {
    text("a host name or an address, without port", |text| {
        let host = host_port(text.as_bytes()).is_some_and(|(host, port)| port.is_none() && host == text.as_bytes());
        host.then(|| text.to_owned())
    })(value)
}

fn one_line(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_graphic())
}

/// A socket of ours that somebody else has, by its key, or another of ours.
pub(super) fn collision(ours: &[Listen], taken: &[(SocketAddr, &'static str)]) -> Option<(SocketAddr, &'static str)> {
    ours.iter().enumerate().map(|(at, one)| (at, one.address)).find_map(|(at, one)| {
        let before = ours.iter().take(at).map(|Listen { address, .. }| (*address, "an earlier entry"));
        let mut others = taken.iter().copied().chain(before);
        others.find(|(other, _)| collide(one, *other)).map(|(_, key)| (one, key))
    })
}

/// Whether a host would not give both.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let any = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0 && one.port() == other.port() && one.is_ipv4() == other.is_ipv4() && (any || one.ip() == other.ip())
}
