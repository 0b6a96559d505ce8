//! The disposition notification document, message/imdn+xml. RFC 5438 7.2 and its schema; the interworking notification
//! of CPM IWF V3.0 6.2.4 and Appendix O.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::xml::element;
use crate::limits;
use crate::wire::Malformed;

/// The media type of the document.
pub const CONTENT_TYPE: &str = "message/imdn+xml";

/// Which notification it is: the name of the element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notification {
    /// delivery-notification
    Delivery,
    /// display-notification
    Display,
    /// processing-notification
    Processing,
    /// interworking-notification (OMA CPM)
    Interworking,
}

/// What it says: the element inside `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// delivered
    Delivered,
    /// displayed
    Displayed,
    /// processed
    Processed,
    /// stored
    Stored,
    /// failed
    Failed,
    /// forbidden
    Forbidden,
    /// error
    Error,
    /// legacy-sms (OMA CPM): it left as a short message.
    LegacySms,
    /// legacy-mms (OMA CPM): it left as a multimedia message.
    LegacyMms,
}

/// How an interworking notification is written. On reading both forms are known, and any prefixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InterworkingForm {
    /// All of it in the OMA namespace, prefix cpmimdn: valid against the schema of RFC 5438, whose extensions must lie
    /// outside the IMDN namespace.
    #[default]
    OmaNamespace,
    /// Notification and status in the IMDN namespace, only legacy-sms and legacy-mms in OMA's: what newer clients write.
    ImdnNamespace,
}

/// A notification to be written. Empty values are left out.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// message-id: imdn.Message-ID of the message reported on.
    pub message_id: &'a str,
    /// datetime: `DateTime` of the message reported on.
    pub datetime: &'a str,
    /// recipient-uri
    pub recipient_uri: &'a str,
    /// original-recipient-uri; if empty the same as recipient-uri, as the schema has both or neither.
    pub original_recipient_uri: &'a str,
    /// subject; written only with recipient-uri, which the schema wants before it.
    pub subject: &'a str,
    /// Which notification.
    pub notification: Notification,
    /// What it says.
    pub status: Status,
    /// How to write an interworking notification.
    pub interworking_form: InterworkingForm,
}

/// A received notification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document<'a> {
    /// message-id, without surrounding space.
    pub message_id: Cow<'a, str>,
    /// datetime
    pub datetime: Cow<'a, str>,
    /// recipient-uri, empty if absent.
    pub recipient_uri: Cow<'a, str>,
    /// original-recipient-uri, empty if absent.
    pub original_recipient_uri: Cow<'a, str>,
    /// subject, empty if absent.
    pub subject: Cow<'a, str>,
    /// Every notification in order: the schema has one, and one extension beside it. Those with a status we do not know
    /// are left out.
    pub notifications: Outcomes,
}

/// The notifications of one document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    found: [Option<(Notification, Status)>; limits::IMDN_NOTIFICATIONS_MAX],
}

impl Outcomes {
    /// In the order of the document.
    pub fn iter(&self) -> impl Iterator<Item = (Notification, Status)> + '_ {
        self.found.iter().flatten().copied()
    }

    fn push(&mut self, notification: Notification, status: Status) {
        if let Some(place) = self.found.iter_mut().find(|place| place.is_none()) {
            *place = Some((notification, status));
        }
    }
}

