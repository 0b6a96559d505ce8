//! Hand-offs and the rounds that empty every engine.

use crate::engine::Now;
use crate::engine::sip::{Outbound, ResponseRoute, Target};
use crate::engine::transport::{LinkRef, QueryId, ShardId, Transmit, Transport};

use super::Shard;
use super::handoff::{Handoff, SessionRef};

impl Shard {
    pub(super) fn take_handoff(&mut self, now: Now, from: ShardId, handoff: Handoff) {
        match handoff {
            Handoff::Sip { source, bytes, arrival } => {
                self.stopwatch.arrived(arrival);
                self.handle_sip(now, source, &bytes)
            }
            Handoff::Mail(brought) => self.take_mail(now, *brought),
            Handoff::MailAnswer { whose, reply } => self.answer_mail(now, whose, reply),
            Handoff::Notified(notified) => self.take_notification(now, &notified),
            Handoff::NotificationAnswer { whose, taken } => self.answer_notification(now, whose, taken),
            Handoff::StreamOut { link, bytes, otherwise } => self.stream_out(now, link, bytes, otherwise),
            Handoff::Submit { submit, pdus } => {
                self.binds.submit(now, &submit, &pdus, &mut self.outbox, &mut self.stats);
                self.pool.give(pdus);
            }
            Handoff::Submitted { whose, smsc, outcome, trace, answered_ns } => {
                let trace = self.outcome_known(trace, outcome, answered_ns);
                self.submitted(now, whose, smsc, outcome, trace)
            }
            Handoff::Register { hash, whose, until } => self.register(hash, whose, until),
            Handoff::Forget { hash, whose } => self.reports.forget(hash, whose),
            Handoff::Report { hash, report } => self.find_message(now, hash, report),
            Handoff::Reported { hash, whose, report } => self.reported(now, hash, whose, report),
            Handoff::Deliver { deliver, pdu, trace } => self.deliver(now, deliver, &pdu, trace),
            Handoff::Answer { deliver, status, trace } => {
                self.binds.answer(now, deliver, status);
                self.stopwatch.reply(trace);
            }
            Handoff::BindLost(bind) => self.redelivery.bind_lost(now.moment, bind),
            Handoff::Binds { smsc, transmitters } => self.choice.set(smsc, from, transmitters),
            Handoff::Msrp { link, session, pieces, arrival } => {
                self.stopwatch.arrived(arrival);
                self.take_pieces(now, link, session, &pieces)
            }
            Handoff::MsrpJoin { link, session } => self.msrp_join(link, SessionRef { shard: from, session }),
            Handoff::MsrpLeave { link, session } => self.msrp_leave(now, link, SessionRef { shard: from, session }),
            Handoff::MsrpOut { link, session, bytes } => {
                self.msrp_out(link, SessionRef { shard: from, session }, bytes)
            }
            Handoff::MsrpRoom { session, bytes } => self.session_room(now, session, bytes),
            Handoff::MsrpGone { link, session } => self.session_link_gone(now, session, link),
            Handoff::SessionOpened { between, whose } => self.session_opened(between, whose),
            Handoff::SessionEnded { between, whose } => self.session_ended(between, whose),
            Handoff::Offer { session, delivery, text, user_response_code } => {
                self.take_offer(now, (from, delivery), session, text, user_response_code)
            }
            Handoff::OfferEnded { delivery, outcome } => self.offer_ended(now, delivery, outcome),
            Handoff::Finished => self.core_finished(now, from),
        }
    }

    /// What the DNS is to be asked, and which servers did not answer.
    fn look_after_next_hop(&mut self, now: Now) {
        let sessions = self.has_sessions();
        let Some(hop) = &mut self.hop else { return };
        while let Some(fault) =
            self.clients.poll_fault().or_else(|| sessions.then(|| self.calls.poll_fault()).flatten())
        {
            hop.pause(now.moment, fault.target, fault.retry_after);
        }
        if let Some((name, kind)) = hop.poll_query(now.moment) {
            self.queries += 1;
            self.outbox.transmits.push_back(Transmit::Resolve { query: QueryId(self.queries), name, kind });
        }
    }

