//! One line for each second while the load runs.

use super::number::{duration, grouped};
use super::text::plain;
use crate::load::Second;

/// The line for second `at_s` (counted from 1) of `of_s`: what each flow with traffic did in it. A later second is one in
/// which the ends of messages are waited for.
pub fn progress<'a>(at_s: u64, of_s: u64, flows: impl IntoIterator<Item = (&'a str, &'a Second)>) -> String {
    let flows: Vec<_> = flows.into_iter().filter(|(_, second)| !is_idle(second)).map(flow).collect();
    let width = of_s.to_string().len();
    let flows = if flows.is_empty() { String::from("nothing sent") } else { flows.join(" | ") };
    match at_s.checked_sub(of_s) {
        None | Some(0) => format!("{at_s:>width$}/{of_s} s  {flows}"),
        Some(after_s) => format!("{:>width$}+{after_s} s  {flows}", of_s),
    }
}

const fn is_idle(second: &Second) -> bool {
    second.sent == 0 && second.answered == 0 && second.refused == 0
}

fn flow((name, second): (&str, &Second)) -> String {
    let mut line = format!("{}: {} sent, {} ok", plain(name), grouped(second.sent), grouped(second.answered));
    if second.refused > 0 {
        line += &format!(", {} refused", grouped(second.refused));
    }
    for (label, latency_us) in
        [("p50", second.quantile_us(0.5)), ("p99", second.quantile_us(0.99)), ("max", second.max_us())]
    {
        line += &latency_us.map(|us| format!(", {label} {}", duration(us))).unwrap_or_default();
    }
    line
}
