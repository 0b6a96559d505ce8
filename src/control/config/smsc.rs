//! `[[smsc]]`: one SM-SC each.

use core::net::SocketAddr;
use core::time::Duration;

use super::Host;
use super::reader::{Read, Section, Value, wrong, wrong_type};
use super::values::{boolean, c_octet_string, c_octets, integer, one_of, seconds, tcp_listen, text};
use crate::engine::smpp::{self, BindType, Initiator};
use crate::limits::{SMPP_PDU_BYTES_MAX, SMPP_PENDING_MAX, SMPP_WINDOW_MAX};
use crate::policy::Policy;
use crate::shard::settings::SmscSettings;
use crate::wire::inline::Inline;
use crate::wire::short_message::data_coding::DataCodingZero;
use crate::wire::short_message::national::Language;
use crate::wire::short_message::{CodingOptions, Concatenation};
use crate::wire::smpp::MessageIdForm;

/// All of them. `None` if there is none although there is no `[[mmsc]]` either, or one without a usable address.
pub(super) fn read_all(
    root: &mut Section<'_>,
    host: &Host,
    policy: &Policy,
    drain: Duration,
) -> Option<Vec<SmscSettings>> {
    let missing = !root.has("smsc") && !root.has("mmsc");
    let sections = root.sections("smsc");
    if missing {
        root.object("smsc", "there is none; right would be [[smsc]] with the address of an SM-SC");
    }
    let mut names: Vec<String> = Vec::new();
    let read = sections.into_iter().enumerate().map(|(at, mut section)| {
        let name = own_name(&mut section, format!("smsc-{}", at + 1), &mut names);
        one(section, name, host, policy, drain)
    });
    let read: Vec<_> = read.collect();
    (!missing).then(|| read.into_iter().collect())?
}

fn one(mut section: Section<'_>, name: String, host: &Host, policy: &Policy, drain: Duration) -> Option<SmscSettings> {
    let address = section.need("address", "10.0.0.2:2775", |value| peer(value, host));
    let outbind = section.get("outbind", tcp_listen).map(|one| one.address);
    let mut session = session(&mut section, host, drain);
    session.initiator = if outbind.is_some() { Initiator::Smsc } else { Initiator::Esme };
    let binds = section.or("binds", 1, integer(1..=1_024));
    session.throughput_per_second = share(&section, session.throughput_per_second, binds);
    let smsc = SmscSettings {
        name,
        address: address.unwrap_or_else(|| ([0, 0, 0, 0], 0).into()),
        outbind,
        session,
        binds,
        coding: coding(&mut section, policy),
        concatenation: section.or("concatenation", Concatenation::Sar, one_of(CONCATENATIONS)),
        message_id: section.or("message_id", MessageIdForm::Opaque, one_of(MESSAGE_IDS)),
        data_sm: section.or("data_sm", false, boolean),
        account: section.or("account", String::new(), text("a name of 1 to 64 printable characters", self::name)),
    };
    section.finish();
    address.map(|_| smsc)
}

/// What one bind may send of what all may.
fn share(section: &Section<'_>, throughput: u32, binds: u16) -> u32 {
    let share = throughput / u32::from(binds);
    if throughput > 0 && share == 0 {
        section.object("throughput", format!("is {throughput}; right would be at least 1 for each of {binds} binds"));
    }
    share
}

const CONCATENATIONS: &[(&str, Concatenation)] = &[
    ("sar", Concatenation::Sar),
    ("udh8", Concatenation::Udh8),
    ("udh16", Concatenation::Udh16),
    ("payload", Concatenation::Payload),
];

const MESSAGE_IDS: &[(&str, MessageIdForm)] = &[
    ("opaque", MessageIdForm::Opaque),
    ("hex-submit-decimal-receipt", MessageIdForm::HexSubmitDecimalReceipt),
    ("decimal-submit-hex-receipt", MessageIdForm::DecimalSubmitHexReceipt),
];

const BINDS: &[(&str, BindType)] =
    &[("transceiver", BindType::Transceiver), ("transmitter", BindType::Transmitter), ("receiver", BindType::Receiver)];

fn session(section: &mut Section<'_>, host: &Host, drain: Duration) -> smpp::Config {
    let base = smpp::Config { drain, ..smpp::Config::default() };
    let bound = bind(section, host, base);
    let flow = flow(section, bound);
    let timed = timing(section, flow);
    pauses(section, timed)
}

fn bind(section: &mut Section<'_>, host: &Host, base: smpp::Config) -> smpp::Config {
    smpp::Config {
        bind: section.or("bind", base.bind, one_of(BINDS)),
        system_id: section.or("system_id", Inline::from_slice(b"isthmus").unwrap_or_default(), c_octet_string),
        password: password(section, host),
        outbind_password: section.get("outbind_password", c_octet_string),
        system_type: section.or("system_type", base.system_type, c_octet_string),
        addr_ton: section.or("addr_ton", base.addr_ton, integer(0..=u8::MAX)),
        addr_npi: section.or("addr_npi", base.addr_npi, integer(0..=u8::MAX)),
        address_range: section.or("address_range", base.address_range, c_octet_string),
        ..base
    }
}

