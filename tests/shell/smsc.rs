//! An SM-SC that takes everything: it answers each request with its response and remembers the submissions.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use isthmus::wire::Framing;
use isthmus::wire::smpp::{self, CommandId, CommandStatus, Pdu};

const PDU_BYTES_MAX: usize = 65_536;

/// Listens until the process ends.
#[derive(Clone)]
pub(crate) struct Smsc {
    pub(crate) address: SocketAddr,
    /// Texts in the order they came.
    texts: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Smsc {
    pub(crate) fn start() -> Smsc {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let smsc = Smsc { address: listener.local_addr().expect("address"), texts: Arc::default() };
        let serving = smsc.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.serve(connection));
            }
        });
        smsc
    }

    pub(crate) fn texts(&self) -> Vec<Vec<u8>> {
        self.texts.lock().expect("texts").clone()
    }

    fn serve(&self, mut connection: TcpStream) {
        let (mut stream, mut chunk, mut answers) = (Vec::new(), [0; 4_096], Vec::new());
        while let Ok(len @ 1..) = connection.read(&mut chunk) {
            stream.extend_from_slice(&chunk[..len]);
            while let Framing::Complete(len) = smpp::frame(&stream, PDU_BYTES_MAX) {
                self.answer(&stream[..len], &mut answers);
                stream.drain(..len);
            }
            if connection.write_all(&answers).is_err() {
                return;
            }
            answers.clear();
        }
    }

    fn answer(&self, pdu: &[u8], answers: &mut Vec<u8>) {
        let (header, body) = Pdu::parse(pdu).expect("a PDU");
        let CommandId(command_id) = header.command_id;
        if command_id & 0x8000_0000 != 0 {
            return;
        }
        // message_id of a submission, system_id of a bind; other responses have no body.
        let mut id = Vec::new();
        match body {
            Pdu::SubmitSm(submit) => id = self.keep(submit.short_message),
            _ if [1, 2, 9].contains(&command_id) => id.extend_from_slice(b"smsc\0"),
            _ => {}
        }
        let response = CommandId(command_id | 0x8000_0000);
        smpp::emit(answers, response, CommandStatus(0), header.sequence_number, |out| out.extend_from_slice(&id));
    }

    fn keep(&self, text: &[u8]) -> Vec<u8> {
        let mut texts = self.texts.lock().expect("texts");
        texts.push(text.to_vec());
        format!("{}\0", texts.len()).into_bytes()
    }
}
