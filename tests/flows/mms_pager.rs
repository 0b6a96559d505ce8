//! A Pager Mode message becomes an MM (IWF V3.0 6.3.1.1.1, Tables 12 to 14), and what its MMS Relay/Server says to it is the
//! answer.

use isthmus::shard::settings::Settings;

use crate::chat::seconds;
use crate::cpm::Outgoing;
use crate::mmsc::{Bringing, Mail, Mmsc};
use crate::world::{World, settings_with_mms};

fn world() -> (World, Mmsc) {
    world_of(&settings_with_mms(0))
}

fn world_of(settings: &Settings) -> (World, Mmsc) {
    let mut world = World::new(3, 1, settings);
    let mmsc = Mmsc::greeted(&mut world);
    (world, mmsc)
}

fn message(call_id: &str, text: &str) -> Outgoing {
    Outgoing {
        call_id: call_id.into(),
        from: "+15550001".into(),
        to: "+15550002".into(),
        dispositions: None,
        imdn_message_id: format!("imdn-{call_id}"),
        text: text.into(),
        headers: String::new(),
    }
}

/// MM4_forward.RES to a request.
fn response(request: &Mail, status: &str) -> Mail {
    let get = |name: &str| request.header(name).unwrap_or_else(|| panic!("{name} in {}", request.data));
    let data = format!(
        "X-Mms-3GPP-MMS-Version: 6.10.0\r\nX-Mms-Message-Type: MM4_forward.RES\r\nX-Mms-Transaction-ID: {}\r\n\
         X-Mms-Message-ID: {}\r\nX-Mms-Request-Status-Code: {status}\r\nFrom: system-user@mms.example.com\r\n\
         To: {}\r\nMessage-ID: <1@mms.example.com>\r\n\r\n",
        get("X-Mms-Transaction-ID"),
        get("X-Mms-Message-ID"),
        get("X-Mms-Originator-System"),
    );
    let rcpt_to = vec![get("X-Mms-Originator-System")];
    Mail { mail_from: "system-user@mms.example.com".into(), rcpt_to, data }
}

#[test]
fn a_message_becomes_an_mm_and_is_answered_by_its_response() {
    let (mut world, mut mmsc) = world();
    let message = message("one@cpm", "Bonjour");
    let now = world.now.moment;
    world.cpm.send(now, &message);
    seconds(&mut world, 1);
    mmsc.listen(&mut world);
    seconds(&mut world, 1);
    let request = mmsc.mails.pop().expect("a mail");
    assert_eq!(request.header("X-Mms-Message-Type").as_deref(), Some("MM4_forward.REQ"));
    assert!(world.cpm.answers.is_empty(), "not before the response");
    let mut bringing = Bringing::connect(&mut world, 0);
    bringing.bring(&mut world, &response(&request, "Ok"));
    assert!(bringing.replies(&world).starts_with("250"));
    seconds(&mut world, 1);
    assert_eq!(world.cpm.answers.get("one@cpm"), Some(&202));
}
