//! Snapshots as Prometheus text (exposition format 0.0.4). One pass per family, as the format wants it.

use core::fmt::{Display, Write};

use crate::observe::{
    Codes, Family, FineHistogram, Flow, Histogram, Kind, LinkStats, ShellStats, SipCodes, Snapshot, Stage, Stats, Step,
};
use crate::store::Status;
use crate::wire::smpp::CommandStatus;

/// What is the same in every scrape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// How packets are moved: `io_uring` or `epoll`.
    pub backend: String,
    /// Names of the SM-SCs, in the order of the configuration.
    pub smscs: Vec<String>,
    /// Names of the MMS Relay/Servers, in the order of the configuration.
    pub mmscs: Vec<String>,
}

/// Type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics.
#[must_use]
pub fn text(about: &About, snapshots: &[Snapshot], log_lines_dropped: u64, store: Option<&Status>) -> String {
    let mut page = Page::default();
    page.gateway(about, snapshots, log_lines_dropped);
    if let Some(store) = store {
        page.store(store);
    }
    page.cores(Stats::FAMILIES, snapshots, |snapshot| &snapshot.stats);
    page.cpu(snapshots);
    page.cores(ShellStats::FAMILIES, snapshots, |snapshot| &snapshot.shell);
    page.sip_codes(snapshots);
    page.links(about, snapshots);
    page.link_codes(about, snapshots);
    page.latencies(snapshots);
    page.stages(snapshots);
    page.steps(snapshots);
    page.text
}

type Label<'l> = (&'l str, &'l str);

#[derive(Debug, Default)]
struct Page {
    text: String,
}

impl Page {
    fn gateway(&mut self, about: &About, snapshots: &[Snapshot], log_lines_dropped: u64) {
        let labels = [("version", env!("CARGO_PKG_VERSION")), ("backend", about.backend.as_str())];
        self.head("isthmus_build_info", "gauge", "What is running; always 1.");
        self.sample("isthmus_build_info", &labels, 1);
        self.head(
            "isthmus_log_lines_dropped_total",
            "counter",
            "Log lines left out: too many in a second, or nobody took them in time.",
        );
        self.sample("isthmus_log_lines_dropped_total", &[], log_lines_dropped);
        self.flag("isthmus_ready", "1 while a submission would find a bind.", snapshots, |snapshot| snapshot.ready);
        self.flag("isthmus_draining", "1 while no new work is taken.", snapshots, |snapshot| snapshot.draining);
    }

    fn store(&mut self, store: &Status) {
        let counters = [
            ("isthmus_store_records_written_total", "Records written to disk.", store.written),
            ("isthmus_store_records_forgotten_total", "Records removed from disk in time.", store.forgotten),
            ("isthmus_store_records_expired_total", "Records removed because their time was over.", store.expired),
            ("isthmus_store_commits_total", "Transactions that wrote to disk.", store.commits),
            (
                "isthmus_store_failed_commits_total",
                "Transactions that failed and were tried again.",
                store.failed_commits,
            ),
        ];
        for (name, help, count) in counters {
            self.head(name, "counter", help);
            self.sample(name, &[], count);
        }
        let name = "isthmus_store_commit_seconds_total";
        self.head(name, "counter", "Time that transactions took, each with its fsync.");
        self.sample(name, &[], seconds(store.commit_us_total));
        let name = "isthmus_store_waiting_bytes";
        self.head(name, "gauge", "Octets of records and orders that wait to be written.");
        self.sample(name, &[], store.waiting_bytes);
    }

    fn flag(&mut self, name: &str, help: &str, snapshots: &[Snapshot], flag: fn(&Snapshot) -> bool) {
        self.head(name, "gauge", help);
        for snapshot in snapshots {
            self.sample(name, &[("core", &snapshot.core.to_string())], u8::from(flag(snapshot)));
        }
    }

