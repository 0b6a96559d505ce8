//! What is kept of a message, and until when: 6.1.2, and of chat messages.

use isthmus::iwf::retained::{Procedure, Progress, Stored};

fn ends(progress: &Progress) -> [Option<&'static str>; 2] {
    [Stored::SipHeaders, Stored::ImdnHeaders].map(|stored| progress.end_of(stored).map(|end| end.cite))
}

const LARGE: Progress = Progress {
    procedure: Procedure::LargeMessage,
    terminated: false,
    report_requested: false,
    answered: true,
    submitted: true,
    relayed: false,
    displayed: false,
    expired: false,
};

/// [GEN-LMM-02a] [GEN-LMM-09b1] [GEN-LMM-09b]
#[test]
fn without_a_request_a_large_message_is_kept_until_its_session_ends() {
    assert_eq!(ends(&LARGE), [None, None]);
    assert!(!LARGE.is_over());
    let terminated = Progress { terminated: true, ..LARGE };
    assert_eq!(ends(&terminated), [Some("6.1.2 2 a"), Some("6.1.2 SEND 2 a")]);
    assert!(terminated.is_over());
}

/// [GEN-LMM-02b] [GEN-LMM-09b2]
#[test]
fn with_a_request_it_is_kept_until_the_reports_were_relayed() {
    let asked = Progress { report_requested: true, terminated: true, ..LARGE };
    assert_eq!(ends(&asked), [None, None]);
    assert!(!asked.is_over());
    let relayed = Progress { relayed: true, ..asked };
    assert_eq!(ends(&relayed), [Some("6.1.2 2 b"), Some("6.1.2 SEND 2 b")]);
    assert!(relayed.is_over());
}

/// [GEN-LMM-02c] [GEN-LMM-09b3]
#[test]
fn or_until_the_short_message_would_have_expired() {
    for report_requested in [false, true] {
        let expired = Progress { report_requested, expired: true, ..LARGE };
        assert_eq!(ends(&expired), [Some("6.1.2 2 c"), Some("6.1.2 SEND 2 c")]);
        assert!(expired.is_over());
    }
}

/// [SMS-OK-02b]
#[test]
fn what_a_notification_needs_of_a_chat_message_outlives_its_session() {
    let chat = Progress { procedure: Procedure::Chat, report_requested: true, terminated: true, ..LARGE };
    assert_eq!(ends(&chat), [None, None]);
    assert!(Progress { relayed: true, ..chat }.is_over() && Progress { expired: true, ..chat }.is_over());
    assert!(Progress { report_requested: false, terminated: false, ..chat }.is_over());
}
