//! SIP transactions, dialogs and sessions and what surrounds them, without I/O.

mod answered;
pub mod attempts;
pub mod calls;
pub mod client_invite;
pub mod client_non_invite;
pub mod dialog;
pub mod dispatch;
pub mod locate;
pub mod next_hop;
mod parts;
pub mod response;
pub mod sent_by;
pub mod server_invite;
pub mod server_matching;
pub mod server_non_invite;
pub mod session_timer;
pub mod targets;
pub mod timers;

pub use attempts::{Fault, Target};
pub use calls::{Calls, DialogKey};
pub use client_invite::{ClientInvite, InviteEvent, InviteId};
pub use client_non_invite::{ClientEvent, ClientNonInvite};
pub use dialog::{Dialog, FirstRequest, Role};
pub use dispatch::{Outbound, RequestId};
pub use locate::{Locate, Reach, Step};
pub use next_hop::NextHop;
pub use response::{Body, ResponseRoute, TAG_BYTES, new_tag, write_response_head};
pub use sent_by::SentBy;
pub use server_invite::{ServerEvent, ServerInvite};
pub use server_matching::{Arrived, TransactionId};
pub use server_non_invite::ServerNonInvite;
pub use session_timer::SessionTimer;
pub use targets::Targets;
