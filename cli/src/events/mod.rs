//! Audit events in the formats that other programs read: OCSF, CSV and, with the feature `parquet`, Parquet.
//!
//! A service gives events as they are; what they are written as is the reader's own affair, so that no service has to hold a
//! format, and a new one needs no new service.

mod activity;
mod csv;
mod ocsf;
#[cfg(feature = "parquet")]
mod parquet;
mod row;

use std::io::Write;

use hubkeep_proto::audit::v1::Event;

use crate::errors::Error;

/// Writes events one after the other, and what a format puts at its end.
pub trait Writer {
    /// One event more.
    ///
    /// # Errors
    /// If it cannot be written.
    fn write(&mut self, event: &Event) -> Result<(), Error>;

    /// Everything was written.
    ///
    /// # Errors
    /// If the end cannot be written.
    fn finish(self: Box<Self>) -> Result<(), Error>;
}

/// One line of JSON for each event: OCSF 1.8.0, API Activity.
pub fn ocsf<'a>(to: impl Write + Send + 'a) -> Box<dyn Writer + Send + 'a> {
    Box::new(ocsf::Lines(to))
}

/// One row for each event, after one with the columns' names.
///
/// # Errors
/// If the first row cannot be written.
pub fn csv<'a>(to: impl Write + Send + 'a) -> Result<Box<dyn Writer + Send + 'a>, Error> {
    Ok(Box::new(csv::Rows::begin(to)?))
}

/// A Parquet file with the same columns.
///
/// # Errors
/// If its beginning cannot be written.
#[cfg(feature = "parquet")]
pub fn parquet<'a>(to: impl Write + Send + 'a) -> Result<Box<dyn Writer + Send + 'a>, Error> {
    Ok(Box::new(parquet::Table::begin(to)?))
}
