//! Reads CSV row by row in bounded memory: a cell may be as long as the disk, what is kept of it may not.
//!
//! A line is a row, also where a quote is not closed: no cell of ours holds a line end, and one forgotten quote must not
//! swallow the rows after it.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use csv_core::ReadFieldResult;
use zeroize::Zeroizing;

/// The longest cell that is kept, in bytes. HubSpot's tokens have about 50.
pub(super) const CELL_LIMIT: usize = 1_024;
/// The most cells of a row that are kept; of more, only the number is known.
const CELLS_KEPT: usize = 16;
/// What some programs put before UTF-8.
const BYTE_ORDER_MARK: [u8; 3] = *b"\xef\xbb\xbf";

/// One cell as it stands in the file.
pub(super) enum Cell {
    /// Its bytes, without quotes. May be a token.
    Whole(Zeroizing<Vec<u8>>),
    /// It has more than [`CELL_LIMIT`] bytes, and they are gone.
    TooLong,
}

/// One row as it stands in the file.
pub(super) struct Cells {
    /// The first of its cells.
    pub(super) kept: Vec<Cell>,
    /// How many cells it has.
    pub(super) count: usize,
    /// Whether a quote is open at the end of its line.
    pub(super) quote_open: bool,
    /// Its line in the file, from 1.
    pub(super) line: u64,
    /// How many bytes of the file it took, with the empty lines before it.
    pub(super) bytes: u64,
}

/// A CSV file, read row by row.
pub(super) struct CsvFile<R> {
    input: BufReader<Chain<Cursor<Vec<u8>>, R>>,
    csv: csv_core::Reader,
    line: u64,
    /// Whether the last line ended with a carriage return, to which a line feed may belong.
    returned: bool,
}

impl<R: Read> CsvFile<R> {
    /// Reads from here. A byte order mark is passed over, empty lines too.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn open(mut input: R) -> io::Result<Self> {
        let mut beginning = Vec::with_capacity(BYTE_ORDER_MARK.len());
        input.by_ref().take(3).read_to_end(&mut beginning)?;
        if beginning == BYTE_ORDER_MARK {
            beginning.clear();
        }
        Ok(Self {
            input: BufReader::new(Cursor::new(beginning).chain(input)),
            csv: at_a_line(csv_core::Reader::new()),
            line: 0,
            returned: false,
        })
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn next_row(&mut self) -> io::Result<Option<Cells>> {
        let mut bytes = 0;
        loop {
            let mut line = Line::new();
            let ended = self.read(&mut line, &mut bytes)?;
            self.line = self.line.saturating_add(1);
            if !line.empty {
                return Ok(Some(line.into_cells(&mut self.csv, self.line, bytes)));
            }
            if !ended {
                return Ok(None);
            }
        }
    }

    /// Reads to the end of a line, and says whether there was one before the file's.
    fn read(&mut self, line: &mut Line, bytes: &mut u64) -> io::Result<bool> {
        loop {
            let input = self.input.fill_buf()?;
            if input.is_empty() {
                return Ok(false);
            }
            // The line feed of a line that ended with a carriage return.
            let rest = match input {
                [b'\n', rest @ ..] if self.returned => rest,
                input => input,
            };
            let skipped = input.len().saturating_sub(rest.len());
            let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let content = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            line.take(&mut self.csv, content);
            self.returned = end.and_then(|end| rest.get(end)) == Some(&b'\r');
            let ended = end.is_some();
            let read = skipped
                .saturating_add(content.len())
                .saturating_add(usize::from(ended));
            self.input.consume(read);
            *bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
            if ended {
                return Ok(true);
            }
        }
    }
}

/// Lets the reader see that something was read. One that has read nothing passes over a byte order mark, where that comes
/// in one piece; only the file's own is none of a cell.
fn begin_line(csv: &mut csv_core::Reader) {
    csv.read_field(b"\n", &mut [0]);
}

fn at_a_line(mut csv: csv_core::Reader) -> csv_core::Reader {
    begin_line(&mut csv);
    csv
}

/// A line that is being read.
struct Line {
    cells: Vec<Cell>,
    count: usize,
    cell: Zeroizing<Vec<u8>>,
    /// How much of `cell` is taken.
    filled: usize,
    too_long: bool,
    /// Whether nothing was read yet.
    empty: bool,
}

impl Line {
    fn new() -> Self {
        Self {
            cells: Vec::new(),
            count: 0,
            cell: empty_cell(),
            filled: 0,
            too_long: false,
            empty: true,
        }
    }

