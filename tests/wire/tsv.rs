//! Tables typed from the specifications, in `tests/spec/`.

/// The cells of each row below the comments and the heading.
pub(crate) fn rows(tsv: &str) -> impl Iterator<Item = Vec<&str>> {
    tsv.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect())
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
