//! Reports as rows for a spreadsheet, by RFC 4180: one section after the other, each row beginning with its section.

use super::{error::Error, frame::Frame, page::Page};

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The report in CSV.
pub(super) fn written(frame: &Frame, page: &Page) -> Result<Vec<u8>, Error> {
    let mut writer = ::csv::WriterBuilder::new()
        .flexible(true)
        .terminator(::csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(["Report", frame.title])?;
    for (name, value) in frame.facts().iter().chain(&page.facts) {
        writer.write_record(["Report", &safe(name), &safe(value)])?;
    }
    for section in &page.sections {
        let names = section.columns.iter().map(|column| column.name);
        writer.write_record([section.title].into_iter().chain(names))?;
        for row in &section.rows {
            let cells = row.iter().map(|cell| safe(cell));
            writer.write_record([section.title.to_owned()].into_iter().chain(cells))?;
        }
    }
    for gap in &page.gaps {
        writer.write_record(["Gap", &safe(gap)])?;
    }
    writer
        .into_inner()
        .map_err(|error| Error::Unwritten(error.to_string()))
}

/// A cell that no spreadsheet takes for a formula.
fn safe(cell: &str) -> String {
    match cell.starts_with(FORMULA) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula() {
        for evil in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(safe(evil), format!("'{evil}"));
        }
        assert_eq!(safe("nightly-sync"), "nightly-sync");
    }
}
