//! Transaction and message ids. Peers put them into quotes, angle brackets, both or none, and some change that on the way
//! back; an id is repeated as it was received and compared without them.

/// An id without white space, quotes and angle brackets around it.
#[must_use]
pub fn unquoted(id: &[u8]) -> &[u8] {
    let mut id = id.trim_ascii();
    while let [b'"', inner @ .., b'"'] | [b'<', inner @ .., b'>'] = id {
        id = inner.trim_ascii();
    }
    id
}

/// Whether two ids are the same, whatever is around them.
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    unquoted(one) == unquoted(other)
}
