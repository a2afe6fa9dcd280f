//! Who may have handles where nobody is verified: everybody.

use hubkeep_core::{clock::SharedClock, id::CallerName};
use hubkeep_proto::credential::v1::{
    Grant, HandleOperation, HandleScope, ListGrantsRequest, PortalSelection, PutGrantRequest,
    access_service_client::AccessServiceClient, grant::Holder,
};

use crate::{
    channel::{CREDENTIAL_SERVICE, CRM_SERVICE, Service},
    errors::Error,
    login::Login,
};

/// The grant's id.
pub(crate) const EVERYBODY: &str = "everybody";
/// The operator. A silent caller is the same one, so that printed grpcurl lines need not say who they are.
const OPERATOR: &str = "operator/dev";

/// credential-service at this address, as the operator speaks to it.
///
/// # Errors
/// If that is no address.
pub(crate) fn by_operator(address: &str, clock: &SharedClock) -> Result<Service, Error> {
    Service::at(CREDENTIAL_SERVICE, address, &login(clock)?)
}

/// crm-service at this address, likewise.
///
/// # Errors
/// If that is no address.
pub(crate) fn crm_by_operator(address: &str, clock: &SharedClock) -> Result<Service, Error> {
    Service::at(CRM_SERVICE, address, &login(clock)?)
}

fn login(clock: &SharedClock) -> Result<Login, Error> {
    let caller: CallerName = OPERATOR
        .parse()
        .map_err(|_| Error::Failed(format!("{OPERATOR} is no caller's name")))?;
    Ok(Login::stated(caller, clock.now()))
}

/// Lets everybody have every handle, unless there are grants already: then somebody has said who may. Says whether it did.
///
/// # Errors
/// If the service refuses.
pub(crate) async fn for_everybody_at_first(service: &Service) -> Result<bool, Error> {
    let mut client = AccessServiceClient::new(service.connection());
    let request = ListGrantsRequest {
        page_size: 1,
        ..ListGrantsRequest::default()
    };
    let listed = client.list_grants(request).await;
    let listed = listed.map_err(|status| service.ended(status))?.into_inner();
    if !listed.grants.is_empty() {
        return Ok(false);
    }
    let request = PutGrantRequest {
        grant: Some(everybody()),
        validate_only: false,
    };
    let put = client.put_grant(request).await;
    put.map_err(|status| service.ended(status))?;
    Ok(true)
}

fn everybody() -> Grant {
    let operations = [
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
    Grant {
        grant_id: EVERYBODY.to_owned(),
        holder: Some(Holder::Caller("*".to_owned())),
        portals: Some(PortalSelection {
            all: true,
            ..PortalSelection::default()
        }),
        scope: Some(HandleScope {
            operations: operations.map(i32::from).to_vec(),
            object_types: vec!["*".to_owned()],
            ..HandleScope::default()
        }),
        ..Grant::default()
    }
}
