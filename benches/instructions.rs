//! Instructions of one operation against `benches/instructions.toml`: a gate that a busy machine does not disturb.
//!
//! This program runs itself under callgrind, which counts what runs inside the functions of [`Watch`] and nothing else,
//! each operation with two numbers of repetitions; the difference is what the repetitions cost once tables and pools have
//! their size and the timers of earlier messages run out.

#![allow(missing_docs, unreachable_pub, reason = "shared with a test")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a bench that cannot go on has failed")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the figures are what the bench is for")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::{Command, ExitCode};

use isthmus::wire::short_message::{National, gsm7};
use isthmus::wire::sip::{Index, Message};
use isthmus::wire::smpp::{CommandId, Pdu, status_report};

mod samples;

mod beside;
#[path = "../tests/allocations/one_core.rs"]
mod one_core;
mod operations;
#[path = "../tests/allocations/surroundings.rs"]
mod surroundings;
#[path = "../tests/allocations/watch.rs"]
mod watch;

use one_core::OneCore;
use watch::Watch;

/// Its functions are what callgrind knows by name: calls, not inlined.
struct Named;

impl Watch for Named {
    #[inline(never)]
    fn inside<T>(call: impl FnOnce() -> T) -> T {
        call()
    }

    #[inline(never)]
    fn outward<T>(call: impl FnOnce() -> T) -> T {
        call()
    }
}

const BASELINES: &str = include_str!("instructions.toml");
/// What a baseline may be exceeded by.
const TOLERANCE_PERCENT: u64 = 5;
/// With one message in 200 ms of the shard's time more than the 32 s that a transaction lives: each message that begins
/// counts the end of an earlier one.
const FEW: u64 = 200;
const MANY: u64 = 700;
const SIP_TO_SMPP: &str = "pipeline, SIP bytes in to SMPP bytes out";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [operation, repetitions] if repetitions.parse::<u64>().is_ok() => {
            let repetitions = repetitions.parse().unwrap_or(0);
            if run(operation, repetitions) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        // `cargo test --benches` builds without optimisation, and then counts mean nothing.
        arguments if !arguments.iter().any(|argument| argument == "--bench") => ExitCode::SUCCESS,
        _ if Command::new("valgrind").arg("--version").output().is_err() => {
            println!("valgrind is not installed: instructions are not counted");
            ExitCode::SUCCESS
        }
        _ => gate(),
    }
}

/// Counts every operation and compares it with its baseline.
fn gate() -> ExitCode {
    let Ok(baselines) = toml::from_str::<BTreeMap<String, u64>>(BASELINES) else {
        eprintln!("benches/instructions.toml is not a table of numbers");
        return ExitCode::FAILURE;
    };
    let mut verdict = ExitCode::SUCCESS;
    for (operation, baseline) in baselines {
        let counted = instructions(&operation);
        if counted.is_none_or(|counted| counted * 100 > baseline * (100 + TOLERANCE_PERCENT)) {
            verdict = ExitCode::FAILURE;
        }
        println!("{}", line(&operation, counted, baseline));
        if let Some(counted) = counted {
            beside::row(&operation, "-", &format!("{counted} instructions"), "-", &counted.to_string());
        }
    }
    verdict
}

fn line(operation: &str, counted: Option<u64>, baseline: u64) -> String {
    let Some(counted) = counted.filter(|counted| *counted > 0) else { return format!("{operation}: NOT COUNTED") };
    let percent = |part: u64| part as f64 * 100.0 / baseline as f64;
    let verdict = match percent(counted) - 100.0 {
        more if more > TOLERANCE_PERCENT as f64 => ": TOO MANY",
        more if more < -(TOLERANCE_PERCENT as f64) => ": lower the baseline, or it hides what comes next",
        _ => "",
    };
    format!("{operation}: {counted} instructions, {:.1} % of {baseline}{verdict}", percent(counted))
}

