use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use isthmus::limits;

use crate::echo::{ask, at_rest, backends, hear, start, tcp, udp};

#[test]
fn octets_come_back_in_order() {
    for backend in backends() {
        let gateway = start(backend, 2);
        let mut client = tcp(&gateway);
        let sent: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
        let mut writer = client.try_clone().expect("clone");
        let octets = sent.clone();
        let writing = std::thread::spawn(move || {
            writer.write_all(&octets).expect("write");
        });
        let mut heard = vec![0; sent.len()];
        client.read_exact(&mut heard).expect("all in time");
        writing.join().expect("writer");
        assert!(heard == sent);
        drop(client);
        assert!(gateway.join());
    }
}

#[test]
fn many_connections_at_once() {
    for backend in backends() {
        let gateway = start(backend, 2);
        for round in 0..3 {
            let mut clients: Vec<_> = (0..200).map(|_| tcp(&gateway)).collect();
            for (number, client) in clients.iter_mut().enumerate() {
                client.write_all(format!("{round} {number:05}").as_bytes()).expect("write");
            }
            for (number, client) in clients.iter_mut().enumerate() {
                let mut heard = [0; 7];
                client.read_exact(&mut heard).expect("answer in time");
                assert_eq!(heard, format!("{round} {number:05}").as_bytes());
            }
        }
        assert!(gateway.join());
    }
}

#[test]
fn what_was_sent_before_the_close_arrives() {
    for backend in backends() {
        let gateway = start(backend, 2);
        let mut client = tcp(&gateway);
        client.write_all(b"good bye").expect("write");
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).expect("end in time");
        assert_eq!(heard, b"good bye");
    }
}

#[test]
fn a_peer_that_ends_is_answered_and_told_once() {
    for backend in backends() {
        let (sender, events) = std::sync::mpsc::channel();
        let sender = std::sync::Mutex::new(sender);
        let sink = move |_, event| drop(sender.lock().expect("sender").send(event));
        let gateway = crate::echo::start_with_events(backend, 2, sink);
        let mut client = tcp(&gateway);
        client.write_all(b"last words").expect("write");
        client.shutdown(Shutdown::Write).expect("shutdown");
        let mut heard = Vec::new();
        client.read_to_end(&mut heard).expect("end in time");
        assert!(heard.is_empty() || heard == b"last words");
        drop(client);
        assert!(gateway.join());
        assert_eq!(events.iter().collect::<Vec<_>>(), ["accepted", "closed"]);
    }
}

#[test]
fn an_order_to_connect_is_carried_out() {
    for backend in backends() {
        let gateway = start(backend, 2);
        let server = TcpListener::bind("127.0.0.1:0").expect("port");
        let address = server.local_addr().expect("address");
        let client = udp(&gateway);
        client.send(format!("1connect {address}").as_bytes()).expect("send");
        let (mut connection, _) = server.accept().expect("connection");
        let mut heard = [0; 5];
        connection.read_exact(&mut heard).expect("greeting");
        assert_eq!((&heard, hear(&client)), (b"hello", format!("1:connected {address}")));
        connection.write_all(b"good day").expect("write");
        assert_eq!(hear(&client), "1:good day");
        drop(connection);
        assert_eq!(hear(&client), "1:closed");
    }
}

#[test]
fn an_order_that_cannot_be_carried_out_is_answered() {
    for backend in backends() {
        let gateway = start(backend, 2);
        let nobody = {
            let server = TcpListener::bind("127.0.0.1:0").expect("port");
            server.local_addr().expect("address")
        };
        let client = udp(&gateway);
        assert_eq!(ask(&client, &format!("0connect {nobody}")), "0:connect failed");
    }
}

