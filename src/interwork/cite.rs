//! Where in the documents a rule stands.

/// A document, by its name and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document(pub &'static str);

/// CPM Interworking Function.
pub const IWF_V3: Document = Document("OMA-TS-CPM_Interworking_Function-V3_0-20171224-D");

/// A table of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cite {
    /// The document.
    pub document: Document,
    /// Number of the section, "6.2.2.1.1".
    pub section: &'static str,
    /// Number of the table; 0 where the rule is in the text.
    pub table: u8,
}

impl Document {
    /// Names a table.
    #[must_use]
    pub const fn table(self, section: &'static str, table: u8) -> Cite {
        Cite { document: self, section, table }
    }

    /// Names the text of a section.
    #[must_use]
    pub const fn text(self, section: &'static str) -> Cite {
        self.table(section, 0)
    }
}