    fn cores<S>(&mut self, families: &[Family<S>], snapshots: &[Snapshot], numbers: fn(&Snapshot) -> &S) {
        for family in families {
            let name = self.family(family);
            for snapshot in snapshots {
                let core = snapshot.core.to_string();
                self.members(&name, family, &[("core", &core)], numbers(snapshot));
            }
        }
    }

    fn cpu(&mut self, snapshots: &[Snapshot]) {
        let name = "isthmus_core_cpu_seconds_total";
        self.head(name, "counter", "Processor time of a core's thread, the kernel's for it included.");
        for snapshot in snapshots {
            self.sample(name, &[("core", &snapshot.core.to_string())], seconds(snapshot.shell.cpu_us));
        }
    }

    fn links(&mut self, about: &About, snapshots: &[Snapshot]) {
        for family in LinkStats::FAMILIES {
            let name = self.family(family);
            for (names, link) in each_link(about, snapshots) {
                self.members(&name, family, &names.labels(), link);
            }
        }
    }

    fn members<S>(&mut self, name: &str, family: &Family<S>, common: &[Label<'_>], numbers: &S) {
        for member in family.members {
            let labels = [common, member.labels].concat();
            self.sample(name, &labels, (member.value)(numbers));
        }
    }

    fn sip_codes(&mut self, snapshots: &[Snapshot]) {
        let name = "isthmus_sip_responses_total";
        self.head(name, "counter", "Final SIP responses by status code.");
        for snapshot in snapshots {
            let core = snapshot.core.to_string();
            let SipCodes { sent, received } = &snapshot.sip_codes;
            self.codes(name, &[("core", &core), ("direction", "out")], "code", sent, |code| code.to_string());
            self.codes(name, &[("core", &core), ("direction", "in")], "code", received, |code| code.to_string());
        }
    }

    fn link_codes(&mut self, about: &About, snapshots: &[Snapshot]) {
        let name = "isthmus_smpp_responses_total";
        self.head(name, "counter", "SMPP responses by what they answer and by command_status.");
        for (names, link) in each_link(about, snapshots) {
            for (to, codes) in [("submit", &link.submit_responses), ("deliver", &link.deliver_responses)] {
                let labels = [names.labels().as_slice(), &[("to", to)]].concat();
                self.codes(name, &labels, "command_status", codes, command_status);
            }
        }
    }

    fn codes<const N: usize>(
        &mut self,
        name: &str,
        common: &[Label<'_>],
        label: &str,
        codes: &Codes<N>,
        shown: fn(u32) -> String,
    ) {
        for (code, count) in codes.iter() {
            self.sample(name, &[common, &[(label, &shown(code))]].concat(), count);
        }
        if codes.other() > 0 {
            self.sample(name, &[common, &[(label, "other")]].concat(), codes.other());
        }
    }

    fn latencies(&mut self, snapshots: &[Snapshot]) {
        let Some(first) = snapshots.first() else { return };
        let mut before = "";
        for (at, (name, help, _, _)) in first.latencies.families().into_iter().enumerate() {
            let full = format!("isthmus_{name}_seconds");
            if name != before {
                self.head(&full, "histogram", help);
            }
            before = name;
            for snapshot in snapshots {
                let (_, _, labels, histogram) = snapshot.latencies.families()[at];
                let core = snapshot.core.to_string();
                self.histogram(&full, &[[("core", core.as_str())].as_slice(), labels].concat(), histogram);
            }
        }
    }

    /// Only while a profile is made, and of what was seen.
    fn stages(&mut self, snapshots: &[Snapshot]) {
        let name = "isthmus_stage_latency_seconds";
        let timed: Vec<_> =
            snapshots.iter().filter_map(|one| Some((one.core.to_string(), one.stages.as_ref()?))).collect();
        if timed.is_empty() {
            return;
        }
        self.head(name, "histogram", "How long messages were in each stage of their way.");
        for (core, times) in timed {
            for (flow, stage) in Flow::ALL.into_iter().flat_map(|flow| Stage::ALL.map(|stage| (flow, stage))) {
                let labels = [("core", core.as_str()), ("flow", flow.name()), ("stage", stage.name())];
                self.fine_histogram(name, &labels, times.of(flow, stage));
            }
        }
    }

    fn steps(&mut self, snapshots: &[Snapshot]) {
        let name = "isthmus_turn_step_seconds";
        let timed: Vec<_> =
            snapshots.iter().filter_map(|one| Some((one.core.to_string(), one.steps.as_ref()?))).collect();
        if timed.is_empty() {
            return;
        }
        self.head(name, "histogram", "How long the steps of turns took that had something to do.");
        for (core, times) in timed {
            for step in Step::ALL {
                self.fine_histogram(name, &[("core", core.as_str()), ("step", step.name())], times.of(step));
            }
        }
    }

    fn fine_histogram(&mut self, name: &str, common: &[Label<'_>], histogram: &FineHistogram) {
        let count = histogram.count();
        if count == 0 {
            return;
        }
        let bucket = format!("{name}_bucket");
        for (edge_ns, count) in histogram.octaves() {
            self.sample(&bucket, &[common, &[("le", &seconds_of_ns(edge_ns))]].concat(), count);
        }
        self.sample(&bucket, &[common, &[("le", "+Inf")]].concat(), count);
        self.sample(&format!("{name}_sum"), common, seconds_of_ns(histogram.sum_ns()));
        self.sample(&format!("{name}_count"), common, count);
    }

    fn histogram(&mut self, name: &str, common: &[Label<'_>], histogram: &Histogram) {
        let bucket = format!("{name}_bucket");
        for (edge_us, count) in histogram.octaves() {
            self.sample(&bucket, &[common, &[("le", &seconds(edge_us))]].concat(), count);
        }
        self.sample(&bucket, &[common, &[("le", "+Inf")]].concat(), histogram.count());
        self.sample(&format!("{name}_sum"), common, seconds(histogram.sum_us()));
        self.sample(&format!("{name}_count"), common, histogram.count());
    }

    fn family<S>(&mut self, family: &Family<S>) -> String {
        let (kind, suffix) = match family.kind {
            Kind::Counter => ("counter", "_total"),
            Kind::Gauge => ("gauge", ""),
        };
        let name = format!("isthmus_{}{suffix}", family.name);
        self.head(&name, kind, family.help);
        name
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[Label<'_>], value: impl Display) {
        self.text.push_str(name);
        let mut separator = '{';
        for (label, text) in labels {
            let _ = write!(self.text, "{separator}{label}=\"{}\"", escaped(text));
            separator = ',';
        }
        let _ = writeln!(self.text, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
}

/// The labels of one link.
#[derive(Debug)]
struct LinkNames {
    core: String,
    smsc: String,
    bind: String,
}

impl LinkNames {
    fn labels(&self) -> [Label<'_>; 3] {
        [("core", &self.core), ("smsc", &self.smsc), ("bind", &self.bind)]
    }
}

fn each_link<'s>(about: &About, snapshots: &'s [Snapshot]) -> Vec<(LinkNames, &'s LinkStats)> {
    let names = |core: usize, link: &LinkStats| LinkNames {
        core: core.to_string(),
        smsc: about.smscs.get(usize::from(link.smsc)).cloned().unwrap_or_else(|| link.smsc.to_string()),
        bind: link.bind.to_string(),
    };
    let links = snapshots.iter().flat_map(|snapshot| snapshot.links.iter().map(move |link| (snapshot.core, link)));
    links.map(|(core, link)| (names(core, link), link)).collect()
}

fn command_status(code: u32) -> String {
    CommandStatus(code).name().map_or_else(|| format!("{code:#010x}"), str::to_owned)
}

/// Exact, as integers and their fraction.
fn seconds(us: u64) -> String {
    trimmed(&format!("{}.{:06}", us / 1_000_000, us % 1_000_000))
}

fn seconds_of_ns(ns: u64) -> String {
    trimmed(&format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000))
}

fn trimmed(text: &str) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
