//! The results of a load for people and for plotters: a summary, a line of progress, and a directory of files.

mod charts;
mod columns;
mod csv;
mod hgrm;
mod markup;
mod number;
mod page;
mod plot;
mod progress;
mod text;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::load::Results;

pub use csv::{percentiles, timeline};
pub use hgrm::hgrm;
pub use page::html;
pub use progress::progress;
pub use text::summary;

/// Writes `report.html`, `timeline.csv`, `percentiles.csv`, `summary.txt` and one `.hgrm` for each flow into `directory`,
/// which is made if it is not there. Returns what was written.
///
/// # Errors
///
/// The first file or directory that cannot be written.
pub fn write(results: &Results, directory: &Path) -> io::Result<Vec<PathBuf>> {
    fs::create_dir_all(directory)?;
    let whole = [
        (String::from("report.html"), html(results)),
        (String::from("timeline.csv"), timeline(results)),
        (String::from("percentiles.csv"), percentiles(results)),
        (String::from("summary.txt"), summary(results)),
    ];
    let flows = results.flows.iter().filter(|flow| !flow.latency_us.is_empty());
    let each = flows.map(|flow| (format!("{}.hgrm", file_name(&flow.name)), hgrm(&flow.latency_us)));
    whole.into_iter().chain(each).map(|(name, text)| write_one(&directory.join(name), &text)).collect()
}

fn write_one(path: &Path, text: &str) -> io::Result<PathBuf> {
    match fs::write(path, text) {
        Ok(()) => Ok(path.to_path_buf()),
        Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    }
}

/// A flow's name with nothing but letters, digits and hyphens.
fn file_name(flow: &str) -> String {
    let words = flow.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}
