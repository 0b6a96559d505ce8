//! The user data header in front of the text. TS 23.040 9.2.3.24.

use super::data_coding::message_class;
use super::national::{Language, National};

/// Which segment of a concatenated message this is (9.2.3.24.1, 9.2.3.24.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concatenated {
    /// What the segments share; 8 bits unless `wide`.
    pub reference: u16,
    /// Whether the reference has 16 bits; 8-bit and 16-bit references of equal value are different messages.
    pub wide: bool,
    /// Segments of the message, at least 1.
    pub total: u8,
    /// Position, 1 to `total`.
    pub number: u8,
}

/// Received user data, taken apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserData<'a> {
    /// The concatenation element, if it makes sense; one with a zero or a number above its total is ignored.
    pub concatenated: Option<Concatenated>,
    /// Destination port, 8- or 16-bit: not for the user.
    pub destination_port: Option<u16>,
    /// Identifier of the national single shift table.
    pub single_shift: Option<u8>,
    /// Identifier of the national locking shift table.
    pub locking_shift: Option<u8>,
    /// Whether an element of the (U)SIM toolkit security range is there.
    pub toolkit: bool,
    /// Whether lengths did not add up; then no element is believed, and the text is what follows the header.
    pub broken: bool,
    /// What follows the header.
    pub text: &'a [u8],
}

/// Why a short message is not one that a person wrote to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotForUser {
    /// It names an application port.
    Port(u16),
    /// Message class 2: for the (U)SIM.
    Class2,
    /// TP-PID 0x40, short message type 0: to be discarded.
    Type0,
    /// TP-PID 0x7C to 0x7F: data download, depersonalization.
    DataDownload,
    /// (U)SIM toolkit security header.
    Toolkit,
}

/// What a header is written from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The concatenation element.
    pub concatenated: Option<Concatenated>,
    /// The tables to announce.
    pub national: National,
}

impl<'a> UserData<'a> {
    /// User data that has no header: all text.
    #[must_use]
    pub fn plain(text: &'a [u8]) -> UserData<'a> {
        UserData { text, ..UserData::default() }
    }

    /// Takes the header off `octets`, which esm_class said start with one. Unknown elements are passed over; of a
    /// repeated element the last counts.
    #[must_use]
    pub fn with_header(octets: &'a [u8]) -> UserData<'a> {
        let broken = UserData { broken: true, ..UserData::default() };
        let Some((length, rest)) = octets.split_first() else { return broken };
        let Some((elements, text)) = rest.split_at_checked(usize::from(*length)) else { return broken };
        UserData::plain(text).read(elements).unwrap_or(UserData { text, ..broken })
    }

    /// The national tables, or the identifier of one we do not have.
    ///
    /// # Errors
    /// The unknown identifier: such text cannot be decoded, only refused.
    pub fn national(&self) -> Result<National, u8> {
        let language = |id: Option<u8>| id.map(|id| Language::from_id(id).ok_or(id)).transpose();
        Ok(National { locking: language(self.locking_shift)?, single: language(self.single_shift)? })
    }

    /// Why this must not become a user's message, if so. `protocol_id` is the TP-PID passed through.
    #[must_use]
    pub fn not_for_user(&self, data_coding: u8, protocol_id: u8) -> Option<NotForUser> {
        if self.toolkit {
            return Some(NotForUser::Toolkit);
        }
        match (self.destination_port, protocol_id) {
            (Some(port), _) => Some(NotForUser::Port(port)),
            (None, 0x40) => Some(NotForUser::Type0),
            (None, 0x7C..=0x7F) => Some(NotForUser::DataDownload),
            (None, _) => (message_class(data_coding) == Some(2)).then_some(NotForUser::Class2),
        }
    }

    fn read(mut self, mut elements: &[u8]) -> Option<UserData<'a>> {
        while let [identifier, length, rest @ ..] = elements {
            let (data, after) = rest.split_at_checked(usize::from(*length))?;
            self.element(*identifier, data);
            elements = after;
        }
        elements.is_empty().then_some(self)
    }

    fn element(&mut self, identifier: u8, data: &[u8]) {
        match (identifier, data) {
            (0x00, [reference, total, number]) => {
                self.concatenated = concatenated(u16::from(*reference), false, *total, *number).or(self.concatenated);
            }
            (0x08, [high, low, total, number]) => {
                let reference = u16::from_be_bytes([*high, *low]);
                self.concatenated = concatenated(reference, true, *total, *number).or(self.concatenated);
            }
            (0x04, [destination, _]) => self.destination_port = Some(u16::from(*destination)),
            (0x05, [high, low, _, _]) => self.destination_port = Some(u16::from_be_bytes([*high, *low])),
            (0x24, [language]) => self.single_shift = Some(*language),
            (0x25, [language]) => self.locking_shift = Some(*language),
            (0x70..=0x7F, _) => self.toolkit = true,
            _ => {}
        }
    }
}

/// Appends a user data header with its length octet, or nothing and `false` if there is nothing to say.
pub fn write_header(header: &Header, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    out.push(0);
    if let Some(concatenated) = header.concatenated {
        write_concatenated(&concatenated, out);
    }
    let single = header.national.single.map(|language| [0x24, 1, language.id()]);
    let locking = header.national.locking.map(|language| [0x25, 1, language.id()]);
    single.into_iter().chain(locking).for_each(|element| out.extend_from_slice(&element));
    let length = u8::try_from(out.len() - start - 1).unwrap_or(u8::MAX);
    if length == 0 {
        out.truncate(start);
        return false;
    }
    out[start] = length;
    true
}

fn write_concatenated(concatenated: &Concatenated, out: &mut Vec<u8>) {
    let [high, low] = concatenated.reference.to_be_bytes();
    if concatenated.wide {
        out.extend_from_slice(&[0x08, 4, high, low, concatenated.total, concatenated.number]);
    } else {
        out.extend_from_slice(&[0x00, 3, low, concatenated.total, concatenated.number]);
    }
}

fn concatenated(reference: u16, wide: bool, total: u8, number: u8) -> Option<Concatenated> {
    (number >= 1 && number <= total).then_some(Concatenated { reference, wide, total, number })
}
