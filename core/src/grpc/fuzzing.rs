//! The readers of a request's metadata, for the fuzz targets in `tests/fuzz`. A door for them alone: no build of the
//! product has it.

use std::time::Duration;

use http::{Extensions, HeaderMap};

use super::{CallerSource, Error, layers};
use crate::{
    clock::Timestamp,
    id::{CallerName, RequestId},
};

/// Who asks, where callers say so themselves.
///
/// # Errors
/// If what they say is no name.
pub fn stated_caller(headers: &HeaderMap) -> Result<CallerName, Error> {
    let stated = CallerSource::development()?;
    let caller = stated.identify(headers, &Extensions::new(), Timestamp::from_micros(0))?;
    Ok(caller.name)
}

/// How long the caller waits, where it says so.
pub fn timeout(headers: &HeaderMap) -> Option<Duration> {
    layers::grpc_timeout(headers)
}

/// The id that the caller brought, if it is one.
pub fn request_id(headers: &HeaderMap) -> Option<RequestId> {
    layers::brought(headers)
}
