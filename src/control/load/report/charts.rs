//! Which plots a report has.

use super::number::{duration, grouped};
use super::plot::{Axis, HALF, Hint, Line, Plot, Scale, WHOLE};
use crate::load::{FlowResult, Second};

/// Points of a line over time at most: more seconds are put together.
const POINTS_MAX: usize = 300;
/// Points of a distribution for each halving of the distance to 100 percent.
const POINTS_PER_HALF: u32 = 8;
/// Classes of the style sheet, one for each flow; a ninth looks like the first.
const CLASSES: [&str; 8] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];
/// A line along the upper edge would look cut off.
const HEADROOM: f64 = 1.05;
const US_PER_S: f64 = 1e6;

/// Latency by percentile, a line for each flow; `None` if no flow has a latency.
pub(super) fn distribution(flows: &[FlowResult]) -> Option<Plot> {
    let timed = || flows.iter().filter(|flow| !flow.latency_us.is_empty());
    let count = timed().map(|flow| flow.latency_us.len()).max()?;
    let min_us = timed().map(|flow| flow.latency_us.min()).min()?;
    let max_us = timed().map(|flow| flow.latency_us.max()).max()?;
    let lines = timed().zip(CLASSES.into_iter().cycle()).map(|(flow, class)| distribution_line(flow, class));
    Some(Plot {
        title: String::from("Latency by percentile"),
        width: WHOLE,
        x: Axis { title: "share of messages that took no longer", scale: Scale::nines(count) },
        y: Axis { title: "latency", scale: Scale::decades(min_us, max_us) },
        lines: lines.collect(),
        hints: Vec::new(),
        mark: None,
    })
}

/// A flow's latency over time; `None` if it has none.
pub(super) fn latency(flow: &FlowResult, duration_us: u64) -> Option<Plot> {
    let stretches = stretches(&flow.timeline);
    let min_us = stretches.iter().filter_map(|stretch| stretch.sum.quantile_us(0.5)).min()?;
    let max_us = stretches.iter().filter_map(|stretch| stretch.sum.max_us()).max()?;
    let line = |name: &str, class, of: fn(&Second) -> Option<u64>| {
        let points = stretches.iter().map(|stretch| (stretch.middle_s(), of(&stretch.sum).map(|us| us as f64)));
        Line { name: String::from(name), class, points: points.collect() }
    };
    Some(Plot {
        title: String::from("Latency over time"),
        width: HALF,
        x: time(&stretches),
        y: Axis { title: "latency", scale: Scale::decades(min_us, max_us) },
        lines: vec![
            line("max", "worst", Second::max_us),
            line("p99", "tail", |second| second.quantile_us(0.99)),
            line("p50 (median)", "usual", |second| second.quantile_us(0.5)),
        ],
        hints: stretches.iter().map(Stretch::hint).collect(),
        mark: end(flow, duration_us),
    })
}

/// A flow's throughput over time; `None` if nothing happened in it.
pub(super) fn throughput(flow: &FlowResult, duration_us: u64) -> Option<Plot> {
    let stretches = stretches(&flow.timeline);
    let line = |name: &str, class, of: fn(&Second) -> u64| {
        let points = stretches.iter().map(|stretch| (stretch.middle_s(), Some(stretch.rate(of))));
        Line { name: String::from(name), class, points: points.collect() }
    };
    let ends = if flow.counts.arrived > 0 { "arrived" } else { "answered, taken" };
    let lines = vec![
        line("sent", "sent", |second| second.sent),
        line(ends, "usual", |second| second.answered),
        line("refused", "worst", |second| second.refused),
    ];
    let values = lines.iter().flat_map(|line| &line.points).filter_map(|(_, rate)| *rate);
    let max = values.reduce(f64::max).filter(|max| *max > 0.0)?;
    Some(Plot {
        title: String::from("Throughput over time"),
        width: HALF,
        x: time(&stretches),
        y: Axis { title: "messages per second", scale: Scale::rounded(max * HEADROOM) },
        lines,
        hints: stretches.iter().map(Stretch::hint).collect(),
        mark: end(flow, duration_us),
    })
}

/// One or more seconds that are one point.
struct Stretch {
    from_s: usize,
    length_s: usize,
    sum: Second,
}

impl Stretch {
    fn middle_s(&self) -> f64 {
        self.from_s as f64 + self.length_s as f64 / 2.0
    }

    fn rate(&self, of: fn(&Second) -> u64) -> f64 {
        of(&self.sum) as f64 / self.length_s as f64
    }

    fn hint(&self) -> Hint {
        let (from, to) = (self.from_s as f64, (self.from_s + self.length_s) as f64);
        let latency = |us: Option<u64>| us.map_or_else(|| String::from("-"), duration);
        let Second { sent, answered, refused, .. } = &self.sum;
        let text = format!(
            "{from} to {to} s: {} sent, {} taken or arrived, {} refused; p50 {}, p99 {}, max {}",
            grouped(*sent),
            grouped(*answered),
            grouped(*refused),
            latency(self.sum.quantile_us(0.5)),
            latency(self.sum.quantile_us(0.99)),
            latency(self.sum.max_us()),
        );
        Hint { from, to, text }
    }
}

fn stretches(timeline: &[Second]) -> Vec<Stretch> {
    let length_s = timeline.len().div_ceil(POINTS_MAX).max(1);
    let stretch = |(index, seconds): (usize, &[Second])| {
        let mut sum = Second::default();
        seconds.iter().for_each(|second| sum.merge(second));
        Stretch { from_s: index * length_s, length_s: seconds.len(), sum }
    };
    timeline.chunks(length_s).enumerate().map(stretch).collect()
}

fn time(stretches: &[Stretch]) -> Axis {
    let end_s = stretches.last().map_or(1, |stretch| stretch.from_s + stretch.length_s);
    Axis { title: "seconds since the load began", scale: Scale::exact(end_s as f64) }
}

/// Where the load ended, if messages ended later.
fn end(flow: &FlowResult, duration_us: u64) -> Option<(f64, &'static str)> {
    let end_s = duration_us as f64 / US_PER_S;
    (end_s + 0.5 < flow.timeline.len() as f64).then_some((end_s, "end of the load"))
}

fn distribution_line(flow: &FlowResult, class: &'static str) -> Line {
    let values = flow.latency_us.iter_quantiles(POINTS_PER_HALF);
    let points = values.map(|value| (value.quantile_iterated_to(), Some(value.value_iterated_to() as f64)));
    Line { name: flow.name.clone(), class, points: points.collect() }
}
