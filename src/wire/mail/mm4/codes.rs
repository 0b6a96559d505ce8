//! Values that the header fields choose from. Compared without case; written as TS 23.140 8.4.5 writes them.

use super::id::unquoted;
use crate::wire::mail::header::unfolded;

/// Which request a response belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ResKind {
    /// MM4_forward.RES.
    #[default]
    Forward,
    /// MM4_delivery_report.RES.
    DeliveryReport,
    /// MM4_read_reply_report.RES.
    ReadReplyReport,
}

/// X-Mms-Expiry: until when the message can be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// A moment, in seconds since 1970-01-01T00:00:00Z.
    At(i64),
    /// Seconds from Date, or from the receipt of a mail without it.
    In(u32),
}

impl Expiry {
    /// The moment, in seconds since 1970-01-01T00:00:00Z, if the message is of `date_unix_s`.
    #[must_use]
    pub fn unix_s(self, date_unix_s: i64) -> i64 {
        match self {
            Expiry::At(unix_s) => unix_s,
            Expiry::In(seconds) => date_unix_s.saturating_add(i64::from(seconds)),
        }
    }
}

macro_rules! tokens {
    ($(#[$about:meta])* $type:ident { $($(#[$variant_about:meta])* $name:ident = $token:literal $(, $other:literal)*;)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type { $($(#[$variant_about])* $name,)+ }

        impl $type {
            /// The value as it is written; `None` if it is no known one.
            #[must_use]
            pub fn from_token(token: &[u8]) -> Option<$type> {
                let token = unquoted(token);
                $(if is(token, $token) $(|| is(token, $other))* { return Some($type::$name); })+
                None
            }

            /// As it is written.
            #[must_use]
            pub const fn token(self) -> &'static [u8] {
                match self { $($type::$name => $token,)+ }
            }
        }
    };
}

macro_rules! statuses {
    ($(#[$about:meta])* $type:ident { $($(#[$variant_about:meta])* $name:ident = $token:literal $(, $other:literal)*;)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum $type {
            $($(#[$variant_about])* $name,)+
            /// None of these, or absent.
            #[default]
            Unknown,
        }

        impl $type {
            /// Every known one.
            pub const ALL: &[$type] = &[$($type::$name,)+];

            /// As it is written; empty if it is unknown.
            #[must_use]
            pub const fn token(self) -> &'static [u8] {
                match self { $($type::$name => $token,)+ $type::Unknown => b"" }
            }

            fn named(token: &[u8]) -> $type {
                let token = unquoted(token);
                $(if is(token, $token) $(|| is(token, $other))* { return $type::$name; })+
                $type::Unknown
            }
        }
    };
}

tokens! {
    /// X-Mms-Priority.
    Priority {
        /// Low.
        Low = b"Low";
        /// Normal.
        Normal = b"Normal", b"Medium";
        /// High.
        High = b"High";
    }
}

tokens! {
    /// X-Mms-Sender-Visibility.
    Visibility {
        /// The recipient is not told the sender's address.
        Hide = b"Hide";
        /// The recipient sees the sender's address.
        Show = b"Show";
    }
}

statuses! {
    /// X-Mms-Request-Status-Code: whether a request was accepted. The numbers of MM1 are understood, too.
    RequestStatus {
        /// Accepted.
        Ok = b"Ok", b"128", b"0", b"200";
        /// Refused without saying why.
        ErrorUnspecified = b"Error-unspecified", b"129", b"Error-permanent-failure";
        /// The sender may not do this.
        ErrorServiceDenied = b"Error-service-denied", b"130", b"Error-permanent-service-denied";
        /// The request makes no sense.
        ErrorMessageFormatCorrupt =
            b"Error-message-format-corrupt", b"131", b"Error-permanent-message-format-corrupt";
        /// There is no such recipient.
        ErrorSendingAddressUnresolved =
            b"Error-sending-address-unresolved", b"132", b"Error-permanent-sending-address-unresolved";
        /// There is no such message.
        ErrorMessageNotFound = b"Error-message-not-found", b"133", b"Error-permanent-message-not-found";
        /// The way to the recipient is disturbed.
        ErrorNetworkProblem = b"Error-network-problem", b"134";
        /// The content is too large or of a type that is not taken.
        ErrorContentNotAccepted =
            b"Error-content-not-accepted", b"135", b"Error-permanent-content-not-accepted";
        /// The type of message is not supported.
        ErrorUnsupportedMessage = b"Error-unsupported-message", b"136";
        /// Refused for now: any of the Error-transient- codes. Read, and never written by this gateway.
        ErrorTransient = b"Error-transient-failure", b"192", b"193", b"194", b"195", b"196";
    }
}

statuses! {
    /// X-Mms-MM-Status-Code: what became of a message.
    MmStatus {
        /// The recipient's client has it.
        Retrieved = b"Retrieved";
        /// The recipient or his Relay/Server refused it.
        Rejected = b"Rejected";
        /// It was not fetched in time.
        Expired = b"Expired";
        /// The Relay/Server could make nothing of it.
        Unrecognised = b"Unrecognised", b"Unrecognized";
        /// It is stored and waits to be fetched.
        Deferred = b"Deferred";
        /// Nobody knows; it was handed to mail, say.
        Indeterminate = b"Indeterminate";
        /// It was forwarded to somebody else.
        Forwarded = b"Forwarded";
        /// The recipient could not be reached.
        Unreachable = b"Unreachable";
    }
}

statuses! {
    /// X-Mms-Read-Status: what the recipient did with a message.
    ReadStatus {
        /// It was read.
        Read = b"Read";
        /// It was deleted unread.
        DeletedWithoutBeingRead = b"Deleted without being read";
    }
}

impl RequestStatus {
    /// The status behind a token or a number, in any case.
    #[must_use]
    pub fn from_token(token: &[u8]) -> RequestStatus {
        const TRANSIENT: &[u8] = b"Error-transient-";
        match unquoted(token).get(..TRANSIENT.len()) {
            Some(start) if start.eq_ignore_ascii_case(TRANSIENT) => RequestStatus::ErrorTransient,
            _ => RequestStatus::named(token),
        }
    }

    /// Whether the request was accepted.
    #[must_use]
    pub fn is_ok(self) -> bool {
        self == RequestStatus::Ok
    }
}

impl MmStatus {
    /// The status behind a token, in any case.
    #[must_use]
    pub fn from_token(token: &[u8]) -> MmStatus {
        MmStatus::named(token)
    }

    /// Whether no other report about the same recipient can be expected but that it was read.
    #[must_use]
    pub const fn is_final(self) -> bool {
        use MmStatus::{Expired, Rejected, Retrieved, Unreachable, Unrecognised};
        matches!(self, Retrieved | Rejected | Expired | Unrecognised | Unreachable)
    }
}

impl ReadStatus {
    /// The status behind a token, in any case.
    #[must_use]
    pub fn from_token(token: &[u8]) -> ReadStatus {
        ReadStatus::named(token)
    }
}

/// Whether a value is this one, in any case and folded or not.
fn is(value: &[u8], known: &[u8]) -> bool {
    unfolded(value).map(|octet| octet.to_ascii_lowercase()).eq(known.iter().map(u8::to_ascii_lowercase))
}