/// A world that holds many small reads gets copies; the sockets keep their buffers.
#[test]
fn what_is_kept_does_not_stop_the_others() {
    const HELD: u64 = limits::TCP_SMALL_READS_HELD_MAX as u64;
    for backend in backends() {
        let gateway = start(backend, 1);
        let mut clients: Vec<_> = (0..8).map(|_| tcp(&gateway)).collect();
        for round in 0..150 {
            for client in &mut clients {
                client.write_all(format!("keep {round:03}").as_bytes()).expect("write");
                let mut heard = [0; 8];
                client.read_exact(&mut heard).expect("answer in time");
                assert_eq!(heard, format!("keep {round:03}").as_bytes());
            }
        }
        crate::drain::wait_until(&gateway, |gateway| {
            let shell = gateway.snapshots()[0].shell;
            // Both ends are the kernel's choice: a read may have taken two writes.
            shell.stream_octets_in == 9_600 && (1..=9_600 - HELD).contains(&shell.octets_copied)
        });
        assert!(gateway.join());
    }
}

/// Far more than a turn takes from one connection; the neighbour's turn comes nevertheless.
#[test]
fn a_loud_connection_does_not_silence_the_others() {
    for backend in backends() {
        let gateway = start(backend, 1);
        let loud = tcp(&gateway);
        let (mut writer, mut reader) = (loud.try_clone().expect("clone"), loud);
        // Less than the gateway keeps for a slow reader, more than a turn takes.
        let heard = Arc::new(AtomicUsize::new(0));
        let ahead = Arc::clone(&heard);
        let writing = std::thread::spawn(move || {
            let chunk = vec![b'x'; 1 << 20];
            for sent in 0..64 {
                while sent << 20 > ahead.load(Ordering::Acquire) + (1 << 20) {
                    std::thread::yield_now();
                }
                writer.write_all(&chunk).expect("write");
            }
            writer.write_all(b"bye").expect("write");
        });
        let reading = std::thread::spawn(move || {
            let mut chunk = vec![0; 1 << 16];
            while let Ok(len @ 1..) = reader.read(&mut chunk) {
                heard.fetch_add(len, Ordering::AcqRel);
            }
            heard.load(Ordering::Acquire)
        });
        let client = udp(&gateway);
        let mut neighbour = tcp(&gateway);
        for round in 0..50 {
            assert_eq!(ask(&client, &format!("0{round}")), format!("0:{round}"));
            neighbour.write_all(b"and me").expect("write");
            let mut heard = [0; 6];
            neighbour.read_exact(&mut heard).expect("answer in time");
        }
        writing.join().expect("writer");
        assert_eq!(reading.join().expect("reader"), (64 << 20) + 3);
        assert!(gateway.join());
    }
}

/// One who asks for much before it reads anything is not read itself meanwhile, and then gets all of it.
#[test]
fn a_late_reader_gets_all_that_it_asked_for() {
    const MEGABYTES: usize = 64;
    for backend in backends() {
        let gateway = start(backend, 1);
        let mut reader = tcp(&gateway);
        let mut writer = reader.try_clone().expect("clone");
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let writing = std::thread::spawn(move || {
            for at in 0..MEGABYTES {
                writer.write_all(&vec![u8::try_from(at).expect("small"); 1 << 20]).expect("write");
                count.fetch_add(1, Ordering::AcqRel);
            }
        });
        let before = at_rest(|| asked.load(Ordering::Acquire));
        assert!(before < MEGABYTES, "all of it found room");
        let mut heard = vec![0; MEGABYTES << 20];
        reader.read_exact(&mut heard).expect("all of it");
        assert!(heard.chunks(1 << 20).enumerate().all(|(at, part)| part.iter().all(|octet| usize::from(*octet) == at)));
        writing.join().expect("writer");
        assert_eq!(gateway.snapshots()[0].shell.dropped_slow_reader, 0);
        assert!(gateway.join());
    }
}

/// One who does not read at all loses its connection at last; its neighbour does not notice.
#[test]
fn a_slow_reader_fills_its_own_queue_only() {
    for backend in backends() {
        let gateway = start(backend, 1);
        let mut slow = tcp(&gateway);
        let mut neighbour = tcp(&gateway);
        slow.set_nonblocking(false).expect("blocking");
        let chunk = vec![b'x'; 1 << 20];
        let cut_off = (0..200).any(|_| slow.write_all(&chunk).is_err());
        assert!(cut_off, "200 MiB found room");
        neighbour.write_all(b"still here").expect("write");
        let mut heard = [0; 10];
        neighbour.read_exact(&mut heard).expect("answer in time");
        assert_eq!(&heard, b"still here");
    }
}
