//! Sessions from end to end: large messages and chats, both ways, over a network that loses, connections that break and an
//! SM-SC that fails. What was acknowledged is neither lost nor doubled, and in the end nothing is left.

use std::collections::BTreeMap;
use std::time::Duration;

use isthmus::policy::{SessionInvitation, SessionSender, ThrottledSubmit};
use isthmus::shard::settings::Settings;
use isthmus::wire::cpim;
use isthmus::wire::cpim::imdn;
use isthmus::wire::sip::{Index, Message};
use isthmus::wire::smpp::{CommandStatus, DeliverSm, Tag, Tlvs, tlv};

use crate::client::{Client, LARGE_MESSAGE, SESSION};
use crate::session_users::{Stage, Users};
use crate::smsc::Accepted;
use crate::text::joined;
use crate::world::{Weather, World, settings_with_msrp};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A short message to the CPM side.
struct Down {
    text: String,
    /// Its parts among the SM-SC's deliveries.
    parts: Vec<usize>,
}

struct Play {
    world: World,
    users: Users,
    downs: Vec<Down>,
    texts: usize,
}

fn play_settings(seed: u64) -> Settings {
    let mut settings = settings_with_msrp(1);
    settings.smscs[0].binds = 2;
    settings.policy.submission.throttled_submit = ThrottledSubmit::Retry;
    if seed % 2 == 1 {
        settings.policy.sessions.invitation = SessionInvitation::Ask;
    }
    if seed % 5 == 2 {
        settings.policy.sessions.sender = SessionSender::InterworkingNumber;
        settings.policy.sessions.interworking_numbers = vec!["+15559000-+15559003".into()];
    }
    settings
}

impl Play {
    fn new(seed: u64) -> Play {
        let shards = u16::try_from(seed % 3).unwrap() + 1;
        let mut world = World::new(u8::try_from(seed % 251).unwrap(), shards, &play_settings(seed));
        let mut users = Users::new(seed);
        let (lose, double) = (users.below(11) as u64, users.below(6) as u64);
        let weather =
            Weather { lose_percent: lose, double_percent: double, jitter: ms([20, 200, 200, 1_500][users.below(4)]) };
        (world.weather, users.weather, world.sessions_apart) = (weather, weather, true);
        (users.refuse_percent, users.deaf_percent) = (users.below(20) as u64, users.below(8) as u64);
        users.think = ms([0, 50, 1_000, 6_000][users.below(4)]);
        world.cpm.busy_every = [0, 0, 7][users.below(3)];
        let faults = &mut world.smscs[0].faults;
        faults.redeliver = Some(ms(2_500));
        faults.response_delay = ms(users.below(300) as u64);
        faults.throttle_every = [0, 0, 9, 17][users.below(4)];
        faults.report_first = users.below(2) == 0;
        Play { world, users, downs: Vec::new(), texts: 0 }
    }

    fn run(&mut self, time: Duration) {
        self.users.run_for(&mut self.world, time);
    }

    /// A text that nobody else says.
    fn text(&mut self, longest: usize) -> String {
        self.texts += 1;
        let mark = format!("<<{}>>", self.texts);
        let filling = self.users.below(longest);
        format!("{mark}{}{mark}", "0123456789".repeat(filling / 10))
    }

    fn pick(&mut self, of: impl Fn(&crate::session_users::Call) -> bool) -> Option<usize> {
        let fit: Vec<usize> = (0..self.users.calls.len()).filter(|at| of(&self.users.calls[*at])).collect();
        (!fit.is_empty()).then(|| fit[self.users.below(fit.len())])
    }

    fn act(&mut self) {
        match self.users.below(24) {
            0..3 => self.invite(LARGE_MESSAGE),
            3..6 => self.invite(SESSION),
            6..11 => self.say(),
            11..14 => self.deliver_any(),
            14..17 => self.reply(),
            17 => self.with_open(|play, at| play.users.in_dialog(&mut play.world, at, "BYE")),
            18 => self.with_open(|play, at| play.users.in_dialog(&mut play.world, at, "UPDATE")),
            19 => self.with_open(|play, at| play.users.in_dialog(&mut play.world, at, "INVITE")),
            20 => {
                if let Some(at) = self.pick(|call| call.stage == Stage::Inviting) {
                    self.users.cancel(&self.world, at);
                }
            }
            21 => {
                if let Some(at) = self.pick(|call| call.link.is_some()) {
                    self.users.cut(&mut self.world, at);
                }
            }
            22 => {
                if let Some(at) = self.pick(|call| call.stage == Stage::Open && call.link.is_none() && !call.theirs) {
                    self.users.connect(&mut self.world, at);
                }
            }
            _ => match self.users.below(6) {
                2 => self.world.smscs[0].faults.statuses.extend([CommandStatus::ESME_RINVDSTADR; 2]),
                0 => self.world.cut_smsc(0),
                1 => self.world.kill_smsc(0),
                _ => self.world.revive_smsc(0),
            },
        }
    }

