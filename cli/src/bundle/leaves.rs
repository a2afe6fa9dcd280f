//! The file of leaves, read and written one by one: a bundle may be larger than memory.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read as _, Write as _},
    path::Path,
};

/// The bytes of the length before each leaf.
const LENGTH: usize = 2;

/// Writes leaves.
#[derive(Debug)]
pub struct LeafWriter(BufWriter<File>);

impl LeafWriter {
    /// Into a new file, in place of what was there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self(BufWriter::with_capacity(1 << 16, File::create(path)?)))
    }

    /// One leaf more.
    ///
    /// # Errors
    /// If it is longer than 65,535 bytes, or cannot be written.
    pub fn write(&mut self, leaf: &[u8]) -> io::Result<()> {
        let length = u16::try_from(leaf.len());
        let length = length.map_err(|_| io::Error::other("a leaf is longer than 65,535 bytes"))?;
        self.0.write_all(&length.to_be_bytes())?;
        self.0.write_all(leaf)
    }

    /// Everything is on disk when this returns.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(self) -> io::Result<()> {
        self.0
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?
            .sync_all()
    }
}

/// Reads leaves.
#[derive(Debug)]
pub struct LeafReader {
    file: BufReader<File>,
    leaf: Vec<u8>,
}

impl LeafReader {
    /// From this file.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: BufReader::with_capacity(1 << 16, File::open(path)?),
            leaf: Vec::new(),
        })
    }

    /// The next leaf; `None` at the end.
    ///
    /// # Errors
    /// If the file ends within a leaf ([`io::ErrorKind::UnexpectedEof`]), or cannot be read.
    pub fn read_next(&mut self) -> io::Result<Option<&[u8]>> {
        let mut length = [0; LENGTH];
        let (first, rest) = length.split_at_mut(1);
        if self.file.read(first)? == 0 {
            return Ok(None);
        }
        self.file.read_exact(rest)?;
        self.leaf.resize(usize::from(u16::from_be_bytes(length)), 0);
        self.file.read_exact(&mut self.leaf)?;
        Ok(Some(&self.leaf))
    }
}
