//! SMS to Pager Mode CPM Standalone Message (IWF V3.0 6.2.2.2.1): a deliver_sm or data_sm becomes a SIP MESSAGE.

use crate::engine::Now;
use crate::interwork::address::{self, Number};
use crate::interwork::sms::deliver_sm_to_pager::{self, PagerMessage, Received, TABLE_9};
use crate::interwork::sms::parties::Parties;
use crate::wire::cpim::Wrapper;
use crate::wire::short_message::user_data::Concatenated;
use crate::wire::short_message::{Alphabet, DataCodingZero, National, UserData};
use crate::wire::sip::Name;
use crate::wire::smpp::{self, CommandId, DataSm, DeliverSm, Tag, Tlvs};

use super::message::{self, Minted, Service};
use super::{Iwf, date_time};

/// esm_class bits (SMPP 3.4 5.2.12).
const UDHI: u8 = 0x40;
const MESSAGE_TYPE: u8 = 0x3C;
const USER_ACKNOWLEDGEMENT: u8 = 0x10;

/// What a short message says, its text still in octets.
#[derive(Clone, Copy, Debug)]
pub struct Arrived<'a> {
    /// The PDU, header and all.
    pub pdu: &'a [u8],
    /// Fields without the text.
    pub head: Head,
    /// Text, header taken off.
    pub octets: &'a [u8],
    /// data_coding.
    pub data_coding: u8,
    /// National tables of its header.
    pub national: National,
    /// Its place in a concatenated message.
    pub part: Option<Concatenated>,
    /// sar_* TLVs, not a header, say so: references of either kind are different messages.
    pub by_sar: bool,
}

/// What is kept of a short message until its other parts are there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head {
    /// Originator.
    pub source: Number,
    /// Recipient.
    pub dest: Number,
    /// priority_flag.
    pub priority_flag: u8,
    /// language_indicator.
    pub language_indicator: Option<u8>,
    /// user_response_code: what the user chose of a prompt (SMPP 3.4 5.3.2.18).
    pub user_response_code: Option<u8>,
}

/// Why a short message is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// It cannot be read.
    Malformed,
    /// The sender or the recipient has no E.164 number (6.2.2.2.1 step 1).
    Address,
    /// Nothing is interworked from SMS (4.4).
    SwitchedOff,
    /// It is for an application, the SIM or nobody, or in an alphabet that we do not have.
    NotText,
}

/// The fields of deliver_sm and data_sm that matter here.
struct Fields<'a> {
    source: (u8, &'a [u8]),
    dest: (u8, &'a [u8]),
    esm_class: u8,
    protocol_id: u8,
    priority_flag: u8,
    data_coding: u8,
    short_message: &'a [u8],
    tlvs: Tlvs<'a>,
}

impl<'a> From<DeliverSm<'a>> for Fields<'a> {
    fn from(pdu: DeliverSm<'a>) -> Fields<'a> {
        Fields {
            source: (pdu.source_addr_ton, pdu.source_addr),
            dest: (pdu.dest_addr_ton, pdu.destination_addr),
            esm_class: pdu.esm_class,
            protocol_id: pdu.protocol_id,
            priority_flag: pdu.priority_flag,
            data_coding: pdu.data_coding,
            short_message: pdu.short_message,
            tlvs: pdu.tlvs,
        }
    }
}

impl<'a> From<DataSm<'a>> for Fields<'a> {
    fn from(pdu: DataSm<'a>) -> Fields<'a> {
        Fields {
            source: (pdu.source_addr_ton, pdu.source_addr),
            dest: (pdu.dest_addr_ton, pdu.destination_addr),
            esm_class: pdu.esm_class,
            protocol_id: 0,
            priority_flag: 1,
            data_coding: pdu.data_coding,
            short_message: b"",
            tlvs: pdu.tlvs,
        }
    }
}

/// Reads a deliver_sm or data_sm that is no status report.
///
/// # Errors
/// Why it is not taken.
pub fn read<'a>(pdu: &'a [u8], iwf: &Iwf) -> Result<Arrived<'a>, NotTaken> {
    if !iwf.policy.switches.sms_standalone_messages {
        return Err(NotTaken::SwitchedOff);
    }
    let fields = fields(pdu).ok_or(NotTaken::Malformed)?;
    let head = head(&fields, iwf)?;
    let user_data = user_data(&fields);
    let by_sar = sar(&fields.tlvs);
    if user_data.broken || is_for_an_application(&fields, &user_data) {
        return Err(NotTaken::NotText);
    }
    Ok(Arrived {
        pdu,
        head,
        octets: user_data.text,
        data_coding: fields.data_coding,
        national: user_data.national().map_err(|_| NotTaken::NotText)?,
        part: user_data.concatenated.or(by_sar),
        by_sar: user_data.concatenated.is_none(),
    })
}

/// addr_ton and addr of the source and of the destination of a deliver_sm or data_sm; `None` if it cannot be read.
#[must_use]
pub fn addresses(pdu: &[u8]) -> Option<[(u8, &[u8]); 2]> {
    fields(pdu).map(|fields| [fields.source, fields.dest])
}

