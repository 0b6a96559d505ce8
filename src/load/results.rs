//! The results of a run, and whether it was passed.

use std::fmt::{self, Display, Formatter};

use super::flow::FlowResult;

/// A name and a value for the reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What it is, with its unit last.
    pub name: String,
    /// What it was.
    pub value: String,
}

impl Setting {
    /// `name` is `value`.
    pub fn new(name: impl Into<String>, value: impl Display) -> Setting {
        Setting { name: name.into(), value: value.to_string() }
    }
}

/// All that a run, or one core of it, found out.
#[derive(Clone, Debug, Default)]
pub struct Results {
    /// What was run.
    pub settings: Vec<Setting>,
    /// What was seen beside the messages, such as CPU time and memory of both sides.
    pub observed: Vec<Setting>,
    /// When the load began, in milliseconds of the Unix epoch.
    pub began_unix_ms: u64,
    /// How long messages were due, in microseconds.
    pub duration_us: u64,
    /// One for each flow, in the order in which they are shown.
    pub flows: Vec<FlowResult>,
}

impl Results {
    /// Adds what another core found out of the same run. Flows of the same name are one; settings stay those of `self`.
    pub fn merge(&mut self, other: Results) {
        let (began_ms, ended_ms) = (other.began_unix_ms, other.ended_unix_us());
        self.duration_us = self.ended_unix_us().max(ended_ms) - self.began_unix_ms.min(began_ms) * 1_000;
        self.began_unix_ms = self.began_unix_ms.min(began_ms);
        self.observed.extend(other.observed);
        for flow in other.flows {
            match self.flows.iter_mut().find(|known| known.name == flow.name) {
                Some(known) => known.merge(&flow),
                None => self.flows.push(flow),
            }
        }
    }

    /// What is wrong with the gateway that was run against.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let mut faults: Vec<_> = self.flows.iter().flat_map(flow_faults).collect();
        if self.flows.iter().all(|flow| flow.counts.sent == 0) {
            faults.push(Fault { flow: String::from("all"), what: "nothing was sent", count: 0 });
        }
        Verdict { faults }
    }

    fn ended_unix_us(&self) -> u64 {
        self.began_unix_ms * 1_000 + self.duration_us
    }
}

/// Passed, or what was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What was wrong; empty if nothing.
    pub faults: Vec<Fault>,
}

impl Verdict {
    /// Whether nothing was lost, doubled or damaged, and every flow that sent got something taken.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.faults.is_empty()
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.passed() {
            return f.write_str("passed: nothing lost, doubled or damaged");
        }
        f.write_str("FAILED: ")?;
        for (index, fault) in self.faults.iter().enumerate() {
            write!(f, "{}{fault}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

/// One reason for which a run fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The flow.
    pub flow: String,
    /// What is wrong with it.
    pub what: &'static str,
    /// With how many messages.
    pub count: u64,
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.count {
            0 => write!(f, "{}: {}", self.flow, self.what),
            count => write!(f, "{}: {count} {}", self.flow, self.what),
        }
    }
}

fn flow_faults(flow: &FlowResult) -> Vec<Fault> {
    let counts = &flow.counts;
    let refused_all = counts.sent > 0 && counts.answered > 0 && counts.refused == counts.answered;
    [
        (counts.lost, "lost"),
        (counts.doubled, "doubled"),
        (counts.damaged, "damaged"),
        (if refused_all { counts.refused } else { 0 }, "sent and none taken"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| Fault { flow: flow.name.clone(), what, count })
    .collect()
}
