//! An MMS Relay/Server on bad days: it takes mails on any number of connections and brings mails of its own, answers late,
//! refuses, and loses connections at any moment.

use std::collections::BTreeMap;
use std::time::Duration;

use isthmus::engine::{Moment, Random};

use crate::mmsc::Mail;
use crate::world::{MMSC, World};

/// How bad the days are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trouble {
    /// Of a thousand commands, how many are refused, and how many are met by hanging up.
    pub refuse_permille: u64,
    pub hang_up_permille: u64,
    /// Of a hundred mails, how many are refused at their end, and how many end with the connection.
    pub refuse_percent: u64,
    pub doubt_percent: u64,
    /// Of a hundred mails that it brings, how many are cut off somewhere.
    pub cut_percent: u64,
    /// A reply takes up to so long; and of a hundred to a mail, so many take up to half a minute more.
    pub think: Duration,
    pub late_percent: u64,
}

/// A mail that came whole.
#[derive(Debug)]
pub struct Came {
    pub mail: Mail,
    /// X-Mms-Message-Type and X-Mms-Message-ID.
    pub kind: String,
    pub message_id: String,
    pub taken: bool,
    /// It was refused for good.
    pub refused: bool,
    /// Whether the gateway was told.
    pub told: bool,
}

impl Came {
    fn new(mail: Mail) -> Came {
        let value = |name| mail.header(name).unwrap_or_default();
        let (kind, message_id) = (value("X-Mms-Message-Type"), value("X-Mms-Message-ID"));
        Came { mail, kind, message_id, taken: false, refused: false, told: false }
    }

    /// Whether the gateway cannot know, or need not try again.
    pub fn is_in_doubt_or_refused(&self) -> bool {
        !self.told || self.refused
    }
}

/// A mail that it brings.
#[derive(Debug)]
pub struct Letter {
    pub mail: Mail,
    not_before: Moment,
    /// Replies to the whole mail; 0 is a connection that broke.
    pub replies: Vec<u16>,
    /// No more is tried.
    pub over: bool,
    under_way: bool,
}

impl Letter {
    pub fn is_taken(&self) -> bool {
        self.replies.last() == Some(&250)
    }
}

/// A connection of the gateway.
#[derive(Debug, Default)]
struct Taking {
    octets: Vec<u8>,
    in_data: bool,
    arriving: Mail,
    /// When the reply before is out.
    said_at: u64,
}

/// A connection of its own.
#[derive(Debug)]
struct Bringing {
    place: usize,
    octets: Vec<u8>,
    phase: Phase,
    letter: Option<usize>,
    pipelines: bool,
    carried: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Greeting,
    Ehlo,
    Idle,
    /// This many of its commands have their replies; the worst of these.
    Commands(usize, u16),
    Content,
}

#[derive(Debug)]
enum Act {
    /// A reply, and which mail it is about.
    Say(String, Option<usize>),
    Send(Vec<u8>),
    HangUp,
}

/// The Relay/Server.
#[derive(Debug)]
pub struct Carrier {
    pub trouble: Trouble,
    pub came: Vec<Came>,
    pub letters: Vec<Letter>,
    taking: BTreeMap<usize, Taking>,
    bringing: Vec<Bringing>,
    due: BTreeMap<(u64, u64), (usize, Act)>,
    serial: u64,
    random: Random,
}

const TRIES_MAX: usize = 40;
const SESSIONS_MAX: usize = 5;

impl Carrier {
    pub fn new(seed: u64) -> Carrier {
        let mut key = [0x3C; 32];
        key[..8].copy_from_slice(&seed.to_be_bytes());
        Carrier {
            trouble: Trouble::default(),
            came: Vec::new(),
            letters: Vec::new(),
            taking: BTreeMap::new(),
            bringing: Vec::new(),
            due: BTreeMap::new(),
            serial: 0,
            random: Random::from_seed(key),
        }
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.random.below(bound)
    }

    fn chance(&mut self, of: u64, in_all: u64) -> bool {
        self.random.below(in_all) < of
    }

    /// Takes a mail to bring, not before so long from now.
    pub fn post(&mut self, world: &World, mail: Mail, after: Duration) {
        let not_before = world.now.moment + after;
        self.letters.push(Letter { mail, not_before, replies: Vec::new(), over: false, under_way: false });
    }

    /// When something is due. Letters that wait for a session are not: one that falls idle takes them.
    pub fn deadline(&self, now: Moment) -> Option<Moment> {
        let waits = |letter: &&Letter| !letter.over && !letter.under_way && letter.not_before > now;
        let waiting = self.letters.iter().filter(waits);
        let first = self.due.keys().next().map(|(at, _)| Moment(*at));
        first.into_iter().chain(waiting.map(|letter| letter.not_before)).min()
    }

