//! The results in a terminal.

use super::columns::{COUNTS, QUANTILES, quantile_us};
use super::number::{duration, grouped, per_second, percent};
use crate::load::{FlowResult, Results, Setting};

/// The summary: settings, counts, answers, latencies, what was seen beside them, and the verdict last.
#[must_use]
pub fn summary(results: &Results) -> String {
    let parts = [
        settings("run", &results.settings),
        table(&counts(results)),
        answers(&results.flows),
        String::from("latency, from when a message was due\n") + &table(&latencies(results)),
        settings("observed", &results.observed),
        behind(&results.flows),
        format!("{}\n", plain(&results.verdict().to_string())),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Text without what could steer a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn settings(title: &str, settings: &[Setting]) -> String {
    if settings.is_empty() {
        return String::new();
    }
    let rows: Vec<_> = settings.iter().map(|setting| (plain(&setting.name), plain(&setting.value))).collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines: String = rows.iter().map(|(name, value)| format!("  {name:width$}  {value}\n")).collect();
    format!("{title}\n{lines}")
}

fn counts(results: &Results) -> Vec<Vec<String>> {
    let head = std::iter::once("flow").chain(COUNTS.iter().map(|column| column.name)).map(String::from).collect();
    let row = |flow: &FlowResult| {
        let numbers = COUNTS.iter().map(|column| grouped((column.of)(&flow.counts)));
        std::iter::once(plain(&flow.name)).chain(numbers).collect()
    };
    std::iter::once(head).chain(results.flows.iter().map(row)).collect()
}

fn latencies(results: &Results) -> Vec<Vec<String>> {
    let quantiles = QUANTILES.iter().map(|(name, _)| *name);
    let head = ["flow", "per second"].into_iter().chain(quantiles).map(String::from).collect();
    let row = |flow: &FlowResult| {
        let rate = per_second(flow.latency_us.len(), results.duration_us);
        let quantile = |share| quantile_us(&flow.latency_us, share).map_or_else(|| String::from("-"), duration);
        let latencies = QUANTILES.iter().map(|(_, share)| quantile(*share));
        [plain(&flow.name), rate].into_iter().chain(latencies).collect()
    };
    std::iter::once(head).chain(results.flows.iter().map(row)).collect()
}

fn answers(flows: &[FlowResult]) -> String {
    let line = |flow: &FlowResult| {
        let answers: Vec<_> =
            flow.answers.iter().map(|(answer, count)| format!("{answer}: {}", grouped(*count))).collect();
        format!("  {}: {}\n", plain(&flow.name), answers.join(", "))
    };
    let lines: String = flows.iter().filter(|flow| !flow.answers.is_empty()).map(line).collect();
    if lines.is_empty() { lines } else { format!("answers\n{lines}") }
}

/// A word of warning where the generator itself was late.
fn behind(flows: &[FlowResult]) -> String {
    let line = |flow: &FlowResult| {
        let (behind, sent) = (flow.counts.behind, flow.counts.sent);
        let (name, share) = (plain(&flow.name), percent(behind, sent));
        format!("note: {name}: {} sent more than 1 ms late ({share}), which their latency includes\n", grouped(behind))
    };
    flows.iter().filter(|flow| flow.counts.behind > 0).map(line).collect()
}

/// Rows of cells, the first column to the left, all others to the right.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell_width = |row: &Vec<String>, column| row.get(column).map_or(0, |cell: &String| cell.chars().count());
    let width = |column| rows.iter().map(|row| cell_width(row, column)).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
            0 => format!("{cell:width$}"),
            _ => format!("  {cell:>width$}"),
        });
        format!("{}\n", cells.collect::<String>().trim_end())
    };
    rows.iter().map(line).collect()
}
