//! Reads CSV cell by cell in bounded memory: a cell may be as long as the disk, what is kept of it may not.

use std::io::{self, BufRead, BufReader, Read};

use csv_core::{ReadFieldResult, Reader};
use zeroize::Zeroizing;

/// The longest cell that is kept, in bytes. HubSpot's tokens have about 50.
pub(in crate::commands) const CELL_LIMIT: usize = 1_024;
/// The most cells of a row that are kept; of more, only the number is known.
const CELLS_KEPT: usize = 16;

/// One cell as it stands in the file.
pub(in crate::commands) enum Cell {
    /// Its bytes, without quotes. May be a token.
    Whole(Zeroizing<Vec<u8>>),
    /// It has more than [`CELL_LIMIT`] bytes, and they are gone.
    TooLong,
}

/// One row as it stands in the file.
pub(in crate::commands) struct Cells {
    /// The first of its cells.
    pub(in crate::commands) kept: Vec<Cell>,
    /// How many cells it has.
    pub(in crate::commands) count: usize,
    /// How many bytes of the file it took.
    pub(in crate::commands) bytes: u64,
}

/// A CSV file, read row by row.
pub(in crate::commands) struct CsvFile<R> {
    input: BufReader<R>,
    parser: Reader,
}

impl<R: Read> CsvFile<R> {
    /// Reads from here. A byte order mark is passed over, empty lines too.
    pub(in crate::commands) fn new(input: R) -> Self {
        Self {
            input: BufReader::new(input),
            parser: Reader::new(),
        }
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(in crate::commands) fn next_row(&mut self) -> io::Result<Option<Cells>> {
        let mut row = Cells {
            kept: Vec::new(),
            count: 0,
            bytes: 0,
        };
        loop {
            let (cell, end) = self.next_cell(&mut row.bytes)?;
            let Some(cell) = cell else { return Ok(None) };
            row.count = row.count.saturating_add(1);
            if row.kept.len() < CELLS_KEPT {
                row.kept.push(cell);
            }
            if end {
                return Ok(Some(row));
            }
        }
    }

    /// The next cell, and whether it is the last of its row; no cell at the end of the file.
    fn next_cell(&mut self, consumed: &mut u64) -> io::Result<(Option<Cell>, bool)> {
        // One byte more than allowed, to tell a cell of just the allowed length from a longer one.
        let mut kept = Zeroizing::new(Vec::with_capacity(CELL_LIMIT + 1));
        let mut chunk = Zeroizing::new([0_u8; CELL_LIMIT + 1]);
        loop {
            let input = self.input.fill_buf()?;
            let (result, read, written) = self.parser.read_field(input, &mut *chunk);
            self.input.consume(read);
            *consumed = consumed.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            let room = (CELL_LIMIT + 1).saturating_sub(kept.len());
            kept.extend(chunk.iter().take(written.min(room)));
            match result {
                ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
                ReadFieldResult::End => return Ok((None, true)),
                ReadFieldResult::Field { record_end } => {
                    let fits = kept.len() <= CELL_LIMIT;
                    let cell = if fits { Cell::Whole(kept) } else { Cell::TooLong };
                    return Ok((Some(cell), record_end));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8]) -> Vec<Vec<Option<String>>> {
        let mut file = CsvFile::new(text);
        let mut rows = Vec::new();
        while let Some(row) = file.next_row().expect("reads") {
            let text = |cell: &Cell| match cell {
                Cell::Whole(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
                Cell::TooLong => None,
            };
            rows.push(row.kept.iter().map(text).collect());
        }
        rows
    }

    fn some(cells: &[&str]) -> Vec<Option<String>> {
        cells.iter().map(|cell| Some((*cell).to_owned())).collect()
    }

    #[test]
    fn quotes_line_ends_and_a_byte_order_mark_are_understood() {
        let text = "\u{feff}a,\"b,\"\"c\"\"\"\r\n\n1,2";
        assert_eq!(
            rows(text.as_bytes()),
            [some(&["a", "b,\"c\""]), some(&["1", "2"])]
        );
    }

    #[test]
    fn a_cell_of_the_allowed_length_is_kept_and_a_longer_one_is_not() {
        let (fits, long) = ("x".repeat(CELL_LIMIT), "x".repeat(CELL_LIMIT + 1));
        let read = rows(format!("{fits},{long},z\n").as_bytes());
        assert_eq!(read, [vec![Some(fits), None, Some("z".to_owned())]]);
    }

    #[test]
    fn a_cell_of_ten_megabytes_costs_its_own_row_only() {
        let text = format!("a\n{}\nb\n", "x".repeat(10_000_000));
        assert_eq!(rows(text.as_bytes()), [some(&["a"]), vec![None], some(&["b"])]);
    }

    #[test]
    fn of_a_row_with_too_many_cells_the_number_is_known() {
        let text = ",".repeat(1_000);
        let mut file = CsvFile::new(text.as_bytes());
        let row = file.next_row().expect("reads").expect("a row");
        assert_eq!((row.count, row.kept.len()), (1_001, CELLS_KEPT));
    }

    #[test]
    fn the_bytes_of_all_rows_are_the_bytes_of_the_file() {
        let text = b"a,b\n1,2\n3,4\n";
        let mut file = CsvFile::new(&text[..]);
        let mut bytes = 0;
        while let Some(row) = file.next_row().expect("reads") {
            bytes += row.bytes;
        }
        assert_eq!(bytes, 12);
    }
}