    fn with_open(&mut self, what: impl FnOnce(&mut Play, usize)) {
        if let Some(at) = self.pick(|call| call.stage == Stage::Open) {
            what(self, at);
        }
    }

    fn parties(&mut self) -> (String, String) {
        (format!("+1555000{}", self.users.below(3)), format!("+1556000{}", self.users.below(4)))
    }

    fn invite(&mut self, feature: &'static str) {
        let (from, to) = self.parties();
        self.users.invite(&self.world, feature, &from, &to);
    }

    /// A message in a chat, or the one of a large message.
    fn say(&mut self) {
        let said: Vec<usize> = self.users.said.iter().map(|said| said.call).collect();
        let open = (0..self.users.calls.len()).filter(|at| {
            let call = &self.users.calls[*at];
            let may = call.feature == SESSION || !said.contains(at);
            call.stage == Stage::Open && call.link.is_some() && !call.theirs && may
        });
        let open: Vec<usize> = open.collect();
        if open.is_empty() {
            return;
        }
        let at = open[self.users.below(open.len())];
        let longest = if self.users.calls[at].feature == SESSION { 400 } else { 5_000 };
        let text = self.text(longest);
        let wanted = self.users.below(2) == 0;
        let id = format!("imdn-{}", self.texts);
        let content = crate::client::cpim(&id, if wanted { "positive-delivery" } else { "" }, &text);
        self.users.say(at, &text, &content, wanted.then_some(id));
    }

    /// A short message to any CPM user, with a session or without.
    fn deliver_any(&mut self) {
        let (cpm, sms) = self.parties();
        let parts = [1, 1, 1, 3, 9, 40][self.users.below(6)];
        self.deliver(&sms, &cpm, parts);
    }

    fn deliver(&mut self, from: &str, to: &str, parts: u8) {
        self.texts += 1;
        let number = self.texts;
        let texts: Vec<String> = (1..=parts)
            .map(|part| format!("<<{number}>>{part}/{parts} {}", "abcdefghij".repeat(if parts > 1 { 10 } else { 2 })))
            .collect();
        let reference = u16::try_from(number).unwrap();
        let places = texts
            .iter()
            .enumerate()
            .map(|(at, text)| self.part(from, to, text, (reference, parts, u8::try_from(at + 1).unwrap())));
        let places = places.collect();
        self.downs.push(Down { text: texts.concat(), parts: places });
    }

    fn part(&mut self, from: &str, to: &str, text: &str, (reference, total, number): (u16, u8, u8)) -> usize {
        let mut tlvs = Vec::new();
        if total > 1 {
            tlv::put(&mut tlvs, Tag::SAR_MSG_REF_NUM, &reference.to_be_bytes());
            tlv::put(&mut tlvs, Tag::SAR_TOTAL_SEGMENTS, &[total]);
            tlv::put(&mut tlvs, Tag::SAR_SEGMENT_SEQNUM, &[number]);
        }
        let pdu = DeliverSm {
            source_addr_ton: 1,
            source_addr: from.trim_start_matches('+').as_bytes(),
            dest_addr_ton: 1,
            destination_addr: to.trim_start_matches('+').as_bytes(),
            data_coding: 3,
            short_message: text.as_bytes(),
            tlvs: Tlvs::parse(&tlvs).unwrap(),
            ..DeliverSm::default()
        };
        let now = self.world.now.moment;
        self.world.smscs[0].deliver(now, &pdu)
    }

