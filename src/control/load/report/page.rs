//! The results as one HTML page that needs nothing beside it: no script, no font, no network.

use std::fmt::Display;

use super::charts::{distribution, latency, throughput};
use super::columns::{COUNTS, QUANTILES, Weight, quantile_us};
use super::markup::Markup;
use super::number::{duration, grouped, per_second, percent};
use crate::load::{FlowResult, Results, Setting};

const STYLE: &str = include_str!("page.css");

/// The page.
#[must_use]
pub fn html(results: &Results) -> String {
    let mut page = Markup::html();
    page.element("html", &[("lang", &"en")], |html| {
        html.element("head", &[], |head| {
            head.empty("meta", &[("charset", &"utf-8")]);
            head.empty("meta", &[("name", &"viewport"), ("content", &"width=device-width, initial-scale=1")]);
            head.line("title", &[], title(results));
            head.style(STYLE);
        });
        html.element("body", &[], |body| content(body, results));
    });
    page.finish()
}

fn content(body: &mut Markup, results: &Results) {
    body.line("h1", &[], "Load report");
    body.line("p", &[("class", &"note")], began(results));
    verdict(body, results);
    counts(body, results);
    latencies(body, results);
    body.element("div", &[("class", &"tables")], |tables| {
        answers(tables, &results.flows);
        settings(tables, "What was run", &results.settings);
        settings(tables, "Seen beside the messages", &results.observed);
    });
    results.flows.iter().for_each(|flow| flow_plots(body, flow, results.duration_us));
    meanings(body);
}

fn title(results: &Results) -> &'static str {
    if results.verdict().passed() { "Load report: passed" } else { "Load report: FAILED" }
}

fn began(results: &Results) -> String {
    let began = i64::try_from(results.began_unix_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let began = began.map_or_else(String::new, |began| began.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    format!("isthmus {}; load began {began} and took {}", env!("CARGO_PKG_VERSION"), duration(results.duration_us))
}

fn verdict(body: &mut Markup, results: &Results) {
    let verdict = results.verdict();
    let (class, word) = if verdict.passed() { ("verdict passed", "Passed") } else { ("verdict failed", "Failed") };
    body.element("div", &[("class", &class)], |block| {
        block.line("strong", &[], word);
        if verdict.passed() {
            block.line("div", &[], "Every message is accounted for: nothing lost, doubled or damaged.");
        }
        block.element("ul", &[], |list| verdict.faults.iter().for_each(|fault| list.line("li", &[], fault)));
    });
    for flow in results.flows.iter().filter(|flow| flow.counts.behind > 0) {
        body.line("p", &[("class", &"doubt")], behind(flow));
    }
}

fn behind(flow: &FlowResult) -> String {
    let (behind, share) = (grouped(flow.counts.behind), percent(flow.counts.behind, flow.counts.sent));
    format!("{}: {behind} messages ({share}) were sent more than 1 ms late; their latency includes it.", flow.name)
}

fn counts(body: &mut Markup, results: &Results) {
    body.line("h2", &[], "Messages");
    let head = std::iter::once("flow").chain(COUNTS.iter().map(|column| column.name));
    table(body, head, &results.flows, |row, flow| {
        for column in &COUNTS {
            let count = (column.of)(&flow.counts);
            let class = match (count, column.weight) {
                (0, _) => "zero",
                (_, Weight::Fine) => "",
                (_, Weight::Doubtful) => "doubtful",
                (_, Weight::Wrong) => "wrong",
            };
            row.line("td", &[("class", &class)], grouped(count));
        }
    });
}

fn latencies(body: &mut Markup, results: &Results) {
    body.line("h2", &[], "Latency");
    let note = "From the time at which a message was due, not from when it was sent, so that waiting in the generator \
                counts too. Refused messages have none. \u{201c}Per second\u{201d} counts what was taken or arrived.";
    body.line("p", &[("class", &"note")], note);
    let head = ["flow", "per second"].into_iter().chain(QUANTILES.iter().map(|(name, _)| *name));
    table(body, head, &results.flows, |row, flow| {
        row.line("td", &[], per_second(flow.latency_us.len(), results.duration_us));
        for (_, share) in QUANTILES {
            row.line("td", &[], latency_or_none(quantile_us(&flow.latency_us, share)));
        }
    });
    if let Some(plot) = distribution(&results.flows) {
        plot.draw(body);
    }
}

fn latency_or_none(us: Option<u64>) -> String {
    us.map_or_else(|| String::from("\u{2013}"), |us| duration(us).replace(" us", " \u{b5}s"))
}

fn flow_plots(body: &mut Markup, flow: &FlowResult, duration_us: u64) {
    let plots = [latency(flow, duration_us), throughput(flow, duration_us)];
    if plots.iter().all(Option::is_none) {
        return;
    }
    body.line("h2", &[], &flow.name);
    body.element("div", &[("class", &"plots")], |grid| plots.iter().flatten().for_each(|plot| plot.draw(grid)));
}

fn answers(body: &mut Markup, flows: &[FlowResult]) {
    let rows = || flows.iter().flat_map(|flow| flow.answers.iter().map(move |(answer, count)| (flow, answer, count)));
    if rows().next().is_none() {
        return;
    }
    body.element("section", &[], |section| {
        section.line("h2", &[], "Answers");
        let head = ["flow", "answer", "messages", "share of answers"];
        table(section, head.into_iter(), rows(), |row, (flow, answer, count)| {
            row.line("td", &[], answer);
            row.line("td", &[], grouped(*count));
            row.line("td", &[], percent(*count, flow.counts.answered));
        });
    });
}

fn settings(body: &mut Markup, title: &str, settings: &[Setting]) {
    if settings.is_empty() {
        return;
    }
    body.element("section", &[], |section| {
        section.line("h2", &[], title);
        table(section, std::iter::empty::<&str>(), settings, |row, setting| {
            row.line("td", &[("class", &"value")], &setting.value);
        });
    });
}

fn meanings(body: &mut Markup) {
    body.line("h2", &[], "What the columns count");
    body.element("dl", &[], |list| {
        for column in &COUNTS {
            list.line("dt", &[], column.name);
            list.line("dd", &[], column.meaning);
        }
        list.line("dt", &[], "p99");
        list.line("dd", &[], "99 percent of the messages took no longer than this; p50 is the median");
    });
}

/// Something that has a row of its own.
trait Named {
    fn name(&self) -> &str;
}

impl Named for &FlowResult {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Named for &Setting {
    fn name(&self) -> &str {
        &self.name
    }
}

impl<A, B> Named for (&FlowResult, A, B) {
    fn name(&self) -> &str {
        &self.0.name
    }
}

/// A table whose first column names its rows; `cells` writes the others.
fn table<R: Named + Copy>(
    body: &mut Markup,
    head: impl Iterator<Item = impl Display>,
    rows: impl IntoIterator<Item = R>,
    cells: impl Fn(&mut Markup, R),
) {
    let head: Vec<_> = head.collect();
    body.element("div", &[("class", &"wide")], |wide| {
        wide.element("table", &[], |table| {
            if !head.is_empty() {
                table.element("tr", &[], |row| head.iter().for_each(|name| row.line("th", &[("scope", &"col")], name)));
            }
            for named in rows {
                table.element("tr", &[], |row| {
                    row.line("td", &[], named.name());
                    cells(row, named);
                });
            }
        });
    });
}
