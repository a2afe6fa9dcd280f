//! Grants: who may have which handles. Nobody may, unless one says so.

pub use hubkeep_proto::credential::v1::Grant;
use hubkeep_proto::credential::v1::{
    HandleOperation, HandleScope, PortalSelection, PutGrantRequest, PutGrantResponse,
    access_service_client::AccessServiceClient, grant::Holder,
};
use tonic::Status;

use super::{doors::Door, portals::OPERATOR};

/// Every operation that a handle can allow.
const OPERATIONS: [HandleOperation; 13] = [
    HandleOperation::Get,
    HandleOperation::List,
    HandleOperation::Search,
    HandleOperation::Create,
    HandleOperation::Update,
    HandleOperation::Archive,
    HandleOperation::ReadAudit,
    HandleOperation::Quota,
    HandleOperation::Merge,
    HandleOperation::Erase,
    HandleOperation::Associate,
    HandleOperation::Report,
    HandleOperation::WriteSchema,
];

/// A grant of everything on every portal, for these callers: a name, "<prefix>/*", or "*".
pub fn of_everything(grant_id: &str, callers: &str) -> Grant {
    Grant {
        grant_id: grant_id.to_owned(),
        holder: Some(Holder::Caller(callers.to_owned())),
        portals: Some(PortalSelection {
            all: true,
            ..PortalSelection::default()
        }),
        scope: Some(HandleScope {
            operations: OPERATIONS.map(i32::from).to_vec(),
            object_types: vec!["*".to_owned()],
            ..HandleScope::default()
        }),
        ..Grant::default()
    }
}

/// Puts a grant, as the operator.
///
/// # Errors
/// With the refusal.
pub async fn put(door: &Door, grant: Grant) -> Result<PutGrantResponse, Status> {
    let request = PutGrantRequest {
        grant: Some(grant),
        validate_only: false,
    };
    let mut client = AccessServiceClient::new(door.of(OPERATOR));
    Ok(client
        .put_grant(door.request(OPERATOR, request))
        .await?
        .into_inner())
}

/// Lets everybody have every handle. Panics if that is refused.
pub(super) async fn for_everybody(door: &Door) {
    put(door, of_everything("everybody", "*")).await.expect("put");
}