fn flow(section: &mut Section<'_>, base: smpp::Config) -> smpp::Config {
    smpp::Config {
        window: section.or("window", base.window, integer(1..=SMPP_WINDOW_MAX)),
        pending_max: section.or("pending", base.pending_max, integer(0..=SMPP_PENDING_MAX)),
        deliver_window: section.or("deliver_window", base.deliver_window, integer(1..=65_536)),
        throughput_per_second: section.or("throughput", base.throughput_per_second, integer(0..=1_000_000)),
        pdu_bytes_max: section.or("pdu_bytes_max", base.pdu_bytes_max, integer(512..=SMPP_PDU_BYTES_MAX)),
        tlvs_without_version: section.or("tlvs_without_version", base.tlvs_without_version, boolean),
        ..base
    }
}

fn timing(section: &mut Section<'_>, base: smpp::Config) -> smpp::Config {
    smpp::Config {
        session_init: section.or("session_init_s", base.session_init, seconds(0.1..=300.0)),
        enquire_link: section.or("enquire_link_s", base.enquire_link, seconds(0.0..=3_600.0)),
        response: section.or("response_timeout_s", base.response, seconds(0.1..=300.0)),
        ..base
    }
}

fn pauses(section: &mut Section<'_>, base: smpp::Config) -> smpp::Config {
    let read = smpp::Config {
        reconnect_min: section.or("reconnect_min_s", base.reconnect_min, seconds(0.01..=3_600.0)),
        reconnect_max: section.or("reconnect_max_s", base.reconnect_max, seconds(0.01..=3_600.0)),
        reconnect_refused: section.or("reconnect_refused_s", base.reconnect_refused, seconds(0.01..=86_400.0)),
        throttle_min: section.or("throttle_min_s", base.throttle_min, seconds(0.01..=3_600.0)),
        throttle_max: section.or("throttle_max_s", base.throttle_max, seconds(0.01..=3_600.0)),
        ..base
    };
    in_order(section, ["reconnect_min_s", "reconnect_max_s"], [read.reconnect_min, read.reconnect_max]);
    in_order(section, ["throttle_min_s", "throttle_max_s"], [read.throttle_min, read.throttle_max]);
    read
}

pub(super) fn in_order(section: &Section<'_>, keys: [&str; 2], values: [Duration; 2]) {
    if values[0] > values[1] {
        let [min, max] = values.map(|value| value.as_secs_f64());
        section.object(keys[0], format!("is {min}; right would be at most {}, which is {max}", keys[1]));
    }
}

fn password(section: &mut Section<'_>, host: &Host) -> Inline<8> {
    let given = section.get("password", c_octet_string);
    let from_file = section.get("password_file", |value| password_file(value, host));
    if section.has("password") && section.has("password_file") {
        section.object("password_file", "stands beside password; right would be one of the two");
    }
    given.or(from_file).unwrap_or_default()
}

fn password_file(value: &Value<'_>, host: &Host) -> Read<Inline<8>> {
    const RIGHT: &str = "a readable file with at most 8 printable ASCII characters on its first line";
    let Some(file) = value.get_ref().as_str() else { return wrong_type(value, RIGHT) };
    match std::fs::read_to_string(host.directory.join(file)) {
        Ok(text) => c_octets(text.lines().next().unwrap_or_default()).or_else(|what| wrong(value, what, RIGHT)),
        Err(error) => wrong(value, format_args!("names \"{file}\", which cannot be read: {error}"), RIGHT),
    }
}

fn coding(section: &mut Section<'_>, policy: &Policy) -> CodingOptions {
    let zeros = [("gsm7", DataCodingZero::Gsm7), ("latin1", DataCodingZero::Latin1), ("ascii", DataCodingZero::Ascii)];
    let languages = [
        ("none", None),
        ("turkish", Some(Language::Turkish)),
        ("spanish", Some(Language::Spanish)),
        ("portuguese", Some(Language::Portuguese)),
    ];
    CodingOptions {
        data_coding_0: section.or("data_coding_0", DataCodingZero::Gsm7, one_of(&zeros)),
        allow_latin1: section.or("latin1", false, boolean),
        national: section.or("national", None, one_of(&languages)),
        transliterate: section.or("transliterate", policy.submission.transliteration, boolean),
    }
}

/// Figures or a name; a name is looked up once, at start.
pub(super) fn peer(value: &Value<'_>, host: &Host) -> Read<SocketAddr> {
    const RIGHT: &str = "\"HOST:PORT\"";
    let Some(text) = value.get_ref().as_str() else { return wrong_type(value, RIGHT) };
    match (host.resolve)(text) {
        Ok(Some(address)) if address.port() != 0 => Ok(address),
        Ok(Some(_)) => wrong(value, format_args!("is \"{text}\", which has port 0"), RIGHT),
        Ok(None) => wrong(value, format_args!("is \"{text}\", a name without address"), RIGHT),
        Err(error) => wrong(value, format_args!("is \"{text}\": {error}"), RIGHT),
    }
}

/// The name of a section of many, which none of `earlier` has.
pub(super) fn own_name(section: &mut Section<'_>, default: String, earlier: &mut Vec<String>) -> String {
    let name = section.or("name", default, text("a name of 1 to 64 printable characters", name));
    if earlier.contains(&name) {
        section.object("name", format!("\"{name}\" is taken by an earlier one; right would be a name of its own"));
    }
    earlier.push(name.clone());
    name
}

fn name(text: &str) -> Option<String> {
    let fine = (1..=64).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_graphic());
    fine.then(|| text.to_owned())
}
