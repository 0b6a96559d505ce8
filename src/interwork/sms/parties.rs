//! Who a message of another network is from and for, as SIP headers: what Tables 9, 11, 17, 20, 35, 36, 39 and 40 have in
//! common.

use crate::interwork::address::Number;
use crate::policy::Policy;
use crate::wire::span::Span;

/// The addresses of a request that a short message becomes: URIs, their spans in `octets`.
#[derive(Clone, Debug, Default)]
pub struct Parties {
    /// Where the URIs stand; cleared by whoever fills it again.
    pub octets: Vec<u8>,
    /// P-Asserted-Identity: a SIP URI, if one is available
    pub p_asserted_identity_sip: Span,
    /// P-Asserted-Identity: the tel URI
    pub p_asserted_identity_tel: Span,
    /// From
    pub from: Span,
    /// Request-URI and To
    pub to: Span,
}

impl Parties {
    /// The octets of one of them.
    #[must_use]
    pub fn get(&self, span: Span) -> &[u8] {
        span.of(&self.octets)
    }

    /// Request-URI and To.
    #[must_use]
    pub fn to(&self) -> &[u8] {
        self.get(self.to)
    }

    /// From.
    #[must_use]
    pub fn from(&self) -> &[u8] {
        self.get(self.from)
    }

    /// A SIP URI, if available, in both headers, the MSISDN as tel URI in P-Asserted-Identity beside it; otherwise the tel
    /// URI in both. From carries `nccsid` (Appendix D).
    pub(in crate::interwork) fn set_from(&mut self, source: Number, nccsid: &[u8], policy: &Policy) {
        let asserted = if policy.identity.nccsid_in_p_asserted_identity { nccsid } else { b"" };
        let template = policy.delivery.originator_sip_uri.as_deref().filter(|_| source.global);
        let octets = &mut self.octets;
        self.p_asserted_identity_tel = tel(source, policy, asserted, octets);
        self.p_asserted_identity_sip =
            template.map_or(Span::default(), |template| sip(source, template, asserted, octets));
        self.from = match template {
            Some(template) => sip(source, template, nccsid, octets),
            None => tel(source, policy, nccsid, octets),
        };
    }

    /// "the IWF will use SIP URI if available, and otherwise translate MSISDN into TEL URI"
    pub(in crate::interwork) fn set_to(&mut self, dest: Number, policy: &Policy) {
        self.to = self.push(dest, policy);
    }

    /// "to the corresponding TEL URI format"
    pub(in crate::interwork) fn set_to_tel(&mut self, dest: Number, policy: &Policy) {
        self.to = tel(dest, policy, b"", &mut self.octets);
    }

    /// A further recipient's address, as that of Request-URI and To.
    pub(in crate::interwork) fn push(&mut self, recipient: Number, policy: &Policy) -> Span {
        let template = policy.delivery.recipient_sip_uri.as_deref().filter(|_| recipient.global);
        match template {
            Some(template) => sip(recipient, template, b"", &mut self.octets),
            None => tel(recipient, policy, b"", &mut self.octets),
        }
    }
}

fn tel(number: Number, policy: &Policy, nccsid: &[u8], octets: &mut Vec<u8>) -> Span {
    Span::append_with(octets, |octets| {
        number.write_tel(&policy.addresses, octets);
        octets.extend_from_slice(nccsid);
    })
}

fn sip(number: Number, template: &str, nccsid: &[u8], octets: &mut Vec<u8>) -> Span {
    Span::append_with(octets, |octets| {
        number.write_sip(template, octets);
        octets.extend_from_slice(nccsid);
    })
}
