//! Questions to the DNS, asked by the runtime's tasks beside the packets.

use core::task::{Context, Poll};

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;

use crate::engine::transport::{QueryId, Record, RecordKind};
use crate::limits;

/// An answer, empty if there is none.
pub(super) type Answer = (QueryId, Vec<Record>);

/// The questions of one core.
pub(super) struct Dns {
    /// Made for the first question; the host's configuration is read then.
    resolver: Option<TokioResolver>,
    sender: UnboundedSender<Answer>,
    answers: UnboundedReceiver<Answer>,
    /// Taken out of the channel by waiting for it.
    seen: Option<Answer>,
    open: usize,
}

impl Dns {
    pub(super) fn new() -> Dns {
        let (sender, answers) = unbounded_channel();
        Dns { resolver: None, sender, answers, seen: None, open: 0 }
    }

    /// Asks. On a thread with a runtime.
    pub(super) fn ask(&mut self, query: QueryId, name: String, kind: RecordKind) {
        self.open += 1;
        let resolver = self.resolver().filter(|_| self.open <= limits::DNS_QUERIES_MAX);
        let sender = self.sender.clone();
        // The receiver is gone only when the core is.
        let Some(resolver) = resolver else { return drop(sender.send((query, Vec::new()))) };
        spawn_local(async move {
            let records = look_up(&resolver, &name, kind).await;
            drop(sender.send((query, records)));
        });
    }

    fn resolver(&mut self) -> Option<TokioResolver> {
        if self.resolver.is_none() {
            self.resolver = TokioResolver::builder_tokio().ok().and_then(|builder| builder.build().ok());
        }
        self.resolver.clone()
    }

    /// The next answer that has come.
    pub(super) fn take(&mut self) -> Option<Answer> {
        let answer = self.seen.take().or_else(|| self.answers.try_recv().ok())?;
        self.open -= 1;
        Some(answer)
    }

    /// Ready when there is an answer to take.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.seen.is_none()
            && let Poll::Ready(answer) = self.answers.poll_recv(context)
        {
            self.seen = answer;
        }
        if self.seen.is_some() { Poll::Ready(()) } else { Poll::Pending }
    }
}

async fn look_up(resolver: &TokioResolver, name: &str, kind: RecordKind) -> Vec<Record> {
    // A name is complete as it is given: no search list of the host applies (RFC 3263 4).
    let name = if name.ends_with('.') { String::from(name) } else { format!("{name}.") };
    let kind = match kind {
        RecordKind::Address => {
            let addresses = resolver.lookup_ip(name).await;
            return addresses.map(|found| found.iter().map(Record::Address).collect()).unwrap_or_default();
        }
        RecordKind::Naptr => RecordType::NAPTR,
        RecordKind::Srv => RecordType::SRV,
    };
    let found = resolver.lookup(name, kind).await;
    found.map(|found| found.answers().iter().filter_map(|record| read(&record.data)).collect()).unwrap_or_default()
}

fn read(data: &RData) -> Option<Record> {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    match data {
        RData::NAPTR(naptr) => Some(Record::Naptr {
            order: naptr.order,
            preference: naptr.preference,
            flags: text(&naptr.flags),
            service: text(&naptr.services),
            replacement: if naptr.regexp.is_empty() { naptr.replacement.to_ascii() } else { String::from(".") },
        }),
        RData::SRV(srv) => Some(Record::Srv {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: srv.target.to_ascii(),
        }),
        _ => None,
    }
}
