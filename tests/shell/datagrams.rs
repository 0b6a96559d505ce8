use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use isthmus::limits::TURN_DATAGRAMS_MAX;
use isthmus::shell::Backend;

use crate::echo::{ask, backends, hear, start, tcp, try_start_at, udp};

#[test]
fn the_owner_answers_whoever_received() {
    for backend in backends() {
        let gateway = start(backend, 2);
        for round in 0..40 {
            let client = udp(&gateway);
            for owner in 0..2 {
                assert_eq!(ask(&client, &format!("{owner}text {round}")), format!("{owner}:text {round}"));
            }
        }
        assert!(gateway.join());
    }
}

#[test]
fn the_largest_datagram_arrives_whole() {
    for backend in backends() {
        let gateway = start(backend, 2);
        let client = udp(&gateway);
        for len in [1, 1_472, 4_096, 20_000, 65_000, 65_505] {
            for owner in 0..2 {
                let text = "x".repeat(len - 1);
                assert_eq!(ask(&client, &format!("{owner}{text}")), format!("{owner}:{text}"));
            }
        }
    }
}

/// Answers of one length to one peer leave together; each must arrive by itself, and nowhere else.
#[test]
fn what_leaves_together_arrives_one_by_one() {
    for backend in backends() {
        let gateway = start(backend, 1);
        let clients = [udp(&gateway), udp(&gateway)];
        clients[0].send(b"0dawdle 300").expect("send");
        let mut expected = [vec![String::from("0:awake")], Vec::new()];
        // Runs of one and of many, of two peers in turn, too long to go together, and of one octet.
        for (client, len, times) in
            [(0, 400, 40), (1, 400, 3), (0, 401, 1), (1, 1_500, 5), (1, 1_400, 7), (0, 1_232, 33), (1, 1, 2)]
        {
            for number in 0..times {
                let text = format!("{number:0len$}");
                clients[client].send(format!("0{text}").as_bytes()).expect("send");
                expected[client].push(format!("0:{text}"));
            }
        }
        for (client, mut expected) in clients.iter().zip(expected) {
            let mut heard: Vec<_> = expected.iter().map(|_| hear(client)).collect();
            heard.sort();
            expected.sort();
            let differ = heard.iter().zip(&expected).find(|(heard, expected)| heard != expected);
            assert!(differ.is_none(), "{:?}", differ.map(|(heard, expected)| (heard.len(), heard, expected.len())));
        }
        assert_eq!(ask(&clients[0], "0last"), "0:last", "nothing is left over");
        assert!(gateway.join());
    }
}

/// More than there are buffers, and in bursts that one turn does not take.
#[test]
fn buffers_come_back() {
    for backend in backends() {
        let gateway = start(backend, 2);
        let clients: Vec<_> = (0..8).map(|_| udp(&gateway)).collect();
        for burst in 0..300 {
            for client in &clients {
                client.send(format!("{}a {burst}", burst % 2).as_bytes()).expect("send");
                client.send(format!("{}b {burst}", (burst + 1) % 2).as_bytes()).expect("send");
            }
            for client in &clients {
                let mut heard = [hear(client), hear(client)];
                heard.sort_by_key(|text| text[2..].to_owned());
                let expected = [format!("{}:a {burst}", burst % 2), format!("{}:b {burst}", (burst + 1) % 2)];
                assert_eq!(heard, expected);
            }
        }
        let used: u64 = gateway.snapshots().iter().map(|snapshot| snapshot.shell.buffers_used).sum();
        assert!(used < 100, "{used}");
        assert!(gateway.join());
    }
}

/// However many datagrams wait, a connection has its turn beside them: responses of an SM-SC come on one.
#[test]
fn connections_do_not_wait_behind_datagrams() {
    for backend in backends() {
        // Again, should this thread have been too slow to have all of it there in time.
        let before = (0..10).find_map(|_| datagrams_before_a_stream(backend)).expect("in time once");
        assert!(before <= 2 * TURN_DATAGRAMS_MAX, "{before} datagrams before what came on a connection");
    }
}

/// While a core is busy, more datagrams come than a turn takes, and then something on a connection: how many it takes
/// before that. `None` if it was not busy for as long as they took to come.
fn datagrams_before_a_stream(backend: Backend) -> Option<usize> {
    let gateway = start(backend, 1);
    let (client, mut stream) = (udp(&gateway), tcp(&gateway));
    assert_eq!(held(&mut stream), 0);
    let began = Instant::now();
    client.send(b"0dawdle 1000").expect("send");
    for _ in 0..2_000 {
        client.send(b"0hold").expect("send");
    }
    stream.write_all(b"held").expect("write");
    let in_time = began.elapsed() < Duration::from_millis(900);
    let before = number(&mut stream);
    in_time.then_some(before)
}

fn held(stream: &mut TcpStream) -> usize {
    stream.write_all(b"held").expect("write");
    number(stream)
}

fn number(stream: &mut TcpStream) -> usize {
    let mut digits = [0; 8];
    // A read that may time out is not taken up again by the kernel after an interruption.
    let len = loop {
        match stream.read(&mut digits) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => break read.expect("a number"),
        }
    };
    str::from_utf8(&digits[..len]).expect("text").parse().expect("number")
}

#[test]
fn worlds_hand_over_and_none_gets_lost() {
    for backend in backends() {
        let gateway = start(backend, 3);
        let client = udp(&gateway);
        assert_eq!(ask(&client, "1hop"), "2:hop from 1");
        assert_eq!(ask(&client, "2hop"), "0:hop from 2");
        // Five times what the queue between two cores holds. The world hands over last things first.
        assert_eq!(ask(&client, "0flood 20000"), "1:all 20000 from 0");
        assert!(gateway.join());
    }
}

#[test]
fn the_other_family_is_served_as_well() {
    for backend in backends() {
        let Ok(gateway) = try_start_at("[::1]:0", backend, vec![0, 0], |_, _| ()) else { return };
        let client = udp(&gateway);
        assert_eq!([ask(&client, "0six"), ask(&client, "1six")], ["0:six", "1:six"]);
        assert!(gateway.join());
    }
}

#[test]
fn a_deadline_is_kept_without_traffic() {
    for backend in backends() {
        let gateway = start(backend, 2);
        let client = udp(&gateway);
        assert_eq!(ask(&client, "1wait 30"), "1:rung");
        assert_eq!(ask(&client, "0wait 0"), "0:rung");
    }
}

#[test]
fn a_question_to_the_dns_is_answered() {
    for backend in backends() {
        let gateway = start(backend, 2);
        let client = udp(&gateway);
        // Neither needs a name server; the first needs a host that has a configuration.
        let heard = ask(&client, "1resolve localhost");
        assert!(heard.contains("Address(127.0.0.1)") || heard == "1:[]", "{heard}");
        assert_eq!(ask(&client, "0resolve a..b"), "0:[]");
    }
}
