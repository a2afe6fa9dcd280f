//! The file that clients are imported from: its header, and what each row must hold. A row that cannot be right is
//! refused here, and its token is never sent.

use std::{
    io::{self, Read},
    str,
};

use hubkeep_core::id::{ClientSlug, PortalId};
use hubkeep_proto::error::v1::ErrorReason;
use thiserror::Error;
use zeroize::Zeroizing;

use hubkeep_proto::credential::v1::{CredentialKind, PortalDetails};

use super::{
    cells::{CELL_LIMIT, Cell, Cells, CsvFile},
    columns::{COLUMNS, Extra, REQUIRED},
};

/// The file cannot be used at all.
#[derive(Debug, Error)]
pub(super) enum FileFault {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It holds nothing.
    #[error("it is empty; the first line must be clientSlug,portalToken,portalId")]
    Empty,
    /// It has a header and no row.
    #[error("it has no rows below its header")]
    NoRows,
    /// Its first line is something else.
    #[error("its first line must be clientSlug,portalToken,portalId (in any order): {0}")]
    Header(String),
    /// It has more rows than can be numbered.
    #[error("it has too many rows")]
    TooManyRows,
}

/// A row below the header.
pub(super) struct Row {
    /// Its number, from 1, without the header.
    pub(super) number: u32,
    /// How many bytes of the file it took.
    pub(super) bytes: u64,
    /// What it asks for, or why it cannot.
    pub(super) content: Result<Client, RowFault>,
}

/// A client to onboard.
pub(super) struct Client {
    /// The agency's name for it.
    pub(super) client_slug: ClientSlug,
    /// HubSpot's token.
    pub(super) portal_token: Zeroizing<String>,
    /// The portal that the token must belong to, if one is named.
    pub(super) portal_id: Option<PortalId>,
    /// The operator's name for the credential; empty for the default.
    pub(super) credential_name: String,
    /// What sort of credential it is, where the row says so.
    pub(super) kind: Option<CredentialKind>,
    /// What is known of the client, where the row says anything.
    pub(super) details: Option<PortalDetails>,
}

/// Why a row cannot be sent. Never holds what stood in a cell, which may be a token in the wrong place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RowFault {
    /// The row's slug, where it is one.
    pub(super) client_slug: String,
    /// The reason, as the service would give it.
    pub(super) reason: ErrorReason,
    /// In words, with what to do.
    pub(super) message: String,
}

/// The rows of a file, in order.
pub(super) struct Rows<R> {
    file: CsvFile<R>,
    places: Places,
    number: u32,
}

