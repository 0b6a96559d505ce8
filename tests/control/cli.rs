//! The command as it is called.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) fn isthmus(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_isthmus")).args(arguments).output().unwrap()
}

/// A file below the directory that cargo gives tests.
pub(crate) fn file(name: &str, text: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

fn check(path: &Path) -> (Option<i32>, String, String) {
    let output = isthmus(&["check", "-c", path.to_str().unwrap()]);
    let text = |octets| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn check_passes_what_is_right() {
    let path = file("right.toml", "sip.next_hop = 'sip:127.0.0.1:5070'\nsmsc = [{ address = '127.0.0.1:2775' }]\n");
    let (code, said, errors) = check(&path);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(said.contains("no errors"), "{said}");
}

#[test]
fn check_names_every_error_at_its_line() {
    let path = file(
        "wrong.toml",
        "[sip]\nnext_hopp = 'sip:127.0.0.1:5070'\n[[smsc]]\naddress = '127.0.0.1:2775'\nwindow = 0\n",
    );
    let (code, said, errors) = check(&path);
    assert_eq!((code, said.as_str()), (Some(2), ""));
    let at: Vec<_> = errors.lines().map(|line| line.strip_prefix(path.to_str().unwrap()).unwrap()).collect();
    assert_eq!(at.len(), 3, "{errors}");
    assert!(at[0].starts_with(":1: sip.next_hop: is missing"), "{errors}");
    assert!(at[1].starts_with(":2: sip.next_hopp: there is no such key; the nearest one is `next_hop`"), "{errors}");
    assert!(at[2].starts_with(":5: smsc[1].window: is 0; right would be"), "{errors}");
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let (code, _, errors) = check(Path::new("no-such-file.toml"));
    assert_eq!(code, Some(2));
    assert!(errors.starts_with("no-such-file.toml:1: cannot be read: "), "{errors}");
}

#[test]
fn help_and_version() {
    let help = isthmus(&["--help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("check"));
    let version = isthmus(&["--version"]);
    assert_eq!(String::from_utf8_lossy(&version.stdout), format!("isthmus {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(isthmus(&["chekc"]).status.code(), Some(2));
}
