//! Operations of the pure rooms, done over and over: for timing them and for counting their instructions. What their peers
//! do, and reading what these sent, is outside of [`Watch`].

mod dialog;
mod mappings;
mod parts_and_timers;
mod sip_transactions;
mod smpp_session;

use crate::watch::Watch;

/// One that can be started; what it gives does it once each time it is called.
#[derive(Clone)]
pub struct Operation {
    pub name: &'static str,
    pub start: fn() -> Box<dyn FnMut()>,
}

/// State machines of `isthmus::engine`.
pub fn engine<W: Watch + 'static>() -> Vec<Operation> {
    [
        &sip_transactions::operations::<W>()[..],
        &dialog::operations::<W>()[..],
        &smpp_session::operations::<W>()[..],
        &parts_and_timers::operations::<W>()[..],
    ]
    .concat()
}

/// Mappings of `isthmus::interwork`, as `isthmus::iwf` applies them.
pub fn interwork<W: Watch + 'static>() -> Vec<Operation> {
    mappings::operations::<W>()
}
