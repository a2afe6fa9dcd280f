//! Room on the disks that a log needs: looked at beside the calls, about once a second. With too little of it nothing new
//! is recorded, and so nothing new is done; what is under way is recorded in what is left.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use hubkeep_core::clock::SharedClock;
use thiserror::Error as ThisError;
use tokio_util::sync::CancellationToken;

use crate::{Config, gate::Gate, spill};

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A disk that is nearly full.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error(
    "the disk of {} has {free} bytes left, and {least} are kept for what is under way (audit.min_free_bytes): make room there, \
     and it goes on by itself", place.display()
)]
pub struct Lack {
    /// What lies on it: the file of the log, or the folder of outcomes that wait.
    pub place: PathBuf,
    /// What is free, in bytes.
    pub free: u64,
    /// What must be free, `audit.min_free_bytes`.
    pub least: u64,
}

/// Room on a disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Room {
    /// What this process may still use.
    free: u64,
    /// All there is.
    size: u64,
}

/// Asks the system for the room on the disk on which something lies.
fn room(place: &Path) -> io::Result<Room> {
    let disk = rustix::fs::statvfs(place)?;
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

/// A disk that is looked at.
#[derive(Debug)]
struct Disk {
    /// What it has, in one word, for whoever reads the numbers.
    has: &'static str,
    place: PathBuf,
    told: Level,
}

impl Disk {
    fn of(has: &'static str, place: PathBuf) -> Self {
        let told = Level::Fine;
        Self { has, place, told }
    }

    /// Says what has become worse.
    fn tell(&mut self, room: Room, level: Level) {
        let (free, size, place) = (room.free, room.size, self.place.display());
        match level {
            _ if level <= self.told => {}
            Level::Fine => {}
            Level::Low => {
                tracing::warn!(free, size, %place, "less than a fifth of this disk of the audit log is free")
            }
            Level::VeryLow => {
                tracing::error!(free, size, %place, "less than a twentieth of this disk of the audit log is free");
            }
            Level::Full => tracing::error!(
                free, size, %place,
                "this disk of the audit log is full: nothing new is done until there is room"
            ),
        }
        self.told = level;
        count(self.has, room);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is a float, and a disk's last bytes matter to nobody"
)]
fn count(has: &'static str, room: Room) {
    metrics::gauge!("hubkeep_audit_disk_free_bytes", "of" => has).set(room.free as f64);
    metrics::gauge!("hubkeep_audit_disk_size_bytes", "of" => has).set(room.size as f64);
}

/// Looks at the disks, and closes the gate while one of them is nearly full.
#[derive(Debug)]
pub(crate) struct Watch {
    disks: Vec<Disk>,
    least: u64,
    gate: Gate,
    room: fn(&Path) -> io::Result<Room>,
}

impl Watch {
    /// Of the disks that this log needs: that of its file, and that of outcomes that wait.
    pub(crate) fn of(config: &Config, gate: &Gate) -> Self {
        let mut disks: Vec<Disk> = Vec::new();
        if let Some(file) = config.sqlite_file() {
            disks.push(Disk::of("log", file.to_owned()));
        }
        if let Some(folder) = spill::folder(config)
            && !disks.iter().any(|disk| is_same(&disk.place, &folder))
        {
            disks.push(Disk::of("spill", folder));
        }
        Self {
            disks,
            least: config.min_free_bytes,
            gate: gate.clone(),
            room,
        }
    }

    /// Looks again and again until it is told to end. The first look is done when this returns.
    pub(crate) async fn begin(self, clock: SharedClock, end: CancellationToken) -> impl Future<Output = ()> {
        let first = self.looked().await;
        async move {
            let mut watch = first;
            let looking = async {
                while let Some(looked) = watch.take() {
                    clock.sleep(LOOK).await;
                    watch = looked.looked().await;
                }
            };
            end.run_until_cancelled(looking).await;
        }
    }

    /// Looks once. A disk that does not answer keeps no worker of the runtime.
    async fn looked(mut self) -> Option<Self> {
        if self.disks.is_empty() {
            return None;
        }
        let looked = tokio::task::spawn_blocking(move || {
            self.look();
            self
        });
        looked.await.ok()
    }

    fn look(&mut self) {
        let mut lack = None;
        for disk in &mut self.disks {
            // Whether it can be written is seen by writing it.
            let Ok(room) = (self.room)(&disk.place) else {
                continue;
            };
            let level = Level::of(room, self.least);
            disk.tell(room, level);
            if level == Level::Full {
                lack.get_or_insert(Lack {
                    place: disk.place.clone(),
                    free: room.free,
                    least: self.least,
                });
            }
        }
        self.gate.lacks(lack);
    }
}

/// Whether two lie on the same disk.
fn is_same(one: &Path, other: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev());
    matches!((device(one), device(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::Failure;

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

    static FREE: AtomicU64 = AtomicU64::new(9);

    #[test]
    fn while_a_disk_is_nearly_full_nothing_new_passes_and_whoever_asks_is_told_where_to_make_room() {
        let gate = Gate::default();
        let mut watch = Watch {
            disks: vec![Disk::of("spill", PathBuf::from("/var/lib/outcomes"))],
            least: 10,
            gate: gate.clone(),
            room: |_| {
                Ok(Room {
                    free: FREE.load(Ordering::SeqCst),
                    size: 1_000,
                })
            },
        };
        watch.look();
        let refused = gate.entry().expect_err("refused");
        assert!(matches!(refused, Failure::NoRoom(_)), "{refused:?}");
        let told = refused.to_string();
        assert!(
            told.contains("/var/lib/outcomes") && told.contains("make room"),
            "{told}"
        );
        gate.intent("one").expect_err("refused");
        FREE.store(10, Ordering::SeqCst);
        watch.look();
        gate.intent("one").expect("there is room again");
    }
}
