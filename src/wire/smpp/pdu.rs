//! One PDU of any kind.

use super::{
    AlertNotification, Bind, CancelSm, CommandId, CommandStatus, DataSm, DeliverSm, Header, Outbind, PduError, Plain,
    QuerySm, QuerySmResp, ReplaceSm, Response, SubmitMulti, SubmitMultiResp, SubmitSm,
};

/// The body of a PDU, by its command_id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Pdu<'a> {
    BindReceiver(Bind<'a>),
    BindTransmitter(Bind<'a>),
    BindTransceiver(Bind<'a>),
    BindResp(Response<'a>),
    Outbind(Outbind<'a>),
    Unbind(Plain<'a>),
    UnbindResp(Plain<'a>),
    SubmitSm(SubmitSm<'a>),
    SubmitSmResp(Response<'a>),
    SubmitMulti(SubmitMulti<'a>),
    SubmitMultiResp(SubmitMultiResp<'a>),
    DeliverSm(DeliverSm<'a>),
    DeliverSmResp(Response<'a>),
    DataSm(DataSm<'a>),
    DataSmResp(Response<'a>),
    QuerySm(QuerySm<'a>),
    QuerySmResp(QuerySmResp<'a>),
    CancelSm(CancelSm<'a>),
    CancelSmResp(Plain<'a>),
    ReplaceSm(ReplaceSm<'a>),
    ReplaceSmResp(Plain<'a>),
    EnquireLink(Plain<'a>),
    EnquireLinkResp(Plain<'a>),
    AlertNotification(AlertNotification<'a>),
    GenericNack(Plain<'a>),
    /// A command we do not know, its body as it came.
    Unknown(&'a [u8]),
}

impl<'a> Pdu<'a> {
    /// Reads one framed PDU.
    ///
    /// # Errors
    /// Fewer than 16 octets, or a body that cannot be read; the error's status is what the response says.
    pub fn parse(pdu: &'a [u8]) -> Result<(Header, Pdu<'a>), PduError> {
        let short = PduError { status: CommandStatus::ESME_RINVCMDLEN, what: "command_length", at: 0 };
        let (header, body) = super::split(pdu).ok_or(short)?;
        Ok((header, Pdu::parse_body(header, body)?))
    }

    fn parse_body(header: Header, body: &'a [u8]) -> Result<Pdu<'a>, PduError> {
        Ok(match header.command_id {
            CommandId::BIND_RECEIVER => Pdu::BindReceiver(Bind::parse(body)?),
            CommandId::BIND_TRANSMITTER => Pdu::BindTransmitter(Bind::parse(body)?),
            CommandId::BIND_TRANSCEIVER => Pdu::BindTransceiver(Bind::parse(body)?),
            CommandId::BIND_RECEIVER_RESP | CommandId::BIND_TRANSMITTER_RESP | CommandId::BIND_TRANSCEIVER_RESP => {
                Pdu::BindResp(Response::parse(body)?)
            }
            CommandId::OUTBIND => Pdu::Outbind(Outbind::parse(body)?),
            CommandId::UNBIND => Pdu::Unbind(Plain::parse(body)?),
            CommandId::UNBIND_RESP => Pdu::UnbindResp(Plain::parse(body)?),
            CommandId::ENQUIRE_LINK => Pdu::EnquireLink(Plain::parse(body)?),
            CommandId::ENQUIRE_LINK_RESP => Pdu::EnquireLinkResp(Plain::parse(body)?),
            CommandId::ALERT_NOTIFICATION => Pdu::AlertNotification(AlertNotification::parse(body)?),
            CommandId::GENERIC_NACK => Pdu::GenericNack(Plain::parse(body)?),
            _ => return Pdu::parse_message(header, body),
        })
    }

    fn parse_message(header: Header, body: &'a [u8]) -> Result<Pdu<'a>, PduError> {
        Ok(match header.command_id {
            CommandId::SUBMIT_SM => Pdu::SubmitSm(SubmitSm::parse(body)?),
            CommandId::SUBMIT_SM_RESP => Pdu::SubmitSmResp(Response::parse(body)?),
            CommandId::SUBMIT_MULTI => Pdu::SubmitMulti(SubmitMulti::parse(body)?),
            CommandId::SUBMIT_MULTI_RESP => Pdu::SubmitMultiResp(SubmitMultiResp::parse(body)?),
            CommandId::DELIVER_SM => Pdu::DeliverSm(DeliverSm::parse(body)?),
            CommandId::DELIVER_SM_RESP => Pdu::DeliverSmResp(Response::parse(body)?),
            CommandId::DATA_SM => Pdu::DataSm(DataSm::parse(body)?),
            CommandId::DATA_SM_RESP => Pdu::DataSmResp(Response::parse(body)?),
            CommandId::QUERY_SM => Pdu::QuerySm(QuerySm::parse(body)?),
            // A failed query leaves its body out.
            CommandId::QUERY_SM_RESP if body.is_empty() => Pdu::Unknown(body),
            CommandId::QUERY_SM_RESP => Pdu::QuerySmResp(QuerySmResp::parse(body)?),
            CommandId::CANCEL_SM => Pdu::CancelSm(CancelSm::parse(body)?),
            CommandId::CANCEL_SM_RESP => Pdu::CancelSmResp(Plain::parse(body)?),
            CommandId::REPLACE_SM => Pdu::ReplaceSm(ReplaceSm::parse(body)?),
            CommandId::REPLACE_SM_RESP => Pdu::ReplaceSmResp(Plain::parse(body)?),
            _ => Pdu::Unknown(body),
        })
    }

    /// Appends the PDU under `id`; the same octets it was read from.
    pub fn emit(&self, out: &mut Vec<u8>, id: CommandId, status: CommandStatus, sequence: u32) {
        super::emit(out, id, status, sequence, |out| self.emit_body(out));
    }

    fn emit_body(&self, out: &mut Vec<u8>) {
        match self {
            Pdu::BindReceiver(body) | Pdu::BindTransmitter(body) | Pdu::BindTransceiver(body) => body.emit(out),
            Pdu::BindResp(body) | Pdu::SubmitSmResp(body) | Pdu::DeliverSmResp(body) | Pdu::DataSmResp(body) => {
                body.emit(out)
            }
            Pdu::Outbind(body) => body.emit(out),
            Pdu::SubmitSm(body) | Pdu::DeliverSm(body) => body.emit(out),
            Pdu::SubmitMulti(body) => body.emit(out),
            Pdu::SubmitMultiResp(body) => body.emit(out),
            Pdu::DataSm(body) => body.emit(out),
            Pdu::QuerySm(body) => body.emit(out),
            Pdu::QuerySmResp(body) => body.emit(out),
            Pdu::CancelSm(body) => body.emit(out),
            Pdu::ReplaceSm(body) => body.emit(out),
            Pdu::AlertNotification(body) => body.emit(out),
            Pdu::Unbind(body) | Pdu::UnbindResp(body) | Pdu::CancelSmResp(body) | Pdu::ReplaceSmResp(body) => {
                body.emit(out)
            }
            Pdu::EnquireLink(body) | Pdu::EnquireLinkResp(body) | Pdu::GenericNack(body) => body.emit(out),
            Pdu::Unknown(body) => out.extend_from_slice(body),
        }
    }
}
