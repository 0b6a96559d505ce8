//! IWF V3.0 4.4 "CPM Version 3.0": what RCS uses and what it does not, one switch per line of the list.

use serde::{Deserialize, Serialize};

/// What is interworked. `true` is what the rest of the document describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "independent lines of one list of the document")]
pub struct Switches {
    /// Pager Mode and Large Message Mode Standalone Messages to and from SMS.
    pub sms_standalone_messages: bool,
    /// Pager Mode and Large Message Mode Standalone Messages to and from MMS.
    pub mms_standalone_messages: bool,
    /// CPM 1-to-1 Sessions to SMS in the terminating network.
    pub terminating_sessions: bool,
    /// Disposition notifications.
    pub disposition_notifications: bool,
    /// CPM 1-to-1 Sessions in the originating network.
    pub originating_sessions: bool,
    /// CPM Sessions to MMS.
    pub mms_sessions: bool,
    /// CPM Group Sessions.
    pub group_sessions: bool,
    /// File Transfer.
    pub file_transfer: bool,
    /// To and from e-mail.
    pub email: bool,
    /// SIMPLE IM.
    pub simple_im: bool,
    /// Services other than SMS and MMS.
    pub other_services: bool,
    /// CPM users without an address that maps to an E.164 number. SMS needs one either way.
    pub users_without_e164: bool,
    /// A CPM Session with several media streams.
    pub several_media_streams: bool,
    /// Anonymous messages.
    pub anonymous_messages: bool,
    /// The target user's preferred delivery mechanism from XDMS.
    pub xdms_preferences: bool,
    /// Another IWF after the first answered with an error.
    pub reselection: bool,
    /// Asking the non-CPM user whether to accept a session; off: the IWF always accepts.
    pub ask_non_cpm_user: bool,
    /// The non-CPM user may leave a session.
    pub leave_session: bool,
    /// Telling the non-CPM user that a session closes.
    pub inform_of_closing: bool,
    /// Modification of established sessions.
    pub session_modification: bool,
    /// MSRP Success Reports are requested.
    pub msrp_success_reports: bool,
}

impl Default for Switches {
    fn default() -> Switches {
        Switches {
            originating_sessions: true,
            mms_sessions: true,
            group_sessions: true,
            file_transfer: true,
            email: true,
            simple_im: true,
            other_services: true,
            users_without_e164: true,
            several_media_streams: true,
            anonymous_messages: true,
            xdms_preferences: true,
            reselection: true,
            ask_non_cpm_user: true,
            leave_session: true,
            inform_of_closing: true,
            session_modification: true,
            msrp_success_reports: true,
            ..Switches::rcs()
        }
    }
}

impl Switches {
    /// The list as it stands in 4.4.
    #[must_use]
    pub const fn rcs() -> Switches {
        Switches {
            sms_standalone_messages: true,
            mms_standalone_messages: true,
            terminating_sessions: true,
            disposition_notifications: true,
            originating_sessions: false,
            mms_sessions: false,
            group_sessions: false,
            file_transfer: false,
            email: false,
            simple_im: false,
            other_services: false,
            users_without_e164: false,
            several_media_streams: false,
            anonymous_messages: false,
            xdms_preferences: false,
            reselection: false,
            ask_non_cpm_user: false,
            leave_session: false,
            inform_of_closing: false,
            session_modification: false,
            msrp_success_reports: false,
        }
    }
}
