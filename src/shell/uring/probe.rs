//! Whether the host lets us, before anything depends on it.

use std::sync::Arc;

use io_uring::{Probe, opcode};

use super::buffer_ring::BufferRing;
use super::ring::Ring;
use crate::shell::bell::Bell;
use crate::shell::buffers::Measures;

/// Tries what a port does: a ring with our flags and a ring of buffers, and asks for operations that came with multishot
/// receives (Linux 6.0).
///
/// # Errors
/// Says what was refused, and how.
pub(in crate::shell) fn probe() -> Result<(), String> {
    let ring = Ring::new().map_err(|error| format!("io_uring_setup: {error}"))?;
    let mut known = Probe::new();
    ring.inner.submitter().register_probe(&mut known).map_err(|error| format!("io_uring_register: {error}"))?;
    if !known.is_supported(opcode::SendZc::CODE) {
        return Err(String::from("the kernel is older than 6.0"));
    }
    let bell = Bell::new().map_err(|error| format!("eventfd: {error}"))?;
    let measures = Measures { buffers: 8, buffer_bytes: 64, small_bytes: 0, small_max: 0 };
    let buffers = BufferRing::new(&ring.inner, 0, measures, (measures.buffers, measures.buffers), Arc::new(bell));
    let buffers = buffers.map_err(|error| format!("ring of buffers: {error}"))?;
    ring.enable().map_err(|error| format!("restrictions: {error}"))?;
    // The ring first: it knows of the buffers.
    drop(ring);
    drop(buffers);
    Ok(())
}
