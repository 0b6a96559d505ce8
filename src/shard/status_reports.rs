//! Deliveries of the SM-SC: status reports find their message and become notifications (IWF 6.2.2.1.2, 6.2.3, 6.2.4), short
//! messages find their owner.

use core::time::Duration;

use bytes::Bytes;

use crate::engine::transport::ShardId;
use crate::engine::{Moment, Now};
use crate::interwork::address::{self, Number};
use crate::interwork::sms::delivery_outcome::{self, Outcome};
use crate::interwork::sms::pager_to_submit_sm::{registered_delivery_of, reports_success};
use crate::iwf::message::Minted;
use crate::iwf::segments::Tally;
use crate::iwf::{event_report, notification, short_message};
use crate::observe::{Flow, Stage, Trace};
use crate::policy::{FailureReport, IntermediateNotification, NoMatchingMessageId, SeveralSegments};
use crate::wire::cpim::imdn::{Notification, Status};
use crate::wire::smpp::message_id::Origin;
use crate::wire::smpp::{CommandStatus, MessageState, status_report::StatusReport};

use super::Shard;
use super::binds::{self, BindEvent};
use super::event::Event;
use super::handoff::{DeliverRef, Handoff, Report, SegmentRef};
use super::records::Acknowledgement;
use super::report_index::{Found, Unclaimed};
use super::submit::{ALARM_TELL, micros};
use super::uac::{Ended, Purpose};

/// What a message's final state has been told, and is being told.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// The final state, once it is known.
    state: Option<MessageState>,
    /// Requests in flight.
    in_flight: u8,
    /// Taken by the CPM side, or refused for good.
    done: [bool; 3],
    /// Whether one in flight could not be passed on for now.
    failed: bool,
    /// The status report that waits for them.
    waiting: Option<(DeliverRef, u64, SegmentRef)>,
    /// Since when.
    since: Moment,
    /// How long it took so far.
    pub(super) trace: Trace,
    /// The submission failed after the sender was told 202: no status report will come.
    unsubmitted: bool,
}

/// Wait before a failure that no status report will repeat is told again.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// A report about the end of a message's validity comes after that end.
pub(super) const REPORT_MARGIN: Duration = Duration::from_secs(600);

/// What a request about a message tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// <delivery-notification>
    Delivery,
    /// <interworking-notification>
    Interworking,
    /// <failed-iw>
    FailedIw,
    /// <processing-notification>: nothing waits for it
    Processing,
}

impl Telling {
    /// Whether we alone can tell it: the sender has 202, and no status report will come.
    pub(super) fn is_owed(&self) -> bool {
        self.unsubmitted
    }

    /// The report that waits.
    pub(super) fn waiting(&self) -> Option<DeliverRef> {
        self.waiting.map(|(deliver, ..)| deliver)
    }

    /// Of what an earlier run told the sender 202 for, and which failed, or of which nobody knows.
    pub(super) fn of_failed(state: MessageState) -> Telling {
        Telling { state: Some(state), unsubmitted: true, ..Telling::default() }
    }

    /// The state that we alone can tell.
    pub(super) fn owed(&self) -> Option<MessageState> {
        self.state.filter(|_| self.unsubmitted)
    }

    /// The segment whose report waits.
    pub(super) fn waiting_segment(&self) -> Option<u8> {
        self.waiting.map(|(.., whose)| whose.segment)
    }

    /// Whether nothing is in flight.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0
    }

    /// Whether a report has decided the message, and its submission ends first.
    fn is_held(&self) -> bool {
        self.waiting.is_some() && self.is_idle()
    }
}

impl Shard {
    /// Takes what the binds received.
    pub(super) fn take_deliveries(&mut self) {
        if self.bind_events.is_empty() {
            return;
        }
        let mut events = core::mem::take(&mut self.bind_events);
        for event in events.drain(..) {
            match event {
                BindEvent::Delivered(deliver, pdu) => self.take_delivery(deliver, pdu),
                BindEvent::Reported(deliver, pdu) => self.take_reported(deliver, &pdu),
                BindEvent::Log(event) => self.event(event),
            }
        }
        self.bind_events = events;
    }

    fn take_delivery(&mut self, deliver: DeliverRef, pdu: Bytes) {
        self.stopwatch.begin();
        let Some(owner) = self.owner_of_delivery(&pdu) else {
            return self.answer(deliver, CommandStatus::ESME_RX_P_APPN);
        };
        let trace = self.stopwatch.received(Flow::SmsToCpm);
        self.outbox.hand(owner, Handoff::Deliver { deliver, pdu, trace });
    }

