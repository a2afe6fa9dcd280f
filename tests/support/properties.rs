//! Properties of a type, as a caller makes and changes them.

use hubkeep_proto::crm::v1::{
    ArchivePropertyRequest, ArchivePropertyResponse, CreatePropertyRequest, CreatePropertyResponse,
    UpdatePropertyRequest, UpdatePropertyResponse,
};
use tonic::Status;

use super::crm::Crm;

/// The group of contacts that every account has.
pub const GROUP: &str = "contactinformation";

impl Crm {
    /// A property of text that is asked for in full.
    pub fn text_property(&self, object_type: &str, name: &str) -> CreatePropertyRequest {
        CreatePropertyRequest {
            client_slug: self.slug(),
            object_type: object_type.to_owned(),
            name: name.to_owned(),
            label: "What it is".to_owned(),
            r#type: "string".to_owned(),
            field_type: "text".to_owned(),
            group_name: GROUP.to_owned(),
            request_id: self.write_id(),
            ..CreatePropertyRequest::default()
        }
    }

    /// Makes a property of text.
    ///
    /// # Errors
    /// With the refusal; so do all the others.
    pub async fn create_property(
        &self,
        object_type: &str,
        name: &str,
    ) -> Result<CreatePropertyResponse, Status> {
        self.create_property_by(self.text_property(object_type, name))
            .await
    }

    /// Makes a property, asked for in full.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn create_property_by(
        &self,
        message: CreatePropertyRequest,
    ) -> Result<CreatePropertyResponse, Status> {
        let answer = self.schemas().create_property(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Gives a property another label.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn relabel_property(
        &self,
        object_type: &str,
        name: &str,
        label: &str,
    ) -> Result<UpdatePropertyResponse, Status> {
        self.update_property_by(UpdatePropertyRequest {
            client_slug: self.slug(),
            object_type: object_type.to_owned(),
            name: name.to_owned(),
            label: Some(label.to_owned()),
            request_id: self.write_id(),
            ..UpdatePropertyRequest::default()
        })
        .await
    }

    /// Changes a property, asked for in full.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn update_property_by(
        &self,
        message: UpdatePropertyRequest,
    ) -> Result<UpdatePropertyResponse, Status> {
        let answer = self.schemas().update_property(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Archives a property.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn archive_property(
        &self,
        object_type: &str,
        name: &str,
    ) -> Result<ArchivePropertyResponse, Status> {
        let message = ArchivePropertyRequest {
            client_slug: self.slug(),
            object_type: object_type.to_owned(),
            name: name.to_owned(),
            expected_portal_id: 0,
            request_id: self.write_id(),
        };
        let answer = self.schemas().archive_property(self.request(message)).await?;
        Ok(answer.into_inner())
    }
}
