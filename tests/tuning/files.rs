//! The files of `tuning/`: one for each knob, all of the same shape, all reachable from `tuning/check`.

use std::fs;
use std::path::{Path, PathBuf};

fn tuning() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tuning")
}

/// Names and texts of the knobs.
fn knobs() -> Vec<(String, String)> {
    let entries = fs::read_dir(tuning()).unwrap().map(|entry| entry.unwrap().path());
    let texts = entries.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    texts
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_string(), fs::read_to_string(&path).unwrap()))
        .collect()
}

#[test]
fn every_knob_has_value_reason_effect_and_way_back() {
    for (name, text) in knobs() {
        assert!(text.starts_with("# "), "{name} has no title");
        let parts =
            [["**Knob:**", "**Knobs:**"], ["**Value:**", "**Values:**"], ["**Why:**"; 2], ["**Measured effect:**"; 2]];
        for part in parts.into_iter().chain([["**Undo:**"; 2]]) {
            assert!(part.iter().any(|word| text.contains(word)), "{name} has no {}", part[0]);
        }
    }
}

#[test]
fn the_check_knows_every_knob() {
    let check = fs::read_to_string(tuning().join("check")).unwrap();
    let knobs = knobs();
    for (name, _) in &knobs {
        assert!(check.contains(name.as_str()), "tuning/check says nothing of {name}");
    }
    let words = check.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.'));
    for file in words.filter(|word| word.ends_with(".md")) {
        assert!(knobs.iter().any(|(name, _)| name == file), "tuning/check names {file}, which is not there");
    }
}

#[test]
fn links_lead_somewhere() {
    for (name, text) in knobs() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(tuning().join(link).exists(), "{name}: {link}");
        }
    }
}

#[test]
fn each_sysctl_of_the_example_is_one_that_is_checked() {
    let [check, example] = ["check", "sysctl.conf"].map(|name| fs::read_to_string(tuning().join(name)).unwrap());
    let settings: Vec<_> = example.lines().filter_map(|line| line.split_once(" = ")).collect();
    assert!(settings.len() >= 4, "{settings:?}");
    for (name, value) in settings {
        assert!(check.contains(&format!("{name} {value}")), "{name} = {value}");
    }
}
