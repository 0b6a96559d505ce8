//! How a cell of a case says what differs from the ordinary message, and what must come out.

use std::collections::BTreeMap;

use isthmus::policy::Policy;

/// One line of a case table, its cells by the names of the heading.
pub(crate) struct Case<'a> {
    cells: BTreeMap<&'a str, &'a str>,
}

impl<'a> Case<'a> {
    /// Every case of a table.
    pub(crate) fn all(tsv: &'a str) -> Vec<Case<'a>> {
        let mut lines = tsv.lines();
        let heading: Vec<&str> = lines.next().expect("a heading").split('\t').collect();
        let rows = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        rows.map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!(cells.len(), heading.len(), "cells of {line}");
            Case { cells: heading.iter().copied().zip(cells).collect() }
        })
        .collect()
    }

    pub(crate) fn get(&self, column: &str) -> &'a str {
        self.cells.get(column).unwrap_or_else(|| panic!("no column {column}"))
    }

    /// What to say when it fails.
    pub(crate) fn name(&self) -> String {
        format!("{} ({})", self.get("req"), self.get("case"))
    }

    /// The profile that the cell `policy` names, or the default with the keys it sets, `\n` between them.
    pub(crate) fn policy(&self) -> Policy {
        match self.get("policy") {
            "rcs" => Policy::rcs(),
            keys => toml::from_str(&keys.replace("\\n", "\n")).unwrap_or_else(|why| panic!("{keys}: {why}")),
        }
    }

    /// `name=value` pairs of the cell `expected`, ` & ` between them.
    pub(crate) fn expected(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.get("expected").split(" & ").map(|pair| pair.split_once('=').expect("name=value"))
    }
}

/// Header lines that a cell changes: `Name: value` takes the place of the ordinary one, `Name:` takes it out, other names
/// are added, so `Name :` adds a second one. Lines are separated by `\n`.
pub(crate) fn changed(ordinary: &[(&str, &str)], changes: &str) -> Vec<(String, String)> {
    let mut lines: Vec<(String, String)> =
        ordinary.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    for change in changes.split("\\n").filter(|change| !change.is_empty()) {
        let (name, value) = change.split_once(':').expect("Name: value");
        let value = value.trim().to_owned();
        match lines.iter_mut().find(|(known, _)| known == name) {
            Some(line) => line.1 = value,
            None => lines.push((name.trim_end().to_owned(), value)),
        }
    }
    lines.retain(|(_, value)| !value.is_empty());
    lines
}

/// `{160*a}` in a text stands for as many repetitions.
pub(crate) fn repeated(text: &str) -> String {
    let Some((before, rest)) = text.split_once('{') else { return text.to_owned() };
    let Some((inside, after)) = rest.split_once('}') else { return text.to_owned() };
    let Some((count, what)) = inside.split_once('*') else { return text.to_owned() };
    let Ok(count) = count.parse() else { return text.to_owned() };
    format!("{before}{}{}", what.repeat(count), repeated(after))
}

/// Whether some case of these tables names `req`.
pub(crate) fn names(tables: &[&str], req: &str) -> bool {
    tables.iter().any(|tsv| Case::all(tsv).iter().any(|case| case.get("req").split([' ', ',']).any(|id| id == req)))
}

/// The octets a cell stands for: `\xNN` is one octet.
pub(crate) fn octets(cell: &str) -> Vec<u8> {
    let mut pieces = cell.split("\\x");
    let mut out = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).expect("two digits");
        out.push(u8::from_str_radix(digits, 16).expect("hexadecimal"));
        out.extend_from_slice(rest.as_bytes());
    }
    out
}
