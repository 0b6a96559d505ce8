//! One bind and everything that can happen to it. Each submission that was taken is reported once, what is sent is
//! whole PDUs, and no bound is passed.

use std::time::Duration;

use bytes::Bytes;
use isthmus::engine::smpp::{BindType, Config, DeliveryId, Event, Initiator, Order, Request, Session, SubmitOptions};
use isthmus::engine::{Moment, Now, Random};
use isthmus::wire::Framing;
use isthmus::wire::smpp::{
    self, CommandId, CommandStatus, DataSm, DeliverSm, Outbind, Pdu, Response, SubmitSm, Tag, Tlvs, tlv,
};

use super::input::Input;

/// Steps of one run: more of them find nothing that these do not.
const STEPS_MAX: usize = 400;
const PENDING_MAX: usize = 5;

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut world = World::new(&mut input);
    for _ in 0..STEPS_MAX {
        if input.is_empty() {
            break;
        }
        world.step(&mut input);
        world.drain();
    }
    world.end();
}

struct World {
    session: Session,
    now: Now,
    connected: bool,
    ordered: bool,
    taken: u64,
    outcomes: Vec<u64>,
    deliveries: Vec<DeliveryId>,
}

fn config(input: &mut Input<'_>) -> Config {
    let bits = input.u8();
    Config {
        bind: [BindType::Transceiver, BindType::Transmitter, BindType::Receiver][usize::from(bits % 3)],
        initiator: if bits & 0x80 == 0 { Initiator::Esme } else { Initiator::Smsc },
        window: 3,
        pending_max: PENDING_MAX,
        deliver_window: 4,
        throughput_per_second: u32::from(bits & 0x40) / 8,
        tlvs_without_version: bits & 0x20 == 0,
        enquire_link: if bits & 0x10 == 0 { Duration::from_secs(30) } else { Duration::ZERO },
        ..Config::default()
    }
}

impl World {
    fn new(input: &mut Input<'_>) -> World {
        let mut world = World {
            session: Session::new(config(input), Random::from_seed([7; 32])),
            now: Now { moment: Moment(1), unix_ms: 1_795_255_530_000 },
            connected: false,
            ordered: false,
            taken: 0,
            outcomes: Vec::new(),
            deliveries: Vec::new(),
        };
        world.drain();
        world.connect();
        world.drain();
        world
    }

    fn step(&mut self, input: &mut Input<'_>) {
        match input.below(16) {
            0 => self.submit(input),
            1 => self.respond(input),
            2 => self.accept_bind(input),
            3 => self.deliver(input),
            4 => self.answer(input),
            5 => self.pass(Duration::from_millis(u64::from(input.u16()))),
            6 => self.pass(Duration::from_secs(u64::from(input.u8()))),
            7 => self.any_pdu(input),
            8 => self.send(input.octets()),
            9 => self.close(),
            10 => self.connect(),
            11 => self.refuse_connection(),
            12 => self.outbind(input),
            13 if input.u8() == 0xFF => self.session.unbind(self.now),
            14 => self.session.handle_timeout(self.now),
            _ => self.pdu(CommandId::ENQUIRE_LINK_RESP, CommandStatus::ESME_ROK, u32::from(input.u8()), |_| {}),
        }
    }

    fn submit(&mut self, input: &mut Input<'_>) {
        let how = input.u8();
        let until = self.now.moment + Duration::from_millis(u64::from(how & 0x3F) * 500);
        let options = SubmitOptions { until, retry_throttled: how & 0x80 != 0 };
        let text = input.octets();
        let mut region = Vec::new();
        if how & 0x40 != 0 {
            tlv::put(&mut region, Tag::MESSAGE_PAYLOAD, text);
        }
        let tlvs = Tlvs::whole_ones(&region);
        let request = match how & 1 {
            0 => Request::SubmitSm(SubmitSm {
                destination_addr: b"49171",
                short_message: text,
                tlvs,
                ..SubmitSm::default()
            }),
            _ => Request::DataSm(DataSm { destination_addr: text, tlvs, ..DataSm::default() }),
        };
        let (now, token) = (self.now, self.taken);
        self.taken += u64::from(self.session.submit(now, token, &request, options).is_ok());
    }

    fn respond(&mut self, input: &mut Input<'_>) {
        let number = u32::from(input.u8());
        let how = input.u8();
        let status = CommandStatus(u32::from(how % 0x60));
        let command_id = if how & 0x80 == 0 { CommandId::SUBMIT_SM_RESP } else { CommandId::DATA_SM_RESP };
        let body = Response { id: Some(b"id"), ..Response::default() };
        self.pdu(command_id, status, number, |out| body.emit(out));
    }

