//! The table of a profile: where messages were and what turns did, in microseconds.

use crate::observe::{FineHistogram, Flow, Snapshot, Stage, StageTimes, Step, StepTimes};

/// Writes the table to the log, a line for each row; without a profile, how to have one.
pub fn log(snapshots: &[Snapshot]) {
    let table = table(snapshots);
    if table.is_empty() {
        tracing::warn!("no profile is made: `isthmus run --profile` makes one");
    }
    table.iter().for_each(|row| tracing::info!("{row}"));
}

/// The rows of all cores together, of what was seen; nothing if no profile is made.
#[must_use]
pub fn table(snapshots: &[Snapshot]) -> Vec<String> {
    let (mut stages, mut steps) = (Box::<StageTimes>::default(), Box::<StepTimes>::default());
    let timed = || snapshots.iter().filter_map(|snapshot| snapshot.stages.as_deref().zip(snapshot.steps.as_deref()));
    if timed().next().is_none() {
        return Vec::new();
    }
    for (of_messages, of_turns) in timed() {
        stages.merge(of_messages);
        steps.merge(of_turns);
    }
    let of_flow = |flow: Flow| Stage::ALL.map(|stage| (flow.name(), stage.name(), stages.of(flow, stage)));
    let of_turns = Step::ALL.map(|step| ("turn", step.name(), steps.of(step)));
    let all = Flow::ALL.into_iter().flat_map(of_flow).chain(of_turns);
    let rows = all.filter(|(.., times)| times.count() > 0).map(|(of, name, times)| row(of, name, times));
    [HEAD.to_owned()].into_iter().chain(rows).collect()
}

const HEAD: &str =
    "profile, us  stage            count        mean         p50         p99       p99.9         max    total ms";

fn row(of: &str, name: &str, times: &FineHistogram) -> String {
    let mean = us(times.sum_ns() / times.count().max(1));
    let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|share| us(times.quantile_ns(share)));
    let (max, total_ms) = (us(times.max_ns()), times.sum_ns() / 1_000_000);
    let count = times.count();
    format!("{of:12} {name:11} {count:>10} {mean:>11} {p50:>11} {p99:>11} {p999:>11} {max:>11} {total_ms:>11}")
}

/// Nanoseconds as microseconds with one place after the point.
fn us(ns: u64) -> String {
    format!("{}.{}", ns / 1_000, ns % 1_000 / 100)
}
