//! The values of options.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use crate::engine::transport::Transport;
use crate::limits::{LOAD_TEXT_CHARACTERS_MAX, LOAD_TEXT_CHARACTERS_MIN};
use crate::load::{Alphabet, Length, Way, Weighted};
use crate::shell::Backend;
use crate::wire::cpim::Dispositions;
use crate::wire::short_message::{Concatenation, DataCodingZero};
use crate::wire::smpp::CommandStatus;

/// A gateway as SIP names it.
#[derive(Clone, Copy, Debug)]
pub struct SipTarget {
    /// Where it is.
    pub address: SocketAddr,
    /// How it is reached.
    pub transport: Transport,
}

/// From, to, over seconds.
#[derive(Clone, Copy, Debug)]
pub struct Ramp(pub f64, pub f64, pub f64);

/// Several things and their weights.
#[derive(Clone, Debug)]
pub struct Shared<T>(pub Vec<Weighted<T>>);

/// A time, or the bounds of one.
#[derive(Clone, Copy, Debug)]
pub struct Delay(pub Duration, pub Duration);

/// How many, 0 for one each.
#[derive(Clone, Copy, Debug)]
pub struct Numbers(pub u32);

pub(super) fn sip(text: &str) -> Result<SipTarget, String> {
    let rest = text.strip_prefix("sip:").ok_or("it begins with sip:")?;
    let mut parts = rest.split(';');
    let host = parts.next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    let mut transport = Transport::Udp;
    for parameter in parts {
        transport = match parameter {
            "transport=udp" => Transport::Udp,
            "transport=tcp" => Transport::Tcp,
            _ => return Err(format!("{parameter}: only transport=udp and transport=tcp are known")),
        };
    }
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if has_port { address(host)? } else { address(&format!("{host}:5060"))? };
    Ok(SipTarget { address, transport })
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let mut found = text.to_socket_addrs().map_err(|error| format!("host:port is wanted: {error}"))?;
    found.next().ok_or_else(|| String::from("no address"))
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    number(text).filter(|rate| *rate > 0.0 && *rate <= 10_000_000.0).ok_or_else(|| "a number above 0".into())
}

pub(super) fn ramp(text: &str) -> Result<Ramp, String> {
    let wanted = "two rates and a number of seconds, such as 100:5000:60";
    let [from, to, over] = text.split(':').collect::<Vec<_>>()[..] else { return Err(wanted.into()) };
    let over = duration(over).map(|over| over.as_secs_f64()).ok().filter(|over| *over > 0.0);
    match (number(from), number(to), over) {
        (Some(from), Some(to), Some(over)) if from >= 0.0 && to >= 0.0 && from + to > 0.0 => Ok(Ramp(from, to, over)),
        _ => Err(wanted.into()),
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, unit) = text.split_at(at);
    let factor = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        _ => return Err(format!("{unit:?}: us, ms, s, m and h are known")),
    };
    let seconds = number(digits).ok_or("a time such as 500ms, 10s or 2m")?;
    Duration::try_from_secs_f64(seconds * factor)
        .ok()
        .filter(|all| *all <= Duration::from_secs(1_000_000))
        .ok_or_else(|| "too long".into())
}

pub(super) fn delay(text: &str) -> Result<Delay, String> {
    let (shortest, longest) = text.split_once('-').unwrap_or((text, text));
    let delay = Delay(duration(shortest)?, duration(longest)?);
    if delay.0 <= delay.1 { Ok(delay) } else { Err("the shorter time comes first".into()) }
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    number(text).filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "a share from 0 to 1".into())
}

pub(super) fn ways(text: &str) -> Result<Shared<Way>, String> {
    weighted(text, |name| match name {
        "cpm-to-sms" => Ok(Way::CpmToSms),
        "sms-to-cpm" => Ok(Way::SmsToCpm),
        _ => Err(format!("{name}: cpm-to-sms and sms-to-cpm are known")),
    })
}

