//! `hubkeep.credential.v1.PortalService`.

use hubkeep_audit_log::Operation;
use hubkeep_core::id::ClientSlug;
use hubkeep_proto::credential::v1::{
    ErasePortalRequest, ErasePortalResponse, GetPortalRequest, GetPortalResponse, ImportPortalsRequest,
    ImportPortalsResponse, ListPortalsRequest, ListPortalsResponse, OnboardPortalRequest,
    OnboardPortalResponse, ResumePortalRequest, ResumePortalResponse, RunDoctorRequest, SuspendPortalRequest,
    SuspendPortalResponse, UpdatePortalRequest, UpdatePortalResponse, VerifyPortalRequest,
    VerifyPortalResponse, portal_service_server::PortalService,
};
use tonic::{Request, Response, Status, Streaming};

use super::{
    Desk, Error, doctor, fields, import, page,
    portal::{described, details, listed_to_wire, new_portal, to_wire, with_lost},
    rows,
};
use crate::{
    fleet::Fleet,
    portals::{Onboarded, Portals},
};

/// The list that page tokens of this service are for.
const LIST: &str = "portals";

/// Portals, over gRPC.
#[derive(Clone, Debug)]
pub struct PortalApi {
    desk: Desk,
    portals: Portals,
    fleet: Fleet,
}

impl PortalApi {
    /// The service.
    pub const fn new(desk: Desk, portals: Portals, fleet: Fleet) -> Self {
        Self { desk, portals, fleet }
    }
}

#[tonic::async_trait]
impl PortalService for PortalApi {
    type ImportPortalsStream = rows::Outcomes<ImportPortalsResponse>;
    type RunDoctorStream = doctor::Examinations;

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
        let operation = if request.get_ref().validate_only {
            Operation::PortalCheck
        } else {
            Operation::PortalOnboard
        };
        self.desk.answer(request, operation, work).await
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
            let lost = portals.lost_consents(&portal).await?;
            let described = described(&portal, portals.details(&portal).await?);
            Ok(GetPortalResponse {
                portal: Some(with_lost(described, &lost)),
                store_version: portals.store_version().await?,
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

    async fn update_portal(
        &self,
        request: Request<UpdatePortalRequest>,
    ) -> Result<Response<UpdatePortalResponse>, Status> {
        let fleet = self.fleet.clone();
        let work = async move |act, request: UpdatePortalRequest| {
            let stated = request
                .details
                .ok_or_else(|| Error::field("details", "state what is known"))?;
            let stated = details(stated)?;
            let portal = fleet
                .describe(&act, &slug(&request.client_slug)?, &stated)
                .await?;
            Ok(UpdatePortalResponse {
                portal: Some(described(&portal, Some(stated))),
            })
        };
        self.desk.answer(request, Operation::PortalUpdate, work).await
    }

    async fn run_doctor(
        &self,
        request: Request<RunDoctorRequest>,
    ) -> Result<Response<Self::RunDoctorStream>, Status> {
        doctor::run(
            self.desk.clone(),
            self.portals.clone(),
            self.fleet.clone(),
            request,
        )
        .await
    }

    async fn suspend_portal(
        &self,
        request: Request<SuspendPortalRequest>,
    ) -> Result<Response<SuspendPortalResponse>, Status> {
        let fleet = self.fleet.clone();
        let work = async move |act, request: SuspendPortalRequest| {
            let portal = fleet.suspend(&act, &slug(&request.client_slug)?).await?;
            Ok(SuspendPortalResponse {
                portal: Some(to_wire(&portal)),
            })
        };
        self.desk.answer(request, Operation::PortalSuspend, work).await
    }

    async fn resume_portal(
        &self,
        request: Request<ResumePortalRequest>,
    ) -> Result<Response<ResumePortalResponse>, Status> {
        let fleet = self.fleet.clone();
        let work = async move |act, request: ResumePortalRequest| {
            let portal = fleet.resume(&act, &slug(&request.client_slug)?).await?;
            Ok(ResumePortalResponse {
                portal: Some(to_wire(&portal)),
            })
        };
        self.desk.answer(request, Operation::PortalResume, work).await
    }

    async fn erase_portal(
        &self,
        request: Request<ErasePortalRequest>,
    ) -> Result<Response<ErasePortalResponse>, Status> {
        let fleet = self.fleet.clone();
        let work = async move |act, request: ErasePortalRequest| {
            let field = "expected_portal_id";
            let stated = fields::portal_id(field, request.expected_portal_id)?;
            let stated =
                stated.ok_or_else(|| Error::field(field, "name the portal's id: erasing is for good"))?;
            let erased = fleet.erase(&act, &slug(&request.client_slug)?, stated).await?;
            Ok(ErasePortalResponse {
                portal: Some(to_wire(&erased.portal)),
                certificate: erased.certificate,
                verifier_key: erased.verifier_key,
            })
        };
        self.desk.answer(request, Operation::PortalErase, work).await
    }
}

async fn list(portals: &Portals, request: ListPortalsRequest) -> Result<ListPortalsResponse, Error> {
    let size = fields::page_size(request.page_size)?;
    let after = page::after(LIST, &request.page_token)?.unwrap_or_default();
    // Read before the portals are: none of them is older than it says.
    let store_version = portals.store_version().await?;
    let found = portals.list(&after, size).await?;
    let last = found.last().filter(|_| found.len() == size);
    Ok(ListPortalsResponse {
        next_page_token: last
            .map(|listed| page::token(LIST, listed.client_slug()))
            .unwrap_or_default(),
        portals: found.iter().map(listed_to_wire).collect(),
        store_version,
    })
}

fn slug(text: &str) -> Result<ClientSlug, Error> {
    fields::name("client_slug", text)
}
