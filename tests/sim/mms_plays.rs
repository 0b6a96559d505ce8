//! Multimedia messages from end to end: Pager Mode and large messages both ways, and reports both ways, over a network that
//! loses datagrams and an MMS Relay/Server that fails. What was accepted is neither lost nor doubled, and in the end
//! nothing is left.

use std::collections::BTreeMap;
use std::time::Duration;

use isthmus::policy::{NoResponse, UnknownOutcome};
use isthmus::shard::settings::Settings;
use isthmus::wire::cpim;
use isthmus::wire::sip::{Index, Message};

use crate::carrier::{Carrier, Trouble};
use crate::client::LARGE_MESSAGE;
use crate::mms_audit::{self, Tally};
use crate::mms_users::{Wrapped, cpim_in, notification};
use crate::mmsc::Mail;
use crate::multimedia::{Mm, THERE};
use crate::session_users::{Stage, Users};
use crate::world::{Weather, World, settings_with_mms};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A CPM message to an MMS user.
#[derive(Debug)]
pub struct Sent {
    pub mark: String,
    pub wrapped: Wrapped,
    /// Of a MESSAGE; that of a large message is in a session.
    pub call_id: Option<String>,
}

/// An MM to CPM users.
#[derive(Debug)]
pub struct Brought {
    pub mark: String,
    pub mm: Mm,
    pub recipients: Vec<String>,
    pub acknowledged: bool,
    pub wants_delivery: bool,
    pub wants_read: bool,
    /// Its place, and that of its double, among the letters.
    pub letters: Vec<usize>,
}

/// A notification that a CPM user sent.
#[derive(Debug)]
pub struct Told {
    /// The MM's mark and the user's number.
    pub mark: String,
    pub user: String,
    pub what: &'static str,
    /// One for each try.
    pub call_ids: Vec<String>,
    wrapped: Wrapped,
}

/// A report about a CPM message.
#[derive(Debug)]
pub struct Reported {
    /// imdn.Message-ID of the message.
    pub about: String,
    pub status: &'static str,
    pub letter: usize,
}

pub struct Play {
    pub world: World,
    pub users: Users,
    pub carrier: Carrier,
    pub sent: Vec<Sent>,
    pub brought: Vec<Brought>,
    pub told: Vec<Told>,
    pub reported: Vec<Reported>,
    /// X-Mms-Message-ID of CPM messages, and what MM4_forward.RES said of them.
    pub responded: BTreeMap<String, &'static str>,
    serial: usize,
    /// How far what came was looked at: mails, MESSAGEs, large messages.
    seen: [usize; 3],
}

fn play_settings(seed: u64) -> Settings {
    let mut settings = settings_with_mms(0);
    settings.mmscs[0].connections = [1, 1, 2, 3][usize::try_from(seed % 4).unwrap()];
    settings.policy.reports.wait_without_validity_s = 600;
    settings.policy.submission.unknown_outcome =
        [UnknownOutcome::Refuse, UnknownOutcome::Accept][usize::from(seed % 3 == 1)];
    settings.policy.mms.no_response = [NoResponse::Accept, NoResponse::Refuse][usize::from(seed % 5 == 1)];
    settings.policy.mms.ack_request_large_message = seed % 7 != 3;
    settings
}

