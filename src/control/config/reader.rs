//! Walks a TOML table key by key. Whatever is wrong is noted and the walk goes on, so that one run finds everything.

use core::cell::RefCell;
use core::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, line_of, nearest};

/// A value and where it stands.
pub(super) type Value<'i> = Spanned<DeValue<'i>>;

/// Something wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Where, if more precise than the key's value.
    pub(super) span: Range<usize>,
    /// What is wrong, what would be right.
    pub(super) text: String,
}

/// What reading a value gives: it, or everything that is wrong with it.
pub(super) type Read<T> = Result<T, Vec<Wrong>>;

/// Says that `value` is wrong.
pub(super) fn wrong<T>(value: &Value<'_>, what: impl core::fmt::Display, right: impl core::fmt::Display) -> Read<T> {
    Err(vec![Wrong { span: value.span(), text: format!("{what}; right would be {right}") }])
}

/// Says that `value` has the wrong type.
pub(super) fn wrong_type<T>(value: &Value<'_>, right: impl core::fmt::Display) -> Read<T> {
    let kind = value.get_ref().type_str();
    let article = if kind.starts_with(['a', 'i']) { "an" } else { "a" };
    wrong(value, format_args!("is {article} {kind}"), right)
}

/// Where problems are noted.
#[derive(Debug)]
pub(super) struct Sink<'t> {
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
    keys: RefCell<Vec<String>>,
}

impl<'t> Sink<'t> {
    pub(super) fn new(text: &'t str) -> Sink<'t> {
        Sink { text, problems: RefCell::default(), keys: RefCell::default() }
    }

    pub(super) fn note(&self, span: Option<Range<usize>>, key: &str, text: String) {
        let line = line_of(self.text, span);
        self.problems.borrow_mut().push(Problem { line, key: key.to_owned(), text });
    }

    pub(super) fn learn(&self, key: String) {
        self.keys.borrow_mut().push(key);
    }

    /// The problems, in the order of lines, and every key that was asked for.
    pub(super) fn into_inner(self) -> (Vec<Problem>, Vec<String>) {
        let mut problems = self.problems.into_inner();
        problems.sort();
        problems.dedup();
        (problems, self.keys.into_inner())
    }
}

/// One table of the file, or the lack of it.
#[derive(Debug)]
pub(super) struct Section<'t> {
    sink: &'t Sink<'t>,
    path: String,
    span: Option<Range<usize>>,
    table: Option<&'t DeTable<'t>>,
    asked: Vec<&'static str>,
}

impl<'t> Section<'t> {
    /// The whole file.
    pub(super) fn root(sink: &'t Sink<'t>, table: &'t DeTable<'t>) -> Section<'t> {
        Section { sink, path: String::new(), span: None, table: Some(table), asked: Vec::new() }
    }

    /// Name of a key of this section, with its tables.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of `key` as it stands there.
    pub(super) fn value(&mut self, key: &'static str) -> Option<&'t Value<'t>> {
        self.asked.push(key);
        self.table?.get(key)
    }

    /// The value of `key`, if it is there and right.
    pub(super) fn get<T>(&mut self, key: &'static str, read: impl Fn(&Value<'_>) -> Read<T>) -> Option<T> {
        self.sink.learn(self.path(key));
        let value = self.value(key)?;
        let wrongs = match read(value) {
            Ok(read) => return Some(read),
            Err(wrongs) => wrongs,
        };
        wrongs.into_iter().for_each(|wrong| self.sink.note(Some(wrong.span), &self.path(key), wrong.text));
        None
    }

    /// The value of `key`, or `default`.
    pub(super) fn or<T>(&mut self, key: &'static str, default: T, read: impl Fn(&Value<'_>) -> Read<T>) -> T {
        self.get(key, read).unwrap_or(default)
    }

    /// The value of a key that has no default.
    pub(super) fn need<T>(
        &mut self,
        key: &'static str,
        example: &str,
        read: impl Fn(&Value<'_>) -> Read<T>,
    ) -> Option<T> {
        if self.has(key) {
            return self.get(key, read);
        }
        self.sink.learn(self.path(key));
        self.asked.push(key);
        let text = format!("is missing and has no default; right would be {key} = \"{example}\", say");
        self.sink.note(self.span.clone(), &self.path(key), text);
        None
    }

    /// Whether the file has `key` here.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// Notes something that several keys together have wrong, at the line of `key`.
    pub(super) fn object(&self, key: &str, text: impl Into<String>) {
        let span = self.table.and_then(|table| table.get(key)).map(Spanned::span);
        self.sink.note(span.or_else(|| self.span.clone()), &self.path(key), text.into());
    }

    /// The table as it stands there, for those who walk it themselves.
    pub(super) fn table(&self) -> Option<&'t DeTable<'t>> {
        self.table
    }

    /// Where the value below stands, if it does.
    pub(super) fn span_at(&self, path: &[&str]) -> Option<Range<usize>> {
        let (key, tables) = path.split_last()?;
        let table = tables.iter().try_fold(self.table?, |table, key| table.get(*key)?.get_ref().as_table())?;
        table.get(*key).map(Spanned::span)
    }

    /// Notes something about a key below.
    pub(super) fn note(&self, span: Option<Range<usize>>, key: &str, text: String) {
        self.sink.note(span.or_else(|| self.span.clone()), &self.path(key), text);
    }

    /// Says that there is a key below.
    pub(super) fn learn(&self, key: &str) {
        self.sink.learn(self.path(key));
    }

    /// A table inside this one.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'t> {
        let value = self.value(key);
        self.enter(self.path(key), value)
    }

    /// A list of tables inside this one.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'t>> {
        let path = self.path(key);
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            let text = format!("is no list of tables; right would be [[{path}]] above each");
            self.sink.note(Some(value.span()), &path, text);
            return Vec::new();
        };
        array.iter().enumerate().map(|(at, value)| self.enter(format!("{path}[{}]", at + 1), Some(value))).collect()
    }

    fn enter(&self, path: String, value: Option<&'t Value<'t>>) -> Section<'t> {
        let table = value.and_then(|value| value.get_ref().as_table());
        let span = value.map(Spanned::span);
        if let (Some(value), None) = (value, table) {
            let kind = value.get_ref().type_str();
            self.sink.note(span.clone(), &path, format!("is a value of type {kind}; right would be a table, [{path}]"));
        }
        Section { sink: self.sink, path, span, table, asked: Vec::new() }
    }

    /// Notes every key that was not asked for.
    pub(super) fn finish(self) {
        for (key, _) in self.table.into_iter().flatten() {
            if self.asked.iter().any(|asked| asked == key.get_ref()) {
                continue;
            }
            let near = nearest(key.get_ref(), self.asked.iter().copied()).unwrap_or_default();
            let text = format!("there is no such key; the nearest one is `{near}`");
            self.sink.note(Some(key.span()), &self.path(key.get_ref()), text);
        }
    }
}
