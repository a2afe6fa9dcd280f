//! What the layers learned of a request, for the method that answers it.

use std::sync::Arc;

use tonic::{Request, Status};

use super::{Access, Caller, Error, places::Place};
use crate::{
    clock::Tick,
    error::{ServiceError, status},
    id::{CallerName, RequestId},
    telemetry::traces,
};

/// The full gRPC method: "/hubkeep.crm.v1.ObjectService/GetObject".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcMethod(Arc<str>);

impl GrpcMethod {
    pub(super) fn new(path: &str) -> Self {
        Self(path.into())
    }

    /// The whole path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The service's part: "hubkeep.crm.v1.ObjectService".
    pub fn service(&self) -> &str {
        self.0
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default()
    }
}

/// What is asked for, under which id.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) request_id: RequestId,
    pub(super) grpc_method: GrpcMethod,
}

/// When the answer must be ready.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    /// What the server grants.
    pub(super) granted: Tick,
    /// What the caller has stated, however long it is.
    pub(super) stated: Option<Tick>,
}

/// Who asks what, under which id, and until when.
#[derive(Clone, Debug)]
pub struct Context {
    /// The id of this request.
    pub request_id: RequestId,
    /// Who asks.
    pub caller: Caller,
    /// The method asked for.
    pub grpc_method: GrpcMethod,
    /// The trace that the request is part of, as 32 hexadecimal digits; none where nothing is traced.
    pub trace_id: Option<Arc<str>>,
    /// What callers may do, of which the layers have decided only whether this one may use this gRPC service.
    access: Arc<Access>,
    /// When the work must be done, so that the answer still reaches the caller.
    pub deadline: Tick,
    /// When the caller itself gives up, where it has said so. For streams, which may outlast the longest deadline.
    pub stated_deadline: Option<Tick>,
    /// Whether it is part of much work for which nobody waits: what somebody waits for goes before it.
    pub is_batch: bool,
    /// The request's place among those that are worked on at once, or the stream's among the streams. It is taken for as
    /// long as anybody works on it, also when its caller is gone.
    place: Option<Place>,
}

impl Context {
    pub(super) fn new(
        asked: Asked,
        caller: Caller,
        access: Arc<Access>,
        deadline: Deadline,
        place: Place,
    ) -> Self {
        Self {
            request_id: asked.request_id,
            caller,
            grpc_method: asked.grpc_method,
            trace_id: traces::trace_id(),
            access,
            deadline: deadline.granted,
            stated_deadline: deadline.stated,
            is_batch: false,
            place: Some(place),
        }
    }

    /// The same, for work that goes on when the request has its answer: it takes no place, and nobody waits for its end.
    #[must_use]
    pub fn afterwards(&self, deadline: Tick) -> Self {
        Self {
            deadline,
            stated_deadline: None,
            place: None,
            ..self.clone()
        }
    }

    /// The same request, as it asks another method on the way to its answer: for pages, which are made of several answers.
    #[must_use]
    pub fn asking(&self, grpc_method: &str) -> Self {
        Self {
            grpc_method: GrpcMethod::new(grpc_method),
            ..self.clone()
        }
    }

    /// The same, as part of much work for which nobody waits.
    #[must_use]
    pub fn in_batch(mut self) -> Self {
        self.is_batch = true;
        self
    }

    /// What the layers learned of this request.
    ///
    /// # Errors
    /// If the server was built without the layers: a defect, and the status says so.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        let learned = request.extensions().get::<Self>();
        learned
            .cloned()
            .ok_or_else(|| status::without_request(&Error::LayersMissing))
    }

    /// The same for a method that answers with a stream which may last. It takes a place among the streams, so that
    /// streams take none from requests; and when the server stops, it does not wait for the stream's end, which may
    /// depend on a reader who does not read.
    ///
    /// # Errors
    /// As [`Context::of`]; and if there are as many streams as may be, of this caller or of all.
    pub fn of_stream<T>(request: &Request<T>) -> Result<Self, Status> {
        let context = Self::of(request)?;
        let place = context
            .place
            .as_ref()
            .map(|place| place.of_stream(&context.caller.name));
        let place = place.transpose().map_err(|error| context.refuse(&error))?;
        Ok(Self { place, ..context })
    }

    /// Whether the caller has this role.
    pub fn has_role(&self, role: &str) -> bool {
        self.access.has_role(&self.caller.name, role)
    }

    /// Whether the caller may use this gRPC service of the same server.
    pub fn may_use(&self, service: &str) -> bool {
        self.access.allow(&self.caller.name, service)
    }

    /// Whether somebody else has this role: for what another service asks in their name.
    pub fn has_role_of(&self, caller: &CallerName, role: &str) -> bool {
        self.access.has_role(caller, role)
    }

    /// Whether `[roles]` or `[access]` name a caller, not only as one of all.
    pub fn is_named(&self, caller: &CallerName) -> bool {
        self.access.names(caller)
    }

    /// The status by which this request is refused.
    pub fn refuse(&self, error: &dyn ServiceError) -> Status {
        status::from_error(error, self.request_id)
    }

    /// What gRPC itself says when a stream of messages breaks, with the details that every error carries.
    pub fn complete(&self, broken: &Status) -> Status {
        if !broken.details().is_empty() {
            return broken.clone();
        }
        status::completed(broken.code(), broken.message(), self.request_id)
    }
}
