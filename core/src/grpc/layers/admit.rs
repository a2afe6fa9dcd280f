//! Takes no more requests at once than the server can carry, and none when it is stopping, and says so at once
//! instead of letting them wait.

use crate::grpc::{Error, places::Admitted, tools::Tools};

pub(super) fn admitted(tools: &Tools) -> Result<Admitted, Error> {
    if tools.stopping.is_cancelled() {
        return Err(Error::Stopping);
    }
    tools.places.admit().map_err(|full| {
        // A server that stops takes the places back one by one.
        if tools.stopping.is_cancelled() {
            Error::Stopping
        } else {
            full
        }
    })
}
