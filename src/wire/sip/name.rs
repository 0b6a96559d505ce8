//! Header field names with their compact forms (RFC 3261 7.3.3 and the registry).

macro_rules! names {
    ($($variant:ident $text:literal $($compact:literal)?),+ $(,)?) => {
        /// A header field name we know.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Name {
            $(#[doc = $text] $variant,)+
            /// A name not in the list; the field is kept as it came.
            Other,
        }

        impl Name {
            /// The name as written on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Name::$variant => $text,)+ Name::Other => "" }
            }

            fn of_length(name: &[u8]) -> Name {
                $(if name.len() == $text.len() && name.eq_ignore_ascii_case($text.as_bytes()) { return Name::$variant; })+
                Name::Other
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
}

impl Name {
    /// The name that `name` stands for, in any case, long or compact.
    #[must_use]
    pub fn parse(name: &[u8]) -> Name {
        match name {
            [letter] => Name::of_compact(*letter),
            _ => Name::of_length(name),
        }
    }

    /// Whether a comma separates values of this header, as if it were repeated (RFC 3261 7.3.1).
    #[must_use]
    pub const fn is_list(self) -> bool {
        !matches!(
            self,
            Name::From
                | Name::To
                | Name::CallId
                | Name::CSeq
                | Name::MaxForwards
                | Name::ContentLength
                | Name::Date
                | Name::Subject
                | Name::Expires
        )
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
    }
}
