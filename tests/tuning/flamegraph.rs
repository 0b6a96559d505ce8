//! `tuning/flamegraph`: stacks in, a picture out.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use quick_xml::Reader;
use quick_xml::events::Event;

/// Three samples as `perf script -F comm,ip,sym` prints them: two in `parse`, one in the kernel.
const STACKS: &str = "core-0 \n\t          10 isthmus::wire::parse\n\t          20 <impl Shard>::handle\n\t          30 main\n\t\
ffffffffffffffff [unknown]\n\n\
core-0 \n\t          11 isthmus::wire::parse\n\t          20 <impl Shard>::handle\n\t          30 main\n\n\
core-0 \n\tffffffff81000130 entry_SYSCALL_64\n\t          40 syscall\n\t          30 main\n\n";

fn draw(stacks: &str) -> (String, bool) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tuning/flamegraph");
    let pipes = |command: &mut Command| {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut child = pipes(&mut Command::new(script));
    child.stdin.take().unwrap().write_all(stacks.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.success())
}

/// Texts of all elements of this name.
fn texts(svg: &str, element: &str) -> Vec<String> {
    let mut reader = Reader::from_str(svg);
    let (mut inside, mut texts) = (false, Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => inside = start.name().as_ref() == element,
            Event::End(_) => inside = false,
            Event::Text(text) if inside => texts.push(text.to_string()),
            Event::GeneralRef(_) | Event::Text(_) => {}
            Event::Eof => return texts,
            _ => {}
        }
    }
}

#[test]
fn boxes_have_the_share_of_their_samples() {
    let (svg, drawn) = draw(STACKS);
    assert!(drawn);
    for title in [
        "core-0: 3 samples, 100.00 %",
        "main: 3 samples, 100.00 %",
        "&lt;impl Shard&gt;::handle: 2 samples, 66.67 %",
        "isthmus::wire::parse: 2 samples, 66.67 %",
        "entry_SYSCALL_64: 1 samples, 33.33 %",
    ] {
        assert!(svg.contains(&format!("<title>{title}</title>")), "{title}: {svg}");
    }
    assert_eq!(svg.matches("<g>").count(), 6);
}

#[test]
fn the_picture_is_well_formed_and_alone() {
    let (svg, _) = draw(STACKS);
    assert!(texts(&svg, "text").iter().any(|text| text.starts_with("3 samples")), "{svg}");
    assert!(!svg.contains("<script") && !svg.contains("[unknown]"));
}

#[test]
fn no_samples_are_no_picture() {
    assert_eq!(draw(""), (String::new(), false));
}
