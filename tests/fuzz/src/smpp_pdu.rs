//! One PDU: what can be read is written again octet for octet, and everything in it can be asked for.

use isthmus::wire::Framing;
use isthmus::wire::smpp::message_id::Origin;
use isthmus::wire::smpp::{DataSm, DeliverSm, Header, MessageIdForm, Pdu, Tag, Tlvs, frame, status_report, time};

pub fn run(data: &[u8]) {
    let _ = frame(data, 70_000);
    let _ = Tlvs::whole_ones(data).iter().count();
    let Ok((header, pdu)) = Pdu::parse(data) else { return };
    ask_everything(&pdu);
    written_again(data, header, &pdu);
}

fn written_again(data: &[u8], header: Header, pdu: &Pdu<'_>) {
    let mut out = Vec::new();
    pdu.emit(&mut out, header.command_id, header.command_status, header.sequence_number);
    assert_eq!(frame(&out, usize::MAX), Framing::Complete(out.len()));
    let is_response = header.command_id.is_response();
    if is_response {
        // What stands behind a message_id may be left out (SMPP 3.4 4.4.2), but then it stays so.
        let (again, reread) = Pdu::parse(&out).expect("a PDU of ours");
        let mut twice = Vec::new();
        reread.emit(&mut twice, again.command_id, again.command_status, again.sequence_number);
        assert_eq!(out, twice);
    } else {
        assert_eq!(out.get(4..), data.get(4..));
    }
}

fn ask_everything(pdu: &Pdu<'_>) {
    let _ = format!("{pdu:?}");
    match pdu {
        Pdu::SubmitSm(body) | Pdu::DeliverSm(body) => message(body),
        Pdu::DataSm(body) => data(body),
        Pdu::SubmitMulti(body) => {
            let _ = body.destinations().count();
        }
        Pdu::QuerySmResp(body) => times(body.final_date),
        Pdu::SubmitSmResp(body) | Pdu::DataSmResp(body) => {
            id(body.id.unwrap_or_default());
            tlvs(body.tlvs);
        }
        Pdu::AlertNotification(body) => tlvs(body.tlvs),
        _ => {}
    }
}

fn message(body: &DeliverSm<'_>) {
    assert_eq!(body.unfit(), None, "what was read fits");
    times(body.validity_period);
    times(body.schedule_delivery_time);
    tlvs(body.tlvs);
    if let Some(report) = status_report::from_deliver_sm(body) {
        id(&report.message_id);
        assert!(report.error.len() <= body.short_message.len().max(70_000));
    }
}

fn data(body: &DataSm<'_>) {
    assert_eq!(body.unfit(), None, "what was read fits");
    tlvs(body.tlvs);
    if let Some(report) = status_report::from_data_sm(body) {
        id(&report.message_id);
    }
}

fn tlvs(tlvs: Tlvs<'_>) {
    for (tag, _) in tlvs.iter() {
        let _ = (tlvs.u8(tag), tlvs.u16(tag), tlvs.u32(tag), tlvs.c_octets(tag));
        assert!(tlvs.get(tag).is_some());
    }
    let _ = tlvs.u16(Tag::SAR_MSG_REF_NUM);
}

fn times(octets: &[u8]) {
    if let Some(seconds) = time::relative_seconds(octets) {
        let again = time::relative(seconds);
        assert_eq!(time::relative_seconds(&again), Some(seconds));
    }
    if let Some(seconds) = time::absolute_unix_seconds(octets) {
        assert_eq!(time::absolute_unix_seconds(&time::absolute(seconds)), Some(seconds));
    }
}

/// What is compared compares as itself; white space and controls inside an id are whatever they are.
fn id(octets: &[u8]) {
    let fine = octets.iter().all(u8::is_ascii_graphic);
    let forms = [MessageIdForm::Opaque, MessageIdForm::HexSubmitDecimalReceipt, MessageIdForm::DecimalSubmitHexReceipt];
    for form in forms {
        for origin in [Origin::Submit, Origin::Receipt] {
            let once = form.canonical(octets, origin);
            assert!(!fine || MessageIdForm::Opaque.canonical(once, origin) == once);
        }
    }
}