    /// Empties every engine until nothing more comes.
    pub(super) fn settle(&mut self, now: Now) {
        loop {
            self.send_responses(now);
            self.send_requests(now);
            let mut ended = self.has_sessions() && self.settle_calls(now);
            while let Some(event) = self.clients.poll_event() {
                ended = true;
                self.request_ended(now, event);
            }
            let mut busy =
                ended | self.binds.settle(now, &self.settings.smscs, &mut self.outbox, &mut self.bind_events);
            busy |= self.settle_mms(now);
            self.take_deliveries();
            while let Some(handoff) = self.outbox.local.pop_front() {
                busy = true;
                let own = self.settings.id;
                self.take_handoff(now, own, handoff);
            }
            if !busy {
                break;
            }
        }
        self.look_after_next_hop(now);
        self.finish_if_drained(now);
    }

    fn send_responses(&mut self, now: Now) {
        while let Some((route, bytes)) = self.servers.poll_transmit() {
            self.send_response(now, route, bytes);
        }
    }

    pub(super) fn send_response(&mut self, now: Now, route: ResponseRoute, bytes: Vec<u8>) {
        match route {
            ResponseRoute::Datagram { listener, peer } => {
                self.outbox.transmits.push_back(Transmit::Datagram { listener, peer, bytes });
            }
            ResponseRoute::Stream { link, otherwise } => self.stream_response(now, link, bytes, otherwise),
        }
    }

    /// A response leaves by the connection of its request, from the core that holds it.
    fn stream_response(&mut self, now: Now, link: LinkRef, bytes: Vec<u8>, otherwise: core::net::SocketAddr) {
        if link.shard == self.settings.id {
            self.stream_out(now, link.link, bytes, otherwise);
        } else {
            self.outbox.hand(link.shard, Handoff::StreamOut { link: link.link, bytes, otherwise });
        }
    }

    fn stream_out(
        &mut self,
        now: Now,
        link: crate::engine::transport::LinkId,
        bytes: Vec<u8>,
        otherwise: core::net::SocketAddr,
    ) {
        if self.streams.used(now.moment, link) {
            self.outbox.transmits.push_back(Transmit::Stream { link, bytes });
        } else if self.settings.sip.trusts(otherwise.ip()) {
            // To strangers no connection is opened: they would choose the port, and leave it to us to keep it.
            self.send_stream(now, otherwise, bytes);
        }
    }

    fn send_stream(&mut self, now: Now, peer: core::net::SocketAddr, bytes: Vec<u8>) -> bool {
        let next = &mut self.next_order;
        self.streams.send_to(now.moment, peer, bytes, &mut self.outbox, || {
            *next += 1;
            crate::engine::transport::ConnectId(*next)
        })
    }

    fn send_requests(&mut self, now: Now) {
        while let Some(Outbound { request, target, bytes }) = self.clients.poll_transmit() {
            if !self.send_to(now, target, bytes) {
                self.clients.handle_unsent(now.moment, request, &mut self.random);
            }
        }
    }

    pub(super) fn send_to(&mut self, now: Now, target: Target, bytes: Vec<u8>) -> bool {
        match target.transport {
            Transport::Udp => self.send_datagram(target.peer, bytes),
            Transport::Tcp => self.send_stream(now, target.peer, bytes),
        }
    }

    fn send_datagram(&mut self, peer: core::net::SocketAddr, bytes: Vec<u8>) -> bool {
        let listener = self.settings.sip.listener_for(peer);
        let datagram = listener.map(|listener| Transmit::Datagram { listener, peer, bytes });
        let sent = datagram.is_some();
        self.outbox.transmits.extend(datagram);
        sent
    }

    /// Drain, first step: what this core accepted is finished, and the others are told. Second step: when every core has,
    /// the binds are unbound.
    fn finish_if_drained(&mut self, now: Now) {
        let own = usize::from(self.settings.id.0);
        if !self.draining || self.finished[own] || !self.is_idle() {
            return;
        }
        self.finished[own] = true;
        self.outbox.broadcast(|| Handoff::Finished);
        while let Some(handoff) = self.outbox.local.pop_front() {
            let own = self.settings.id;
            self.take_handoff(now, own, handoff);
        }
    }

    fn core_finished(&mut self, now: Now, from: ShardId) {
        if let Some(finished) = self.finished.get_mut(usize::from(from.0)) {
            *finished = true;
        }
        if self.finished.iter().all(|&finished| finished) {
            self.binds.drain(now);
            self.mms.drain(now);
            self.settle_mms(now);
            while self.binds.settle(now, &self.settings.smscs, &mut self.outbox, &mut self.bind_events) {}
        }
    }
}