impl Notification {
    /// The name of the element.
    #[must_use]
    pub const fn element(self) -> &'static str {
        match self {
            Notification::Delivery => "delivery-notification",
            Notification::Display => "display-notification",
            Notification::Processing => "processing-notification",
            Notification::Interworking => "interworking-notification",
        }
    }

    fn of_element(name: &str) -> Option<Notification> {
        const ALL: [Notification; 4] =
            [Notification::Delivery, Notification::Display, Notification::Processing, Notification::Interworking];
        ALL.into_iter().find(|known| known.element() == name)
    }
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 9] = [
        Status::Delivered,
        Status::Displayed,
        Status::Processed,
        Status::Stored,
        Status::Failed,
        Status::Forbidden,
        Status::Error,
        Status::LegacySms,
        Status::LegacyMms,
    ];

    /// The name of the element.
    #[must_use]
    pub const fn element(self) -> &'static str {
        match self {
            Status::Delivered => "delivered",
            Status::Displayed => "displayed",
            Status::Processed => "processed",
            Status::Stored => "stored",
            Status::Failed => "failed",
            Status::Forbidden => "forbidden",
            Status::Error => "error",
            Status::LegacySms => "legacy-sms",
            Status::LegacyMms => "legacy-mms",
        }
    }

    /// Whether the element comes from OMA's namespace in either form.
    const fn is_oma(self) -> bool {
        matches!(self, Status::LegacySms | Status::LegacyMms)
    }
}

impl Report<'_> {
    /// Appends the document.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(
            b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\"",
        );
        match (self.notification, self.interworking_form) {
            (Notification::Interworking, InterworkingForm::OmaNamespace) => {
                out.extend_from_slice(b" xmlns:cpmimdn=\"urn:oma:xml:cpm:imdn-extensions:1.0\"");
            }
            (Notification::Interworking, InterworkingForm::ImdnNamespace) => {
                out.extend_from_slice(b" xmlns:cpm=\"urn:oma:xml:cpm:imdn-extensions:1.0\"");
            }
            _ => {}
        }
        out.push(b'>');
        self.write_children(out);
        out.extend_from_slice(b"</imdn>");
    }

    fn write_children(&self, out: &mut Vec<u8>) {
        element("message-id", self.message_id, out);
        element("datetime", self.datetime, out);
        element("recipient-uri", self.recipient_uri, out);
        element("original-recipient-uri", self.original_recipient(), out);
        if !self.recipient_uri.is_empty() {
            element("subject", self.subject, out);
        }
        let (outer, inner) = self.prefixes();
        prefixed(b"<", outer, self.notification.element(), b">", out);
        prefixed(b"<", outer, "status", b">", out);
        prefixed(b"<", inner, self.status.element(), b"/>", out);
        prefixed(b"</", outer, "status", b">", out);
        prefixed(b"</", outer, self.notification.element(), b">", out);
    }

    /// The schema has both URIs or neither, so where nobody replaced the recipient it was the original one.
    const fn original_recipient(&self) -> &str {
        if self.original_recipient_uri.is_empty() { self.recipient_uri } else { self.original_recipient_uri }
    }

    /// The prefixes of the notification and of the status element inside it.
    const fn prefixes(&self) -> (&'static str, &'static str) {
        match (self.notification, self.interworking_form) {
            (Notification::Interworking, InterworkingForm::OmaNamespace) => ("cpmimdn:", "cpmimdn:"),
            (Notification::Interworking, InterworkingForm::ImdnNamespace) if self.status.is_oma() => ("", "cpm:"),
            _ => ("", ""),
        }
    }
}

#[inline(always)]
fn prefixed(open: &[u8], prefix: &str, name: &str, close: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(open);
    out.extend_from_slice(prefix.as_bytes());
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(close);
}

/// Reads a document, matching elements by local name: clients disagree about namespaces.
///
/// # Errors
/// [`Malformed`] for what is no XML or no IMDN, a document type definition, more than [`limits::IMDN_OCTETS_MAX`] octets
/// or [`limits::IMDN_DEPTH_MAX`] levels, or a document without message-id.
pub fn read(bytes: &[u8]) -> Result<Document<'_>, Malformed> {
    if bytes.len() > limits::IMDN_OCTETS_MAX {
        return Err(Malformed::new("IMDN size", limits::IMDN_OCTETS_MAX));
    }
    let text = str::from_utf8(bytes).map_err(|error| Malformed::new("IMDN UTF-8", error.valid_up_to()))?;
    let text = text.trim_start_matches('\u{FEFF}');
    let mut reading = Reading::default();
    let mut reader = Reader::from_str(text);
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let event = reader.read_event().map_err(|_| Malformed::new("IMDN XML", at))?;
        if !reading.take(event).map_err(|what| Malformed::new(what, at))? {
            break;
        }
    }
    reading.finish()
}