    /// The SMS user answers a short message that he got: a question, or anything.
    fn reply(&mut self) {
        let got = self.world.smscs[0].accepted.len();
        if got == 0 {
            return;
        }
        let back = got.saturating_sub(1 + self.users.below(6));
        let got = &self.world.smscs[0].accepted[back];
        let [from, to] = [&got.destination_addr, &got.source_addr].map(|addr| String::from_utf8(addr.clone()).unwrap());
        match self.users.below(10) {
            0..5 => {
                self.part(&from, &to, "yes", (0, 1, 1));
            }
            5 => {
                self.part(&from, &to, "no", (0, 1, 1));
            }
            6 => {
                self.part(&from, &to, "#leave", (0, 1, 1));
            }
            _ => self.deliver(&from, &to, 1),
        }
    }

    /// Everything heals, all leave, and all timers run out.
    fn end(&mut self) {
        self.world.revive_smsc(0);
        (self.world.weather, self.users.weather) = (Weather::default(), Weather::default());
        for _ in 0..40 {
            self.users.write_some(&mut self.world, 4);
            self.run(ms(2_000));
        }
        self.every_whole_message_was_answered();
        for at in 0..self.users.calls.len() {
            self.users.in_dialog(&mut self.world, at, "BYE");
            self.users.cancel(&self.world, at);
        }
        self.run(ms(600_000));
    }
}

/// Source, destination, reference and total.
type Set<'a> = (&'a [u8], &'a [u8], u16, u8);

impl Play {
    fn every_whole_message_was_answered(&self) {
        for said in self.users.said.iter().filter(|said| said.whole && said.code.is_none()) {
            let call = &self.users.calls[said.call];
            assert!(call.disturbed || call.stage == Stage::Over, "{said:?} has no answer in {call:?}");
        }
    }
}

/// The short messages that the SM-SC has, whole ones put together. No segment is there twice.
fn submitted(world: &World) -> Vec<String> {
    let mut sets: BTreeMap<Set<'_>, Vec<&Accepted>> = BTreeMap::new();
    let mut texts = Vec::new();
    for accepted in &world.smscs[0].accepted {
        match accepted.sar {
            Some((reference, total, _)) => {
                let key = (&*accepted.source_addr, &*accepted.destination_addr, reference, total);
                sets.entry(key).or_default().push(accepted);
            }
            None => texts.push(joined(&[accepted])),
        }
    }
    for ((.., total), parts) in sets {
        let mut numbers: Vec<u8> = parts.iter().map(|part| part.sar.unwrap().2).collect();
        numbers.sort_unstable();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "a segment twice: {parts:?}");
        if numbers.len() == usize::from(total) {
            texts.push(joined(&parts));
        }
    }
    texts
}

/// A text or an id, and whether its session was disturbed.
type Taken = (String, bool);

/// What the CPM side has taken: texts with whether their session was disturbed, and the ids that notifications name.
fn taken(play: &Play) -> (Vec<Taken>, Vec<Taken>) {
    let (mut texts, mut told) = (Vec::new(), Vec::new());
    let mut sort = |content: &[u8], disturbed: bool| {
        let message = cpim::Message::parse(content).expect("CPIM");
        if message.is_imdn() {
            let id = imdn::read(message.content()).expect("IMDN").message_id.to_string();
            told.push((id, disturbed));
        } else {
            texts.push((String::from_utf8(message.content().to_vec()).unwrap(), disturbed));
        }
    };
    for received in play.world.cpm.received.iter().filter(|received| (200..300).contains(&received.code)) {
        let mut index = Index::new();
        sort(Message::parse(&received.bytes, &mut index).unwrap().body(), false);
    }
    for came in &play.users.came {
        sort(&came.content, play.users.calls[came.call].disturbed);
    }
    (texts, told)
}

/// What happened, over all seeds.
#[derive(Debug, Default)]
struct Tally {
    said: usize,
    opened: usize,
    by_session: usize,
    invited: usize,
    thanked: usize,
    downs: usize,
    downs_taken: usize,
    sessions: usize,
    doubts: usize,
    codes: BTreeMap<(char, Option<u16>), usize>,
}

