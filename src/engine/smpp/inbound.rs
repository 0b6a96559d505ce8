//! What the SM-SC sends: its responses find their requests, its requests get their responses.

use core::ops::Range;

use bytes::Bytes;

use super::session::Awaited;
use super::{CloseReason, DeliveryId, Event, Initiator, Session, State};
use crate::engine::Now;
use crate::wire::smpp::{CommandId, CommandStatus, Header, Outbind, Pdu, Response, Tag, emit, status_report};

impl Session {
    /// One framed PDU, the octets `place` of `bytes`.
    pub(super) fn handle_pdu(&mut self, now: Now, bytes: &Bytes, place: Range<usize>) {
        self.enquire_link.pdu(now.moment);
        let octets = bytes.get(place.clone()).unwrap_or_default();
        let Some(header) = Header::parse(octets) else { return };
        self.counters.pdus_received += 1;
        match Pdu::parse(octets) {
            Ok((_, pdu)) if header.command_id.is_response() => self.handle_response(now, header, &pdu),
            Ok((_, pdu)) if self.state.admits(header.command_id) => {
                self.handle_request(now, header, &pdu, || bytes.slice(place));
            }
            Ok((_, pdu)) => self.refuse_request(header, &pdu),
            Err(_) if header.command_id.is_response() => {
                // Its status still says what became of the request.
                self.counters.malformed += 1;
                self.handle_response(now, header, &Pdu::Unknown(&[]));
            }
            Err(why) => {
                self.counters.malformed += 1;
                self.send_response(header, why.status);
            }
        }
    }

    fn handle_request(&mut self, now: Now, header: Header, pdu: &Pdu<'_>, bytes: impl FnOnce() -> Bytes) {
        match pdu {
            Pdu::DeliverSm(body) => self.handle_delivery(header, status_report::is_in_deliver_sm(body), bytes),
            Pdu::DataSm(body) => self.handle_delivery(header, status_report::is_in_data_sm(body), bytes),
            Pdu::AlertNotification(_) => self.events.push_back(Event::AlertNotification { pdu: bytes() }),
            Pdu::EnquireLink(_) => {
                self.counters.enquire_links_answered += 1;
                self.send_response(header, CommandStatus::ESME_ROK);
            }
            Pdu::Unbind(_) => self.handle_unbind(now, header),
            Pdu::Outbind(outbind) => self.handle_outbind(now, outbind),
            _ => self.refuse_request(header, pdu),
        }
    }

    /// A request that this state does not admit, that only an ESME sends, or that we do not know.
    fn refuse_request(&mut self, header: Header, pdu: &Pdu<'_>) {
        self.counters.requests_refused += 1;
        match pdu {
            // These two have no response.
            Pdu::Outbind(_) | Pdu::AlertNotification(_) => {}
            Pdu::Unknown(_) => self.send_generic_nack(CommandStatus::ESME_RINVCMDID, header.sequence_number),
            Pdu::BindReceiver(_) | Pdu::BindTransmitter(_) | Pdu::BindTransceiver(_) if self.state.is_bound() => {
                self.send_response(header, CommandStatus::ESME_RALYBND);
            }
            _ => self.send_response(header, CommandStatus::ESME_RINVBNDSTS),
        }
    }

    fn handle_delivery(&mut self, header: Header, is_report: bool, bytes: impl FnOnce() -> Bytes) {
        let leaving = self.stopped || self.peer_unbind.is_some();
        if leaving || self.unanswered >= self.config.deliver_window {
            self.counters.deliveries_refused += 1;
            return self.send_response(header, CommandStatus::ESME_RX_T_APPN);
        }
        self.unanswered += 1;
        self.counters.delivered += 1;
        let Header { sequence_number, command_id, .. } = header;
        let delivery = DeliveryId { connection: self.connection, sequence_number, command_id };
        self.events.push_back(Event::Delivered { delivery, pdu: bytes(), is_report });
    }

    /// Answers a delivery, once. Returns whether its connection still stands; if not, the SM-SC will deliver again.
    pub fn answer(&mut self, now: Now, delivery: DeliveryId, status: CommandStatus) -> bool {
        if !self.connected || delivery.connection != self.connection {
            self.counters.answers_lost += 1;
            return false;
        }
        let DeliveryId { command_id, sequence_number, .. } = delivery;
        self.send_response(Header { command_length: 0, command_id, command_status: status, sequence_number }, status);
        debug_assert!(self.unanswered > 0, "each delivery is answered once");
        self.unanswered = self.unanswered.saturating_sub(1);
        self.enquire_link.pdu(now.moment);
        self.answer_unbind_if_idle();
        self.unbind_if_idle(now);
        true
    }

    /// The SM-SC unbinds: what it delivered is answered first, then its unbind, then it closes.
    fn handle_unbind(&mut self, now: Now, header: Header) {
        let deadline = now.moment + self.config.response;
        self.peer_unbind = Some(Awaited { sequence_number: header.sequence_number, deadline });
        self.give_up_pending(super::NotSent::Unbound);
        self.answer_unbind_if_idle();
    }

