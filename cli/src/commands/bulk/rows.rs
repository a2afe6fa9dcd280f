//! The rows of a file, each read into what it asks for. A row that cannot be right is refused here, and its token is
//! never sent.

use std::io::{self, Read};

use hubkeep_proto::error::v1::ErrorReason;
use thiserror::Error;

use super::{
    cells::CsvFile,
    places::{Columns, Places, RowCells},
};

/// The file cannot be used at all.
#[derive(Debug, Error)]
pub(in crate::commands) enum FileFault {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It holds nothing.
    #[error("it is empty; the first line must be {0}")]
    Empty(String),
    /// It has a header and no row.
    #[error("it has no rows below its header")]
    NoRows,
    /// Its first line is something else.
    #[error("its first line must be {expected} (in any order): {problem}")]
    Header {
        /// The columns that must be there.
        expected: String,
        /// What is wrong.
        problem: String,
    },
    /// It has more rows than can be numbered.
    #[error("it has too many rows")]
    TooManyRows,
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) struct At {
    /// Its number among the rows, from 1, without the header.
    pub(in crate::commands) row: u32,
    /// Its line in the file, from 1.
    pub(in crate::commands) line: u64,
}

/// A row below the header.
pub(in crate::commands) struct Row<T> {
    /// Where it stands.
    pub(in crate::commands) at: At,
    /// How many bytes of the file it took.
    pub(in crate::commands) bytes: u64,
    /// What it asks for, or why it cannot.
    pub(in crate::commands) content: Result<T, RowFault>,
}

/// Why a row cannot be sent. Never holds what stood in a cell, which may be a token in the wrong place.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::commands) struct RowFault {
    /// The row's slug, where it is one.
    pub(in crate::commands) client_slug: String,
    /// The reason, as the service would give it.
    pub(in crate::commands) reason: ErrorReason,
    /// In words, with what to do.
    pub(in crate::commands) message: String,
}

/// Reads a row's cells.
pub(in crate::commands) type ReadRow<T> = fn(RowCells<'_>) -> Result<T, RowFault>;

/// The rows of a file, in order.
pub(in crate::commands) struct Rows<R, T> {
    file: CsvFile<R>,
    places: Places,
    read: ReadRow<T>,
    number: u32,
}

impl<R: Read, T> Rows<R, T> {
    /// Reads and checks the header; `read` will read each row.
    ///
    /// # Errors
    /// If there is none, or not the one expected.
    pub(in crate::commands) fn open(input: R, columns: Columns, read: ReadRow<T>) -> Result<Self, FileFault> {
        let mut file = CsvFile::open(input)?;
        let header = file.next_row()?;
        let header = header.ok_or_else(|| FileFault::Empty(columns.first_line()))?;
        let places = Places::read(&header, columns).map_err(|problem| FileFault::Header {
            expected: columns.first_line(),
            problem,
        })?;
        Ok(Self {
            file,
            places,
            read,
            number: 0,
        })
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// If the file cannot be read on, or has no rows at all.
    pub(in crate::commands) fn next_row(&mut self) -> Result<Option<Row<T>>, FileFault> {
        let Some(cells) = self.file.next_row()? else {
            return if self.number == 0 {
                Err(FileFault::NoRows)
            } else {
                Ok(None)
            };
        };
        self.number = self.number.checked_add(1).ok_or(FileFault::TooManyRows)?;
        let at = At {
            row: self.number,
            line: cells.line,
        };
        Ok(Some(Row {
            at,
            bytes: cells.bytes,
            content: self.places.row(&cells).and_then(self.read),
        }))
    }
}
