//! What must have become of the messages, MMs, reports and notifications of a play.

use std::collections::BTreeMap;

use isthmus::wire::cpim;
use isthmus::wire::cpim::imdn::{Notification, Status};
use isthmus::wire::sip::{Index, Message};

use crate::audit::notifications;
use crate::carrier::Came;
use crate::mms_plays::{Brought, Play, Sent, Told};
use crate::mms_users::cpim_in;
use crate::mmsc::Mail;
use crate::multimedia::{HERE, phone};

/// What happened, over all seeds.
#[derive(Debug, Default)]
pub struct Tally {
    sent: usize,
    accepted: usize,
    lost_in_doubt: usize,
    kept_in_doubt: usize,
    brought: usize,
    delivered: usize,
    doubled: usize,
    imdns: usize,
    reports: usize,
    told: usize,
    codes: BTreeMap<(char, Option<u16>), usize>,
}

impl Tally {
    pub fn enough(&self) {
        assert!(self.accepted * 4 > self.sent && self.delivered * 2 > self.brought, "too little passes: {self:?}");
    }
}

pub fn audit(play: &Play, tally: &mut Tally) {
    sent(play, tally);
    brought(play, tally);
    responses(play);
    told(play, tally);
    reported(play, tally);
    nothing_is_held(play);
}

fn of_kind<'a>(play: &'a Play, wanted: &'a str) -> impl Iterator<Item = &'a Came> {
    play.carrier.came.iter().filter(move |came| came.kind == wanted)
}

/// The final answer to a CPM message.
fn code_of(play: &Play, sent: &Sent) -> Option<u16> {
    match &sent.call_id {
        Some(call_id) => play.world.cpm.answers.get(call_id).copied(),
        None => play.users.said.iter().find(|said| said.text == sent.mark).and_then(|said| said.code),
    }
}

/// Each is there once if its sender was told so, and never twice.
fn sent(play: &Play, tally: &mut Tally) {
    let (mut lost, mut kept, mut refused_late) = (0, 0, 0);
    for sent in &play.sent {
        let there: Vec<&Came> =
            of_kind(play, "MM4_forward.REQ").filter(|came| came.taken && came.mail.data.contains(&sent.mark)).collect();
        let code = code_of(play, sent);
        *tally.codes.entry((if sent.call_id.is_some() { 'p' } else { 'l' }, code)).or_default() += 1;
        assert!(there.len() <= 1, "{sent:?} is there {} times, answered {code:?}", there.len());
        assert!(there.iter().all(|came| is_whole(&came.mail, sent)), "{sent:?} was changed: {there:?}");
        let status = there.first().map(|came| play.responded[&came.message_id]);
        match (code, status) {
            (Some(200 | 202), None) => lost += 1,
            (Some(200 | 202), Some(status)) => refused_late += u64::from(status != "Ok"),
            (Some(300..), Some("Ok")) => kept += 1,
            _ => {}
        }
        tally.sent += 1;
        tally.accepted += usize::from(matches!(code, Some(200 | 202)));
    }
    let doubts = play.world.count(|stats| stats.mms_outcome_unknown);
    let missing = play.world.count(|stats| stats.mms_responses_missing);
    assert!(
        lost + kept <= doubts + missing,
        "{lost} lost, {kept} refused that are there, {doubts} + {missing} in doubt"
    );
    assert!(lost <= doubts, "{lost} lost, {doubts} in doubt");
    assert!(refused_late <= missing + doubts, "{refused_late} refused by response, {missing} + {doubts} late");
    tally.lost_in_doubt += usize::try_from(lost).unwrap();
    tally.kept_in_doubt += usize::try_from(kept).unwrap();
}

/// The text between its marks came as it was.
fn is_whole(mail: &Mail, sent: &Sent) -> bool {
    let text = |data: &str| {
        let (from, to) = (data.find(&sent.mark)?, data.rfind(&sent.mark)?);
        (from < to).then(|| data[from..to].to_owned())
    };
    text(&mail.data).is_some() && text(&mail.data) == text(&sent.wrapped.content)
}

