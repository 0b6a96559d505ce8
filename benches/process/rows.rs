//! What is printed: for people, and a line that `benches/table` reads.

use crate::beside::row;
use crate::flows::Cost;

/// One flow on one back end, round by round.
pub struct Row {
    name: String,
    backend: &'static str,
    beside: &'static str,
    costs: Vec<(Cost, f64)>,
}

impl Row {
    /// `beside` is what stands beside it: the floor, or another case of the same round.
    pub fn new(name: &str, backend: &'static str, beside: &'static str) -> Row {
        Row { name: name.to_owned(), backend, beside, costs: Vec::new() }
    }

    pub fn add(&mut self, cost: Cost, beside_us: f64) {
        self.costs.push((cost, beside_us));
    }

    pub fn print(&self) {
        let ratios: Vec<f64> = self.costs.iter().map(|(cost, beside)| cost.cpu_us / beside).collect();
        let of = |pick: fn(&(Cost, f64)) -> f64| median(self.costs.iter().map(pick).collect());
        let (cpu, beside) = (of(|(cost, _)| cost.cpu_us), of(|(_, beside)| *beside));
        let (rate, busy) = (of(|(cost, _)| cost.per_second), of(|(cost, _)| cost.busy));
        let best = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let middle = median(ratios);
        println!(
            "  {:<8} {cpu:.2} us of CPU, beside it {beside:.2}: {middle:.2} times (best round {best:.2}); {rate:.0}/s, busy {busy:.2}",
            self.backend
        );
        row(
            &self.name,
            self.backend,
            &format!("{cpu:.2} us"),
            &format!("{} {beside:.2} us", self.beside),
            &format!("{middle:.2} (best {best:.2})"),
        );
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
