//! The connection to credential-service, and its answers read.

use std::{collections::BTreeSet, str::FromStr, time::Duration};

use hubkeep_audit_log::ProvenPortal;
use hubkeep_core::{
    clock::Tick,
    error::ErrorReason,
    grpc::{CALLER_HEADER, Caller, Thumbprint},
    id::{HandleId, InvalidId, PortalId},
    secret::{PortalToken, TokenFingerprint},
    telemetry::traces,
    tls::{Identity, Line, refused_connection},
};
use hubkeep_proto::credential::v1::{HandleOperation, HandleScope, RedeemHandleResponse};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{
    Code, Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};
use tonic_types::StatusExt as _;
use zeroize::Zeroizing;

use super::{
    budget::Half,
    config::Config,
    error::Error,
    grant::{Grant, ObjectTypes},
};
use crate::{
    crm::{Bounds, ObjectType, Operation, PropertyName},
    sync::AtomicBool,
};

/// A grant stands for every type by this word.
const ALL_TYPES: &str = "*";
/// A partition is noticed within this.
const KEEP_ALIVE: Duration = Duration::from_secs(2);

/// The connection, and who this service says it is.
#[derive(Clone, Debug)]
pub(super) struct Link {
    path: Path,
    /// In development; elsewhere the connection's certificate says it.
    name: Option<MetadataValue<Ascii>>,
}

impl Link {
    /// A connection that opens when it is first used, and again whenever it broke. Whoever answers must have a
    /// certificate for the address's host, where there are certificates.
    pub(super) fn open(config: &Config, identity: Option<&Identity>) -> Result<Self, Error> {
        let unusable = |error: &dyn std::error::Error| Error::unavailable(error.to_string());
        let endpoint = Endpoint::from_shared(config.url.to_string()).map_err(|error| unusable(&error))?;
        let (path, name) = match identity {
            Some(identity) => {
                let line = Line::to(endpoint.uri().clone(), identity, watched);
                (Path::Certified(line.map_err(|error| unusable(&error))?), None)
            }
            None => (
                Path::Plain(watched(endpoint).connect_lazy()),
                Some(config.name.parse().map_err(|error| unusable(&error))?),
            ),
        };
        Ok(Self { path, name })
    }

    /// What to call by now: once this service has a new certificate, another than before.
    pub(super) fn channel(&self) -> Channel {
        match &self.path {
            Path::Plain(channel) => channel.clone(),
            Path::Certified(line) => line.channel(),
        }
    }

    /// A request that says who asks.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(name) = &self.name {
            request.metadata_mut().insert(CALLER_HEADER, name.clone());
        }
        traces::carry(request.metadata_mut());
        request
    }
}

/// How the other service is reached.
#[derive(Clone, Debug)]
enum Path {
    /// In development.
    Plain(Channel),
    /// With certificates.
    Certified(Line),
}

fn watched(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(KEEP_ALIVE)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true)
}

/// The certificate of whoever presented a handle, as it is sent: empty where callers have none, in development.
pub(super) fn thumbprint(caller: &Caller) -> Vec<u8> {
    let bytes = caller.thumbprint.as_ref().map(Thumbprint::as_bytes);
    bytes.unwrap_or_default().to_vec()
}

/// Whether the replica that was asked stops, or is gone: nothing was said about what was asked.
pub(super) fn went_away(status: &Status) -> bool {
    let details = status.get_error_details();
    match details.error_info() {
        Some(info) => info.reason == ErrorReason::Stopping.wire_name(),
        // Of no reason of ours: the connection broke.
        None => matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled),
    }
}

/// A refusal of credential-service. Only those that are about the handle, or its portal, are the caller's business.
pub(super) fn refusal(status: &Status) -> Error {
    let details = status.get_error_details();
    let reason = details
        .error_info()
        .and_then(|info| ErrorReason::from_wire_name(&info.reason));
    match (status.code(), reason) {
        (Code::Unauthenticated, Some(ErrorReason::HandleInvalid | ErrorReason::HandleMalformed)) => {
            Error::Invalid
        }
        (Code::ResourceExhausted, Some(ErrorReason::HandleBudgetExhausted)) => {
            let info = details.error_info();
            let half = info.and_then(|info| info.metadata.get("budget"));
            Error::BudgetExhausted(Half::named(half.map_or("", String::as_str)))
        }
        (
            Code::FailedPrecondition,
            Some(
                reason @ (ErrorReason::PortalAltered
                | ErrorReason::PortalRollbackSuspected
                | ErrorReason::TokenUnreadable),
            ),
        ) => {
            let info = details.error_info();
            let called = |key: &str| info.and_then(|info| info.metadata.get(key)).cloned();
            let portal = called("portal").or_else(|| called("client_slug"));
            Error::NotServed {
                reason,
                portal: portal.unwrap_or_default(),
            }
        }
        (_, Some(reason)) if is_of_the_token(reason) => Error::NoToken {
            reason,
            said: status.message().to_owned(),
            retry_after: retry_after(status),
        },
        (code, reason) => {
            let reason = reason.map_or("no reason", ErrorReason::wire_name);
            Error::unavailable(format!("{code:?} {reason} {}", said(status)))
        }
    }
}

