//! Many messages for MMS at once, and Relay/Servers that do whatever they like: every sender is answered once, no mail is
//! brought twice, nobody is told anything twice, and in the end nothing is left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use isthmus::engine::Random;

use crate::client::{Client, LARGE_MESSAGE, cpim};
use crate::mms::{Gateway, Message, delivery_report, read_reply, response};
use crate::mmsc::{Bringing, Mail};
use crate::sip::imdns;
use crate::world::settings_with_mms;

const REPLIES: [&str; 6] =
    ["250 2.0.0 taken", "250 2.0.0 taken", "250 2.0.0 taken", "", "451 4.3.0 not now", "554 5.6.0 no"];
const INSTEAD: [Option<(&str, &str)>; 7] = [
    None,
    None,
    None,
    Some(("MAIL", "")),
    Some(("DATA", "")),
    Some(("RCPT", "550 5.1.1 nobody")),
    Some(("MAIL", "421 4.3.2 closing")),
];
const STATUSES: [&str; 4] = ["Ok", "Ok", "Error-service-denied", "Error-transient-failure"];
const REPORTS: [&str; 5] = ["Retrieved", "Rejected", "Deferred", "Expired", "Indeterminate"];
const WANTED: [&str; 3] = ["positive-delivery, display", "negative-delivery, interworking", "processing"];

struct Storm {
    gateway: Gateway,
    random: Random,
    sent: Vec<String>,
    /// Mails that came whole.
    mails: Vec<Mail>,
}

impl Storm {
    fn new(seed: u8) -> Storm {
        let mut settings = settings_with_mms(0);
        settings.mmscs[0].connections = 1 + u16::from(seed % 2);
        let gateway = Gateway::of(1 + u16::from(seed % 3), &settings);
        Storm { gateway, random: Random::from_seed([seed; 32]), sent: Vec::new(), mails: Vec::new() }
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.random.below(of.len() as u64)).unwrap()]
    }

    fn act(&mut self) {
        match self.random.below(8) {
            0..3 => self.send(),
            3 => self.misbehave(),
            4 => self.gateway.greet(),
            5 => self.bring(|storm, mail| response(mail, storm.pick(&STATUSES))),
            6 => self.bring(|storm, mail| delivery_report(mail, storm.pick(&REPORTS))),
            _ => self.bring(|_, mail| read_reply(mail, "Read")),
        }
        let time = self.pick(&[0, 100, 2_000, 9_000]);
        self.gateway.world.run_for(Duration::from_millis(time));
        let came = self.gateway.mails();
        self.mails.extend(came.into_iter().filter(|mail| mail.get("X-Mms-Message-Type") == "MM4_forward.REQ"));
    }

    fn send(&mut self) {
        let call_id = format!("storm{}@cpm", self.sent.len());
        let message = Message::asking(&call_id, self.pick(&WANTED));
        let now = self.gateway.world.now.moment;
        self.gateway.world.cpm.send_bytes(now, &call_id, message.bytes(), false);
        self.sent.push(call_id);
    }

    fn misbehave(&mut self) {
        let which = usize::try_from(self.random.below(self.gateway.mmscs.len() as u64)).unwrap();
        let (reply, instead) = (self.pick(&REPLIES), self.pick(&INSTEAD));
        let mmsc = &mut self.gateway.mmscs[which];
        (mmsc.reply, mmsc.instead) = (reply, instead);
        if reply.is_empty() {
            mmsc.hang_up(&mut self.gateway.world);
        }
    }

    /// Something about one of its mails, to any core, whatever comes of it.
    fn bring(&mut self, write: impl Fn(&mut Storm, &Mail) -> Mail) {
        if self.mails.is_empty() {
            return;
        }
        let which = usize::try_from(self.random.below(self.mails.len() as u64)).unwrap();
        let request = self.mails[which].clone();
        let mail = write(self, &request);
        let cores = self.gateway.world.shards.len() as u64;
        let core = usize::try_from(self.random.below(cores)).unwrap();
        self.gateway.bring(core, &mail);
    }

    fn end(&mut self) {
        for mmsc in &mut self.gateway.mmscs {
            (mmsc.reply, mmsc.instead) = (REPLIES[0], None);
        }
        self.gateway.greet();
        self.gateway.pass(40);
        let came = self.gateway.mails();
        self.mails.extend(came.into_iter().filter(|mail| mail.get("X-Mms-Message-Type") == "MM4_forward.REQ"));
    }
}

#[test]
fn whatever_relays_do_everybody_is_answered_once_and_nothing_is_left() {
    let mut codes = BTreeMap::new();
    let mut notifications = 0;
    for seed in 0..24 {
        let mut storm = Storm::new(seed);
        for _ in 0..80 {
            storm.act();
        }
        storm.end();
        for call_id in &storm.sent {
            let code = storm.gateway.status(call_id).unwrap_or_default();
            assert!(code >= 200, "seed {seed}: {call_id}");
            *codes.entry(code).or_insert(0) += 1;
        }
        let ids: BTreeSet<String> = storm.mails.iter().map(|mail| mail.get("X-Mms-Message-ID")).collect();
        assert_eq!(ids.len(), storm.mails.len(), "seed {seed}: a mail came twice");
        let mut told = BTreeMap::new();
        for imdn in imdns(&storm.gateway.world) {
            *told.entry((imdn.message_id, format!("{:?}", imdn.outcome.0))).or_insert(0) += 1;
        }
        let twice: Vec<_> = told.iter().filter(|((_, kind), count)| kind != "Processing" && **count > 1).collect();
        assert!(twice.is_empty(), "seed {seed}: {twice:?}");
        notifications += told.len();
        storm.gateway.world.run_for(Duration::from_secs(400_000));
        storm.gateway.nothing_stays();
    }
    for code in [202, 403, 404, 480, 503] {
        assert!(codes.get(&code).is_some_and(|count| *count > 5), "{codes:?}");
    }
    assert!(notifications > 20, "{notifications}");
}

/// A large message that waits for its response is finished before the gateway goes.
#[test]
fn a_drain_waits_for_the_response_to_a_large_message() {
    let mut gateway = Gateway::new(1);
    let attributes = "a=sendonly\r\n".into();
    let mut client = Client { attributes, ..Client::new("drain@a", LARGE_MESSAGE) };
    client.establish(&mut gateway.world);
    client.say(&mut gateway.world, &cpim("id1", "", "Bonjour"), 8_000);
    let mail = gateway.mail();
    gateway.world.drain();
    gateway.pass(1);
    assert!(!gateway.world.is_drained());
    let mut bringing = Bringing::connect(&mut gateway.world, 0);
    bringing.bring(&mut gateway.world, &response(&mail, "Ok"));
    gateway.pass(1);
    assert!(client.frames(&gateway.world).concat().contains(" 200 OK"), "the last chunk has its answer");
    client.take_bye(&mut gateway.world);
    gateway.pass(10);
    assert!(gateway.world.is_drained());
}
