//! `hubkeep.credential.v1.ConsumerService`.

use std::pin::Pin;

use futures::{Stream, StreamExt as _, future, stream};
use hubkeep_audit_log::Operation;
use hubkeep_core::grpc::Context;
use hubkeep_proto::credential::v1::{
    AcknowledgeRotationRequest, AcknowledgeRotationResponse, WatchRotationsRequest, WatchRotationsResponse,
    consumer_service_server::ConsumerService,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{
    Desk, Error, fields,
    rotation::{fingerprint, notice_to_wire, task_to_wire},
};
use crate::rotation::Rotations;

/// What those who run on tokens see and say, over gRPC.
#[derive(Clone, Debug)]
pub struct ConsumerApi {
    desk: Desk,
    rotations: Rotations,
    stopping: CancellationToken,
}

impl ConsumerApi {
    /// The service. `stopping` ends its streams.
    pub const fn new(desk: Desk, rotations: Rotations, stopping: CancellationToken) -> Self {
        Self {
            desk,
            rotations,
            stopping,
        }
    }
}

#[tonic::async_trait]
impl ConsumerService for ConsumerApi {
    type WatchRotationsStream = Pin<Box<dyn Stream<Item = Result<WatchRotationsResponse, Status>> + Send>>;

    async fn watch_rotations(
        &self,
        request: Request<WatchRotationsRequest>,
    ) -> Result<Response<Self::WatchRotationsStream>, Status> {
        let context = Context::of_stream(&request)?;
        let rotations = self.rotations.clone();
        let work = async move |act, _request| Ok(rotations.watch(&act).await?);
        let opened = self.desk.answer(request, Operation::RotationWatch, work).await?;
        let (in_time, at_last) = (context.clone(), context);
        let notices = opened.into_inner().into_stream().map(move |notice| match notice {
            Ok(notice) => Ok(WatchRotationsResponse {
                notice: Some(notice_to_wire(&notice)),
            }),
            Err(error) => Err(in_time.refuse(&Error::from(error))),
        });
        let (stopping, stopped) = (self.stopping.clone(), self.stopping.clone());
        let farewell = stream::once(async move {
            stopped
                .is_cancelled()
                .then(|| Err(at_last.refuse(&Error::Stopping)))
        });
        let notices = notices
            .take_until(stopping.cancelled_owned())
            .chain(farewell.filter_map(future::ready));
        Ok(Response::new(Box::pin(notices)))
    }

    async fn acknowledge_rotation(
        &self,
        request: Request<AcknowledgeRotationRequest>,
    ) -> Result<Response<AcknowledgeRotationResponse>, Status> {
        let rotations = self.rotations.clone();
        let work = async move |act, request: AcknowledgeRotationRequest| {
            let id = fields::id("rotation_id", &request.rotation_id)?;
            let token = fingerprint(&request.token_fingerprint)?;
            let task = rotations
                .acknowledge(&act, id, &token, request.store_version)
                .await?;
            Ok(AcknowledgeRotationResponse {
                task: Some(task_to_wire(&task, rotations.now())),
            })
        };
        self.desk
            .answer(request, Operation::RotationAcknowledge, work)
            .await
    }
}
