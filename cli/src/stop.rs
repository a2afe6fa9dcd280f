//! Waits to be told to stop.

use tokio::signal::unix::{SignalKind, signal};

use crate::errors::Error;

/// Ends with ctrl-c or SIGTERM.
///
/// # Errors
/// If the system does not let us listen for signals.
pub(crate) async fn until_told() -> Result<(), Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        _ = terminate.recv() => Ok(()),
    }
}