/// Instructions of one repetition.
fn instructions(operation: &str) -> Option<u64> {
    let (few, many) = (collected(operation, FEW)?, collected(operation, MANY)?);
    Some(many.checked_sub(few)? / (MANY - FEW)).filter(|counted| *counted > 0)
}

/// What callgrind says after "Collected :".
fn collected(operation: &str, repetitions: u64) -> Option<u64> {
    let this = std::env::current_exe().ok()?;
    let counted = if operation == SIP_TO_SMPP { "outward" } else { "inside" };
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(format!("--toggle-collect=*Named*Watch*{counted}*"));
    let output = valgrind.arg(this).arg(operation).arg(repetitions.to_string()).output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let count = said.lines().find_map(|line| line.split("Collected :").nth(1))?;
    count.trim().parse().ok().filter(|_| output.status.success())
}

/// A whole shard with peers that answer at once, whose own work does not count. A tick after each message is more than a
/// busy core has, which ticks once for many; it is what makes every message's timers count.
fn pipeline(repetitions: u64, step: impl Fn(&mut OneCore<Named>, u64)) {
    let mut core = OneCore::new();
    (0..repetitions).for_each(|number| step(&mut core, number));
}

/// Does one operation `repetitions` times; `false` if there is none of this name.
fn run(operation: &str, repetitions: u64) -> bool {
    let repeat = |work: &mut dyn FnMut()| Named::inside(|| (0..repetitions).for_each(|_| work()));
    let mut out = Vec::with_capacity(1_024);
    match operation {
        "SIP parse" => {
            let mut index = Index::new();
            repeat(&mut || assert!(Message::parse(black_box(samples::MESSAGE.as_bytes()), &mut index).is_ok()));
        }
        "SMPP decode deliver_sm" => {
            let pdu = samples::deliver_sm();
            repeat(&mut || assert!(Pdu::parse(black_box(&pdu)).is_ok()));
        }
        "SMPP decode status report" => {
            let pdu = samples::status_report();
            repeat(&mut || {
                let Ok((_, Pdu::DeliverSm(pdu))) = Pdu::parse(black_box(&pdu)) else { return };
                black_box(status_report::from_deliver_sm(&pdu));
            });
        }
        "SMPP encode submit_sm" => {
            let pdu = Pdu::SubmitSm(samples::submit_sm());
            repeat(&mut || {
                out.clear();
                black_box(&pdu).emit(&mut out, CommandId::SUBMIT_SM, Default::default(), 7);
            });
        }
        "GSM-7 encode" => repeat(&mut || {
            out.clear();
            gsm7::encode(black_box(samples::TEXT), &mut out);
        }),
        "GSM-7 decode" => {
            let mut text = String::with_capacity(1_024);
            repeat(&mut || {
                text.clear();
                gsm7::decode(black_box(samples::TEXT.as_bytes()), National::NONE, &mut text);
            });
        }
        SIP_TO_SMPP | "pipeline, MESSAGE to submit_sm and 202" => {
            pipeline(repetitions, |core, number| core.pager_message(number, None))
        }
        "pipeline, the same with report and IMDN" => {
            pipeline(repetitions, |core, number| core.pager_message(number, Some("positive-delivery")));
        }
        "pipeline, deliver_sm to MESSAGE and back" => pipeline(repetitions, OneCore::short_message),
        "queue, 32 values in and out" => {
            let (mut sender, mut receiver) = isthmus::queue::ring::<[u64; 10]>(64);
            repeat(&mut || {
                (0..32).for_each(|n| assert!(black_box(sender.push([n; 10])).is_ok()));
                while let Some(parcel) = receiver.pop() {
                    black_box(parcel);
                }
            });
        }
        _ => return known(operation, repetitions),
    }
    true
}

/// One that the benches of the rooms time.
fn known(name: &str, repetitions: u64) -> bool {
    let mut all = operations::engine::<Named>().into_iter().chain(operations::interwork::<Named>());
    let Some(operation) = all.find(|operation| operation.name == name) else { return false };
    let mut once = (operation.start)();
    (0..repetitions).for_each(|_| once());
    true
}