/// Texts that CPM users got: recipient and text, and whether the way was disturbed.
fn got(play: &Play) -> Vec<(String, String, bool)> {
    let mut got = Vec::new();
    let mut sort = |content: &[u8], disturbed| {
        let message = cpim::Message::parse(content).expect("CPIM");
        if !message.is_imdn() {
            let head = String::from_utf8_lossy(content).into_owned();
            let to = crate::client::header(&head, "To").unwrap();
            got.push((to, String::from_utf8(message.content().to_vec()).unwrap(), disturbed));
        }
    };
    for received in play.world.cpm.received.iter().filter(|received| (200..300).contains(&received.code)) {
        let mut index = Index::new();
        sort(cpim_in(Message::parse(&received.bytes, &mut index).unwrap().body()), false);
    }
    for came in &play.users.came {
        sort(&came.content, play.users.calls[came.call].disturbed);
    }
    got
}

fn value(mail: &Mail, name: &str) -> String {
    mail.header(name).unwrap_or_default()
}

/// X-Mms-Request-Status-Code of each response to an MM that names this recipient, or all.
fn statuses(play: &Play, brought: &Brought, recipient: &str) -> Vec<String> {
    let address = phone(recipient, HERE);
    let id = format!("\"{}\"", brought.mm.id);
    let all = of_kind(play, "MM4_forward.RES").filter(|came| came.message_id == id);
    all.map(|came| &came.mail)
        .filter(|mail| {
            let named = value(mail, "X-Mms-Request-Recipients");
            named.is_empty() || named.contains(&address)
        })
        .map(|mail| value(mail, "X-Mms-Request-Status-Code"))
        .collect()
}

fn brought(play: &Play, tally: &mut Tally) {
    let (got, mut doubts) = (got(play), 0);
    for brought in &play.brought {
        let taken = brought.letters.iter().any(|letter| play.carrier.letters[*letter].is_taken());
        for code in brought.letters.iter().map(|letter| play.carrier.letters[*letter].replies.last().copied()) {
            *tally.codes.entry(('b', code)).or_default() += 1;
        }
        for recipient in &brought.recipients {
            let of: Vec<_> =
                got.iter().filter(|(to, text, _)| to.contains(recipient) && text.contains(&brought.mark)).collect();
            let sure = of.iter().filter(|(.., disturbed)| !disturbed).count();
            assert!(sure <= 1, "{brought:?} came {} times to {recipient}", of.len());
            assert!(
                of.iter().all(|(_, text, _)| text.trim_end() == brought.mm.content),
                "{brought:?} was changed: {of:?}"
            );
            let statuses = statuses(play, brought, recipient);
            let ok = statuses.iter().any(|status| status == "Ok");
            let must = ok || (taken && !brought.acknowledged && brought.recipients.len() == 1);
            assert!(!must || !of.is_empty(), "{brought:?} is lost for {recipient}, {statuses:?}");
            assert!(statuses.is_empty() || brought.acknowledged, "{brought:?} got {statuses:?}");
            doubts += of.len().saturating_sub(1);
            tally.brought += 1;
            tally.delivered += usize::from(!of.is_empty());
        }
    }
    tally.doubled += doubts;
}

/// Every response names a request of this Relay/Server.
fn responses(play: &Play) {
    let transaction = |mail: &Mail| (value(mail, "X-Mms-Transaction-ID"), value(mail, "X-Mms-Message-ID"));
    let asked: Vec<_> = play.carrier.letters.iter().map(|letter| (transaction(&letter.mail), &letter.mail)).collect();
    for came in play.carrier.came.iter().filter(|came| came.kind.ends_with(".RES")) {
        let request = asked.iter().find(|(ids, _)| *ids == transaction(&came.mail));
        let (_, request) = request.unwrap_or_else(|| panic!("a response to nothing: {came:?}"));
        assert_eq!(value(request, "X-Mms-Message-Type").replace(".REQ", ".RES"), came.kind, "{came:?}");
        assert_eq!(value(request, "X-Mms-Ack-Request"), "Yes", "{came:?}");
        assert_eq!(came.mail.rcpt_to, std::slice::from_ref(&request.mail_from), "{came:?}");
    }
}

