//! The part of the demonstration that needs MMS: a text with a picture each way.

use super::client::{Outgoing, TEXT};
use super::mmsc::parts;
use super::{ATTEMPTS_MAX, CPM_USER, Happened, SMS_USER, Stage};
use crate::wire::cpim::imdn::{Notification, Status};
use crate::wire::mail::base64;

const TO_MMS: &str = "Greetings from the \u{c4}gean, with a picture";
const TO_CPM: &str = "And greetings back, with a larger one";
const CONTENT_TYPE: &str = "multipart/related;boundary=\"demo\";type=\"text/plain\"";
/// Octets of the pictures. The larger one makes a large message.
const PICTURES_BYTES: [usize; 2] = [600, 20_000];

impl Stage {
    /// Both directions; how many messages crossed.
    pub(super) fn show_multimedia(&self) -> Result<usize, String> {
        self.trace.heading("CPM to MMS: a text with a picture");
        self.to_mms()?;
        self.trace.heading("MMS to CPM: a picture of 20 kB, which makes it a large message");
        self.mms_to_cpm()?;
        Ok(2)
    }

    /// Sends until the gateway takes it; then the MMS Relay/Server must have it and the client its report.
    fn to_mms(&self) -> Result<(), String> {
        let content = content(TO_MMS, PICTURES_BYTES[0]);
        for attempt in 0..ATTEMPTS_MAX {
            let call_id = format!("demo-mms-{attempt}");
            let message = Outgoing {
                from: CPM_USER,
                to: SMS_USER,
                message_id: "demo-mms",
                call_id: &call_id,
                content_type: CONTENT_TYPE,
                text: &content,
            };
            self.trace.sends("SIP MESSAGE demo-mms: a text and a picture");
            self.client.send(self.sip, &message);
            if self.mm_accepted(&content)? {
                self.trace.line("        arrived unchanged");
                return Ok(());
            }
        }
        Err(format!("demo-mms was refused {ATTEMPTS_MAX} times"))
    }

    /// Whether an attempt was accepted and all that must follow has happened; false if it is to be repeated.
    fn mm_accepted(&self, content: &str) -> Result<bool, String> {
        let (mut accepted, mut arrived, mut notified) = (false, false, false);
        while !(accepted && arrived && notified) {
            match self.next()? {
                Happened::Answer { code: 200..=299, .. } => accepted = true,
                Happened::Answer { code: 480 | 503, retry_after_s } => {
                    self.pause(retry_after_s);
                    return Ok(false);
                }
                Happened::MmAtMmsc(came) => arrived = unchanged(&came, content)?,
                Happened::Notified { message_id, notification: Notification::Delivery, status } => {
                    notified = message_id == "demo-mms" && status == Status::Delivered;
                }
                Happened::Notified { .. } => {}
                other => return Err(format!("{other:?} in place of an MM")),
            }
        }
        Ok(true)
    }

    fn mms_to_cpm(&self) -> Result<(), String> {
        let content = content(TO_CPM, PICTURES_BYTES[1]);
        let brought = self.mmsc.deliver(SMS_USER, CPM_USER, CONTENT_TYPE.as_bytes(), content.as_bytes());
        brought.map_err(|error| format!("the gateway took no MM: {error}"))?;
        let (mut arrived, mut answered, mut left) = (false, false, false);
        while !(arrived && answered && left) {
            match self.next()? {
                Happened::MmAtCpm(came) => arrived = unchanged(&came, &content)?,
                Happened::MmAnswered { ok: true } => answered = true,
                Happened::Left => left = true,
                other => return Err(format!("{other:?} in place of an MM")),
            }
        }
        self.trace.line("        arrived unchanged");
        Ok(())
    }
}

fn unchanged(came: &[Vec<u8>], sent: &str) -> Result<bool, String> {
    let sent = parts(CONTENT_TYPE.as_bytes(), sent.as_bytes());
    if came == sent { Ok(true) } else { Err(format!("{} parts came, or other ones than were sent", came.len())) }
}

/// A text and a picture; what a picture shows is nobody's business on the way.
fn content(text: &str, picture_bytes: usize) -> String {
    let picture: Vec<u8> = (0..picture_bytes).map(|at| u8::try_from(at * at % 251).unwrap_or_default()).collect();
    let mut encoded = Vec::new();
    base64::encode_lines(&picture, &mut encoded);
    format!(
        "--demo\r\nContent-Type: {TEXT}\r\n\r\n{text}\r\n--demo\r\nContent-Type: image/jpeg\r\n\
         Content-ID: <picture>\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--demo--\r\n",
        String::from_utf8_lossy(&encoded).trim_end()
    )
}
