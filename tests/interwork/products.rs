//! Appendix C on whatever leaves the gateway: Server in every response, User-Agent in every request.

use std::time::Duration;

use isthmus::iwf::Iwf;
use isthmus::policy::Policy;
use isthmus::wire::sip::{Index, Message, Name};
use isthmus::wire::smpp::DeliverSm;

use crate::cpm_to_sms::request;
use crate::world::{World, settings};

/// Requests by what is changed in an ordinary one, and the code of the response.
const REQUESTS: &[(u16, &str, &str)] = &[
    (202, "", ""),
    (415, "", "image/png || X"),
    (488, "Request-URI: sip:bob@ims.example\\nTo: <sip:bob@ims.example>", ""),
    (433, "Privacy: id", ""),
    (400, "CSeq: 1 INVITE", ""),
    (420, "Require: 100rel", ""),
    (483, "Max-Forwards: 0", ""),
    (481, "To: <tel:+491700000002>;tag=b", ""),
];

fn code_and_server(response: &[u8]) -> (u16, String) {
    let mut index = Index::new();
    let message = Message::parse(response, &mut index).unwrap();
    let server = message.header(Name::Server).unwrap_or_default();
    (message.code(), String::from_utf8(server.to_vec()).unwrap())
}

fn answer(world: &mut World, number: usize, bytes: Vec<u8>) -> (u16, String) {
    let call_id = format!("{number}@client.example");
    let text = String::from_utf8(bytes).unwrap().replace("1@client.example", &call_id);
    let text = text.replace("z9hG4bK1", &format!("z9hG4bK-{number}"));
    world.cpm.send_bytes(world.now.moment, &call_id, text.into_bytes(), false);
    world.run_for(Duration::from_secs(1));
    code_and_server(world.cpm.responses.last().expect("a response"))
}

/// [HDR-C-01]
#[test]
fn every_response_names_the_server() {
    let server = Iwf::new(Policy::default()).server;
    let mut world = World::new(1, 1, &settings(1));
    for (number, (code, headers, content)) in REQUESTS.iter().enumerate() {
        let answered = answer(&mut world, number, request(headers, "", content));
        assert_eq!(answered, (*code, server.clone()));
    }
    let options = String::from_utf8(request("", "", "")).unwrap().replace("MESSAGE", "OPTIONS");
    assert_eq!(answer(&mut world, REQUESTS.len(), options.into_bytes()), (200, server));
}

/// [HDR-C-01]
#[test]
fn every_request_names_the_client() {
    let user_agent = Iwf::new(Policy::default()).user_agent;
    let mut world = World::new(2, 1, &settings(1));
    let deliver = DeliverSm {
        source_addr_ton: 1,
        source_addr: b"491700000001",
        dest_addr_ton: 1,
        destination_addr: b"491700000002",
        short_message: b"Hello",
        ..DeliverSm::default()
    };
    world.smscs[0].deliver(world.now.moment, &deliver);
    let wanted = request("", "imdn.Disposition-Notification: positive-delivery", "");
    answer(&mut world, 0, wanted);
    world.run_for(Duration::from_secs(5));
    assert_eq!(world.cpm.received.len(), 2, "a short message and a notification");
    for received in &world.cpm.received {
        let mut index = Index::new();
        let message = Message::parse(&received.bytes, &mut index).unwrap();
        assert_eq!(message.header(Name::UserAgent), Some(user_agent.as_bytes()));
    }
}