/// Whether the handle is right, and its portal has no token to call with: which its caller may know, and must, for who
/// mends that is the caller's to ask.
const fn is_of_the_token(reason: ErrorReason) -> bool {
    matches!(
        reason,
        ErrorReason::ConsentRequired
            | ErrorReason::AppRefused
            | ErrorReason::AppNotConfigured
            | ErrorReason::HubspotUnavailable
            | ErrorReason::HubspotRateLimited
            | ErrorReason::PortalMigrating
            | ErrorReason::ConnectionRequired
            | ErrorReason::ConnectionAmbiguous
    )
}

pub(super) fn retry_after(status: &Status) -> Option<Duration> {
    let details = status.get_error_details();
    details.retry_info().and_then(|info| info.retry_delay)
}

/// What a status says, and where no connection came about, why.
pub(super) fn said(status: &Status) -> String {
    refused_connection(status).unwrap_or_else(|| status.message().to_owned())
}

/// Reads a grant. One that does not say everything is none.
pub(super) fn grant(response: RedeemHandleResponse, now: Tick) -> Result<Grant, Error> {
    let incomplete = || Error::unavailable("the answer is not complete");
    let handle = response.description.ok_or_else(incomplete)?;
    let portal_id = PortalId::new(handle.portal_id).ok_or_else(incomplete)?;
    let slug = handle.client_slug.parse().map_err(|_| incomplete())?;
    let length = |wire: Option<prost_types::Duration>| wire.and_then(|wire| Duration::try_from(wire).ok());
    let keep_for = length(response.keep_for).ok_or_else(incomplete)?;
    let time_left = length(response.time_left).ok_or_else(incomplete)?;
    let token_time_left = match response.token_time_left {
        Some(left) => Some(length(Some(left)).ok_or_else(incomplete)?),
        None => None,
    };
    let scope = handle.scope.ok_or_else(incomplete)?;
    let ids = handle.ancestor_ids.iter().map(|id| id.parse());
    let ancestors = ids
        .collect::<Result<Vec<HandleId>, _>>()
        .map_err(|_| incomplete())?;
    let person = named(&response.person_id, response.person_generation).map_err(|_| incomplete())?;
    let allowed_by = named(&handle.grant_id, response.grant_revision).map_err(|_| incomplete())?;
    let app = match response.app.as_str() {
        "" => None,
        app => Some(app.parse().map_err(|_| incomplete())?),
    };
    Ok(Grant {
        app,
        handle_id: handle.handle_id.parse().map_err(|_: InvalidId| incomplete())?,
        ancestors,
        caller_generation: response.caller_generation,
        person,
        allowed_by,
        portal: ProvenPortal::by_redeemed_handle(portal_id, slug),
        caller: handle.caller.parse().map_err(|_| incomplete())?,
        operations: operations(&scope),
        object_types: object_types(&scope),
        properties: properties(&scope),
        bounds: Bounds::read(&scope.pipelines, &scope.owner_ids),
        writes_need_approval: handle.writes_need_approval,
        end_user: Zeroizing::new(handle.end_user),
        allowance: None,
        purpose: handle.purpose_code.parse().map_err(|_| incomplete())?,
        time_zone: response.time_zone,
        token: PortalToken::new(response.portal_token),
        fingerprint: TokenFingerprint::from_stored(response.token_fingerprint),
        credential_version: response.credential_version,
        portal_generation: response.portal_generation,
        keep_until: now.plus(keep_for),
        ends: now.plus(time_left),
        token_ends: token_time_left.map(|left| now.plus(left)),
        redeemed: now,
        taken_away: CancellationToken::new(),
        under_way: TaskTracker::new(),
        superseded: AtomicBool::new(false),
    })
}

