//! What the flows with MMS share: a gateway with its MMS Relay/Servers, CPM messages of any content, and MM4 messages as a
//! Relay/Server writes them.

use std::time::Duration;

use isthmus::shard::settings::Settings;

use crate::mmsc::{Bringing, Mail, Mmsc};
use crate::sip::Sip;
use crate::world::{World, settings_with_mms};

/// The gateway's address as an MMS Relay/Server, and the Relay/Server's.
pub const OURS: &str = "system-user@mms.gw.example.net";
pub const THEIRS: &str = "system-user@mms.example.com";
/// The MMS user, and the CPM user, as mails have them.
pub const MMS_USER: &str = "+15550002/TYPE=PLMN@mms.example.com";
pub const CPM_USER: &str = "+15550001/TYPE=PLMN@mms.gw.example.net";

/// A gateway and its MMS Relay/Servers, one for each connection.
pub struct Gateway {
    pub world: World,
    pub mmscs: Vec<Mmsc>,
    /// Connections of the Relay/Servers, by their place in `tcp`.
    theirs: Vec<usize>,
}

impl Gateway {
    /// With so many cores.
    pub fn new(shards: u16) -> Gateway {
        Gateway::of(shards, &settings_with_mms(0))
    }

    pub fn of(shards: u16, settings: &Settings) -> Gateway {
        let mut gateway = Gateway::around(World::new(3, shards, settings));
        gateway.greet();
        gateway.pass(1);
        gateway
    }

    /// With no Relay/Server as yet.
    pub fn around(world: World) -> Gateway {
        Gateway { world, mmscs: Vec::new(), theirs: Vec::new() }
    }

    /// Greets on every connection that the gateway has opened since.
    pub fn greet(&mut self) {
        let known: Vec<usize> = self.mmscs.iter().map(|mmsc| mmsc.link).chain(self.theirs.iter().copied()).collect();
        let dialled = (0..self.world.tcp.len()).filter(|link| !known.contains(link) && !self.world.tcp[*link].closed);
        for link in dialled.collect::<Vec<_>>() {
            self.mmscs.push(Mmsc::greeted_on(&mut self.world, link));
        }
    }

    /// Seconds pass, in which the MMS Relay/Servers do their part.
    pub fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds * 4 {
            self.world.run_for(Duration::from_millis(250));
            self.hear();
        }
    }

    pub fn hear(&mut self) {
        for mmsc in &mut self.mmscs {
            mmsc.listen(&mut self.world);
        }
    }

    /// Sends a MESSAGE and lets a second pass.
    pub fn send(&mut self, message: &Message) {
        let now = self.world.now.moment;
        self.world.cpm.send_bytes(now, &message.call_id, message.bytes(), false);
        self.pass(1);
    }

    /// The mails that have come since.
    pub fn mails(&mut self) -> Vec<Mail> {
        self.hear();
        self.mmscs.iter_mut().flat_map(|mmsc| std::mem::take(&mut mmsc.mails)).collect()
    }

    /// The only mail that has come since.
    pub fn mail(&mut self) -> Mail {
        let mut mails = self.mails();
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }

    /// Sends a MESSAGE; the mail that it becomes.
    pub fn forwarded(&mut self, message: &Message) -> Mail {
        self.send(message);
        let mail = self.mail();
        assert_eq!(mail.get("X-Mms-Message-Type"), "MM4_forward.REQ");
        mail
    }

    /// Sends a MESSAGE that is taken; the mail that it becomes.
    pub fn accepted(&mut self, message: &Message) -> Mail {
        let mail = self.forwarded(message);
        self.bring(0, &response(&mail, "Ok"));
        assert_eq!(self.status(&message.call_id), Some(202));
        mail
    }

    /// Brings a mail to one core and lets a second pass; the reply to it, if there is one by then.
    pub fn bring(&mut self, shard: usize, mail: &Mail) -> String {
        let mut bringing = Bringing::connect(&mut self.world, shard);
        self.theirs.push(self.world.tcp.len() - 1);
        bringing.bring(&mut self.world, mail);
        self.pass(1);
        bringing.replies(&self.world)
    }

    /// What a MESSAGE was answered, if it was.
    pub fn status(&self, call_id: &str) -> Option<u16> {
        self.world.cpm.answers.get(call_id).copied()
    }

    /// The response to a MESSAGE.
    pub fn answer(&self, call_id: &str) -> Sip {
        let all = self.world.cpm.responses.iter().map(|response| Sip::read(response));
        all.into_iter().find(|response| response.get("Call-ID") == call_id).expect("a response")
    }

    /// Nothing is held once transactions have had their time.
    pub fn nothing_stays(&mut self) {
        self.pass(40);
        self.world.run_for(Duration::from_secs(700));
        for shard in &self.world.shards {
            let held: Vec<_> = shard.held().into_iter().filter(|(_, held)| *held > 0).collect();
            assert!(held.is_empty(), "{held:?}");
        }
    }
}

/// A MESSAGE from the CPM user to the MMS user.
#[derive(Clone, Debug)]
pub struct Message {
    pub call_id: String,
    pub uri: String,
    pub from: String,
    /// P-Asserted-Identity.
    pub identity: String,
    /// More header lines, and more of the CPIM wrapper, each ended by CRLF.
    pub headers: String,
    pub wrapper: String,
    /// The wrapper's DateTime.
    pub date_time: String,
    pub content_type: String,
    pub content: Vec<u8>,
    /// The list of recipients beside it; none if it is empty.
    pub list: String,
}

