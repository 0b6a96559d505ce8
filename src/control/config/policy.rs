//! `[policy.*]`: answers that replace those of the profile, each checked by itself.
//!
//! The keys are the fields of [`Policy`]: one value of the file after the other is laid over what there is, and what the
//! result cannot be read with is wrong.

use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value as Plain};

use super::Profile;
use super::problem::nearest;
use super::reader::{Section, Value};
use crate::policy::sessions::number_range;
use crate::policy::{Mms, Policy, Question, Sessions, ShortCodes};
use crate::wire::sip::uri::Uri;

/// The profile's answers with those of the file in their place.
pub(super) fn read(section: &Section<'_>, profile: Profile) -> Policy {
    let base = match profile {
        Profile::Cpm => Policy::default(),
        Profile::Rcs => Policy::rcs(),
    };
    let mut answers = Table::try_from(&base).unwrap_or_default();
    learn(section, &answers, &mut Vec::new());
    section.table().into_iter().for_each(|table| overlay(section, &mut answers, table, &mut Vec::new()));
    let policy = Policy::deserialize(answers).unwrap_or(base);
    check(section, &policy);
    policy
}

fn overlay<'t>(section: &Section<'_>, answers: &mut Table, given: &'t DeTable<'t>, path: &mut Vec<&'t str>) {
    for (key, value) in given {
        path.push(key.get_ref());
        match value.get_ref().as_table() {
            Some(table) if table_at(answers, path).is_some() => overlay(section, answers, table, path),
            _ => replace(section, answers, value, path),
        }
        path.pop();
    }
}

fn replace(section: &Section<'_>, answers: &mut Table, value: &Value<'_>, path: &[&str]) {
    let mut changed = answers.clone();
    if let Some((key, tables)) = path.split_last()
        && let Some(table) = table_at(&mut changed, tables)
    {
        table.insert((*key).to_owned(), plain(value.get_ref()));
    }
    match Policy::deserialize(changed.clone()) {
        Ok(_) => *answers = changed,
        Err(error) => section.note(Some(value.span()), &path.join("."), explained(error.message())),
    }
}

fn table_at<'a>(table: &'a mut Table, path: &[&str]) -> Option<&'a mut Table> {
    path.iter().try_fold(table, |table, key| table.get_mut(*key)?.as_table_mut())
}

fn plain(value: &DeValue<'_>) -> Plain {
    match value {
        DeValue::String(text) => Plain::String(text.clone().into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Plain::String(number.to_string()), Plain::Integer),
        DeValue::Float(number) => Plain::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(boolean) => Plain::Boolean(*boolean),
        DeValue::Datetime(time) => Plain::Datetime(*time),
        DeValue::Array(array) => Plain::Array(array.iter().map(|value| plain(value.get_ref())).collect()),
        DeValue::Table(table) => {
            Plain::Table(table.iter().map(|(key, value)| (key.get_ref().to_string(), plain(value.get_ref()))).collect())
        }
    }
}

/// What serde says, in this file's form.
fn explained(message: &str) -> String {
    let message = message.lines().next().unwrap_or_default();
    let Some((what, expected)) = message.split_once(", expected ") else { return message.to_owned() };
    let words = quoted(expected);
    if let Some(word) = what.strip_prefix("unknown field ") {
        let near = nearest(word.trim_matches('`'), words).unwrap_or_default();
        return format!("there is no such key; the nearest one is `{near}`");
    }
    if let Some(word) = what.strip_prefix("unknown variant ") {
        let right = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        return format!("is \"{}\"; right would be one of {right}", word.trim_matches('`'));
    }
    let what = what.trim_start_matches("invalid type: ").trim_start_matches("invalid value: ");
    format!("is {what}; right would be {}", kind(expected))
}

fn kind(rust: &str) -> String {
    match rust {
        "u8" => "a whole number from 0 to 255".into(),
        "u16" => "a whole number from 0 to 65535".into(),
        "u32" => "a whole number from 0 to 4294967295".into(),
        "a boolean" => "true or false".into(),
        "a sequence" => "a list".into(),
        other if other.starts_with("struct ") => "a table".into(),
        other => other.into(),
    }
}

fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Tells the reader of every key: what serde would have accepted in the place of one that cannot be.
fn learn(section: &Section<'_>, answers: &Table, path: &mut Vec<String>) {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    let mut spoilt = answers.clone();
    table_at(&mut spoilt, &names).map(|table| table.insert("?".into(), Plain::Boolean(true)));
    let message = Policy::deserialize(spoilt).err().map(|error| error.message().to_owned()).unwrap_or_default();
    let fields = message.split_once(", expected ").map(|(_, fields)| quoted(fields)).unwrap_or_default();
    for field in fields {
        path.push(field.to_owned());
        let names: Vec<&str> = path.iter().map(String::as_str).collect();
        match table_at(&mut answers.clone(), &names) {
            Some(_) => learn(section, answers, path),
            None => section.learn(&path.join(".")),
        }
        path.pop();
    }
}

