//! The list of deviations says of each what it is about, what is done and why.

use std::collections::BTreeSet;

use serde::Deserialize;

const DEVIATIONS: &str = include_str!("../spec/deviations.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deviations {
    deviation: Vec<Deviation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deviation {
    id: String,
    kind: Kind,
    place: String,
    about: Vec<String>,
    what: String,
    why: String,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Two places disagree.
    Contradiction,
    /// A place is wrong.
    Error,
    /// No place says it.
    Silence,
    /// It is said, and we do otherwise.
    Choice,
    /// It is said, and not done yet, or not ours to do.
    NotDone,
}

fn deviations() -> Vec<Deviation> {
    toml::from_str::<Deviations>(DEVIATIONS).unwrap().deviation
}

#[test]
fn every_deviation_says_all() {
    for deviation in deviations() {
        let texts = [&deviation.place, &deviation.what, &deviation.why];
        assert!(texts.iter().all(|text| text.trim().len() > 2), "{}", deviation.id);
        assert!(deviation.kind != Kind::NotDone || !deviation.about.is_empty(), "{} is about nothing", deviation.id);
    }
}

#[test]
fn every_deviation_has_a_name_of_its_own() {
    let all = deviations();
    let ids: BTreeSet<&str> = all.iter().map(|deviation| deviation.id.as_str()).collect();
    assert_eq!(ids.len(), all.len());
}
