//! submit_multi and its response (SMPP 3.4 4.5), whose destinations are a list.

use super::fields::{Reader, pdu, put_c_octets};
use super::{PduError, Tlvs};

pdu! {
    /// The fields of submit_multi behind its destinations: those of submit_sm from esm_class on.
    MultiMessage {
        esm_class: int, protocol_id: int, priority_flag: int,
        schedule_delivery_time: c 17, validity_period: c 17,
        registered_delivery: int, replace_if_present_flag: int, data_coding: int, sm_default_msg_id: int,
        short_message: sm,
    }
}

/// submit_multi. The destination list stays as it is on the wire; [`SubmitMulti::destinations`] walks it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct SubmitMulti<'a> {
    /// `service_type`
    pub service_type: &'a [u8],
    /// `source_addr_ton`
    pub source_addr_ton: u8,
    /// `source_addr_npi`
    pub source_addr_npi: u8,
    /// `source_addr`
    pub source_addr: &'a [u8],
    /// `number_of_dests`
    pub number_of_dests: u8,
    /// The destinations as on the wire.
    pub dest_addresses: &'a [u8],
    /// The fields behind.
    pub message: MultiMessage<'a>,
}

/// A destination of submit_multi (SMPP 3.4 4.5.1.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Destination<'a> {
    /// dest_flag 1: TON, NPI, address.
    Sme(u8, u8, &'a [u8]),
    /// dest_flag 2: name of a distribution list.
    DistributionList(&'a [u8]),
}

/// Shows no address.
impl core::fmt::Debug for Destination<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Destination::Sme(..) => "Sme",
            Destination::DistributionList(_) => "DistributionList",
        })
    }
}

impl<'a> SubmitMulti<'a> {
    /// Reads the body.
    ///
    /// # Errors
    /// A field or the list does not end within the body; a dest_flag is neither 1 nor 2; the TLV region is not a
    /// sequence of TLVs.
    pub fn parse(body: &'a [u8]) -> Result<SubmitMulti<'a>, PduError> {
        let mut reader = Reader::new(body);
        let service_type = reader.c_octets(6, "service_type")?;
        let (source_addr_ton, source_addr_npi) = (reader.u8("source_addr_ton")?, reader.u8("source_addr_npi")?);
        let source_addr = reader.c_octets(21, "source_addr")?;
        let number_of_dests = reader.u8("number_of_dests")?;
        let list = reader.rest();
        let mut reader = Reader::new(list);
        for _ in 0..number_of_dests {
            destination(&mut reader)?;
        }
        let rest = reader.rest();
        let dest_addresses = list.get(..list.len() - rest.len()).unwrap_or_default();
        Ok(SubmitMulti {
            service_type,
            source_addr_ton,
            source_addr_npi,
            source_addr,
            number_of_dests,
            dest_addresses,
            message: MultiMessage::parse(rest)?,
        })
    }

    /// The destinations in order.
    pub fn destinations(&self) -> impl Iterator<Item = Destination<'a>> + use<'a> {
        let mut reader = Reader::new(self.dest_addresses);
        (0..self.number_of_dests).map_while(move |_| destination(&mut reader).ok())
    }

    /// Appends the body.
    pub fn emit(&self, out: &mut Vec<u8>) {
        put_c_octets(out, self.service_type, 6);
        out.extend_from_slice(&[self.source_addr_ton, self.source_addr_npi]);
        put_c_octets(out, self.source_addr, 21);
        out.push(self.number_of_dests);
        out.extend_from_slice(self.dest_addresses);
        self.message.emit(out);
    }
}

fn destination<'a>(reader: &mut Reader<'a>) -> Result<Destination<'a>, PduError> {
    match reader.u8("dest_flag")? {
        1 => Ok(Destination::Sme(
            reader.u8("dest_addr_ton")?,
            reader.u8("dest_addr_npi")?,
            reader.c_octets(21, "destination_addr")?,
        )),
        2 => Ok(Destination::DistributionList(reader.c_octets(21, "dl_name")?)),
        _ => Err(PduError { status: super::CommandStatus::ESME_RINVDESTFLAG, what: "dest_flag", at: 0 }),
    }
}

/// Shows no address and no text.
impl core::fmt::Debug for SubmitMulti<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SubmitMulti")
            .field("number_of_dests", &self.number_of_dests)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// submit_multi_resp (SMPP 3.4 4.5.2); the failures stay as on the wire.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct SubmitMultiResp<'a> {
    /// `message_id`; `None` if the body was left out, as it is when command_status is not zero.
    pub message_id: Option<&'a [u8]>,
    /// `no_unsuccess`
    pub no_unsuccess: u8,
    /// TON, NPI, address and error_status_code of each failure, as on the wire.
    pub unsuccess_sme: &'a [u8],
    /// Optional parameters.
    pub tlvs: Tlvs<'a>,
}

impl<'a> SubmitMultiResp<'a> {
    /// Reads the body; it may have been left out.
    ///
    /// # Errors
    /// The failures do not end within the body; the TLV region is not a sequence of TLVs.
    pub fn parse(body: &'a [u8]) -> Result<SubmitMultiResp<'a>, PduError> {
        if body.is_empty() {
            return Ok(SubmitMultiResp::default());
        }
        let mut reader = Reader::new(body);
        let (message_id, no_unsuccess) = (reader.c_octets(65, "message_id")?, reader.u8("no_unsuccess")?);
        let list = reader.rest();
        let mut reader = Reader::new(list);
        for _ in 0..no_unsuccess {
            reader.octets(2, "dest_addr_ton")?;
            reader.c_octets(21, "destination_addr")?;
            reader.u32("error_status_code")?;
        }
        let rest = reader.rest();
        let unsuccess_sme = list.get(..list.len() - rest.len()).unwrap_or_default();
        Ok(SubmitMultiResp { message_id: Some(message_id), no_unsuccess, unsuccess_sme, tlvs: Tlvs::parse(rest)? })
    }

    /// Appends the body.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let Some(message_id) = self.message_id else { return };
        put_c_octets(out, message_id, 65);
        out.push(self.no_unsuccess);
        out.extend_from_slice(self.unsuccess_sme);
        out.extend_from_slice(self.tlvs.as_bytes());
    }
}

/// Shows no address.
impl core::fmt::Debug for SubmitMultiResp<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SubmitMultiResp").field("no_unsuccess", &self.no_unsuccess).finish_non_exhaustive()
    }
}
