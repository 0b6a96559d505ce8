//! User-Agent and Server values: IWF V3.0 Appendix C.

use crate::policy::Identity;

/// iwf-type-token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IwfType {
    /// The SMS IWF.
    Sms,
    /// The MMS IWF.
    Mms,
}

/// Value of User-Agent in requests of the SMS IWF.
#[must_use]
pub fn user_agent(identity: &Identity) -> String {
    user_agent_of(IwfType::Sms, identity)
}

/// Value of Server in responses of the SMS IWF.
#[must_use]
pub fn server(identity: &Identity) -> String {
    server_of(IwfType::Sms, identity)
}

/// Value of User-Agent in requests of either IWF.
#[must_use]
pub fn user_agent_of(iwf: IwfType, identity: &Identity) -> String {
    product(iwf, "client", identity)
}

/// Value of Server in responses of either IWF.
#[must_use]
pub fn server_of(iwf: IwfType, identity: &Identity) -> String {
    product(iwf, "serv", identity)
}

fn product(iwf: IwfType, device: &str, identity: &Identity) -> String {
    let Identity { iwf_product_version, further_products, .. } = identity;
    let iwf = match iwf {
        IwfType::Sms => "IWF-SMS",
        IwfType::Mms => "IWF-MMS",
    };
    format!("{iwf}-{device}/{iwf_product_version} {further_products}").trim_end().to_owned()
}