    /// Answers the SM-SC's unbind once nothing of its own waits for us; at once if we unbind as well.
    fn answer_unbind_if_idle(&mut self) {
        let ready = self.unanswered == 0 || self.unbind.is_some();
        let Some(peer_unbind) = self.peer_unbind.as_mut().filter(|unbind| ready && unbind.sequence_number != 0) else {
            return;
        };
        // 0 is no request's number: answered.
        let sequence_number = core::mem::take(&mut peer_unbind.sequence_number);
        emit(&mut self.outbox, CommandId::UNBIND_RESP, CommandStatus::ESME_ROK, sequence_number, |_| {});
        self.state = State::Unbound;
    }

    fn handle_outbind(&mut self, now: Now, outbind: &Outbind<'_>) {
        let password_fits = self.config.outbind_password.is_none_or(|password| same(&password, outbind.password));
        let awaits_outbind = self.bind.is_some_and(|bind| bind.sequence_number == 0);
        if self.config.initiator != Initiator::Smsc || !awaits_outbind {
            self.counters.requests_refused += 1;
        } else if password_fits {
            self.send_bind(now);
        } else {
            self.close(now, CloseReason::OutbindRefused);
        }
    }

    fn handle_response(&mut self, now: Now, header: Header, pdu: &Pdu<'_>) {
        let number = header.sequence_number;
        let is_nack = header.command_id == CommandId::GENERIC_NACK;
        self.counters.generic_nacks_received += u64::from(is_nack);
        let answers = |awaited: Option<Awaited>, request: CommandId| {
            let by = is_nack || header.command_id == request.response();
            by && awaited.is_some_and(|awaited| awaited.sequence_number == number)
        };
        if answers(self.bind, self.config.bind.command_id()) {
            self.handle_bind_response(now, header, pdu);
        } else if answers(self.unbind, CommandId::UNBIND) {
            self.close(now, CloseReason::Unbound);
        } else if (is_nack || header.command_id == CommandId::ENQUIRE_LINK_RESP) && self.enquire_link.answered(number) {
            // Even a refusal shows that the peer lives.
        } else if let Some(in_flight) = self.window.take(number, header.command_id) {
            let (message_id, reason) = verdict(pdu);
            // A generic_nack takes nothing, whatever its status says (SMPP 3.4 4.3).
            let ok_nack = is_nack && header.command_status == CommandStatus::ESME_ROK;
            let status = if ok_nack { CommandStatus::ESME_RUNKNOWNERR } else { header.command_status };
            self.submission_answered(now, in_flight, status, message_id, reason);
        } else {
            self.counters.late_responses += 1;
        }
    }

    fn handle_bind_response(&mut self, now: Now, header: Header, pdu: &Pdu<'_>) {
        let status = header.command_status;
        if status == CommandStatus::ESME_ROK && header.command_id != CommandId::GENERIC_NACK {
            let version = match pdu {
                Pdu::BindResp(response) => response.tlvs.u8(Tag::SC_INTERFACE_VERSION),
                _ => None,
            };
            return self.bound(now, version);
        }
        self.events.push_back(Event::BindRefused { status });
        self.close(now, CloseReason::BindRefused(status));
    }

    pub(super) fn send_generic_nack(&mut self, status: CommandStatus, sequence_number: u32) {
        self.counters.generic_nacks_sent += 1;
        emit(&mut self.outbox, CommandId::GENERIC_NACK, status, sequence_number, |_| {});
    }

    /// The response to a request. The message_id of deliver_sm_resp stands there, empty, whatever the status
    /// (SMPP 3.4 4.6.2); so does that of data_sm_resp.
    fn send_response(&mut self, request: Header, status: CommandStatus) {
        let command_id = request.command_id.response();
        let has_message_id = matches!(command_id, CommandId::DELIVER_SM_RESP | CommandId::DATA_SM_RESP);
        let body = Response { id: has_message_id.then_some(b""), ..Response::default() };
        emit(&mut self.outbox, command_id, status, request.sequence_number, |out| body.emit(out));
    }
}

/// message_id and delivery_failure_reason of the response to a submission.
fn verdict<'a>(pdu: &Pdu<'a>) -> (&'a [u8], Option<u8>) {
    match pdu {
        Pdu::SubmitSmResp(response) | Pdu::DataSmResp(response) => {
            (response.id.unwrap_or_default(), response.tlvs.u8(Tag::DELIVERY_FAILURE_REASON))
        }
        _ => (&[], None),
    }
}

/// Compares in a time that does not tell where two passwords differ.
fn same(ours: &[u8], theirs: &[u8]) -> bool {
    let differ = ours.iter().zip(theirs).fold(0, |differ, (a, b)| differ | (a ^ b));
    ours.len() == theirs.len() && differ == 0
}
