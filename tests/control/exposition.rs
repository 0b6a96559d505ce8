//! A strict reader of the Prometheus text format 0.0.4, written from its description.

use std::collections::{BTreeMap, BTreeSet};

/// A page by family.
pub(crate) type Page = BTreeMap<String, Family>;

#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) kind: String,
    /// Sample name and labels as sorted `name{a="b"}`, value.
    pub(crate) samples: BTreeMap<String, f64>,
}

/// Reads a page, and panics where it breaks a rule.
pub(crate) fn parse(text: &str) -> Page {
    assert!(text.ends_with('\n'), "the last line has no end");
    let mut page = Page::new();
    let mut current = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("help");
            assert!(!help.is_empty() && !page.contains_key(name), "{line}: said before");
            page.insert(name.to_owned(), Family::default());
            current = name.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("type");
            assert!(name == current && ["counter", "gauge", "histogram"].contains(&kind), "{line}");
            page.get_mut(name).expect("help first").kind = kind.to_owned();
        } else {
            sample(page.get_mut(&current).expect("family first"), &current, line);
        }
    }
    page
}

fn sample(family: &mut Family, name: &str, line: &str) {
    let (series, value) = line.rsplit_once(' ').expect("value");
    let (sample_name, labels) = series.split_once('{').map_or((series, ""), |(name, rest)| {
        (name, rest.strip_suffix('}').unwrap_or_else(|| panic!("{line}: no closing brace")))
    });
    let suffix = sample_name.strip_prefix(name).unwrap_or_else(|| panic!("{line}: not of {name}"));
    let suffixes: &[&str] = if family.kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
    assert!(suffixes.contains(&suffix) && (family.kind == "counter") == name.ends_with("_total"), "{line}");
    let key = format!("{sample_name}{{{}}}", read_labels(labels).join(","));
    assert!(family.samples.insert(key, value.parse().expect("number")).is_none(), "{line}: twice");
}

/// `name="text"` in order of names, escapes taken out.
fn read_labels(mut rest: &str) -> Vec<String> {
    let mut labels = BTreeSet::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").expect("label");
        assert!(name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_'), "{name}");
        let (text, after) = quoted(after);
        assert!(labels.insert(format!("{name}={text}")), "{name}: twice");
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    labels.into_iter().collect()
}

fn quoted(rest: &str) -> (String, &str) {
    let mut text = String::new();
    let mut chars = rest.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, &rest[at + 1..]),
            '\\' => text.push(match chars.next() {
                Some((_, 'n')) => '\n',
                Some((_, c @ ('\\' | '"'))) => c,
                other => panic!("escape {other:?}"),
            }),
            c => text.push(c),
        }
    }
    panic!("no closing quote: {rest}")
}
