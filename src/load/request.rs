//! MESSAGE requests from templates: copied, their numbers written in place, the text appended.

use super::mix::Message;
use super::settings::CpmSettings;
use super::texts::Texts;
use crate::limits::LOAD_NUMBERS;

/// Places of a template: a message's number, its telephone number, its Call-ID, the length of its body.
const NUMBER: &[u8] = b"NNNNNNNNNN";
const PHONE: &[u8] = b"PPPPP";
const CALL: &[u8] = b"CCCCCCCCCC";
const LENGTH: &[u8] = b"LLLLL";

/// The requests of a load.
#[derive(Debug)]
pub(super) struct Requests {
    /// Request line, and Via up to the address of the peer.
    first: Template,
    /// By what is asked for: positive-delivery, negative-delivery, interworking.
    rest: [Template; 8],
    call_ids: u32,
}

#[derive(Debug)]
struct Template {
    octets: Vec<u8>,
    numbers: Vec<usize>,
    phones: Vec<usize>,
    calls: Vec<usize>,
    length: Option<usize>,
    body: usize,
}

impl Requests {
    pub(super) fn new(settings: &CpmSettings, run: u32, transport: &str) -> Requests {
        let first = format!("MESSAGE tel:+{}PPPPP SIP/2.0\r\nVia: SIP/2.0/{transport} ", settings.to);
        Requests {
            first: Template::new(first.as_bytes()),
            rest: core::array::from_fn(|asks| Template::new(rest(settings, run, asks).as_bytes())),
            call_ids: settings.call_ids,
        }
    }

    /// Appends the request of a message, from the peer that Via calls `sent_by`.
    pub(super) fn write(&self, message: &Message, sent_by: &str, texts: &Texts, out: &mut Vec<u8>) {
        let reports = &message.reports;
        let asks = usize::from(reports.positive_delivery)
            | usize::from(reports.negative_delivery) << 1
            | usize::from(reports.interworking) << 2;
        self.first.write(message.number, 0, out);
        out.extend_from_slice(sent_by.as_bytes());
        let call = message.number.checked_rem(self.call_ids).unwrap_or(message.number);
        let (rest, start) = (&self.rest[asks], out.len());
        rest.write(message.number, call, out);
        texts.write_octets(message, out);
        let len = out.len() - start - rest.body;
        if let Some(length) = rest.length {
            put(out, start + length, LENGTH.len(), u32::try_from(len).unwrap_or(0));
        }
    }
}

impl Template {
    fn new(octets: &[u8]) -> Template {
        let all = |place: &[u8]| memchr::memmem::find_iter(octets, place).collect::<Vec<_>>();
        Template {
            numbers: all(NUMBER),
            phones: all(PHONE),
            calls: all(CALL),
            length: memchr::memmem::find(octets, LENGTH),
            body: memchr::memmem::find(octets, b"\r\n\r\n").map_or(0, |at| at + 4),
            octets: octets.to_vec(),
        }
    }

    fn write(&self, number: u32, call: u32, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.octets);
        let phone = number % LOAD_NUMBERS;
        self.numbers.iter().for_each(|at| put(out, start + at, NUMBER.len(), number));
        self.phones.iter().for_each(|at| put(out, start + at, PHONE.len(), phone));
        self.calls.iter().for_each(|at| put(out, start + at, CALL.len(), call));
    }
}

/// Writes `number` with as many digits.
fn put(out: &mut [u8], at: usize, digits: usize, number: u32) {
    let mut rest = number;
    for octet in out.iter_mut().skip(at).take(digits).rev() {
        *octet = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
}

/// The number that stands at the start of `octets`.
pub(super) fn read_number(octets: &[u8]) -> Option<u32> {
    let digits = octets.get(..NUMBER.len())?;
    digits.iter().try_fold(0u32, |number, octet| {
        number.checked_mul(10)?.checked_add(octet.is_ascii_digit().then(|| u32::from(octet - b'0'))?)
    })
}

/// What stands before a message's number in a branch.
pub(super) fn branch(run: u32) -> String {
    format!("z9hG4bKisl{run:08x}")
}

/// What stands before a message's number in an imdn.Message-ID.
pub(super) fn message_id(run: u32) -> String {
    format!("isl{run:08x}")
}

fn rest(settings: &CpmSettings, run: u32, asks: usize) -> String {
    let (from, to, branch, date) = (&settings.from, &settings.to, branch(run), &settings.date_time);
    let content_type = if settings.cpim { "message/cpim" } else { "text/plain;charset=UTF-8" };
    let head = format!(
        ";branch={branch}NNNNNNNNNN;rport\r\nMax-Forwards: 70\r\nFrom: <tel:+{from}PPPPP>;tag=NNNNNNNNNN\r\n\
         To: <tel:+{to}PPPPP>\r\nCall-ID: CCCCCCCCCC-{run:08x}@load\r\nCSeq: NNNNNNNNNN MESSAGE\r\n\
         P-Asserted-Identity: <tel:+{from}PPPPP>\r\n\
         P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg\r\n\
         Accept-Contact: *;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg\";require;explicit\r\n\
         Conversation-ID: f81d4fae-7dec-11d0-a765-NNNNNNNNNN\r\nContribution-ID: abcdef00-7dec-11d0-a765-NNNNNNNNNN\r\n\
         Content-Type: {content_type}\r\nContent-Length: LLLLL\r\n\r\n"
    );
    if !settings.cpim {
        return head;
    }
    let wanted = dispositions(asks);
    let id = message_id(run);
    format!(
        "{head}From: <tel:+{from}PPPPP>\r\nTo: <tel:+{to}PPPPP>\r\nDateTime: {date}\r\n\
         NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: {id}NNNNNNNNNN\r\n{wanted}\r\n\
         Content-Type: text/plain;charset=UTF-8\r\n\r\n"
    )
}

fn dispositions(asks: usize) -> String {
    let names = ["positive-delivery", "negative-delivery", "interworking"];
    let asked: Vec<_> = names.into_iter().enumerate().filter(|(bit, _)| asks >> bit & 1 == 1).collect();
    if asked.is_empty() {
        return String::new();
    }
    let names: Vec<_> = asked.into_iter().map(|(_, name)| name).collect();
    format!("imdn.Disposition-Notification: {}\r\n", names.join(", "))
}
