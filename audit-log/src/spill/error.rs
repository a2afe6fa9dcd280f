//! Why outcomes cannot be kept in a file.

use std::{io, path::PathBuf};

use thiserror::Error as ThisError;

/// The file for outcomes that wait cannot be used. The service does not start.
#[derive(Debug, ThisError)]
pub enum Error {
    /// It could not be made, opened, read or written.
    #[error(
        "outcomes cannot be kept in {}: make its folder one that this user can write to, name another under audit.spill.folder, or \
         set audit.spill.size_bytes to 0 to keep them in memory only",
        path.display()
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk has no room for it.
    #[error(
        "there is no room for {size} bytes of outcomes in {}: make room, or set a smaller audit.spill.size_bytes",
        path.display()
    )]
    NoRoom {
        /// The file.
        path: PathBuf,
        /// How large it is to be.
        size: u64,
        /// What the system said.
        source: io::Error,
    },
    /// What lies there is no such file, or its beginning was damaged.
    #[error(
        "{} is no file of outcomes, or its beginning is damaged: move it away, and keep it; the calls whose outcomes were in it end \
         as unknown then",
        .0.display()
    )]
    Damaged(PathBuf),
    /// It is another log's.
    #[error(
        "{} holds outcomes of the log {found}, and this is {own}: name another folder under audit.spill.folder",
        path.display()
    )]
    OfAnother {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Who asked.
        own: String,
    },
    /// More processes use the folder than can.
    #[error("{} processes keep outcomes in {} already: name another folder under audit.spill.folder", super::MOST, .0.display())]
    AllTaken(PathBuf),
    /// The thread that writes it could not be started.
    #[error("the thread that keeps outcomes could not be started")]
    Thread(#[source] io::Error),
}