    /// Takes in what the gateway has sent; the mails that came are the last of `came`.
    pub fn hear(&mut self, world: &mut World) {
        for place in 0..world.tcp.len() {
            if world.tcp[place].mail {
                self.hear_one(world, place);
            }
        }
    }

    fn hear_one(&mut self, world: &mut World, place: usize) {
        let octets = std::mem::take(&mut world.tcp[place].writes).concat();
        if let Some(at) = self.bringing.iter().position(|bringing| bringing.place == place) {
            return self.brings(world, at, &octets);
        }
        if world.tcp[place].dialled.is_none() {
            return;
        }
        if world.tcp[place].closed {
            return self.lose(place, &octets);
        }
        if !self.taking.contains_key(&place) {
            self.reply(world, place, "220 mms.example.com ESMTP", None);
        }
        self.taking.entry(place).or_default().octets.extend_from_slice(&octets);
        while let Some(line) = self.line(place) {
            if self.taking[&place].in_data {
                self.data_line(world, place, &line)
            } else {
                self.command(world, place, &line)
            }
        }
    }

    /// What was written as the connection broke never came, for all that the gateway knows.
    fn lose(&mut self, place: usize, octets: &[u8]) {
        let Some(taking) = self.taking.get_mut(&place) else { return };
        taking.octets.extend_from_slice(octets);
        while self.taking[&place].in_data
            && let Some(line) = self.line(place)
        {
            let taking = self.taking.get_mut(&place).unwrap();
            if line == "." {
                let mail = std::mem::take(&mut taking.arriving);
                taking.in_data = false;
                self.came.push(Came::new(mail));
            } else {
                taking.arriving.data.push_str(&format!("{line}\r\n"));
            }
        }
        self.taking.remove(&place);
    }

    fn line(&mut self, place: usize) -> Option<String> {
        let octets = &mut self.taking.get_mut(&place)?.octets;
        let end = octets.windows(2).position(|two| two == b"\r\n")?;
        let line: Vec<u8> = octets.drain(..end + 2).collect();
        Some(String::from_utf8(line[..end].to_vec()).expect("lines of ASCII"))
    }

    fn reply(&mut self, world: &World, place: usize, line: &str, about: Option<usize>) {
        self.act(world, place, Act::Say(format!("{line}\r\n"), about), about.is_some());
    }

    /// One after the other on each connection.
    fn act(&mut self, world: &World, place: usize, act: Act, of_mail: bool) {
        let mut think = u64::try_from(self.trouble.think.as_micros()).unwrap() + 1;
        if of_mail && self.chance(self.trouble.late_percent, 100) {
            think += 30_000_000;
        }
        let at = world.now.moment.0 + 1 + self.random.below(think);
        let taking = self.taking.entry(place).or_default();
        taking.said_at = at.max(taking.said_at);
        self.serial += 1;
        self.due.insert((taking.said_at, self.serial), (place, act));
    }

    fn data_line(&mut self, world: &World, place: usize, line: &str) {
        let taking = self.taking.get_mut(&place).unwrap();
        if line != "." {
            taking.arriving.data.push_str(line.strip_prefix('.').unwrap_or(line));
            taking.arriving.data.push_str("\r\n");
            return;
        }
        taking.in_data = false;
        let mail = std::mem::take(&mut taking.arriving);
        let (about, Trouble { refuse_percent, doubt_percent, .. }) = (self.came.len(), self.trouble);
        let in_doubt = self.chance(doubt_percent, 100);
        let refused = self.chance(refuse_percent, 100) || (in_doubt && self.chance(1, 2));
        let replies = ["451 4.3.0 later", "452 4.3.1 full", "554 5.6.0 no", "421 4.3.2 away"];
        let reply = replies[usize::try_from(self.below(4)).unwrap()];
        let taken = !refused;
        self.came.push(Came { taken, refused: refused && reply.starts_with('5'), ..Came::new(mail) });
        match () {
            () if in_doubt => self.act(world, place, Act::HangUp, true),
            () if refused => {
                self.reply(world, place, reply, Some(about));
                if reply.starts_with("421") {
                    self.act(world, place, Act::HangUp, false);
                }
            }
            () => self.reply(world, place, "250 2.0.0 taken", Some(about)),
        }
    }

