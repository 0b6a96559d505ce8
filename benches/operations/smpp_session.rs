//! A bound SMPP session and an SM-SC that answers.

use std::time::Duration;

use bytes::Bytes;
use isthmus::engine::smpp::{Config, Event, Outcome, Request, Session, SubmitOptions};
use isthmus::engine::{Now, Random};
use isthmus::wire::smpp::{CommandId, CommandStatus, Header, Pdu, Plain, Response};

use super::Operation;
use crate::samples;
use crate::watch::Watch;

const OK: CommandStatus = CommandStatus::ESME_ROK;
const PACE: Duration = Duration::from_millis(1);
const WINDOW: u64 = 64;

pub(super) fn operations<W: Watch + 'static>() -> [Operation; 4] {
    [
        Operation { name: "engine, SMPP submit and response", start: || submitting::<W>(1) },
        Operation { name: "engine, SMPP window of 64 filled and emptied", start: || submitting::<W>(WINDOW) },
        Operation { name: "engine, SMPP deliver and response", start: delivered::<W> },
        Operation { name: "engine, SMPP enquire_link and response", start: asked::<W> },
    ]
}

struct Link {
    session: Session,
    now: Now,
    out: Vec<u8>,
    back: Vec<u8>,
}

impl Link {
    fn bound() -> Link {
        let session = Session::new(Config::default(), Random::from_seed([7; 32]));
        let mut link = Link { session, now: Now::default(), out: Vec::new(), back: Vec::new() };
        link.session.handle_connected(link.now);
        while link.session.poll_order().is_some() {}
        link.transmit::<crate::watch::Unwatched>();
        link.respond(b"smsc");
        link.arrives::<crate::watch::Unwatched>();
        assert!(matches!(link.event::<crate::watch::Unwatched>(), Some(Event::Bound { .. })));
        link
    }

    fn transmit<W: Watch>(&mut self) {
        let Link { session, out, .. } = self;
        out.clear();
        assert!(W::inside(|| session.poll_transmit(out)));
    }

    /// Answers everything that was sent.
    fn respond(&mut self, id: &[u8]) {
        let Link { out, back, .. } = self;
        back.clear();
        let mut sent = &out[..];
        while let Some(header) = Header::parse(sent) {
            let named = Response { id: Some(id), ..Response::default() };
            let body =
                if header.command_id == CommandId::SUBMIT_SM { Pdu::SubmitSmResp(named) } else { Pdu::BindResp(named) };
            body.emit(back, header.command_id.response(), OK, header.sequence_number);
            sent = &sent[usize::try_from(header.command_length).unwrap()..];
        }
    }

    fn arrives<W: Watch>(&mut self) {
        let bytes = Bytes::from(self.back.clone());
        let (session, now) = (&mut self.session, self.now);
        W::inside(|| session.handle_bytes(now, &bytes));
    }

    fn event<W: Watch>(&mut self) -> Option<Event> {
        let session = &mut self.session;
        W::inside(|| session.poll_event())
    }

    /// Nothing is due for long.
    fn rests<W: Watch>(&mut self) {
        self.now = self.now.after(PACE);
        let (session, now) = (&mut self.session, self.now);
        W::inside(|| session.handle_timeout(now));
    }
}

/// So many at once.
fn submitting<W: Watch>(count: u64) -> Box<dyn FnMut()> {
    let mut link = Link::bound();
    let pdu = samples::pdu(Pdu::SubmitSm(samples::submit_sm()), CommandId::SUBMIT_SM);
    Box::new(move || {
        for token in 0..count {
            let (session, now, request) = (&mut link.session, link.now, Request::Written(&pdu));
            assert!(W::inside(|| session.submit(now, token, &request, SubmitOptions::default())).is_ok());
        }
        link.transmit::<W>();
        link.respond(b"0123456789");
        link.arrives::<W>();
        for _ in 0..count {
            let event = link.event::<W>();
            assert!(matches!(event, Some(Event::SubmitDone { outcome: Outcome::Responded { status: OK, .. }, .. })));
        }
        link.rests::<W>();
    })
}

fn delivered<W: Watch>() -> Box<dyn FnMut()> {
    let mut link = Link::bound();
    link.back = samples::deliver_sm();
    Box::new(move || {
        link.arrives::<W>();
        let Some(Event::Delivered { delivery, .. }) = link.event::<W>() else { panic!("not delivered") };
        let (session, now) = (&mut link.session, link.now);
        assert!(W::inside(|| session.answer(now, delivery, OK)));
        link.transmit::<W>();
        link.rests::<W>();
    })
}

fn asked<W: Watch>() -> Box<dyn FnMut()> {
    let mut link = Link::bound();
    link.back = samples::pdu(Pdu::EnquireLink(Plain::default()), CommandId::ENQUIRE_LINK);
    Box::new(move || {
        link.arrives::<W>();
        link.transmit::<W>();
        link.rests::<W>();
    })
}
