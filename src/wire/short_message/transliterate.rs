//! Look-alikes for characters a coding does not have. Used only where the operator switched it on: it changes the text.

use super::Coding;

/// What `c` costs in `coding`, itself or as its look-alike, or `None` if it has neither there.
#[must_use]
pub fn units(c: char, coding: Coding) -> Option<usize> {
    coding.units_of(c).or_else(|| coding.units(look_alike(c)?))
}

/// Appends `c`, or its look-alike, or `?`.
pub fn encode(c: char, coding: Coding, out: &mut Vec<u8>) {
    match (coding.units_of(c), look_alike(c)) {
        (None, Some(look_alike)) => coding.encode(look_alike, out),
        _ => coding.encode_char(c, out),
    }
}

/// The look-alike of `c` in ASCII or in the default alphabet.
#[must_use]
pub fn look_alike(c: char) -> Option<&'static str> {
    LOOK_ALIKES.binary_search_by_key(&c, |(known, _)| *known).ok().map(|at| LOOK_ALIKES[at].1)
}

/// Sorted by character; the unit test holds the order.
#[rustfmt::skip]
const LOOK_ALIKES: &[(char, &str)] = &[
    ('\t', " "), ('`', "'"), ('\u{A0}', " "), ('«', "\""), ('\u{AD}', ""), ('´', "'"), ('»', "\""),
    ('À', "A"), ('Á', "A"), ('Â', "A"), ('Ã', "A"), ('È', "E"), ('Ê', "E"), ('Ë', "E"), ('Ì', "I"), ('Í', "I"),
    ('Î', "I"), ('Ï', "I"), ('Ò', "O"), ('Ó', "O"), ('Ô', "O"), ('Õ', "O"), ('Ù', "U"), ('Ú', "U"), ('Û', "U"),
    ('Ý', "Y"), ('á', "a"), ('â', "a"), ('ã', "a"), ('ç', "c"), ('ê', "e"), ('ë', "e"), ('í', "i"), ('î', "i"),
    ('ï', "i"), ('ó', "o"), ('ô', "o"), ('õ', "o"), ('ú', "u"), ('û', "u"), ('ý', "y"), ('ÿ', "y"),
    ('Ą', "A"), ('ą', "a"), ('Ć', "C"), ('ć', "c"), ('Č', "C"), ('č', "c"), ('Ď', "D"), ('ď', "d"), ('Ę', "E"),
    ('ę', "e"), ('Ě', "E"), ('ě', "e"), ('Ğ', "G"), ('ğ', "g"), ('İ', "I"), ('ı', "i"), ('Ł', "L"), ('ł', "l"),
    ('Ń', "N"), ('ń', "n"), ('Ň', "N"), ('ň', "n"), ('Ő', "O"), ('ő', "o"), ('Œ', "OE"), ('œ', "oe"), ('Ř', "R"),
    ('ř', "r"), ('Ś', "S"), ('ś', "s"), ('Ş', "S"), ('ş', "s"), ('Š', "S"), ('š', "s"), ('Ť', "T"), ('ť', "t"),
    ('Ů', "U"), ('ů', "u"), ('Ű', "U"), ('ű', "u"), ('Ź', "Z"), ('ź', "z"), ('Ż', "Z"), ('ż', "z"), ('Ž', "Z"),
    ('ž', "z"), ('\u{2010}', "-"), ('\u{2011}', "-"), ('\u{2013}', "-"), ('\u{2014}', "-"), ('\u{2018}', "'"),
    ('\u{2019}', "'"), ('\u{201A}', "'"), ('\u{201C}', "\""), ('\u{201D}', "\""), ('\u{201E}', "\""),
    ('\u{2022}', "*"), ('\u{2026}', "..."), ('\u{202F}', " "), ('\u{2032}', "'"), ('\u{2033}', "\""),
    ('\u{2039}', "'"), ('\u{203A}', "'"), ('\u{2212}', "-"),
];

#[cfg(test)]
mod tests {
    use super::LOOK_ALIKES;

    #[test]
    fn look_alikes_are_sorted_for_the_binary_search() {
        assert!(LOOK_ALIKES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