pub(super) fn lengths(text: &str) -> Result<Shared<Length>, String> {
    weighted(text, |range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let whole = |text: &str| text.parse::<u32>().map_err(|_| format!("{range}: numbers of characters are wanted"));
        let (from, to) = (whole(from)?, whole(to)?);
        if from < LOAD_TEXT_CHARACTERS_MIN {
            return Err(format!(
                "{range}: a text has at least {LOAD_TEXT_CHARACTERS_MIN} characters, its number and a check"
            ));
        }
        if from > to || to > LOAD_TEXT_CHARACTERS_MAX {
            return Err(format!("{range}: from less to more, {LOAD_TEXT_CHARACTERS_MAX} at most"));
        }
        Ok((from, to))
    })
}

pub(super) fn alphabets(text: &str) -> Result<Shared<Alphabet>, String> {
    weighted(text, |name| match name {
        "gsm7" => Ok(Alphabet::Gsm7),
        "latin1" => Ok(Alphabet::Latin1),
        "ucs2" => Ok(Alphabet::Ucs2),
        "emoji" => Ok(Alphabet::Emoji),
        _ => Err(format!("{name}: gsm7, latin1, ucs2 and emoji are known")),
    })
}

pub(super) fn kinds(text: &str) -> Result<Dispositions, String> {
    let mut kinds = Dispositions::NONE;
    for kind in text.split(',') {
        match kind {
            "positive" => kinds.positive_delivery = true,
            "negative" => kinds.negative_delivery = true,
            "interworking" => kinds.interworking = true,
            _ => return Err(format!("{kind}: positive, negative and interworking are known")),
        }
    }
    Ok(kinds)
}

pub(super) fn numbers(text: &str) -> Result<Numbers, String> {
    match text {
        "unique" => Ok(Numbers(0)),
        _ => text.parse().ok().filter(|count| *count > 0).map(Numbers).ok_or_else(|| "unique, or a number".into()),
    }
}

pub(super) fn status(text: &str) -> Result<CommandStatus, String> {
    let number = text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
    let named = || (0..0x500).map(CommandStatus).find(|status| status.name() == Some(text));
    let status = number.map(CommandStatus).or_else(named);
    let status = status.filter(|status| *status != CommandStatus::ESME_ROK);
    status.ok_or_else(|| "a command_status such as ESME_RSYSERR or 0x58".into())
}

pub(super) fn data_coding_0(text: &str) -> Result<DataCodingZero, String> {
    match text {
        "gsm7" => Ok(DataCodingZero::Gsm7),
        "latin1" => Ok(DataCodingZero::Latin1),
        "ascii" => Ok(DataCodingZero::Ascii),
        _ => Err("gsm7, latin1 and ascii are known".into()),
    }
}

pub(super) fn concatenation(text: &str) -> Result<Concatenation, String> {
    match text {
        "udh8" => Ok(Concatenation::Udh8),
        "udh16" => Ok(Concatenation::Udh16),
        "sar" => Ok(Concatenation::Sar),
        "payload" => Ok(Concatenation::Payload),
        _ => Err("udh8, udh16, sar and payload are known".into()),
    }
}

pub(super) fn backend(text: &str) -> Result<Backend, String> {
    match text {
        "auto" => Ok(Backend::Auto),
        "io_uring" => Ok(Backend::IoUring),
        "epoll" => Ok(Backend::Epoll),
        _ => Err("auto, io_uring and epoll are known".into()),
    }
}

fn weighted<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Shared<T>, String> {
    let one = |item: &str| {
        let (name, weight) = item.split_once(':').unwrap_or((item, "1"));
        let weight = weight.parse().ok().filter(|weight| (1..=1_000_000).contains(weight));
        let weight = weight.ok_or_else(|| format!("{item}: a weight is a whole number, at least 1"))?;
        Ok(Weighted { what: parse(name)?, weight })
    };
    text.split(',').map(one).collect::<Result<_, _>>().map(Shared)
}

fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)
}
