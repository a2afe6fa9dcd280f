//! Tables that fit where they are read: nothing is ever broken inside a word, an id least of all.
//!
//! Where there is no terminal nothing is wrapped. Where a terminal is too narrow, the last column is wrapped between its
//! words; else columns are left out that may be, and said; else each row becomes a card, a line for each cell.

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, presets};

use crate::output::printable;

/// A line above, one below the header, one at the end.
const LINES: TableStyle = presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());
/// The narrowest that a wrapped column may be, in characters.
const NARROWEST: usize = 24;
/// Spaces around each cell.
const PADDING: usize = 2;

/// What is shown.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The text.
    pub(crate) text: String,
    /// The columns that were left out.
    pub(crate) left_out: Vec<String>,
}

/// A table of these rows, at most `width` characters wide if that is possible. The columns of `may_go` may be left out,
/// the first ones first.
pub(crate) fn fitted(header: &[&str], rows: &[Vec<String>], width: Option<usize>, may_go: &[&str]) -> Shown {
    let mut header: Vec<String> = header.iter().map(|&name| name.to_owned()).collect();
    let mut rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| printable(cell)).collect())
        .collect();
    let mut left_out = Vec::new();
    let Some(width) = width else {
        let text = table(&header, &rows, None);
        return Shown { text, left_out };
    };
    let mut may_go = may_go.iter();
    loop {
        if fits(&header, &rows, width) {
            let text = table(&header, &rows, Some(width));
            return Shown { text, left_out };
        }
        let Some(name) = may_go.next() else {
            let text = cards(&header, &rows);
            return Shown { text, left_out };
        };
        if let Some(at) = header.iter().position(|column| column == name) {
            left_out.push(header.remove(at));
            rows.iter_mut().filter(|row| at < row.len()).for_each(|row| {
                row.remove(at);
            });
        }
    }
}

/// Whether the table fits with nothing but its last column wrapped, and that between words.
fn fits(header: &[String], rows: &[Vec<String>], width: usize) -> bool {
    let Some((last, others)) = header.split_last() else {
        return true;
    };
    let column = |at: usize| rows.iter().filter_map(move |row| row.get(at));
    let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or_default();
    let taken: usize = others
        .iter()
        .enumerate()
        .map(|(at, name)| longest(&mut column(at).chain([name]).map(|text| wide(text))) + PADDING)
        .sum();
    let room = width.saturating_sub(taken + PADDING);
    let of_last = || column(others.len()).chain([last]);
    let whole = longest(&mut of_last().map(|text| wide(text)));
    let word = longest(&mut of_last().flat_map(|text| text.split(' ')).map(wide));
    whole <= room || (word <= room && room >= NARROWEST)
}

fn wide(text: &str) -> usize {
    text.chars().count()
}

fn table(header: &[String], rows: &[Vec<String>], width: Option<usize>) -> String {
    let mut table = Table::new();
    table.load_style(LINES).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    match width.and_then(|width| u16::try_from(width).ok()) {
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        Some(width) => {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(width);
            let others = header.len().saturating_sub(1);
            for column in table.column_iter_mut().take(others) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
    }
    table.trim_fmt()
}

/// A row as lines, and an empty line between rows.
fn cards(header: &[String], rows: &[Vec<String>]) -> String {
    let names = header.iter().map(|name| wide(name)).max().unwrap_or_default();
    let card = |row: &Vec<String>| {
        let line = |(name, cell): (&String, &String)| format!("{name:<names$}  {cell}").trim_end().to_owned();
        let lines: Vec<String> = header.iter().zip(row).map(line).collect();
        lines.join("\n")
    };
    let cards: Vec<String> = rows.iter().map(card).collect();
    cards.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0190a8b0-0000-7000-8000-000000000000";

    fn row(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|&cell| cell.to_owned()).collect()
    }

    fn widest(text: &str) -> usize {
        text.lines().map(wide).max().unwrap_or_default()
    }

    #[test]
    fn where_there_is_no_terminal_nothing_is_wrapped() {
        let long = "many words ".repeat(40);
        let shown = fitted(&["id", "why"], &[row(&[ID, &long])], None, &["id"]);
        assert!(shown.text.contains(ID) && shown.text.contains(long.trim_end()));
        assert!(shown.left_out.is_empty());
    }

    #[test]
    fn the_last_column_is_wrapped_between_its_words() {
        let long = "many words ".repeat(40);
        let shown = fitted(&["id", "why"], &[row(&[ID, &long])], Some(80), &[]);
        assert!(widest(&shown.text) <= 80, "{}", shown.text);
        assert!(shown.text.contains(ID), "{}", shown.text);
        for line in shown.text.lines() {
            let words = line.split_whitespace().filter(|word| word.is_ascii());
            for word in words {
                assert!([ID, "id", "why", "many", "words"].contains(&word), "{word}");
            }
        }
    }

    #[test]
    fn columns_that_may_go_go_until_it_fits_and_are_named() {
        let cells = row(&["acme", &"x".repeat(30), &"y".repeat(30), ID]);
        let shown = fitted(&["client", "a", "b", "id"], &[cells], Some(80), &["a", "b"]);
        assert_eq!(shown.left_out, ["a"]);
        assert!(
            widest(&shown.text) <= 80 && shown.text.contains(ID),
            "{}",
            shown.text
        );
        assert!(!shown.text.contains('x') && shown.text.contains('y'));
    }

    #[test]
    fn what_fits_in_no_table_becomes_cards() {
        let cells = row(&["acme", ID, ID]);
        let shown = fitted(
            &["client", "one", "other"],
            &[cells.clone(), cells],
            Some(60),
            &[],
        );
        let card = format!("client  acme\none     {ID}\nother   {ID}");
        assert_eq!(shown.text, format!("{card}\n\n{card}"));
    }
}
