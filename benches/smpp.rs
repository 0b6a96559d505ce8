//! Cost of reading and writing SMPP PDUs, beside rusmpp on the same octets.

#![allow(missing_docs, reason = "criterion's macros make public functions")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use isthmus::wire::Framing;
use isthmus::wire::smpp::{CommandId, Pdu, frame, status_report};
use rusmpp_core::command::borrowed::Command;
use rusmpp_core::decode::borrowed::DecodeWithLength;
use rusmpp_core::encode::{Encode, Length};

mod beside;
mod samples;

/// command_length, which rusmpp leaves to its codec.
const LENGTH_BYTES: usize = 4;
/// Optional parameters that rusmpp makes room for.
const TLVS_MAX: usize = 16;

fn decode(pdu: &[u8]) -> bool {
    let pdu = black_box(pdu);
    let Framing::Complete(len) = frame(pdu, 70_000) else { return false };
    Pdu::parse(&pdu[..len]).is_ok_and(|parsed| matches!(black_box(parsed).1, Pdu::DeliverSm(_)))
}

fn rusmpp_command(pdu: &[u8]) -> Option<Command<'_, TLVS_MAX>> {
    let (length, rest) = pdu.split_first_chunk::<LENGTH_BYTES>()?;
    let length = u32::from_be_bytes(*length) as usize;
    Command::decode(rest, length.checked_sub(LENGTH_BYTES)?).ok().map(|(command, _)| command)
}

fn rusmpp_decode(pdu: &[u8]) -> bool {
    rusmpp_command(black_box(pdu)).is_some_and(|command| black_box(command).pdu().is_some())
}

fn rusmpp_encode(command: &Command<'_, TLVS_MAX>, out: &mut Vec<u8>) {
    let length = black_box(command).length();
    out.clear();
    out.resize(LENGTH_BYTES + length, 0);
    out[..LENGTH_BYTES].copy_from_slice(&u32::try_from(LENGTH_BYTES + length).unwrap_or(0).to_be_bytes());
    command.encode(&mut out[LENGTH_BYTES..]);
}

fn encode(pdu: &Pdu<'_>, out: &mut Vec<u8>) {
    out.clear();
    black_box(pdu).emit(out, CommandId::SUBMIT_SM, isthmus::wire::smpp::CommandStatus::ESME_ROK, 7);
}

fn reading(criterion: &mut Criterion) {
    for (name, pdu) in [("deliver_sm", samples::deliver_sm()), ("status report", samples::status_report())] {
        assert!(decode(&pdu) && rusmpp_decode(&pdu));
        let mut group = criterion.benchmark_group(format!("SMPP decode {name}"));
        group.throughput(Throughput::Bytes(pdu.len() as u64));
        group.bench_function("ours", |bencher| bencher.iter(|| decode(&pdu)));
        group.bench_function("rusmpp", |bencher| bencher.iter(|| rusmpp_decode(&pdu)));
        group.finish();
        let what = format!("SMPP decode {name}");
        beside::ratio(&what, "rusmpp", || assert!(decode(&pdu)), || assert!(rusmpp_decode(&pdu)));
    }
}

fn reports(criterion: &mut Criterion) {
    let bytes = samples::status_report();
    let Ok((_, Pdu::DeliverSm(pdu))) = Pdu::parse(&bytes) else { return };
    criterion.bench_function("SMPP status report of a deliver_sm", |bencher| {
        bencher.iter(|| status_report::from_deliver_sm(black_box(&pdu)));
    });
}

fn writing(criterion: &mut Criterion) {
    let (mut ours, mut theirs) = (Vec::with_capacity(512), Vec::with_capacity(512));
    let pdu = Pdu::SubmitSm(samples::submit_sm());
    let bytes = samples::pdu(pdu, CommandId::SUBMIT_SM);
    let Some(command) = rusmpp_command(&bytes) else { return };
    encode(&pdu, &mut ours);
    rusmpp_encode(&command, &mut theirs);
    assert_eq!(ours, theirs);
    let mut group = criterion.benchmark_group("SMPP encode submit_sm");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("ours", |bencher| bencher.iter(|| encode(&pdu, &mut ours)));
    group.bench_function("rusmpp", |bencher| bencher.iter(|| rusmpp_encode(&command, &mut theirs)));
    group.finish();
    let what = "SMPP encode submit_sm";
    beside::ratio(what, "rusmpp", || encode(&pdu, &mut ours), || rusmpp_encode(&command, &mut theirs));
}

/// Reads a submit_sm and writes it again; whether it is the same.
fn through(pdu: &[u8], out: &mut Vec<u8>) -> bool {
    let pdu = black_box(pdu);
    let Framing::Complete(len) = frame(pdu, 70_000) else { return false };
    let Ok((header, body)) = Pdu::parse(&pdu[..len]) else { return false };
    out.clear();
    black_box(&body).emit(out, header.command_id, header.command_status, header.sequence_number);
    out.len() == len
}

fn rusmpp_through(pdu: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(command) = rusmpp_command(black_box(pdu)) else { return false };
    rusmpp_encode(&command, out);
    out.len() == pdu.len()
}

fn both_ways(criterion: &mut Criterion) {
    let (mut ours, mut theirs) = (Vec::with_capacity(512), Vec::with_capacity(512));
    let bytes = samples::pdu(Pdu::SubmitSm(samples::submit_sm()), CommandId::SUBMIT_SM);
    assert!(through(&bytes, &mut ours) && rusmpp_through(&bytes, &mut theirs));
    assert!(ours == bytes && theirs == bytes);
    let what = "SMPP decode and encode submit_sm";
    let mut group = criterion.benchmark_group(what);
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("ours", |bencher| bencher.iter(|| through(&bytes, &mut ours)));
    group.bench_function("rusmpp", |bencher| bencher.iter(|| rusmpp_through(&bytes, &mut theirs)));
    group.finish();
    let (mut ours, mut theirs) =
        (|| assert!(through(&bytes, &mut ours)), || assert!(rusmpp_through(&bytes, &mut theirs)));
    beside::ratio(what, "rusmpp", &mut ours, &mut theirs);
}

criterion_group!(benches, reading, reports, writing, both_ways);
criterion_main!(benches);