fn fields(pdu: &[u8]) -> Option<Fields<'_>> {
    let (header, body) = smpp::split(pdu)?;
    match header.command_id {
        CommandId::DELIVER_SM => DeliverSm::parse(body).ok().map(Fields::from),
        CommandId::DATA_SM => DataSm::parse(body).ok().map(Fields::from),
        _ => None,
    }
}

fn head(fields: &Fields<'_>, iwf: &Iwf) -> Result<Head, NotTaken> {
    let number = |(ton, address): (u8, &[u8])| address::of_smpp(ton, address, &iwf.policy.addresses);
    Ok(Head {
        source: number(fields.source).ok_or(NotTaken::Address)?,
        dest: number(fields.dest).ok_or(NotTaken::Address)?,
        priority_flag: fields.priority_flag,
        language_indicator: fields.tlvs.u8(Tag::LANGUAGE_INDICATOR),
        user_response_code: fields.tlvs.u8(Tag::USER_RESPONSE_CODE),
    })
}

/// message_payload stands in for an empty short_message (SMPP 3.4 5.3.2.32).
fn user_data<'a>(fields: &Fields<'a>) -> UserData<'a> {
    let payload = fields.tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or_default();
    let octets = if fields.short_message.is_empty() { payload } else { fields.short_message };
    if fields.esm_class & UDHI != 0 { UserData::with_header(octets) } else { UserData::plain(octets) }
}

/// Message types other than the default are acknowledgements and conversation aborts of applications (SMPP 3.4 5.2.12);
/// the user's own acknowledgement may answer an invitation (6.2.2.1.3 step 3).
fn is_for_an_application(fields: &Fields<'_>, user_data: &UserData<'_>) -> bool {
    let message_type = fields.esm_class & MESSAGE_TYPE;
    let answers = message_type == USER_ACKNOWLEDGEMENT && fields.tlvs.u8(Tag::USER_RESPONSE_CODE).is_some();
    (message_type != 0 && !answers) || user_data.not_for_user(fields.data_coding, fields.protocol_id).is_some()
}

/// SMPP 3.4 5.3.2.22 to 5.3.2.24: all three, or none counts.
fn sar(tlvs: &Tlvs<'_>) -> Option<Concatenated> {
    let reference = tlvs.u16(Tag::SAR_MSG_REF_NUM)?;
    let (total, number) = (tlvs.u8(Tag::SAR_TOTAL_SEGMENTS)?, tlvs.u8(Tag::SAR_SEGMENT_SEQNUM)?);
    (number > 0 && number <= total).then_some(Concatenated { reference, wide: true, total, number })
}

/// Decodes joined parts into `text`, which is cleared; `false` if they are no text.
pub fn decode<'p>(
    data_coding: u8,
    zero: DataCodingZero,
    parts: impl IntoIterator<Item = (National, &'p [u8])>,
    octets: &mut Vec<u8>,
    text: &mut String,
) -> bool {
    text.clear();
    Alphabet::of(data_coding, zero).decode_parts(parts, octets, text).is_some()
}

/// Appends the SIP MESSAGE for a text. `made` is used for addresses.
pub fn write(head: &Head, text: &str, now: Now, iwf: &Iwf, minted: &Minted<'_>, made: &mut Vec<u8>, out: &mut Vec<u8>) {
    let received = Received {
        source: head.source,
        dest: head.dest,
        priority_flag: head.priority_flag,
        language_indicator: head.language_indicator,
        text,
        product: iwf.user_agent.as_bytes(),
        policy: &iwf.policy,
    };
    made.clear();
    let parties = Parties { octets: core::mem::take(made), ..Parties::default() };
    let mut message = PagerMessage { parties, ..PagerMessage::default() };
    // Addresses are numbers already: there is nothing left that cannot be converted.
    let _filled = TABLE_9.fill(&received, &mut message);
    write_message(&message, now, minted, out);
    *made = message.parties.octets;
}

fn write_message(message: &PagerMessage<'_>, now: Now, minted: &Minted<'_>, out: &mut Vec<u8>) {
    let parties = &message.parties;
    let mut writer = message::start(out, Service::Message, parties.from(), parties.to(), minted);
    message::asserted_parties(&mut writer, parties);
    writer.header_if(Name::ConversationId, minted.conversation_id);
    writer.header_if(Name::ContributionId, minted.contribution_id);
    writer.header_if(Name::Priority, message.priority);
    writer.header_if(Name::ContentLanguage, message.content_language);
    writer.header(Name::UserAgent, message.user_agent);
    writer.body(b"message/cpim", |body| write_wrapped(&message.parties, message.body, now, minted, body));
}

/// Appends a text in its CPIM wrapper (Conv-Func 7.2.1.3).
pub(super) fn write_wrapped(parties: &Parties, text: &str, now: Now, minted: &Minted<'_>, body: &mut Vec<u8>) {
    let date_time = date_time::of(now.unix_ms);
    let wrapper = Wrapper {
        from: parties.from(),
        to: parties.to(),
        message_id: minted.message_id,
        date_time: &date_time,
        content_type: deliver_sm_to_pager::CONTENT_TYPE,
        ..Wrapper::default()
    };
    wrapper.write(text.as_bytes(), body);
}