    fn take_reported(&mut self, deliver: DeliverRef, pdu: &[u8]) {
        self.stopwatch.begin();
        let Some(report) = binds::report_in(pdu) else {
            return self.answer(deliver, CommandStatus::ESME_RX_P_APPN);
        };
        let trace = self.stopwatch.parsed_in_batch(Flow::Report);
        self.take_report(deliver, &report, trace);
    }

    pub(super) fn owner_of_delivery(&self, pdu: &[u8]) -> Option<ShardId> {
        if self.settings.shards == 1 {
            return Some(self.settings.id);
        }
        let [source, destination] = short_message::addresses(pdu)?;
        Some(self.route.of_hash(self.correspondence(source, destination)))
    }

    /// Key of what passes from one SMPP address to another, however the SM-SC writes their numbers.
    fn correspondence(&self, source: (u8, &[u8]), destination: (u8, &[u8])) -> u64 {
        let number = |(ton, digits)| address::of_smpp(ton, digits, &self.iwf.policy.addresses);
        match (number(source), number(destination)) {
            (Some(source), Some(destination)) => self.between(&source, &destination),
            _ => self.route.hash(&[source.1, b"/", destination.1]),
        }
    }

    /// Key of what passes from an SMS user to a number of the CPM side; its index shard knows their session, if any.
    pub(super) fn between(&self, source: &Number, destination: &Number) -> u64 {
        self.route.hash(&[&source.digits, b"/", &destination.digits])
    }

    pub(super) fn answer(&mut self, deliver: DeliverRef, status: CommandStatus) {
        self.answer_timed(deliver, status, Trace::default());
    }

    pub(super) fn answer_timed(&mut self, deliver: DeliverRef, status: CommandStatus, trace: Trace) {
        self.outbox.hand(deliver.shard, Handoff::Answer { deliver, status, trace });
    }

    fn take_report(&mut self, deliver: DeliverRef, report: &StatusReport<'_>, trace: Trace) {
        self.stats.reports += 1;
        let Some(smsc) = self.settings.smscs.get(usize::from(deliver.smsc)) else { return };
        let message_id = smsc.message_id.canonical(report.message_id, Origin::Receipt);
        let hash = self.report_hash(deliver.smsc, &message_id);
        let report = Report { deliver, message_id, state: report.state, intermediate: report.intermediate, trace };
        self.outbox.hand(self.route.of_hash(hash), Handoff::Report { hash, report });
    }

    /// Key of the index: message ids are one account's own.
    pub(super) fn report_hash(&self, smsc: u16, message_id: &[u8]) -> u64 {
        self.route.hash(&[b"message_id", &self.account(smsc), message_id])
    }

    /// The account that an SM-SC is, as part of keys.
    pub(super) fn account(&self, smsc: u16) -> [u8; 2] {
        self.accounts.get(usize::from(smsc)).copied().unwrap_or(smsc).to_be_bytes()
    }

    /// As index shard: which message is it for (IWF 6.2.2.1.2 step 1)?
    pub(super) fn find_message(&mut self, now: Now, hash: u64, report: Report) {
        let hold = Duration::from_secs(u64::from(self.iwf.policy.reports.unmatched_hold_s));
        match self.reports.find(hash, report, now.moment + hold) {
            Found::Message(whose) => self.outbox.hand(whose.owner, Handoff::Reported { hash, whose, report }),
            Found::Held => self.stats.reports_early += 1,
            Found::Full => self.answer(report.deliver, CommandStatus::ESME_RX_T_APPN),
        }
    }

    /// As index shard: an id is open from now on; reports that came before it are released.
    pub(super) fn register(&mut self, hash: u64, whose: SegmentRef, until: Moment) {
        self.stats.reports_not_kept += u64::from(!self.reports.register(hash, whose, until));
        while let Some(report) = self.reports.release(hash) {
            self.outbox.hand(whose.owner, Handoff::Reported { hash, whose, report });
        }
    }

