//! The log behind the chassis that both services run on, and a client of it.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt as _, future::BoxFuture};
use hubkeep_audit_log::{AuditApi, AuditLog, Entry, Outcome, ReadAuthority, ReadGrant, RefusalRecorder};
use hubkeep_core::{
    clock::{MockClock, SharedClock, SystemClock, Tick, Timestamp},
    error::{ErrorKind, ErrorReason, ServiceError},
    grpc::{Access, AccessRules, CALLER_HEADER, CallerSource, Chassis, Config, Context, Running},
    handle_token::HandleToken,
    random::SystemRandom,
};
use hubkeep_proto::audit::v1::{
    EventFilter, ListEventsRequest, StreamEventsResponse, audit_service_client::AuditServiceClient,
    audit_service_server::AuditServiceServer, stream_events_response::Message,
};
use thiserror::Error;
use tonic::{Request, Status, transport::Channel};
use tonic_types::StatusExt as _;

use crate::support::{Place, entry, everything, portal, read_of};

const SERVICE: &str = "hubkeep.audit.v1.AuditService";

/// Knows one handle, which opens the log of client-1.
struct OneHandle {
    handle: String,
    until: Tick,
}

#[derive(Debug, Error)]
#[error("the handle is not known")]
struct NotKnown;

impl ServiceError for NotKnown {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Unauthenticated
    }
    fn reason(&self) -> ErrorReason {
        ErrorReason::HandleInvalid
    }
    fn public_message(&self) -> String {
        "take a new handle".to_owned()
    }
}

impl ReadAuthority for OneHandle {
    fn by_handle<'a>(
        &'a self,
        _: &'a Context,
        handle: HandleToken,
        _: &'a str,
    ) -> BoxFuture<'a, Result<ReadGrant, Box<dyn ServiceError>>> {
        let grant = ReadGrant {
            portal: portal(1),
            until: self.until,
        };
        let known = handle.expose() == self.handle;
        async move {
            if known {
                Ok(grant)
            } else {
                Err(Box::new(NotKnown) as _)
            }
        }
        .boxed()
    }
}

pub(crate) struct Served {
    pub(crate) log: AuditLog,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) running: Running,
    pub(crate) handle: String,
    pub(crate) client: AuditServiceClient<Channel>,
    place: Place,
}

impl Served {
    pub(crate) async fn start(place: Place) -> Self {
        let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
        let shared: SharedClock = Arc::clone(&clock) as _;
        let random = SystemRandom::shared();
        let log = place.open_at(Arc::clone(&shared)).await;
        let handle = HandleToken::make(&*random).expect("random").expose().to_owned();
        let until = shared.tick().plus(Duration::from_secs(60));
        let one = OneHandle {
            handle: handle.clone(),
            until,
        };
        let recorder = RefusalRecorder::new(log.clone(), Arc::clone(&shared), Arc::clone(&random));
        let chassis = Chassis::new(
            Config::default(),
            // The chassis keeps real time, so that its own deadlines do not stand still.
            SystemClock::shared(),
            Arc::clone(&random),
            CallerSource::development().expect("valid"),
            Access {
                rules: AccessRules::new([(SERVICE, ["operator/*", "agent"].as_slice())]),
                ..Access::default()
            },
            Arc::new(recorder),
        );
        let api = AuditApi::new(log.clone(), Arc::new(one), shared, random, chassis.stopping());
        let running = chassis
            .serve(AuditServiceServer::new(api))
            .start()
            .await
            .expect("listens");
        let url = format!("http://{}", running.address());
        let client = AuditServiceClient::connect(url).await.expect("connects");
        Self {
            log,
            clock,
            running,
            handle,
            client,
            place,
        }
    }

    pub(crate) const fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) async fn record(&self, calls: u64) {
        for number in 0..calls {
            let intent = self.log.intent(read_of(1 + number % 2)).await.expect("durable");
            intent.settle(Outcome::ok()).await.expect("durable");
        }
    }

    pub(crate) async fn list(
        &self,
        caller: &str,
        handle: Option<&str>,
        request: ListEventsRequest,
    ) -> Listed {
        let mut client = self.client.clone();
        let listed = client.list_events(asked(caller, handle, request)).await;
        listed.map(|response| {
            let response = response.into_inner();
            (response.events, response.next_page_token)
        })
    }

    pub(crate) async fn newest(&self) -> (String, Entry) {
        let event = everything(&self.log).await.pop().expect("an event");
        (event.log.clone(), entry(&event).clone())
    }
}

pub(crate) type Listed = Result<(Vec<hubkeep_audit_log::Event>, String), Status>;

pub(crate) fn asked<T>(caller: &str, handle: Option<&str>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert(CALLER_HEADER, caller.parse().expect("ascii"));
    if let Some(handle) = handle {
        metadata.insert(
            "authorization",
            format!("Bearer {handle}").parse().expect("ascii"),
        );
    }
    request
}

pub(crate) fn of_client(slug: &str) -> Option<EventFilter> {
    Some(EventFilter {
        client_slug: slug.to_owned(),
        ..EventFilter::default()
    })
}

pub(crate) fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().expect("every error has one").reason.clone()
}

pub(crate) async fn next(stream: &mut tonic::Streaming<StreamEventsResponse>) -> Result<Message, Status> {
    let response = stream.message().await?;
    Ok(response
        .expect("ends with an error")
        .message
        .expect("one of them"))
}