/// A document half read.
#[derive(Default)]
struct Reading<'a> {
    document: Document<'a>,
    depth: usize,
    seen_root: bool,
    /// The text element we are in.
    field: Option<Field>,
    notification: Option<Notification>,
}

#[derive(Clone, Copy)]
enum Field {
    MessageId,
    Datetime,
    RecipientUri,
    OriginalRecipientUri,
    Subject,
}

impl<'a> Reading<'a> {
    /// Takes one event in; `false` at the end of the document.
    fn take(&mut self, event: Event<'a>) -> Result<bool, &'static str> {
        match event {
            Event::Start(start) => self.open(start.local_name().as_ref())?,
            Event::Empty(start) => {
                self.open(start.local_name().as_ref())?;
                self.close();
            }
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(text.xml10_content()),
            Event::CData(text) => self.text(text.xml10_content()),
            Event::GeneralRef(reference) => self.text(Cow::Owned(resolve(&reference)?.into())),
            Event::DocType(_) => return Err("IMDN document type definition"),
            Event::Eof => return Ok(false),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        Ok(true)
    }

    fn open(&mut self, name: &str) -> Result<(), &'static str> {
        match self.depth {
            0 if name == "imdn" && !self.seen_root => self.seen_root = true,
            0 => return Err("IMDN root"),
            1 => {
                self.field = field_of(name);
                self.notification = Notification::of_element(name);
            }
            limits::IMDN_DEPTH_MAX.. => return Err("IMDN depth"),
            _ => self.status(name),
        }
        self.depth += 1;
        Ok(())
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.depth <= 1 {
            self.field = None;
            self.notification = None;
        }
    }

    /// `status` itself is no status, so the first known name inside the notification is it.
    fn status(&mut self, name: &str) {
        let status = Status::ALL.into_iter().find(|known| known.element() == name);
        if let (Some(notification), Some(status)) = (self.notification, status) {
            self.document.notifications.push(notification, status);
        }
    }

    fn text(&mut self, text: Cow<'a, str>) {
        let document = &mut self.document;
        let place = match self.field {
            Some(Field::MessageId) => &mut document.message_id,
            Some(Field::Datetime) => &mut document.datetime,
            Some(Field::RecipientUri) => &mut document.recipient_uri,
            Some(Field::OriginalRecipientUri) => &mut document.original_recipient_uri,
            Some(Field::Subject) => &mut document.subject,
            None => return,
        };
        if place.is_empty() { *place = text } else { place.to_mut().push_str(&text) }
    }

    fn finish(mut self) -> Result<Document<'a>, Malformed> {
        let document = &mut self.document;
        trim(&mut document.message_id);
        trim(&mut document.datetime);
        trim(&mut document.recipient_uri);
        trim(&mut document.original_recipient_uri);
        match self.depth {
            0 if self.seen_root && !self.document.message_id.is_empty() => Ok(self.document),
            0 => Err(Malformed::new("IMDN message-id", 0)),
            _ => Err(Malformed::new("IMDN end", 0)),
        }
    }
}

fn field_of(name: &str) -> Option<Field> {
    match name {
        "message-id" => Some(Field::MessageId),
        "datetime" => Some(Field::Datetime),
        "recipient-uri" => Some(Field::RecipientUri),
        "original-recipient-uri" => Some(Field::OriginalRecipientUri),
        "subject" => Some(Field::Subject),
        _ => None,
    }
}

/// A character reference or one of XML's own five entities; without a DTD there are no others.
fn resolve(reference: &BytesRef<'_>) -> Result<char, &'static str> {
    if let Ok(Some(c)) = reference.resolve_char_ref() {
        return Ok(c);
    }
    match reference.as_ref() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => Err("IMDN entity"),
    }
}

fn trim(text: &mut Cow<'_, str>) {
    let trimmed = text.trim();
    if trimmed.len() != text.len() {
        *text = Cow::Owned(trimmed.to_owned());
    }
}