    /// Reports that waited in vain.
    pub(super) fn expire_reports(&mut self, now: Now) {
        while let Some(unclaimed) = self.reports.poll_expired(now.moment) {
            match unclaimed {
                Unclaimed::Unknown(report) => self.unknown_report(report),
                Unclaimed::Closed(report) => {
                    self.stats.reports_repeated += 1;
                    self.answer(report.deliver, CommandStatus::ESME_ROK);
                }
            }
        }
    }

    /// IWF 6.2.2.1.2 step 1a.
    fn unknown_report(&mut self, report: Report) {
        self.stats.reports_unknown += 1;
        self.event(Event::ReportUnmatched { smsc: report.deliver.smsc, message_id: report.message_id });
        let status = match self.iwf.policy.reports.no_matching_message_id {
            NoMatchingMessageId::InvalidMessageId => CommandStatus::ESME_RINVMSGID,
            NoMatchingMessageId::Ok => CommandStatus::ESME_ROK,
        };
        self.answer(report.deliver, status);
    }

    /// As owner: a status report for one short message of ours.
    pub(super) fn reported(&mut self, now: Now, hash: u64, whose: SegmentRef, mut report: Report) {
        self.stopwatch.end(&mut report.trace, Stage::Queue);
        let policy = self.iwf.policy.reports;
        let Some(message) = self.messages.get_mut(whose.message) else {
            // It was one of ours, and its fate was told before.
            self.stats.reports_repeated += 1;
            return self.report_is_over(hash, whose, report, CommandStatus::ESME_ROK);
        };
        if report.intermediate {
            return self.intermediate(now, whose, report);
        }
        if let Some((waiting, _, segment)) = &mut message.telling.waiting
            && segment.segment == whose.segment
        {
            // The SM-SC repeats it, perhaps on another bind: the newest learns how it ends.
            let earlier = core::mem::replace(waiting, report.deliver);
            self.stats.reports_repeated += 1;
            return self.answer(earlier, CommandStatus::ESME_RX_T_APPN);
        }
        // Where only failures are reported, the other segments may never be heard of.
        let first = policy.several_segments == SeveralSegments::FirstState
            || !reports_success(registered_delivery_of(message.requested, &self.iwf.policy));
        let being_told = message.telling.waiting.is_some() || message.telling.unsubmitted;
        match message.reports.reported(whose.segment, report.state, message.total, first) {
            Tally::Repeated => {
                self.stats.reports_repeated += 1;
                self.acknowledge(now, Acknowledgement::Repeated { deliver: report.deliver });
            }
            // What decided the message is being told: another segment's failure changes nothing any more.
            Tally::Decided(_) if being_told => self.report_is_over(hash, whose, report, CommandStatus::ESME_ROK),
            Tally::Waiting => self.counted(now, hash, whose, report),
            Tally::Decided(state) => {
                message.telling.state = Some(state);
                message.telling.waiting = Some((report.deliver, hash, whose));
                message.telling.since = now.moment;
                message.telling.trace = report.trace;
                // Before the others are submitted nobody knows whether there is anything to tell: a refusal tells it all.
                if message.progress.answered || message.progress.submitted {
                    self.tell(now, whose.message);
                }
            }
        }
    }

    /// One segment of several is decided; the SM-SC will not say so again.
    fn counted(&mut self, now: Now, hash: u64, whose: SegmentRef, report: Report) {
        self.record_message(now, whose.message);
        let Report { deliver, trace, .. } = report;
        self.acknowledge(now, Acknowledgement::Counted { deliver, hash, whose, trace });
    }

    fn intermediate(&mut self, now: Now, whose: SegmentRef, report: Report) {
        self.stats.reports_intermediate += 1;
        self.answer(report.deliver, CommandStatus::ESME_ROK);
        let wanted = self.iwf.policy.reports.intermediate_notification == IntermediateNotification::Processing;
        if wanted && self.messages.get(whose.message).is_some_and(|message| message.requested.processing) {
            self.send_about(now, whose.message, Told::Processing, Some((Notification::Processing, Status::Stored)));
        }
    }

    /// An id has done its service: its report was passed on, or there was nothing to pass on.
    fn report_is_over(&mut self, hash: u64, whose: SegmentRef, report: Report, status: CommandStatus) {
        self.waiting_is_over((report.deliver, hash, whose), status, report.trace);
    }

    pub(super) fn waiting_is_over(
        &mut self,
        (deliver, hash, whose): (DeliverRef, u64, SegmentRef),
        status: CommandStatus,
        trace: Trace,
    ) {
        self.outbox.hand(self.route.of_hash(hash), Handoff::Forget { hash, whose });
        self.answer_timed(deliver, status, trace);
    }

