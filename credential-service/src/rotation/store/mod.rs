//! The tables `rotation`, `rotation_task` and `consumer`, one file each.

pub(super) mod consumers;
mod read;
pub(super) mod rotations;
pub(super) mod tasks;

use hubkeep_core::clock::Timestamp;

/// A number as databases keep it.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A count as databases give it.
fn count(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// A point in time that may be missing, as databases keep it.
fn micros(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_micros)
}