    fn accept_bind(&mut self, input: &mut Input<'_>) {
        let how = input.u8();
        let command_id = CommandId(0x8000_0000 | [9, 2, 1][usize::from(how % 3)]);
        let status = CommandStatus(if how & 0x80 == 0 { 0 } else { u32::from(how & 0x0F) });
        let mut region = Vec::new();
        if how & 0x40 != 0 {
            tlv::put(&mut region, Tag::SC_INTERFACE_VERSION, &[0x30 | how & 0x07]);
        }
        let body = Response { id: Some(b"smsc"), tlvs: Tlvs::whole_ones(&region) };
        self.pdu(command_id, status, 1, |out| body.emit(out));
    }

    fn deliver(&mut self, input: &mut Input<'_>) {
        let number = u32::from(input.u8());
        let body = DeliverSm { source_addr: b"49170", short_message: input.octets(), ..DeliverSm::default() };
        self.pdu(CommandId::DELIVER_SM, CommandStatus::ESME_ROK, number, |out| body.emit(out));
    }

    fn answer(&mut self, input: &mut Input<'_>) {
        if self.deliveries.is_empty() {
            return;
        }
        let which = input.below(256) % self.deliveries.len();
        let delivery = self.deliveries.swap_remove(which);
        self.session.answer(self.now, delivery, CommandStatus(u32::from(input.u8())));
    }

    fn any_pdu(&mut self, input: &mut Input<'_>) {
        let requests = [CommandId::UNBIND, CommandId::ENQUIRE_LINK, CommandId::ALERT_NOTIFICATION, CommandId::DATA_SM];
        let command_id = match input.u8() {
            which @ 0..0x40 => requests[usize::from(which) % requests.len()],
            which @ 0x40..0x80 => CommandId(u32::from(which & 0x1F)),
            which @ 0x80..=0xFF => CommandId(0x8000_0000 | u32::from(which & 0x1F)),
        };
        let (number, octets) = (u32::from(input.u8()), input.octets());
        self.pdu(command_id, CommandStatus::ESME_ROK, number, |out| out.extend_from_slice(octets));
    }

    fn outbind(&mut self, input: &mut Input<'_>) {
        let password = input.take(4);
        let body = Outbind { system_id: b"smsc", password, ..Outbind::default() };
        self.pdu(CommandId::OUTBIND, CommandStatus::ESME_ROK, 1, |out| body.emit(out));
    }

    fn pdu(&mut self, id: CommandId, status: CommandStatus, number: u32, body: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = Vec::new();
        smpp::emit(&mut bytes, id, status, number, body);
        self.send(&bytes);
    }

    fn send(&mut self, bytes: &[u8]) {
        if self.connected {
            self.session.handle_bytes(self.now, &Bytes::copy_from_slice(bytes));
        }
    }

    fn connect(&mut self) {
        if !self.connected {
            (self.connected, self.ordered) = (true, false);
            self.session.handle_connected(self.now);
        }
    }

    fn refuse_connection(&mut self) {
        if std::mem::take(&mut self.ordered) {
            self.session.handle_connect_failed(self.now);
        }
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.connected) {
            self.session.handle_closed(self.now);
        }
    }

    /// Lets time pass, running timers when they are due.
    fn pass(&mut self, time: Duration) {
        let end = self.now.after(time);
        for _ in 0..10_000 {
            let Some((at, _)) = self.session.poll_timeout().filter(|(at, _)| *at <= end.moment) else {
                self.now = end;
                return;
            };
            self.now = self.now.after(at.since(self.now.moment));
            self.session.handle_timeout(self.now);
            self.drain();
        }
        panic!("timers without end");
    }

    fn drain(&mut self) {
        let mut sent = Vec::new();
        if self.session.poll_transmit(&mut sent) {
            whole_pdus(&sent);
        }
        while let Some(order) = self.session.poll_order() {
            match order {
                Order::Connect => self.ordered = true,
                Order::Close => self.connected = false,
            }
        }
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::SubmitDone { token, .. } => self.outcomes.push(token),
                Event::Delivered { delivery, pdu, .. } => {
                    assert!(Pdu::parse(&pdu).is_ok());
                    self.deliveries.push(delivery);
                }
                _ => {}
            }
        }
        let (in_flight, waiting) = self.session.outstanding();
        let window = self.session.window_size();
        // What was throttled waits again, in front of a queue that may be full.
        assert!(in_flight <= window && waiting <= PENDING_MAX + window);
    }

    fn end(mut self) {
        self.close();
        self.drain();
        assert_eq!(self.session.outstanding(), (0, 0));
        self.outcomes.sort_unstable();
        assert_eq!(self.outcomes, (0..self.taken).collect::<Vec<u64>>(), "each submission is reported once");
    }
}

fn whole_pdus(mut sent: &[u8]) {
    while !sent.is_empty() {
        let Framing::Complete(len) = smpp::frame(sent, 70_000) else { panic!("half a PDU: {sent:?}") };
        assert!(Pdu::parse(&sent[..len]).is_ok(), "{:?}", &sent[..len]);
        sent = &sent[len..];
    }
}
