//! Writing HTML and SVG. Nothing else writes an angle bracket, so that every text is escaped and every element is closed.

use std::fmt::{self, Display, Write};

/// Names and values.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a dyn Display)];

/// A document under way. It is well-formed XML as well as HTML.
#[derive(Debug, Default)]
pub(super) struct Markup {
    text: String,
}

impl Markup {
    /// A document of which only its type stands.
    pub(super) fn html() -> Markup {
        Markup { text: String::from("<!DOCTYPE html>\n") }
    }

    /// An element and what `inside` writes.
    pub(super) fn element(&mut self, name: &str, attributes: Attributes<'_>, inside: impl FnOnce(&mut Markup)) {
        self.start(name, attributes);
        self.text.push('>');
        inside(self);
        let _ = writeln!(self.text, "</{name}>");
    }

    /// An element with nothing in it: one of SVG, or one that HTML knows as empty.
    pub(super) fn empty(&mut self, name: &str, attributes: Attributes<'_>) {
        self.start(name, attributes);
        self.text.push_str("/>\n");
    }

    /// An element with a text.
    pub(super) fn line(&mut self, name: &str, attributes: Attributes<'_>, text: impl Display) {
        self.element(name, attributes, |inside| inside.text(text));
    }

    /// A text.
    pub(super) fn text(&mut self, text: impl Display) {
        let _ = write!(Escaped(&mut self.text), "{text}");
    }

    /// A style sheet of our own, which has nothing to escape.
    pub(super) fn style(&mut self, sheet: &'static str) {
        debug_assert!(!sheet.contains(['<', '&']), "a style sheet with markup in it");
        let _ = write!(self.text, "<style>\n{sheet}</style>\n");
    }

    /// The document.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn start(&mut self, name: &str, attributes: Attributes<'_>) {
        self.text.push('<');
        self.text.push_str(name);
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"");
            self.text(value);
            self.text.push('"');
        }
    }
}

/// Replaces what means something in HTML and what XML does not allow.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(c),
                '\u{fffe}' | '\u{ffff}' => self.0.push('\u{fffd}'),
                c if c.is_control() => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}
