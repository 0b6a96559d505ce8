//! A short message towards an SM-SC: the record that Table 1 fills, and the PDU it becomes.

use crate::interwork::address::Number;
use crate::interwork::table::Record;
use crate::policy::Addresses;
use crate::wire::smpp::tlv::{self, Tag};
use crate::wire::smpp::{self, CommandId, CommandStatus, DataSm, SubmitSm, Tlvs, time};

/// The fields of Table 1, under their SMPP names. NULL is zero or empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShortMessage<'a> {
    /// service_type
    pub service_type: &'a [u8],
    /// source_addr and the number its ton and npi describe
    pub source: Number,
    /// source_addr_ton, source_addr_npi
    pub source_ton_npi: (u8, u8),
    /// destination_addr
    pub dest: Number,
    /// dest_addr_ton, dest_addr_npi
    pub dest_ton_npi: (u8, u8),
    /// esm_class
    pub esm_class: u8,
    /// protocol_id
    pub protocol_id: u8,
    /// priority_flag
    pub priority_flag: u8,
    /// schedule_delivery_time
    pub schedule_delivery_time: &'a [u8],
    /// validity_period, seconds from now; `None` is NULL, the SM-SC's default
    pub validity_period_s: Option<u32>,
    /// registered_delivery
    pub registered_delivery: u8,
    /// replace_if_present_flag
    pub replace_if_present_flag: u8,
    /// data_coding
    pub data_coding: u8,
    /// sm_default_msg_id
    pub sm_default_msg_id: u8,
    /// sm_length
    pub sm_length: u8,
    /// short_message
    pub short_message: &'a [u8],
    /// message_payload, in place of short_message
    pub message_payload: Option<&'a [u8]>,
    /// language_indicator; a NULL optional parameter is left out
    pub language_indicator: Option<u8>,
    /// sar_msg_ref_num
    pub sar_msg_ref_num: Option<u16>,
    /// sar_segment_seqnum
    pub sar_segment_seqnum: Option<u8>,
    /// sar_total_segments
    pub sar_total_segments: Option<u8>,
}

/// Names the record in tables.
pub enum ShortMessageRecord {}

impl Record for ShortMessageRecord {
    type Of<'a> = ShortMessage<'a>;
}

impl ShortMessage<'_> {
    /// Appends a submit_sm (SMPP 3.4 4.4.1).
    pub fn write_submit_sm(&self, sequence_number: u32, out: &mut Vec<u8>) {
        debug_assert_eq!(
            usize::from(self.sm_length),
            self.short_message.len(),
            "the row sm_length counts short_message"
        );
        let validity = self.validity_period_s.map(time::relative).unwrap_or_default();
        let pdu = SubmitSm {
            service_type: self.service_type,
            source_addr_ton: self.source_ton_npi.0,
            source_addr_npi: self.source_ton_npi.1,
            source_addr: &self.source.digits,
            dest_addr_ton: self.dest_ton_npi.0,
            dest_addr_npi: self.dest_ton_npi.1,
            destination_addr: &self.dest.digits,
            esm_class: self.esm_class,
            protocol_id: self.protocol_id,
            priority_flag: self.priority_flag,
            schedule_delivery_time: self.schedule_delivery_time,
            validity_period: &validity,
            registered_delivery: self.registered_delivery,
            replace_if_present_flag: self.replace_if_present_flag,
            data_coding: self.data_coding,
            sm_default_msg_id: self.sm_default_msg_id,
            short_message: self.short_message,
            tlvs: Tlvs::default(),
        };
        smpp::emit(out, CommandId::SUBMIT_SM, CommandStatus::ESME_ROK, sequence_number, |out| {
            pdu.emit(out);
            self.write_tlvs(out);
        });
    }

    /// Appends a data_sm (SMPP 3.4 4.7.1): the same values, those without a field as optional parameters.
    pub fn write_data_sm(&self, sequence_number: u32, out: &mut Vec<u8>) {
        let pdu = DataSm {
            service_type: self.service_type,
            source_addr_ton: self.source_ton_npi.0,
            source_addr_npi: self.source_ton_npi.1,
            source_addr: &self.source.digits,
            dest_addr_ton: self.dest_ton_npi.0,
            dest_addr_npi: self.dest_ton_npi.1,
            destination_addr: &self.dest.digits,
            esm_class: self.esm_class,
            registered_delivery: self.registered_delivery,
            data_coding: self.data_coding,
            tlvs: Tlvs::default(),
        };
        smpp::emit(out, CommandId::DATA_SM, CommandStatus::ESME_ROK, sequence_number, |out| {
            pdu.emit(out);
            if let Some(seconds) = self.validity_period_s {
                tlv::put(out, Tag::QOS_TIME_TO_LIVE, &seconds.to_be_bytes());
            }
            if self.message_payload.is_none() {
                tlv::put(out, Tag::MESSAGE_PAYLOAD, self.short_message);
            }
            self.write_tlvs(out);
        });
    }

    fn write_tlvs(&self, out: &mut Vec<u8>) {
        if let Some(payload) = self.message_payload {
            tlv::put(out, Tag::MESSAGE_PAYLOAD, payload);
        }
        if let Some(language) = self.language_indicator {
            tlv::put(out, Tag::LANGUAGE_INDICATOR, &[language]);
        }
        if let Some(reference) = self.sar_msg_ref_num {
            tlv::put(out, Tag::SAR_MSG_REF_NUM, &reference.to_be_bytes());
        }
        if let Some(total) = self.sar_total_segments {
            tlv::put(out, Tag::SAR_TOTAL_SEGMENTS, &[total]);
        }
        if let Some(number) = self.sar_segment_seqnum {
            tlv::put(out, Tag::SAR_SEGMENT_SEQNUM, &[number]);
        }
    }

    /// Takes the originator's number.
    pub(super) fn set_source(&mut self, number: Number, addresses: &Addresses) {
        self.source = number;
        self.source_ton_npi = number.ton_npi(addresses);
    }

    /// Takes the target's number.
    pub(super) fn set_dest(&mut self, number: Number, addresses: &Addresses) {
        self.dest = number;
        self.dest_ton_npi = number.ton_npi(addresses);
    }
}