    /// Takes bytes of the line, or the line feed at its end. Gives whether they ended the row.
    fn take(&mut self, csv: &mut csv_core::Reader, mut bytes: &[u8]) -> bool {
        // No bytes at all would tell the reader that the file has ended.
        while !bytes.is_empty() {
            self.empty = false;
            let room = self.cell.get_mut(self.filled..).unwrap_or_default();
            let (read, taken, filled) = csv.read_field(bytes, room);
            bytes = bytes.get(taken..).unwrap_or_default();
            self.filled = self.filled.saturating_add(filled);
            match read {
                ReadFieldResult::InputEmpty | ReadFieldResult::End => {}
                ReadFieldResult::OutputFull => (self.filled, self.too_long) = (0, true),
                ReadFieldResult::Field { record_end } => {
                    self.end_cell();
                    if record_end {
                        return true;
                    }
                }
            }
        }
        false
    }

    fn end_cell(&mut self) {
        let mut bytes = std::mem::replace(&mut self.cell, empty_cell());
        let fits = self.filled <= CELL_LIMIT && !self.too_long;
        bytes.truncate(self.filled);
        (self.filled, self.too_long) = (0, false);
        self.count = self.count.saturating_add(1);
        if self.cells.len() < CELLS_KEPT {
            self.cells
                .push(if fits { Cell::Whole(bytes) } else { Cell::TooLong });
        }
    }

    fn into_cells(mut self, csv: &mut csv_core::Reader, line: u64, bytes: u64) -> Cells {
        // A line feed does not end a row within quotes.
        let quote_open = !self.take(csv, b"\n");
        if quote_open {
            self.end_cell();
        }
        csv.reset();
        begin_line(csv);
        Cells {
            kept: self.cells,
            count: self.count,
            quote_open,
            line,
            bytes,
        }
    }
}

/// All the room that a cell may need, and a byte more to tell one of just the allowed length from a longer one. A token
/// leaves no copy behind by growing.
fn empty_cell() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(vec![0; CELL_LIMIT + 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Vec<Cells> {
        let mut file = CsvFile::open(text).expect("opens");
        std::iter::from_fn(|| file.next_row().expect("reads")).collect()
    }

    fn rows(text: &[u8]) -> Vec<Vec<Option<String>>> {
        let text_of = |cell: &Cell| match cell {
            Cell::Whole(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Cell::TooLong => None,
        };
        let row = |row: &Cells| row.kept.iter().map(text_of).collect();
        all(text).iter().map(row).collect()
    }

    fn some(cells: &[&str]) -> Vec<Option<String>> {
        cells.iter().map(|cell| Some((*cell).to_owned())).collect()
    }

    #[test]
    fn quotes_line_ends_and_a_byte_order_mark_are_understood() {
        let text = "\u{feff}\"a\",\"b,\"\"c\"\"\"\r\n\n1,2\r3, \"x\"y\n\"\"";
        assert_eq!(
            rows(text.as_bytes()),
            [
                some(&["a", "b,\"c\""]),
                some(&["1", "2"]),
                some(&["3", " \"x\"y"]),
                some(&[""])
            ]
        );
        assert_eq!(rows(b"\xef\xbb"), [some(&["\u{fffd}"])]);
    }

    #[test]
    fn a_byte_order_mark_within_the_file_is_part_of_its_cell_in_whatever_pieces_the_file_comes() {
        let text = "\u{feff}\u{feff}a\n\u{feff}b,c\n";
        let expected = [some(&["\u{feff}a"]), some(&["\u{feff}b", "c"])];
        assert_eq!(rows(text.as_bytes()), expected);
        // At every place of a buffer's end.
        for at in 0..10 {
            let long = format!("{},\n{text}", "x".repeat(8_180 + at));
            assert_eq!(rows(long.as_bytes())[2..], expected[1..], "{at}");
        }
    }

    #[test]
    fn a_quote_that_is_not_closed_costs_its_own_line_only_and_lines_keep_their_numbers() {
        let read = all(b"\"a,b\n\n\"c\",d\r\n\"e\nf\"\n");
        let told: Vec<_> = read
            .iter()
            .map(|row| (row.line, row.count, row.quote_open))
            .collect();
        assert_eq!(told, [(1, 1, true), (3, 2, false), (4, 1, true), (5, 1, false)]);
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
        let read = all(",".repeat(1_000).as_bytes());
        assert_eq!((read[0].count, read[0].kept.len()), (1_001, CELLS_KEPT));
    }

    #[test]
    fn the_bytes_of_all_rows_are_the_bytes_of_the_file() {
        let read = all(b"a,b\n1,2\r\n\n3,4\n");
        assert_eq!(read.iter().map(|row| row.bytes).sum::<u64>(), 14);
    }
}
