//! Septets packed into octets, as the air interface and MAP carry them. TS 23.038 6.1.2.1.

/// Fill bits between a user data header of `header_octets` and the first septet (TS 23.040 9.2.3.24).
#[must_use]
pub const fn fill_bits(header_octets: usize) -> usize {
    (7 - (8 * header_octets) % 7) % 7
}

/// Appends `septets` packed, after `fill_bits` zero bits (below 7).
pub fn pack(septets: &[u8], fill_bits: usize, out: &mut Vec<u8>) {
    let mut held = 0u16;
    let mut held_bits = fill_bits;
    for septet in septets {
        held |= u16::from(septet & 0x7F) << held_bits;
        held_bits += 7;
        if held_bits >= 8 {
            out.push(held.to_le_bytes()[0]);
            held >>= 8;
            held_bits -= 8;
        }
    }
    if held_bits > 0 {
        out.push(held.to_le_bytes()[0]);
    }
}

/// Appends at most `count` septets unpacked from `octets`, after `fill_bits` bits; fewer if the octets end before.
pub fn unpack(octets: &[u8], fill_bits: usize, count: usize, out: &mut Vec<u8>) {
    let available = (octets.len() * 8).saturating_sub(fill_bits) / 7;
    out.extend((0..count.min(available)).map(|index| septet_at(octets, fill_bits + 7 * index)));
}

fn septet_at(octets: &[u8], bit: usize) -> u8 {
    let octet = |index: usize| octets.get(index).copied().unwrap_or(0);
    let pair = u16::from_le_bytes([octet(bit / 8), octet(bit / 8 + 1)]);
    (pair >> (bit % 8)).to_le_bytes()[0] & 0x7F
}
