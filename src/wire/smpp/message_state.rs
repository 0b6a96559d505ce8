//! message_state (SMPP 3.4 5.2.28).

/// The state of a short message at the SM-SC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageState(pub u8);

macro_rules! states {
    ($($name:ident = $value:literal $stat:literal,)+) => {
        #[allow(missing_docs)]
        impl MessageState {
            $(pub const $name: MessageState = MessageState($value);)+

            /// Every named state.
            pub const ALL: &[MessageState] = &[$(MessageState($value),)+];

            /// The name, or `None`.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 { $($value => Some(stringify!($name)),)+ _ => None }
            }

            /// The state behind a `stat:` value of a delivery receipt (SMPP 3.4 Appendix B), in any case and as far as it
            /// is written. The first four letters tell them apart.
            #[must_use]
            pub fn from_stat(stat: &[u8]) -> Option<MessageState> {
                let head = stat.get(..4)?;
                $(if head.eq_ignore_ascii_case(&$stat[..4]) { return Some(MessageState($value)); })+
                None
            }
        }
    };
}

states! {
    ENROUTE = 1 b"ENROUTE",
    DELIVERED = 2 b"DELIVRD",
    EXPIRED = 3 b"EXPIRED",
    DELETED = 4 b"DELETED",
    UNDELIVERABLE = 5 b"UNDELIV",
    ACCEPTED = 6 b"ACCEPTD",
    UNKNOWN = 7 b"UNKNOWN",
    REJECTED = 8 b"REJECTD",
}

impl MessageState {
    /// Whether the short message will not change its state again.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, MessageState::ENROUTE | MessageState::ACCEPTED | MessageState(0))
    }
}