impl<R: Read> Rows<R> {
    /// Reads and checks the header.
    ///
    /// # Errors
    /// If there is none, or not the one expected.
    pub(super) fn open(input: R) -> Result<Self, FileFault> {
        let mut file = CsvFile::new(input);
        let header = file.next_row()?.ok_or(FileFault::Empty)?;
        Ok(Self {
            file,
            places: places(&header)?,
            number: 0,
        })
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// If the file cannot be read on, or has no rows at all.
    pub(super) fn next_row(&mut self) -> Result<Option<Row>, FileFault> {
        let Some(cells) = self.file.next_row()? else {
            return if self.number == 0 {
                Err(FileFault::NoRows)
            } else {
                Ok(None)
            };
        };
        self.number = self.number.checked_add(1).ok_or(FileFault::TooManyRows)?;
        let bytes = cells.bytes;
        let content = client(cells, &self.places);
        Ok(Some(Row {
            number: self.number,
            bytes,
            content,
        }))
    }
}

/// Where each of [`COLUMNS`] stands, and how many columns there are.
struct Places {
    of_column: [Option<usize>; COLUMNS.len()],
    columns: usize,
}

fn places(header: &Cells) -> Result<Places, FileFault> {
    let names: Vec<&str> = header.kept.iter().map(name).collect::<Result<_, _>>()?;
    if let [only] = names.as_slice()
        && only.contains([';', '\t'])
    {
        let how = "columns are separated by commas; save the file as CSV with commas";
        return Err(FileFault::Header(how.to_owned()));
    }
    if let Some(extra) = names.iter().find(|name| !COLUMNS.contains(name)) {
        // Without a header, the first line holds a token: it is not repeated unless it is short and plain.
        let shown = extra.len() <= 32
            && extra
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        let what = if shown {
            format!("column \"{extra}\" is not one of them")
        } else {
            NO_HEADER.to_owned()
        };
        return Err(FileFault::Header(what));
    }
    let mut places = [None; COLUMNS.len()];
    for (number, (place, column)) in places.iter_mut().zip(COLUMNS).enumerate() {
        let mut found = names.iter().enumerate().filter(|(_, name)| **name == column);
        *place = found.next().map(|(at, _)| at);
        if place.is_none() && number < REQUIRED {
            return Err(FileFault::Header(format!("column \"{column}\" is missing")));
        }
        if found.next().is_some() {
            return Err(FileFault::Header(format!(
                "column \"{column}\" stands there twice"
            )));
        }
    }
    Ok(Places {
        of_column: places,
        columns: header.count,
    })
}

const NO_HEADER: &str = "the file seems to begin with a row, or has columns of other names";

fn name(cell: &Cell) -> Result<&str, FileFault> {
    let Cell::Whole(bytes) = cell else {
        return Err(FileFault::Header(format!(
            "a cell has more than {CELL_LIMIT} bytes"
        )));
    };
    let not_text = |_| FileFault::Header("the file is not UTF-8 text; save it as CSV in UTF-8".to_owned());
    str::from_utf8(bytes).map(str::trim).map_err(not_text)
}

/// Reads a row's cells into a client.
fn client(cells: Cells, places: &Places) -> Result<Client, RowFault> {
    let invalid = |slug: &str, message: &str| RowFault {
        client_slug: slug.to_owned(),
        reason: ErrorReason::ImportRowInvalid,
        message: message.to_owned(),
    };
    let columns = places.columns;
    if cells.count != columns {
        let message = format!(
            "has {} cells and must have {columns}: is a comma or a quote missing?",
            cells.count
        );
        return Err(invalid("", &message));
    }
    let text = |place: usize| {
        let column = COLUMNS.get(place).copied().unwrap_or_default();
        let Some(at) = places.of_column.get(place).copied().flatten() else {
            // The file has no such column.
            return Ok("");
        };
        match cells.kept.get(at) {
            Some(Cell::Whole(bytes)) => str::from_utf8(bytes)
                .map(str::trim)
                .map_err(|_| format!("{column} is not UTF-8 text; save the file as CSV in UTF-8")),
            Some(Cell::TooLong) | None => Err(format!(
                "{column} has more than {CELL_LIMIT} bytes, the limit of a cell: is a quote not closed?"
            )),
        }
    };
    let client_slug = text(0).and_then(slug).map_err(|message| invalid("", &message))?;
    let refuse = |message: String| invalid(client_slug.as_str(), &message);
    let portal_token = text(1).and_then(token).map_err(refuse)?;
    let portal_id = text(2).and_then(portal_id).map_err(refuse)?;
    let extra = Extra::read(text).map_err(refuse)?;
    Ok(Client {
        client_slug,
        portal_token,
        portal_id,
        credential_name: extra.credential_name,
        kind: extra.kind,
        details: extra.details,
    })
}

fn slug(text: &str) -> Result<ClientSlug, String> {
    // A token could pass for a slug, and slugs are shown and logged.
    if text.starts_with("pat-") {
        return Err("clientSlug looks like a HubSpot token: are the columns swapped?".to_owned());
    }
    text.parse()
        .map_err(|error: hubkeep_core::id::InvalidName| format!("clientSlug: {}", error.rule()))
}

fn token(text: &str) -> Result<Zeroizing<String>, String> {
    if text.is_empty() {
        return Err("portalToken is empty".to_owned());
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("portalToken holds spaces or characters that no token has".to_owned());
    }
    Ok(Zeroizing::new(text.to_owned()))
}

fn portal_id(text: &str) -> Result<Option<PortalId>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits).and_then(PortalId::new);
    number
        .map(Some)
        .ok_or_else(|| "portalId is not the number of a portal; leave it empty if it is not known".to_owned())
}

#[cfg(test)]
mod tests;
