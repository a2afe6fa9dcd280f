//! Outcomes that the log could not take: put on disk beside it, and written into it as soon as it can be.
//!
//! | file | holds |
//! |---|---|
//! | `config` | where, and how much |
//! | `frame`, `record` | one outcome, as bytes |
//! | `file` | the file: what is whole in it, and what is damaged |
//! | `slots` | which file is whose |
//! | `task` | the thread that writes it |
//! | `unwritten` | what the writer of the log does about them |
//! | `drain` | what a process before has left, at the start |

mod config;
mod drain;
mod error;
mod file;
mod frame;
mod record;
mod slots;
mod task;
mod unwritten;

use std::path::{Path, PathBuf};

use hubkeep_core::clock::SharedClock;

pub use self::{config::Config, error::Error};
use self::{
    file::SpillFile,
    slots::{Slots, blocking},
};
pub(crate) use self::{record::Record, task::Spill, unwritten::Unwritten};
use crate::{
    Error as LogError, Identity,
    store::{Reader, Store},
};

/// So many processes may share a folder.
const MOST: usize = 64;

/// The folder of a log's outcomes, if it has one.
pub(crate) fn folder(config: &crate::Config) -> Option<PathBuf> {
    if config.spill.size_bytes == 0 {
        return None;
    }
    let beside = || match config.sqlite_file()?.parent() {
        Some(folder) if folder != Path::new("") => Some(folder.to_owned()),
        _ => Some(PathBuf::from(".")),
    };
    config.spill.folder.clone().or_else(beside)
}

/// The file of this process, emptied, and ready for what comes.
#[derive(Debug)]
pub(crate) struct Ready(Option<SpillFile>);

impl Ready {
    /// Begins to keep outcomes there.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(crate) fn start(self) -> Result<Option<Spill>, LogError> {
        Ok(self.0.map(Spill::start).transpose()?)
    }
}

/// Takes a file for this process, and writes into the log what is in it, and what processes that are gone have left beside it.
/// Called before anything else is written: before the intents of lost processes are closed as unknown.
///
/// # Errors
/// If there can be no file, or what is in one cannot be written.
pub(crate) async fn open(
    config: &crate::Config,
    identity: &Identity,
    reader: &Reader,
    store: &mut Store,
    clock: &SharedClock,
) -> Result<Ready, LogError> {
    let Some(folder) = folder(config) else {
        tracing::warn!(
            "outcomes that the log cannot take wait in memory only, and are lost with the process: name a folder for them under \
             audit.spill.folder"
        );
        return Ok(Ready(None));
    };
    let file_name = config.sqlite_file().and_then(Path::file_name);
    let Identity {
        deployment, service, ..
    } = identity;
    let slots = Slots {
        folder,
        name: file_name.map_or_else(
            || (*service).to_owned(),
            |name| name.to_string_lossy().into_owned(),
        ),
        owner: format!("{deployment}/{service}"),
        size: config.spill.size_bytes,
    };
    let taken = slots.clone();
    let (own, left) = blocking(move || taken.take()).await?;
    let own = drain::drain(own, reader, store, clock).await?;
    for file in left {
        drain::drain(file, reader, store, clock).await?;
    }
    let ready = blocking(move || match own {
        Some(mut own) => {
            own.fit(slots.size)?;
            Ok(own)
        }
        None => slots.make(),
    });
    Ok(Ready(Some(ready.await?)))
}
