//! Events as CSV, by RFC 4180.

use std::io::Write;

use hubkeep_proto::audit::v1::Event;

use super::{
    Writer,
    row::{COLUMNS, Cell, cells},
};
use crate::errors::Error;

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A table under way.
pub(super) struct Rows<W: Write>(::csv::Writer<W>);

impl<W: Write> Rows<W> {
    pub(super) fn begin(to: W) -> Result<Self, Error> {
        let mut rows = ::csv::WriterBuilder::new()
            .terminator(::csv::Terminator::CRLF)
            .from_writer(to);
        rows.write_record(COLUMNS.map(|(name, _)| name))
            .map_err(unwritten)?;
        Ok(Self(rows))
    }
}

impl<W: Write> Writer for Rows<W> {
    fn write(&mut self, event: &Event) -> Result<(), Error> {
        let row = cells(event).into_iter().map(|cell| match cell {
            Cell::Text(text) => defused(text),
            Cell::Number(number) => number.to_string(),
            Cell::Unknown => String::new(),
        });
        self.0.write_record(row).map_err(unwritten)
    }

    fn finish(mut self: Box<Self>) -> Result<(), Error> {
        Ok(self.0.flush()?)
    }
}

/// A text that no spreadsheet takes for a formula.
fn defused(text: String) -> String {
    match text.starts_with(FORMULA) {
        true => format!("'{text}"),
        false => text,
    }
}

fn unwritten(error: ::csv::Error) -> Error {
    Error::Failed(format!("a row could not be written: {error}"))
}

#[cfg(test)]
mod tests {
    use hubkeep_proto::audit::v1::{Entry, QuotaLeft};

    use super::*;

    #[test]
    fn no_text_begins_a_formula_and_numbers_stay_numbers() {
        let event = Event {
            position: 7,
            entry: Some(Entry {
                caller: "=HYPERLINK(\"a\")".to_owned(),
                subject: "-1, and \"more\"".to_owned(),
                quota_left: Some(QuotaLeft {
                    daily: Some(-3),
                    interval: None,
                }),
                ..Entry::default()
            }),
            ..Event::default()
        };
        let mut bytes = Vec::new();
        let mut rows = Box::new(Rows::begin(&mut bytes).expect("begins"));
        rows.write(&event).expect("writes");
        rows.finish().expect("ends");
        let mut read = ::csv::Reader::from_reader(bytes.as_slice());
        let names = read.headers().expect("names").clone();
        let row = read.records().next().expect("one").expect("a row");
        let cell = |name: &str| {
            let column = names.iter().position(|one| one == name).expect("a column");
            row.get(column).expect("a cell")
        };
        assert_eq!(cell("caller"), "'=HYPERLINK(\"a\")");
        assert_eq!(cell("subject"), "'-1, and \"more\"");
        assert_eq!(
            (
                cell("position"),
                cell("quota_daily_left"),
                cell("quota_interval_left")
            ),
            ("7", "-3", "")
        );
        for evil in ["+1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(defused(evil.to_owned()), format!("'{evil}"));
        }
    }
}