fn audit(play: &Play, tally: &mut Tally) {
    let submitted = submitted(&play.world);
    let (texts, told) = taken(play);
    let (mut refused, mut doubts) = (0, 0);
    for said in &play.users.said {
        *tally.codes.entry(('m', said.code)).or_default() += 1;
        let count = submitted.iter().filter(|text| text.contains(&said.text)).count();
        assert!(count <= 1, "{said:?} was submitted {count} times");
        if said.code == Some(200) {
            assert_eq!(count, 1, "{said:?} is lost");
            tally.thanked += 1;
            if let Some(id) = &said.imdn {
                let of: Vec<_> = told.iter().filter(|(known, _)| known == id).collect();
                let sure = of.iter().filter(|(_, disturbed)| !disturbed).count();
                assert!(!of.is_empty() && sure <= 1, "{said:?} has notifications {of:?}");
                doubts += of.len() - 1;
            }
        }
        refused += u64::from(count == 1 && said.code.is_some_and(|code| code != 200));
        tally.said += 1;
    }
    assert!(refused <= play.world.count(|stats| stats.submit_outcome_unknown), "{refused} refused that were taken");
    for down in &play.downs {
        let of: Vec<_> = texts.iter().filter(|(text, _)| *text == down.text).collect();
        let sure = of.iter().filter(|(_, disturbed)| !disturbed).count();
        let ok = down
            .parts
            .iter()
            .all(|part| play.world.smscs[0].deliveries[*part].statuses.last() == Some(&CommandStatus::ESME_ROK));
        let statuses: Vec<_> = down.parts.iter().map(|part| &play.world.smscs[0].deliveries[*part].statuses).collect();
        assert!(sure <= 1, "{} came {of:?}", down.text);
        assert!(!ok || !of.is_empty(), "{} is lost, {statuses:?}", down.text);
        tally.downs += 1;
        tally.downs_taken += usize::from(ok);
        doubts += of.len().saturating_sub(1);
    }
    let counted = play.world.count(|stats| stats.msrp_outcome_unknown);
    assert!(doubts as u64 <= counted, "{doubts} came twice, {counted} of them in doubt");
    tally.doubts += doubts;
    for call in play.users.calls.iter().filter(|call| !call.theirs) {
        *tally.codes.entry(('i', call.code)).or_default() += 1;
    }
    tally.sessions += play.users.calls.len();
    tally.opened += play.users.calls.iter().filter(|call| call.code == Some(200)).count();
    tally.invited += play.users.calls.iter().filter(|call| call.theirs).count();
    tally.by_session += play.users.came.len();
}

fn nothing_is_held(world: &World) {
    for shard in &world.shards {
        let left: Vec<_> = shard.held().into_iter().filter(|(_, count)| *count > 0).collect();
        assert!(left.is_empty(), "left over: {left:?}");
    }
}

fn play(seed: u64, tally: &mut Tally) {
    let mut play = Play::new(seed);
    for _ in 0..60 {
        play.act();
        play.users.write_some(&mut play.world, 2);
        let pause = play.users.below(700) as u64;
        play.run(ms(pause));
    }
    play.end();
    audit(&play, tally);
    nothing_is_held(&play.world);
}

/// Runs seeds from SIM_SESSIONS_FROM on, as many as SIM_SESSIONS says.
fn range() -> core::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let from = number("SIM_SESSIONS_FROM").unwrap_or(0);
    from..from + number("SIM_SESSIONS").unwrap_or(150)
}

#[test]
fn any_play_of_sessions_keeps_its_promises() {
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
    assert!(tally.thanked * 4 > tally.said && tally.downs_taken * 2 > tally.downs, "too little passes: {tally:?}");
}

/// INVITEs that are answered and never confirmed, nor connected to: each is given up, and nothing stays behind.
#[test]
fn abandoned_invitations_leave_nothing() {
    let count = std::env::var("SIM_ABANDONED").ok().and_then(|count| count.parse().ok()).unwrap_or(2_000);
    let mut world = World::new(1, 2, &settings_with_msrp(1));
    for number in 0..count {
        let mut client = Client::new(&format!("gone{number}@a"), LARGE_MESSAGE);
        client.attributes = "a=sendonly\r\n".to_owned();
        let (contact, offer) = (client.address, client.offer());
        let headers = format!(
            "Contact: <sip:{contact}>\r\nP-Asserted-Identity: <tel:+15550001>\r\n\
             Accept-Contact: *;+g.3gpp.icsi-ref=\"{LARGE_MESSAGE}\";require;explicit\r\n\
             Conversation-ID: c{number}\r\nContribution-ID: d{number}\r\n"
        );
        let invite = client.request("INVITE", &headers, &offer);
        world.datagram_from(contact, invite.as_bytes());
    }
    let open = world.count(|stats| stats.large_messages_open);
    assert_eq!(open, count, "{:?}", world.strays.first().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()));
    for _ in 0..300 {
        world.run_for(ms(1_000));
        world.strays.clear();
    }
    nothing_is_held(&world);
}
