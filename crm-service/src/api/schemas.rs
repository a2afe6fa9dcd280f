//! `hubkeep.crm.v1.SchemaService`.

use hubkeep_audit_log::Operation;
use hubkeep_proto::crm::v1::{
    ArchivePipelineRequest, ArchivePipelineResponse, ArchivePipelineStageRequest,
    ArchivePipelineStageResponse, ArchivePropertyRequest, ArchivePropertyResponse, CreatePipelineRequest,
    CreatePipelineResponse, CreatePipelineStageRequest, CreatePipelineStageResponse, CreatePropertyRequest,
    CreatePropertyResponse, GetObjectTypeRequest, GetObjectTypeResponse, GetPipelineRequest,
    GetPipelineResponse, GetPropertyRequest, GetPropertyResponse, ListObjectTypesRequest,
    ListObjectTypesResponse, ListPipelinesRequest, ListPipelinesResponse, ListPropertiesRequest,
    ListPropertiesResponse, UpdatePipelineRequest, UpdatePipelineResponse, UpdatePipelineStageRequest,
    UpdatePipelineStageResponse, UpdatePropertyRequest, UpdatePropertyResponse,
    schema_service_server::SchemaService,
};
use tonic::{Request, Response, Status};

use super::{
    entrance::Entrance,
    read,
    write::{object_type, pipeline, property, stage},
};
use crate::crm::Answer;

/// How records are made.
#[derive(Clone)]
pub struct SchemaApi {
    entrance: Entrance,
}

impl SchemaApi {
    /// Requests come in here.
    pub const fn new(entrance: Entrance) -> Self {
        Self { entrance }
    }
}

#[tonic::async_trait]
impl SchemaService for SchemaApi {
    async fn list_properties(
        &self,
        request: Request<ListPropertiesRequest>,
    ) -> Result<Response<ListPropertiesResponse>, Status> {
        let answer = self
            .entrance
            .take(Operation::PropertyList, request, read::list_properties)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Properties(all) => Some(ListPropertiesResponse {
                properties: all.into_iter().map(property).collect(),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn get_property(
        &self,
        request: Request<GetPropertyRequest>,
    ) -> Result<Response<GetPropertyResponse>, Status> {
        let answer = self
            .entrance
            .take(Operation::PropertyGet, request, read::get_property)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Properties(found) => Some(GetPropertyResponse {
                property: found.into_iter().next().map(property),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn create_property(
        &self,
        request: Request<CreatePropertyRequest>,
    ) -> Result<Response<CreatePropertyResponse>, Status> {
        let answer = self
            .entrance
            .write(Operation::PropertyCreate, request, read::create_property)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Properties(made) => Some(CreatePropertyResponse {
                property: made.into_iter().next().map(property),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn update_property(
        &self,
        request: Request<UpdatePropertyRequest>,
    ) -> Result<Response<UpdatePropertyResponse>, Status> {
        let answer = self
            .entrance
            .write(Operation::PropertyUpdate, request, read::update_property)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Properties(changed) => Some(UpdatePropertyResponse {
                property: changed.into_iter().next().map(property),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn archive_property(
        &self,
        request: Request<ArchivePropertyRequest>,
    ) -> Result<Response<ArchivePropertyResponse>, Status> {
        let answer = self
            .entrance
            .write(Operation::PropertyArchive, request, read::archive_property)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Done => Some(ArchivePropertyResponse { reply: about }),
            _ => None,
        })
    }

    async fn list_pipelines(
        &self,
        request: Request<ListPipelinesRequest>,
    ) -> Result<Response<ListPipelinesResponse>, Status> {
        let answer = self
            .entrance
            .take(Operation::PipelineList, request, read::list_pipelines)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Pipelines(all) => Some(ListPipelinesResponse {
                pipelines: all.into_iter().map(pipeline).collect(),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn get_pipeline(
        &self,
        request: Request<GetPipelineRequest>,
    ) -> Result<Response<GetPipelineResponse>, Status> {
        let answer = self
            .entrance
            .take(Operation::PipelineGet, request, read::get_pipeline)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Pipelines(found) => Some(GetPipelineResponse {
                pipeline: found.into_iter().next().map(pipeline),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn create_pipeline(
        &self,
        request: Request<CreatePipelineRequest>,
    ) -> Result<Response<CreatePipelineResponse>, Status> {
        let answer = self
            .entrance
            .write(Operation::PipelineCreate, request, read::create_pipeline)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Pipelines(all) => Some(CreatePipelineResponse {
                pipeline: all.into_iter().next().map(pipeline),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn update_pipeline(
        &self,
        request: Request<UpdatePipelineRequest>,
    ) -> Result<Response<UpdatePipelineResponse>, Status> {
        let answer = self
            .entrance
            .write(Operation::PipelineUpdate, request, read::update_pipeline)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Pipelines(all) => Some(UpdatePipelineResponse {
                pipeline: all.into_iter().next().map(pipeline),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn archive_pipeline(
        &self,
        request: Request<ArchivePipelineRequest>,
    ) -> Result<Response<ArchivePipelineResponse>, Status> {
        let answer = self
            .entrance
            .write(Operation::PipelineArchive, request, read::archive_pipeline)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Done => Some(ArchivePipelineResponse { reply: about }),
            _ => None,
        })
    }

    async fn create_pipeline_stage(
        &self,
        request: Request<CreatePipelineStageRequest>,
    ) -> Result<Response<CreatePipelineStageResponse>, Status> {
        let answer = self
            .entrance
            .write(
                Operation::PipelineStageCreate,
                request,
                read::create_pipeline_stage,
            )
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Stage(one) => Some(CreatePipelineStageResponse {
                stage: Some(stage(one)),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn update_pipeline_stage(
        &self,
        request: Request<UpdatePipelineStageRequest>,
    ) -> Result<Response<UpdatePipelineStageResponse>, Status> {
        let answer = self
            .entrance
            .write(
                Operation::PipelineStageUpdate,
                request,
                read::update_pipeline_stage,
            )
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Stage(one) => Some(UpdatePipelineStageResponse {
                stage: Some(stage(one)),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn archive_pipeline_stage(
        &self,
        request: Request<ArchivePipelineStageRequest>,
    ) -> Result<Response<ArchivePipelineStageResponse>, Status> {
        let answer = self
            .entrance
            .write(
                Operation::PipelineStageArchive,
                request,
                read::archive_pipeline_stage,
            )
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Done => Some(ArchivePipelineStageResponse { reply: about }),
            _ => None,
        })
    }

    async fn list_object_types(
        &self,
        request: Request<ListObjectTypesRequest>,
    ) -> Result<Response<ListObjectTypesResponse>, Status> {
        let answer = self
            .entrance
            .take(Operation::ObjectTypeList, request, read::list_object_types)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Types(all) => Some(ListObjectTypesResponse {
                object_types: all.into_iter().map(object_type).collect(),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn get_object_type(
        &self,
        request: Request<GetObjectTypeRequest>,
    ) -> Result<Response<GetObjectTypeResponse>, Status> {
        let answer = self
            .entrance
            .take(Operation::ObjectTypeGet, request, read::get_object_type)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Types(found) => Some(GetObjectTypeResponse {
                object_type: found.into_iter().next().map(object_type),
                reply: about,
            }),
            _ => None,
        })
    }
}