impl Play {
    pub fn new(seed: u64) -> Play {
        let shards = u16::try_from(seed % 3).unwrap() + 1;
        let mut world = World::new(u8::try_from(seed % 251).unwrap(), shards, &play_settings(seed));
        let (mut users, mut carrier) = (Users::new(seed), Carrier::new(seed));
        let (lose, double) = (users.below(11) as u64, users.below(6) as u64);
        let jitter = ms([20, 200, 200, 1_500][users.below(4)]);
        let weather = Weather { lose_percent: lose, double_percent: double, jitter };
        (world.weather, users.weather, world.sessions_apart) = (weather, weather, true);
        (users.refuse_percent, users.deaf_percent) = (users.below(20) as u64, users.below(5) as u64);
        users.think = ms([0, 50, 1_000][users.below(3)]);
        world.cpm.busy_every = [0, 0, 7, 4][users.below(4)];
        carrier.trouble = Trouble {
            refuse_permille: [0, 10, 40][users.below(3)],
            hang_up_permille: [0, 5, 20][users.below(3)],
            refuse_percent: [0, 5, 20][users.below(3)],
            doubt_percent: [0, 3, 12][users.below(3)],
            cut_percent: [0, 10, 40][users.below(3)],
            think: ms([0, 20, 500][users.below(3)]),
            late_percent: [0, 0, 10][users.below(3)],
        };
        Play {
            world,
            users,
            carrier,
            sent: Vec::new(),
            brought: Vec::new(),
            told: Vec::new(),
            reported: Vec::new(),
            responded: BTreeMap::new(),
            serial: 0,
            seen: [0; 3],
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.world.now.moment + time;
        loop {
            self.carrier.hear(&mut self.world);
            self.users.hear(&mut self.world);
            self.look();
            self.carrier.speak(&mut self.world);
            self.users.speak(&mut self.world);
            let now = self.world.now.moment;
            if now >= end {
                return;
            }
            let next = [self.users.deadline(), self.carrier.deadline(now)].into_iter().flatten().min();
            let next = next.unwrap_or(end).min(end).max(now + Duration::from_micros(100));
            let (received, tcp) = (self.world.cpm.received.len(), self.world.tcp.len());
            self.world.run_until(next.since(now), |world| {
                let news = world.cpm.received.len() > received || world.tcp.len() > tcp;
                news || !world.strays.is_empty() || world.tcp.iter().any(|tcp| !tcp.writes.is_empty())
            });
        }
    }

    fn mark(&mut self) -> String {
        self.serial += 1;
        format!("<<{}>>", self.serial)
    }

    fn text(&mut self, mark: &str, longest: usize) -> String {
        let lines = self.users.below(longest) / 70;
        format!("{mark} {}{mark}", "one line of a text that has many of them, and a dot next\r\n. ".repeat(lines))
    }

    fn act(&mut self) {
        match self.users.below(20) {
            0..5 => self.pager(),
            5..7 => {
                let (from, to) = self.parties();
                self.users.invite(&self.world, LARGE_MESSAGE, &from, &to);
            }
            7..9 => self.say(),
            9..16 => self.bring(),
            16 => self.carrier.cut(&mut self.world),
            17 => self.cut_session(),
            18 if self.users.below(3) == 0 => self.carrier.down(&mut self.world),
            _ => self.world.unreachable.clear(),
        }
    }

    fn parties(&mut self) -> (String, String) {
        (format!("+1555000{}", self.users.below(3)), format!("+1556000{}", self.users.below(4)))
    }

    fn cut_session(&mut self) {
        let linked: Vec<usize> =
            (0..self.users.calls.len()).filter(|at| self.users.calls[*at].link.is_some()).collect();
        if !linked.is_empty() {
            let at = linked[self.users.below(linked.len())];
            self.users.cut(&mut self.world, at);
        }
    }

    fn wrapped(&mut self, from: &str, to: &str, longest: usize) -> (String, Wrapped) {
        let mark = self.mark();
        let text = self.text(&mark, longest);
        let (content_type, content) = match self.users.below(3) {
            0 => (
                "multipart/mixed;boundary=b".to_owned(),
                format!(
                    "--b\r\nContent-Type: image/png\r\n\r\n\u{1}\u{2}\u{3}\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
                     {text}\r\n--b--\r\n"
                ),
            ),
            _ => ("text/plain;charset=utf-8".to_owned(), text),
        };
        let wanted = ["", "positive-delivery", "positive-delivery, negative-delivery, display", "interworking"];
        let wanted = wanted[self.users.below(4)];
        let id = format!("imdn-{}", self.serial);
        (mark, Wrapped { id, from: from.to_owned(), to: to.to_owned(), wanted, content_type, content })
    }

    fn pager(&mut self) {
        let (from, to) = self.parties();
        let (mark, wrapped) = self.wrapped(&from, &to, 700);
        let call_id = format!("p{}@ue", self.serial);
        wrapped.send(&mut self.world, &call_id);
        self.sent.push(Sent { mark, wrapped, call_id: Some(call_id) });
    }

    /// The message of a session that is for one.
    fn say(&mut self) {
        let said: Vec<usize> = self.users.said.iter().map(|said| said.call).collect();
        let mut open = (0..self.users.calls.len()).filter(|at| {
            let call = &self.users.calls[*at];
            call.stage == Stage::Open && call.link.is_some() && !call.theirs && !said.contains(at)
        });
        let Some(at) = open.next_back() else { return };
        let (from, to) = (self.users.calls[at].from.clone(), self.users.calls[at].to.clone());
        let (mark, wrapped) = self.wrapped(&from, &to, 6_000);
        self.users.say(at, &mark, &wrapped.text(), Some(wrapped.id.clone()));
        self.sent.push(Sent { mark, wrapped, call_id: None });
    }

    fn bring(&mut self) {
        let mark = self.mark();
        let longest = [100, 900, 900, 12_000][self.users.below(4)];
        let text = self.text(&mark, longest);
        let count = [1, 1, 1, 3][self.users.below(4)];
        let numbers: Vec<String> = (0..count).map(|number| format!("+1555000{number}")).collect();
        let of = |play: &mut Play, chances: usize| play.users.below(chances) == 0;
        let (acknowledged, wants_delivery, wants_read) = (!of(self, 3), of(self, 2), of(self, 3));
        let mut mm = Mm::text(&format!("mm-{}", self.serial), &text)
            .for_all(&numbers.iter().map(String::as_str).collect::<Vec<_>>())
            .with("X-Mms-Expiry: 600\r\n");
        mm = if acknowledged { mm.acknowledged() } else { mm };
        mm = if wants_delivery { mm.with("X-Mms-Delivery-Report: Yes\r\n") } else { mm };
        mm = if wants_read { mm.with("X-Mms-Read-Reply: Yes\r\n") } else { mm };
        let mail = Mail { data: format!("{}\r\n", mm.mail().data), ..mm.mail() };
        let mut letters = vec![self.post(mail.clone(), 0)];
        if of(self, 6) {
            let after = self.users.below(20_000) as u64;
            letters.push(self.post(mail, after));
        }
        self.brought.push(Brought { mark, mm, recipients: numbers, acknowledged, wants_delivery, wants_read, letters });
    }

    fn post(&mut self, mail: Mail, after_ms: u64) -> usize {
        self.carrier.post(&self.world, mail, ms(after_ms));
        self.carrier.letters.len() - 1
    }

    /// What came since: the Relay/Server responds and reports, the users notify.
    fn look(&mut self) {
        while let Some(came) = self.carrier.came.get(self.seen[0]) {
            self.seen[0] += 1;
            if came.taken && came.kind == "MM4_forward.REQ" {
                let mail = came.mail.clone();
                self.respond(&mail);
            }
        }
        // Those before it may still have no answer.
        while let Some(received) = self.world.cpm.received.get(self.seen[1]) {
            self.seen[1] += 1;
            if (200..300).contains(&received.code) {
                let (mut index, bytes) = (Index::new(), received.bytes.clone());
                self.got(cpim_in(Message::parse(&bytes, &mut index).unwrap().body()));
            }
        }
        while let Some(came) = self.users.came.get(self.seen[2]) {
            self.seen[2] += 1;
            let content = came.content.clone();
            self.got(&content);
        }
    }

    /// A Relay/Server that has an MM responds, and reports later.
    fn respond(&mut self, request: &Mail) {
        let get = |name: &str| request.header(name).unwrap_or_default();
        let status = ["Ok", "Ok", "Ok", "Ok", "Ok", "Ok", "Error-message-refused", "Error-network-problem"];
        let status = status[self.users.below(8)];
        self.responded.insert(get("X-Mms-Message-ID"), status);
        if get("X-Mms-Ack-Request") == "Yes" {
            let after = [200, 2_000, 2_000, 24_000, 45_000][self.users.below(5)];
            let after = self.users.below(after) as u64;
            let fields = format!(
                "X-Mms-Transaction-ID: {}\r\nX-Mms-Request-Status-Code: {status}\r\nFrom: system-user@{THERE}\r\nTo: {}\r\n",
                get("X-Mms-Transaction-ID"),
                get("X-Mms-Originator-System")
            );
            if self.users.below(15) > 0 {
                self.write("MM4_forward.RES", request, &fields, &get("X-Mms-Originator-System"), after);
            }
        } else {
            self.responded.insert(get("X-Mms-Message-ID"), "Ok");
        }
        let status = self.responded[&get("X-Mms-Message-ID")];
        if status == "Ok" {
            self.report(request);
        }
    }

    fn report(&mut self, request: &Mail) {
        let get = |name: &str| request.header(name).unwrap_or_default();
        let about = self.sent.iter().find(|sent| request.data.contains(&sent.mark)).map(|sent| sent.wrapped.id.clone());
        let Some(about) = about else { return };
        let mut after = self.users.below(60_000) as u64;
        if get("X-Mms-Delivery-Report") == "Yes" {
            let status = ["Retrieved", "Retrieved", "Retrieved", "Rejected", "Expired"][self.users.below(5)];
            let deferred = self.users.below(4) == 0;
            for status in deferred.then_some("Deferred").into_iter().chain([status]) {
                for _ in 0..1 + usize::from(self.users.below(5) == 0) {
                    let fields = format!("X-Mms-MM-Status-Code: {status}\r\n{}", self.parties_of(request));
                    let letter = self.write("MM4_delivery_report.REQ", request, &fields, &get("From"), after);
                    self.reported.push(Reported { about: about.clone(), status, letter });
                    after += self.users.below(5_000) as u64;
                }
            }
            if status != "Retrieved" {
                return;
            }
        }
        if get("X-Mms-Read-Reply") == "Yes" {
            let fields = format!("X-Mms-Read-Status: Read\r\n{}", self.parties_of(request));
            let letter = self.write("MM4_read_reply_report.REQ", request, &fields, &get("From"), after);
            self.reported.push(Reported { about, status: "Read", letter });
        }
    }

    fn parties_of(&mut self, request: &Mail) -> String {
        let get = |name: &str| request.header(name).unwrap_or_default();
        self.serial += 1;
        let ack = if self.users.below(2) == 0 { "X-Mms-Ack-Request: Yes\r\n" } else { "" };
        format!("X-Mms-Transaction-ID: \"r-{}\"\r\nFrom: {}\r\nTo: {}\r\n{ack}", self.serial, get("To"), get("From"))
    }

    fn write(&mut self, kind: &str, request: &Mail, fields: &str, to: &str, after: u64) -> usize {
        self.serial += 1;
        let data = format!(
            "X-Mms-3GPP-MMS-Version: 6.10.0\r\nX-Mms-Message-Type: {kind}\r\nX-Mms-Message-ID: {}\r\n{fields}\
             Sender: system-user@{THERE}\r\nMessage-ID: <{}@{THERE}>\r\nDate: Sat, 21 Nov 2026 10:20:30 +0000\r\n\r\n",
            request.header("X-Mms-Message-ID").unwrap_or_default(),
            self.serial
        );
        self.post(Mail { mail_from: format!("system-user@{THERE}"), rcpt_to: vec![to.to_owned()], data }, after)
    }

    /// A CPM user has a message: he tells what he is asked.
    fn got(&mut self, content: &[u8]) {
        let message = cpim::Message::parse(content).expect("CPIM");
        if message.is_imdn() {
            return;
        }
        let text = String::from_utf8(message.content().to_vec()).unwrap();
        let brought = self.brought.iter().find(|brought| text.contains(&brought.mark)).expect("an MM");
        let mark = brought.mark.clone();
        let head = String::from_utf8_lossy(content).into_owned();
        let value = |name: &str| crate::client::header(&head, name).unwrap_or_default();
        let number = |name: &str| {
            let value = value(name);
            value.chars().filter(|c| c.is_ascii_digit() || *c == '+').take(12).collect::<String>()
        };
        let (id, wanted) = (value("imdn.Message-ID"), value("imdn.Disposition-Notification"));
        let (from, to) = (number("From"), number("To"));
        for (what, asked) in [("delivery", "positive-delivery"), ("display", "display")] {
            if wanted.contains(asked) && self.users.below(8) > 0 {
                self.serial += 1;
                let wrapped = notification(format!("n{}", self.serial), &id, what, (&to, &from));
                self.told.push(Told { mark: mark.clone(), user: to.clone(), what, call_ids: Vec::new(), wrapped });
            }
        }
    }

    /// Notifications are sent, and again if they were refused for the time being.
    fn tell(&mut self) {
        for told in &mut self.told {
            let last = told.call_ids.last().map(|call_id| self.world.cpm.answers.get(call_id).copied());
            if matches!(last, None | Some(Some(503 | 0 | 480))) {
                self.serial += 1;
                let call_id = format!("n{}@ue", self.serial);
                told.wrapped.send(&mut self.world, &call_id);
                told.call_ids.push(call_id);
            }
        }
    }

    /// Everything heals, and all timers run out.
    fn end(&mut self) {
        self.world.unreachable.clear();
        (self.world.weather, self.users.weather) = (Weather::default(), Weather::default());
        self.carrier.trouble = Trouble::default();
        (self.users.deaf_percent, self.users.refuse_percent, self.world.cpm.busy_every) = (0, 0, 0);
        for _ in 0..60 {
            self.users.write_some(&mut self.world, 4);
            self.tell();
            self.run(ms(2_000));
        }
        for at in 0..self.users.calls.len() {
            self.users.in_dialog(&mut self.world, at, "BYE");
            self.users.cancel(&self.world, at);
        }
        self.run(ms(1_400_000));
    }
}

fn play(seed: u64, tally: &mut Tally) {
    let mut play = Play::new(seed);
    for _ in 0..45 {
        play.act();
        play.users.write_some(&mut play.world, 3);
        play.tell();
        let pause = play.users.below(900) as u64;
        play.run(ms(pause));
    }
    play.end();
    mms_audit::audit(&play, tally);
}

/// Runs seeds from SIM_SEEDS_FROM on, as many as SIM_SEEDS says.
fn range() -> core::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let from = number("SIM_SEEDS_FROM").unwrap_or(0);
    from..from + number("SIM_SEEDS").unwrap_or(150)
}

#[test]
fn any_play_of_multimedia_keeps_its_promises() {
    let (mut tally, mut failed) = (Tally::default(), Vec::new());
    for seed in range() {
        let run = std::panic::AssertUnwindSafe(|| play(seed, &mut tally));
        if std::panic::catch_unwind(run).is_err() {
            failed.push(seed);
        }
    }
    #[allow(clippy::print_stderr, reason = "how much happened is worth knowing")]
    {
        eprintln!("{tally:?}");
    }
    assert!(failed.is_empty(), "seeds {failed:?}, {tally:?}");
    tally.enough();
}
