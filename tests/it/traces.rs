//! Spans of a call reach a collector, in the trace that its caller is in, and name no record and no secret.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use hubkeep_audit_log::Event;
use hubkeep_proto::crm::v1::{GetObjectRequest, object_service_client::ObjectServiceClient};
use hubkeep_tests::{
    World, eventually,
    support::{audit::events_on_disk, crm_process::CrmProcess, handles::named},
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
    trace::v1::Span,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

const A: &str = "client-0001";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Keeps what it is told.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().expect("whole").push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn start() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let collector = Self::default();
        let service = TraceServiceServer::new(collector.clone());
        let serving = Server::builder()
            .add_service(service)
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(serving);
        (collector, address)
    }

    fn spans(&self) -> Vec<Span> {
        let told = self.0.lock().expect("whole");
        let resources = told.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// The spans of this trace.
    fn of_trace(&self) -> Vec<Span> {
        let mut spans = self.spans();
        spans.retain(|span| hex(&span.trace_id) == TRACE);
        spans
    }

    /// Everything that was told, as text.
    fn told(&self) -> String {
        format!("{:?}", self.0.lock().expect("whole"))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{key}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_traced_from_its_caller_to_hubspot_and_no_record_is_named() {
    let (collector, address) = Collector::start().await;
    let endpoint = format!("http://{address}");
    let variables = [("HUBKEEP__TELEMETRY__OTLP_ENDPOINT", endpoint.as_str())];
    let stage = CrmProcess::with(World::of_portals(1), &variables).await;
    let handle = stage.hubkeep.handle(A).issue().await;
    let mut request = named(
        &handle.caller,
        GetObjectRequest {
            client_slug: A.to_owned(),
            object_type: "contacts".to_owned(),
            object_id: "101".to_owned(),
            ..GetObjectRequest::default()
        },
    );
    let metadata = request.metadata_mut();
    let bearer = format!("Bearer {}", handle.token);
    metadata.insert("authorization", bearer.parse().expect("text"));
    let caller = format!("00-{TRACE}-{PARENT}-01");
    metadata.insert("traceparent", caller.parse().expect("text"));
    ObjectServiceClient::new(stage.channel())
        .get_object(request)
        .await
        .expect("read");
    // What waits is told when the service stops.
    stage.process.ask_to_stop();
    eventually!(collector.of_trace().len() >= 2);

    let spans = collector.of_trace();
    let find = |name: &str| {
        let found = spans.iter().find(|span| span.name == name);
        found.unwrap_or_else(|| panic!("no {name}: {spans:#?}"))
    };
    let asked = find("hubkeep.crm.v1.ObjectService/GetObject");
    assert_eq!(hex(&asked.parent_span_id), PARENT);
    assert_eq!(attribute(asked, "rpc.grpc.status_code").as_deref(), Some("0"));
    let sent = find("GET /crm/objects/2026-09/contacts/{id}");
    assert_eq!(sent.parent_span_id, asked.span_id);
    assert_eq!(
        attribute(sent, "http.response.status_code").as_deref(),
        Some("200")
    );
    let journal = stage.hubkeep.hubspot_calls();
    let entry = journal.last().and_then(|call| call.header("x-request-id"));
    assert_eq!(attribute(sent, "hubkeep.audit.entry_id").as_deref(), entry);
    let on_record = events_on_disk(&stage.log());
    let is_traced = |event: &Event| event.entry.as_ref().is_some_and(|entry| entry.trace_id == TRACE);
    assert_eq!(
        on_record.iter().filter(|event| is_traced(event)).count(),
        2,
        "intent and outcome"
    );
    let told = collector.told();
    for secret in [&handle.token, &stage.hubkeep.token(A), "contacts/101"] {
        assert!(!told.contains(secret), "{secret} is told");
    }
}
