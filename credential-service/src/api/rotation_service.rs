//! `hubkeep.credential.v1.RotationService`.

use hubkeep_audit_log::Operation;
use hubkeep_proto::credential::v1::{
    CancelRotationRequest, CancelRotationResponse, CloseRotationRequest, CloseRotationResponse,
    GetRotationRequest, GetRotationResponse, ImportRotationsRequest, ImportRotationsResponse,
    ListConsumersRequest, ListConsumersResponse, ListRotationsRequest, ListRotationsResponse,
    RegisterConsumerRequest, RegisterConsumerResponse, RemoveConsumerRequest, RemoveConsumerResponse,
    RotateCredentialRequest, RotateCredentialResponse, rotation_service_server::RotationService,
};
use secrecy::ExposeSecret as _;
use tonic::{Request, Response, Status, Streaming};

use super::{
    Desk, Error, consumer, fields, page,
    rotation::{reason, task_to_wire, to_wire, wish},
    rotation_import, rows,
};
use crate::rotation::{Rotated, Rotations};

/// The lists that page tokens of this service are for.
const ROTATIONS: &str = "rotations";
const CONSUMERS: &str = "consumers";

/// Rotations, over gRPC.
#[derive(Clone, Debug)]
pub struct RotationApi {
    desk: Desk,
    rotations: Rotations,
}

impl RotationApi {
    /// The service.
    pub const fn new(desk: Desk, rotations: Rotations) -> Self {
        Self { desk, rotations }
    }
}

#[tonic::async_trait]
impl RotationService for RotationApi {
    type ImportRotationsStream = rows::Outcomes<ImportRotationsResponse>;

    async fn rotate_credential(
        &self,
        request: Request<RotateCredentialRequest>,
    ) -> Result<Response<RotateCredentialResponse>, Status> {
        let rotations = self.rotations.clone();
        let work = async move |act, request| {
            let rotated = rotations.rotate(&act, wish(request)?).await?;
            Ok(RotateCredentialResponse {
                already_rotated: matches!(rotated, Rotated::Before(_)),
                rotation: Some(to_wire(rotated.rotation())),
            })
        };
        self.desk.answer(request, Operation::RotationSwitch, work).await
    }

    async fn import_rotations(
        &self,
        request: Request<Streaming<ImportRotationsRequest>>,
    ) -> Result<Response<Self::ImportRotationsStream>, Status> {
        rotation_import::import(self.desk.clone(), self.rotations.clone(), request).await
    }

    async fn get_rotation(
        &self,
        request: Request<GetRotationRequest>,
    ) -> Result<Response<GetRotationResponse>, Status> {
        let rotations = self.rotations.clone();
        let work = async move |act, request: GetRotationRequest| {
            let id = fields::id("rotation_id", &request.rotation_id)?;
            let rotation = rotations.get(&act, id).await?;
            let (tasks, now) = (rotations.tasks(&rotation).await?, rotations.now());
            Ok(GetRotationResponse {
                rotation: Some(to_wire(&rotation)),
                tasks: tasks.iter().map(|task| task_to_wire(task, now)).collect(),
            })
        };
        self.desk.answer(request, Operation::RotationGet, work).await
    }

    async fn list_rotations(
        &self,
        request: Request<ListRotationsRequest>,
    ) -> Result<Response<ListRotationsResponse>, Status> {
        let rotations = self.rotations.clone();
        let work = async move |_act, request| list(&rotations, request).await;
        self.desk.answer(request, Operation::RotationList, work).await
    }

    async fn cancel_rotation(
        &self,
        request: Request<CancelRotationRequest>,
    ) -> Result<Response<CancelRotationResponse>, Status> {
        let rotations = self.rotations.clone();
        let work = async move |act, request: CancelRotationRequest| {
            let id = fields::id("rotation_id", &request.rotation_id)?;
            let rotation = rotations.cancel(&act, id, reason(&request.reason)?).await?;
            Ok(CancelRotationResponse {
                rotation: Some(to_wire(&rotation)),
            })
        };
        self.desk.answer(request, Operation::RotationCancel, work).await
    }

