//! The fuzz targets of `tests/fuzz` for a moment: their seeds, and the same damage to them in every run. The fuzzers
//! themselves search longer; this holds that targets and seeds stay alive.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(missing_docs, unreachable_pub, reason = "shared with another package")]

#[path = "fuzz/src/lib.rs"]
mod fuzz;

use std::panic::{AssertUnwindSafe, catch_unwind};

use fuzz::{TARGETS, seeds};
use isthmus::engine::Random;

/// Octets that formats are made of.
const TELLING: &[u8] = b"\0\x01\x1B\x7F\x80\xFF\r\n \t:;,<>\"\\=@.%/&-+0";

/// Runs a target with each seed, then with `rounds` damaged ones.
fn survives(name: &str, rounds: usize) {
    let target = TARGETS.into_iter().find(|target| target.name == name).unwrap();
    let seeds = seeds::read(target.seeds);
    seeds.iter().for_each(|seed| run(target.run, seed));
    let mut random = Random::from_seed([9; 32]);
    for _ in 0..rounds {
        run(target.run, &damaged(&seeds, &mut random));
    }
}

/// Shows the input that broke a promise: saved to a file it can be given to the fuzzer.
fn run(target: fn(&[u8]), input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        let shown: String = input.iter().map(|octet| format!("\\x{octet:02X}")).collect();
        panic!("{}\ninput: {shown}", panic.downcast_ref::<String>().map_or("", String::as_str));
    }
}

fn damaged(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut octets = pick(seeds, random).clone();
    for _ in 0..1 + random.below(6) {
        let at = below(octets.len() + 1, random);
        match random.below(8) {
            0 => octets.truncate(at),
            1 => octets.insert(at, octet(random)),
            2 => drop(octets.drain(at..(at + below(9, random)).min(octets.len()))),
            3 => {
                let again = octets[at..(at + below(40, random)).min(octets.len())].to_vec();
                octets.splice(at..at, again);
            }
            4 => {
                let other = pick(seeds, random);
                let from = below(other.len() + 1, random);
                octets.truncate(at);
                octets.extend_from_slice(&other[from..]);
            }
            _ => {
                if let Some(place) = octets.get_mut(at) {
                    *place = octet(random);
                }
            }
        }
    }
    octets
}

fn octet(random: &mut Random) -> u8 {
    if random.below(2) == 0 { *pick(TELLING, random) } else { random.next_u64().to_le_bytes()[0] }
}

fn pick<'a, T>(among: &'a [T], random: &mut Random) -> &'a T {
    &among[below(among.len(), random)]
}

fn below(bound: usize, random: &mut Random) -> usize {
    usize::try_from(random.below(bound as u64)).unwrap()
}

#[test]
fn sip_message() {
    survives("sip_message", 4_000);
}

#[test]
fn sip_stream() {
    survives("sip_stream", 300);
}

#[test]
fn smpp_pdu() {
    survives("smpp_pdu", 20_000);
}

#[test]
fn smpp_session() {
    survives("smpp_session", 1_000);
}

#[test]
fn cpim() {
    survives("cpim", 4_000);
}

#[test]
fn imdn() {
    survives("imdn", 4_000);
}

#[test]
fn short_message() {
    survives("short_message", 1_000);
}

#[test]
fn joining() {
    survives("joining", 4_000);
}

#[test]
fn msrp_session() {
    survives("msrp_session", 1_000);
}

#[test]
fn sdp() {
    survives("sdp", 4_000);
}

#[test]
fn msrp_head() {
    survives("msrp_head", 10_000);
}

#[test]
fn msrp_scanner() {
    survives("msrp_scanner", 10_000);
}

#[test]
fn mm4() {
    survives("mm4", 4_000);
}

#[test]
fn mail_mime() {
    survives("mail_mime", 4_000);
}

#[test]
fn smtp_wire() {
    survives("smtp_wire", 20_000);
}

#[test]
fn smtp_server() {
    survives("smtp_server", 2_000);
}

#[test]
fn smtp_client() {
    survives("smtp_client", 2_000);
}

#[test]
fn shard() {
    survives("shard", 150);
}

#[test]
fn every_target_has_its_binary() {
    let manifest = include_str!("fuzz/Cargo.toml");
    for target in TARGETS {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{}.rs\"", target.name)), "{}", target.name);
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
}
