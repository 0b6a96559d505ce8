//! Messages of the peer as their chunks come (RFC 4975 7.3.1): in any order, interleaved, again, or not at all.

use super::budget::Budget;
use super::code::{MEDIA_TYPE, OK, STOP};
use super::config::{Accept, Settings};
use super::event::IncomingId;
use super::message::{Ident, Message};
use super::open::{ChunkHead, Open, Place};
use super::remembered::Remembered;
use super::reply::Reply;
use super::slices::Lent;
use crate::engine::Moment;
use crate::wire::msrp::{ByteRange, Continuation, Head, Likeness};

/// What a receiver judges by.
pub(super) struct Rules<'a> {
    pub(super) accept: &'a Accept,
    pub(super) settings: &'a Settings,
    pub(super) budget: &'a Budget,
    /// Messages that are over.
    pub(super) over: &'a Remembered,
}

/// An answer that the gateway owes.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) incoming: IncomingId,
    pub(super) message_id: Ident,
    /// Octets of the message.
    pub(super) octets: u64,
    pub(super) success_report: bool,
    /// To the chunk that completed it, and to those that repeated it since.
    pub(super) replies: Vec<Reply>,
}

/// What becomes of the chunk that is under way. Small, as most are collected, and it is moved with each.
#[derive(Debug)]
enum Course {
    /// It is part of the open message of this number.
    Collect(u32, Place),
    /// It has no content at all.
    Bodiless(Box<Ident>),
    /// Its message was whole before: it is read over, and gets the answer that that gets.
    Repeats(Box<Ident>),
}

/// The next chunk of the message that the last one was of.
pub(super) struct Next {
    /// Which of the open messages.
    open: usize,
    range: ByteRange,
}

/// What the end of a chunk brought.
#[derive(Debug)]
pub(super) enum Ended {
    /// It gets this answer.
    Answer(u16),
    /// It has had its answer, or gets it later.
    Silence,
    /// It completed a message. Its answer is the gateway's.
    Received(Message),
    /// Its message is over, and it gets the answer that that had.
    Repeated(Ident),
    /// It took back what came before of its message (`#`).
    Aborted(Ident),
    /// It made its message impossible.
    Refused(Box<Refusal>),
}

/// A chunk that gets an error at once, and no more of its message is wanted.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) message_id: Ident,
    pub(super) code: u16,
    pub(super) reply: Reply,
}

/// The incoming half of a session.
#[derive(Debug, Default)]
pub(super) struct Receiver {
    serial: u32,
    open: Vec<Open>,
    waiting: Vec<Waiting>,
    /// The chunk whose end has not come.
    chunk: Option<Course>,
    /// What is needed to answer it, or the last one.
    reply: Reply,
    /// What the head of an open message had that others like it are known by.
    alike: Option<Alike>,
}

/// Heads of this likeness are of this message, and their answers go to the usual hop.
#[derive(Clone, Copy, Debug)]
struct Alike {
    likeness: Likeness,
    serial: u32,
}

