//! An SM-SC in memory: octets in, octets out, in virtual time. It does what its faults tell it and remembers everything.

use std::collections::VecDeque;
use std::time::Duration;

use isthmus::engine::{Moment, Random};
use isthmus::wire::Framing;
use isthmus::wire::smpp::{
    self, CommandId, CommandStatus, DeliverSm, Header, MessageState, Pdu, Response, SubmitSm, Tag, Tlvs, tlv,
};

/// What goes wrong, and how often.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Every n-th submission is answered `throttle_status`, ESME_RTHROTTLED without one.
    pub throttle_every: u64,
    pub throttle_status: Option<CommandStatus>,
    /// The status report leaves before the submit response.
    pub report_first: bool,
    /// The status report leaves on another bind than the submission came on, if there is one.
    pub report_elsewhere: bool,
    /// No status reports; the test sends them itself.
    pub no_reports: bool,
    /// A submit response takes up to this long.
    pub response_delay: Duration,
    /// Submissions are taken and never answered.
    pub no_response: bool,
    /// All submissions get the same id.
    pub same_message_id: bool,
    /// Submit responses carry no id.
    pub no_message_id: bool,
    /// Nothing is read and nothing said, and the connection stands.
    pub frozen: bool,
    /// Submit responses carry ids in hexadecimal, reports in decimal.
    pub hex_submit: bool,
    /// The connection drops after this many submits, before their responses; the last one is taken.
    pub drop_after: Option<u64>,
    /// The final state of short messages.
    pub state: Option<MessageState>,
    /// The same, one for each report, before `state`.
    pub states: VecDeque<MessageState>,
    /// command_status of submit responses.
    pub status: CommandStatus,
    /// The same, one for each, before `status`.
    pub statuses: VecDeque<CommandStatus>,
    /// What was not delivered for now, or whose connection broke, comes again after so long.
    pub redeliver: Option<Duration>,
}

/// A short message the SM-SC has accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub at: Moment,
    pub connection: usize,
    pub message_id: u64,
    pub source_addr: Vec<u8>,
    pub destination_addr: Vec<u8>,
    pub esm_class: u8,
    pub data_coding: u8,
    pub registered_delivery: u8,
    /// short_message or message_payload, its user data header in it.
    pub short_message: Vec<u8>,
    /// sar_msg_ref_num, sar_total_segments, sar_segment_seqnum, or the same from a user data header.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Due(Moment),
    Sent { connection: usize, sequence: u32 },
    Over,
}

/// A deliver_sm or data_sm of the SM-SC, and every response to it.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub statuses: Vec<CommandStatus>,
    /// How often it was sent.
    pub sent: u64,
    /// For a status report: of which message.
    pub message_id: Option<u64>,
    command_id: CommandId,
    pdu: Vec<u8>,
    stage: Stage,
    /// On which connection, if that is open.
    prefer: Option<usize>,
}

const FIRST_ID: u64 = 0x7B2F;

