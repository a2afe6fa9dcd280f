//! The result file: what became of each row, as CSV. Never a token.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use super::report::RowResult;
use crate::errors::Error;

const HEADER: [&str; 6] = ["row", "clientSlug", "portalId", "outcome", "reason", "message"];

/// A result file. It is there, empty, before the first row is sent.
pub(super) struct Results {
    file: File,
    path: PathBuf,
}

impl Results {
    /// Makes the file; one that is there is emptied.
    pub(super) fn create(path: &Path) -> Result<Self, Error> {
        let file = File::create(path);
        let file =
            file.map_err(|error| Error::Usage(format!("{}: it cannot be written: {error}", path.display())))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    /// Writes what became of each row. On disk when this returns.
    pub(super) fn write<'a>(self, rows: impl Iterator<Item = &'a RowResult>) -> Result<(), Error> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::Failed(format!(
                "{}: the results cannot be written: {error}",
                self.path.display()
            ))
        };
        let mut writer = csv::Writer::from_writer(&self.file);
        writer.write_record(HEADER).map_err(|error| failed(&error))?;
        for row in rows {
            let portal = match row.portal_id {
                0 => String::new(),
                id => id.to_string(),
            };
            let cells = [
                row.row.to_string(),
                row.client_slug.clone(),
                portal,
                row.outcome.to_owned(),
                row.reason.to_owned(),
                row.message.clone(),
            ];
            writer
                .write_record(cells.iter().map(|cell| harmless(cell)))
                .map_err(|error| failed(&error))?;
        }
        writer.flush().map_err(|error| failed(&error))?;
        self.file.sync_all().map_err(|error| failed(&error))
    }
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return format!("'{cell}");
    }
    cell.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_a_spreadsheet_would_run_is_made_harmless_and_others_stay_as_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("results.csv");
        let row = |client_slug: &str, message: &str| RowResult {
            row: 1,
            client_slug: client_slug.to_owned(),
            portal_id: 0,
            outcome: "REFUSED",
            reason: "TOKEN_REFUSED",
            message: message.to_owned(),
        };
        let rows = [
            row("acme", "a, \"b\"\nc"),
            row("=cmd()", "@SUM(1)"),
            row("-2", "+3"),
            row("\tx", "\rx"),
        ];
        Results::create(&path)
            .expect("makes")
            .write(rows.iter())
            .expect("writes");
        let mut reader = csv::Reader::from_path(&path).expect("reads");
        let read: Vec<(String, String)> = reader
            .records()
            .map(|record| {
                let record = record.expect("a record");
                (record[1].to_owned(), record[5].to_owned())
            })
            .collect();
        let expected = [
            ("acme", "a, \"b\"\nc"),
            ("'=cmd()", "'@SUM(1)"),
            ("'-2", "'+3"),
            ("'\tx", "'\rx"),
        ];
        assert_eq!(
            read,
            expected.map(|(slug, message)| (slug.to_owned(), message.to_owned()))
        );
    }
}
