//! When the process is asked to stop.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Ends when the process is asked to stop: SIGTERM, or ctrl-c. Heard from the moment this is called, not only from
/// when it is awaited.
pub fn stop_signal() -> impl Future<Output = ()> {
    let (terminate, interrupt) = (listen(SignalKind::terminate()), listen(SignalKind::interrupt()));
    async move {
        tokio::select! {
            () = heard(terminate) => {}
            () = heard(interrupt) => {}
        }
    }
}

fn listen(kind: SignalKind) -> Option<Signal> {
    let signal = signal(kind);
    if let Err(error) = &signal {
        tracing::warn!(?kind, %error, "this signal cannot be heard");
    }
    signal.ok()
}

async fn heard(signal: Option<Signal>) {
    match signal {
        Some(mut signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}
