//! SMS through SMPP (IWF V3.0 6.2.2): the gateway as an ESME.

pub mod chat_to_submit_sm;
pub mod deliver_sm_to_chat;
pub mod deliver_sm_to_large_message;
pub mod deliver_sm_to_pager;
pub mod delivery_outcome;
pub mod pager_to_submit_sm;
pub mod parties;
mod parts;
pub mod session_invitation;
pub mod short_message;
pub mod status_report_to_imdn;
