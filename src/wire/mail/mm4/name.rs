//! The header fields of MM4 by name (3GPP TS 23.140 8.4.5), other spellings that are met, and their values in a mail.

use crate::wire::mail::header;
use crate::wire::scan;

macro_rules! names {
    ($($name:ident = $written:literal $(, $other:literal)*;)+) => {
        /// A header field of an MM4 mail.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum Name { $($name,)+ }

        impl Name {
            /// Every one.
            pub const ALL: &[Name] = &[$(Name::$name,)+];

            /// As it is written.
            #[must_use]
            pub const fn written(self) -> &'static [u8] {
                match self { $(Name::$name => $written,)+ }
            }

            /// The field of this name, in any case.
            #[must_use]
            pub fn of(name: &[u8]) -> Option<Name> {
                $(if scan::is(name, $written) $(|| scan::is(name, $other))* { return Some(Name::$name); })+
                None
            }
        }
    };
}

names! {
    Version = b"X-Mms-3GPP-MMS-Version", b"X-Mms-MMS-Version";
    MessageType = b"X-Mms-Message-Type";
    TransactionId = b"X-Mms-Transaction-ID";
    MessageId = b"X-Mms-Message-ID";
    MessageClass = b"X-Mms-Message-Class";
    Expiry = b"X-Mms-Expiry";
    DeliveryReport = b"X-Mms-Delivery-Report";
    OriginatorRsDeliveryReport = b"X-Mms-Originator-R/S-Delivery-Report";
    Priority = b"X-Mms-Priority";
    SenderVisibility = b"X-Mms-Sender-Visibility";
    ReadReply = b"X-Mms-Read-Reply", b"X-Mms-Read-Report";
    AckRequest = b"X-Mms-Ack-Request";
    ForwardCounter = b"X-Mms-Forward-Counter";
    OriginatorSystem = b"X-Mms-Originator-System";
    ForwardRoute = b"X-Mms-Forward-Route";
    ReturnRoute = b"X-Mms-Return-Route";
    OriginatorRecipientAddress = b"X-Mms-Originator-Recipient-Address";
    ApplicId = b"X-Mms-Applic-ID";
    RequestStatusCode = b"X-Mms-Request-Status-Code";
    StatusText = b"X-Mms-Status-Text";
    RequestRecipients = b"X-Mms-Request-Recipients";
    MmStatusCode = b"X-Mms-MM-Status-Code";
    MmStatusExtension = b"X-Mms-MM-Status-Extension";
    ForwardToOriginatorUa = b"X-Mms-Forward-To-Originator-UA";
    ReadStatus = b"X-Mms-Read-Status", b"X-Mms-MM-Read-Status";
    Sender = b"Sender";
    From = b"From";
    To = b"To";
    Cc = b"Cc";
    Subject = b"Subject";
    Date = b"Date";
    MailId = b"Message-ID";
    MimeVersion = b"MIME-Version";
    ContentType = b"Content-Type";
    ContentTransferEncoding = b"Content-Transfer-Encoding";
}

/// The first value of each field that is not empty.
pub(super) struct Values<'a>([&'a [u8]; Name::ALL.len()]);

impl<'a> Values<'a> {
    pub(super) fn read(head: &'a [u8]) -> Values<'a> {
        let mut values = Values([b"".as_slice(); Name::ALL.len()]);
        for field in header::fields(head) {
            let place = Name::of(field.name).and_then(|name| values.0.get_mut(name as usize));
            if let Some(place) = place.filter(|place| place.is_empty()) {
                *place = field.value;
            }
        }
        values
    }

    /// Empty if it is absent.
    pub(super) fn get(&self, name: Name) -> &'a [u8] {
        self.0.get(name as usize).copied().unwrap_or_default()
    }
}
