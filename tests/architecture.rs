//! The walls of the house. Reads every source file and holds: which room may import which; where clocks, sockets,
//! randomness, threads and `unsafe` may stand; how long a file may grow. Every permission must be in use: one that no
//! file needs is a hole in the wall and fails as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[path = "architecture/source.rs"]
mod source;

use source::{Source, read_all};

/// A room (first path segment below `src/`, without `.rs`) and the rooms it may import.
type Arrows = &'static [(&'static str, &'static [&'static str])];

const ARROWS: Arrows = &[
    ("limits", &[]),
    ("wire", &["limits"]),
    ("engine", &["wire", "limits"]),
    ("policy", &[]),
    ("interwork", &["wire", "policy"]),
    ("iwf", &["engine", "wire", "interwork", "policy", "limits"]),
    ("observe", &["limits"]),
    ("queue", &["limits"]),
    ("shard", &["iwf", "interwork", "engine", "wire", "policy", "observe", "limits"]),
    ("load", &["engine", "wire", "limits"]),
    ("store", &["engine", "limits"]),
    ("shell", &["shard", "store", "engine", "queue", "observe", "limits"]),
    ("control", &["shell", "store", "load", "shard", "engine", "wire", "policy", "observe", "limits"]),
    ("main", &["control"]),
];

/// Arrows of the plan whose code has not landed: allowed, and no failure while unused.
const PLANNED: &[(&str, &str)] = &[("observe", "limits"), ("queue", "limits"), ("shell", "limits")];

/// Words that only the named places (path prefixes below `src/`) may contain, and what to do instead.
struct Word {
    words: &'static [&'static str],
    places: &'static [&'static str],
    instead: &'static str,
}

const WORDS: &[Word] = &[
    Word {
        words: &["Instant::now", "SystemTime::now", "Timestamp::now", "Zoned::now"],
        places: &["shell", "control", "store"],
        instead: "take `now: Now` as an argument",
    },
    Word {
        words: &["TcpStream", "TcpListener", "UdpSocket", "UnixStream"],
        places: &["shell", "control"],
        instead: "return a Transmit; the shell owns the sockets",
    },
    Word {
        words: &["thread_rng", "getrandom", "OsRng", "from_entropy", "from_os_rng", "RandomState"],
        places: &["shell"],
        instead: "draw from the `engine::Random` that was handed in",
    },
    Word {
        words: &["tokio", "async", "await"],
        places: &["shell", "control"],
        instead: "write a state machine with handle_* and poll_*",
    },
    Word { words: &["tokio_uring", "io_uring"], places: &["shell"], instead: "only shell/ names the runtime" },
    Word {
        words: &["thread", "Mutex", "RwLock", "Condvar"],
        places: &["shell", "control", "queue", "store"],
        instead: "state has one owner core; pass values",
    },
    Word {
        words: &["unsafe"],
        places: &["wire/scan", "queue", "shell"],
        instead: "move it into one of the three rooms, with a safe twin",
    },
    Word { words: &["todo!", "unimplemented!"], places: &[], instead: "write it, or leave it out" },
];

const FILE_LINES_MAX: usize = 700;

