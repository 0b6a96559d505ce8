//! What counts as an E.164 number: IWF V3.0 4.4, Table 1, Table 9, 6.2.2.2.1 step 1.

use serde::{Deserialize, Serialize};

/// How addresses of both sides become E.164 numbers and back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Addresses {
    /// Rules for numbers that are not global, tried in order; the first whose prefix fits is taken.
    pub rewriting: Vec<Rewriting>,
    /// Fewest digits of a global number; ITU-T E.164 gives only the most, 15.
    pub digits_min: u8,
    /// SIP URIs whose user part starts with '+' and that have no user=phone.
    pub plus_without_user_phone: bool,
    /// SMPP addresses of unknown type of number that no rule fits.
    pub unknown_ton: UnknownTon,
    /// Numbers that are not E.164: short codes and service numbers.
    pub short_codes: ShortCodes,
    /// Type of number under which E.164 numbers go to the SM-SC, without '+'.
    pub ton: u8,
    /// Numbering plan under which they go.
    pub npi: u8,
    /// Type of number of short codes, if they are let through.
    pub short_code_ton: u8,
    /// Numbering plan of short codes.
    pub short_code_npi: u8,
    /// phone-context of short codes in a tel URI (RFC 3966 5.1.5), a domain name.
    pub phone_context: String,
}

impl Default for Addresses {
    fn default() -> Addresses {
        Addresses {
            rewriting: vec![Rewriting { prefix: "00".into(), replacement: "+".into() }],
            digits_min: 7,
            plus_without_user_phone: false,
            unknown_ton: UnknownTon::Rules,
            short_codes: ShortCodes::Refuse,
            ton: 1,
            npi: 1,
            short_code_ton: 3,
            short_code_npi: 0,
            phone_context: String::new(),
        }
    }
}

/// `prefix` of a local number becomes `replacement`; the result must start with '+'.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewriting {
    /// "0", say. Empty fits every number.
    pub prefix: String,
    /// "+49", say.
    pub replacement: String,
}

/// An address with ton 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownTon {
    /// Only '+' or a rule makes it global: guessing would show a message under a stranger's number.
    #[default]
    Rules,
    /// Digits without a leading zero are a global number.
    International,
}

/// Numbers without a global form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortCodes {
    /// 488, and 0x65 to the SM-SC, as the text has it.
    #[default]
    Refuse,
    /// They pass as local numbers.
    Allow,
}
