//! Whole shards among peers that do anything in any order. It never panics; every request gets at most one final
//! response for each time it was sent, and a MESSAGE that is as it should be gets one in time; what is sent is whole and
//! well-formed; once everything is over, nothing is left in any table.
//!
//! Three octets of settings, then steps: an octet that says what happens, and what that needs.

mod ledger;
mod octets;
mod world;

use std::net::SocketAddr;
use std::time::Duration;

use isthmus::engine::smpp;
use isthmus::engine::transport::Transport;
use isthmus::policy::{EarlyAnswer, IncompleteMessage, Policy, ThrottledSubmit, UnknownOutcome};
use isthmus::shard::settings::{Listener, Network, Settings, SipSettings, SmscSettings};
use isthmus::wire::short_message::Concatenation;
use isthmus::wire::smpp::{CommandId, CommandStatus};

use super::input::Input;
use world::{CPM, DILIGENT, Far, Habits, World};

const STEPS_MAX: usize = 200;
const METHODS: [Concatenation; 4] =
    [Concatenation::Sar, Concatenation::Udh8, Concatenation::Udh16, Concatenation::Payload];
const TEXTS: [&str; 4] = ["Hello", "H\u{20AC}ll\u{F6} [world]", "\u{1F600}\u{043F}\u{0440}", ""];
const PAUSES_MS: [u64; 8] = [1, 50, 500, 3_500, 10_000, 25_000, 32_000, 300_000];

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let habits = habits(input.u8());
    let settings = settings(input.u8(), input.u8());
    let mut world = World::new(habits, &settings);
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            break;
        }
        step(&mut world, &mut input);
        world.settle();
    }
    end(world);
}

fn habits(bits: u8) -> Habits {
    let has = |bit: u8| bits & bit == 0;
    Habits { binds: has(1), submits: has(2), cpm: has(4), disk: has(8), connects: has(16) }
}

fn settings(bits: u8, more: u8) -> Settings {
    let mut policy = Policy::default();
    policy.submission.early_answer =
        [EarlyAnswer::None, EarlyAnswer::Accepted, EarlyAnswer::RequestTimeout][usize::from(bits >> 1 & 3) % 3];
    if bits & 0x08 != 0 {
        policy.submission.throttled_submit = ThrottledSubmit::Retry;
    }
    if more & 0x04 != 0 {
        policy.submission.unknown_outcome = UnknownOutcome::Accept;
    }
    if more & 0x08 != 0 {
        policy.delivery.incomplete_message = IncompleteMessage::Refuse;
    }
    policy.submission.validity_s_max = Some(600);
    policy.delivery.joining_timeout_s = 20;
    policy.reports.wait_without_validity_s = 600;
    let next_hop = match bits & 0x60 {
        0x20 => "sip:192.0.2.1:5070;transport=tcp",
        0x40 => "sip:cpm.example.net:5070",
        _ => "sip:192.0.2.1:5070",
    };
    let listener = |transport| Listener { transport, local: "198.51.100.1:5060".parse().unwrap() };
    let smscs = (0..1 + (bits >> 7)).map(|number| smsc(number, bits, more)).collect();
    Settings {
        durable: bits & 1 != 0,
        policy,
        sip: SipSettings {
            domain: "gw.example.net".into(),
            next_hop: next_hop.into(),
            trusted: vec![Network { address: [192, 0, 2, 0].into(), prefix_bits: 24 }],
            listeners: vec![listener(Transport::Udp), listener(Transport::Tcp)],
            ..SipSettings::default()
        },
        smscs,
        ..Settings::default()
    }
}

fn smsc(number: u8, bits: u8, more: u8) -> SmscSettings {
    SmscSettings {
        name: format!("smsc-{number}"),
        address: SocketAddr::from(([203, 0, 113, number + 1], 2775)),
        session: smpp::Config { window: 4, pending_max: 8, deliver_window: 8, ..smpp::Config::default() },
        binds: 1 + u16::from(more >> 4 & 3),
        concatenation: METHODS[usize::from(more & 3)],
        data_sm: bits & 0x10 != 0,
        ..SmscSettings::default()
    }
}

fn step(world: &mut World, input: &mut Input<'_>) {
    match input.below(20) {
        0 | 1 => message(world, input),
        2 => edited_message(world, input),
        3 => world.datagram(0, peer(input), input.octets()),
        4 => world.answer_request(input.below(8), response_code(input), input.below(2) == 1),
        5 => world.respond(input.below(8), command_status(input)),
        6 => smsc_sends(world, input, octets::deliver),
        7 => report(world, input),
        8 => raw(world, input, Far::Smsc),
        9 => raw(world, input, Far::Sip),
        10 => world.pass(Duration::from_millis(PAUSES_MS[input.below(8)])),
        11 => world.pass(Duration::from_millis(u64::from(input.u16()))),
        12 => world.close(input.below(8)),
        13 => world.connect(input.below(4) != 0),
        14 => world.resolve(input.below(4) != 0),
        15 => world.write_records(),
        16 => world.accept(input.below(2), peer(input)),
        17 => message_on_stream(world, input),
        18 => any_pdu(world, input),
        _ if input.u8() > 0xF0 => world.drain(),
        _ => {}
    }
}