impl Receiver {
    /// Whether nothing is left of any message.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty() && self.waiting.is_empty() && self.chunk.is_none()
    }

    /// Octets of incomplete messages.
    pub(super) fn held(&self) -> u64 {
        self.open.iter().map(Open::held).sum()
    }

    /// Messages that are incomplete or unanswered.
    pub(super) fn open_messages(&self) -> usize {
        self.open.len() + self.waiting.len()
    }

    /// When the next octet of a message is late.
    pub(super) fn deadline(&self, settings: &Settings) -> Option<Moment> {
        self.open.iter().map(|open| open.progress + settings.message_idle).min()
    }

    /// A chunk without content begins.
    pub(super) fn begin_bodiless(&mut self, message_id: Ident, reply: Reply) {
        (self.chunk, self.reply) = (Some(Course::Bodiless(Box::new(message_id))), reply);
    }

    /// What is needed to answer the chunk that ended last.
    pub(super) fn reply(&self) -> &Reply {
        &self.reply
    }

    /// A chunk with content begins.
    pub(super) fn begin(
        &mut self,
        now: Moment,
        head: &ChunkHead<'_>,
        reply: Reply,
        rules: &Rules<'_>,
    ) -> Result<(), Box<Refusal>> {
        self.reply = reply;
        self.chunk = None;
        match self.course_of(now, head, rules) {
            Ok(course) => {
                self.note_likeness(&course, head.likeness);
                self.chunk = Some(course);
                Ok(())
            }
            Err(code) => Err(self.begun_badly(ident(head.message_id), code)),
        }
    }

    fn begun_badly(&mut self, message_id: Ident, code: u16) -> Box<Refusal> {
        self.drop_open(&message_id);
        self.refusal(message_id, code)
    }

    fn note_likeness(&mut self, course: &Course, likeness: Option<Likeness>) {
        if let (Course::Collect(serial, _), Some(likeness), true) = (course, likeness, self.reply.has_usual_hop()) {
            self.alike = Some(Alike { likeness, serial: *serial });
        }
    }

    /// A chunk of which the head shows, without being read again, that it is of the same message as the last.
    #[inline]
    pub(super) fn next_of(&self, likeness: Likeness, head: &Head) -> Option<Next> {
        let alike = self.alike.filter(|alike| alike.likeness == likeness)?;
        let open = self.open.iter().position(|open| open.serial == alike.serial)?;
        Some(Next { open, range: head.byte_range()? })
    }

    /// A chunk begins, with a head like the last.
    pub(super) fn begin_like_last(
        &mut self,
        now: Moment,
        next: Next,
        reply: Reply,
        settings: &Settings,
    ) -> Result<(), Box<Refusal>> {
        (self.reply, self.chunk) = (reply, None);
        let open = &mut self.open[next.open];
        match collect(now, open, &next.range, settings) {
            Ok(course) => {
                self.chunk = Some(course);
                Ok(())
            }
            Err(code) => {
                let message_id = open.message_id;
                Err(self.begun_badly(message_id, code))
            }
        }
    }

    /// All of a chunk, with a head like the last: whether its message is whole, or the code that it gets.
    #[inline]
    pub(super) fn take_whole(
        &mut self,
        now: Moment,
        next: &Next,
        data: Lent<'_>,
        flag: Continuation,
        settings: &Settings,
    ) -> Result<bool, u16> {
        let open = &mut self.open[next.open];
        open.progress = now;
        open.take_whole(&next.range, data, flag, settings.message_bytes_max)
    }

    /// A chunk that was taken as a whole completed its message, or made it impossible.
    pub(super) fn end_whole(
        &mut self,
        next: &Next,
        taken: Result<bool, u16>,
        reply: Reply,
        incoming: IncomingId,
    ) -> Ended {
        self.reply = reply;
        self.ended(next.open, taken, incoming)
    }

    /// What the end of a chunk brings: whether its message is whole, or the code that the chunk gets.
    fn ended(&mut self, at: usize, taken: Result<bool, u16>, incoming: IncomingId) -> Ended {
        match taken {
            Ok(false) => Ended::Answer(OK),
            Ok(true) => self.complete(at, incoming),
            Err(code) => {
                let message_id = self.open.swap_remove(at).message_id;
                Ended::Refused(self.refusal(message_id, code))
            }
        }
    }

    fn refusal(&mut self, message_id: Ident, code: u16) -> Box<Refusal> {
        Box::new(Refusal { message_id, code, reply: core::mem::take(&mut self.reply) })
    }

    fn course_of(&mut self, now: Moment, head: &ChunkHead<'_>, rules: &Rules<'_>) -> Result<Course, u16> {
        let id = head.message_id;
        let known = match self.open.iter().position(|open| *open.message_id == *id) {
            Some(at) => self.open.get_mut(at),
            None if self.waiting.iter().any(|waiting| *waiting.message_id == *id) => {
                return Ok(Course::Repeats(Box::new(ident(id))));
            }
            None => match rules.over.code(id) {
                Some(OK) => return Ok(Course::Repeats(Box::new(ident(id)))),
                Some(code) => return Err(code),
                None => None,
            },
        };
        let open = match known {
            Some(open) => open,
            None => self.open_new(now, head, rules)?,
        };
        collect(now, open, &head.range, rules.settings)
    }

    fn open_new(&mut self, now: Moment, head: &ChunkHead<'_>, rules: &Rules<'_>) -> Result<&mut Open, u16> {
        if !rules.accept.takes(head.content_type) {
            return Err(MEDIA_TYPE);
        }
        if self.open_messages() >= rules.settings.open_messages_max {
            return Err(STOP);
        }
        self.serial = self.serial.wrapping_add(1);
        self.open.push(Open::new(now, self.serial, ident(head.message_id), head, rules.budget));
        self.open.last_mut().ok_or(STOP)
    }

    /// Drops what came of a message that is not whole, if there is such a message.
    pub(super) fn drop_open(&mut self, message_id: &Ident) -> bool {
        let at = self.open.iter().position(|open| open.message_id == *message_id);
        at.map(|at| self.open.swap_remove(at)).is_some()
    }

    /// Data of the chunk.
    pub(super) fn data(&mut self, now: Moment, data: Lent<'_>, settings: &Settings) -> Result<(), Box<Refusal>> {
        let Some(Course::Collect(serial, place)) = self.chunk.as_mut() else { return Ok(()) };
        let Some(open) = self.open.iter_mut().find(|open| open.serial == *serial) else { return Ok(()) };
        open.progress = now;
        let Err(code) = open.take(place, data, settings.message_bytes_max) else { return Ok(()) };
        let message_id = open.message_id;
        self.drop_open(&message_id);
        self.chunk = None;
        Err(self.refusal(message_id, code))
    }

    /// The end of the chunk. A message that it completes is named `incoming`.
    pub(super) fn end(&mut self, flag: Continuation, incoming: IncomingId) -> Ended {
        let Some(course) = self.chunk.take() else { return Ended::Silence };
        match course {
            Course::Collect(serial, place) => self.end_collected(serial, place, flag, incoming),
            Course::Bodiless(id) if flag == Continuation::Abort && self.drop_open(&id) => Ended::Aborted(*id),
            Course::Bodiless(_) => Ended::Answer(OK),
            Course::Repeats(id) => self.end_repeated(&id),
        }
    }

    /// The message of a chunk that took too long is gone, and so are its octets.
    fn end_collected(&mut self, serial: u32, place: Place, flag: Continuation, incoming: IncomingId) -> Ended {
        let Some(at) = self.open.iter().position(|open| open.serial == serial) else {
            return Ended::Answer(STOP);
        };
        if flag == Continuation::Abort {
            return Ended::Aborted(self.open.swap_remove(at).message_id);
        }
        let taken = self.open[at].end(place, flag);
        self.ended(at, taken, incoming)
    }

    fn complete(&mut self, at: usize, incoming: IncomingId) -> Ended {
        let open = self.open.swap_remove(at);
        self.waiting.push(Waiting {
            incoming,
            message_id: open.message_id,
            octets: open.held(),
            success_report: open.success_report(),
            replies: vec![core::mem::take(&mut self.reply)],
        });
        Ended::Received(open.into_message())
    }

    /// The gateway's answer is this chunk's too; of a peer that goes on repeating itself the rest gets none.
    fn end_repeated(&mut self, id: &Ident) -> Ended {
        let waiting = self.waiting.iter_mut().find(|waiting| waiting.message_id == *id);
        match waiting {
            Some(waiting) if waiting.replies.len() < crate::limits::MSRP_REPEATS_MAX => {
                waiting.replies.push(core::mem::take(&mut self.reply));
                Ended::Silence
            }
            Some(_) => Ended::Silence,
            None => Ended::Repeated(*id),
        }
    }

    /// The message that `incoming` names; it is the gateway's no more.
    pub(super) fn answered(&mut self, incoming: IncomingId) -> Option<Waiting> {
        let at = self.waiting.iter().position(|waiting| waiting.incoming == incoming)?;
        Some(self.waiting.swap_remove(at))
    }

    /// A message whose next octet is late.
    pub(super) fn take_late(&mut self, now: Moment, settings: &Settings) -> Option<Ident> {
        let at = self.open.iter().position(|open| open.progress + settings.message_idle <= now)?;
        Some(self.open.swap_remove(at).message_id)
    }

    /// The connection is gone: a message that is not whole, until there is none. Answers can no longer be given.
    pub(super) fn take_lost(&mut self) -> Option<Ident> {
        self.waiting.clear();
        self.chunk = None;
        self.open.pop().map(|open| open.message_id)
    }
}

/// A chunk of an open message begins.
fn collect(now: Moment, open: &mut Open, range: &ByteRange, settings: &Settings) -> Result<Course, u16> {
    open.progress = now;
    open.begin(range, settings.message_bytes_max)?;
    Ok(Course::Collect(open.serial, Place::of(range)))
}

/// A Message-ID that was found to be none too long.
fn ident(message_id: &[u8]) -> Ident {
    Ident::from_slice(message_id).unwrap_or_default()
}
