//! Who the gateway says it is: IWF V3.0 Appendix C, Appendix D, 6.2.3.2.

use serde::{Deserialize, Serialize};

/// User-Agent, Server and the Non-CPM Communication Service Identifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Identity {
    /// iwf-product-version. Appendix C ends with "OMA2.1"; it gives none for 3.0.
    pub iwf_product_version: String,
    /// Further server-vals behind the IWF product, "Isthmus/1.0"; may be empty.
    pub further_products: String,
    /// Whether nccsid=SMS stands also in P-Asserted-Identity; in From it always does.
    pub nccsid_in_p_asserted_identity: bool,
}

impl Default for Identity {
    fn default() -> Identity {
        Identity {
            iwf_product_version: "OMA2.1".into(),
            further_products: concat!("Isthmus/", env!("CARGO_PKG_VERSION")).into(),
            nccsid_in_p_asserted_identity: false,
        }
    }
}

/// Between whom CPM interworking events go (6.2.3.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Events {
    /// Mobile country code of the addresses below, three digits.
    pub mcc: String,
    /// Mobile network code, two or three digits.
    pub mnc: String,
    /// URI of this IWF; if empty `sip:CPM-IWF@ims.mnc<MNC>.mcc<MCC>.3gppnetwork.org`.
    pub iwf_address: String,
    /// URI of the CPM Participating Function; if empty `sip:CPM-PF@ims.mnc<MNC>.mcc<MCC>.3gppnetwork.org`.
    pub pf_address: String,
}

impl Events {
    /// The same with both addresses filled in, for once at start. `None` if there is nobody to tell: neither the
    /// addresses nor the codes they are made of are known.
    #[must_use]
    pub fn resolved(&self) -> Option<Events> {
        let iwf_address = self.address(&self.iwf_address, "CPM-IWF")?;
        let pf_address = self.address(&self.pf_address, "CPM-PF")?;
        Some(Events { iwf_address, pf_address, ..self.clone() })
    }

    /// TS 23.003 13.2: a network code of two digits gets a leading zero.
    fn address(&self, given: &str, user: &str) -> Option<String> {
        if !given.is_empty() {
            return Some(given.to_owned());
        }
        let known = !self.mcc.is_empty() && !self.mnc.is_empty();
        known.then(|| format!("sip:{user}@ims.mnc{:0>3}.mcc{}.3gppnetwork.org", self.mnc, self.mcc))
    }
}
