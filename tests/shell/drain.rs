use std::time::{Duration, Instant};

use isthmus::shell::{Gateway, StartError};

use crate::echo::{PATIENCE, ask, backends, start, start_with_events, try_start, udp};

#[test]
fn a_drain_waits_for_what_was_accepted() {
    for backend in backends() {
        let gateway = start(backend, 2);
        let client = udp(&gateway);
        assert_eq!(ask(&client, "1hold"), "1:held");
        gateway.drain();
        wait_until(&gateway, |gateway| gateway.snapshots().iter().all(|snapshot| snapshot.draining && !snapshot.ready));
        // Core 0 has nothing left to do, yet it still serves core 1.
        assert_eq!(ask(&client, "0echo"), "0:echo");
        assert!(!gateway.is_finished());
        assert_eq!(ask(&client, "1release"), "1:released");
        assert!(gateway.join());
    }
}

/// The world sleeps in the middle of a turn: longer than a turn may take, however coarse the clock.
#[test]
fn what_holds_a_core_up_is_counted_and_told() {
    for backend in backends() {
        let (sender, told) = std::sync::mpsc::channel();
        let gateway = start_with_events(backend, 1, move |core, event| drop(sender.send((core, event))));
        let client = udp(&gateway);
        assert_eq!(ask(&client, "0dawdle 100"), "0:awake");
        // On a busy host another step may have been held up before, and then this one has its line a second later.
        let (core, event) = told.recv_timeout(PATIENCE).expect("an event");
        assert!(core == 0 && event.starts_with("overran at "), "{core} {event}");
        wait_until(&gateway, |gateway| gateway.snapshots()[0].shell.overran_arrivals > 0);
    }
}

#[test]
fn snapshots_show_each_core() {
    for backend in backends() {
        let gateway = start(backend, 2);
        wait_until(&gateway, |gateway| gateway.snapshots().iter().all(|snapshot| snapshot.ready));
        let snapshots = gateway.snapshots();
        assert_eq!(snapshots.iter().map(|snapshot| snapshot.core).collect::<Vec<_>>(), [0, 1]);
        assert!(snapshots.iter().all(|snapshot| snapshot.shell.buffers_all > 0));
        assert!(snapshots.iter().all(|snapshot| snapshot.shell.cpu_us > 0));
    }
}

#[test]
fn a_gateway_that_is_dropped_is_gone() {
    for backend in backends() {
        let address = start(backend, 2).listeners()[0].local;
        drop(std::net::UdpSocket::bind(address).expect("free again"));
    }
}

#[test]
fn a_processor_that_is_not_there_is_named() {
    for backend in backends() {
        let error = try_start(backend, vec![0, 1_000], |_, _| ()).expect_err("no such processor");
        assert!(error.to_string().starts_with("core 1: "), "{error}");
    }
}

pub(crate) fn wait_until(gateway: &Gateway, condition: impl Fn(&Gateway) -> bool) {
    let until = Instant::now() + PATIENCE;
    while !condition(gateway) {
        assert!(Instant::now() < until, "{:?}", gateway.snapshots());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a core owned is not to be had without it.
#[test]
fn a_core_that_panics_ends_all() {
    for backend in backends() {
        let gateway = start(backend, 3);
        udp(&gateway).send(b"1panic").expect("send");
        wait_until(&gateway, Gateway::is_finished);
        assert!(!gateway.join());
    }
}

#[test]
fn errors_say_what_failed() {
    let error = StartError::IoUring("io_uring_setup: refused".into());
    assert_eq!(error.to_string(), "io_uring is not available: io_uring_setup: refused");
}
