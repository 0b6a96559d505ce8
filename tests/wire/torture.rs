//! The messages of RFC 4475 as octets, and the table of what becomes of each.

/// The rows: name, section, transport, stream, element, gateway, why.
pub(crate) fn table() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = include_str!("../spec/rfc4475.tsv").lines();
    lines.filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
}

/// The message `name`: in its file a line end is CRLF, after a backslash none.
pub(crate) fn message(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/spec/rfc4475/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{path}: {why}"));
    octets(&text.replace("\\\n", "").replace('\n', "\\x0D\\x0A"))
}

/// The octets a cell stands for: `\xNN` is one octet and `\\` a backslash.
pub(crate) fn octets(cell: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = cell.as_bytes();
    while let [octet, after @ ..] = rest {
        rest = match (octet, after) {
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = [*high, *low];
                let text = core::str::from_utf8(&digits).unwrap();
                out.push(u8::from_str_radix(text, 16).unwrap());
                after
            }
            (b'\\', [b'\\', after @ ..]) => {
                out.push(b'\\');
                after
            }
            (b'\\', _) => panic!("no such escape in {cell}"),
            _ => {
                out.push(*octet);
                after
            }
        }
    }
    out
}
