//! What a log in a file stands on: the very file that was opened, and room on its disk.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::DatabaseError;

/// Room on a disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// What this process may still use.
    pub(crate) free: u64,
    /// All there is.
    pub(crate) size: u64,
}

/// Asks the system for the room on the disk on which a file lies.
pub(crate) fn room(file: &Path) -> io::Result<Room> {
    let disk = rustix::fs::statvfs(file)?;
    Ok(Room {
        free: disk.f_bavail.saturating_mul(disk.f_frsize),
        size: disk.f_blocks.saturating_mul(disk.f_frsize),
    })
}

/// How full a disk is, as far as somebody should be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Fine,
    /// Less than a fifth is free.
    Low,
    /// Less than a twentieth is free.
    VeryLow,
    /// Nothing new is recorded.
    Full,
}

impl Level {
    fn of(room: Room, least: u64) -> Self {
        match room {
            Room { free, .. } if free < least => Self::Full,
            Room { free, size } if free < size / 20 => Self::VeryLow,
            Room { free, size } if free < size / 5 => Self::Low,
            _ => Self::Fine,
        }
    }
}

/// The file of a log, and the disk on which it lies.
#[derive(Debug)]
pub(crate) struct Ground {
    file: PathBuf,
    /// The device and the number of the file that was opened.
    opened: (u64, u64),
    /// With less room than this nothing new is recorded, so that what is under way can be.
    least: u64,
    room: fn(&Path) -> io::Result<Room>,
    told: Level,
}

impl Ground {
    /// Of a file that is open.
    ///
    /// # Errors
    /// If the file is not there.
    pub(crate) fn of(file: &Path, least: u64, room: fn(&Path) -> io::Result<Room>) -> io::Result<Self> {
        Ok(Self {
            file: file.to_owned(),
            opened: identity(file)?,
            least,
            room,
            told: Level::Fine,
        })
    }

    /// # Errors
    /// If another file, or none, is where the one that was opened was: whatever is written would be gone with it.
    pub(crate) fn is_there(&self) -> Result<(), DatabaseError> {
        match identity(&self.file) {
            Ok(found) if found == self.opened => Ok(()),
            _ => Err(DatabaseError::Replaced(self.file.clone())),
        }
    }

    /// Tells how much room there is.
    ///
    /// # Errors
    /// If there is too little for anything new.
    pub(crate) fn has_room(&mut self) -> Result<(), DatabaseError> {
        let Ok(room) = (self.room)(&self.file) else {
            // Whether it can be written is seen by writing it.
            return Ok(());
        };
        tell(room);
        let level = Level::of(room, self.least);
        if level > self.told {
            let (free, size) = (room.free, room.size);
            match level {
                Level::Fine => {}
                Level::Low => tracing::warn!(
                    free,
                    size,
                    "less than a fifth of the disk of the audit log is free"
                ),
                Level::VeryLow => {
                    tracing::error!(
                        free,
                        size,
                        "less than a twentieth of the disk of the audit log is free"
                    )
                }
                Level::Full => tracing::error!(
                    free,
                    size,
                    "the disk of the audit log is full: nothing new is done until there is room"
                ),
            }
        }
        self.told = level;
        match level {
            Level::Full => Err(DatabaseError::NoRoom {
                free: room.free,
                least: self.least,
            }),
            _ => Ok(()),
        }
    }
}

fn identity(file: &Path) -> io::Result<(u64, u64)> {
    let found = fs::metadata(file)?;
    Ok((found.dev(), found.ino()))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and a disk's last bytes matter to nobody"
)]
fn tell(room: Room) {
    metrics::gauge!("hubkeep_audit_disk_free_bytes").set(room.free as f64);
    metrics::gauge!("hubkeep_audit_disk_size_bytes").set(room.size as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_moved_away_or_replaced_is_missed_and_is_good_again_when_it_is_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, aside) = (folder.path().join("log.db"), folder.path().join("aside.db"));
        fs::write(&file, "one").expect("written");
        let ground = Ground::of(&file, 0, room).expect("there");
        ground.is_there().expect("there");
        fs::rename(&file, &aside).expect("moved");
        assert!(matches!(ground.is_there(), Err(DatabaseError::Replaced(_))));
        fs::copy(&aside, &file).expect("copied");
        assert!(matches!(ground.is_there(), Err(DatabaseError::Replaced(_))));
        fs::rename(&aside, &file).expect("moved back");
        ground.is_there().expect("there again");
    }

    #[test]
    fn the_room_of_a_disk_is_told_by_the_system() {
        let folder = tempfile::tempdir().expect("a folder");
        let room = room(folder.path()).expect("a disk");
        assert!(room.free > 0 && room.free <= room.size, "{room:?}");
    }

    #[test]
    fn a_disk_is_low_before_it_is_full() {
        let level = |free| Level::of(Room { free, size: 1_000 }, 10);
        assert_eq!(level(200), Level::Fine);
        assert_eq!(level(199), Level::Low);
        assert_eq!(level(49), Level::VeryLow);
        assert_eq!(level(9), Level::Full);
    }
}
