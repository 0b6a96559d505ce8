//! What one shard counts.

use super::family::families;

families! {
    /// Counted since the shard started; gauges are brought up to date when they are read.
    pub struct Stats {}

    Counter sip_messages "SIP messages that reached the core that owns them." { sip_messages }
    Counter sip_handed_over "SIP messages from a stream handed to the core that owns their Call-ID." { sip_handed_over }
    Counter sip_dropped "What was refused before it was a SIP transaction, by reason." {
        sip_malformed [reason "malformed"],
        sip_responses_unmatched [reason "unmatched_response"],
    }
    Counter sip_refused "SIP requests refused before their meaning was looked at, by reason." {
        sip_rejected [reason "invalid"],
        sip_untrusted [reason "untrusted"],
        sip_overload [reason "overload"],
    }
    Counter sip_retransmissions "SIP messages that came or went again." {
        sip_retransmissions_absorbed [direction "in"],
        sip_retransmissions_sent [direction "out"],
    }

    Counter messages "Messages that crossed, by direction and result." {
        cpm_accepted [direction "cpm_to_sms", result "accepted"],
        cpm_refused [direction "cpm_to_sms", result "refused"],
        delivers_accepted [direction "sms_to_cpm", result "accepted"],
        delivers_refused [direction "sms_to_cpm", result "refused"],
    }
    Counter submits "Short messages submitted." { submits }
    Counter submit_outcome_unknown "CPM messages of which nobody knows whether the SM-SC took them." {
        submit_outcome_unknown
    }
    Counter submit_partial "CPM messages refused although some of their segments were taken." { submit_partial }
    Counter submit_late "Responses of the SM-SC that came after the CPM side had its answer." { submit_late }
    Counter submits_resent "Segments sent to another link because the first could not send them." { submit_resent }
    Counter delivers "Short messages received for CPM users." { delivers }
    Counter redelivered "Short messages delivered again after a lost response, and not passed on twice." { redelivered }

    Counter parts "Parts of concatenated short messages." {
        parts_stored [what "stored"],
        parts_repeated [what "repeated"],
    }
    Counter joins_expired "Concatenated short messages whose rest did not come in time." { joins_expired }

    Counter reports "Status reports received." { reports }
    Counter reports_early "Status reports that came before the message_id they name." { reports_early }
    Counter reports_unknown "Status reports whose message was not found." { reports_unknown }
    Counter reports_intermediate "Status reports of a state that is not final." { reports_intermediate }
    Counter reports_repeated "Status reports for a segment that was decided before." { reports_repeated }
    Counter imdns "Disposition notifications sent to CPM, by result." {
        imdns_sent [result "accepted"],
        imdns_failed [result "failed"],
    }
    Counter events "Interworking events sent to the Participating Function, by result." {
        events_sent [result "accepted"],
        events_failed [result "failed"],
    }

    Counter imdns_received "Disposition notifications from CPM; only those about MMs are passed on." { imdns_received }
    Counter records_not_restored "Records of an earlier run that could not be read, or are of an SM-SC that is not configured." {
        records_not_restored
    }
    Counter reports_not_kept "message_ids that found no room; their reports will not be found." { reports_not_kept }
    Counter sip_connections_timed_out "SIP connections closed for idleness or slowness." { sip_connections_timed_out }
    Counter sessions "INVITEs that were decided, by what they asked for and result." {
        large_messages_accepted [service "large_message", result "accepted"],
        large_messages_refused [service "large_message", result "refused"],
        chats_accepted [service "chat", result "accepted"],
        chats_refused [service "chat", result "refused"],
        large_deliveries_accepted [service "sms_to_large_message", result "accepted"],
        large_deliveries_refused [service "sms_to_large_message", result "refused"],
    }
    Counter msrp_chunks "Chunks received for sessions." { msrp_chunks }
    Counter msrp_dropped "MSRP that led nowhere, by reason." {
        msrp_malformed [reason "malformed"],
        msrp_unmatched [reason "no_session"],
        msrp_discarded [reason "incomplete"],
        msrp_connections_timed_out [reason "idle_connection"],
        msrp_connections_lost [reason "lost_connection"],
    }
    Counter msrp_outcome_unknown "Messages sent by MSRP of which nobody knows whether the peer took them." {
        msrp_outcome_unknown
    }
    Counter multimedia_messages "MMs that crossed, by direction and result." {
        mms_accepted [direction "cpm_to_mms", result "accepted"],
        mms_refused [direction "cpm_to_mms", result "refused"],
        mms_delivered [direction "mms_to_cpm", result "accepted"],
        mms_undelivered [direction "mms_to_cpm", result "refused"],
    }
    Counter multimedia_outcome_unknown "CPM messages of which nobody knows whether the MMS Relay/Server took them." {
        mms_outcome_unknown
    }
    Counter multimedia_responses_missing "CPM messages whose MM4_forward.RES did not come in time." {
        mms_responses_missing
    }
    Counter multimedia_received "MM4_forward.REQ received." { mms_received }
    Counter multimedia_repeated "MM4_forward.REQ that came again, answered and not delivered twice." { mms_repeated }
    Counter multimedia_reports "Reports received from MMS Relay/Servers." { mms_reports }
    Counter multimedia_reports_sent "Reports to MMS Relay/Servers, by result." {
        mms_reports_sent [result "accepted"],
        mms_reports_failed [result "failed"],
    }
    Counter mails "Mails between us and MMS Relay/Servers, by direction and result." {
        mm4_mails_received [direction "in", result "received"],
        mm4_mails_sent [direction "out", result "accepted"],
        mm4_mails_failed [direction "out", result "failed"],
    }
    Counter mails_dropped "Mails that led nowhere, by reason." {
        mm4_malformed [reason "malformed"],
        mm4_unmatched [reason "no_message"],
        mm4_responses_lost [reason "response_lost"],
    }
    Counter log_events_dropped "Log events that found no room." { events_dropped }

    Gauge binds_bound "Binds that are up." { binds_bound }
    Gauge sip_transactions "SIP transactions." {
        server_transactions [side "server"],
        client_transactions [side "client"],
    }
    Gauge sip_connections "SIP connections." { sip_connections }
    Gauge msrp_connections "MSRP connections." { msrp_connections }
    Gauge sessions_open "Sessions, by what they are for." {
        large_messages_open [service "large_message"],
        chats_open [service "chat"],
        large_deliveries_open [service "sms_to_large_message"],
    }
    Gauge mail_sessions "SMTP sessions, by who opened them." {
        mms_sessions_ready [side "client"],
        mms_sessions_open [side "server"],
    }
    Gauge open_multimedia "CPM messages for MMS that await responses or reports." { open_mms }
    Gauge awaited_multimedia "MMs whose notifications are awaited." { mms_awaited }
    Gauge open_messages "CPM messages that await responses or reports." { open_messages }
    Gauge open_reports "message_ids that await a status report." { open_reports }
    Gauge records_waiting "Acknowledgements that wait for their records to be written." { records_waiting }
    Gauge storage_failing "1 while records cannot be written." { storage_failing }
    Gauge undelivered "Short messages that wait for another attempt." { undelivered }
    Gauge joining "Concatenated short messages of which parts are held." { joining }
    Gauge held_reports "Status reports that wait for their message." { held_reports }
}
