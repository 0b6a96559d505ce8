//! `isthmus run` and `isthmus demo` as processes.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::admin::get;
use super::cli::{file, isthmus};

const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway without an SM-SC to talk to, its log line by line.
struct Gateway {
    child: Child,
    log: Vec<String>,
    lines: BufReader<std::process::ChildStderr>,
    /// Removed at the end.
    state: Option<std::path::PathBuf>,
}

impl Gateway {
    fn start(name: &str, more: &str) -> Gateway {
        Gateway::start_with(name, more, &[])
    }

    fn start_with(name: &str, more: &str, flags: &[&str]) -> Gateway {
        let state = std::env::temp_dir().join(format!("isthmus-{}-{name}.state", std::process::id()));
        let mut gateway = Gateway::start_in(&state.display().to_string(), name, more, flags);
        gateway.state = Some(state);
        gateway
    }

    fn start_in(state: &str, name: &str, more: &str, flags: &[&str]) -> Gateway {
        let text = format!(
            "state_dir = '{state}'\nsip.listen = ['udp://127.0.0.1:0', 'tcp://127.0.0.1:0']\nsip.next_hop = 'sip:127.0.0.1:9'\n\
             admin.listen = '127.0.0.1:0'\nsmsc = [{{ address = '127.0.0.1:9', password = 'geheim' }}]\n\
             log.format = 'json'\nlog.level = 'debug'\n{more}"
        );
        let mut command = Command::new(env!("CARGO_BIN_EXE_isthmus"));
        command.args(["run", "-c"]).arg(file(name, &text)).args(flags).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        Gateway { child, log: Vec::new(), lines, state: None }
    }

    /// The next line whose message begins so.
    fn line_of(&mut self, begin: &str) -> String {
        self.next(&format!("\"message\":\"{begin}"))
    }

    /// The next line with this message.
    fn line(&mut self, message: &str) -> String {
        self.next(&format!("\"message\":\"{message}\""))
    }

    fn next(&mut self, message: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "no {message:?} in {:#?}", self.log);
            self.log.push(line.clone());
            if line.contains(message) {
                return line;
            }
        }
    }

    fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    fn end(&mut self) -> (Option<i32>, Vec<String>) {
        let until = Instant::now() + PATIENCE;
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "it does not end: {:#?}", self.log);
            std::thread::sleep(Duration::from_millis(10));
        }
        self.log.extend(self.lines.by_ref().lines().map(Result::unwrap));
        (self.child.wait().unwrap().code(), core::mem::take(&mut self.log))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(state) = &self.state {
            let _ = std::fs::remove_dir_all(state);
        }
    }
}

fn field(line: &str, name: &str) -> String {
    let start = line.find(&format!("\"{name}\":\"")).unwrap() + name.len() + 4;
    line[start..].split('"').next().unwrap().to_owned()
}

#[test]
fn run_serves_until_a_signal_and_drains() {
    for (signal, backend) in [("TERM", "auto"), ("INT", "epoll")] {
        let mut gateway = Gateway::start(&format!("run-{signal}.toml"), &format!("runtime.backend = '{backend}'"));
        let started = gateway.line("started");
        let admin = field(&started, "admin").parse().unwrap();
        assert!(["io_uring", "epoll"].contains(&field(&started, "backend").as_str()), "{started}");
        assert!(get(admin, "/healthz").0.starts_with("HTTP/1.1 200"));
        let (head, body) = get(admin, "/readyz");
        assert!(head.starts_with("HTTP/1.1 503") && body.contains("smsc-1 0"), "{head} {body}");
        let page = super::exposition::parse(&get(admin, "/metrics").1);
        assert!(page.contains_key("isthmus_datagrams_total"));
        gateway.signal(signal);
        let (code, log) = gateway.end();
        assert_eq!(code, Some(0), "{log:#?}");
        assert!(log.iter().any(|line| line.contains("\"drained\"")), "{log:#?}");
        assert!(!log.iter().any(|line| line.contains("geheim")), "{log:#?}");
    }
}

