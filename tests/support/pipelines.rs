//! Pipelines of a type and their stages, as a caller makes and changes them.

use hubkeep_proto::crm::v1::{
    ArchivePipelineRequest, ArchivePipelineResponse, ArchivePipelineStageRequest,
    ArchivePipelineStageResponse, CreatePipelineRequest, CreatePipelineResponse, CreatePipelineStageRequest,
    CreatePipelineStageResponse, GetPipelineRequest, Pipeline, PipelineStageToCreate, UpdatePipelineRequest,
    UpdatePipelineResponse, UpdatePipelineStageRequest, UpdatePipelineStageResponse,
};
use tonic::Status;

use super::crm::Crm;

/// A stage of deals with this label.
pub fn stage(label: &str, probability: &str) -> PipelineStageToCreate {
    PipelineStageToCreate {
        label: label.to_owned(),
        metadata: [("probability".to_owned(), probability.to_owned())].into(),
    }
}

impl Crm {
    /// A pipeline of deals that is asked for in full.
    pub fn pipeline_of_deals(&self, label: &str) -> CreatePipelineRequest {
        CreatePipelineRequest {
            client_slug: self.slug(),
            object_type: "deals".to_owned(),
            label: label.to_owned(),
            display_order: 3,
            stages: vec![stage("First", "0.1"), stage("Won", "1.0")],
            expected_portal_id: 0,
            request_id: self.write_id(),
        }
    }

    /// Makes a pipeline of deals with two stages.
    ///
    /// # Errors
    /// With the refusal; so do all the others.
    pub async fn create_pipeline(&self, label: &str) -> Result<CreatePipelineResponse, Status> {
        self.create_pipeline_by(self.pipeline_of_deals(label)).await
    }

    /// Makes a pipeline, asked for in full.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn create_pipeline_by(
        &self,
        message: CreatePipelineRequest,
    ) -> Result<CreatePipelineResponse, Status> {
        let answer = self.schemas().create_pipeline(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Reads a pipeline of deals.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn pipeline(&self, id: &str) -> Result<Pipeline, Status> {
        let message = GetPipelineRequest {
            client_slug: self.slug(),
            object_type: "deals".to_owned(),
            pipeline_id: id.to_owned(),
            expected_portal_id: 0,
        };
        let answer = self.schemas().get_pipeline(self.request(message)).await?;
        Ok(answer.into_inner().pipeline.unwrap_or_default())
    }

    /// Gives a pipeline of deals another label.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn relabel_pipeline(&self, id: &str, label: &str) -> Result<UpdatePipelineResponse, Status> {
        let message = UpdatePipelineRequest {
            client_slug: self.slug(),
            object_type: "deals".to_owned(),
            pipeline_id: id.to_owned(),
            label: Some(label.to_owned()),
            request_id: self.write_id(),
            ..UpdatePipelineRequest::default()
        };
        let answer = self.schemas().update_pipeline(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Archives a pipeline of deals.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn archive_pipeline(&self, id: &str) -> Result<ArchivePipelineResponse, Status> {
        let message = ArchivePipelineRequest {
            client_slug: self.slug(),
            object_type: "deals".to_owned(),
            pipeline_id: id.to_owned(),
            expected_portal_id: 0,
            request_id: self.write_id(),
        };
        let answer = self.schemas().archive_pipeline(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Adds a stage to a pipeline of deals.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn create_stage(
        &self,
        pipeline: &str,
        new: PipelineStageToCreate,
    ) -> Result<CreatePipelineStageResponse, Status> {
        let message = CreatePipelineStageRequest {
            client_slug: self.slug(),
            object_type: "deals".to_owned(),
            pipeline_id: pipeline.to_owned(),
            stage: Some(new),
            display_order: 1,
            expected_portal_id: 0,
            request_id: self.write_id(),
        };
        let answer = self
            .schemas()
            .create_pipeline_stage(self.request(message))
            .await?;
        Ok(answer.into_inner())
    }

    /// Gives a stage of a pipeline of deals another label.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn relabel_stage(
        &self,
        (pipeline, stage): (&str, &str),
        label: &str,
    ) -> Result<UpdatePipelineStageResponse, Status> {
        let message = UpdatePipelineStageRequest {
            client_slug: self.slug(),
            object_type: "deals".to_owned(),
            pipeline_id: pipeline.to_owned(),
            stage_id: stage.to_owned(),
            label: Some(label.to_owned()),
            request_id: self.write_id(),
            ..UpdatePipelineStageRequest::default()
        };
        let answer = self
            .schemas()
            .update_pipeline_stage(self.request(message))
            .await?;
        Ok(answer.into_inner())
    }

    /// Archives a stage of a pipeline of deals.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn archive_stage(
        &self,
        (pipeline, stage): (&str, &str),
    ) -> Result<ArchivePipelineStageResponse, Status> {
        let message = ArchivePipelineStageRequest {
            client_slug: self.slug(),
            object_type: "deals".to_owned(),
            pipeline_id: pipeline.to_owned(),
            stage_id: stage.to_owned(),
            expected_portal_id: 0,
            request_id: self.write_id(),
        };
        let answer = self
            .schemas()
            .archive_pipeline_stage(self.request(message))
            .await?;
        Ok(answer.into_inner())
    }
}