    /// 6.2.3 for a message whose sender was told 202 early: its submission failed.
    pub(super) fn tell_unsubmitted(&mut self, now: Now, key: u64, state: MessageState) {
        let Some(message) = self.messages.get_mut(key) else { return };
        self.untold += usize::from(!core::mem::replace(&mut message.telling.unsubmitted, true));
        // A status report about another segment may have told the failure already, or be telling it.
        if message.telling.state.is_none() || message.telling.is_held() {
            message.telling.state.get_or_insert(state);
            self.record_message(now, key);
            return self.tell(now, key);
        }
        self.told(now, key);
    }

    /// The sender has his answer: what a report said before it is told now.
    pub(super) fn tell_held(&mut self, now: Now, key: u64) {
        if self.messages.get(key).is_some_and(|message| message.telling.is_held()) {
            self.tell(now, key);
        }
    }

    /// 6.2.2.1.2 steps 2 to 4: the notifications that were requested, each as a MESSAGE of its own, since a document
    /// holds one (RFC 5438 7.2).
    pub(super) fn tell(&mut self, now: Now, key: u64) {
        let Some(message) = self.messages.get_mut(key) else { return };
        let Some(state) = message.telling.state else { return };
        let known = !message.retained.imdn_message_id.is_empty();
        let due = delivery_outcome::outcome(state, message.requested, &self.iwf.policy);
        let Outcome { delivery, interworking, failed_iw } = if known { due } else { Outcome::default() };
        let done = message.telling.done;
        message.telling.failed = false;
        if let Some(status) = delivery.filter(|_| !done[0]) {
            self.send_about(now, key, Told::Delivery, Some((Notification::Delivery, status)));
        }
        if let Some(status) = interworking.filter(|_| !done[1]) {
            self.send_about(now, key, Told::Interworking, Some((Notification::Interworking, status)));
        }
        if failed_iw && !done[2] && self.iwf.events.is_some() {
            self.send_about(now, key, Told::FailedIw, None);
        }
        self.notifications_written(key);
        self.told(now, key);
    }

    /// Tells one thing about a message: inside of its session while that lasts (6.2.4 2), or else by a request.
    fn send_about(&mut self, now: Now, key: u64, told: Told, status: Option<(Notification, Status)>) {
        let session = self.messages.get(key).map_or(0, |message| message.session);
        let sent = status.is_some_and(|status| self.send_in_session(now, session, key, told, status));
        if !sent {
            self.send_request_about(now, key, told, status);
        }
    }

    fn send_in_session(
        &mut self,
        now: Now,
        session: u64,
        key: u64,
        told: Told,
        status: (Notification, Status),
    ) -> bool {
        if !self.session_alive(session) || !self.sessions.get(&session).is_some_and(|session| session.may_send()) {
            return false;
        }
        let mut message_id = [0; 24];
        self.random.token(&mut message_id);
        let minted = Minted { message_id: &message_id, ..Minted::default() };
        let mut body = Vec::new();
        let Some(message) = self.messages.get(key) else { return false };
        notification::write_in_session(&message.retained, status, &self.iwf, &minted, &mut body);
        let outgoing = self.outgoing(body, false, FailureReport::Yes);
        let token = self.requests.insert(Purpose::About { message: key, told });
        let taken = self.sessions.get_mut(&session).is_some_and(|session| session.media.send(token, outgoing).is_ok());
        if !taken {
            self.requests.remove(token);
            return false;
        }
        if let Some(message) = self.messages.get_mut(key) {
            message.telling.in_flight += u8::from(told != Told::Processing);
        }
        self.pump_session(now, session);
        true
    }

