//! How records are made, in HubSpot's words.

use hubkeep_hubspot::{ApiVersion, pipelines, properties, schemas};

use super::{Dispatch, Sending};
use crate::{
    call::{Error, Reply},
    crm::{Answer, PipelineWork, SchemaAsk},
};

impl Dispatch {
    /// Asks how records are made, or changes it.
    pub(super) async fn schema(
        &self,
        admitted: Sending<'_>,
        version: ApiVersion,
        ask: &SchemaAsk,
    ) -> Result<Reply, Error> {
        match ask {
            SchemaAsk::Properties {
                object_type,
                archived,
            } => {
                let ask = properties::list(version, object_type.as_str(), *archived);
                self.send(admitted, ask, Answer::Properties).await
            }
            SchemaAsk::Property { object_type, name } => {
                let ask = properties::get(version, object_type.as_str(), name.as_str());
                self.send(admitted, ask, |one| Answer::Properties(vec![one]))
                    .await
            }
            SchemaAsk::CreateProperty { object_type, new, .. } => {
                let ask = properties::create(version, object_type.as_str(), new);
                self.send(admitted, ask, |one| Answer::Properties(vec![one]))
                    .await
            }
            SchemaAsk::UpdateProperty {
                object_type,
                name,
                change,
            } => {
                let ask = properties::update(version, object_type.as_str(), name.as_str(), change);
                self.send(admitted, ask, |one| Answer::Properties(vec![one]))
                    .await
            }
            SchemaAsk::ArchiveProperty { object_type, name } => {
                let ask = properties::archive(version, object_type.as_str(), name.as_str());
                self.send(admitted, ask, |()| Answer::Done).await
            }
            SchemaAsk::Pipelines(object_type) => {
                let ask = pipelines::list(version, object_type.as_str());
                self.send(admitted, ask, Answer::Pipelines).await
            }
            SchemaAsk::Pipeline { object_type, id } => {
                let ask = pipelines::get(version, object_type.as_str(), id.as_str());
                self.send(admitted, ask, |one| Answer::Pipelines(vec![one])).await
            }
            SchemaAsk::Work { object_type, work } => {
                self.pipeline(admitted, version, object_type.as_str(), work).await
            }
            SchemaAsk::Types => {
                self.send(admitted, schemas::list(version, false), Answer::Types)
                    .await
            }
            SchemaAsk::Type(object_type) => {
                let ask = schemas::get(version, object_type.as_str());
                self.send(admitted, ask, |one| Answer::Types(vec![one])).await
            }
        }
    }

    async fn pipeline(
        &self,
        admitted: Sending<'_>,
        version: ApiVersion,
        object_type: &str,
        work: &PipelineWork,
    ) -> Result<Reply, Error> {
        let whole = |one| Answer::Pipelines(vec![one]);
        match work {
            PipelineWork::Create(new) => {
                let ask = pipelines::create(version, object_type, new);
                self.send(admitted, ask, whole).await
            }
            PipelineWork::Update(id, change) => {
                let ask = pipelines::update(version, object_type, id.as_str(), change);
                self.send(admitted, ask, whole).await
            }
            PipelineWork::Archive(id) => {
                let ask = pipelines::archive(version, object_type, id.as_str());
                self.send(admitted, ask, |()| Answer::Done).await
            }
            PipelineWork::CreateStage(id, new) => {
                let ask = pipelines::create_stage(version, object_type, id.as_str(), new);
                self.send(admitted, ask, Answer::Stage).await
            }
            PipelineWork::UpdateStage(id, stage, change) => {
                let ids = (id.as_str(), stage.as_str());
                let ask = pipelines::update_stage(version, object_type, ids, change);
                self.send(admitted, ask, Answer::Stage).await
            }
            PipelineWork::ArchiveStage(id, stage) => {
                let ids = (id.as_str(), stage.as_str());
                let ask = pipelines::archive_stage(version, object_type, ids);
                self.send(admitted, ask, |()| Answer::Done).await
            }
        }
    }
}
