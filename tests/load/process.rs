//! `isthmus load` and `isthmus run` as processes on loopback.

use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::time::Duration;

/// A gateway that is ended with its test.
struct Gateway(Child);

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn isthmus() -> Command {
    Command::new(env!("CARGO_BIN_EXE_isthmus"))
}

/// Ports that are free for UDP and TCP, below those that the kernel gives to connections of its own choosing (32768 and
/// up), so that none of these can sit on one.
fn ports<const N: usize>() -> [u16; N] {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 10_000) as u16;
    std::array::from_fn(|_| (0..).map(|_| first + GIVEN.fetch_add(1, Relaxed)).find(|port| is_free(*port)).unwrap())
}

fn is_free(port: u16) -> bool {
    UdpSocket::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok()
}

fn gateway(name: &str, [sip, hop, smpp]: [u16; 3]) -> Gateway {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.toml"));
    let state = file.with_extension("state");
    let state = state.display();
    let text = format!(
        "state_dir = '{state}'\nsip.listen = ['udp://127.0.0.1:{sip}', 'tcp://127.0.0.1:{sip}']\nsip.next_hop = 'sip:127.0.0.1:{hop}'\n\
         sip.trusted = ['127.0.0.0/8']\nadmin.listen = '127.0.0.1:0'\n\
         smsc = [{{ address = '127.0.0.1:{smpp}', system_id = 'gw', password = 'geheim' }}]\n"
    );
    std::fs::write(&file, text).unwrap();
    Gateway(isthmus().args(["run", "-c"]).arg(file).stderr(Stdio::null()).spawn().unwrap())
}

fn load(options: &[&str]) -> Output {
    isthmus().arg("load").args(options).output().unwrap()
}

fn around(name: &str, transport: &str, more: &[&str]) -> (Output, String) {
    let [sip, hop, smpp] = ports();
    let _gateway = gateway(name, [sip, hop, smpp]);
    let (uri, hop, smpp) =
        (format!("sip:127.0.0.1:{sip};transport={transport}"), format!("127.0.0.1:{hop}"), format!("127.0.0.1:{smpp}"));
    let sides = ["--sip", &uri, "--sip-listen", &hop, "--smsc-listen", &smpp, "--sleep"];
    let who = ["--system-id", "gw", "--password", "geheim"];
    let output = load(&[&sides[..], &who[..], more].concat());
    let told = String::from_utf8(output.stdout.clone()).unwrap();
    (output, told)
}

#[test]
fn a_gateway_loses_nothing_of_a_small_load_and_the_files_are_written() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("load-results");
    let _ = std::fs::remove_dir_all(&directory);
    let (output, told) = around(
        "load-udp",
        "udp",
        &[
            "--window",
            "8",
            "--messages",
            "120",
            "--direction",
            "cpm-to-sms:1,sms-to-cpm:1",
            "--length",
            "8-200",
            "--alphabet",
            "gsm7,latin1,ucs2,emoji",
            "--reports",
            "0.5",
            "--repeat",
            "0.2",
            "--peers",
            "3",
            "--output",
            directory.to_str().unwrap(),
        ],
    );
    assert_eq!(output.status.code(), Some(0), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("passed") && !told.contains("geheim"), "{told}");
    assert!(directory.join("report.html").metadata().unwrap().len() > 1_000);
}

#[test]
fn a_load_over_connections_is_as_good() {
    let (output, told) =
        around("load-tcp", "tcp", &["--rate", "100", "--messages", "50", "--peers", "2", "--reports", "1", "--quiet"]);
    assert_eq!(output.status.code(), Some(0), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty());
}

#[test]
fn nobody_there_is_a_failure_and_options_that_make_no_sense_are_a_mistake() {
    let [port, sip] = ports();
    let (smpp, listen) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{sip}"));
    let nobody = load(&["--smsc-listen", &smpp, "--sip-listen", &listen, "--wait", "100ms"]);
    assert_eq!(nobody.status.code(), Some(1), "{}", String::from_utf8_lossy(&nobody.stderr));
    for (options, said) in [
        (&["--rate", "10"][..], "--sip"),
        (&["--sip", "127.0.0.1"], "sip:"),
        (&["--sip", "sip:127.0.0.1", "--length", "3"], "at least 8"),
        (&["--sip", "sip:127.0.0.1", "--direction", "sms-to-cpm"], "--smsc-listen"),
        (&["--sip", "sip:127.0.0.1", "--rate", "1", "--window", "1"], "--window"),
        (&["--sip", "sip:127.0.0.1", "--errors", "2"], "share"),
        (&["--sip", "sip:127.0.0.1", "--error-status", "ESME_RNOTHING"], "command_status"),
    ] {
        let output = load(options);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{options:?}: {told}");
        assert!(told.contains(said), "{options:?}: {told}");
    }
}

#[test]
fn a_signal_ends_the_sending_and_shows_the_results() {
    let [sip, hop] = ports();
    let (uri, listen) = (format!("sip:127.0.0.1:{sip}"), format!("127.0.0.1:{hop}"));
    // Somebody who answers nothing.
    let _silent = UdpSocket::bind(("127.0.0.1", sip)).unwrap();
    let options =
        ["--sip", &uri, "--sip-listen", &listen, "--rate", "50", "--duration", "1h", "--settle", "100ms", "--sleep"];
    let child = isthmus().arg("load").args(options).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("FAILED") && told.contains("lost"), "{told}");
}