    /// Sends one request about a message: a notification, or the event that its delivery failed.
    fn send_request_about(&mut self, now: Now, key: u64, told: Told, status: Option<(Notification, Status)>) {
        let (mut tag, mut message_id, mut call_id) = ([0; 12], [0; 24], self.pool.take());
        self.random.token(&mut tag);
        self.random.token(&mut message_id);
        self.route.mint_call_id(self.settings.id, self.settings.sip.domain.as_bytes(), &mut self.random, &mut call_id);
        let Some(message) = self.messages.get_mut(key) else { return };
        message.telling.in_flight += u8::from(told != Told::Processing);
        let minted = Minted {
            call_id: &call_id,
            tag: &tag,
            message_id: &message_id,
            conversation_id: b"",
            contribution_id: b"",
        };
        let token = self.requests.insert(Purpose::About { message: key, told });
        let (retained, iwf) = (&message.retained, &self.iwf);
        let targets = self.hop.as_mut().map_or(&[][..], |hop| hop.targets(now.moment, &mut self.random));
        self.clients.send(now.moment, token, targets, &mut self.random, |out| match (status, &iwf.events) {
            (Some(status), _) => notification::write(retained, status, iwf, &minted, out),
            (None, Some(events)) => event_report::write_failed_iw(retained, events, &iwf.user_agent, &minted, out),
            (None, None) => {}
        });
        self.pool.give(call_id);
    }

    /// A request about a message ended.
    pub(super) fn about_ended(&mut self, now: Now, key: u64, told: Told, ended: Ended) {
        let sent = matches!(ended, Ended::Answered(200..300));
        match told {
            Told::FailedIw if sent => self.stats.events_sent += 1,
            Told::FailedIw => self.stats.events_failed += 1,
            _ if sent => self.stats.imdns_sent += 1,
            _ => self.stats.imdns_failed += 1,
        }
        if !sent {
            let call_id = self.messages.get(key).map(|message| message.call_id).unwrap_or_default();
            self.event(Event::NotificationFailed { call_id, code: ended.code() });
        }
        let later = self.command_status_of(ended) == CommandStatus::ESME_RX_T_APPN;
        let Some(message) = self.messages.get_mut(key).filter(|_| told != Told::Processing) else { return };
        message.telling.in_flight = message.telling.in_flight.saturating_sub(1);
        message.telling.failed |= later;
        let place = match told {
            Told::Delivery => 0,
            Told::Interworking => 1,
            Told::FailedIw | Told::Processing => 2,
        };
        message.telling.done[place] = !later;
        if message.telling.is_idle() {
            self.stopwatch.end_at_arrival(&mut message.telling.trace, Stage::Sip);
        }
        self.told(now, key);
    }

    /// When nothing is in flight any more, the status report that waits is answered (6.2.2.1.2 step 5): with success if
    /// the CPM side has the notifications or will never take them, else so that the SM-SC comes again.
    fn told(&mut self, now: Now, key: u64) {
        let Some(message) = self.messages.get_mut(key).filter(|message| message.telling.is_idle()) else { return };
        if message.telling.unsubmitted {
            // We tell it again ourselves if we must: the SM-SC has done its part.
            if let Some(waiting) = message.telling.waiting.take() {
                let trace = message.telling.trace;
                self.waiting_is_over(waiting, CommandStatus::ESME_ROK, trace);
            }
            return self.told_unsubmitted(now, key);
        }
        let trace = message.telling.trace;
        let Some((deliver, hash, whose)) = message.telling.waiting.take() else { return };
        if message.telling.failed {
            message.reports.take_back(whose.segment);
            let expired = message.progress.expired;
            self.answer_timed(deliver, CommandStatus::ESME_RX_T_APPN, trace);
            // Its time ran out meanwhile, and no alarm will ring for it again.
            if expired {
                self.drop_message(key);
            }
            return;
        }
        self.latencies.report.add(micros(now.moment.since(message.telling.since)));
        message.progress.relayed = true;
        let over = message.progress.is_over();
        self.waiting_is_over((deliver, hash, whose), CommandStatus::ESME_ROK, trace);
        if over {
            self.drop_message(key);
        }
    }

    /// How long until a failure is told again: not long while everybody waits for us to end.
    pub(super) fn tell_again_wait(&self) -> Duration {
        if self.draining { TELL_AGAIN / 12 } else { TELL_AGAIN }
    }

    fn told_unsubmitted(&mut self, now: Now, key: u64) {
        let again = |message: &&mut super::submit::Message| {
            message.telling.failed && now.moment + TELL_AGAIN < message.retained.until
        };
        if self.messages.get_mut(key).filter(again).is_none() {
            return self.drop_message(key);
        }
        let wait = self.tell_again_wait();
        let alarm = self.arm(now.moment + wait, ALARM_TELL, key);
        let earlier = self.messages.get_mut(key).and_then(|message| message.alarm.replace(alarm));
        if let Some(earlier) = earlier {
            self.alarms.cancel(earlier);
        }
    }
}
