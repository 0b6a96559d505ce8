//! Which way a stream flows (RFC 3264 5.1 and 6.1).

/// As the one who says it sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// Only from the one who says it.
    SendOnly,
    /// Only to the one who says it.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Every direction.
    pub const ALL: [Direction; 4] =
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];

    /// The attribute.
    #[must_use]
    pub const fn name(self) -> &'static [u8] {
        match self {
            Direction::SendRecv => b"sendrecv",
            Direction::SendOnly => b"sendonly",
            Direction::RecvOnly => b"recvonly",
            Direction::Inactive => b"inactive",
        }
    }

    /// Whether the one who says it sends.
    #[must_use]
    pub const fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether the one who says it receives.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// What is left of ours when the peer says `theirs`: one side sends only what the other receives (RFC 3264 6.1).
    #[must_use]
    pub const fn against(self, theirs: Direction) -> Direction {
        match (self.sends() && theirs.receives(), self.receives() && theirs.sends()) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    use super::*;

    /// RFC 3264 6.1: what an answerer that wants everything says to each offer.
    #[test]
    fn answers_mirror_offers() {
        let answered = Direction::ALL.map(|offered| SendRecv.against(offered));
        assert_eq!(answered, [SendRecv, RecvOnly, SendOnly, Inactive]);
    }

    #[test]
    fn nobody_gets_more_than_he_said() {
        for (ours, theirs) in Direction::ALL.iter().flat_map(|ours| Direction::ALL.map(|theirs| (*ours, theirs))) {
            let left = ours.against(theirs);
            assert!(!left.sends() || ours.sends() && theirs.receives(), "{ours:?} {theirs:?}");
            assert!(!left.receives() || ours.receives() && theirs.sends(), "{ours:?} {theirs:?}");
            assert_eq!(left.against(theirs), left);
        }
    }
}
