//! The embedded SM-SC: one listener, binds as they come, texts joined and decoded, a status report for each segment.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Happened;
use super::fault::Fault;
use super::received::{Received, text_of};
use super::trace::{Party, Trace, shown};
use crate::wire::Framing;
use crate::wire::short_message::{CodingOptions, Concatenation, Plan, SegmentOptions, choose};
use crate::wire::smpp::{
    self, CommandId, CommandStatus, DeliverSm, Header, MessageState, Pdu, Response, SubmitSm, Tag, Tlvs, tlv,
};

/// Texts of no more segments than these are shown whole.
const SEGMENTS_SHOWN: u8 = 6;

/// The SM-SC on a port of its own.
#[derive(Clone, Debug)]
pub(super) struct Smsc {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    trace: Trace,
    happened: Sender<Happened>,
    faults: Vec<Fault>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    connection: Option<TcpStream>,
    next_id: u32,
    next_sequence: u32,
    /// Segments by source, destination and reference.
    segments: BTreeMap<(Vec<u8>, Vec<u8>, u16), Vec<Received>>,
    /// Submissions to refuse with ESME_RTHROTTLED.
    throttle: u32,
    /// Deliveries without a response, and whether that is shown.
    unanswered: Vec<(u32, bool)>,
}

impl Smsc {
    /// Opens a port and takes binds.
    pub(super) fn start(trace: Trace, happened: Sender<Happened>, faults: &[Fault]) -> io::Result<Smsc> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let state = Mutex::new(State { next_id: 0x51_0001, next_sequence: 1, ..State::default() });
        let shared = Arc::new(Shared { trace, happened, faults: faults.to_vec(), state });
        let acceptor = Arc::clone(&shared);
        std::thread::Builder::new().name("demo-smsc".into()).spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&acceptor);
                std::thread::spawn(move || shared.serve(connection));
            }
        })?;
        Ok(Smsc { address, shared })
    }

    /// Where it is reached.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Does what its faults want before a text comes.
    pub(super) fn prepare(&self) {
        if self.shared.faults.contains(&Fault::Throttled) {
            self.shared.state().throttle = 1;
        }
        if self.shared.faults.contains(&Fault::Disconnect) {
            self.disconnect();
        }
    }

    fn disconnect(&self) {
        let mut state = self.shared.state();
        let Some(connection) = state.connection.take() else { return };
        self.shared.trace.line("        (the SM-SC drops its connection)");
        let _ = connection.shutdown(Shutdown::Both);
        state.unanswered.clear();
    }

    /// Deliveries that the gateway has not answered.
    pub(super) fn unanswered(&self) -> usize {
        self.shared.state().unanswered.len()
    }

    /// Delivers a text to the gateway, last segment first. Says whether there was a bind.
    pub(super) fn deliver(&self, from: &str, to: &str, text: &str) -> bool {
        let options = SegmentOptions { concatenation: Concatenation::Udh8, ..SegmentOptions::default() };
        let chosen = choose(text, &CodingOptions::default());
        let Ok(plan) = Plan::new(text, chosen, &options) else { return false };
        let mut segments = plan.segments(7);
        let mut written = Vec::new();
        let mut octets = Vec::new();
        while let Some(segment) = segments.next_into(&mut octets) {
            written.push((segment, core::mem::take(&mut octets)));
        }
        written.iter().rev().all(|(segment, octets)| {
            let (number, total) = (segment.number, segment.total);
            let what = format!("deliver_sm: segment {number} of {total} of {}", shown(text));
            let visible = self.shared.show_segment(number, total);
            if visible {
                self.shared.trace.crossed(Party::Smsc, Party::Gateway, &what);
            }
            let esm_class = if segment.user_data_header { 0x40 } else { 0 };
            let pdu = DeliverSm {
                esm_class,
                data_coding: plan.data_coding(),
                short_message: octets,
                ..addressed(from.trim_start_matches('+').as_bytes(), to.trim_start_matches('+').as_bytes())
            };
            self.shared.deliver(&pdu, visible)
        })
    }
}

