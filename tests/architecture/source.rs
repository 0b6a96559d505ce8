//! A source file with its comments and literals blanked out, so that what is left is code.

use std::path::Path;

/// One file below `src/`.
pub(crate) struct Source {
    /// Below `src/`, with `/`.
    pub(crate) path: String,
    /// First segment of the path, without `.rs`.
    pub(crate) room: String,
    code: String,
}

impl Source {
    pub(crate) fn new(path: &Path, text: &str) -> Source {
        let path = path.to_str().expect("UTF-8 path").replace('\\', "/");
        let room = path.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
        Source { path, room, code: code_of(text) }
    }

    pub(crate) fn lines(&self) -> usize {
        self.code.lines().count()
    }

    /// Rooms named after `crate::` (or `isthmus::` in `main.rs`), with their lines.
    pub(crate) fn imports(&self) -> Vec<(usize, String)> {
        let root = if self.room == "main" { "isthmus::" } else { "crate::" };
        let mut imports = Vec::new();
        for (at, _) in self.code.match_indices(root) {
            let line = self.line_of(at);
            imports.extend(heads(&self.code[at + root.len()..]).into_iter().map(|head| (line, head)));
        }
        imports
    }

    /// Lines whose chain of two or more `super` reaches the crate's root.
    pub(crate) fn climbs(&self) -> Vec<usize> {
        let file = self.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let chain = "super::".repeat(file.split('/').count().max(2));
        self.code.match_indices(&chain).map(|(at, _)| self.line_of(at)).collect()
    }

    /// Lines where `word` stands by itself.
    pub(crate) fn lines_with(&self, word: &str) -> impl Iterator<Item = usize> {
        self.code
            .match_indices(word)
            .filter(|(at, _)| stands_alone(&self.code, *at, word))
            .map(|(at, _)| self.line_of(at))
    }

    fn line_of(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }
}

/// Every `.rs` file below `root`, in order of path.
pub(crate) fn read_all(root: &Path, read: &dyn Fn(&Path) -> String) -> Vec<Source> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("readable folder") {
            let path = entry.expect("readable entry").path();
            match path.extension() {
                _ if path.is_dir() => folders.push(path),
                Some(extension) if extension == "rs" => {
                    files.push(Source::new(path.strip_prefix(root).expect("below the root"), &read(&path)));
                }
                _ => {}
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn stands_alone(code: &str, at: usize, word: &str) -> bool {
    !code[..at].chars().next_back().is_some_and(is_word) && !code[at + word.len()..].chars().next().is_some_and(is_word)
}

/// First segments of a path, or of each member of a group `{a::b, c::{d, e}}`.
fn heads(rest: &str) -> Vec<String> {
    let Some(group) = rest.trim_start().strip_prefix('{') else { return vec![head(rest)] };
    let (mut heads, mut depth) = (vec![head(group)], 1);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => heads.push(head(&group[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads.retain(|head| !head.is_empty() && head != "self");
    heads
}

fn head(path: &str) -> String {
    path.trim_start().chars().take_while(|c| is_word(*c)).collect()
}

/// `text` with comments, string and character literals replaced by blanks; line breaks stay.
fn code_of(text: &str) -> String {
    let (mut code, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        let len = blank_len(rest, code.chars().next_back());
        let taken = &rest[..len.max(c.len_utf8())];
        if len == 0 {
            code.push(c);
        } else {
            code.push(' ');
            code.extend(taken.chars().filter(|c| *c == '\n'));
        }
        rest = &rest[taken.len()..];
    }
    code
}

/// Length of the comment or literal that `rest` starts with; 0 if it starts with code.
fn blank_len(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment_len(rest);
    }
    if rest.starts_with('r') && !before.is_some_and(|c| is_word(c) && c != 'b') {
        return raw_string_len(rest);
    }
    match rest.chars().next() {
        Some('"') => quoted_len(rest),
        Some('\'') => character_len(rest),
        _ => 0,
    }
}

fn block_comment_len(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let step = match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (1, 2),
            [b'*', b'/', ..] => (-1, 2),
            _ => (0, 1),
        };
        depth += step.0;
        at += step.1;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn raw_string_len(rest: &str) -> usize {
    let hashes = rest[1..].bytes().take_while(|b| *b == b'#').count();
    if !rest[1 + hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let start = 2 + hashes;
    rest[start..].find(&end).map_or(rest.len(), |at| start + at + end.len())
}

fn quoted_len(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A lifetime has no closing quote after one character.
fn character_len(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, c))) => {
            let from = at + c.len_utf8();
            rest[from..].find('\'').map_or(0, |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}
