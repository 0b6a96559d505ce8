//! The load: what is due is sent, what comes is checked, and in the end there are results.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;

use bytes::Bytes;

use super::Results;
use super::cpm::Cpm;
use super::desk::Desk;
use super::esme::{self, Esme};
use super::ledger::{Ledger, Watched};
use super::mix::Way;
use super::outbox::Outbox;
use super::pace::Pace;
use super::results::Setting;
use super::second::Second;
use super::settings::Settings;
use super::smsc::Smsc;
use super::texts::Texts;
use crate::engine::transport::{ConnectId, LinkId, ListenerId, Transmit};
use crate::engine::{Moment, Now, Random};
use crate::limits;

/// Microseconds of a second.
const SECOND_US: u64 = 1_000_000;
/// Seconds for which the ledger keeps a message at least, at the highest rate.
const KEPT_S: f64 = 40.0;
/// Slots of a ledger whose rate is not known.
const SLOTS: usize = 1 << 20;
/// Before a message is due, an awake core does not sleep for less than this: sleep is that coarse.
const DOZE: Duration = Duration::from_micros(2_500);

/// From when everybody is there until the first message is due: the answer to the last bind travels.
const PAUSE: Duration = Duration::from_millis(100);

/// What a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// SIP: the CPM side.
    Sip,
    /// SMPP: the SM-SC side.
    Smpp,
}

/// What is worth telling while a load runs.
#[derive(Debug)]
pub enum Event {
    /// Everybody is there; the first message is due now.
    Began,
    /// What each flow did in a second.
    Progress {
        /// Which second, from 1.
        at_s: u64,
        /// Seconds for which messages are due; 0 if that is not known.
        of_s: u64,
        /// The flows by their names.
        flows: Vec<(String, Second)>,
    },
    /// All is over. `None` if nobody came: no bind, or no connection.
    Ended(Option<Box<Results>>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Binds and connections are awaited.
    Waiting,
    /// Messages are sent.
    Sending,
    /// All are sent; their ends are awaited until then.
    Settling(Moment),
    Over,
}

/// When the next message is due.
enum Due {
    /// At this microsecond after the start, which may be over.
    At(u64),
    /// When one under way is answered.
    Unknown,
    /// There is none.
    Never,
}

/// A load on one core. Driven as a shard is: told what happened, then drained.
#[derive(Debug)]
pub struct Generator {
    settings: Settings,
    roles: Vec<Role>,
    desk: Desk,
    cpm: Option<Cpm>,
    smsc: Option<Smsc>,
    esme: Option<Esme>,
    state: State,
    /// The next message, and when it is due.
    next: u32,
    next_due_us: Option<u64>,
    /// Since when it waits for room in its connection.
    blocked_since: Option<Moment>,
    patience_until: Option<Moment>,
    /// When everybody has been there for long enough.
    begin_at: Option<Moment>,
    shown_s: u64,
    began_unix_ms: u64,
    /// Until when messages were due.
    due_until_us: u64,
    events: VecDeque<Event>,
}

impl Generator {
    /// A load that has not begun. `roles`: what each listener is for; those of the CPM side come first, one for each of
    /// its peers.
    #[must_use]
    pub fn new(settings: Settings, roles: Vec<Role>) -> Generator {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&settings.seed.to_le_bytes());
        let mut random = Random::from_seed(seed);
        let warm_up_us = micros(settings.warm_up);
        Generator {
            desk: Desk {
                texts: Texts::new(settings.seed, &settings.mix),
                ledger: Ledger::new(slots(&settings), warm_up_us, watched(&settings)),
                out: Outbox::new(),
                start: None,
                strange: 0,
                repeated: 0,
                sent_again: 0,
                reports_put_off: 0,
            },
            cpm: settings.cpm.clone().map(|cpm| Cpm::new(cpm, settings.run)),
            smsc: settings.smsc.clone().map(|smsc| Smsc::new(smsc, random.fork())),
            esme: settings.esme.clone().map(|esme| Esme::new(esme, settings.run)),
            state: State::Waiting,
            next: 0,
            next_due_us: settings.pace.due_us(0),
            blocked_since: None,
            patience_until: None,
            begin_at: None,
            shown_s: 0,
            began_unix_ms: 0,
            due_until_us: 0,
            events: VecDeque::new(),
            settings,
            roles,
        }
    }

