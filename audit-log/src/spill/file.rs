//! The file itself: all of its room is taken when it is made, two copies of a head, then outcomes one behind the other.
//!
//! The head says how many bytes of outcomes are whole. Outcomes are on disk before a head that counts them is written, into
//! the place of the older copy: a process or a machine that stops in the midst leaves the newer copy as it was, and what lies
//! beyond what it counts was promised to nobody. What lies within, and cannot be read, was damaged.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use hubkeep_core::clock::Timestamp;
use prost::Message;
use rustix::{fs::FallocateFlags, io::Errno};

use super::{error::Error, frame, record::Record};

/// What every head begins with.
const KIND: &str = "hubkeep outcomes 1";
/// Where the two copies of the head are, each on a page of its own.
const HEADS: [u64; 2] = [0, PAGE];
const PAGE: u64 = 4_096;
/// Where outcomes begin.
const BEGIN: u64 = 2 * PAGE;

/// What the file says of itself.
#[derive(Clone, PartialEq, Message)]
struct Head {
    #[prost(string, tag = "1")]
    kind: String,
    /// Whose outcomes they are: "<deployment>/<service>".
    #[prost(string, tag = "2")]
    owner: String,
    /// The greater, the newer.
    #[prost(uint64, tag = "3")]
    number: u64,
    /// How many bytes of outcomes there are.
    #[prost(uint64, tag = "4")]
    used: u64,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// What can be read, in the order in which it was put.
    pub(super) records: Vec<Record>,
    /// How many bytes between them cannot.
    pub(super) damaged: usize,
}

/// A file that this process alone has. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct SpillFile {
    file: File,
    path: PathBuf,
    head: Head,
    /// So many bytes of outcomes have room.
    room: u64,
}