/// Bounds that the types do not hold.
fn check(section: &Section<'_>, policy: &Policy) {
    let (submission, delivery, addresses) = (&policy.submission, &policy.delivery, &policy.addresses);
    let fails = |code: u16| (300..=699).contains(&code);
    let unmapped = submission.unmapped_command_status;
    let overrides_fine = submission.command_status_overrides.iter().all(|row| (200..=699).contains(&row.sip_status));
    let digits = |text: &str, counts: &[usize]| {
        text.is_empty() || (text.bytes().all(|octet| octet.is_ascii_digit()) && counts.contains(&text.len()))
    };
    let anonymous = &submission.anonymous_source_addr;
    let rewriting_fine = addresses.rewriting.iter().all(|rule| rule.replacement.starts_with('+'));
    let has_context = addresses.short_codes == ShortCodes::Refuse || !addresses.phone_context.is_empty();
    let bounds: [(&[&str], bool, &str); 14] = [
        (&["submission", "answer_deadline_ms"], (1..32_000).contains(&submission.answer_deadline_ms), "1 to 31999"),
        (&["submission", "unmapped_command_status", "permanent"], fails(unmapped.permanent), "300 to 699"),
        (&["submission", "unmapped_command_status", "temporary"], fails(unmapped.temporary), "300 to 699"),
        (&["submission", "unmapped_command_status", "session"], fails(unmapped.session), "300 to 699"),
        (&["submission", "command_status_overrides"], overrides_fine, "a sip_status from 200 to 699 in each"),
        (
            &["submission", "anonymous_source_addr"],
            anonymous.len() <= 15 && digits(anonymous, &[anonymous.len()]),
            "up to 15 digits",
        ),
        (&["delivery", "joining_timeout_s"], (1..=86_400).contains(&delivery.joining_timeout_s), "1 to 86400"),
        (&["delivery", "originator_sip_uri"], is_template(delivery.originator_sip_uri.as_deref()), TEMPLATE),
        (&["delivery", "recipient_sip_uri"], is_template(delivery.recipient_sip_uri.as_deref()), TEMPLATE),
        (&["addresses", "digits_min"], (1..=15).contains(&addresses.digits_min), "1 to 15"),
        (&["addresses", "rewriting"], rewriting_fine, "a replacement that starts with '+' in each"),
        (&["addresses", "phone_context"], has_context, "a domain name, since short codes pass"),
        (&["events", "mcc"], digits(&policy.events.mcc, &[3]), "three digits"),
        (&["events", "mnc"], digits(&policy.events.mnc, &[2, 3]), "two or three digits"),
    ];
    let bounds = bounds.into_iter().chain(session_bounds(&policy.sessions)).chain(mms_bounds(&policy.mms));
    for (path, fine, right) in bounds {
        if !fine {
            section.note(section.span_at(path), &path.join("."), format!("is out of bounds; right would be {right}"));
        }
    }
}

fn session_bounds(sessions: &Sessions) -> [(&'static [&'static str], bool, &'static str); 5] {
    let numbers_fine = sessions.interworking_numbers.iter().all(|entry| number_range(entry).is_some());
    let keywords = |words: &[String]| words.iter().any(|word| !word.trim().is_empty());
    let questions = &sessions.questions;
    let has_words = |question: &Question| keywords(&question.accept) && keywords(&question.decline);
    let questions_fine = !questions.is_empty() && questions.iter().all(has_words);
    let (timeout_s, interval_s) = (sessions.answer_timeout_s, sessions.session_interval_s);
    [
        (&["sessions", "interworking_numbers"], numbers_fine, "\"+491700000001\" or \"+491700000001-+491700000099\""),
        (
            &["sessions", "questions"],
            questions_fine,
            "at least one, with a word in `accept` and one in `decline` of each",
        ),
        (&["sessions", "answer_timeout_s"], (1..=3_600).contains(&timeout_s), "1 to 3600"),
        (&["sessions", "session_interval_s"], (90..=86_400).contains(&interval_s), "90 to 86400"),
        (&["sessions", "sm_default_msg_id"], sessions.sm_default_msg_id < 255, "0 to 254"),
    ]
}

fn mms_bounds(mms: &Mms) -> [(&'static [&'static str], bool, &'static str); 13] {
    let fails = |code: u16| (300..=699).contains(&code);
    let (status, smtp) = (mms.unmapped_request_status, mms.smtp_refusal);
    let version_fine = mms.version.split('.').all(|part| part.parse::<u8>().is_ok());
    let address_unresolved = fails(status.sending_address_unresolved);
    [
        (&["mms", "version"], version_fine, "\"6.10.0\", say"),
        (&["mms", "answer_deadline_ms"], (1..32_000).contains(&mms.answer_deadline_ms), "1 to 31999"),
        (&["mms", "max_forwards"], (1..=255).contains(&mms.max_forwards), "1 to 255"),
        (&["mms", "unmapped_request_status", "sending_address_unresolved"], address_unresolved, CODES),
        (&["mms", "unmapped_request_status", "message_not_found"], fails(status.message_not_found), CODES),
        (&["mms", "unmapped_request_status", "unsupported_message"], fails(status.unsupported_message), CODES),
        (&["mms", "unmapped_request_status", "transient"], fails(status.transient), CODES),
        (&["mms", "unmapped_request_status", "other"], fails(status.other), CODES),
        (&["mms", "smtp_refusal", "mailbox_unavailable"], fails(smtp.mailbox_unavailable), CODES),
        (&["mms", "smtp_refusal", "too_large"], fails(smtp.too_large), CODES),
        (&["mms", "smtp_refusal", "transaction_failed"], fails(smtp.transaction_failed), CODES),
        (&["mms", "smtp_refusal", "permanent"], fails(smtp.permanent), CODES),
        (&["mms", "smtp_refusal", "temporary"], fails(smtp.temporary), CODES),
    ]
}

const CODES: &str = "300 to 699";
const TEMPLATE: &str = "a SIP URI with {number} in it, \"sip:{number}@ims.example.com;user=phone\"";

fn is_template(text: Option<&str>) -> bool {
    let filled = |text: &str| text.replacen("{number}", "+491700000001", 1);
    text.is_none_or(|text| {
        text.contains("{number}") && matches!(Uri::parse(filled(text).as_bytes()), Some(Uri::Sip(_)))
    })
}
