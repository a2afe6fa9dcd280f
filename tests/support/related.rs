//! What records have to do with each other, and how they are made, as a caller asks for it.

use hubkeep_proto::crm::v1::{
    AssociationLabel, CreateAssociationRequest, CreateAssociationResponse, EraseContactRequest,
    EraseContactResponse, ListAssociationsRequest, ListAssociationsResponse, MergeObjectsRequest,
    MergeObjectsResponse, RemoveAssociationRequest, RemoveAssociationResponse,
    association_service_client::AssociationServiceClient, schema_service_client::SchemaServiceClient,
};
use tonic::{Status, transport::Channel};

use super::crm::Crm;

/// From which record to which: two types and two ids.
pub type Pair<'a> = ((&'a str, &'a str), (&'a str, &'a str));

impl Crm {
    /// Reads the first page of what a record is associated with.
    ///
    /// # Errors
    /// With the refusal; so do all the others.
    pub async fn associated(
        &self,
        (object_type, object_id): (&str, &str),
        to_object_type: &str,
    ) -> Result<ListAssociationsResponse, Status> {
        let message = ListAssociationsRequest {
            client_slug: self.slug(),
            object_type: object_type.to_owned(),
            object_id: object_id.to_owned(),
            to_object_type: to_object_type.to_owned(),
            ..ListAssociationsRequest::default()
        };
        let answer = self
            .associations()
            .list_associations(self.request(message))
            .await?;
        Ok(answer.into_inner())
    }

    /// Associates two records, with these labels or without one.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn associate(
        &self,
        (from, to): Pair<'_>,
        labels: Vec<AssociationLabel>,
    ) -> Result<CreateAssociationResponse, Status> {
        let message = CreateAssociationRequest {
            client_slug: self.slug(),
            object_type: from.0.to_owned(),
            object_id: from.1.to_owned(),
            to_object_type: to.0.to_owned(),
            to_object_id: to.1.to_owned(),
            labels,
            request_id: self.write_id(),
            ..CreateAssociationRequest::default()
        };
        let answer = self
            .associations()
            .create_association(self.request(message))
            .await?;
        Ok(answer.into_inner())
    }

    /// Ends all that two records have to do with each other.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn dissociate(&self, (from, to): Pair<'_>) -> Result<RemoveAssociationResponse, Status> {
        let message = RemoveAssociationRequest {
            client_slug: self.slug(),
            object_type: from.0.to_owned(),
            object_id: from.1.to_owned(),
            to_object_type: to.0.to_owned(),
            to_object_id: to.1.to_owned(),
            request_id: self.write_id(),
            ..RemoveAssociationRequest::default()
        };
        let answer = self
            .associations()
            .remove_association(self.request(message))
            .await?;
        Ok(answer.into_inner())
    }

    /// Merges a record into another.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn merge(
        &self,
        object_type: &str,
        primary: &str,
        merged: &str,
    ) -> Result<MergeObjectsResponse, Status> {
        let message = MergeObjectsRequest {
            client_slug: self.slug(),
            object_type: object_type.to_owned(),
            primary_object_id: primary.to_owned(),
            merged_object_id: merged.to_owned(),
            request_id: self.write_id(),
            ..MergeObjectsRequest::default()
        };
        let answer = self.objects().merge_objects(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Erases a contact for good: by its id, or with `id_property` "email" by its address.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn erase(&self, object_id: &str, id_property: &str) -> Result<EraseContactResponse, Status> {
        let message = EraseContactRequest {
            client_slug: self.slug(),
            object_id: object_id.to_owned(),
            id_property: id_property.to_owned(),
            request_id: self.write_id(),
            ..EraseContactRequest::default()
        };
        let answer = self.objects().erase_contact(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// The client for associations.
    pub fn associations(&self) -> AssociationServiceClient<Channel> {
        AssociationServiceClient::new(self.channel())
    }

    /// The client for schemas.
    pub fn schemas(&self) -> SchemaServiceClient<Channel> {
        SchemaServiceClient::new(self.channel())
    }
}
