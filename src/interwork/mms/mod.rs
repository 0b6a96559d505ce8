//! MMS through MM4 (IWF V3.0 6.3.1): the gateway as an MMS Relay/Server.

mod cpm_elements;
pub mod cpm_message;
pub mod delivery_report_to_imdn;
mod elements;
pub mod envelope;
pub mod forward_req_to_large_message;
pub mod forward_req_to_pager;
pub mod imdn_to_delivery_report;
pub mod imdn_to_read_reply;
pub mod large_message_to_forward_req;
pub mod multimedia_message;
pub mod notification;
mod notification_elements;
pub mod pager_to_forward_req;
pub mod read_reply_to_imdn;
pub mod report;
mod report_elements;
pub mod response;
mod response_elements;
pub mod successful_transmission;
