//! Randomness from the host, for seeds and keys.

use std::io;

use rustix::rand::{GetRandomFlags, getrandom};

/// `N` random octets.
pub(super) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        filled += getrandom(&mut bytes[filled..], GetRandomFlags::empty())?;
    }
    Ok(bytes)
}

/// Two random words.
pub(super) fn key() -> io::Result<[u64; 2]> {
    Ok([u64::from_ne_bytes(bytes()?), u64::from_ne_bytes(bytes()?)])
}
