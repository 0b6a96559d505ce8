//! Interworking with MMS over MM4 (IWF V3.0 6.3): SIP, MSRP and CPIM become mails between MMS Relay/Servers, and mails
//! become SIP, MSRP and CPIM.

pub mod content;
pub mod id;
