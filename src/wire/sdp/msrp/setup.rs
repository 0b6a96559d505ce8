//! Which side connects (RFC 4145 4, RFC 6135 4).

/// The attribute setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// Connects.
    Active,
    /// Listens.
    Passive,
    /// Either; only in offers.
    ActPass,
}

impl Setup {
    /// The value of the attribute.
    #[must_use]
    pub const fn name(self) -> &'static [u8] {
        match self {
            Setup::Active => b"active",
            Setup::Passive => b"passive",
            Setup::ActPass => b"actpass",
        }
    }

    /// `None` for holdconn, which MSRP ignores (RFC 6135 4), and for everything else.
    #[must_use]
    pub fn read(value: &[u8]) -> Option<Setup> {
        [Setup::Active, Setup::Passive, Setup::ActPass].into_iter().find(|one| value.eq_ignore_ascii_case(one.name()))
    }

    /// What we are as the answerer who would rather be this.
    pub(super) const fn in_answer_to(self, offered: Option<Setup>) -> Setup {
        match (offered, self) {
            (Some(Setup::Passive), _) | (Some(Setup::ActPass), Setup::Active) => Setup::Active,
            _ => Setup::Passive,
        }
    }

    /// What we are as the offerer who said this, or `None` if the answer cannot be. A peer that does not say is one that
    /// waits for the offerer to connect (RFC 4975 5.4).
    pub(super) const fn answered_by(self, answered: Option<Setup>) -> Option<Setup> {
        match (self, answered) {
            (Setup::Active, Some(Setup::Active)) | (Setup::Passive, Some(Setup::Passive)) => None,
            (_, Some(Setup::Active)) => Some(Setup::Passive),
            _ => Some(Setup::Active),
        }
    }
}
