//! What is looked at while something runs, and what is not.

/// Wraps every call into what is counted.
pub trait Watch {
    /// Calls it.
    fn inside<T>(call: impl FnOnce() -> T) -> T;

    /// Around the calls that make a `submit_sm` of a MESSAGE.
    fn outward<T>(call: impl FnOnce() -> T) -> T {
        call()
    }
}

/// Looks at nothing.
#[allow(dead_code, reason = "for timing")]
pub struct Unwatched;

impl Watch for Unwatched {
    fn inside<T>(call: impl FnOnce() -> T) -> T {
        call()
    }
}