    /// A datagram arrived.
    pub fn on_datagram(&mut self, now: Now, listener: ListenerId, peer: SocketAddr, bytes: &[u8]) {
        if let Some(cpm) = &mut self.cpm {
            cpm.on_datagram(now, &mut self.desk, listener, peer, bytes);
        }
    }

    /// A connection was accepted.
    pub fn on_accepted(&mut self, link: LinkId, listener: ListenerId) {
        match (self.roles.get(usize::from(listener.0)), &mut self.cpm, &mut self.smsc) {
            (Some(Role::Sip), Some(cpm), _) => cpm.on_accepted(link),
            (Some(Role::Smpp), _, Some(smsc)) => smsc.on_accepted(link),
            _ => self.desk.out.close(link),
        }
    }

    /// An ordered connection is open.
    pub fn on_connected(&mut self, link: LinkId, order: ConnectId) {
        match (&mut self.cpm, &mut self.esme) {
            (_, Some(esme)) if order == esme::ORDER => esme.on_connected(&mut self.desk, link),
            (Some(cpm), _) => cpm.on_connected(&mut self.desk, link, order),
            _ => {}
        }
    }

    /// An ordered connection could not be opened.
    pub fn on_connect_failed(&mut self, now: Now, order: ConnectId) {
        match (&mut self.cpm, &mut self.esme) {
            (_, Some(esme)) if order == esme::ORDER => esme.on_connect_failed(now),
            (Some(cpm), _) => cpm.on_connect_failed(now, order),
            _ => {}
        }
    }

    /// Octets of a connection.
    pub fn on_stream(&mut self, now: Now, link: LinkId, bytes: &Bytes) {
        if let Some(cpm) = &mut self.cpm
            && cpm.on_stream(now, &mut self.desk, link, bytes)
        {
            return;
        }
        if let Some(smsc) = &mut self.smsc {
            smsc.on_stream(now, &mut self.desk, link, bytes);
        }
        if let Some(esme) = &mut self.esme {
            esme.on_stream(now, &mut self.desk, link, bytes);
        }
    }

    /// The kernel took so many octets of a connection that is watched.
    pub fn on_written(&mut self, link: LinkId, bytes: usize) {
        self.desk.out.written(link, bytes);
    }

    /// A connection is gone.
    pub fn on_closed(&mut self, now: Now, link: LinkId) {
        if let Some(cpm) = &mut self.cpm {
            cpm.on_closed(now, link);
        }
        if let Some(smsc) = &mut self.smsc {
            smsc.on_closed(link);
        }
        if let Some(esme) = &mut self.esme {
            esme.on_closed(now, link);
        }
    }

    /// The deadline has come.
    pub fn on_tick(&mut self, now: Now) {
        self.patience_until.get_or_insert(now.moment + self.settings.patience);
        if let Some(cpm) = &mut self.cpm {
            cpm.on_tick(now, &mut self.desk);
        }
        if let Some(smsc) = &mut self.smsc {
            smsc.on_tick(now, &mut self.desk);
        }
        if let Some(esme) = &mut self.esme {
            esme.on_tick(now, &mut self.desk);
        }
        match self.state {
            State::Waiting => self.begin_if_ready(now),
            State::Sending => self.send_due(now),
            State::Settling(until) if self.desk.ledger.open() == 0 || until <= now.moment => self.end(),
            State::Settling(_) | State::Over => {}
        }
        self.show_progress(now);
    }

    /// Sends nothing more; ends when the ends of all are known, or too late.
    pub fn drain(&mut self, now: Now) {
        match self.state {
            State::Waiting => self.fail(),
            State::Sending => self.settle(now, self.desk.us(now)),
            State::Settling(_) | State::Over => {}
        }
    }

    /// Whether all is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Whether messages are sent.
    #[must_use]
    pub const fn has_begun(&self) -> bool {
        self.desk.start.is_some()
    }

