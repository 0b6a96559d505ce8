//! An SM-SC that takes everything: one thread for each connection, as many PDUs per read and write as there are.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use isthmus::wire::smpp::Header;

use crate::answer::answer;

/// Listens; its address. The threads end with their connections.
pub fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::Builder::new()
        .name("smsc".into())
        .spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || serve(stream));
            }
        })
        .unwrap();
    address
}

fn serve(mut stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let (mut unframed, mut answers, mut chunk) = (Vec::new(), Vec::new(), vec![0; 1 << 16]);
    let mut messages = 0_u64;
    while let Ok(len @ 1..) = stream.read(&mut chunk) {
        unframed.extend_from_slice(&chunk[..len]);
        let mut at = 0;
        while let Some(header) = Header::parse(&unframed[at..]) {
            let len = usize::try_from(header.command_length).unwrap();
            if unframed.len() - at < len {
                break;
            }
            at += len;
            messages += 1;
            answer(header, messages, &mut answers);
        }
        unframed.drain(..at);
        if stream.write_all(&answers).is_err() {
            return;
        }
        answers.clear();
    }
}
