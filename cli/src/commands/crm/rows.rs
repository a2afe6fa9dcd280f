//! Records in a file: CSV with a header, or JSON Lines. All of it is read before anything is sent.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::errors::Error;

/// The column, and the field, that says which record is meant.
const ID: &str = "id";

#[derive(Args, Debug)]
pub(super) struct FileArgs {
    /// CSV with a header, or JSON Lines; "-" for standard input. CSV: the column "id", if a record is meant that is there, and a
    /// column for each property. JSON Lines: {"id": "101", "properties": {"firstname": "Ann"}} on each line.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    holds: Holds,
    /// Clear a property where its cell in a CSV file is empty. Without it an empty cell leaves the property as it is. In JSON
    /// Lines "" clears, and null leaves it.
    #[arg(long)]
    clear_empty: bool,
}

/// How a file is written.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Holds {
    /// What the file holds. Without it: JSON Lines if its name ends in .jsonl or .ndjson, otherwise CSV.
    #[arg(long, value_enum)]
    format: Option<Format>,
}

impl Holds {
    /// Everything in the file, or in standard input, read by whoever reads this format.
    ///
    /// # Errors
    /// If it cannot be read, holds nothing, or with the first row that cannot be used.
    pub(super) fn read<T>(
        self,
        file: &Path,
        rows: impl FnOnce(Box<dyn Read>, Format) -> Result<Vec<T>, String>,
    ) -> Result<Vec<T>, Error> {
        let place = file.display();
        let input: Box<dyn Read> = match file == Path::new("-") {
            true => Box::new(io::stdin().lock()),
            false => {
                let opened = File::open(file);
                Box::new(opened.map_err(|error| Error::Usage(format!("{place} cannot be read: {error}")))?)
            }
        };
        let ends = |end: &str| {
            file.extension()
                .is_some_and(|known| known.eq_ignore_ascii_case(end))
        };
        let by_name = match ends("jsonl") || ends("ndjson") {
            true => Format::Jsonl,
            false => Format::Csv,
        };
        match rows(input, self.format.unwrap_or(by_name)) {
            Ok(rows) if rows.is_empty() => Err(Error::Usage(format!("{place} holds no rows"))),
            Ok(rows) => Ok(rows),
            Err(fault) => Err(Error::Usage(format!("{place}: {fault}"))),
        }
    }
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Comma-separated values, with a header.
    Csv,
    /// A JSON object on each line.
    Jsonl,
}

/// What each row must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// Which record; the rest is passed over.
    Ids,
    /// Values of a record that is to be made.
    Values,
    /// Which record, and its new values.
    Both,
}

/// One record of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Which row it is, from 1, without the header.
    pub(super) number: usize,
    /// Which record is meant; empty for one that is to be made.
    pub(super) id: String,
    /// Its values.
    pub(super) values: BTreeMap<String, String>,
}

impl FileArgs {
    /// Every row.
    ///
    /// # Errors
    /// With the first row that cannot be used. Nothing was sent then.
    pub(super) fn read(&self, wants: Wants) -> Result<Vec<Row>, Error> {
        self.holds.read(&self.file, |input, format| match format {
            Format::Csv => of_csv(input, wants, self.clear_empty),
            Format::Jsonl => of_json_lines(input, wants),
        })
    }
}

/// The names of a CSV file's columns.
pub(super) fn columns<R: Read>(reader: &mut csv::Reader<R>) -> Result<Vec<String>, String> {
    let header = reader.headers().map_err(|error| error.to_string())?;
    let columns: Vec<String> = header
        .iter()
        .map(|name| name.trim_start_matches('\u{feff}').to_owned())
        .collect();
    for (place, name) in columns.iter().enumerate() {
        if name.is_empty() {
            return Err(format!("column {} has no name", place.saturating_add(1)));
        }
        if columns.iter().take(place).any(|before| before == name) {
            return Err(format!("two columns are called {name}"));
        }
    }
    Ok(columns)
}

/// The lines of a JSON Lines file that hold something, with their numbers.
pub(super) fn json_lines<T: DeserializeOwned>(
    input: impl Read,
) -> impl Iterator<Item = Result<(usize, T), String>> {
    let lines = (1..).zip(BufReader::new(input).lines());
    let held = lines.filter(|(_, line)| line.as_ref().map_or(true, |line| !line.trim().is_empty()));
    held.map(|(number, line)| {
        let line = line.map_err(|error| format!("line {number}: {error}"))?;
        let read = serde_json::from_str(&line).map_err(|error| format!("line {number}: {error}"))?;
        Ok((number, read))
    })
}

