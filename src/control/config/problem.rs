//! What is wrong with a configuration, and where.

use core::fmt;
use core::ops::Range;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Line in the file, from 1.
    pub line: usize,
    /// The key, with its tables: `smsc[1].window`. Empty where the file is no TOML.
    pub key: String,
    /// What is wrong and what would be right. Values of passwords are not quoted.
    pub text: String,
}

/// Everything that is wrong, in the order of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The file, as it was named.
    pub file: String,
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.key.is_empty() { "" } else { ": " };
        write!(f, "{}: {}{colon}{}", self.line, self.key, self.text)
    }
}

/// One problem per line, each `file:line: key: what is wrong; what would be right`.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for problem in &self.problems {
            write!(f, "{separator}{}:{problem}", self.file)?;
            separator = "\n";
        }
        Ok(())
    }
}

impl core::error::Error for Problems {}

/// The line of an offset into `text`, from 1.
pub(super) fn line_of(text: &str, span: Option<Range<usize>>) -> usize {
    let at = span.map_or(0, |span| span.start).min(text.len());
    1 + text.as_bytes().get(..at).unwrap_or_default().iter().filter(|octet| **octet == b'\n').count()
}

/// The one of `known` that is spelt most like `word`.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known.into_iter().min_by_key(|known| (distance(word, known), *known))
}

/// Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 { i + j } else { step(&rows, &a, &b, i, j) };
        }
    }
    rows[a.len()][b.len()]
}

fn step(rows: &[Vec<usize>], a: &[char], b: &[char], i: usize, j: usize) -> usize {
    let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
    let best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
    let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
    if swapped { best.min(rows[i - 2][j - 2] + 1) } else { best }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, edits) in [("", "", 0), ("window", "window", 0), ("windwo", "window", 1), ("", "abc", 3)] {
            assert_eq!((distance(a, b), distance(b, a)), (edits, edits), "{a} {b}");
        }
        assert_eq!(nearest("listn", ["domain", "listen", "trusted"]), Some("listen"));
    }

    #[test]
    fn lines_count_from_one() {
        assert_eq!(line_of("a\nb\nc", Some(2..3)), 2);
        assert_eq!(line_of("a\nb\nc", None), 1);
    }
}
