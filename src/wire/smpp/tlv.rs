//! Optional parameters (SMPP 3.4 3.2.4, 5.3). Unknown ones survive; a known one is judged only when it is asked for.

use super::{CommandStatus, PduError};

/// A parameter tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tag(pub u16);

macro_rules! tags {
    ($($name:ident = $tag:literal, $min:literal ..= $max:literal;)+) => {
        impl Tag {
            $(#[doc = concat!("`", stringify!($name), "`")] pub const $name: Tag = Tag($tag);)+

            /// The name of the specification in upper case; `None` for tags it does not name.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 { $($tag => Some(stringify!($name)),)+ _ => None }
            }

            /// Lengths a value of this tag may have, in octets.
            #[must_use]
            pub const fn lengths(self) -> core::ops::RangeInclusive<usize> {
                match self.0 { $($tag => $min..=$max,)+ _ => 0..=65_535 }
            }
        }
    };
}

tags! {
    DEST_ADDR_SUBUNIT = 0x0005, 1..=1;
    DEST_NETWORK_TYPE = 0x0006, 1..=1;
    DEST_BEARER_TYPE = 0x0007, 1..=1;
    DEST_TELEMATICS_ID = 0x0008, 2..=2;
    SOURCE_ADDR_SUBUNIT = 0x000D, 1..=1;
    SOURCE_NETWORK_TYPE = 0x000E, 1..=1;
    SOURCE_BEARER_TYPE = 0x000F, 1..=1;
    SOURCE_TELEMATICS_ID = 0x0010, 1..=1;
    QOS_TIME_TO_LIVE = 0x0017, 4..=4;
    PAYLOAD_TYPE = 0x0019, 1..=1;
    ADDITIONAL_STATUS_INFO_TEXT = 0x001D, 0..=256;
    RECEIPTED_MESSAGE_ID = 0x001E, 0..=65;
    MS_MSG_WAIT_FACILITIES = 0x0030, 1..=1;
    PRIVACY_INDICATOR = 0x0201, 1..=1;
    SOURCE_SUBADDRESS = 0x0202, 2..=23;
    DEST_SUBADDRESS = 0x0203, 2..=23;
    USER_MESSAGE_REFERENCE = 0x0204, 2..=2;
    USER_RESPONSE_CODE = 0x0205, 1..=1;
    SOURCE_PORT = 0x020A, 2..=2;
    DESTINATION_PORT = 0x020B, 2..=2;
    SAR_MSG_REF_NUM = 0x020C, 2..=2;
    LANGUAGE_INDICATOR = 0x020D, 1..=1;
    SAR_TOTAL_SEGMENTS = 0x020E, 1..=1;
    SAR_SEGMENT_SEQNUM = 0x020F, 1..=1;
    SC_INTERFACE_VERSION = 0x0210, 1..=1;
    CALLBACK_NUM_PRES_IND = 0x0302, 1..=1;
    CALLBACK_NUM_ATAG = 0x0303, 0..=65;
    NUMBER_OF_MESSAGES = 0x0304, 1..=1;
    CALLBACK_NUM = 0x0381, 4..=19;
    DPF_RESULT = 0x0420, 1..=1;
    SET_DPF = 0x0421, 1..=1;
    MS_AVAILABILITY_STATUS = 0x0422, 1..=1;
    NETWORK_ERROR_CODE = 0x0423, 3..=3;
    MESSAGE_PAYLOAD = 0x0424, 0..=65_535;
    DELIVERY_FAILURE_REASON = 0x0425, 1..=1;
    MORE_MESSAGES_TO_SEND = 0x0426, 1..=1;
    MESSAGE_STATE = 0x0427, 1..=1;
    CONGESTION_STATE = 0x0428, 1..=1;
    USSD_SERVICE_OP = 0x0501, 1..=1;
    BROADCAST_CHANNEL_INDICATOR = 0x0600, 0..=65_535;
    BROADCAST_CONTENT_TYPE = 0x0601, 0..=65_535;
    BROADCAST_CONTENT_TYPE_INFO = 0x0602, 0..=65_535;
    BROADCAST_MESSAGE_CLASS = 0x0603, 0..=65_535;
    BROADCAST_REP_NUM = 0x0604, 0..=65_535;
    BROADCAST_FREQUENCY_INTERVAL = 0x0605, 0..=65_535;
    BROADCAST_AREA_IDENTIFIER = 0x0606, 0..=65_535;
    BROADCAST_ERROR_STATUS = 0x0607, 0..=65_535;
    BROADCAST_AREA_SUCCESS = 0x0608, 0..=65_535;
    BROADCAST_END_TIME = 0x0609, 0..=65_535;
    BROADCAST_SERVICE_GROUP = 0x060A, 0..=65_535;
    BILLING_IDENTIFICATION = 0x060B, 1..=1_024;
    SOURCE_NETWORK_ID = 0x060D, 7..=65;
    DEST_NETWORK_ID = 0x060E, 7..=65;
    SOURCE_NODE_ID = 0x060F, 6..=6;
    DEST_NODE_ID = 0x0610, 6..=6;
    DEST_ADDR_NP_RESOLUTION = 0x0611, 1..=1;
    DEST_ADDR_NP_INFORMATION = 0x0612, 10..=10;
    DEST_ADDR_NP_COUNTRY = 0x0613, 1..=5;
    DISPLAY_TIME = 0x1201, 1..=1;
    SMS_SIGNAL = 0x1203, 2..=2;
    MS_VALIDITY = 0x1204, 1..=4;
    ALERT_ON_MESSAGE_DELIVERY = 0x130C, 0..=1;
    ITS_REPLY_TYPE = 0x1380, 1..=1;
    ITS_SESSION_INFO = 0x1383, 2..=2;
}

