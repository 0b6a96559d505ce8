//! An SM-SC that takes everything: one thread for each connection, as many PDUs per read and write as there are.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use isthmus::wire::smpp::{CommandId, CommandStatus, Header, Pdu, Response, Tlvs};

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

fn answer(header: Header, number: u64, out: &mut Vec<u8>) {
    let mut id = [b'0'; 10];
    let mut rest = number;
    for digit in id.iter_mut().rev() {
        *digit += u8::try_from(rest % 10).unwrap();
        rest /= 10;
    }
    let named = Response { id: Some(&id), tlvs: Tlvs::default() };
    let body = match header.command_id {
        CommandId::SUBMIT_SM => Pdu::SubmitSmResp(named),
        CommandId::ENQUIRE_LINK => Pdu::EnquireLinkResp(isthmus::wire::smpp::Plain::default()),
        CommandId::UNBIND => Pdu::UnbindResp(isthmus::wire::smpp::Plain::default()),
        CommandId::BIND_TRANSCEIVER => Pdu::BindResp(named),
        _ => return,
    };
    body.emit(out, header.command_id.response(), CommandStatus::ESME_ROK, header.sequence_number);
}
