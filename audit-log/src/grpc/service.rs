//! Each method of the service: what it asks for, and the refusal that is on record where it is not given.

use hubkeep_core::grpc::Context;
use hubkeep_proto::audit::v1::{
    ErasePayloadsRequest, ErasePayloadsResponse, ExportEventsRequest, ExportEventsResponse,
    GetCheckpointRequest, GetCheckpointResponse, GetProofRequest, GetProofResponse, GetRetentionRequest,
    GetRetentionResponse, HoldLogRequest, HoldLogResponse, ListEventsRequest, ListEventsResponse,
    OpenPayloadRequest, OpenPayloadResponse, ReleaseLogRequest, ReleaseLogResponse, StreamEventsRequest,
    StreamEventsResponse, audit_service_server::AuditService,
};
use tonic::{Request, Response, Status};

use super::{api::AuditApi, stream::Responses};
use crate::Operation;

#[tonic::async_trait]
impl AuditService for AuditApi {
    type StreamEventsStream = Responses<StreamEventsResponse>;
    type ExportEventsStream = Responses<ExportEventsResponse>;

    async fn stream_events(
        &self,
        request: Request<StreamEventsRequest>,
    ) -> Result<Response<Self::StreamEventsStream>, Status> {
        let context = Context::of_stream(&request)?;
        let (metadata, _, request) = request.into_parts();
        match self.stream(&context, &metadata, request).await {
            Ok(responses) => Ok(Response::new(responses)),
            Err(refused) => Err(self.refuse(&context, Operation::AuditStream, refused).await),
        }
    }

    async fn list_events(
        &self,
        request: Request<ListEventsRequest>,
    ) -> Result<Response<ListEventsResponse>, Status> {
        let context = Context::of(&request)?;
        let (metadata, _, request) = request.into_parts();
        match self.list(&context, &metadata, request).await {
            Ok(response) => Ok(Response::new(response)),
            Err(refused) => Err(self.refuse(&context, Operation::AuditList, refused).await),
        }
    }

    async fn export_events(
        &self,
        request: Request<ExportEventsRequest>,
    ) -> Result<Response<Self::ExportEventsStream>, Status> {
        let context = Context::of_stream(&request)?;
        let (metadata, _, request) = request.into_parts();
        match self.export(&context, &metadata, request).await {
            Ok(responses) => Ok(Response::new(responses)),
            Err(refused) => Err(self.refuse(&context, Operation::AuditExport, refused).await),
        }
    }

    async fn get_checkpoint(
        &self,
        request: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        let context = Context::of(&request)?;
        let (metadata, _, request) = request.into_parts();
        match self.checkpoint(&context, &metadata, request).await {
            Ok(response) => Ok(Response::new(response)),
            Err(refused) => Err(self.refuse(&context, Operation::AuditCheckpoint, refused).await),
        }
    }

    async fn get_proof(
        &self,
        request: Request<GetProofRequest>,
    ) -> Result<Response<GetProofResponse>, Status> {
        let context = Context::of(&request)?;
        let (metadata, _, request) = request.into_parts();
        match self.proof(&context, &metadata, request).await {
            Ok(response) => Ok(Response::new(response)),
            Err(refused) => Err(self.refuse(&context, Operation::AuditProof, refused).await),
        }
    }

    async fn open_payload(
        &self,
        request: Request<OpenPayloadRequest>,
    ) -> Result<Response<OpenPayloadResponse>, Status> {
        let context = Context::of(&request)?;
        let (metadata, _, request) = request.into_parts();
        match self.open(&context, &metadata, &request).await {
            Ok(response) => Ok(Response::new(response)),
            Err(refused) => Err(self.refuse(&context, Operation::PayloadOpen, refused).await),
        }
    }

    async fn erase_payloads(
        &self,
        request: Request<ErasePayloadsRequest>,
    ) -> Result<Response<ErasePayloadsResponse>, Status> {
        let context = Context::of(&request)?;
        let (metadata, _, request) = request.into_parts();
        match self.erase(&context, &metadata, &request).await {
            Ok(response) => Ok(Response::new(response)),
            Err(refused) => Err(self.refuse(&context, Operation::PayloadErase, refused).await),
        }
    }

    async fn get_retention(
        &self,
        request: Request<GetRetentionRequest>,
    ) -> Result<Response<GetRetentionResponse>, Status> {
        let context = Context::of(&request)?;
        match self.retention(&context, request.into_inner()).await {
            Ok(response) => Ok(Response::new(response)),
            Err(error) => Err(self
                .refuse(&context, Operation::AuditRetention, error.into())
                .await),
        }
    }

    async fn hold_log(&self, request: Request<HoldLogRequest>) -> Result<Response<HoldLogResponse>, Status> {
        let context = Context::of(&request)?;
        match self.hold(&context, request.into_inner()).await {
            Ok(response) => Ok(Response::new(response)),
            Err(error) => Err(self.refuse(&context, Operation::AuditHold, error.into()).await),
        }
    }

    async fn release_log(
        &self,
        request: Request<ReleaseLogRequest>,
    ) -> Result<Response<ReleaseLogResponse>, Status> {
        let context = Context::of(&request)?;
        match self.release(&context, request.into_inner()).await {
            Ok(response) => Ok(Response::new(response)),
            Err(error) => Err(self
                .refuse(&context, Operation::AuditHoldRelease, error.into())
                .await),
        }
    }
}
