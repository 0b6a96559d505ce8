//! The PDUs of SMPP 3.4 chapter 4, their fields in wire order and under their names.

use super::fields::pdu;

pdu! {
    /// bind_transmitter, bind_receiver, bind_transceiver (SMPP 3.4 4.1).
    Bind {
        system_id: c 16, password: c 9, system_type: c 13, interface_version: int, addr_ton: int, addr_npi: int, address_range: c 41,
    }
}

pdu! {
    /// outbind (SMPP 3.4 4.1.7).
    Outbind { system_id: c 16, password: c 9 }
}

pdu! {
    /// submit_sm (SMPP 3.4 4.4.1).
    SubmitSm {
        service_type: c 6,
        source_addr_ton: int, source_addr_npi: int, source_addr: c 21,
        dest_addr_ton: int, dest_addr_npi: int, destination_addr: c 21,
        esm_class: int, protocol_id: int, priority_flag: int,
        schedule_delivery_time: c 17, validity_period: c 17,
        registered_delivery: int, replace_if_present_flag: int, data_coding: int, sm_default_msg_id: int,
        short_message: sm,
    }
}

/// deliver_sm (SMPP 3.4 4.6.1): the layout of submit_sm.
pub type DeliverSm<'a> = SubmitSm<'a>;

pdu! {
    /// data_sm (SMPP 3.4 4.7.1).
    DataSm {
        service_type: c 6,
        source_addr_ton: int, source_addr_npi: int, source_addr: c 65,
        dest_addr_ton: int, dest_addr_npi: int, destination_addr: c 65,
        esm_class: int, registered_delivery: int, data_coding: int,
    }
}

pdu! {
    /// query_sm (SMPP 3.4 4.8.1).
    QuerySm { message_id: c 65, source_addr_ton: int, source_addr_npi: int, source_addr: c 21 }
}

pdu! {
    /// query_sm_resp (SMPP 3.4 4.8.2).
    QuerySmResp { message_id: c 65, final_date: c 17, message_state: int, error_code: int }
}

pdu! {
    /// cancel_sm (SMPP 3.4 4.9.1).
    CancelSm {
        service_type: c 6, message_id: c 65,
        source_addr_ton: int, source_addr_npi: int, source_addr: c 21,
        dest_addr_ton: int, dest_addr_npi: int, destination_addr: c 21,
    }
}

pdu! {
    /// replace_sm (SMPP 3.4 4.10.1).
    ReplaceSm {
        message_id: c 65, source_addr_ton: int, source_addr_npi: int, source_addr: c 21,
        schedule_delivery_time: c 17, validity_period: c 17, registered_delivery: int, sm_default_msg_id: int,
        short_message: sm,
    }
}

pdu! {
    /// alert_notification (SMPP 3.4 4.12.1).
    AlertNotification {
        source_addr_ton: int, source_addr_npi: int, source_addr: c 65,
        esme_addr_ton: int, esme_addr_npi: int, esme_addr: c 65,
    }
}

pdu! {
    /// A PDU whose body is TLVs only, or nothing: unbind, enquire_link, generic_nack and most responses.
    Plain {}
}
