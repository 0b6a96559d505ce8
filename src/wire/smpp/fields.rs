//! The basic types of SMPP 3.4 3.1: integers, C-Octet Strings, Octet Strings.

use super::{CommandStatus, PduError};
use crate::wire::scan;

/// Reads the fields of a PDU body in order.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(body: &'a [u8]) -> Reader<'a> {
        Reader { rest: body, len: body.len() }
    }

    #[cold]
    #[inline(never)]
    fn error(&self, what: &'static str) -> PduError {
        PduError { status: CommandStatus::ESME_RINVCMDLEN, what, at: super::HEADER_BYTES + self.len - self.rest.len() }
    }

    #[inline(always)]
    pub(super) fn octets(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], PduError> {
        let (octets, rest) = self.rest.split_at_checked(len).ok_or_else(|| self.error(what))?;
        self.rest = rest;
        Ok(octets)
    }

    #[inline(always)]
    pub(super) fn u8(&mut self, what: &'static str) -> Result<u8, PduError> {
        Ok(self.octets(1, what)?[0])
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, PduError> {
        let octets = self.octets(4, what)?;
        Ok(octets.iter().fold(0, |number, &octet| number << 8 | u32::from(octet)))
    }

    /// Integers of one octet that follow each other.
    #[inline(always)]
    pub(super) fn ints<const N: usize>(&mut self, what: &[&'static str; N]) -> Result<[u8; N], PduError> {
        let Some((octets, rest)) = self.rest.split_first_chunk() else { return Err(self.missing(what)) };
        self.rest = rest;
        Ok(*octets)
    }

    /// The body ends among them.
    #[cold]
    #[inline(never)]
    fn missing(&mut self, what: &[&'static str]) -> PduError {
        let first = core::mem::take(&mut self.rest).len();
        self.error(what.get(first).copied().unwrap_or_default())
    }

    /// A C-Octet String of at most `max` octets, its NUL included.
    #[inline(always)]
    pub(super) fn c_octets(&mut self, max: usize, what: &'static str) -> Result<&'a [u8], PduError> {
        if let [0, rest @ ..] = self.rest {
            self.rest = rest;
            return Ok(b"");
        }
        let window = self.rest.get(..max.min(self.rest.len())).unwrap_or_default();
        let end = scan::find(0, window).ok_or_else(|| self.error(what))?;
        let value = self.rest.get(..end).unwrap_or_default();
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        Ok(value)
    }

    /// sm_length and as many octets; 255 is reserved (SMPP 3.4 5.2.21).
    #[inline(always)]
    pub(super) fn short_message(&mut self, what: &'static str) -> Result<&'a [u8], PduError> {
        let length = usize::from(self.u8("sm_length")?);
        if length > super::SHORT_MESSAGE_BYTES_MAX {
            return Err(self.error("sm_length").message_length());
        }
        self.octets(length, what).map_err(PduError::message_length)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// Appends a C-Octet String, cut to `max` octets with its NUL.
pub(super) fn put_c_octets(out: &mut Vec<u8>, value: &[u8], max: usize) {
    if !value.is_empty() {
        out.extend_from_slice(c_octets(value, max));
    }
    out.push(0);
}

/// What of a value stands before the NUL of a C-Octet String of at most `max` octets.
#[inline(never)]
fn c_octets(value: &[u8], max: usize) -> &[u8] {
    let value = value.get(..max - 1).unwrap_or(value);
    let end = scan::find(0, value).unwrap_or(value.len());
    value.get(..end).unwrap_or_default()
}

/// What of a text fits into short_message.
pub(super) fn short_message(text: &[u8]) -> &[u8] {
    text.get(..super::SHORT_MESSAGE_BYTES_MAX).unwrap_or(text)
}

/// The fields of a body that is being written, but for its text: `N` is the most that they can take, so that room is
/// looked for once and not field by field.
pub(super) struct Fields<const N: usize> {
    octets: [u8; N],
    len: usize,
}

impl<const N: usize> Fields<N> {
    pub(super) const fn new() -> Fields<N> {
        Fields { octets: [0; N], len: 0 }
    }

    #[inline(always)]
    pub(super) fn put<const OCTETS: usize>(&mut self, value: [u8; OCTETS]) {
        if let Some(place) = self.octets.get_mut(self.len..).and_then(<[u8]>::first_chunk_mut) {
            *place = value;
        }
        self.len += OCTETS;
    }

    /// A C-Octet String, cut to `max` octets with its NUL, which is there already.
    #[inline(always)]
    pub(super) fn put_c_octets(&mut self, value: &[u8], max: usize) {
        if !value.is_empty() {
            self.put_some(value, max);
        }
        self.len += 1;
    }

    /// Addresses and times have between one and two words.
    #[inline(always)]
    fn put_some(&mut self, value: &[u8], max: usize) {
        let place = self.octets.get_mut(self.len..).unwrap_or_default();
        let copied = value.len() < max && scan::copy_without_nul(value, place);
        self.len += if copied { value.len() } else { put_any(c_octets(value, max), place) };
    }

    #[inline(always)]
    pub(super) fn written(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
}

#[inline(never)]
fn put_any(value: &[u8], place: &mut [u8]) -> usize {
    if let Some(place) = place.get_mut(..value.len()) {
        place.copy_from_slice(value);
    }
    value.len()
}

/// SMPP PDUs as one list: a struct per PDU with its fields in wire order, and from it reading and writing.
///
/// Field kinds: `int` (1 octet), `int4` (4 octets), `c N` (C-Octet String of at most N octets with its NUL), `sm`
/// (sm_length and short_message; the last field).
macro_rules! pdu {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $kind:ident $($max:literal)?),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name<'a> {
            $($(#[$fdoc])* #[doc = concat!("`", stringify!($field), "`")] pub $field: pdu!(@type $kind),)*
            /// Optional parameters in the order of the wire.
            pub tlvs: $crate::wire::smpp::Tlvs<'a>,
        }

        /// Strings are shown by their length: they may be addresses, message text or a password.
        impl core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), &pdu!(@show self.$field, $kind)))*
                    .field("tlvs", &self.tlvs)
                    .finish()
            }
        }

        impl<'a> $name<'a> {
            /// Reads the body.
            ///
            /// # Errors
            /// A field does not end within its bound or the body; the TLV region is not a sequence of TLVs.
            pub fn parse(body: &'a [u8]) -> Result<$name<'a>, $crate::wire::smpp::PduError> {
                #[allow(unused_mut)]
                let mut reader = $crate::wire::smpp::fields::Reader::new(body);
                pdu!(@read reader, []; $($field: $kind $($max)?,)*);
                let region = reader.rest();
                let tlvs = if region.is_empty() { Default::default() } else { $crate::wire::smpp::Tlvs::parse(region)? };
                Ok($name { $($field,)* tlvs })
            }

            /// Appends the body. Values longer than their field are cut.
            pub fn emit(&self, out: &mut Vec<u8>) {
                #[allow(unused_mut)]
                let mut fields = $crate::wire::smpp::fields::Fields::<{ 0 $(+ pdu!(@most $kind $($max)?))* }>::new();
                pdu!(@write fields, []; $(self.$field => $kind $($max)?,)*);
                out.extend_from_slice(fields.written());
                $(pdu!(@text self.$field, out, $kind);)*
                if !self.tlvs.as_bytes().is_empty() {
                    out.extend_from_slice(self.tlvs.as_bytes());
                }
            }

            /// The first field whose value would be cut by `emit`: over its bound, or with a NUL inside.
            #[must_use]
            pub fn unfit(&self) -> Option<&'static str> {
                $(if !pdu!(@fits self.$field, $kind $($max)?) { return Some(stringify!($field)); })*
                None
            }
        }
    };
    (@show $v:expr, int) => { $v };
    (@show $v:expr, int4) => { $v };
    (@show $v:expr, c) => { [$v.len()] };
    (@show $v:expr, sm) => { [$v.len()] };
    (@fits $v:expr, int) => { true };
    (@fits $v:expr, int4) => { true };
    (@fits $v:expr, c $max:literal) => { $v.len() < $max && memchr::memchr(0, $v).is_none() };
    (@fits $v:expr, sm) => { $v.len() <= $crate::wire::smpp::SHORT_MESSAGE_BYTES_MAX };
    (@type int) => { u8 };
    (@type int4) => { u32 };
    (@type c) => { &'a [u8] };
    (@type sm) => { &'a [u8] };
    // Integers of one octet are gathered until another field comes.
    (@read $r:ident, [$($run:ident)*]; $field:ident: int, $($rest:tt)*) => {
        pdu!(@read $r, [$($run)* $field]; $($rest)*);
    };
    (@read $r:ident, [$($run:ident)*]; $field:ident: int4, $($rest:tt)*) => {
        pdu!(@ints $r, $($run)*);
        let $field = $r.u32(stringify!($field))?;
        pdu!(@read $r, []; $($rest)*);
    };
    (@read $r:ident, [$($run:ident)*]; $field:ident: c $max:literal, $($rest:tt)*) => {
        pdu!(@ints $r, $($run)*);
        let $field = $r.c_octets($max, stringify!($field))?;
        pdu!(@read $r, []; $($rest)*);
    };
    (@read $r:ident, [$($run:ident)*]; $field:ident: sm, $($rest:tt)*) => {
        pdu!(@ints $r, $($run)*);
        let $field = $r.short_message(stringify!($field))?;
        pdu!(@read $r, []; $($rest)*);
    };
    (@read $r:ident, [$($run:ident)*];) => { pdu!(@ints $r, $($run)*); };
    (@ints $r:ident,) => {};
    (@ints $r:ident, $($run:ident)+) => { let [$($run),+] = $r.ints(&[$(stringify!($run)),+])?; };
    (@most int) => { 1 };
    (@most int4) => { 4 };
    (@most c $max:literal) => { $max };
    (@most sm) => { 1 };
    (@write $fields:ident, [$($run:expr,)*]; $v:expr => int, $($rest:tt)*) => {
        pdu!(@write $fields, [$($run,)* $v,]; $($rest)*);
    };
    (@write $fields:ident, [$($run:expr,)*]; $v:expr => sm, $($rest:tt)*) => {
        let length = u8::try_from($crate::wire::smpp::fields::short_message($v).len()).unwrap_or(0);
        pdu!(@write $fields, [$($run,)* length,]; $($rest)*);
    };
    (@write $fields:ident, [$($run:expr,)*]; $v:expr => int4, $($rest:tt)*) => {
        $fields.put([$($run,)*]);
        $fields.put($v.to_be_bytes());
        pdu!(@write $fields, []; $($rest)*);
    };
    (@write $fields:ident, [$($run:expr,)*]; $v:expr => c $max:literal, $($rest:tt)*) => {
        $fields.put([$($run,)*]);
        $fields.put_c_octets($v, $max);
        pdu!(@write $fields, []; $($rest)*);
    };
    (@write $fields:ident, [$($run:expr,)*];) => { $fields.put([$($run,)*]); };
    (@text $v:expr, $out:ident, sm) => { $out.extend_from_slice($crate::wire::smpp::fields::short_message($v)) };
    (@text $v:expr, $out:ident, $kind:ident) => {};
}
pub(super) use pdu;
