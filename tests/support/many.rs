//! Calls about many records at once, as a caller makes them.

use hubkeep_proto::{
    crm::v1::{
        BatchArchiveObjectsRequest, BatchArchiveObjectsResponse, BatchCreateObjectsRequest,
        BatchCreateObjectsResponse, BatchReadObjectsRequest, BatchReadObjectsResponse,
        BatchUpdateObjectsRequest, BatchUpdateObjectsResponse, Object, ObjectResult, ObjectToCreate,
        ObjectToUpdate, UpsertObjectsRequest, UpsertObjectsResponse, object_result::Result as Row,
        object_service_client::ObjectServiceClient,
    },
    error::v1::ErrorReason,
};
use tonic::Status;

use super::crm::{Crm, properties};

/// Values of a record, by property.
pub type Values<'a> = Vec<(&'a str, &'a str)>;

impl Crm {
    /// Reads records.
    ///
    /// # Errors
    /// With the refusal; so do all the others.
    pub async fn read_many(
        &self,
        object_type: &str,
        ids: &[&str],
    ) -> Result<BatchReadObjectsResponse, Status> {
        self.read_many_by(BatchReadObjectsRequest {
            client_slug: self.slug(),
            object_type: object_type.to_owned(),
            object_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            ..BatchReadObjectsRequest::default()
        })
        .await
    }

    /// Reads records, asked for in full.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn read_many_by(
        &self,
        message: BatchReadObjectsRequest,
    ) -> Result<BatchReadObjectsResponse, Status> {
        let answer = self.objects().batch_read_objects(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Creates records.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn create_many(
        &self,
        object_type: &str,
        inputs: &[Values<'_>],
    ) -> Result<BatchCreateObjectsResponse, Status> {
        self.create_many_by(BatchCreateObjectsRequest {
            client_slug: self.slug(),
            object_type: object_type.to_owned(),
            inputs: inputs
                .iter()
                .map(|values| ObjectToCreate {
                    properties: properties(values),
                    ..ObjectToCreate::default()
                })
                .collect(),
            request_id: self.write_id(),
            ..BatchCreateObjectsRequest::default()
        })
        .await
    }

    /// The same, asked for in full.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn create_many_by(
        &self,
        message: BatchCreateObjectsRequest,
    ) -> Result<BatchCreateObjectsResponse, Status> {
        let answer = self.objects().batch_create_objects(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Changes records.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn update_many(
        &self,
        object_type: &str,
        inputs: &[(&str, Values<'_>)],
    ) -> Result<BatchUpdateObjectsResponse, Status> {
        let message = BatchUpdateObjectsRequest {
            client_slug: self.slug(),
            object_type: object_type.to_owned(),
            inputs: changes(inputs),
            request_id: self.write_id(),
            ..BatchUpdateObjectsRequest::default()
        };
        let answer = self.objects().batch_update_objects(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Changes or creates records, by a unique property.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn upsert(
        &self,
        object_type: &str,
        id_property: &str,
        inputs: &[(&str, Values<'_>)],
    ) -> Result<UpsertObjectsResponse, Status> {
        let message = UpsertObjectsRequest {
            client_slug: self.slug(),
            object_type: object_type.to_owned(),
            id_property: id_property.to_owned(),
            inputs: changes(inputs),
            request_id: self.write_id(),
            ..UpsertObjectsRequest::default()
        };
        let answer = self.objects().upsert_objects(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Archives records.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn archive_many(
        &self,
        object_type: &str,
        ids: &[&str],
    ) -> Result<BatchArchiveObjectsResponse, Status> {
        let message = BatchArchiveObjectsRequest {
            client_slug: self.slug(),
            object_type: object_type.to_owned(),
            object_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            request_id: self.write_id(),
            ..BatchArchiveObjectsRequest::default()
        };
        let answer = self
            .objects()
            .batch_archive_objects(self.request(message))
            .await?;
        Ok(answer.into_inner())
    }

    pub(super) fn objects(&self) -> ObjectServiceClient<tonic::transport::Channel> {
        ObjectServiceClient::new(self.channel())
    }
}

fn changes(inputs: &[(&str, Values<'_>)]) -> Vec<ObjectToUpdate> {
    let change = |(id, values): &(&str, Values<'_>)| ObjectToUpdate {
        object_id: (*id).to_owned(),
        properties: properties(values),
    };
    inputs.iter().map(change).collect()
}

/// What became of each input: the record, or the reason why there is none.
pub fn rows(results: &[ObjectResult]) -> Vec<Result<&Object, ErrorReason>> {
    results
        .iter()
        .map(|result| match result.result.as_ref().expect("one of the two") {
            Row::Object(object) => Ok(object),
            Row::Error(error) => Err(error.reason()),
        })
        .collect()
}

/// The ids of the records, or the reasons why there are none.
pub fn ids(results: &[ObjectResult]) -> Vec<Result<&str, ErrorReason>> {
    let rows = rows(results).into_iter();
    rows.map(|row| row.map(|object| object.object_id.as_str()))
        .collect()
}