#[test]
fn rooms_import_only_what_the_plan_allows() {
    let found = breaches(&tree(), &arrows(None), WORDS);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_permission_is_in_use() {
    let files = tree();
    let rooms: BTreeSet<&str> = files.iter().map(|file| file.room.as_str()).collect();
    for (from, to) in arrows(None).into_iter().flat_map(|(from, tos)| tos.into_iter().map(move |to| (from, to))) {
        if PLANNED.contains(&(from, to)) || !rooms.contains(from) || !rooms.contains(to) {
            continue;
        }
        let found = breaches(&files, &arrows(Some((from, to))), WORDS);
        assert!(!found.is_empty(), "nothing in `{from}` imports `{to}`: remove the arrow");
    }
}

#[test]
fn a_planned_arrow_is_an_arrow() {
    for (from, to) in PLANNED {
        assert!(arrows(None)[from].contains(to), "`{from}` to `{to}` is planned but not in the plan");
    }
}

#[test]
fn every_breach_is_seen() {
    for (path, text, breach) in [
        ("wire/sip/a.rs", "use crate::engine::Now;", "`wire` may not import `engine`"),
        ("wire/a.rs", "use crate::{\n limits,\n shell::{self, ring},\n};", "`wire` may not import `shell`"),
        ("engine/a.rs", "fn f() { crate::control::run() }", "`engine` may not import `control`"),
        ("engine/a.rs", "macro_rules! m { () => { $crate::shard::X } }", "`engine` may not import `shard`"),
        ("wire/sip/a.rs", "use super::super::super::engine;", "climbs out of its room"),
        ("main.rs", "use isthmus::shell;", "`main` may not import `shell`"),
        ("engine/a.rs", "fn f() -> Instant { Instant::now() }", "`Instant::now`"),
        ("engine/a.rs", "use std::net::{SocketAddr, UdpSocket};", "`UdpSocket`"),
        ("shard/a.rs", "async fn f() {}", "`async`"),
        ("control/a.rs", "use tokio_uring::start;", "`tokio_uring`"),
        ("wire/a.rs", "pub fn f() { unsafe { g() } }", "`unsafe`"),
        ("shell/a.rs", "fn f() { todo!() }", "`todo!`"),
        ("attic/a.rs", "", "`attic` is not in the plan"),
    ] {
        let found = breaches(&[Source::new(Path::new(path), text)], &arrows(None), WORDS);
        assert!(found.iter().any(|line| line.contains(breach)), "{path}: {text}: {found:?}");
    }
}

#[test]
fn prose_and_text_are_no_imports() {
    let text = "//! See [`crate::shell`]; no `unsafe`.\n/* Instant::now /* nested */ crate::shell */\n\
                const A: &str = \"crate::shell \\\" unsafe\"; const B: &str = r#\"tokio \"#; const C: char = '\"';\n\
                fn f<'a>(net: &'a core::net::SocketAddr) { async_name(net, b'\\'', \"await\") }";
    let found = breaches(&[Source::new(Path::new("wire/a.rs"), text)], &arrows(None), WORDS);
    assert!(found.is_empty(), "{found:?}");
}

fn tree() -> Vec<Source> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = read_all(&root, &|path| fs::read_to_string(path).expect("readable source"));
    assert!(files.len() > 20, "the walk found only {} files", files.len());
    files
}

/// The plan, without one arrow.
fn arrows(without: Option<(&str, &str)>) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let kept = |from, tos: &[&'static str]| tos.iter().copied().filter(|to| without != Some((from, to))).collect();
    ARROWS.iter().map(|(from, tos)| (*from, kept(*from, tos))).collect()
}

fn breaches(files: &[Source], arrows: &BTreeMap<&str, BTreeSet<&str>>, words: &[Word]) -> Vec<String> {
    files.iter().flat_map(|file| file_breaches(file, arrows, words)).collect()
}

fn file_breaches(file: &Source, arrows: &BTreeMap<&str, BTreeSet<&str>>, words: &[Word]) -> Vec<String> {
    let Source { path, room, .. } = file;
    let mut found = Vec::new();
    if room == "lib" {
        return found;
    }
    let Some(allowed) = arrows.get(room.as_str()) else { return vec![format!("{path}: `{room}` is not in the plan")] };
    for (line, to) in file.imports() {
        if to != *room && !allowed.contains(to.as_str()) {
            found.push(format!("{path}:{line}: `{room}` may not import `{to}`"));
        }
    }
    for line in file.climbs() {
        found.push(format!("{path}:{line}: `super` climbs out of its room; write `crate::`"));
    }
    for Word { words, places, instead } in words {
        if places.iter().any(|place| path.starts_with(place)) {
            continue;
        }
        for (line, word) in words.iter().flat_map(|word| file.lines_with(word).map(move |line| (line, word))) {
            found.push(format!("{path}:{line}: `{word}` may not stand here: {instead}"));
        }
    }
    if file.lines() > FILE_LINES_MAX {
        found.push(format!("{path}: {} lines, more than {FILE_LINES_MAX}: split it by topic", file.lines()));
    }
    found
}
