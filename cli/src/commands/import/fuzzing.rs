//! The rows of a file of clients, read and not sent, for the fuzz targets in `tests/fuzz`. A door for them alone: no build
//! of the product has it.

use std::io::Read;

use super::{client::Client, columns::COLUMNS};
use crate::commands::bulk::{Row, Rows};

/// A row below the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRow {
    /// Its number, from 1.
    pub row: u32,
    /// Its line in the file, from 1.
    pub line: u64,
    /// How many bytes of the file it took.
    pub bytes: u64,
    /// What would be sent.
    pub content: Result<ReadClient, Refused>,
}

/// A client to onboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadClient {
    /// Its slug.
    pub client_slug: String,
    /// Its token.
    pub portal_token: String,
    /// The portal that it names, if it names one.
    pub portal_id: Option<u64>,
}

/// What is told of a row that is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The slug.
    pub client_slug: String,
    /// Why.
    pub message: String,
}

/// Reads a file of clients, as far as it can be read; in the end why there are no more rows, if that is a fault.
pub fn rows(input: impl Read) -> (Vec<ReadRow>, Option<String>) {
    let mut read = Vec::new();
    let mut rows = match Rows::open(input, COLUMNS, Client::read) {
        Ok(rows) => rows,
        Err(fault) => return (read, Some(fault.to_string())),
    };
    loop {
        match rows.next_row() {
            Ok(Some(row)) => read.push(plain(row)),
            Ok(None) => return (read, None),
            Err(fault) => return (read, Some(fault.to_string())),
        }
    }
}

fn plain(row: Row<Client>) -> ReadRow {
    ReadRow {
        row: row.at.row,
        line: row.at.line,
        bytes: row.bytes,
        content: match row.content {
            Ok(client) => Ok(ReadClient {
                client_slug: client.client_slug.to_string(),
                portal_token: client.portal_token.to_string(),
                portal_id: client.portal_id.map(|id| id.get()),
            }),
            Err(fault) => Err(Refused {
                client_slug: fault.client_slug,
                message: fault.message,
            }),
        },
    }
}
