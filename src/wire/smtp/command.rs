//! Commands (RFC 5321 4.1.1).

use super::{CRLF, Parameters, Path};
use crate::wire::Malformed;

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// EHLO, and the client's name or address literal.
    Ehlo(&'a [u8]),
    /// HELO, and the same.
    Helo(&'a [u8]),
    /// MAIL FROM: begins a mail.
    Mail {
        /// Who gets what cannot be delivered.
        from: Path<'a>,
        /// What extensions say.
        parameters: Parameters<'a>,
    },
    /// RCPT TO: adds a recipient.
    Rcpt {
        /// Who gets the mail.
        to: Path<'a>,
        /// What extensions say.
        parameters: Parameters<'a>,
    },
    /// DATA: the mail data follow after 354.
    Data,
    /// RSET: the mail that was begun is none.
    Rset,
    /// NOOP.
    Noop,
    /// QUIT.
    Quit,
    /// HELP.
    Help,
    /// VRFY, and a string.
    Vrfy(&'a [u8]),
    /// EXPN, and a string.
    Expn(&'a [u8]),
    /// Any other verb.
    Other(&'a [u8]),
}

impl<'a> Command<'a> {
    /// Reads a command line without its line end. Verbs are compared without case; blanks at the end are nobody's.
    ///
    /// # Errors
    /// A known command whose argument cannot be read, or a line with controls or octets beyond ASCII.
    pub fn parse(line: &'a [u8]) -> Result<Command<'a>, Malformed> {
        let line = without_blanks(line);
        if let Some(at) = line.iter().position(|octet| !matches!(octet, b' '..=b'~')) {
            return Err(Malformed::new("command line", at));
        }
        let end = line.iter().position(|octet| *octet == b' ').unwrap_or(line.len());
        let (verb, argument) = line.split_at(end);
        let argument = argument.trim_ascii_start();
        let at = line.len() - argument.len();
        read(verb, argument).map_err(|why| Malformed { at: why.at + at, ..why })
    }

    /// Appends the command and its line end.
    pub fn emit(&self, out: &mut Vec<u8>) {
        match self {
            Command::Ehlo(name) => with_argument(b"EHLO", name, out),
            Command::Helo(name) => with_argument(b"HELO", name, out),
            Command::Mail { from, parameters } => with_path(b"MAIL FROM:", from, *parameters, out),
            Command::Rcpt { to, parameters } => with_path(b"RCPT TO:", to, *parameters, out),
            Command::Data => out.extend_from_slice(b"DATA"),
            Command::Rset => out.extend_from_slice(b"RSET"),
            Command::Noop => out.extend_from_slice(b"NOOP"),
            Command::Quit => out.extend_from_slice(b"QUIT"),
            Command::Help => out.extend_from_slice(b"HELP"),
            Command::Vrfy(string) => with_argument(b"VRFY", string, out),
            Command::Expn(string) => with_argument(b"EXPN", string, out),
            Command::Other(verb) => out.extend_from_slice(verb),
        }
        out.extend_from_slice(CRLF);
    }
}

fn without_blanks(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|octet| !matches!(octet, b' ' | b'\t'));
    line.get(..end.map_or(0, |last| last + 1)).unwrap_or_default()
}

fn read<'a>(verb: &'a [u8], argument: &'a [u8]) -> Result<Command<'a>, Malformed> {
    let is = |name: &[u8]| verb.eq_ignore_ascii_case(name);
    match () {
        () if is(b"EHLO") => Ok(Command::Ehlo(argument)),
        () if is(b"HELO") => Ok(Command::Helo(argument)),
        () if is(b"MAIL") => read_path(argument, b"FROM:").map(|(from, parameters)| Command::Mail { from, parameters }),
        () if is(b"RCPT") => read_path(argument, b"TO:").map(|(to, parameters)| Command::Rcpt { to, parameters }),
        () if is(b"DATA") => alone(Command::Data, argument),
        () if is(b"RSET") => alone(Command::Rset, argument),
        () if is(b"QUIT") => alone(Command::Quit, argument),
        () if is(b"NOOP") => Ok(Command::Noop),
        () if is(b"HELP") => Ok(Command::Help),
        () if is(b"VRFY") => Ok(Command::Vrfy(argument)),
        () if is(b"EXPN") => Ok(Command::Expn(argument)),
        () => Ok(Command::Other(verb)),
    }
}

/// A command that has no argument (RFC 5321 4.1.1.4, 4.1.1.5, 4.1.1.10).
fn alone<'a>(command: Command<'a>, argument: &[u8]) -> Result<Command<'a>, Malformed> {
    if argument.is_empty() { Ok(command) } else { Err(Malformed::new("argument", 0)) }
}

fn read_path<'a>(argument: &'a [u8], keyword: &[u8]) -> Result<(Path<'a>, Parameters<'a>), Malformed> {
    let said = argument.get(..keyword.len()).is_some_and(|said| said.eq_ignore_ascii_case(keyword));
    let after = argument.get(keyword.len()..).filter(|_| said).ok_or(Malformed::new("path", 0))?;
    let moved = |why: Malformed, left: &[u8]| Malformed { at: why.at + argument.len() - left.len(), ..why };
    let (path, rest) = Path::read(after).map_err(|why| moved(why, after))?;
    Ok((path, Parameters::parse(rest).map_err(|why| moved(why, rest))?))
}

fn with_argument(verb: &[u8], argument: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(verb);
    if !argument.is_empty() {
        out.push(b' ');
        out.extend_from_slice(argument);
    }
}

fn with_path(verb: &[u8], path: &Path<'_>, parameters: Parameters<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(verb);
    path.emit(out);
    out.extend_from_slice(parameters.as_bytes());
}