impl Message {
    pub fn new(call_id: &str, content_type: &str, content: &[u8]) -> Message {
        Message {
            call_id: call_id.into(),
            uri: "tel:+15550002".into(),
            from: "<tel:+15550001>".into(),
            identity: "<tel:+15550001>".into(),
            headers: String::new(),
            wrapper: String::new(),
            date_time: "2026-11-21T10:15:30Z".into(),
            content_type: content_type.into(),
            content: content.to_vec(),
            list: String::new(),
        }
    }

    pub fn text(call_id: &str, text: &str) -> Message {
        Message::new(call_id, "text/plain;charset=utf-8", text.as_bytes())
    }

    /// The same, and asks for notifications.
    pub fn asking(call_id: &str, dispositions: &str) -> Message {
        let wrapper = format!("imdn.Disposition-Notification: {dispositions}\r\n");
        Message { wrapper, ..Message::text(call_id, "Bonjour") }
    }

    fn cpim(&self) -> Vec<u8> {
        let date_time =
            if self.date_time.is_empty() { String::new() } else { format!("DateTime: {}\r\n", self.date_time) };
        let head = format!(
            "From: <tel:+15550001>\r\nTo: <tel:+15550002>\r\n{date_time}NS: imdn <urn:ietf:params:imdn>\r\n\
             imdn.Message-ID: imdn-{}\r\n{}\r\nContent-Type: {}\r\n\r\n",
            self.call_id, self.wrapper, self.content_type
        );
        [head.as_bytes(), &self.content].concat()
    }

    fn body(&self) -> (String, Vec<u8>) {
        if self.list.is_empty() {
            return ("message/cpim".into(), self.cpim());
        }
        let list = format!(
            "\r\n--outer\r\nContent-Type: application/resource-lists+xml\r\n\
             Content-Disposition: recipient-list-history; handling=optional\r\n\r\n{}\r\n--outer--\r\n",
            self.list
        );
        let body = [b"--outer\r\nContent-Type: message/cpim\r\n\r\n", &*self.cpim(), list.as_bytes()].concat();
        ("multipart/mixed;boundary=outer".into(), body)
    }

    pub fn bytes(&self) -> Vec<u8> {
        let (content_type, body) = self.body();
        let id = &self.call_id;
        let identity = if self.identity.is_empty() {
            String::new()
        } else {
            format!("P-Asserted-Identity: {}\r\n", self.identity)
        };
        let head = format!(
            "MESSAGE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK{branch};rport\r\nMax-Forwards: 70\r\n\
             From: {from};tag=a1\r\nTo: <{uri}>\r\nCall-ID: {id}\r\nCSeq: 1 MESSAGE\r\n{identity}\
             Accept-Contact: *;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.oma.cpm.msg\";require;explicit\r\n\
             Conversation-ID: conv-{id}\r\nContribution-ID: contrib-{id}\r\n{headers}Content-Type: {content_type}\r\n\
             Content-Length: {len}\r\n\r\n",
            uri = self.uri,
            from = self.from,
            branch = id.replace('@', "-"),
            headers = self.headers,
            len = body.len()
        );
        [head.as_bytes(), &body].concat()
    }
}

impl Mail {
    /// The value of a header field that must be there.
    pub fn get(&self, name: &str) -> String {
        self.header(name).unwrap_or_else(|| panic!("{name} in {}", self.data))
    }
}

/// A mail of the Relay/Server: what its header section has beside what all of them have.
fn mail(request: &Mail, kind: &str, fields: &str) -> Mail {
    let data = format!(
        "X-Mms-3GPP-MMS-Version: 6.10.0\r\nX-Mms-Message-Type: {kind}\r\nX-Mms-Message-ID: {}\r\n\
         Message-ID: <1@mms.example.com>\r\nSender: {THEIRS}\r\n{fields}\r\n",
        request.get("X-Mms-Message-ID")
    );
    Mail { mail_from: THEIRS.into(), rcpt_to: vec![OURS.into()], data }
}

/// MM4_forward.RES to a request.
pub fn response(request: &Mail, status: &str) -> Mail {
    let transaction_id = request.get("X-Mms-Transaction-ID");
    let fields = format!(
        "X-Mms-Transaction-ID: {transaction_id}\r\nX-Mms-Request-Status-Code: {status}\r\nTo: {OURS}\r\n\
         Date: Sat, 21 Nov 2026 10:16:00 +0000\r\n"
    );
    mail(request, "MM4_forward.RES", &fields)
}

/// MM4_delivery_report.REQ about the MM of a request.
pub fn delivery_report(request: &Mail, status: &str) -> Mail {
    let fields = format!(
        "X-Mms-Transaction-ID: \"report-1\"\r\nX-Mms-MM-Status-Code: {status}\r\nX-Mms-Ack-Request: Yes\r\n{REPORT}"
    );
    Mail { rcpt_to: vec![CPM_USER.into()], ..mail(request, "MM4_delivery_report.REQ", &fields) }
}

/// MM4_read_reply_report.REQ about the MM of a request.
pub fn read_reply(request: &Mail, status: &str) -> Mail {
    let fields = format!(
        "X-Mms-Transaction-ID: \"read-1\"\r\nX-Mms-Read-Status: {status}\r\nX-Mms-Ack-Request: Yes\r\n{REPORT}"
    );
    Mail { rcpt_to: vec![CPM_USER.into()], ..mail(request, "MM4_read_reply_report.REQ", &fields) }
}

const REPORT: &str = "From: +15550002/TYPE=PLMN@mms.example.com\r\nTo: +15550001/TYPE=PLMN@mms.gw.example.net\r\n\
                      Date: Sat, 21 Nov 2026 11:00:00 +0000\r\n\
                      X-Mms-Forward-Route: hub@one.example, system-user@mms.example.com\r\n\
                      X-Mms-Originator-Recipient-Address: hub@one.example\r\n";
