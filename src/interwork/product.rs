//! User-Agent and Server values: IWF V3.0 Appendix C.

use crate::policy::Identity;

/// iwf-type-token of the SMS IWF.
const IWF_SMS: &str = "IWF-SMS";

/// Value of User-Agent in requests of the SMS IWF.
#[must_use]
pub fn user_agent(identity: &Identity) -> String {
    product("client", identity)
}

/// Value of Server in responses of the SMS IWF.
#[must_use]
pub fn server(identity: &Identity) -> String {
    product("serv", identity)
}

fn product(device: &str, identity: &Identity) -> String {
    let Identity { iwf_product_version, further_products, .. } = identity;
    format!("{IWF_SMS}-{device}/{iwf_product_version} {further_products}").trim_end().to_owned()
}
