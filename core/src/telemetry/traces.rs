//! Traces: a span for each request and for each call to HubSpot, told to a collector by OTLP over gRPC.

use std::{
    sync::Arc,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use http::HeaderMap;
use opentelemetry::{
    global,
    propagation::{Extractor, Injector},
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _, WithTonicConfig as _};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use thiserror::Error;
use tonic::{
    Code,
    metadata::{Ascii, MetadataKey, MetadataMap, MetadataValue},
    transport::ClientTlsConfig,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::Config;

/// How long the collector may take to accept a batch of spans. Nobody's call waits for that.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Whether this process tells any spans: most do not, and should not pay for them.
static ON: AtomicBool = AtomicBool::new(false);

/// Traces that cannot be told.
#[derive(Debug, Error)]
#[error("telemetry.otlp_endpoint cannot be used")]
pub struct TracesError(#[from] ExporterBuildError);

/// Tells spans of this process, in batches beside the calls.
#[derive(Debug)]
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// Of the service of this name, if the configuration names a collector. Must be called on a runtime.
    pub(super) fn open(config: &Config, service: &'static str) -> Result<Option<Self>, TracesError> {
        let Some(endpoint) = &config.otlp_endpoint else {
            return Ok(None);
        };
        let mut exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint.as_str())
            .with_timeout(TIMEOUT);
        if endpoint.scheme() == "https" {
            exporter = exporter.with_tls_config(ClientTlsConfig::new().with_native_roots());
        }
        let whole = Sampler::TraceIdRatioBased(config.otlp_sample_ratio);
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter.build()?)
            // Who calls decides for the whole trace, where it has one.
            .with_sampler(Sampler::ParentBased(Box::new(whole)))
            .with_resource(Resource::builder_empty().with_service_name(service).build())
            .build();
        global::set_text_map_propagator(TraceContextPropagator::new());
        ON.store(true, Ordering::Relaxed);
        Ok(Some(Self(provider)))
    }

    pub(super) fn tracer(&self) -> SdkTracer {
        self.0.tracer("hubkeep")
    }

    /// Tells what is left, for a few seconds at most.
    pub(super) async fn finish(self) {
        let told = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(TIMEOUT)).await;
        if !matches!(told, Ok(Ok(()))) {
            tracing::debug!("the last spans were not told to the collector");
        }
    }
}

/// The span of a request for this gRPC method is part of the trace that its caller is in, as `traceparent` says, if it says
/// so. Nothing where nothing is traced.
pub(crate) fn serve(headers: &HeaderMap, grpc_method: &str, span: &Span) {
    if !is_on() {
        return;
    }
    span.record("otel.name", grpc_method.trim_start_matches('/'));
    span.record("otel.kind", "server");
    let caller = global::get_text_map_propagator(|propagator| propagator.extract(&Told(headers)));
    // It cannot be set where the filter of the log leaves requests out: then nothing is told of them either.
    let _ = span.set_parent(caller);
}

/// The trace that the current span is part of, as 32 hexadecimal digits. None where nothing is traced.
pub(crate) fn trace_id() -> Option<Arc<str>> {
    if !is_on() {
        return None;
    }
    let here = Span::current().context();
    let span = here.span();
    let context = span.span_context();
    context.is_valid().then(|| context.trace_id().to_string().into())
}

/// How a request ended.
pub(crate) fn served(span: &Span, code: Code) {
    if is_on() {
        span.record("rpc.grpc.status_code", i32::from(code));
    }
}

/// The span, where something is traced; else one that costs nothing.
pub fn span_of(make: impl FnOnce() -> Span) -> Span {
    if is_on() { make() } else { Span::none() }
}

fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Says in a request to another service which trace it is part of.
pub fn carry(metadata: &mut MetadataMap) {
    if !is_on() {
        return;
    }
    let here = Span::current().context();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&here, &mut Telling(metadata)));
}

struct Told<'a>(&'a HeaderMap);

impl Extractor for Told<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

struct Telling<'a>(&'a mut MetadataMap);

impl Injector for Telling<'_> {
    fn set(&mut self, key: &str, value: String) {
        let named = MetadataKey::<Ascii>::from_bytes(key.as_bytes());
        if let (Ok(key), Ok(value)) = (named, MetadataValue::try_from(value)) {
            self.0.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing::field::Empty;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_request_to_another_service_says_which_trace_it_is_part_of() {
        global::set_text_map_propagator(TraceContextPropagator::new());
        ON.store(true, Ordering::Relaxed);
        let provider = SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let span = tracing::info_span!("request", otel.name = Empty, otel.kind = Empty);
            let mut headers = HeaderMap::new();
            let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
            headers.insert("traceparent", parent.parse().expect("a header"));
            serve(&headers, "/a.Service/Method", &span);
            let _entered = span.enter();
            let mut metadata = MetadataMap::new();
            carry(&mut metadata);
            let told = metadata.get("traceparent").expect("said").to_str().expect("text");
            assert!(
                told.starts_with(&format!("00-{TRACE}-")) && told != parent,
                "{told}"
            );
        });
    }
}