/// The SM-SC.
#[derive(Debug)]
pub struct Smsc {
    pub faults: Faults,
    pub accepted: Vec<Accepted>,
    pub deliveries: Vec<Delivery>,
    /// Every PDU it got, in order.
    pub seen: Vec<(u64, Header)>,
    pub refuse_bind: Option<CommandStatus>,
    /// When each submission came, refused ones too.
    pub arrivals: Vec<Moment>,
    pub most_in_flight: usize,
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
            deliveries: Vec::new(),
            seen: Vec::new(),
            refuse_bind: None,
            arrivals: Vec::new(),
            most_in_flight: 0,
            connections: Vec::new(),
            waiting: VecDeque::new(),
            submits: 0,
            next_id: FIRST_ID,
            next_sequence: 1,
            random: Random::from_seed([seed; 32]),
        }
    }

    /// As after a restart without its database.
    pub fn count_ids_anew(&mut self) {
        self.next_id = FIRST_ID;
    }

    /// A new connection; its number.
    pub fn connect(&mut self) -> usize {
        self.connections.push(Connection { open: true, ..Connection::default() });
        self.connections.len() - 1
    }

    /// The connection is gone, whoever closed it.
    pub fn closed(&mut self, now: Moment, connection: usize) {
        self.connections[connection].open = false;
        self.connections[connection].receives = false;
        self.waiting.retain(|(_, of, _)| *of != connection);
        let again = self.faults.redeliver.map_or(Stage::Over, |wait| Stage::Due(now + wait));
        let lost =
            |delivery: &&mut Delivery| matches!(delivery.stage, Stage::Sent { connection: of, .. } if of == connection);
        self.deliveries.iter_mut().filter(lost).for_each(|delivery| delivery.stage = again);
    }

    /// Connections that are open and bound to receive.
    pub fn receivers(&self) -> impl Iterator<Item = usize> {
        self.connections.iter().enumerate().filter(|(_, c)| c.open && c.receives).map(|(at, _)| at)
    }

    /// How many PDUs of this kind it got.
    pub fn count(&self, command_id: CommandId) -> usize {
        self.seen.iter().filter(|(_, header)| header.command_id == command_id).count()
    }

    /// command_status of every response to deliveries, in the order of the deliveries.
    pub fn statuses(&self) -> Vec<CommandStatus> {
        self.deliveries.iter().flat_map(|delivery| delivery.statuses.iter().copied()).collect()
    }

    /// Asks for a bind (SMPP 3.4 4.1.7).
    pub fn outbind(&mut self, now: Moment, connection: usize, password: &[u8]) {
        let mut bytes = Vec::new();
        let body = Pdu::Outbind(smpp::Outbind { system_id: b"smsc", password, ..smpp::Outbind::default() });
        body.emit(&mut bytes, CommandId::OUTBIND, CommandStatus::ESME_ROK, 1);
        self.waiting.push_back((now, connection, bytes));
    }

    /// Octets from the gateway. `false` asks for the connection to be dropped.
    pub fn on_bytes(&mut self, now: Moment, connection: usize, bytes: &[u8]) -> bool {
        if self.faults.frozen {
            return true;
        }
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
            Pdu::Unbind(body) => {
                self.connections[connection].receives = false;
                self.reply(now, connection, &Pdu::UnbindResp(body), header, CommandStatus::ESME_ROK)
            }
            Pdu::UnbindResp(_) => return false,
            Pdu::SubmitSm(submit) => return self.on_submit(now, connection, header, &submit, bytes),
            Pdu::DataSm(data) => {
                let submit = SubmitSm {
                    source_addr_ton: data.source_addr_ton,
                    source_addr_npi: data.source_addr_npi,
                    source_addr: data.source_addr,
                    dest_addr_ton: data.dest_addr_ton,
                    dest_addr_npi: data.dest_addr_npi,
                    destination_addr: data.destination_addr,
                    esm_class: data.esm_class,
                    registered_delivery: data.registered_delivery,
                    data_coding: data.data_coding,
                    tlvs: data.tlvs,
                    ..SubmitSm::default()
                };
                return self.on_submit(now, connection, header, &submit, bytes);
            }
            _ if header.command_id.is_response() => self.on_response(now, connection, header),
            _ => {}
        }
        true
    }

    fn on_response(&mut self, now: Moment, connection: usize, header: Header) {
        let sent = Stage::Sent { connection, sequence: header.sequence_number };
        let Some(delivery) = self.deliveries.iter_mut().find(|delivery| delivery.stage == sent) else { return };
        delivery.statuses.push(header.command_status);
        let again = self.faults.redeliver.filter(|_| header.command_status == CommandStatus::ESME_RX_T_APPN);
        delivery.stage = again.map_or(Stage::Over, |wait| Stage::Due(now + wait));
    }

    fn on_submit(
        &mut self,
        now: Moment,
        connection: usize,
        header: Header,
        submit: &SubmitSm<'_>,
        bytes: &[u8],
    ) -> bool {
        self.submits += 1;
        self.arrivals.push(now);
        self.most_in_flight = self.most_in_flight.max(self.in_flight() + 1);
        if self.faults.drop_after == Some(self.submits) {
            self.faults.drop_after = None;
            let id = self.accept(now, connection, submit, bytes);
            self.report(now, connection, id, submit);
            return false;
        }
        let throttled = self.faults.throttle_every > 0 && self.submits.is_multiple_of(self.faults.throttle_every);
        let status = match throttled {
            true => self.faults.throttle_status.unwrap_or(CommandStatus::ESME_RTHROTTLED),
            false => self.faults.statuses.pop_front().unwrap_or(self.faults.status),
        };
        if status != CommandStatus::ESME_ROK {
            self.respond(now, connection, header, status, None);
            return true;
        }
        let id = self.accept(now, connection, submit, bytes);
        let delay = self.delay();
        if !self.faults.no_response {
            let text = if self.faults.hex_submit { format!("{id:X}") } else { format!("{id}") };
            let text = if self.faults.no_message_id { String::new() } else { text };
            self.respond(now + delay, connection, header, status, Some(&text));
        }
        let at = if self.faults.report_first { now } else { now + delay + Duration::from_millis(50) };
        self.report(at, connection, id, submit);
        true
    }

    /// Submissions whose response is still to come.
    fn in_flight(&self) -> usize {
        let answers = |(_, _, bytes): &&(Moment, usize, Vec<u8>)| {
            Header::parse(bytes).is_some_and(|header| header.command_id == CommandId::SUBMIT_SM_RESP)
        };
        self.waiting.iter().filter(answers).count()
    }

    fn respond(&mut self, at: Moment, connection: usize, to: Header, status: CommandStatus, id: Option<&str>) {
        let body = Response { id: id.map(str::as_bytes), tlvs: Tlvs::default() };
        let body = if to.command_id == CommandId::DATA_SM { Pdu::DataSmResp(body) } else { Pdu::SubmitSmResp(body) };
        self.reply(at, connection, &body, to, status);
    }

    fn accept(&mut self, now: Moment, connection: usize, submit: &SubmitSm<'_>, bytes: &[u8]) -> u64 {
        let id = self.next_id;
        self.next_id += u64::from(!self.faults.same_message_id);
        let payload = submit.tlvs.get(Tag::MESSAGE_PAYLOAD).unwrap_or(submit.short_message);
        let sar = submit.tlvs.u16(Tag::SAR_MSG_REF_NUM).map(|reference| {
            let of = |tag| submit.tlvs.u8(tag).expect("all three sar parameters");
            (reference, of(Tag::SAR_TOTAL_SEGMENTS), of(Tag::SAR_SEGMENT_SEQNUM))
        });
        let by_header = (submit.esm_class & 0x40 != 0).then(|| concatenation(payload)).flatten();
        self.accepted.push(Accepted {
            at: now,
            connection,
            message_id: id,
            source_addr: submit.source_addr.to_vec(),
            destination_addr: submit.destination_addr.to_vec(),
            esm_class: submit.esm_class,
            data_coding: submit.data_coding,
            registered_delivery: submit.registered_delivery,
            short_message: payload.to_vec(),
            sar: sar.or(by_header),
            pdu: bytes.to_vec(),
        });
        id
    }

    fn delay(&mut self) -> Duration {
        let most = u64::try_from(self.faults.response_delay.as_micros()).unwrap();
        Duration::from_micros(if most == 0 { 0 } else { self.random.below(most) })
    }

    fn report(&mut self, at: Moment, connection: usize, id: u64, submit: &SubmitSm<'_>) {
        if self.faults.no_reports || submit.registered_delivery & 3 == 0 {
            return;
        }
        let state = self.faults.states.pop_front().or(self.faults.state).unwrap_or(MessageState::DELIVERED);
        if submit.registered_delivery & 3 == 2 && state == MessageState::DELIVERED {
            return;
        }
        let other = self.receivers().find(|other| *other != connection).filter(|_| self.faults.report_elsewhere);
        let to = (submit.dest_addr_ton, submit.destination_addr);
        let from = (submit.source_addr_ton, submit.source_addr);
        self.report_between(at, Some(other.unwrap_or(connection)), id, state, to, from);
    }

    /// Sends a status report for a message it has accepted, or for an id that nobody has; its place in `deliveries`.
    pub fn report_on(&mut self, at: Moment, id: u64, state: MessageState) -> usize {
        let known = self.accepted.iter().find(|accepted| accepted.message_id == id).cloned();
        let (source, dest) = known.map_or((b"1".to_vec(), b"2".to_vec()), |a| (a.source_addr, a.destination_addr));
        self.report_between(at, None, id, state, (1, &dest), (1, &source))
    }

    fn report_between(
        &mut self,
        at: Moment,
        connection: Option<usize>,
        id: u64,
        state: MessageState,
        (source_addr_ton, source_addr): (u8, &[u8]),
        (dest_addr_ton, destination_addr): (u8, &[u8]),
    ) -> usize {
        let stat = ["", "ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"]
            [usize::from(state.0)];
        let text =
            format!("id:{id} sub:001 dlvrd:001 submit date:2611211015 done date:2611211016 stat:{stat} err:000 text:x");
        let receipt = DeliverSm {
            source_addr_ton,
            source_addr_npi: 1,
            source_addr,
            dest_addr_ton,
            dest_addr_npi: 1,
            destination_addr,
            esm_class: 4,
            short_message: text.as_bytes(),
            ..DeliverSm::default()
        };
        let place = self.enqueue(at, connection, CommandId::DELIVER_SM, &Pdu::DeliverSm(receipt));
        self.deliveries[place].message_id = Some(id);
        place
    }

    /// Sends a deliver_sm on the first receiving connection; its place in `deliveries`.
    pub fn deliver(&mut self, now: Moment, pdu: &DeliverSm<'_>) -> usize {
        self.enqueue(now, None, CommandId::DELIVER_SM, &Pdu::DeliverSm(*pdu))
    }

    /// The same with any PDU, on a connection of choice if that is open.
    pub fn enqueue(&mut self, at: Moment, prefer: Option<usize>, command_id: CommandId, pdu: &Pdu<'_>) -> usize {
        let mut bytes = Vec::new();
        pdu.emit(&mut bytes, command_id, CommandStatus::ESME_ROK, 0);
        let delivery = Delivery {
            statuses: Vec::new(),
            sent: 0,
            message_id: None,
            command_id,
            pdu: bytes,
            stage: Stage::Due(at),
            prefer,
        };
        self.deliveries.push(delivery);
        self.deliveries.len() - 1
    }

    /// Answers what it has not answered, and unbinds every connection.
    pub fn unbind(&mut self, now: Moment) {
        self.waiting.iter_mut().for_each(|(at, ..)| *at = now);
        for connection in 0..self.connections.len() {
            if core::mem::take(&mut self.connections[connection].receives) {
                let mut bytes = Vec::new();
                smpp::emit(&mut bytes, CommandId::UNBIND, CommandStatus::ESME_ROK, 0x7777, |_| {});
                self.waiting.push_back((now, connection, bytes));
            }
        }
    }

    /// Sends any octets on the first receiving connection.
    pub fn send_raw(&mut self, now: Moment, bytes: Vec<u8>) {
        let connection = self.receivers().next().expect("a bound receiver");
        self.waiting.push_back((now, connection, bytes));
    }

    fn reply(&mut self, at: Moment, connection: usize, body: &Pdu<'_>, to: Header, status: CommandStatus) {
        let mut bytes = Vec::new();
        body.emit(&mut bytes, to.command_id.response(), status, to.sequence_number);
        self.waiting.push_back((at, connection, bytes));
    }

    /// The next octets that are due.
    pub fn poll(&mut self, now: Moment) -> Option<(usize, Vec<u8>)> {
        if self.faults.frozen {
            return None;
        }
        if let Some(at) = self.waiting.iter().position(|(at, ..)| *at <= now) {
            return self.waiting.remove(at).map(|(_, connection, bytes)| (connection, bytes));
        }
        let first = self.receivers().next()?;
        let due = |delivery: &&mut Delivery| matches!(delivery.stage, Stage::Due(at) if at <= now);
        let receivers: Vec<usize> = self.receivers().collect();
        let delivery = self.deliveries.iter_mut().find(due)?;
        let connection = delivery.prefer.filter(|prefer| receivers.contains(prefer)).unwrap_or(first);
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        delivery.stage = Stage::Sent { connection, sequence };
        delivery.sent += 1;
        let mut bytes = delivery.pdu.clone();
        smpp::set_sequence_number(&mut bytes, sequence);
        Some((connection, bytes))
    }

    /// When to poll next.
    pub fn deadline(&self) -> Option<Moment> {
        if self.faults.frozen {
            return None;
        }
        let bound = self.receivers().next().is_some();
        let due = self.deliveries.iter().filter(|_| bound).filter_map(|delivery| match delivery.stage {
            Stage::Due(at) => Some(at),
            _ => None,
        });
        self.waiting.iter().map(|(at, ..)| *at).chain(due).min()
    }
}

/// Reference, total and number of a user data header (TS 23.040 9.2.3.24.1 and 9.2.3.24.8).
fn concatenation(user_data: &[u8]) -> Option<(u16, u8, u8)> {
    let mut rest = &user_data[1..=usize::from(user_data[0])];
    while let [id, len, after @ ..] = rest {
        let (value, next) = after.split_at(usize::from(*len));
        match (id, value) {
            (0x00, [reference, total, number]) => return Some((u16::from(*reference), *total, *number)),
            (0x08, [high, low, total, number]) => return Some((u16::from_be_bytes([*high, *low]), *total, *number)),
            _ => rest = next,
        }
    }
    None
}
