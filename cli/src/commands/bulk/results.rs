//! The result file: what became of each row, as CSV. Never a token.
//!
//! Rows are written as they are answered, into a file beside it, `<name>.partial`. In the end, all rows in the order of
//! the file take the name: what stood there before is gone only then. A run that is killed leaves the partial file.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, BufRead as _, BufReader, Read as _, Write},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use super::report::{Job, RowResult};
use crate::errors::Error;

const HEADER: [&str; 7] = [
    "row",
    "line",
    "clientSlug",
    "portalId",
    "outcome",
    "reason",
    "message",
];
/// Behind these in a rotation.
const OF_ROTATION: [&str; 2] = ["rotationId", "tokenFingerprint"];
/// How the first line of any result file begins, also of one that an earlier version wrote.
const BEGINS: &str = "row,";
/// What is read of a file that is there, in bytes, to know it by its first line.
const LOOKED_AT: u64 = 256;
/// Partial files of killed runs that may stand beside each other.
const MAX_PARTIAL: u32 = 100;

/// A result file that is being written.
pub(super) struct Results {
    path: PathBuf,
    there: bool,
    mode: Permissions,
    partial: csv::Writer<File>,
    partial_path: PathBuf,
    job: &'static Job,
}

impl Results {
    /// Makes the partial file. What stands at `path` stays as it is.
    ///
    /// # Errors
    /// If it cannot be made, or something else than results stands at `path`.
    pub(super) fn create(path: &Path, job: &'static Job) -> Result<Self, Error> {
        let unusable = |why: String| Error::Usage(format!("{}: {why}", path.display()));
        let cannot = |error: io::Error| unusable(format!("it cannot be written: {error}"));
        let (mode, there) = match fs::metadata(path) {
            Ok(found) if found.is_file() => {
                if !holds_results(path).map_err(cannot)? {
                    let why = "it holds something else than results, which would be lost: name another file";
                    return Err(unusable(why.to_owned()));
                }
                (found.permissions(), true)
            }
            Ok(_) => return Err(unusable("it is not a regular file".to_owned())),
            // What the process may not give away is left out by the system.
            Err(error) if error.kind() == io::ErrorKind::NotFound => (Permissions::from_mode(0o666), false),
            Err(error) => return Err(cannot(error)),
        };
        // A link stays a link.
        let path = if there {
            fs::canonicalize(path).map_err(cannot)?
        } else {
            path.to_owned()
        };
        let (partial, partial_path) = new_partial(&path).map_err(cannot)?;
        let mut results = Self {
            partial: csv::Writer::from_writer(partial),
            path,
            there,
            mode,
            partial_path,
            job,
        };
        write_header(&mut results.partial, job).map_err(cannot)?;
        Ok(results)
    }

    /// Adds a row. It is in the file when this returns, though perhaps not on disk.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn add(&mut self, row: &RowResult) -> Result<(), Error> {
        write_row(&mut self.partial, row).map_err(|error| self.failed(&error))
    }

    /// Puts all rows at the place asked for. On disk when this returns.
    ///
    /// # Errors
    /// If that fails: then the partial file stays, and is named.
    pub(super) fn finish<'a>(self, rows: impl Iterator<Item = &'a RowResult>) -> Result<(), Error> {
        self.put(rows).map_err(|error| self.failed(&error))?;
        fs::remove_file(&self.partial_path).map_err(|error| self.failed(&error))
    }

    /// Ends without results: where nothing was answered, what stands there from before is better.
    ///
    /// # Errors
    /// If the partial file cannot be taken away.
    pub(super) fn abandon(self) -> Result<(), Error> {
        fs::remove_file(&self.partial_path).map_err(|error| self.failed(&error))
    }

    /// Whether results of an earlier run stand there.
    pub(super) const fn are_there_already(&self) -> bool {
        self.there
    }

    /// Where they go.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn put<'a>(&self, rows: impl Iterator<Item = &'a RowResult>) -> io::Result<()> {
        let folder = folder(&self.path);
        let whole = tempfile::Builder::new()
            .permissions(self.mode.clone())
            .tempfile_in(folder)?;
        let mut writer = csv::Writer::from_writer(io::BufWriter::new(whole));
        header(&mut writer, self.job)?;
        for row in rows {
            record(&mut writer, row)?;
        }
        let whole = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        let whole = whole.into_inner().map_err(io::IntoInnerError::into_error)?;
        whole.as_file().sync_all()?;
        whole.persist(&self.path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    }

    fn failed(&self, error: &io::Error) -> Error {
        Error::Failed(format!(
            "{}: the results cannot be written: {error}; what is known stands in {}",
            self.path.display(),
            self.partial_path.display()
        ))
    }
}

/// Whether this is a result file, or an empty one. It must be one that may be written.
fn holds_results(path: &Path) -> io::Result<bool> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut beginning = Vec::new();
    BufReader::new(file.take(LOOKED_AT)).read_until(b'\n', &mut beginning)?;
    Ok(beginning.is_empty() || beginning.starts_with(BEGINS.as_bytes()))
}

/// A file beside this one that is not there yet: what a killed run left stays.
fn new_partial(path: &Path) -> io::Result<(File, PathBuf)> {
    let mut number = 1;
    loop {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        if number > 1 {
            name.push(format!(".{number}"));
        }
        let partial = folder(path).join(name);
        match OpenOptions::new().write(true).create_new(true).open(&partial) {
            Ok(file) => return Ok((file, partial)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < MAX_PARTIAL => number += 1,
            Err(error) => return Err(error),
        }
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn write_header(writer: &mut csv::Writer<File>, job: &Job) -> io::Result<()> {
    header(writer, job)?;
    writer.flush()
}

fn write_row(writer: &mut csv::Writer<File>, row: &RowResult) -> io::Result<()> {
    record(writer, row)?;
    writer.flush()
}

fn header<W: Write>(writer: &mut csv::Writer<W>, job: &Job) -> io::Result<()> {
    let more: &[&str] = if job.rotates { &OF_ROTATION } else { &[] };
    Ok(writer.write_record(HEADER.iter().chain(more))?)
}

fn record<W: Write>(writer: &mut csv::Writer<W>, row: &RowResult) -> io::Result<()> {
    let mut cells = vec![
        row.row.to_string(),
        row.line.to_string(),
        row.client_slug.clone(),
        row.portal().unwrap_or_default(),
        row.outcome.to_owned(),
        row.reason.to_owned(),
        row.message.clone(),
    ];
    if let Some(rotated) = &row.rotated {
        cells.extend([rotated.rotation_id.clone(), rotated.token_fingerprint.clone()]);
    }
    Ok(writer.write_record(cells.iter().map(|cell| harmless(cell)))?)
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return format!("'{cell}");
    }
    cell.to_owned()
}

#[cfg(test)]
mod tests;
