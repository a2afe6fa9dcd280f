//! Where a log lies: appended to natively, read with SQL that every database understands.

mod lock;
mod read;
mod sqlite;

pub(crate) use read::{OpenIntent, Reader};
pub(crate) use sqlite::SqliteStore;
