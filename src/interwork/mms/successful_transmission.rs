//! Successful MMS Transmission. OMA CPM IWF V3.0, 6.3.1.1.7: what the 2xx to a SIP MESSAGE and the 200 to the BYE of a large
//! message say beside what every response says.

use crate::wire::mail::mm4::id::unquoted;

/// Message-Context: "multimedia-message, indicating that MMS delivery was used for that message".
pub const MESSAGE_CONTEXT: &[u8] = b"multimedia-message";

/// Message-Correlator: "the unique identifier of the MMS", its Message ID, as it is compared.
#[must_use]
pub fn message_correlator(message_id: &[u8]) -> &[u8] {
    unquoted(message_id)
}
