//! `hubkeep.credential.v1.PortalService`.

use hubkeep_audit_log::Operation;
use hubkeep_core::{id::ClientSlug, secret::PortalToken};
use hubkeep_hubspot::account::AccountType;
use hubkeep_proto::credential::v1::{
    self as wire, GetPortalRequest, GetPortalResponse, ImportPortalsRequest, ListPortalsRequest,
    ListPortalsResponse, OnboardPortalRequest, OnboardPortalResponse, VerifyPortalRequest,
    VerifyPortalResponse, portal_service_server::PortalService,
};
use tonic::{Request, Response, Status, Streaming};

use super::{Desk, Error, fields, import, page};
use crate::portals::{CredentialKind, NewPortal, Onboarded, Portal, Portals};

/// The list that page tokens of this service are for.
const LIST: &str = "portals";

/// Portals, over gRPC.
#[derive(Clone, Debug)]
pub struct PortalApi {
    desk: Desk,
    portals: Portals,
}

impl PortalApi {
    /// The service.
    pub const fn new(desk: Desk, portals: Portals) -> Self {
        Self { desk, portals }
    }
}

#[tonic::async_trait]
impl PortalService for PortalApi {
    type ImportPortalsStream = import::Outcomes;

    async fn onboard_portal(
        &self,
        request: Request<OnboardPortalRequest>,
    ) -> Result<Response<OnboardPortalResponse>, Status> {
        let portals = self.portals.clone();
        let work = async move |act, request| {
            let onboarded = portals.onboard(&act, new_portal(request)?).await?;
            Ok(OnboardPortalResponse {
                already_onboarded: matches!(onboarded, Onboarded::Before(_)),
                portal: Some(to_wire(onboarded.portal())),
            })
        };
        self.desk.answer(request, Operation::PortalOnboard, work).await
    }

    async fn import_portals(
        &self,
        request: Request<Streaming<ImportPortalsRequest>>,
    ) -> Result<Response<Self::ImportPortalsStream>, Status> {
        import::import(self.desk.clone(), self.portals.clone(), request).await
    }

    async fn get_portal(
        &self,
        request: Request<GetPortalRequest>,
    ) -> Result<Response<GetPortalResponse>, Status> {
        let portals = self.portals.clone();
        let work = async move |act, request: GetPortalRequest| {
            let portal = portals.get(&act, &slug(&request.client_slug)?).await?;
            Ok(GetPortalResponse {
                portal: Some(to_wire(&portal)),
            })
        };
        self.desk.answer(request, Operation::PortalGet, work).await
    }

    async fn list_portals(
        &self,
        request: Request<ListPortalsRequest>,
    ) -> Result<Response<ListPortalsResponse>, Status> {
        let portals = self.portals.clone();
        let work = async move |_act, request| list(&portals, request).await;
        self.desk.answer(request, Operation::PortalList, work).await
    }

    async fn verify_portal(
        &self,
        request: Request<VerifyPortalRequest>,
    ) -> Result<Response<VerifyPortalResponse>, Status> {
        let portals = self.portals.clone();
        let work = async move |act, request: VerifyPortalRequest| {
            let verified = portals.verify(&act, &slug(&request.client_slug)?).await?;
            Ok(VerifyPortalResponse {
                portal: Some(to_wire(&verified.portal)),
                changed_fields: verified.changed_fields.into_iter().map(str::to_owned).collect(),
            })
        };
        self.desk.answer(request, Operation::PortalVerify, work).await
    }
}

async fn list(portals: &Portals, request: ListPortalsRequest) -> Result<ListPortalsResponse, Error> {
    let size = fields::page_size(request.page_size)?;
    let after = page::after(LIST, &request.page_token)?.unwrap_or_default();
    let found = portals.list(&after, size).await?;
    let last = found.last().filter(|_| found.len() == size);
    Ok(ListPortalsResponse {
        next_page_token: last
            .map(|portal| page::token(LIST, portal.client_slug.as_str()))
            .unwrap_or_default(),
        portals: found.iter().map(to_wire).collect(),
    })
}

fn slug(text: &str) -> Result<ClientSlug, Error> {
    fields::name("client_slug", text)
}

/// Takes the token out of the request first: it is wiped from memory whatever else is wrong.
fn new_portal(request: OnboardPortalRequest) -> Result<NewPortal, Error> {
    let token = PortalToken::new(request.portal_token);
    Ok(NewPortal {
        client_slug: slug(&request.client_slug)?,
        token,
        expected: fields::portal_id("expected_portal_id", request.expected_portal_id)?,
        kind: kind(request.credential_kind)?,
    })
}

/// A row of an import as the portal that it asks for.
pub(super) fn new_portal_of_row(row: ImportPortalsRequest) -> Result<NewPortal, Error> {
    new_portal(OnboardPortalRequest {
        client_slug: row.client_slug,
        portal_token: row.portal_token,
        expected_portal_id: row.expected_portal_id,
        credential_kind: row.credential_kind,
    })
}

fn kind(number: i32) -> Result<CredentialKind, Error> {
    match wire::CredentialKind::try_from(number) {
        Ok(wire::CredentialKind::Unspecified) => Ok(CredentialKind::Unspecified),
        Ok(wire::CredentialKind::ServiceKey) => Ok(CredentialKind::ServiceKey),
        Ok(wire::CredentialKind::PrivateApp) => Ok(CredentialKind::PrivateApp),
        Err(_) => Err(Error::field(
            "credential_kind",
            "is not a kind that is known here",
        )),
    }
}

fn to_wire(portal: &Portal) -> wire::Portal {
    let account_type = match portal.facts.account_type {
        AccountType::Standard => wire::AccountType::Standard,
        AccountType::DeveloperTest => wire::AccountType::DeveloperTest,
        AccountType::Sandbox => wire::AccountType::Sandbox,
        AccountType::AppDeveloper => wire::AccountType::AppDeveloper,
        AccountType::Other => wire::AccountType::Unspecified,
    };
    let credential_kind = match portal.credential_kind {
        CredentialKind::Unspecified => wire::CredentialKind::Unspecified,
        CredentialKind::ServiceKey => wire::CredentialKind::ServiceKey,
        CredentialKind::PrivateApp => wire::CredentialKind::PrivateApp,
    };
    wire::Portal {
        client_slug: portal.client_slug.to_string(),
        portal_id: portal.portal_id.get(),
        account_type: account_type.into(),
        data_hosting_location: portal.facts.data_hosting_location.clone(),
        time_zone: portal.facts.time_zone.clone(),
        company_currency: portal.facts.company_currency.clone(),
        scopes: portal.facts.scopes.clone(),
        credential_kind: credential_kind.into(),
        credential_version: portal.credential_version,
        portal_generation: portal.portal_generation,
        token_fingerprint: portal.token_fingerprint.to_string(),
        onboard_time: Some(portal.onboard_time.into()),
        verify_time: Some(portal.verify_time.into()),
    }
}
