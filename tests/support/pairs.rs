//! Many associations at once, as a caller asks for them.

use hubkeep_proto::{
    crm::v1::{
        AssociationKinds, AssociationLabel, AssociationLabelsToRemove, AssociationPage,
        AssociationPageResult, AssociationResult, AssociationToCreate, AssociationToRemove,
        AssociationsToRead, BatchCreateAssociationsRequest, BatchCreateAssociationsResponse,
        BatchReadAssociationsRequest, BatchReadAssociationsResponse, BatchRemoveAssociationLabelsRequest,
        BatchRemoveAssociationLabelsResponse, BatchRemoveAssociationsRequest,
        BatchRemoveAssociationsResponse, association_page_result, association_result,
    },
    error::v1::ErrorReason,
};
use tonic::Status;

use super::crm::Crm;

/// A record, one at the other end, and the labels between them.
pub type Labelled<'a> = (&'a str, &'a str, Vec<AssociationLabel>);

impl Crm {
    /// Reads the first page of what each of many records is associated with.
    ///
    /// # Errors
    /// With the refusal; so do all the others.
    pub async fn associated_many(
        &self,
        (object_type, to_object_type): (&str, &str),
        ids: &[&str],
    ) -> Result<BatchReadAssociationsResponse, Status> {
        let input = |id: &&str| AssociationsToRead {
            object_id: (*id).to_owned(),
            page_token: String::new(),
        };
        self.associated_many_by(BatchReadAssociationsRequest {
            client_slug: self.slug(),
            object_type: object_type.to_owned(),
            to_object_type: to_object_type.to_owned(),
            inputs: ids.iter().map(input).collect(),
            expected_portal_id: 0,
        })
        .await
    }

    /// The same, asked for in full.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn associated_many_by(
        &self,
        message: BatchReadAssociationsRequest,
    ) -> Result<BatchReadAssociationsResponse, Status> {
        let mut client = self.associations();
        let answer = client.batch_read_associations(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Associates many pairs of records.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn associate_many(
        &self,
        (object_type, to_object_type): (&str, &str),
        pairs: &[Labelled<'_>],
    ) -> Result<BatchCreateAssociationsResponse, Status> {
        let input = |(from, to, labels): &Labelled<'_>| AssociationToCreate {
            object_id: (*from).to_owned(),
            to_object_id: (*to).to_owned(),
            labels: labels.clone(),
        };
        let message = BatchCreateAssociationsRequest {
            client_slug: self.slug(),
            object_type: object_type.to_owned(),
            to_object_type: to_object_type.to_owned(),
            inputs: pairs.iter().map(input).collect(),
            expected_portal_id: 0,
            request_id: self.write_id(),
        };
        let mut client = self.associations();
        let answer = client.batch_create_associations(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Ends all that the records of many pairs have to do with each other.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn dissociate_many(
        &self,
        (object_type, to_object_type): (&str, &str),
        pairs: &[(&str, &str)],
    ) -> Result<BatchRemoveAssociationsResponse, Status> {
        let input = |(from, to): &(&str, &str)| AssociationToRemove {
            object_id: (*from).to_owned(),
            to_object_id: (*to).to_owned(),
        };
        let message = BatchRemoveAssociationsRequest {
            client_slug: self.slug(),
            object_type: object_type.to_owned(),
            to_object_type: to_object_type.to_owned(),
            inputs: pairs.iter().map(input).collect(),
            expected_portal_id: 0,
            request_id: self.write_id(),
        };
        let mut client = self.associations();
        let answer = client.batch_remove_associations(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Takes labels off many pairs of records.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn unlabel_many(
        &self,
        (object_type, to_object_type): (&str, &str),
        pairs: &[Labelled<'_>],
    ) -> Result<BatchRemoveAssociationLabelsResponse, Status> {
        let input = |(from, to, labels): &Labelled<'_>| AssociationLabelsToRemove {
            object_id: (*from).to_owned(),
            to_object_id: (*to).to_owned(),
            labels: labels.clone(),
        };
        let message = BatchRemoveAssociationLabelsRequest {
            client_slug: self.slug(),
            object_type: object_type.to_owned(),
            to_object_type: to_object_type.to_owned(),
            inputs: pairs.iter().map(input).collect(),
            expected_portal_id: 0,
            request_id: self.write_id(),
        };
        let mut client = self.associations();
        let answer = client
            .batch_remove_association_labels(self.request(message))
            .await?;
        Ok(answer.into_inner())
    }
}

/// Each page, or why there is none.
pub fn pages(results: &[AssociationPageResult]) -> Vec<Result<&AssociationPage, ErrorReason>> {
    results
        .iter()
        .map(|result| match &result.result {
            Some(association_page_result::Result::Page(page)) => Ok(page),
            Some(association_page_result::Result::Error(error)) => Err(error.reason()),
            None => Err(ErrorReason::Unspecified),
        })
        .collect()
}

/// The kinds of each pair by their ids, in order, or why it was not done.
pub fn kinds(results: &[AssociationResult]) -> Vec<Result<Vec<u32>, ErrorReason>> {
    let ids = |kinds: &AssociationKinds| {
        let mut ids: Vec<u32> = kinds.labels.iter().map(|label| label.type_id).collect();
        ids.sort_unstable();
        ids
    };
    results
        .iter()
        .map(|result| match &result.result {
            Some(association_result::Result::Kinds(kinds)) => Ok(ids(kinds)),
            Some(association_result::Result::Error(error)) => Err(error.reason()),
            None => Err(ErrorReason::Unspecified),
        })
        .collect()
}
