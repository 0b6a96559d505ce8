//! Tables typed from the specifications, in `tests/spec/`.

/// The cells of each row below the comments and the heading.
pub(crate) fn rows(tsv: &str) -> impl Iterator<Item = Vec<&str>> {
    tsv.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}
