//! Where the columns of a file stand, as its first line says, and the cells of a row in them.

use std::str;

use hubkeep_proto::error::v1::ErrorReason;

use super::{
    cells::{CELL_LIMIT, Cell, Cells},
    fields,
    rows::RowFault,
};

/// The columns that a sort of file has.
#[derive(Clone, Copy, Debug)]
pub(in crate::commands) struct Columns {
    /// All of them, in the order in which they are told; the first is the slug's.
    pub(in crate::commands) all: &'static [&'static str],
    /// How many of these, from the first on, must be there.
    pub(in crate::commands) required: usize,
}

impl Columns {
    /// Those that must be there, as a first line has them.
    pub(super) fn first_line(&self) -> String {
        let required: Vec<&str> = self.all.iter().copied().take(self.required).collect();
        required.join(",")
    }
}

/// Where each column stands in a file.
#[derive(Debug)]
pub(super) struct Places {
    columns: Columns,
    of_column: Vec<Option<usize>>,
    count: usize,
}

const NO_HEADER: &str = "the file seems to begin with a row, or has columns of other names";

impl Places {
    /// Reads the first line.
    ///
    /// # Errors
    /// In words, if it is something else.
    pub(super) fn read(header: &Cells, columns: Columns) -> Result<Self, String> {
        if header.quote_open {
            return Err("a quote is not closed".to_owned());
        }
        let names: Vec<&str> = header.kept.iter().map(name).collect::<Result<_, _>>()?;
        if let [only] = names.as_slice()
            && only.contains([';', '\t'])
        {
            return Err("columns are separated by commas; save the file as CSV with commas".to_owned());
        }
        if let Some(extra) = names.iter().find(|name| !columns.all.contains(name)) {
            return Err(unknown(extra));
        }
        let mut of_column = Vec::new();
        for (number, column) in columns.all.iter().enumerate() {
            let mut found = names.iter().enumerate().filter(|(_, name)| *name == column);
            let place = found.next().map(|(at, _)| at);
            if place.is_none() && number < columns.required {
                return Err(format!("column \"{column}\" is missing"));
            }
            if found.next().is_some() {
                return Err(format!("column \"{column}\" stands there twice"));
            }
            of_column.push(place);
        }
        Ok(Self {
            columns,
            of_column,
            count: header.count,
        })
    }

    /// Looks at a row's shape.
    ///
    /// # Errors
    /// If a quote is open, or it has more or fewer cells than the first line.
    pub(super) fn row<'a>(&'a self, cells: &'a Cells) -> Result<RowCells<'a>, RowFault> {
        let row = RowCells { places: self, cells };
        let shape = if cells.quote_open {
            Some("a quote is not closed, or a cell holds a line end, which none may".to_owned())
        } else if cells.count == self.count {
            None
        } else {
            let has = counted(cells.count, "cell");
            Some(format!(
                "has {has} and must have {}: is a comma or a quote missing?",
                self.count
            ))
        };
        let Some(message) = shape else { return Ok(row) };
        let slug = row.text(0).ok().and_then(fields::slug_if_plain);
        let slug = slug.map(|slug| slug.to_string()).unwrap_or_default();
        Err(RowFault::new(&slug, message))
    }
}

/// The cells of a row, by column.
#[derive(Clone, Copy)]
pub(in crate::commands) struct RowCells<'a> {
    places: &'a Places,
    cells: &'a Cells,
}

impl<'a> RowCells<'a> {
    /// The cell of a column, by the column's number, without spaces around; empty where the file has no such column.
    ///
    /// # Errors
    /// In words, if it is no text, or too long.
    pub(in crate::commands) fn text(&self, number: usize) -> Result<&'a str, String> {
        let column = self.places.columns.all.get(number).copied().unwrap_or_default();
        let Some(at) = self.places.of_column.get(number).copied().flatten() else {
            return Ok("");
        };
        match self.cells.kept.get(at) {
            Some(Cell::Whole(bytes)) => str::from_utf8(bytes)
                .map(str::trim)
                .map_err(|_| format!("{column} is not UTF-8 text; save the file as CSV in UTF-8")),
            Some(Cell::TooLong) | None => Err(format!(
                "{column} has more than {CELL_LIMIT} bytes, the limit of a cell: is a quote not closed?"
            )),
        }
    }
}

fn name(cell: &Cell) -> Result<&str, String> {
    let Cell::Whole(bytes) = cell else {
        return Err(format!("a cell has more than {CELL_LIMIT} bytes"));
    };
    str::from_utf8(bytes)
        .map(str::trim)
        .map_err(|_| "the file is not UTF-8 text; save it as CSV in UTF-8".to_owned())
}

/// Without a first line of names, the first row is taken for it, and holds a token: a name is not repeated unless it is
/// short and plain.
fn unknown(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    if name.len() <= 32 && name.bytes().all(plain) {
        return format!("column \"{name}\" is not one of them");
    }
    NO_HEADER.to_owned()
}

/// "1 cell", "2 cells".
pub(in crate::commands) fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

impl RowFault {
    /// A row that cannot be right.
    pub(in crate::commands) fn new(client_slug: &str, message: String) -> Self {
        Self {
            client_slug: client_slug.to_owned(),
            reason: ErrorReason::ImportRowInvalid,
            message,
        }
    }
}