/// Notifications of CPM users became the reports that were asked for.
fn told(play: &Play, tally: &mut Tally) {
    let got = got(play);
    for brought in &play.brought {
        for recipient in &brought.recipients {
            let statuses = statuses(play, brought, recipient);
            let receipts: Vec<_> =
                got.iter().filter(|(to, text, _)| to.contains(recipient) && text.contains(&brought.mark)).collect();
            let sure = receipts.iter().any(|(.., disturbed)| !disturbed);
            // One that failed for all that the gateway knows is over, and nothing is told of it any more.
            let is_open = if statuses.is_empty() { sure } else { statuses.iter().any(|status| status == "Ok") };
            for (report, wants) in
                [("MM4_delivery_report.REQ", brought.wants_delivery), ("MM4_read_reply_report.REQ", brought.wants_read)]
            {
                let of: Vec<_> = of_kind(play, report).filter(|came| is_about(came, brought, recipient)).collect();
                let taken = of.iter().filter(|came| came.taken).count();
                let doubts = of.iter().filter(|came| came.is_in_doubt_or_refused()).count();
                let users = play.told.iter().filter(|told| told.mark == brought.mark && told.user == *recipient);
                let due = users.filter(|told| gives(told, report) && code_of_told(play, told) == Some(200)).count();
                assert!(wants || of.is_empty(), "{brought:?}: nobody asked for {of:?}");
                // Whoever got it twice, its first way having been disturbed, tells of both.
                assert!(taken <= receipts.len().max(1), "{brought:?}, {recipient}: {of:?}");
                assert!(
                    due == 0 || !wants || !is_open || taken + doubts > 0,
                    "{brought:?}, {recipient}: {report} is missing"
                );
                tally.reports += taken;
            }
        }
    }
    tally.told += play.told.len();
}

fn is_about(came: &Came, brought: &Brought, recipient: &str) -> bool {
    came.message_id == format!("\"{}\"", brought.mm.id) && value(&came.mail, "From").contains(recipient)
}

fn gives(told: &Told, report: &str) -> bool {
    report.contains("delivery") || told.what == "display"
}

fn code_of_told(play: &Play, told: &Told) -> Option<u16> {
    told.call_ids.last().and_then(|call_id| play.world.cpm.answers.get(call_id).copied())
}

/// Reports about CPM messages became the notifications that were asked for.
fn reported(play: &Play, tally: &mut Tally) {
    let all = notifications(&play.world);
    for sent in &play.sent {
        let of: Vec<(Notification, Status)> = all
            .iter()
            .filter(|(id, ..)| *id == sent.wrapped.id)
            .map(|(_, notification, status)| (*notification, *status))
            .collect();
        tally.imdns += of.len();
        for kind in [Notification::Delivery, Notification::Display, Notification::Interworking] {
            let told = of.iter().filter(|(notification, _)| *notification == kind).count();
            assert!(told <= 1, "{sent:?} has {of:?}");
        }
        if !matches!(code_of(play, sent), Some(200 | 202)) {
            continue;
        }
        let brought = |status: &str| {
            let about = play.reported.iter().filter(|one| one.about == sent.wrapped.id && one.status == status);
            about.filter(|one| play.carrier.letters[one.letter].is_taken()).count() > 0
        };
        for (status, wanted, due) in [
            ("Retrieved", "positive-delivery", (Notification::Delivery, Status::Delivered)),
            ("Retrieved", "interworking", (Notification::Interworking, Status::LegacyMms)),
            ("Rejected", "negative-delivery", (Notification::Delivery, Status::Failed)),
            ("Expired", "negative-delivery", (Notification::Delivery, Status::Failed)),
            ("Read", "display", (Notification::Display, Status::Displayed)),
        ] {
            let is_due = sent.wrapped.wanted.contains(wanted) && brought(status);
            assert!(!is_due || of.contains(&due), "{sent:?}, {status}: {of:?}");
        }
    }
}

fn nothing_is_held(play: &Play) {
    for shard in &play.world.shards {
        let left: Vec<_> = shard.held().into_iter().filter(|(_, count)| *count > 0).collect();
        assert!(left.is_empty(), "left over: {left:?}");
    }
    let letters = play.carrier.letters.iter().filter(|letter| !letter.over).collect::<Vec<_>>();
    assert!(letters.is_empty(), "not answered: {letters:?}");
}