    /// What to send next.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.desk.out.poll()
    }

    /// What to tell next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call `on_tick`.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        let state = match self.state {
            State::Waiting if self.is_ready() => Some(self.begin_at.unwrap_or_default()),
            State::Waiting => self.patience_until,
            State::Sending => self.next_sending(),
            State::Settling(_) if self.desk.ledger.open() == 0 => Some(Moment::default()),
            State::Settling(until) => Some(until),
            State::Over => return None,
        };
        let cpm = self.cpm.as_ref().and_then(|cpm| cpm.poll_timeout(&self.desk));
        let smsc = self.smsc.as_ref().and_then(Smsc::poll_timeout);
        let esme = self.esme.as_ref().and_then(Esme::poll_timeout);
        let second = self.desk.start.map(|start| Moment(start.0 + self.next_second_us()));
        [state, cpm, smsc, esme, second].into_iter().flatten().min()
    }

    /// Gives a sent buffer back.
    pub fn recycle(&mut self, bytes: Vec<u8>) {
        self.desk.out.recycle(bytes);
    }

    fn is_ready(&self) -> bool {
        let delivers = self.settings.mix.has(Way::SmsToCpm);
        self.cpm.as_ref().is_none_or(Cpm::is_ready)
            && self.smsc.as_ref().is_none_or(|smsc| smsc.is_ready(delivers))
            && self.esme.as_ref().is_none_or(Esme::is_ready)
    }

    fn begin_if_ready(&mut self, now: Now) {
        if self.is_ready() {
            if now.moment < *self.begin_at.get_or_insert(now.moment + PAUSE) {
                return;
            }
            self.desk.start = Some(now.moment);
            self.began_unix_ms = now.unix_ms + u64::try_from(self.settings.warm_up.as_millis()).unwrap_or(0);
            self.state = State::Sending;
            self.events.push_back(Event::Began);
            self.send_due(now);
        } else if self.patience_until.is_some_and(|until| until <= now.moment) {
            self.fail();
        }
    }

    /// Whether the next message can be sent when it is due.
    fn has_room(&self) -> bool {
        let Some(cpm) = &self.cpm else { return true };
        cpm.has_room(&self.desk, self.next) || self.desk.texts.message(self.next).way != Way::CpmToSms
    }

    /// When a message can be sent, or the sending is over.
    fn next_sending(&self) -> Option<Moment> {
        if let Some(since) = self.blocked_since.filter(|_| !self.has_room()) {
            return Some(since + self.settings.settle);
        }
        let start = self.desk.start?;
        let end = self.settings.duration.map(|duration| start + duration);
        let next = match self.settings.pace {
            Pace::Closed { window } if self.desk.ledger.unanswered() < window as usize => Some(Moment::default()),
            Pace::Closed { .. } => None,
            Pace::Open { .. } | Pace::Ramp { .. } => Some(self.next_due_us.map_or(start, |us| Moment(start.0 + us))),
        };
        let next = if self.settings.awake { next.map(|at| at - DOZE) } else { next };
        next.into_iter().chain(end).min()
    }

    fn send_due(&mut self, now: Now) {
        let us = self.desk.us(now);
        for _ in 0..limits::LOAD_TURN_MESSAGES_MAX {
            match self.due(us) {
                Due::Unknown => return,
                Due::At(due_us) if due_us > us => return,
                Due::At(_) if !self.has_room() => return self.await_room(now, us),
                Due::At(due_us) => {
                    self.blocked_since = None;
                    self.send(now, due_us);
                }
                Due::Never => {
                    let planned = self.settings.duration.filter(|_| self.next < self.settings.messages);
                    return self.settle(now, planned.map_or(us, micros));
                }
            }
        }
    }

    /// A message is due and finds no room: a gateway that makes none for long is given up.
    fn await_room(&mut self, now: Now, us: u64) {
        let since = *self.blocked_since.get_or_insert(now.moment);
        if since + self.settings.settle <= now.moment {
            self.settle(now, us);
        }
    }

    fn due(&self, us: u64) -> Due {
        let end_us = self.settings.duration.map_or(u64::MAX, micros);
        let due_us = match self.settings.pace {
            Pace::Closed { window } if self.desk.ledger.unanswered() < window as usize => Some(us),
            Pace::Closed { .. } if us < end_us && self.next < self.settings.messages => return Due::Unknown,
            Pace::Closed { .. } => None,
            Pace::Open { .. } | Pace::Ramp { .. } => self.next_due_us,
        };
        let due_us = due_us.filter(|due_us| *due_us < end_us && self.next < self.settings.messages);
        due_us.map_or(Due::Never, Due::At)
    }

    fn send(&mut self, now: Now, due_us: u64) {
        let message = self.desk.texts.message(self.next);
        self.next += 1;
        self.next_due_us = self.settings.pace.due_us(self.next);
        self.desk.ledger.sent(&message, due_us, self.desk.us(now));
        match (message.way, &mut self.cpm, &mut self.smsc, &mut self.esme) {
            (Way::CpmToSms, Some(cpm), ..) => cpm.send(now, &mut self.desk, &message),
            (Way::SmsToCpm, _, Some(smsc), _) => smsc.send(now, &mut self.desk, &message),
            (Way::Esme, .., Some(esme)) => esme.send(now, &mut self.desk, &message),
            _ => {}
        }
    }

    fn settle(&mut self, now: Now, due_until_us: u64) {
        self.due_until_us = due_until_us;
        self.state = State::Settling(now.moment + self.settings.settle);
    }

    fn fail(&mut self) {
        self.state = State::Over;
        self.events.push_back(Event::Ended(None));
    }

    fn end(&mut self) {
        self.state = State::Over;
        self.desk.ledger.end();
        let results = Results {
            settings: Vec::new(),
            observed: self.observed(),
            began_unix_ms: self.began_unix_ms,
            duration_us: self.due_until_us.saturating_sub(micros(self.settings.warm_up)),
            flows: self.desk.ledger.flows().cloned().collect(),
        };
        self.events.push_back(Event::Ended(Some(Box::new(results))));
    }

    fn observed(&self) -> Vec<Setting> {
        let Desk { strange, repeated, sent_again, reports_put_off, .. } = self.desk;
        [
            ("requests sent again for want of an answer", sent_again),
            ("requests of the gateway that came again", repeated),
            ("status reports not taken for now (ESME_RX_T_APPN), sent again", reports_put_off),
            ("messages of no run, or not readable", strange),
        ]
        .map(|(name, count)| Setting::new(name, count))
        .into()
    }

    fn next_second_us(&self) -> u64 {
        micros(self.settings.warm_up) + (self.shown_s + 1) * SECOND_US
    }

    fn show_progress(&mut self, now: Now) {
        if self.state == State::Over || self.desk.start.is_none() || self.desk.us(now) < self.next_second_us() {
            return;
        }
        let at = usize::try_from(self.shown_s).unwrap_or(usize::MAX);
        let flows =
            self.desk.ledger.flows().filter_map(|flow| Some((flow.name.clone(), flow.timeline.get(at)?.clone())));
        self.shown_s += 1;
        let planned = self.settings.duration.map_or(Duration::ZERO, |all| all.saturating_sub(self.settings.warm_up));
        let event = Event::Progress { at_s: self.shown_s, of_s: planned.as_secs(), flows: flows.collect() };
        self.events.push_back(event);
    }
}

fn watched(settings: &Settings) -> [Watched; 3] {
    let both = settings.cpm.is_some() && settings.smsc.is_some();
    let echoes = settings.esme.as_ref().is_some_and(|esme| esme.echoes);
    [
        Watched { arrival: settings.smsc.is_some(), reports: both },
        Watched { arrival: settings.cpm.is_some(), reports: false },
        Watched { arrival: echoes, reports: true },
    ]
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate, cut to a bound")]
fn slots(settings: &Settings) -> usize {
    let wanted = settings.pace.peak_per_s().map_or(SLOTS, |per_s| (per_s * KEPT_S) as usize);
    wanted.min(settings.messages as usize).clamp(1_024, limits::LOAD_OPEN_MAX)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
