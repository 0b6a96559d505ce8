//! Header field names with their compact forms (RFC 3261 7.3.3 and the registry).

use crate::wire::scan;

macro_rules! names {
    ($($variant:ident $text:literal $($compact:literal)?),+ $(,)?) => {
        /// A header field name we know.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Name {
            $(#[doc = $text] $variant,)+
            /// A name not in the list; the field is kept as it came.
            Other,
        }

        const KNOWN: &[(Name, &str)] = &[$((Name::$variant, $text)),+];

        impl Name {
            /// The name as written on the wire; of `Other`, the empty one.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Name::$variant => $text,)+ Name::Other => "" }
            }

            /// The name, and what stands between it and its value.
            #[must_use]
            pub const fn as_start(self) -> &'static str {
                match self { $(Name::$variant => concat!($text, ": "),)+ Name::Other => ": " }
            }

            fn of_compact(letter: u8) -> Name {
                match letter.to_ascii_lowercase() { $($($compact => Name::$variant,)?)+ _ => Name::Other }
            }
        }
    };
}

names! {
    Via "Via" b'v',
    From "From" b'f',
    To "To" b't',
    CallId "Call-ID" b'i',
    CSeq "CSeq",
    MaxForwards "Max-Forwards",
    Contact "Contact" b'm',
    ContentType "Content-Type" b'c',
    ContentLength "Content-Length" b'l',
    ContentEncoding "Content-Encoding" b'e',
    ContentLanguage "Content-Language",
    ContentDisposition "Content-Disposition",
    Expires "Expires",
    Date "Date",
    Require "Require",
    ProxyRequire "Proxy-Require",
    Route "Route",
    RecordRoute "Record-Route",
    Accept "Accept",
    AcceptContact "Accept-Contact" b'a',
    AcceptEncoding "Accept-Encoding",
    Allow "Allow",
    Supported "Supported" b'k',
    Unsupported "Unsupported",
    Subject "Subject" b's',
    Priority "Priority",
    Privacy "Privacy",
    PAssertedIdentity "P-Asserted-Identity",
    PAssertedService "P-Asserted-Service",
    PPreferredService "P-Preferred-Service",
    ConversationId "Conversation-ID",
    ContributionId "Contribution-ID",
    InReplyToContributionId "InReplyTo-Contribution-ID",
    MessageContext "Message-Context",
    MessageCorrelator "Message-Correlator",
    UserAgent "User-Agent",
    Server "Server",
    RetryAfter "Retry-After",
    Reason "Reason",
    ReferredBy "Referred-By" b'b',
    Warning "Warning",
    SessionExpires "Session-Expires" b'x',
    MinSe "Min-SE",
    RSeq "RSeq",
    RAck "RAck",
}

const SLOTS: usize = 128;
const FREE: u8 = u8::MAX;
const _: () = assert!(KNOWN.len() < SLOTS / 2, "room to probe");

/// Where each known name is found: its slot or the next free one after it.
static TABLE: [u8; SLOTS] = table();

const fn table() -> [u8; SLOTS] {
    let mut slots = [FREE; SLOTS];
    let mut at = 0;
    while at < KNOWN.len() {
        let mut slot = slot(KNOWN[at].1.as_bytes());
        while slots[slot] != FREE {
            slot = (slot + 1) % SLOTS;
        }
        #[allow(clippy::cast_possible_truncation, reason = "KNOWN.len() is asserted above")]
        let position = at as u8;
        slots[slot] = position;
        at += 1;
    }
    slots
}

/// Length, first and last letter in any case, which bit 5 tells; the factors are the ones by which the known names collide least.
const fn slot(name: &[u8]) -> usize {
    match name {
        [first, .., last] => {
            let (first, last) = ((*first | 0x20) as usize, (*last | 0x20) as usize);
            (name.len() * 5 + first * 57 + last * 17) % SLOTS
        }
        _ => 0,
    }
}

const fn singles() -> u64 {
    let (mut bits, mut at) = (0, 0);
    while at < KNOWN.len() {
        let name = KNOWN[at].0;
        bits |= (name.is_single() as u64) << name as u32;
        at += 1;
    }
    bits
}

impl Name {
    /// A bit for each name that a message may hold only once.
    pub(super) const SINGLES: u64 = singles();

    /// How many names there are, `Other` not counted.
    pub const COUNT: usize = KNOWN.len();

    /// The name that `name` stands for, in any case, long or compact.
    #[must_use]
    pub fn parse(name: &[u8]) -> Name {
        match name {
            [letter] => Name::of_compact(*letter),
            _ => Name::of_long(name),
        }
    }

    /// The name that is written so on the wire, letter for letter, as nearly every name comes.
    #[inline]
    pub(super) fn spelled(name: &[u8]) -> Option<Name> {
        Name::probe(name, |known| scan::same(known, name))
    }

    fn of_long(name: &[u8]) -> Name {
        Name::probe(name, |known| name.eq_ignore_ascii_case(known)).unwrap_or(Name::Other)
    }

    #[inline]
    fn probe(name: &[u8], is: impl Fn(&[u8]) -> bool) -> Option<Name> {
        let mut at = slot(name);
        while let Some((known, text)) = KNOWN.get(usize::from(TABLE[at])) {
            if is(text.as_bytes()) {
                return Some(*known);
            }
            at = (at + 1) % SLOTS;
        }
        None
    }

    /// Whether a comma separates values of this header, as if it were repeated (RFC 3261 7.3.1). Not where the grammar
    /// has a comma of its own: dates, comments, text.
    #[must_use]
    pub const fn is_list(self) -> bool {
        !self.is_single()
            && !matches!(self, Name::Subject | Name::UserAgent | Name::Server | Name::RetryAfter | Name::Other)
    }

    /// Whether a message may hold this header only once (RFC 3261 20 and 7.3.1).
    #[must_use]
    pub const fn is_single(self) -> bool {
        matches!(
            self,
            Name::From
                | Name::To
                | Name::CallId
                | Name::CSeq
                | Name::MaxForwards
                | Name::ContentLength
                | Name::ContentType
                | Name::ContentDisposition
                | Name::Expires
                | Name::Date
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_compact_and_any_case() {
        assert_eq!(Name::parse(b"VIA"), Name::Via);
        assert_eq!(Name::parse(b"l"), Name::ContentLength);
        assert_eq!(Name::parse(b"call-id"), Name::CallId);
        assert_eq!(Name::parse(b"X-Mine"), Name::Other);
        assert_eq!(Name::parse(b""), Name::Other);
    }

    #[test]
    fn every_name_is_found_within_two_probes() {
        for (name, text) in KNOWN {
            assert_eq!(Name::parse(text.to_ascii_uppercase().as_bytes()), *name);
            let home = slot(text.as_bytes());
            let near =
                (0..3).any(|step| KNOWN.get(usize::from(TABLE[(home + step) % SLOTS])).is_some_and(|k| k.0 == *name));
            assert!(near, "{text}");
        }
    }
}
