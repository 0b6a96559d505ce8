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

/// Octets of a header line that tell its name from all others.
const START_BYTES: usize = 16;

/// How a header line starts: its name and the colon, or as much of them as fits, then zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Start([u64; 2]);

impl Start {
    /// The start of a line of this name.
    const fn of_name(name: &[u8]) -> Start {
        let (mut octets, mut at) = ([0; START_BYTES], 0);
        while at < START_BYTES && at <= name.len() {
            octets[at] = if at < name.len() { name[at] } else { b':' };
            at += 1;
        }
        Start(scan::words(&octets))
    }

    /// The start of `line`, and where its colon is; 0 if that is no part of it.
    #[inline]
    fn of_line(line: &[u8; START_BYTES]) -> (Start, usize) {
        let [first, second] = scan::words(line);
        if let Some((until, at)) = scan::until(first, b':') {
            return (Start([until, 0]), at);
        }
        match scan::until(second, b':') {
            Some((until, at)) => (Start([first, until]), START_BYTES / 2 + at),
            None => (Start([first, second]), 0),
        }
    }

    /// The place of its name in the table. The factor is one by which no two known names meet, in whatever case.
    const fn slot(self) -> usize {
        const CASE: u64 = u64::from_ne_bytes([0x20; 8]);
        let Start([first, second]) = self;
        let mixed = (first | CASE) ^ (second | CASE).rotate_left(13);
        #[allow(clippy::cast_possible_truncation, reason = "the seven upper bits are left")]
        let slot = (mixed.wrapping_mul(0xb488_e226_3fd4_64fd) >> 57) as usize;
        slot
    }
}

/// A known name by its start; `Other` in a free slot.
#[derive(Clone, Copy, Debug)]
struct Known {
    start: Start,
    name: Name,
    text: &'static str,
}

impl Known {
    /// The same as [`Name::at_start`], of a name that is longer than its start.
    #[inline(never)]
    fn going_on(&self, line: &[u8]) -> (Option<Name>, usize) {
        match line.strip_prefix(self.text.as_bytes()) {
            Some([b':', ..]) => (Some(self.name), self.text.len()),
            _ => (None, 0),
        }
    }
}

/// Each known name in its slot.
static TABLE: [Known; 128] = table();

const fn table() -> [Known; 128] {
    let mut slots = [Known { start: Start([0; 2]), name: Name::Other, text: "" }; 128];
    let mut at = 0;
    while at < KNOWN.len() {
        let (name, text) = KNOWN[at];
        let start = Start::of_name(text.as_bytes());
        assert!(matches!(slots[start.slot()].name, Name::Other), "two names meet in one slot");
        slots[start.slot()] = Known { start, name, text };
        at += 1;
    }
    slots
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

/// Some names.
#[derive(Clone, Copy, Debug)]
pub struct Names(u64);

impl Names {
    /// These names; `Other` is one.
    #[must_use]
    pub const fn of(names: &[Name]) -> Names {
        let (mut bits, mut at) = (0, 0);
        while at < names.len() {
            bits |= 1 << names[at] as u32;
            at += 1;
        }
        Names(bits)
    }

    /// Whether `name` is one of them.
    #[inline]
    #[must_use]
    pub const fn has(self, name: Name) -> bool {
        self.0 >> name as u32 & 1 == 1
    }
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

    /// The name that `line` starts with, if it is written letter for letter as in the list, as nearly every one comes;
    /// and where its colon is, or 0 if that was not looked for.
    #[inline(always)]
    pub(super) fn at_start(line: &[u8]) -> (Option<Name>, usize) {
        let Some(first) = line.first_chunk() else { return (None, 0) };
        let (start, colon) = Start::of_line(first);
        let known = &TABLE[start.slot()];
        match (known.start == start, colon) {
            (true, 0) => known.going_on(line),
            (true, 1..) => (Some(known.name), colon),
            _ => (None, colon),
        }
    }

    fn of_long(name: &[u8]) -> Name {
        let known = &TABLE[Start::of_name(name).slot()];
        if name.eq_ignore_ascii_case(known.text.as_bytes()) { known.name } else { Name::Other }
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
    fn every_name_is_found_in_any_case_and_at_the_start_of_its_line() {
        for (name, text) in KNOWN {
            assert_eq!(Name::parse(text.to_ascii_uppercase().as_bytes()), *name);
            let at_start = Name::at_start(format!("{text}: and its value").as_bytes());
            assert_eq!(at_start, (Some(*name), text.len()));
        }
    }

    #[test]
    fn a_line_starts_with_nothing_but_its_name() {
        let at_start = |line: &str| Name::at_start(line.as_bytes());
        assert_eq!(at_start("via: and its value"), (None, 3));
        assert_eq!(at_start("Via\0: and its value"), (None, 4));
        assert_eq!(at_start("Call-ID : a and its value"), (None, 8));
        assert_eq!(at_start("To: short"), (None, 0));
        assert_eq!(at_start("no colon in the first octets: x"), (None, 0));
    }
}
