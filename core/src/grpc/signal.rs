//! When the process is asked to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Ends when the process is asked to stop: SIGTERM, or ctrl-c.
pub async fn stop_signal() {
    let interrupted = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupted => {}
            }
        }
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be heard; ctrl-c can");
            let _ = interrupted.await;
        }
    }
}