    async fn close_rotation(
        &self,
        request: Request<CloseRotationRequest>,
    ) -> Result<Response<CloseRotationResponse>, Status> {
        let rotations = self.rotations.clone();
        let work = async move |act, request: CloseRotationRequest| {
            let id = fields::id("rotation_id", &request.rotation_id)?;
            let rotation = rotations.close(&act, id, reason(&request.reason)?).await?;
            Ok(CloseRotationResponse {
                rotation: Some(to_wire(&rotation)),
            })
        };
        self.desk.answer(request, Operation::RotationClose, work).await
    }

    async fn register_consumer(
        &self,
        request: Request<RegisterConsumerRequest>,
    ) -> Result<Response<RegisterConsumerResponse>, Status> {
        let rotations = self.rotations.clone();
        let work = async move |act, request| {
            let registered = rotations.register(&act, consumer::registration(request)?).await?;
            let made = registered.made_secret.as_ref();
            Ok(RegisterConsumerResponse {
                consumer: Some(consumer::to_wire(&registered.listed)),
                made_webhook_secret: made.map_or_else(String::new, |made| made.expose_secret().to_owned()),
            })
        };
        self.desk.answer(request, Operation::ConsumerRegister, work).await
    }

    async fn list_consumers(
        &self,
        request: Request<ListConsumersRequest>,
    ) -> Result<Response<ListConsumersResponse>, Status> {
        let rotations = self.rotations.clone();
        let work = async move |_act, request| list_consumers(&rotations, request).await;
        self.desk.answer(request, Operation::ConsumerList, work).await
    }

    async fn remove_consumer(
        &self,
        request: Request<RemoveConsumerRequest>,
    ) -> Result<Response<RemoveConsumerResponse>, Status> {
        let rotations = self.rotations.clone();
        let work = async move |act, request: RemoveConsumerRequest| {
            let name = fields::name("consumer_name", &request.consumer_name)?;
            let why = match request.reason.as_str() {
                "" => None,
                text => Some(reason(text)?),
            };
            let removed_tasks = rotations.remove_consumer(&act, &name, why).await?;
            Ok(RemoveConsumerResponse { removed_tasks })
        };
        self.desk.answer(request, Operation::ConsumerRemove, work).await
    }
}

async fn list(rotations: &Rotations, request: ListRotationsRequest) -> Result<ListRotationsResponse, Error> {
    let size = fields::page_size(request.page_size)?;
    let before = page::after(ROTATIONS, &request.page_token)?;
    let slug = match request.client_slug.as_str() {
        "" => None,
        slug => Some(fields::name("client_slug", slug)?),
    };
    let found = rotations.list(before, size, slug, request.include_ended).await?;
    let last = found.last().filter(|_| found.len() == size);
    Ok(ListRotationsResponse {
        next_page_token: last
            .map(|rotation| page::token(ROTATIONS, &rotation.rotation_id.to_string()))
            .unwrap_or_default(),
        rotations: found.iter().map(to_wire).collect(),
    })
}

async fn list_consumers(
    rotations: &Rotations,
    request: ListConsumersRequest,
) -> Result<ListConsumersResponse, Error> {
    let size = fields::page_size(request.page_size)?;
    let after = page::after(CONSUMERS, &request.page_token)?.unwrap_or_default();
    let found = rotations.consumers(&after, size).await?;
    let last = found.last().filter(|_| found.len() == size);
    Ok(ListConsumersResponse {
        next_page_token: last
            .map(|listed| page::token(CONSUMERS, listed.consumer.name.as_str()))
            .unwrap_or_default(),
        consumers: found.iter().map(consumer::to_wire).collect(),
    })
}