/// A name and the number that goes with it; `None` where no name is stated.
fn named<N: FromStr>(name: &str, number: u64) -> Result<Option<(N, u64)>, N::Err> {
    if name.is_empty() {
        return Ok(None);
    }
    Ok(Some((name.parse()?, number)))
}

/// An operation that this version does not know is not granted.
fn operations(scope: &HandleScope) -> BTreeSet<Operation> {
    let known = |operation| match operation {
        HandleOperation::Get => Some(Operation::Get),
        HandleOperation::List => Some(Operation::List),
        HandleOperation::Search => Some(Operation::Search),
        HandleOperation::Create => Some(Operation::Create),
        HandleOperation::Update => Some(Operation::Update),
        HandleOperation::Archive => Some(Operation::Archive),
        HandleOperation::ReadAudit => Some(Operation::ReadAudit),
        HandleOperation::Quota => Some(Operation::Quota),
        HandleOperation::Merge => Some(Operation::Merge),
        HandleOperation::Erase => Some(Operation::Erase),
        HandleOperation::Associate => Some(Operation::Associate),
        HandleOperation::Report => Some(Operation::Report),
        HandleOperation::WriteSchema => Some(Operation::WriteSchema),
        HandleOperation::Unspecified => None,
    };
    scope.operations().filter_map(known).collect()
}

fn object_types(scope: &HandleScope) -> ObjectTypes {
    if scope.object_types.iter().any(|name| name == ALL_TYPES) {
        return ObjectTypes::All;
    }
    let read = |name: &String| match name.as_str() {
        "owners" => Some(ObjectType::owners()),
        "schemas" => Some(ObjectType::schemas()),
        name => ObjectType::read(name).ok(),
    };
    ObjectTypes::Only(scope.object_types.iter().filter_map(read).collect())
}

/// `None` for all. A list of names of which none can be read allows none, not all.
fn properties(scope: &HandleScope) -> Option<BTreeSet<PropertyName>> {
    (!scope.properties.is_empty()).then(|| {
        scope
            .properties
            .iter()
            .filter_map(|name| PropertyName::read(name).ok())
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use hubkeep_core::error::ServiceError as _;
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn properties_that_cannot_be_read_grant_nothing() {
        let scope = HandleScope {
            properties: vec!["not a name".to_owned()],
            ..HandleScope::default()
        };
        assert_eq!(properties(&scope), Some(BTreeSet::new()));
        assert_eq!(properties(&HandleScope::default()), None);
    }

    #[test]
    fn only_a_star_grants_every_type() {
        let scope = |name: &str| HandleScope {
            object_types: vec![name.to_owned()],
            ..HandleScope::default()
        };
        assert_eq!(object_types(&scope("*")), ObjectTypes::All);
        assert_eq!(
            object_types(&scope("unicorns")),
            ObjectTypes::Only(BTreeSet::new())
        );
    }

    #[test]
    fn a_budget_that_is_used_up_is_told_with_the_half_that_is() {
        let details = ErrorDetails::with_error_info(
            ErrorReason::HandleBudgetExhausted.wire_name(),
            "hubkeep",
            [("budget".to_owned(), "records".to_owned())],
        );
        let status = Status::with_error_details(Code::ResourceExhausted, "spent", details);
        let error = refusal(&status);
        assert_eq!(error.reason(), ErrorReason::HandleBudgetExhausted);
        assert_eq!(error.metadata(), [("budget", "records".to_owned())]);
        assert_eq!(error.retry_after(), None, "waiting does not help");
        assert!(error.quota_violation().is_some());
    }

    #[test]
    fn a_portal_that_is_not_served_is_told_with_the_reason_and_what_it_is_called() {
        let status = |reason: ErrorReason, key: &str| {
            let metadata = [(key.to_owned(), "acme".to_owned())];
            let details = ErrorDetails::with_error_info(reason.wire_name(), "hubkeep", metadata);
            Status::with_error_details(Code::FailedPrecondition, "refused", details)
        };
        for (reason, key) in [
            (ErrorReason::PortalAltered, "portal"),
            (ErrorReason::PortalRollbackSuspected, "client_slug"),
            (ErrorReason::TokenUnreadable, "client_slug"),
        ] {
            let error = refusal(&status(reason, key));
            assert_eq!(error.reason(), reason);
            assert_eq!(error.metadata(), [(key, "acme".to_owned())]);
        }
        let other = refusal(&status(ErrorReason::ScopeMissing, "portal"));
        assert_eq!(other.reason(), ErrorReason::CredentialServiceUnavailable);
    }
}
