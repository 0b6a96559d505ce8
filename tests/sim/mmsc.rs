//! An MMS Relay/Server that talks SMTP with the gateway both ways, as far as tests need it.

use crate::world::World;

/// The connection that the gateway opened, and what came by it.
#[derive(Debug)]
pub struct Mmsc {
    /// Place in `tcp`.
    pub link: usize,
    /// Octets of it that were looked at.
    seen: usize,
    /// Mails that it took or refused: envelope and data.
    pub mails: Vec<Mail>,
    /// What it answers to the end of the data; nothing if it is empty.
    pub reply: &'static str,
    /// A command that it answers otherwise than usual, and how; with nothing to say it hangs up.
    pub instead: Option<(&'static str, &'static str)>,
    /// The mail that is arriving.
    arriving: Mail,
    in_data: bool,
}

/// A mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    pub mail_from: String,
    pub rcpt_to: Vec<String>,
    /// Dots taken off.
    pub data: String,
}

impl Mail {
    /// The value of a header field, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
        let fields: Vec<(&str, &str)> = head.lines().filter_map(|line| line.split_once(':')).collect();
        let found = fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned())
    }

    /// What stands behind the header fields.
    pub fn body(&self) -> &str {
        self.data.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

impl Mmsc {
    /// Greets on the connection that the gateway opened last.
    pub fn greeted(world: &mut World) -> Mmsc {
        Mmsc::greeted_on(world, world.tcp.len() - 1)
    }

    /// Greets on a connection of the gateway, a place in `tcp`.
    pub fn greeted_on(world: &mut World, link: usize) -> Mmsc {
        let mut mmsc = Mmsc {
            link,
            seen: 0,
            mails: Vec::new(),
            reply: "250 2.0.0 taken",
            instead: None,
            arriving: Mail::default(),
            in_data: false,
        };
        mmsc.say(world, "220 mms.example.com ESMTP");
        mmsc.listen(world);
        mmsc
    }

    /// Sends a line, if the connection is still there.
    pub fn say(&self, world: &mut World, line: &str) {
        if world.tcp[self.link].closed {
            return;
        }
        world.tcp_send(self.link, format!("{line}\r\n").as_bytes());
    }

    /// Closes the connection.
    pub fn hang_up(&self, world: &mut World) {
        if !world.tcp[self.link].closed {
            world.tcp_close(self.link);
        }
    }

    /// Takes in what the gateway has sent, and answers it.
    pub fn listen(&mut self, world: &mut World) {
        while let Some(line) = self.line(world) {
            if self.in_data {
                self.data_line(world, &line);
            } else {
                self.command(world, &line);
            }
        }
    }

    fn line(&mut self, world: &World) -> Option<String> {
        if world.tcp[self.link].closed {
            return None;
        }
        let received = world.tcp[self.link].received();
        let rest = &received[self.seen..];
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        self.seen += end + 2;
        Some(String::from_utf8(rest[..end].to_vec()).expect("lines of ASCII"))
    }

    fn data_line(&mut self, world: &mut World, line: &str) {
        if line == "." {
            self.in_data = false;
            self.mails.push(std::mem::take(&mut self.arriving));
            if !self.reply.is_empty() {
                self.say(world, self.reply);
            }
            return;
        }
        self.arriving.data.push_str(line.strip_prefix('.').unwrap_or(line));
        self.arriving.data.push_str("\r\n");
    }

    fn command(&mut self, world: &mut World, line: &str) {
        let address = || line.split(['<', '>']).nth(1).expect("a path").to_owned();
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        if let Some((_, reply)) = self.instead.filter(|(instead, _)| *instead == verb) {
            return if reply.is_empty() { self.hang_up(world) } else { self.say(world, reply) };
        }
        match verb.as_str() {
            "EHLO" => self.say(world, "250-mms.example.com\r\n250-PIPELINING\r\n250 8BITMIME"),
            "RCPT" if self.arriving.mail_from.is_empty() => self.say(world, "503 5.5.1 who sends it"),
            "DATA" if self.arriving.rcpt_to.is_empty() => self.say(world, "503 5.5.1 nobody to take it for"),
            "MAIL" => {
                self.arriving.mail_from = address();
                self.say(world, "250 2.1.0 ok");
            }
            "RCPT" => {
                self.arriving.rcpt_to.push(address());
                self.say(world, "250 2.1.5 ok");
            }
            "DATA" => {
                self.in_data = true;
                self.say(world, "354 go on");
            }
            "RSET" => {
                self.arriving = Mail::default();
                self.say(world, "250 2.0.0 ok");
            }
            "QUIT" => self.say(world, "221 2.0.0 bye"),
            _ => self.say(world, "250 2.0.0 ok"),
        }
    }
}

/// A session in which it brings mail.
#[derive(Debug)]
pub struct Bringing {
    pub link: usize,
    seen: usize,
}

impl Bringing {
    /// Connects to one core and says who it is.
    pub fn connect(world: &mut World, shard: usize) -> Bringing {
        let link = world.mail_open(shard, "192.0.2.30:40000");
        let mut bringing = Bringing { link, seen: 0 };
        assert!(bringing.replies(world).starts_with("220 "));
        assert!(bringing.ask(world, "EHLO mms.example.com").starts_with("250"));
        bringing
    }

    /// Brings a mail as far as its end; what the gateway says to that may come later.
    pub fn bring(&mut self, world: &mut World, mail: &Mail) {
        assert!(self.ask(world, &format!("MAIL FROM:<{}>", mail.mail_from)).starts_with("250"));
        for rcpt_to in &mail.rcpt_to {
            let reply = self.ask(world, &format!("RCPT TO:<{rcpt_to}>"));
            assert!(reply.starts_with("250"), "{rcpt_to}: {reply}");
        }
        assert!(self.ask(world, "DATA").starts_with("354"));
        let stuffed = mail.data.replace("\r\n.", "\r\n..");
        world.tcp_send(self.link, format!("{stuffed}\r\n.\r\n").as_bytes());
    }

    /// Breaks the connection.
    pub fn hang_up(&self, world: &mut World) {
        world.tcp_close(self.link);
    }

    /// Any octets.
    pub fn send(&self, world: &mut World, octets: &[u8]) {
        world.tcp_send(self.link, octets);
    }

    /// One command, and the replies to it.
    pub fn ask(&mut self, world: &mut World, command: &str) -> String {
        world.tcp_send(self.link, format!("{command}\r\n").as_bytes());
        self.replies(world)
    }

    /// What the gateway has said since.
    pub fn replies(&mut self, world: &World) -> String {
        let received = world.tcp[self.link].received();
        let said = String::from_utf8(received[self.seen..].to_vec()).expect("ASCII");
        self.seen = received.len();
        said
    }
}
