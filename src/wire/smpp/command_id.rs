//! command_id (SMPP 3.4 5.1.2.1).

/// Which PDU; bit 31 tells a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CommandId(pub u32);

macro_rules! command_ids {
    ($($name:ident = $id:literal),+ $(,)?) => {
        #[allow(missing_docs)]
        impl CommandId {
            $(pub const $name: CommandId = CommandId($id);)+

            /// The name of SMPP 3.4, in lower case; `None` for reserved values.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 { $($id => Some(stringify!($name)),)+ _ => None }
            }
        }
    };
}

command_ids! {
    GENERIC_NACK = 0x8000_0000,
    BIND_RECEIVER = 0x0000_0001,
    BIND_RECEIVER_RESP = 0x8000_0001,
    BIND_TRANSMITTER = 0x0000_0002,
    BIND_TRANSMITTER_RESP = 0x8000_0002,
    QUERY_SM = 0x0000_0003,
    QUERY_SM_RESP = 0x8000_0003,
    SUBMIT_SM = 0x0000_0004,
    SUBMIT_SM_RESP = 0x8000_0004,
    DELIVER_SM = 0x0000_0005,
    DELIVER_SM_RESP = 0x8000_0005,
    UNBIND = 0x0000_0006,
    UNBIND_RESP = 0x8000_0006,
    REPLACE_SM = 0x0000_0007,
    REPLACE_SM_RESP = 0x8000_0007,
    CANCEL_SM = 0x0000_0008,
    CANCEL_SM_RESP = 0x8000_0008,
    BIND_TRANSCEIVER = 0x0000_0009,
    BIND_TRANSCEIVER_RESP = 0x8000_0009,
    OUTBIND = 0x0000_000B,
    ENQUIRE_LINK = 0x0000_0015,
    ENQUIRE_LINK_RESP = 0x8000_0015,
    SUBMIT_MULTI = 0x0000_0021,
    SUBMIT_MULTI_RESP = 0x8000_0021,
    ALERT_NOTIFICATION = 0x0000_0102,
    DATA_SM = 0x0000_0103,
    DATA_SM_RESP = 0x8000_0103,
}

impl CommandId {
    /// Whether this is a response.
    #[must_use]
    pub const fn is_response(self) -> bool {
        self.0 & 0x8000_0000 != 0
    }

    /// The response to this request.
    #[must_use]
    pub const fn response(self) -> CommandId {
        CommandId(self.0 | 0x8000_0000)
    }
}
