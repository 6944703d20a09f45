//! Systems whose sockets no limit of descriptors bounds.

/// There is room for all that the system has memory for.
///
/// # Errors
/// Never; elsewhere there can be too little room.
pub fn make_room_for(_connections: usize) -> Result<u64, String> {
    Ok(u64::MAX)
}