/// What is in `state_dir` is one gateway's; after its end the next one goes on with it.
#[test]
fn a_state_dir_is_one_gateways() {
    let state = std::env::temp_dir().join(format!("isthmus-{}-one", std::process::id()));
    let state = state.display().to_string();
    let mut first = Gateway::start_in(&state, "state-first.toml", "", &[]);
    assert!(first.line("storage is open").contains("\"run\":1"));
    first.line("started");
    let (code, log) = Gateway::start_in(&state, "state-second.toml", "", &[]).end();
    assert_eq!(code, Some(1));
    let said =
        log.iter().any(|line| line.contains("another process uses it; give each gateway a state_dir of its own"));
    assert!(said && log.iter().any(|line| line.contains(&state)), "{log:#?}");
    first.child.kill().unwrap();
    first.end();
    let mut third = Gateway::start_in(&state, "state-third.toml", "", &[]);
    assert!(third.line("storage is open").contains("\"run\":2"));
    third.signal("TERM");
    assert_eq!(third.end().0, Some(0));
    std::fs::remove_dir_all(&state).unwrap();
}

#[test]
fn nothing_is_written_where_nothing_is_to_last() {
    let state = std::env::temp_dir().join(format!("isthmus-{}-none", std::process::id()));
    let state = state.display().to_string();
    let mut gateway = Gateway::start_in(&state, "memory.toml", "durable = false", &[]);
    gateway.line_of("durable is false");
    gateway.line("started");
    gateway.signal("TERM");
    assert_eq!(gateway.end().0, Some(0));
    assert!(!std::path::Path::new(&state).exists());
}

/// A directory that cannot be made is said to be one, with its name.
#[test]
fn a_state_dir_that_cannot_be_used_is_said_to_be_one() {
    let (code, log) = Gateway::start_in("/proc/no/such", "state-refused.toml", "", &[]).end();
    assert_eq!(code, Some(1));
    let said = |line: &String| line.contains("state_dir: cannot use the directory /proc/no/such");
    assert!(log.iter().any(said), "{log:#?}");
}

/// SIGUSR1 and the end of a drain write the table; a process that is not profiled says so and goes on.
#[test]
fn a_profile_is_made_when_it_is_asked_for() {
    let mut gateway = Gateway::start_with("profile.toml", "", &["--profile"]);
    let admin = field(&gateway.line("started"), "admin").parse().unwrap();
    let published = || get(admin, "/metrics").1.contains("isthmus_turn_step_seconds_bucket");
    let until = Instant::now() + PATIENCE;
    while !published() {
        assert!(Instant::now() < until, "no step was published");
        std::thread::sleep(Duration::from_millis(50));
    }
    gateway.signal("USR1");
    gateway.line_of("profile, us");
    gateway.line_of("turn         collect");
    gateway.signal("TERM");
    let (code, log) = gateway.end();
    assert_eq!(code, Some(0), "{log:#?}");
    let table = log.iter().filter(|line| line.contains("\"message\":\"profile, us"));
    assert_eq!(table.count(), 2, "{log:#?}");

    let mut gateway = Gateway::start("no-profile.toml", "");
    let admin = field(&gateway.line("started"), "admin").parse().unwrap();
    gateway.signal("USR1");
    gateway.line_of("no profile is made");
    assert!(!get(admin, "/metrics").1.contains("isthmus_turn_step_seconds"));
    gateway.signal("TERM");
    assert_eq!(gateway.end().0, Some(0));
}

/// The log names the ports of media apart from those of SIP, and they are open.
#[test]
fn media_has_sockets_of_its_own() {
    let mut gateway = Gateway::start("media.toml", "msrp.listen = ['tcp://127.0.0.1:0', 'tcp://127.0.0.1:0']");
    let started = gateway.line("started");
    let (sip, media) = (field(&started, "sip"), field(&started, "msrp"));
    assert_eq!((sip.split(' ').count(), media.split(' ').count()), (2, 2), "{started}");
    for url in media.split(' ') {
        assert!(TcpStream::connect(url.strip_prefix("tcp://").unwrap()).is_ok(), "{url}");
    }
    gateway.signal("TERM");
    assert_eq!(gateway.end().0, Some(0));
}