    fn command(&mut self, world: &World, place: usize, line: &str) {
        if self.chance(self.trouble.hang_up_permille, 1_000) {
            return self.act(world, place, Act::HangUp, false);
        }
        let refuses = self.chance(self.trouble.refuse_permille, 1_000);
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let address = || line.split(['<', '>']).nth(1).expect("a path").to_owned();
        let taking = self.taking.get_mut(&place).unwrap();
        let reply = match verb.as_str() {
            "EHLO" => "250-mms.example.com\r\n250-PIPELINING\r\n250 8BITMIME",
            "MAIL" | "RCPT" | "DATA" if refuses => "451 4.3.0 later",
            "MAIL" => {
                taking.arriving = Mail { mail_from: address(), ..Mail::default() };
                "250 2.1.0 ok"
            }
            "RCPT" if taking.arriving.mail_from.is_empty() => "503 5.5.1 MAIL first",
            "RCPT" => {
                taking.arriving.rcpt_to.push(address());
                "250 2.1.5 ok"
            }
            "DATA" if taking.arriving.rcpt_to.is_empty() => "503 5.5.1 RCPT first",
            "DATA" => {
                taking.in_data = true;
                "354 go on"
            }
            "QUIT" => "221 2.0.0 bye",
            _ => {
                taking.arriving = Mail::default();
                "250 2.0.0 ok"
            }
        };
        self.reply(world, place, reply, None);
        if verb == "QUIT" {
            self.act(world, place, Act::HangUp, false);
        }
    }