fn addressed<'a>(from: &'a [u8], to: &'a [u8]) -> DeliverSm<'a> {
    DeliverSm {
        source_addr_ton: 1,
        source_addr_npi: 1,
        source_addr: from,
        dest_addr_ton: 1,
        dest_addr_npi: 1,
        destination_addr: to,
        ..DeliverSm::default()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, happened: Happened) {
        // Nobody listens any more once the demonstration is over.
        let _ = self.happened.send(happened);
    }

    fn serve(&self, mut connection: TcpStream) {
        // Each response and report is small and somebody waits for it.
        let _ = connection.set_nodelay(true);
        let mut unread = Vec::new();
        let mut buffer = [0; 4_096];
        while let Ok(len @ 1..) = connection.read(&mut buffer) {
            unread.extend_from_slice(&buffer[..len]);
            while let Framing::Complete(len) = smpp::frame(&unread, crate::limits::SMPP_PDU_BYTES_MAX) {
                let pdu: Vec<u8> = unread.drain(..len).collect();
                match Pdu::parse(&pdu) {
                    Ok((header, pdu)) => self.received(&connection, header, &pdu),
                    Err(error) => self.tell(Happened::Wrong(format!("the gateway sent {error:?}"))),
                }
            }
        }
    }

    fn received(&self, connection: &TcpStream, header: Header, pdu: &Pdu<'_>) {
        match pdu {
            Pdu::BindTransceiver(bind) => {
                self.trace.line(&format!("        bound: {} as transceiver", String::from_utf8_lossy(bind.system_id)));
                let mut tlvs = Vec::new();
                tlv::put(&mut tlvs, Tag::SC_INTERFACE_VERSION, &[0x34]);
                let tlvs = Tlvs::whole_ones(&tlvs);
                reply(
                    connection,
                    header,
                    CommandStatus::ESME_ROK,
                    &Pdu::BindResp(Response { id: Some(b"demo"), tlvs }),
                );
                self.state().connection = connection.try_clone().ok();
            }
            Pdu::SubmitSm(submit) => self.submitted(connection, header, submit),
            Pdu::DeliverSmResp(_) => self.delivery_answered(header),
            Pdu::EnquireLink(body) => reply(connection, header, CommandStatus::ESME_ROK, &Pdu::EnquireLinkResp(*body)),
            Pdu::Unbind(body) => reply(connection, header, CommandStatus::ESME_ROK, &Pdu::UnbindResp(*body)),
            _ => {}
        }
    }

    fn submitted(&self, connection: &TcpStream, header: Header, submit: &SubmitSm<'_>) {
        let received = Received::of(submit);
        let (number, total) = received.place();
        let octets = submit.short_message.len();
        let what =
            format!("submit_sm: segment {number} of {total}, data_coding {}, {octets} octets", submit.data_coding);
        let visible = self.show_segment(number, total);
        if visible {
            self.trace.crossed(Party::Gateway, Party::Smsc, &what);
        }
        if self.throttles() {
            self.trace.crossed(Party::Smsc, Party::Gateway, "submit_sm_resp ESME_RTHROTTLED");
            return reply(connection, header, CommandStatus::ESME_RTHROTTLED, &Pdu::SubmitSmResp(Response::default()));
        }
        let id = self.next_id();
        let early = self.faults.contains(&Fault::EarlyReports);
        if early {
            self.report(submit, &id, visible);
        }
        if self.faults.contains(&Fault::Slow) || early {
            std::thread::sleep(Duration::from_millis(300));
        }
        if visible {
            self.trace.crossed(Party::Smsc, Party::Gateway, &format!("submit_sm_resp ESME_ROK, message_id {id}"));
        }
        let response = Response { id: Some(id.as_bytes()), ..Response::default() };
        reply(connection, header, CommandStatus::ESME_ROK, &Pdu::SubmitSmResp(response));
        self.keep(submit, received);
        if !early {
            self.report(submit, &id, visible);
        }
    }

    /// Of many segments the first two and the last are shown.
    fn show_segment(&self, number: u8, total: u8) -> bool {
        let visible = total <= SEGMENTS_SHOWN || number <= 2 || number == total;
        if !visible && number == 3 {
            self.trace.line(&format!("        (and so on: {} segments more)", total - 3));
        }
        visible
    }

    fn throttles(&self) -> bool {
        let mut state = self.state();
        let throttles = state.throttle > 0;
        state.throttle = state.throttle.saturating_sub(1);
        throttles
    }

    fn next_id(&self) -> String {
        let mut state = self.state();
        state.next_id += 1;
        format!("{:08X}", state.next_id)
    }

    /// Keeps a segment; the text is whole when all are there.
    fn keep(&self, submit: &SubmitSm<'_>, received: Received) {
        let key = (submit.source_addr.to_vec(), submit.destination_addr.to_vec(), received.reference());
        let total = usize::from(received.place().1);
        let mut state = self.state();
        let segments = state.segments.entry(key.clone()).or_default();
        segments.push(received);
        if segments.len() < total {
            return;
        }
        let segments = state.segments.remove(&key).unwrap_or_default();
        drop(state);
        match text_of(segments) {
            Some(text) => self.tell(Happened::TextAtSmsc(text)),
            None => self.tell(Happened::Wrong("a submission that is no text".into())),
        }
    }

    /// The report of a handset that took the short message at once, if it was asked for (SMPP 3.4 5.2.17).
    fn report(&self, submit: &SubmitSm<'_>, id: &str, visible: bool) {
        if submit.registered_delivery & 0x03 == 0 {
            return;
        }
        let mut tlvs = Vec::new();
        tlv::put(&mut tlvs, Tag::RECEIPTED_MESSAGE_ID, &[id.as_bytes(), b"\0"].concat());
        tlv::put(&mut tlvs, Tag::MESSAGE_STATE, &[MessageState::DELIVERED.0]);
        let text =
            format!("id:{id} sub:001 dlvrd:001 submit date:2601011200 done date:2601011200 stat:DELIVRD err:000 text:");
        if visible {
            self.trace.crossed(Party::Smsc, Party::Gateway, &format!("deliver_sm: status report of {id}, DELIVRD"));
        }
        let pdu = DeliverSm {
            esm_class: 0x04,
            short_message: text.as_bytes(),
            tlvs: Tlvs::whole_ones(&tlvs),
            ..addressed(submit.destination_addr, submit.source_addr)
        };
        self.deliver(&pdu, visible);
    }

    fn deliver(&self, pdu: &DeliverSm<'_>, visible: bool) -> bool {
        let mut state = self.state();
        let sequence = state.next_sequence;
        state.next_sequence += 1;
        state.unanswered.push((sequence, visible));
        let mut out = Vec::new();
        Pdu::DeliverSm(*pdu).emit(&mut out, CommandId::DELIVER_SM, CommandStatus::ESME_ROK, sequence);
        state.connection.as_mut().is_some_and(|connection| connection.write_all(&out).is_ok())
    }

    fn delivery_answered(&self, header: Header) {
        let mut state = self.state();
        let found = state.unanswered.iter().position(|(sequence, _)| *sequence == header.sequence_number);
        let visible = found.is_some_and(|at| state.unanswered.swap_remove(at).1);
        drop(state);
        let status = header.command_status;
        let name = status.name().unwrap_or("?");
        if visible {
            self.trace.crossed(Party::Gateway, Party::Smsc, &format!("deliver_sm_resp {name}"));
        }
        if status != CommandStatus::ESME_ROK {
            self.tell(Happened::Wrong(format!("a delivery was refused: {name}")));
        }
    }
}

fn reply(mut connection: &TcpStream, to: Header, status: CommandStatus, pdu: &Pdu<'_>) {
    let mut out = Vec::new();
    pdu.emit(&mut out, to.command_id.response(), status, to.sequence_number);
    // A closed connection shows itself at the next read.
    let _ = connection.write_all(&out);
}
