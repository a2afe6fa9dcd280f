//! Numbers of what a process does, in the format of Prometheus, at an address of their own.
//!
//! Rooms count by the macros of the crate `metrics`, which do nothing where nobody has opened an address. Labels are words
//! of ours, of which there are few: never a client, a caller or an id. `docs/monitoring.md` lists every name.

use std::{future::Future, io, net::SocketAddr};

use axum::{Router, http::header, routing::get};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder};
use thiserror::Error;
use tokio::net::TcpListener;

/// What took time is counted in these, in seconds.
const SECONDS: [f64; 14] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];
/// What Prometheus reads.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The numbers cannot be told.
#[derive(Debug, Error)]
pub enum MetricsError {
    /// The address cannot be listened on.
    #[error("{0} cannot be listened on for metrics")]
    Listen(SocketAddr, #[source] io::Error),
    /// The numbers cannot be kept, or are kept already.
    #[error("the metrics cannot be kept")]
    Keep(#[from] BuildError),
}

/// Begins to count, and gives what tells the numbers to whoever asks at this address, for as long as it is polled. Once in a
/// process.
///
/// # Errors
/// If the address cannot be listened on, or this process counts already.
pub async fn open(listen: SocketAddr) -> Result<impl Future<Output = ()> + Send, MetricsError> {
    let listener = TcpListener::bind(listen).await;
    let listener = listener.map_err(|error| MetricsError::Listen(listen, error))?;
    let numbers = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()?;
    let told = get(move || {
        let numbers = numbers.clone();
        async move {
            numbers.run_upkeep();
            ([(header::CONTENT_TYPE, CONTENT_TYPE)], numbers.render())
        }
    });
    Ok(async move {
        let served = axum::serve(listener, Router::new().route("/metrics", told)).await;
        if let Err(error) = served {
            tracing::warn!(%error, "metrics are told no more");
        }
    })
}
