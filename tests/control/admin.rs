//! The admin server over a real socket, with cores that are not there.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

use isthmus::control::admin::{Admin, Source, readiness};
use isthmus::control::metrics::About;
use isthmus::observe::Snapshot;
use isthmus::store::Status;

use super::exposition;
use super::metrics::{about, snapshots};

struct Cores {
    about: About,
    snapshots: Mutex<Vec<Snapshot>>,
}

impl Source for Cores {
    fn snapshots(&self) -> Vec<Snapshot> {
        self.snapshots.lock().unwrap().clone()
    }
    fn about(&self) -> &About {
        &self.about
    }
    fn log_lines_dropped(&self) -> u64 {
        0
    }
    fn store(&self) -> Option<Status> {
        Some(Status { written: 7, ..Status::default() })
    }
}

fn start() -> (Admin, Arc<Cores>) {
    let cores = Arc::new(Cores { about: about(), snapshots: Mutex::new(Vec::new()) });
    (Admin::start(([127, 0, 0, 1], 0).into(), cores.clone()).unwrap(), cores)
}

pub(crate) fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: isthmus\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn health_is_that_of_the_process() {
    let (admin, _cores) = start();
    let (head, body) = get(admin.address(), "/healthz");
    assert!(head.starts_with("HTTP/1.1 200") && body == "ok\n", "{head}");
    assert!(get(admin.address(), "/").0.starts_with("HTTP/1.1 404"));
}

#[test]
fn readiness_follows_the_cores() {
    let (admin, cores) = start();
    let (head, body) = get(admin.address(), "/readyz");
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert_eq!(body, "not ready: starting: no core has reported\n");
    *cores.snapshots.lock().unwrap() = snapshots();
    let (head, body) = get(admin.address(), "/readyz");
    assert!(head.starts_with("HTTP/1.1 200") && body == "ready\n", "{head}");
}

#[test]
fn what_is_not_ready_says_why() {
    let mut snapshots = snapshots();
    snapshots[0].links[1].bound = 1;
    snapshots[1].ready = false;
    let why = readiness(&about(), &snapshots).unwrap_err();
    assert_eq!(why, "not every core has a bind to submit on; bound: smsc-a 0, b\"\\ 1");
    snapshots[1].draining = true;
    assert_eq!(readiness(&about(), &snapshots).unwrap_err(), "draining: no new work is taken");
}

#[test]
fn a_scrape_is_prometheus_text() {
    let (admin, cores) = start();
    *cores.snapshots.lock().unwrap() = snapshots();
    let (head, body) = get(admin.address(), "/metrics");
    assert!(head.to_ascii_lowercase().contains("content-type: text/plain; version=0.0.4"), "{head}");
    assert!(exposition::parse(&body).contains_key("isthmus_messages_total"));
}

#[test]
fn an_address_in_use_is_an_error() {
    let (admin, cores) = start();
    let error = Admin::start(admin.address(), cores).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}
