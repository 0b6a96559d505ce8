//! The timeline and the percentiles as comma-separated values (RFC 4180, lines end with LF).

use std::borrow::Cow;
use std::fmt::Write;

use super::columns::{QUANTILES, quantile_us};
use crate::load::Results;

/// One line for each flow and second. A latency that there is none of is empty.
#[must_use]
pub fn timeline(results: &Results) -> String {
    let mut text = String::from("flow,second,sent,answered,refused,p50_us,p99_us,max_us\n");
    for flow in &results.flows {
        let name = field(&flow.name);
        for (at_s, second) in flow.timeline.iter().enumerate() {
            let [p50, p99] = [0.5, 0.99].map(|share| optional(second.quantile_us(share)));
            let (sent, answered, refused, max) =
                (second.sent, second.answered, second.refused, optional(second.max_us()));
            let _ = writeln!(text, "{name},{at_s},{sent},{answered},{refused},{p50},{p99},{max}");
        }
    }
    text
}

/// One line for each flow and percentile.
#[must_use]
pub fn percentiles(results: &Results) -> String {
    let mut text = String::from("flow,messages,percentile,latency_us\n");
    for flow in &results.flows {
        let (name, messages) = (field(&flow.name), flow.latency_us.len());
        for (percentile, share) in QUANTILES {
            let latency_us = optional(quantile_us(&flow.latency_us, share));
            let _ = writeln!(text, "{name},{messages},{percentile},{latency_us}");
        }
    }
    text
}

fn optional(value: Option<u64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// A field as it stands, or in quotation marks.
fn field(text: &str) -> Cow<'_, str> {
    if text.contains(['"', ',', '\n', '\r']) {
        return Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")));
    }
    Cow::Borrowed(text)
}