impl SpillFile {
    /// Opens the file that is there; `None` if there is none, or another process has it.
    pub(super) fn find(path: &Path, owner: &str) -> Result<Option<Self>, Error> {
        let opened = OpenOptions::new().read(true).write(true).open(path);
        match opened {
            Ok(file) => Self::of(file, path, owner, None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(unusable(path)(source)),
        }
    }

    /// Makes it, where none is, with room for `size` bytes; `None` if another process was quicker.
    pub(super) fn make(path: &Path, owner: &str, size: u64) -> Result<Option<Self>, Error> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let file = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| options.open(path));
        Self::of(file.map_err(unusable(path))?, path, owner, Some(size))
    }

    fn of(file: File, path: &Path, owner: &str, size: Option<u64>) -> Result<Option<Self>, Error> {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) => return Err(unusable(path)(source)),
        }
        let is_there = || Ok(fs::metadata(path)?.ino() == file.metadata()?.ino());
        if !is_there().map_err(unusable(path))? {
            // Whoever had it has set it aside meanwhile.
            return Ok(None);
        }
        let mut this = Self {
            file,
            path: path.to_owned(),
            head: Head {
                kind: KIND.to_owned(),
                owner: owner.to_owned(),
                number: 0,
                used: 0,
            },
            room: 0,
        };
        match this.read_head()? {
            Some(head) if head.owner != owner => {
                return Err(Error::OfAnother {
                    path: path.to_owned(),
                    found: head.owner,
                    own: owner.to_owned(),
                });
            }
            Some(head) => this.head = head,
            // Nobody had finished making it.
            None => {}
        }
        if let Some(size) = size {
            this.fit(size)?;
        }
        let length = this.file.metadata().map_err(unusable(path))?.len();
        this.room = length.saturating_sub(BEGIN);
        Ok(Some(this))
    }

    /// Takes room for exactly `size` bytes of outcomes, where there are none.
    pub(super) fn fit(&mut self, size: u64) -> Result<(), Error> {
        if self.head.used > 0 {
            return Ok(());
        }
        let length = BEGIN.saturating_add(size);
        let sized = || {
            if self.file.metadata()?.len() > length {
                self.file.set_len(length)?;
            }
            allocate(&self.file, length)?;
            self.file.sync_all()
        };
        sized().map_err(|source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Error::NoRoom {
                    path: self.path.clone(),
                    size,
                    source,
                }
            }
            _ => unusable(&self.path)(source),
        })?;
        self.room = size;
        self.clear()?;
        // The name of the file is on disk with its folder.
        let folder = self
            .path
            .parent()
            .map_or(Ok(()), |folder| File::open(folder)?.sync_all());
        folder.map_err(unusable(&self.path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.head.used == 0
    }

    /// Puts outcomes behind those that are there, as many as have room, and gives how many that were. They are on disk when this
    /// returns.
    pub(super) fn put(&mut self, records: &[Record]) -> io::Result<usize> {
        let (mut bytes, mut count) = (Vec::new(), 0_usize);
        let left = self.room.saturating_sub(self.head.used);
        for record in records {
            let before = bytes.len();
            if !frame::put(record, &mut bytes) {
                continue;
            }
            if u64::try_from(bytes.len()).is_ok_and(|long| long > left) {
                bytes.truncate(before);
                break;
            }
            count = count.saturating_add(1);
        }
        if count > 0 {
            let at = BEGIN.saturating_add(self.head.used);
            self.file.write_all_at(&bytes, at)?;
            self.file.sync_data()?;
            let long = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            self.write_head(self.head.used.saturating_add(long))?;
        }
        Ok(count)
    }

    /// Forgets what was put: all of it is in the log.
    pub(super) fn clear(&mut self) -> Result<(), Error> {
        self.write_head(0).map_err(unusable(&self.path))
    }

    /// Reads what was put.
    pub(super) fn read(&self) -> Result<Content, Error> {
        // Whoever has cut the file short has damaged what was behind.
        let (used, there) = (self.head.used, self.room.min(self.head.used));
        let mut bytes = vec![0; usize::try_from(there).unwrap_or(0)];
        self.file
            .read_exact_at(&mut bytes, BEGIN)
            .map_err(unusable(&self.path))?;
        let mut content = Content::of(&bytes);
        let missing = usize::try_from(used.saturating_sub(there)).unwrap_or(usize::MAX);
        content.damaged = content.damaged.saturating_add(missing);
        Ok(content)
    }

    /// Gives it another name, under which nobody looks for outcomes, and keeps it. Gives that name.
    pub(super) fn set_aside(self, now: Timestamp) -> Result<PathBuf, Error> {
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".aside-{}", now.as_micros()));
        let aside = PathBuf::from(name);
        fs::rename(&self.path, &aside).map_err(unusable(&self.path))?;
        Ok(aside)
    }

    fn write_head(&mut self, used: u64) -> io::Result<()> {
        let head = Head {
            number: self.head.number.saturating_add(1),
            used,
            ..self.head.clone()
        };
        let mut bytes = Vec::new();
        if !frame::put(&head, &mut bytes) || u64::try_from(bytes.len()).is_ok_and(|long| long > PAGE) {
            return Err(io::Error::other("the name of the log is too long"));
        }
        let [even, odd] = HEADS;
        let at = if head.number.is_multiple_of(2) { even } else { odd };
        self.file.write_all_at(&bytes, at)?;
        self.file.sync_data()?;
        self.head = head;
        Ok(())
    }

    /// The newer head; `None` where none was ever written.
    fn read_head(&self) -> Result<Option<Head>, Error> {
        let mut bytes = Vec::new();
        let mut begin = vec![0; usize::try_from(BEGIN).unwrap_or(0)];
        let read = self.file.read_at(&mut begin, 0).map_err(unusable(&self.path))?;
        bytes.extend(begin.into_iter().take(read));
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let page = usize::try_from(PAGE).unwrap_or(0);
        let heads = bytes.chunks(page.max(1)).filter_map(frame::take::<Head>);
        let heads = heads.map(|(head, _)| head).filter(|head| head.kind == KIND);
        match heads.max_by_key(|head| head.number) {
            Some(head) => Ok(Some(head)),
            None => Err(Error::Damaged(self.path.clone())),
        }
    }
}

impl Content {
    /// Reads outcomes one behind the other; where one cannot be read, the next that can is looked for.
    fn of(mut bytes: &[u8]) -> Self {
        let mut content = Self::default();
        while let Some((_, next)) = bytes.split_first() {
            if let Some((record, long)) = frame::take::<Record>(bytes) {
                content.records.push(record);
                bytes = bytes.get(long..).unwrap_or_default();
            } else {
                content.damaged = content.damaged.saturating_add(1);
                bytes = next;
            }
        }
        content
    }
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::Unusable { path, source }
}

/// Takes the room from the disk, so that it is there when the disk is full. Where a file system cannot be asked for that,
/// it is taken by writing.
fn allocate(file: &File, length: u64) -> io::Result<()> {
    match rustix::fs::fallocate(file, FallocateFlags::empty(), 0, length) {
        Ok(()) => Ok(()),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => fill(file, length),
        Err(error) => Err(error.into()),
    }
}

fn fill(file: &File, length: u64) -> io::Result<()> {
    let zeros = vec![0; usize::try_from(PAGE).unwrap_or(0).saturating_mul(64)];
    let mut at = file.metadata()?.len();
    while at < length {
        let left = usize::try_from(length.saturating_sub(at)).unwrap_or(usize::MAX);
        let piece = zeros.get(..left.min(zeros.len())).unwrap_or_default();
        file.write_all_at(piece, at)?;
        at = at.saturating_add(u64::try_from(piece.len()).unwrap_or(1));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
