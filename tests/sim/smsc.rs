//! An SM-SC in memory: octets in, octets out, in virtual time. It does what its faults tell it and remembers everything.

use std::collections::VecDeque;
use std::time::Duration;

use isthmus::engine::{Moment, Random};
use isthmus::wire::Framing;
use isthmus::wire::smpp::{
    self, CommandId, CommandStatus, DeliverSm, Header, MessageState, Pdu, Response, Tag, Tlvs, tlv,
};

/// What goes wrong, and how often.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Every n-th submit_sm is answered ESME_RTHROTTLED.
    pub throttle_every: u64,
    /// The status report leaves this long before the submit response.
    pub report_first: bool,
    /// A submit response takes up to this long.
    pub response_delay: Duration,
    /// Submit responses carry ids in hexadecimal, reports in decimal.
    pub hex_submit: bool,
    /// The connection drops after this many submits, before their responses.
    pub drop_after: Option<u64>,
    /// The final state of short messages.
    pub state: Option<MessageState>,
    /// command_status of every submit response.
    pub status: CommandStatus,
}

/// A short message the SM-SC has accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub message_id: u64,
    pub source_addr: Vec<u8>,
    pub destination_addr: Vec<u8>,
    pub esm_class: u8,
    pub data_coding: u8,
    pub registered_delivery: u8,
    pub short_message: Vec<u8>,
    /// sar_msg_ref_num, sar_total_segments, sar_segment_seqnum.
    pub sar: Option<(u16, u8, u8)>,
    pub pdu: Vec<u8>,
}

/// One connection to it.
#[derive(Debug, Default)]
struct Connection {
    unframed: Vec<u8>,
    open: bool,
    receives: bool,
}

/// The SM-SC.
#[derive(Debug)]
pub struct Smsc {
    pub faults: Faults,
    pub accepted: Vec<Accepted>,
    /// command_status of each deliver_sm_resp by sequence_number.
    pub answers: Vec<(u32, CommandStatus)>,
    /// Every PDU it got, in order.
    pub seen: Vec<(u64, Header)>,
    pub refuse_bind: Option<CommandStatus>,
    connections: Vec<Connection>,
    waiting: VecDeque<(Moment, usize, Vec<u8>)>,
    submits: u64,
    next_id: u64,
    next_sequence: u32,
    random: Random,
}

impl Smsc {
    pub fn new(seed: u8) -> Smsc {
        Smsc {
            faults: Faults::default(),
            accepted: Vec::new(),
            answers: Vec::new(),
            seen: Vec::new(),
            refuse_bind: None,
            connections: Vec::new(),
            waiting: VecDeque::new(),
            submits: 0,
            next_id: 0x7B2F,
            next_sequence: 1,
            random: Random::from_seed([seed; 32]),
        }
    }

    /// A new connection; its number.
    pub fn connect(&mut self) -> usize {
        self.connections.push(Connection { open: true, ..Connection::default() });
        self.connections.len() - 1
    }

    /// The connection is gone, whoever closed it.
    pub fn closed(&mut self, connection: usize) {
        self.connections[connection].open = false;
        self.waiting.retain(|(_, of, _)| *of != connection);
    }

    /// Whether anything is bound to receive.
    pub fn receiver(&self) -> Option<usize> {
        self.connections.iter().position(|connection| connection.open && connection.receives)
    }

    /// Octets from the gateway. `false` asks for the connection to be dropped.
    pub fn on_bytes(&mut self, now: Moment, connection: usize, bytes: &[u8]) -> bool {
        self.connections[connection].unframed.extend_from_slice(bytes);
        loop {
            let unframed = &self.connections[connection].unframed;
            let Framing::Complete(len) = smpp::frame(unframed, 100_000) else { return true };
            let pdu: Vec<u8> = self.connections[connection].unframed.drain(..len).collect();
            if !self.on_pdu(now, connection, &pdu) {
                return false;
            }
        }
    }

    fn on_pdu(&mut self, now: Moment, connection: usize, bytes: &[u8]) -> bool {
        let (header, pdu) = Pdu::parse(bytes).expect("the gateway sends whole PDUs");
        self.seen.push((now.0, header));
        match pdu {
            Pdu::BindTransceiver(_) | Pdu::BindReceiver(_) | Pdu::BindTransmitter(_) => {
                let status = self.refuse_bind.unwrap_or(CommandStatus::ESME_ROK);
                self.connections[connection].receives =
                    status == CommandStatus::ESME_ROK && !matches!(pdu, Pdu::BindTransmitter(_));
                let mut tlvs = Vec::new();
                tlv::put(&mut tlvs, Tag::SC_INTERFACE_VERSION, &[0x34]);
                let body = Pdu::BindResp(Response { id: Some(b"smsc"), tlvs: Tlvs::parse(&tlvs).unwrap() });
                self.reply(now, connection, &body, header, status);
            }
            Pdu::EnquireLink(body) => {
                self.reply(now, connection, &Pdu::EnquireLinkResp(body), header, CommandStatus::ESME_ROK)
            }
            Pdu::Unbind(body) => self.reply(now, connection, &Pdu::UnbindResp(body), header, CommandStatus::ESME_ROK),
            Pdu::DeliverSmResp(_) | Pdu::DataSmResp(_)
                if header.command_id.is_response() && !matches!(pdu, Pdu::DataSmResp(_)) =>
            {
                self.answers.push((header.sequence_number, header.command_status));
            }
            Pdu::SubmitSm(submit) => return self.on_submit(now, connection, header, &submit, bytes),
            _ => {}
        }
        true
    }