fn peer(input: &mut Input<'_>) -> SocketAddr {
    let peers = [CPM, "192.0.2.9:40000", "10.9.8.7:5060", "192.0.2.1:5071"];
    peers[input.below(4)].parse().unwrap()
}

fn text(input: &mut Input<'_>) -> String {
    match input.u8() {
        which @ 0..0x80 => TEXTS[usize::from(which) % TEXTS.len()].repeat(1 + usize::from(which >> 2)),
        _ => String::from_utf8_lossy(input.octets()).into_owned(),
    }
}

/// A MESSAGE that is as it should be, the first time or again.
fn message(world: &mut World, input: &mut Input<'_>) {
    let (number, what) = (input.below(32), input.u8());
    let octets = octets::message(number, what, "UDP", &text(input));
    world.ledger.owes_response(&octets);
    world.datagram(usize::from(what >> 7), CPM.parse().unwrap(), &octets);
}

fn edited_message(world: &mut World, input: &mut Input<'_>) {
    let (number, what) = (input.below(32), input.u8());
    let octets = octets::message(number, what, "UDP", TEXTS[usize::from(what >> 4 & 3)]);
    let octets = octets::edited(octets, input);
    world.datagram(usize::from(what >> 7), CPM.parse().unwrap(), &octets);
}

fn message_on_stream(world: &mut World, input: &mut Input<'_>) {
    let (number, what) = (input.below(32), input.u8());
    let octets = octets::message(number, what, "TCP", &text(input));
    let octets = if what & 0x10 == 0 { octets } else { octets::edited(octets, input) };
    let place = nth(world, Far::Sip, input.below(8));
    world.stream(place, &octets, what & 0x10 == 0);
}

fn response_code(input: &mut Input<'_>) -> u16 {
    [200, 202, 100, 180, 404, 480, 486, 500, 503, 600, 408, 302, 199, 699, 400, 481][input.below(16)]
}

fn command_status(input: &mut Input<'_>) -> CommandStatus {
    CommandStatus([0, 0, 0, 0, 0, 0x58, 0x14, 0x45, 0x08, 0x0B, 0x64, 0x65, 0xFE, 0x400, 0x03, 0x0D][input.below(16)])
}

/// The place of a link of this kind.
fn nth(world: &World, far: Far, which: usize) -> usize {
    let places: Vec<usize> =
        world.links.iter().enumerate().filter(|(_, link)| link.far == far).map(|(place, _)| place).collect();
    places.get(which % places.len().max(1)).copied().unwrap_or(usize::MAX)
}

fn smsc_sends(world: &mut World, input: &mut Input<'_>, write: impl Fn(u32, &mut Input<'_>) -> Vec<u8>) {
    let place = nth(world, Far::Smsc, input.below(8));
    let serial = world.serial();
    let octets = write(serial, input);
    world.stream(place, &octets, true);
}

/// A status report, mostly for a message_id that was given.
fn report(world: &mut World, input: &mut Input<'_>) {
    let id = format!("{:08}", world.ids().saturating_sub(u32::try_from(input.below(8)).unwrap()));
    smsc_sends(world, input, |serial, input| octets::report(serial, &id, input.u8()));
}

fn raw(world: &mut World, input: &mut Input<'_>, far: Far) {
    let place = nth(world, far, input.below(8));
    world.stream(place, input.octets(), false);
}

fn any_pdu(world: &mut World, input: &mut Input<'_>) {
    smsc_sends(world, input, |serial, input| {
        let (id, status) = (u32::from(input.u8()), u32::from(input.u8()));
        let id = if id & 0x80 == 0 { CommandId(id & 0x1F) } else { CommandId(0x8000_0000 | id & 0x1F) };
        let sequence = if input.below(2) == 0 { serial } else { u32::from(input.u8()) };
        let body = input.octets();
        octets::pdu(id, CommandStatus(status), sequence, |out| out.extend_from_slice(body))
    });
}

/// Everybody does what he should from now on, and time passes.
fn end(mut world: World) {
    world.habits = DILIGENT;
    world.settle();
    world.pass(Duration::from_secs(33));
    world.ledger.check_responses();
    world.pass(Duration::from_secs(100));
    world.ledger.check_answers();
    world.drain();
    world.settle();
    world.pass(Duration::from_secs(3_600));
    for shard in world.shards() {
        let stats = shard.stats();
        let left = [
            stats.server_transactions,
            stats.client_transactions,
            stats.open_reports,
            stats.held_reports,
            stats.open_messages,
            stats.undelivered,
            stats.joining,
            stats.sip_connections,
            stats.binds_bound,
        ];
        assert_eq!(left, [0; 9], "left behind");
        assert!(shard.is_drained());
    }
}