    /// Does what is due.
    pub fn speak(&mut self, world: &mut World) {
        let now = world.now.moment;
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now.0) {
            let (place, act) = entry.remove();
            if world.tcp[place].closed {
                continue;
            }
            match act {
                Act::Say(line, about) => {
                    if let Some(about) = about {
                        self.came[about].told = true;
                    }
                    world.tcp_send(place, line.as_bytes());
                }
                Act::Send(octets) => world.tcp_send(place, &octets),
                Act::HangUp => world.tcp_close(place),
            }
        }
        self.start(world);
    }

    /// Cuts any connection.
    pub fn cut(&mut self, world: &mut World) {
        let open: Vec<usize> =
            (0..world.tcp.len()).filter(|at| world.tcp[*at].mail && !world.tcp[*at].closed).collect();
        if !open.is_empty() {
            let which = usize::try_from(self.below(open.len() as u64)).unwrap();
            world.tcp_close(open[which]);
        }
    }

    /// All connections of the gateway break, and no new ones are taken until it is up again.
    pub fn down(&mut self, world: &mut World) {
        world.unreachable = vec![MMSC.parse().unwrap()];
        for place in 0..world.tcp.len() {
            if world.tcp[place].dialled.is_some() && world.tcp[place].mail && !world.tcp[place].closed {
                world.tcp_close(place);
            }
        }
    }

    /// Gives letters to sessions that have none.
    fn start(&mut self, world: &mut World) {
        let now = world.now.moment;
        for at in 0..self.letters.len() {
            let letter = &self.letters[at];
            if letter.over || letter.under_way || letter.not_before > now {
                continue;
            }
            let idle = |bringing: &Bringing| bringing.letter.is_none() && !world.tcp[bringing.place].closed;
            let session = self.bringing.iter().position(idle);
            let Some(session) = session.or_else(|| self.open(world)) else { return };
            self.letters[at].under_way = true;
            self.bringing[session].letter = Some(at);
            if self.bringing[session].phase == Phase::Idle {
                self.envelope(world, session);
            }
        }
    }

    fn open(&mut self, world: &mut World) -> Option<usize> {
        if self.bringing.len() >= SESSIONS_MAX {
            return None;
        }
        let core = usize::try_from(self.below(world.shards.len() as u64)).unwrap();
        let (place, pipelines) = (world.mail_open(core, "192.0.2.30:40000"), self.chance(1, 2));
        let phase = Phase::Greeting;
        self.bringing.push(Bringing { place, octets: Vec::new(), phase, letter: None, pipelines, carried: 0 });
        Some(self.bringing.len() - 1)
    }

    fn commands(&self, session: usize) -> Vec<String> {
        let Some(letter) = self.bringing[session].letter else { return Vec::new() };
        let mail = &self.letters[letter].mail;
        let recipients = mail.rcpt_to.iter().map(|to| format!("RCPT TO:<{to}>\r\n"));
        let first = std::iter::once(format!("MAIL FROM:<{}>\r\n", mail.mail_from));
        first.chain(recipients).chain(std::iter::once("DATA\r\n".to_owned())).collect()
    }

    fn send(&self, world: &mut World, session: usize, octets: &[u8]) {
        let place = self.bringing[session].place;
        if !world.tcp[place].closed {
            world.tcp_send(place, octets);
        }
    }

    fn envelope(&mut self, world: &mut World, session: usize) {
        let commands = self.commands(session);
        let bringing = &mut self.bringing[session];
        bringing.phase = Phase::Commands(0, 0);
        let octets = if bringing.pipelines { commands.concat() } else { commands[0].clone() };
        self.send(world, session, octets.as_bytes());
    }

    /// Replies to what it brings.
    fn brings(&mut self, world: &mut World, session: usize, octets: &[u8]) {
        self.bringing[session].octets.extend_from_slice(octets);
        let place = self.bringing[session].place;
        while let Some(code) = reply_code(&mut self.bringing[session].octets) {
            self.replied(world, session, code);
        }
        if world.tcp[place].closed
            && let Some(at) = self.bringing.iter().position(|bringing| bringing.place == place)
        {
            let gone = self.bringing.remove(at);
            if let Some(letter) = gone.letter {
                if gone.phase == Phase::Content {
                    self.letters[letter].replies.push(0);
                }
                self.again(world, letter);
            }
        }
    }

    fn again(&mut self, world: &World, letter: usize) {
        let wait = Duration::from_millis(500 + self.below(12_000));
        let letter = &mut self.letters[letter];
        (letter.under_way, letter.not_before) = (false, world.now.moment + wait);
        letter.over = letter.replies.len() >= TRIES_MAX;
    }

    fn replied(&mut self, world: &mut World, session: usize, code: u16) {
        match self.bringing[session].phase {
            Phase::Greeting if code == 220 => {
                self.bringing[session].phase = Phase::Ehlo;
                self.send(world, session, b"EHLO mms.example.com\r\n");
            }
            Phase::Ehlo | Phase::Idle if self.bringing[session].letter.is_some() && code < 400 => {
                self.envelope(world, session);
            }
            Phase::Ehlo | Phase::Idle => self.bringing[session].phase = Phase::Idle,
            Phase::Greeting => {}
            Phase::Commands(replies, worst) => self.command_replied(world, session, replies, worst.max(code)),
            Phase::Content => {
                let letter = self.bringing[session].letter.take().expect("a letter");
                self.letters[letter].replies.push(code);
                self.letters[letter].over = !(400..500).contains(&code);
                if !self.letters[letter].over {
                    self.again(world, letter);
                }
                self.rest(world, session);
            }
        }
    }

    fn command_replied(&mut self, world: &mut World, session: usize, replies: usize, worst: u16) {
        let commands = self.commands(session);
        self.bringing[session].phase = Phase::Commands(replies + 1, worst);
        if replies + 1 < commands.len() {
            if !self.bringing[session].pipelines {
                self.send(world, session, commands[replies + 1].as_bytes());
            }
            return;
        }
        if worst == 354 {
            return self.content(world, session);
        }
        let letter = self.bringing[session].letter.take().expect("a letter");
        assert!(worst < 500, "{worst} to {:?}", self.letters[letter].mail);
        self.again(world, letter);
        self.rest(world, session);
    }

    /// Sends the content, in two pieces, and perhaps not all of it.
    fn content(&mut self, world: &mut World, session: usize) {
        let Bringing { place, letter, .. } = self.bringing[session];
        self.bringing[session].phase = Phase::Content;
        let data = &self.letters[letter.expect("a letter")].mail.data;
        let data = if data.ends_with("\r\n") { data.clone() } else { format!("{data}\r\n") };
        let octets = format!("{}.\r\n", data.replace("\r\n.", "\r\n..")).into_bytes();
        let cut = usize::try_from(self.below(octets.len() as u64)).unwrap();
        let (first, second) = octets.split_at(cut);
        let (first, second) = (first.to_vec(), second.to_vec());
        self.act(world, place, Act::Send(first), false);
        match self.below(200) {
            luck if luck < self.trouble.cut_percent => return self.act(world, place, Act::HangUp, false),
            _ => self.act(world, place, Act::Send(second), false),
        }
        if self.chance(self.trouble.cut_percent, 200) {
            let at = world.now.moment.0 + 1 + self.random.below(3_000_000);
            let taking = self.taking.entry(place).or_default();
            self.serial += 1;
            self.due.insert((taking.said_at.max(at), self.serial), (place, Act::HangUp));
        }
    }

    /// A letter is off its hands: the next may come, or it leaves.
    fn rest(&mut self, world: &mut World, session: usize) {
        let bringing = &mut self.bringing[session];
        (bringing.phase, bringing.carried) = (Phase::Idle, bringing.carried + 1);
        if bringing.carried.is_multiple_of(6) {
            self.send(world, session, b"QUIT\r\n");
            self.bringing[session].phase = Phase::Greeting;
        }
    }
}

/// The code of the first reply, taken off if it is whole.
fn reply_code(octets: &mut Vec<u8>) -> Option<u16> {
    loop {
        let end = octets.windows(2).position(|two| two == b"\r\n")?;
        let line: Vec<u8> = octets.drain(..end + 2).collect();
        if line.get(3) != Some(&b'-') {
            return Some(std::str::from_utf8(&line[..3]).ok()?.parse().expect("a code"));
        }
    }
}