/// The optional parameters of a PDU, a sequence of whole TLVs.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Tlvs<'a>(&'a [u8]);

/// Values are shown by their length: they may be message text.
impl core::fmt::Debug for Tlvs<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_map().entries(self.iter().map(|(tag, value)| (tag, [value.len()]))).finish()
    }
}

impl<'a> Tlvs<'a> {
    /// Takes a region that must be a sequence of whole TLVs.
    ///
    /// # Errors
    /// A length runs past the end: ESME_RINVOPTPARSTREAM. A known parameter has a length it cannot have:
    /// ESME_RINVPARLEN.
    pub fn parse(region: &'a [u8]) -> Result<Tlvs<'a>, PduError> {
        let mut rest = region;
        while !rest.is_empty() {
            let at = region.len() - rest.len();
            let bad = |status| PduError { status, what: "optional parameter", at };
            let (tag, value, after) = split(rest).ok_or_else(|| bad(CommandStatus::ESME_RINVOPTPARSTREAM))?;
            if !tag.lengths().contains(&value.len()) {
                return Err(bad(CommandStatus::ESME_RINVPARLEN));
            }
            rest = after;
        }
        Ok(Tlvs(region))
    }

    /// The TLVs of a region up to the first that runs past its end.
    #[must_use]
    pub fn whole_ones(region: &'a [u8]) -> Tlvs<'a> {
        let mut rest = region;
        while let Some((_, _, after)) = split(rest) {
            rest = after;
        }
        Tlvs(region.get(..region.len() - rest.len()).unwrap_or_default())
    }

    /// The region as on the wire.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Tags and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (Tag, &'a [u8])> + use<'a> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (tag, value, after) = split(rest)?;
            rest = after;
            Some((tag, value))
        })
    }

    /// The value of the first parameter with this tag.
    #[must_use]
    pub fn get(&self, tag: Tag) -> Option<&'a [u8]> {
        self.iter().find(|(key, _)| *key == tag).map(|(_, value)| value)
    }

    /// A one-octet value.
    #[must_use]
    pub fn u8(&self, tag: Tag) -> Option<u8> {
        self.get(tag)?.first().copied()
    }

    /// A two-octet value.
    #[must_use]
    pub fn u16(&self, tag: Tag) -> Option<u16> {
        let value = self.get(tag)?;
        Some(u16::from_be_bytes([*value.first()?, *value.get(1)?]))
    }

    /// A four-octet value.
    #[must_use]
    pub fn u32(&self, tag: Tag) -> Option<u32> {
        self.get(tag)?.try_into().ok().map(u32::from_be_bytes)
    }

    /// A C-Octet String value; some SM-SCs leave its NUL out.
    #[must_use]
    pub fn c_octets(&self, tag: Tag) -> Option<&'a [u8]> {
        let value = self.get(tag)?;
        let end = memchr::memchr(0, value).unwrap_or(value.len());
        value.get(..end)
    }
}

fn split(region: &[u8]) -> Option<(Tag, &[u8], &[u8])> {
    let [t1, t0, l1, l0, rest @ ..] = region else { return None };
    let (value, after) = rest.split_at_checked(usize::from(u16::from_be_bytes([*l1, *l0])))?;
    Some((Tag(u16::from_be_bytes([*t1, *t0])), value, after))
}

/// Appends one parameter. A value beyond 65535 octets is cut.
pub fn put(out: &mut Vec<u8>, tag: Tag, value: &[u8]) {
    let value = value.get(..value.len().min(65_535)).unwrap_or_default();
    out.extend_from_slice(&tag.0.to_be_bytes());
    out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(value);
}