#[test]
fn sip_is_answered_while_it_runs() {
    let mut gateway = Gateway::start("sip.toml", "");
    let started = gateway.line("started");
    let sip = field(&started, "sip");
    let udp = sip.split(' ').find_map(|url| url.strip_prefix("udp://")).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "OPTIONS sip:gateway SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKo1;rport\r\nMax-Forwards: 70\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:gateway>\r\nCall-ID: o1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
        socket.local_addr().unwrap()
    );
    socket.send_to(request.as_bytes(), udp).unwrap();
    let mut buffer = [0; 2_000];
    let len = socket.recv(&mut buffer).unwrap();
    assert!(buffer[..len].starts_with(b"SIP/2.0 "), "{}", String::from_utf8_lossy(&buffer[..len]));
    let tcp = sip.split(' ').find_map(|url| url.strip_prefix("tcp://")).unwrap();
    assert!(TcpStream::connect(tcp).is_ok());
    gateway.signal("TERM");
    assert_eq!(gateway.end().0, Some(0));
}

/// What the log says of a refused message: which, how and why, but not who nor what.
#[test]
fn a_refusal_is_explained_without_text_or_numbers() {
    let mut gateway = Gateway::start("refusal.toml", "sip.trusted = ['127.0.0.0/8']");
    let sip = field(&gateway.line("started"), "sip");
    let udp = sip.split(' ').find_map(|url| url.strip_prefix("udp://")).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "MESSAGE tel:+491701234567 SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKm1;rport\r\nMax-Forwards: 70\r\n\
         From: <tel:+4915112345678>;tag=1\r\nTo: <tel:+491701234567>\r\nCall-ID: refusal-1\r\nCSeq: 1 MESSAGE\r\n\
         P-Asserted-Identity: <tel:+4915112345678>\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nHalloWelt",
        socket.local_addr().unwrap()
    );
    socket.send_to(request.as_bytes(), udp).unwrap();
    let mut buffer = [0; 2_000];
    let len = socket.recv(&mut buffer).unwrap();
    assert!(buffer[..len].starts_with(b"SIP/2.0 503 "), "{}", String::from_utf8_lossy(&buffer[..len]));
    let line = gateway.line("SIP request refused");
    assert!(line.contains("\"call_id\":\"refusal-1\"") && line.contains("\"code\":503"), "{line}");
    assert!(!field(&line, "why").is_empty(), "{line}");
    gateway.signal("TERM");
    let (_, log) = gateway.end();
    for secret in ["HalloWelt", "4915112345678", "491701234567"] {
        assert!(!log.iter().any(|line| line.contains(secret)), "{secret} in {log:#?}");
    }
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for more in [
        format!("admin.listen = '{address}'"),
        format!("admin.listen = '127.0.0.1:0'\nsip.listen = ['tcp://{address}']"),
        format!("admin.listen = '127.0.0.1:0'\nmsrp.listen = ['tcp://{address}']"),
    ] {
        let peers = "sip.next_hop = 'sip:127.0.0.1:9'\nsmsc = [{ address = '127.0.0.1:9' }]";
        let text = format!("durable = false\n{peers}\n{more}\n");
        let text =
            if more.contains("sip.listen") { text } else { format!("sip.listen = ['udp://127.0.0.1:0']\n{text}") };
        let path = file("taken.toml", &text);
        let output = isthmus(&["run", "-c", path.to_str().unwrap()]);
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{log}");
        assert!(log.contains(&address.to_string()) && log.contains("another process has it"), "{log}");
    }
}

#[test]
fn run_refuses_a_configuration_with_errors() {
    let path = file("run-wrong.toml", "sip.next_hop = 'tel:+1'\n");
    let output = isthmus(&["run", "-c", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains(":1: sip.next_hop: is"));
}

#[test]
fn the_demonstration_succeeds() {
    let output = isthmus(&["demo"]);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    for step in [
        "CPM -> gateway  SIP MESSAGE",
        "gateway -> SM-SC    submit_sm",
        "IMDN Delivery Delivered",
        "CPM -> gateway  MSRP SEND large-0-id: octets 1 to ",
        "gateway -> CPM      SIP INVITE for a large message",
        "gateway -> CPM      MSRP SEND: IMDN Delivery Delivered of chat-0-0",
        "gateway -> MMSC     MM4_forward.REQ",
        "MMSC -> gateway  MM4_delivery_report.REQ Retrieved",
        "gateway -> MMSC     MM4_forward.RES Ok",
        "All 13 texts",
    ] {
        assert!(shown.contains(step), "{step} is not in\n{shown}");
    }
}

#[test]
fn the_demonstration_survives_its_faults() {
    let output = isthmus(&["demo", "--fault", "early-reports", "--fault", "loss"]);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
}