fn of_csv(input: impl Read, wants: Wants, clear_empty: bool) -> Result<Vec<Row>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::Headers)
        .from_reader(input);
    let columns = columns(&mut reader)?;
    let has_ids = columns.iter().any(|name| name == ID);
    match wants {
        Wants::Ids | Wants::Both if !has_ids => {
            return Err(format!(
                "no column is called {ID}, which says which record is meant"
            ));
        }
        Wants::Values if has_ids => {
            return Err(format!(
                "a record that is made has no {ID} yet: leave the column out"
            ));
        }
        _ => {}
    }
    let mut rows = Vec::new();
    for (number, record) in (1..).zip(reader.records()) {
        let record = record.map_err(|error| format!("row {number}: {error}"))?;
        let (mut id, mut values) = (String::new(), BTreeMap::new());
        for (name, cell) in columns.iter().zip(&record) {
            match name == ID {
                true => cell.trim().clone_into(&mut id),
                false if cell.is_empty() && !clear_empty => {}
                false => drop(values.insert(name.clone(), cell.to_owned())),
            }
        }
        rows.push(held(Row { number, id, values }, wants)?);
    }
    Ok(rows)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default)]
    id: Option<Value>,
    #[serde(default)]
    properties: BTreeMap<String, Value>,
}

fn of_json_lines(input: impl Read, wants: Wants) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for line in json_lines::<Line>(input) {
        let (number, read) = line?;
        let id = read.id.as_ref().map(text).transpose();
        let id = id.map_err(|rule| format!("line {number}: {ID} {rule}"))?;
        let mut values = BTreeMap::new();
        for (name, value) in read.properties.iter().filter(|(_, value)| !value.is_null()) {
            let value = text(value).map_err(|rule| format!("line {number}: {name} {rule}"))?;
            values.insert(name.clone(), value);
        }
        let id = id.unwrap_or_default();
        rows.push(held(Row { number, id, values }, wants)?);
    }
    Ok(rows)
}

/// A value as a cell would hold it.
pub(super) fn text(value: &Value) -> Result<String, &'static str> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err("must be text, a number, true or false"),
    }
}

/// The row, if it says what it must.
fn held(mut row: Row, wants: Wants) -> Result<Row, String> {
    let number = row.number;
    match wants {
        Wants::Ids | Wants::Both if row.id.is_empty() => Err(format!("row {number} says no {ID}")),
        Wants::Values if !row.id.is_empty() => {
            Err(format!("row {number}: a record that is made has no {ID} yet"))
        }
        Wants::Values | Wants::Both if row.values.is_empty() => Err(format!("row {number} has no values")),
        Wants::Ids => {
            row.values.clear();
            Ok(row)
        }
        Wants::Values | Wants::Both => Ok(row),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: usize, id: &str, values: &[(&str, &str)]) -> Row {
        let value = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Row {
            number,
            id: id.to_owned(),
            values: values.iter().map(value).collect(),
        }
    }

    #[test]
    fn an_empty_cell_leaves_a_property_as_it_is_unless_it_is_to_be_cleared() {
        let text = "\u{feff}id, firstname,phone\n101,Ann,\n102,\"B, o\",5\n";
        let read = of_csv(text.as_bytes(), Wants::Both, false).expect("reads");
        let kept = [
            row(1, "101", &[("firstname", "Ann")]),
            row(2, "102", &[("firstname", "B, o"), ("phone", "5")]),
        ];
        assert_eq!(read, kept);
        let read = of_csv(text.as_bytes(), Wants::Both, true).expect("reads");
        assert_eq!(read[0], row(1, "101", &[("firstname", "Ann"), ("phone", "")]));
        let read = of_csv(text.as_bytes(), Wants::Ids, false).expect("reads");
        assert_eq!(read, [row(1, "101", &[]), row(2, "102", &[])]);
    }

    #[test]
    fn a_line_of_json_says_the_same() {
        let text = "{\"id\":101,\"properties\":{\"a\":\"x\",\"b\":2,\"c\":true,\"d\":null,\"e\":\"\"}}\n\n";
        let read = of_json_lines(text.as_bytes(), Wants::Both).expect("reads");
        let values = [("a", "x"), ("b", "2"), ("c", "true"), ("e", "")];
        assert_eq!(read, [row(1, "101", &values)]);
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_row() {
        for (text, wants, told) in [
            ("firstname\nAnn\n", Wants::Both, "no column is called id"),
            ("id,a\n1,x\n", Wants::Values, "leave the column out"),
            ("a,a\n1,2\n", Wants::Values, "two columns are called a"),
            ("id,a\n,x\n", Wants::Both, "row 1 says no id"),
            ("id,a\n7,\n", Wants::Both, "row 1 has no values"),
            ("id,a\n7\n", Wants::Both, "row 1"),
            ("a,\n1,2\n", Wants::Values, "column 2 has no name"),
        ] {
            let fault = of_csv(text.as_bytes(), wants, false).expect_err(text);
            assert!(fault.contains(told), "{text:?}: {fault}");
        }
        for (text, told) in [
            ("{\"id\":\"1\"}", "row 1 has no values"),
            ("{\"id\":[1],\"properties\":{}}", "line 1: id must be text"),
            ("{\"ids\":1}", "line 1"),
            ("nothing", "line 1"),
        ] {
            let fault = of_json_lines(text.as_bytes(), Wants::Both).expect_err(text);
            assert!(fault.contains(told), "{text:?}: {fault}");
        }
    }
}