    fn on_submit(
        &mut self,
        now: Moment,
        connection: usize,
        header: Header,
        submit: &smpp::SubmitSm<'_>,
        bytes: &[u8],
    ) -> bool {
        self.submits += 1;
        if self.faults.drop_after == Some(self.submits) {
            self.faults.drop_after = None;
            self.accept(submit, bytes);
            return false;
        }
        if self.faults.throttle_every > 0 && self.submits.is_multiple_of(self.faults.throttle_every) {
            self.reply(
                now,
                connection,
                &Pdu::SubmitSmResp(Response::default()),
                header,
                CommandStatus::ESME_RTHROTTLED,
            );
            return true;
        }
        if self.faults.status != CommandStatus::ESME_ROK {
            let status = self.faults.status;
            self.reply(now, connection, &Pdu::SubmitSmResp(Response::default()), header, status);
            return true;
        }
        let id = self.accept(submit, bytes);
        let text = if self.faults.hex_submit { format!("{id:X}") } else { format!("{id}") };
        let delay = self.delay();
        let body = Pdu::SubmitSmResp(Response { id: Some(text.as_bytes()), tlvs: Tlvs::default() });
        self.reply(now + delay, connection, &body, header, CommandStatus::ESME_ROK);
        if submit.registered_delivery & 3 != 0 {
            let at = if self.faults.report_first { now } else { now + delay + Duration::from_millis(50) };
            self.report(at, connection, id, submit);
        }
        true
    }

    fn accept(&mut self, submit: &smpp::SubmitSm<'_>, bytes: &[u8]) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let payload = submit.tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or(submit.short_message);
        let sar = submit.tlvs.u16(Tag::SAR_MSG_REF_NUM).map(|reference| {
            let of = |tag| submit.tlvs.u8(tag).expect("all three sar parameters");
            (reference, of(Tag::SAR_TOTAL_SEGMENTS), of(Tag::SAR_SEGMENT_SEQNUM))
        });
        self.accepted.push(Accepted {
            message_id: id,
            source_addr: submit.source_addr.to_vec(),
            destination_addr: submit.destination_addr.to_vec(),
            esm_class: submit.esm_class,
            data_coding: submit.data_coding,
            registered_delivery: submit.registered_delivery,
            short_message: payload.to_vec(),
            sar,
            pdu: bytes.to_vec(),
        });
        id
    }

    fn delay(&mut self) -> Duration {
        let most = u64::try_from(self.faults.response_delay.as_micros()).unwrap();
        Duration::from_micros(if most == 0 { 0 } else { self.random.below(most) })
    }

    fn report(&mut self, at: Moment, connection: usize, id: u64, submit: &smpp::SubmitSm<'_>) {
        let state = self.faults.state.unwrap_or(MessageState::DELIVERED);
        let stat = ["", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"]
            [usize::from(state.0)];
        let text =
            format!("id:{id} sub:001 dlvrd:001 submit date:2611211015 done date:2611211016 stat:{stat} err:000 text:x");
        let receipt = DeliverSm {
            source_addr_ton: submit.dest_addr_ton,
            source_addr_npi: submit.dest_addr_npi,
            source_addr: submit.destination_addr,
            dest_addr_ton: submit.source_addr_ton,
            dest_addr_npi: submit.source_addr_npi,
            destination_addr: submit.source_addr,
            esm_class: 4,
            short_message: text.as_bytes(),
            ..DeliverSm::default()
        };
        self.deliver_at(at, connection, &receipt);
    }

    /// Sends a deliver_sm on the first receiving connection; its sequence_number.
    pub fn deliver(&mut self, now: Moment, pdu: &DeliverSm<'_>) -> Option<u32> {
        let connection = self.receiver()?;
        Some(self.deliver_at(now, connection, pdu))
    }

    fn deliver_at(&mut self, at: Moment, connection: usize, pdu: &DeliverSm<'_>) -> u32 {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let mut bytes = Vec::new();
        Pdu::DeliverSm(*pdu).emit(&mut bytes, CommandId::DELIVER_SM, CommandStatus::ESME_ROK, sequence);
        self.waiting.push_back((at, connection, bytes));
        sequence
    }

    fn reply(&mut self, at: Moment, connection: usize, body: &Pdu<'_>, to: Header, status: CommandStatus) {
        let mut bytes = Vec::new();
        body.emit(&mut bytes, to.command_id.response(), status, to.sequence_number);
        self.waiting.push_back((at, connection, bytes));
    }

    /// The next octets that are due.
    pub fn poll(&mut self, now: Moment) -> Option<(usize, Vec<u8>)> {
        let at = self.waiting.iter().position(|(at, ..)| *at <= now)?;
        self.waiting.remove(at).map(|(_, connection, bytes)| (connection, bytes))
    }

    /// When to poll next.
    pub fn deadline(&self) -> Option<Moment> {
        self.waiting.iter().map(|(at, ..)| *at).min()
    }
}
