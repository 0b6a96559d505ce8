//! imdn.Disposition-Notification: which notifications a sender asks for. RFC 5438 6.3.3, and OMA's "interworking".

/// The requested notifications.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "five independent tokens of one list")]
pub struct Dispositions {
    /// positive-delivery
    pub positive_delivery: bool,
    /// negative-delivery
    pub negative_delivery: bool,
    /// processing
    pub processing: bool,
    /// display
    pub display: bool,
    /// interworking (OMA CPM): say so when the message left for another network.
    pub interworking: bool,
}

impl Dispositions {
    /// Nothing is asked for.
    pub const NONE: Dispositions = Dispositions {
        positive_delivery: false,
        negative_delivery: false,
        processing: false,
        display: false,
        interworking: false,
    };

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Dispositions::NONE
    }

    /// These and what the comma-separated `list` names; parameters and unknown tokens are passed over.
    #[must_use]
    pub fn with_list(mut self, list: &[u8]) -> Dispositions {
        for item in list.split(|octet| *octet == b',') {
            let token = item.split(|octet| *octet == b';').next().unwrap_or_default().trim_ascii();
            if let Some((_, field)) = TOKENS.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(token)) {
                *field(&mut self) = true;
            }
        }
        self
    }

    /// Appends the list, tokens separated by comma and space.
    pub fn write(mut self, out: &mut Vec<u8>) {
        let mut separator: &[u8] = b"";
        for (name, field) in TOKENS {
            if *field(&mut self) {
                out.extend_from_slice(separator);
                out.extend_from_slice(name.as_bytes());
                separator = b", ";
            }
        }
    }
}

type Field = fn(&mut Dispositions) -> &mut bool;

const TOKENS: [(&str, Field); 5] = [
    ("positive-delivery", |dispositions| &mut dispositions.positive_delivery),
    ("negative-delivery", |dispositions| &mut dispositions.negative_delivery),
    ("processing", |dispositions| &mut dispositions.processing),
    ("display", |dispositions| &mut dispositions.display),
    ("interworking", |dispositions| &mut dispositions.interworking),
];
