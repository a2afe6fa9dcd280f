//! Logs: to standard error, as text for people or as JSON lines for machines. Numbers, for whoever watches them. And traces, for
//! whoever looks where the time goes.

pub mod metrics;
pub mod traces;

use std::{io::IsTerminal as _, net::SocketAddr};

use serde::{Deserialize, Serialize};
use traces::{Traces, TracesError};
use tracing::{Level, Metadata};
use tracing_subscriber::{
    EnvFilter, filter::filter_fn, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};
use url::Url;

use crate::{
    address::is_protected,
    config::{Fault, Validate},
};

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Which events, in the syntax of `tracing`'s filters: "info,hubkeep_crm_service=debug".
    pub filter: String,
    /// How they are written.
    pub format: Format,
    /// Where Prometheus may ask for numbers, at `/metrics`. Nowhere unless it is set. The numbers name no client; still, let
    /// only the network of your monitoring reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,
    /// Where spans are told, by OTLP over gRPC: https, or http on loopback. Nowhere unless it is set. Spans name methods,
    /// callers and portals, and no record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_endpoint: Option<Url>,
    /// How many of the traces that begin here are told: from 0 to 1, 1 for all. Traces of callers are told where the caller
    /// says so.
    pub otlp_sample_ratio: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            filter: "info".to_owned(),
            format: Format::Text,
            metrics_listen: None,
            otlp_endpoint: None,
            otlp_sample_ratio: 1.0,
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        if self
            .otlp_endpoint
            .as_ref()
            .is_some_and(|address| !is_protected(address))
        {
            let problem = "must be https, or http on loopback: spans say who calls for which client";
            faults.push(Fault::new("telemetry.otlp_endpoint", problem));
        }
        if !(0.0..=1.0).contains(&self.otlp_sample_ratio) {
            faults.push(Fault::new("telemetry.otlp_sample_ratio", "must be from 0 to 1"));
        }
    }
}

/// What was started. Spans that wait are lost where it is not finished.
#[derive(Debug)]
#[must_use]
pub struct Telemetry(Option<Traces>);

impl Telemetry {
    /// Tells what is left to be told.
    pub async fn finish(self) {
        if let Some(traces) = self.0 {
            traces.finish().await;
        }
    }
}

/// Starts logging, and traces where they are wanted, for the service of this name. The first call in a process wins; later
/// ones change nothing.
///
/// # Errors
/// If traces cannot be told where the configuration says.
pub fn start_service(config: &Config, service: &'static str) -> Result<Telemetry, TracesError> {
    let traces = Traces::open(config, service)?;
    begin(config, traces.as_ref());
    Ok(Telemetry(traces))
}

/// Starts logging. The first call in a process wins; later ones change nothing.
pub fn start(config: &Config) {
    begin(config, None);
}

/// The library that speaks MCP, which tells whole messages at its lower levels, and parts of them in its warnings.
const TALKATIVE: &str = "rmcp";

/// Whether a line may be written, whatever the configuration says: no level shows what somebody asked, or was answered.
fn is_ours_to_tell(line: &Metadata<'_>) -> bool {
    let target = line.target();
    let talkative = target
        .strip_prefix(TALKATIVE)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    !talkative || *line.level() == Level::ERROR
}

fn begin(config: &Config, traces: Option<&Traces>) {
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let spans = traces.map(|traces| {
        tracing_opentelemetry::layer()
            .with_tracer(traces.tracer())
            .with_location(false)
            .with_threads(false)
    });
    let registry = tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(is_ours_to_tell))
        .with(spans);
    let started = match config.format {
        Format::Text => registry
            .with(
                fmt::layer()
                    .with_ansi(std::io::stderr().is_terminal())
                    .with_writer(std::io::stderr),
            )
            .try_init(),
        Format::Json => registry
            .with(fmt::layer().json().with_writer(std::io::stderr))
            .try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was already started");
    }
}
