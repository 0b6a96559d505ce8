//! The procedures of IWF V3.0 section 6.1 and 6.2: where engines meet tables.
//!
//! What is here turns one message into another and keeps what the text says must be kept; which core does it, and when,
//! is the shard's business.

pub mod body;
pub mod date_time;
pub mod event_report;
mod headers;
pub mod invitation;
pub mod large_message;
pub mod message;
pub mod mms;
pub mod notification;
pub mod number_pool;
pub mod pager;
pub mod retained;
pub mod segments;
pub mod session_invitation;
pub mod session_leaving;
pub mod session_media;
pub mod short_message;
mod split;

pub use crate::engine::arena;
use crate::interwork::product::{self, IwfType};
use crate::policy::{Events, Policy};

/// What every procedure is told: the service provider's answers, and texts made of them once.
#[derive(Clone, Debug)]
pub struct Iwf {
    /// The answers.
    pub policy: Policy,
    /// User-Agent of requests (Appendix C).
    pub user_agent: String,
    /// Server of responses (Appendix C).
    pub server: String,
    /// User-Agent of requests that come from MMS.
    pub mms_user_agent: String,
    /// Server of responses to what goes to MMS.
    pub mms_server: String,
    /// Between whom interworking events go; `None` if nobody is to be told (6.2.3.2).
    pub events: Option<Events>,
}

impl Iwf {
    /// Procedures under this policy.
    #[must_use]
    pub fn new(policy: Policy) -> Iwf {
        let (user_agent, server) = (product::user_agent(&policy.identity), product::server(&policy.identity));
        let mms_user_agent = product::user_agent_of(IwfType::Mms, &policy.identity);
        let mms_server = product::server_of(IwfType::Mms, &policy.identity);
        let events = policy.events.resolved();
        Iwf { policy, user_agent, server, mms_user_agent, mms_server, events }
    }
}
