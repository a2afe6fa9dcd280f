//! The file of a fleet: its header, and what each row must hold. A row that cannot be right is refused here, and its
//! token is never sent.

use std::{io::Read, str};

use hubkeep_core::id::ClientSlug;
use hubkeep_proto::error::v1::ErrorReason;
use zeroize::Zeroizing;

use crate::commands::import::cells::{Cell, Cells, CsvFile};

/// The most rows of a file: all of it is read before the first row is sent.
const MAX_ROWS: usize = 100_000;
const SLUG: &str = "clientSlug";
const TOKEN: &str = "portalToken";
const NAME: &str = "credentialName";

/// A row below the header.
pub(super) struct Row {
    /// Its number, from 1, without the header.
    pub(super) number: u32,
    /// What it asks for, or why it cannot.
    pub(super) content: Result<NewToken, Fault>,
}

/// A new token.
pub(super) struct NewToken {
    pub(super) client_slug: ClientSlug,
    pub(super) credential_name: String,
    pub(super) portal_token: Zeroizing<String>,
}

/// Why a row cannot be sent. Never holds what stood in a cell, which may be a token in the wrong place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) client_slug: String,
    pub(super) reason: ErrorReason,
    pub(super) message: String,
}

/// Where the columns stand.
struct Places {
    slug: usize,
    token: usize,
    name: Option<usize>,
    columns: usize,
}

/// Every row of the file.
///
/// # Errors
/// In words, if the file cannot be used at all.
pub(super) fn read(input: impl Read) -> Result<Vec<Row>, String> {
    let mut file = CsvFile::new(input);
    let unreadable = |error: std::io::Error| format!("it cannot be read: {error}");
    let header = file.next_row().map_err(unreadable)?;
    let header = header.ok_or("it is empty; the first line must be clientSlug,portalToken")?;
    let places = places(&header)?;
    let mut rows = Vec::new();
    for number in 1.. {
        let Some(cells) = file.next_row().map_err(unreadable)? else {
            break;
        };
        if rows.len() == MAX_ROWS {
            return Err("it has more than 100,000 rows: split it".to_owned());
        }
        let content = new_token(&cells, &places);
        rows.push(Row { number, content });
    }
    if rows.is_empty() {
        return Err("it has no rows below its header".to_owned());
    }
    Ok(rows)
}

fn places(header: &Cells) -> Result<Places, String> {
    let rule = "its first line must be clientSlug,portalToken and perhaps credentialName";
    let names: Option<Vec<&str>> = header.kept.iter().map(text).collect();
    let names = names.ok_or_else(|| format!("{rule}, in UTF-8"))?;
    let place = |column: &str| names.iter().position(|name| *name == column);
    let known = names.iter().all(|name| [SLUG, TOKEN, NAME].contains(name));
    let missing = || format!("{rule} (in any order, nothing else, with commas between)");
    let (slug, token) = (
        place(SLUG).ok_or_else(missing)?,
        place(TOKEN).ok_or_else(missing)?,
    );
    let name = place(NAME);
    let columns = 2 + usize::from(name.is_some());
    if !known || header.count != columns {
        return Err(missing());
    }
    Ok(Places {
        slug,
        token,
        name,
        columns,
    })
}

fn text(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Whole(bytes) => str::from_utf8(bytes).ok().map(str::trim),
        Cell::TooLong => None,
    }
}

fn new_token(cells: &Cells, places: &Places) -> Result<NewToken, Fault> {
    let fault = |client_slug: &str, message: String| Fault {
        client_slug: client_slug.to_owned(),
        reason: ErrorReason::ImportRowInvalid,
        message,
    };
    if cells.count != places.columns {
        let (has, must) = (cells.count, places.columns);
        let message = format!("has {has} cells and must have {must}: is a comma or a quote missing?");
        return Err(fault("", message));
    }
    let cell = |at: usize, column: &str| {
        let found = cells.kept.get(at).and_then(text);
        found.ok_or_else(|| format!("{column} is too long, or not UTF-8 text"))
    };
    let slug = cell(places.slug, SLUG).map_err(|message| fault("", message))?;
    // A token could pass for a slug, and slugs are shown and logged.
    if slug.starts_with("pat-") {
        let message = "clientSlug looks like a HubSpot token: are the columns swapped?";
        return Err(fault("", message.to_owned()));
    }
    let client_slug: ClientSlug = slug
        .parse()
        .map_err(|error: hubkeep_core::id::InvalidName| fault("", format!("clientSlug: {}", error.rule())))?;
    let refuse = |message: String| fault(client_slug.as_str(), message);
    let token = cell(places.token, TOKEN).map_err(refuse)?;
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message = "portalToken is empty, or holds characters that no token has";
        return Err(refuse(message.to_owned()));
    }
    let name = places.name.map_or(Ok(""), |at| cell(at, NAME)).map_err(refuse)?;
    Ok(NewToken {
        credential_name: name.to_owned(),
        portal_token: Zeroizing::new(token.to_owned()),
        client_slug,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<Result<(String, String, String), String>> {
        let rows = read(text.as_bytes()).expect("a fleet");
        let row = |row: Row| match row.content {
            Ok(new) => Ok((
                new.client_slug.to_string(),
                new.credential_name,
                new.portal_token.to_string(),
            )),
            Err(fault) => Err(fault.message),
        };
        rows.into_iter().map(row).collect()
    }

    #[test]
    fn columns_stand_in_any_order_and_the_credential_may_be_left_out() {
        let row =
            |slug: &str, name: &str, token: &str| Ok((slug.to_owned(), name.to_owned(), token.to_owned()));
        assert_eq!(
            told("\u{feff}portalToken,clientSlug\r\n\"pat-1\", acme\r\n"),
            [row("acme", "", "pat-1")]
        );
        assert_eq!(
            told("clientSlug,credentialName,portalToken\nacme,writer,pat-1\n"),
            [row("acme", "writer", "pat-1")]
        );
    }

    #[test]
    fn a_bad_row_refuses_itself_only_and_repeats_nothing_of_it() {
        let rows = told(
            "clientSlug,portalToken\npat-1,acme\n../x,pat-2\nacme\nacme,pat 3\nacme,\nacme,pat\0-4\nacme,pat-5\n=1+1,pat-6\n",
        );
        assert_eq!(rows.iter().filter(|row| row.is_ok()).count(), 1);
        let faults = rows.into_iter().filter_map(Result::err);
        for fault in faults {
            assert!(!fault.contains("pat-") && !fault.contains("../x"), "{fault}");
        }
    }

    #[test]
    fn a_file_that_is_no_fleet_is_told_so_and_nothing_of_it_is_repeated() {
        let utf16: Vec<u8> = "clientSlug,portalToken\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let bad: [&[u8]; 7] = [
            b"",
            b"clientSlug,portalToken\n",
            b"acme,pat-na1-s3cret\n",
            b"clientSlug;portalToken\nacme;pat-1\n",
            b"clientSlug,portalToken,other\nacme,pat-1,x\n",
            b"clientSlug,clientSlug,portalToken\na,b,c\n",
            &utf16,
        ];
        for text in bad {
            let why = read(text).err().expect("refused");
            assert!(!why.contains("s3cret"), "{why}");
        }
    }
}
