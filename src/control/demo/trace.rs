//! What the demonstration prints: one line for each step, as it happens.

use std::io::{Write, stdout};
use std::time::Instant;

/// Who says or hears something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Party {
    /// The CPM client.
    Cpm,
    /// The gateway.
    Gateway,
    /// The MMS Relay/Server.
    Mmsc,
    /// The SM-SC.
    Smsc,
}

impl Party {
    const fn name(self) -> &'static str {
        match self {
            Party::Cpm => "CPM",
            Party::Gateway => "gateway",
            Party::Mmsc => "MMSC",
            Party::Smsc => "SM-SC",
        }
    }
}

/// Lines on standard output with the time since the start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trace {
    start: Instant,
}

impl Trace {
    pub(super) fn new() -> Trace {
        Trace { start: Instant::now() }
    }

    /// A step that crossed from one party to another.
    pub(super) fn crossed(&self, from: Party, to: Party, what: &str) {
        let (from, to) = (from.name(), to.name());
        self.line(&format!("{from:>7} -> {to:<7}  {what}"));
    }

    /// A step of the CPM client.
    pub(super) fn sends(&self, what: &str) {
        self.crossed(Party::Cpm, Party::Gateway, what);
    }

    /// Anything else.
    pub(super) fn line(&self, text: &str) {
        // A closed pipe ends the listener's interest, not the demonstration.
        let _ = writeln!(stdout(), "{:8.3} s  {text}", self.start.elapsed().as_secs_f64());
    }

    /// A line without time.
    pub(super) fn heading(&self, text: &str) {
        let _ = writeln!(stdout(), "\n{text}");
    }
}

/// A text as it is shown: whole if short.
pub(super) fn shown(text: &str) -> String {
    const CHARACTERS_MAX: usize = 40;
    let count = text.chars().count();
    if count <= CHARACTERS_MAX {
        return format!("\"{text}\"");
    }
    let head: String = text.chars().take(CHARACTERS_MAX - 10).collect();
    format!("\"{head}...\" ({count} characters)")
}
