//! command_status (SMPP 3.4 5.1.3).

/// The result of a request. Unknown and vendor values survive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandStatus(pub u32);

/// What a status says about trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It was a success.
    Success,
    /// The same request would fail again.
    Permanent,
    /// It may succeed later.
    Temporary,
    /// The session is at fault, not the message.
    Session,
}

macro_rules! statuses {
    ($($name:ident = $value:literal $retry:ident,)+) => {
        #[allow(missing_docs)]
        impl CommandStatus {
            $(pub const $name: CommandStatus = CommandStatus($value);)+

            /// Every named status.
            pub const ALL: &[CommandStatus] = &[$(CommandStatus($value),)+];

            /// The symbolic name, or `None`.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 { $($value => Some(stringify!($name)),)+ _ => None }
            }

            /// What to make of it. Unnamed values are reserved or a vendor's: temporary, since nothing says that the
            /// message itself is at fault.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self.0 { $($value => Retry::$retry,)+ _ => Retry::Temporary }
            }
        }
    };
}

statuses! {
    ESME_ROK = 0x0000_0000 Success,
    ESME_RINVMSGLEN = 0x0000_0001 Permanent,
    ESME_RINVCMDLEN = 0x0000_0002 Permanent,
    ESME_RINVCMDID = 0x0000_0003 Permanent,
    ESME_RINVBNDSTS = 0x0000_0004 Session,
    ESME_RALYBND = 0x0000_0005 Session,
    ESME_RINVPRTFLG = 0x0000_0006 Permanent,
    ESME_RINVREGDLVFLG = 0x0000_0007 Permanent,
    ESME_RSYSERR = 0x0000_0008 Temporary,
    ESME_RINVSRCADR = 0x0000_000A Permanent,
    ESME_RINVDSTADR = 0x0000_000B Permanent,
    ESME_RINVMSGID = 0x0000_000C Permanent,
    ESME_RBINDFAIL = 0x0000_000D Session,
    ESME_RINVPASWD = 0x0000_000E Session,
    ESME_RINVSYSID = 0x0000_000F Session,
    ESME_RCANCELFAIL = 0x0000_0011 Permanent,
    ESME_RREPLACEFAIL = 0x0000_0013 Permanent,
    ESME_RMSGQFUL = 0x0000_0014 Temporary,
    ESME_RINVSERTYP = 0x0000_0015 Permanent,
    ESME_RINVNUMDESTS = 0x0000_0033 Permanent,
    ESME_RINVDLNAME = 0x0000_0034 Permanent,
    ESME_RINVDESTFLAG = 0x0000_0040 Permanent,
    ESME_RINVSUBREP = 0x0000_0042 Permanent,
    ESME_RINVESMCLASS = 0x0000_0043 Permanent,
    ESME_RCNTSUBDL = 0x0000_0044 Permanent,
    ESME_RSUBMITFAIL = 0x0000_0045 Temporary,
    ESME_RINVSRCTON = 0x0000_0048 Permanent,
    ESME_RINVSRCNPI = 0x0000_0049 Permanent,
    ESME_RINVDSTTON = 0x0000_0050 Permanent,
    ESME_RINVDSTNPI = 0x0000_0051 Permanent,
    ESME_RINVSYSTYP = 0x0000_0053 Session,
    ESME_RINVREPFLAG = 0x0000_0054 Permanent,
    ESME_RINVNUMMSGS = 0x0000_0055 Permanent,
    ESME_RTHROTTLED = 0x0000_0058 Temporary,
    ESME_RINVSCHED = 0x0000_0061 Permanent,
    ESME_RINVEXPIRY = 0x0000_0062 Permanent,
    ESME_RINVDFTMSGID = 0x0000_0063 Permanent,
    ESME_RX_T_APPN = 0x0000_0064 Temporary,
    ESME_RX_P_APPN = 0x0000_0065 Permanent,
    ESME_RX_R_APPN = 0x0000_0066 Permanent,
    ESME_RQUERYFAIL = 0x0000_0067 Permanent,
    ESME_RINVOPTPARSTREAM = 0x0000_00C0 Permanent,
    ESME_ROPTPARNOTALLWD = 0x0000_00C1 Permanent,
    ESME_RINVPARLEN = 0x0000_00C2 Permanent,
    ESME_RMISSINGOPTPARAM = 0x0000_00C3 Permanent,
    ESME_RINVOPTPARAMVAL = 0x0000_00C4 Permanent,
    ESME_RDELIVERYFAILURE = 0x0000_00FE Temporary,
    ESME_RUNKNOWNERR = 0x0000_00FF Temporary,
    ESME_RSERTYPUNAUTH = 0x0000_0100 Permanent,
    ESME_RPROHIBITED = 0x0000_0101 Permanent,
    ESME_RSERTYPUNAVAIL = 0x0000_0102 Permanent,
    ESME_RSERTYPDENIED = 0x0000_0103 Permanent,
    ESME_RINVDCS = 0x0000_0104 Permanent,
    ESME_RINVSRCADDRSUBUNIT = 0x0000_0105 Permanent,
    ESME_RINVDSTADDRSUBUNIT = 0x0000_0106 Permanent,
    ESME_RINVBCASTFREQINT = 0x0000_0107 Permanent,
    ESME_RINVBCASTALIAS_NAME = 0x0000_0108 Permanent,
    ESME_RINVBCASTAREAFMT = 0x0000_0109 Permanent,
    ESME_RINVNUMBCAST_AREAS = 0x0000_010A Permanent,
    ESME_RINVBCASTCNTTYPE = 0x0000_010B Permanent,
    ESME_RINVBCASTMSGCLASS = 0x0000_010C Permanent,
    ESME_RBCASTFAIL = 0x0000_010D Permanent,
    ESME_RBCASTQUERYFAIL = 0x0000_010E Permanent,
    ESME_RBCASTCANCELFAIL = 0x0000_010F Permanent,
    ESME_RINVBCAST_REP = 0x0000_0110 Permanent,
    ESME_RINVBCASTSRVGRP = 0x0000_0111 Permanent,
    ESME_RINVBCASTCHANIND = 0x0000_0112 Permanent,
}

impl CommandStatus {
    /// Whether the peer asks for fewer requests.
    #[must_use]
    pub const fn is_throttling(self) -> bool {
        matches!(self, CommandStatus::ESME_RTHROTTLED | CommandStatus::ESME_RMSGQFUL)
    }
}
