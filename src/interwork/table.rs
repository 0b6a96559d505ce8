//! What a table of the specification is: rows that fill fields, and rows that map values.

use super::cite::Cite;

/// A kind of record, whose values borrow from the message they stand for.
pub trait Record {
    /// The record.
    type Of<'a>;
}

/// The column "status" of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Always there.
    Mandatory,
    /// There under the condition of the comment.
    Conditional,
    /// There if it can be.
    Optional,
}

/// Why a message cannot be converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotConvertible {
    /// No address of the originator has an E.164 number.
    Originator,
    /// No address of the target has an E.164 number.
    Target,
    /// The originator wants to stay anonymous, and policy knows no address for that.
    Anonymous,
}

/// Fills one field.
pub type Rule<S, T> = for<'a> fn(&<S as Record>::Of<'a>, &mut <T as Record>::Of<'a>) -> Result<(), NotConvertible>;

/// One row.
pub struct Row<S: Record, T: Record> {
    /// The field that is filled, as the page spells it.
    pub field: &'static str,
    /// Its status.
    pub status: Status,
    /// The headers or parameters it comes from; none if the gateway makes it.
    pub sources: &'static [&'static str],
    /// How.
    pub rule: Rule<S, T>,
}

impl<S: Record, T: Record> Row<S, T> {
    /// A row, its columns in the order of the page.
    pub const fn new(
        field: &'static str,
        status: Status,
        sources: &'static [&'static str],
        rule: Rule<S, T>,
    ) -> Row<S, T> {
        Row { field, status, sources, rule }
    }
}

/// A page that fills the fields of `T` from `S`.
pub struct FieldTable<S: Record + 'static, T: Record + 'static> {
    /// Where it stands.
    pub cite: Cite,
    /// Its rows in order.
    pub rows: &'static [Row<S, T>],
}

impl<S: Record, T: Record> FieldTable<S, T> {
    /// Applies every row.
    ///
    /// # Errors
    /// The first row that cannot be filled.
    pub fn fill<'a>(&self, source: &S::Of<'a>, target: &mut T::Of<'a>) -> Result<(), NotConvertible> {
        self.rows.iter().try_for_each(|row| (row.rule)(source, target))
    }
}

/// A page that maps values one by one; what it does not list is the caller's policy.
pub struct ValueMap<K: 'static, V: 'static> {
    /// Where it stands.
    pub cite: Cite,
    /// Its rows in order.
    pub rows: &'static [(K, V)],
}

impl<K: Copy + PartialEq, V: Copy> ValueMap<K, V> {
    /// The value of `key`, if the page lists it.
    #[must_use]
    pub fn get(&self, key: K) -> Option<V> {
        self.rows.iter().find(|(listed, _)| *listed == key).map(|(_, value)| *value)
    }
}
