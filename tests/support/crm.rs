//! CRM calls, as a caller makes them.

use std::{collections::BTreeMap, time::Duration};

use hubkeep_core::grpc::REQUEST_ID_HEADER;
use hubkeep_proto::crm::v1::{
    ArchiveObjectRequest, ArchiveObjectResponse, CreateObjectRequest, CreateObjectResponse, Filter,
    FilterGroup, FilterOperator, GetObjectRequest, GetObjectResponse, GetOwnerRequest, GetOwnerResponse,
    ListObjectsRequest, ListObjectsResponse, ListOwnersRequest, ListOwnersResponse, SearchObjectsRequest,
    SearchObjectsResponse, StreamObjectsRequest, StreamObjectsResponse, UpdateObjectRequest,
    UpdateObjectResponse, object_service_client::ObjectServiceClient,
    owner_service_client::OwnerServiceClient,
};
use tonic::{Request, Status, Streaming, transport::Channel};

use super::{
    doors::Door,
    handles::{Handle, named},
};

/// The pages of a walk.
pub type Walk = Streaming<StreamObjectsResponse>;

/// A caller of crm-service. Clones are independent.
#[derive(Clone, Debug)]
pub struct Crm {
    channel: Channel,
    objects: ObjectServiceClient<Channel>,
    owners: OwnerServiceClient<Channel>,
    /// Who it says it is; `None` where its certificate says it.
    caller: Option<String>,
    handle: Option<String>,
    client_slug: String,
    deadline: Option<Duration>,
    request_id: Option<String>,
    /// The request id of its writes; empty for none.
    write_id: String,
}

impl Crm {
    /// A caller over this connection, without a handle.
    pub fn of(channel: Channel, caller: &str) -> Self {
        Self {
            objects: ObjectServiceClient::new(channel.clone()),
            owners: OwnerServiceClient::new(channel.clone()),
            channel,
            caller: Some(caller.to_owned()),
            handle: None,
            client_slug: String::new(),
            deadline: None,
            request_id: None,
            write_id: String::new(),
        }
    }

    /// A caller as it reaches crm-service by this door, without a handle.
    pub fn through(door: &Door, caller: &str) -> Self {
        let over = Self::of(door.of(caller), caller);
        if door.is_certified() { over.silent() } else { over }
    }

    pub(super) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Making its writes under this request id.
    #[must_use]
    pub fn under(mut self, request_id: &str) -> Self {
        request_id.clone_into(&mut self.write_id);
        self
    }

    pub(super) fn write_id(&self) -> String {
        self.write_id.clone()
    }

    pub(super) fn slug(&self) -> String {
        self.client_slug.clone()
    }

    /// The same without saying who it is.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.caller = None;
        self
    }

    /// The same by another caller's name.
    #[must_use]
    pub fn called(mut self, caller: &str) -> Self {
        self.caller = Some(caller.to_owned());
        self
    }

    /// With this handle, and naming its portal.
    #[must_use]
    pub fn with(self, handle: &Handle) -> Self {
        self.sending(&handle.token).naming(&handle.client_slug)
    }

    /// Sending this text as a handle.
    #[must_use]
    pub fn sending(mut self, handle: &str) -> Self {
        self.handle = Some(handle.to_owned());
        self
    }

    /// Naming this portal.
    #[must_use]
    pub fn naming(mut self, client_slug: &str) -> Self {
        client_slug.clone_into(&mut self.client_slug);
        self
    }

    /// Waiting no longer than this.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Under this id.
    #[must_use]
    pub fn request_id(mut self, id: &str) -> Self {
        self.request_id = Some(id.to_owned());
        self
    }

    /// The request with everything that goes with it.
    pub fn request<T>(&self, message: T) -> Request<T> {
        let mut request = match &self.caller {
            Some(caller) => named(caller, message),
            None => Request::new(message),
        };
        let metadata = request.metadata_mut();
        if let Some(handle) = &self.handle {
            let value = format!("Bearer {handle}").parse().expect("ascii");
            metadata.insert("authorization", value);
        }
        if let Some(id) = &self.request_id {
            metadata.insert(REQUEST_ID_HEADER, id.parse().expect("ascii"));
        }
        if let Some(deadline) = self.deadline {
            request.set_timeout(deadline);
        }
        request
    }

    /// Reads one record.
    ///
    /// # Errors
    /// With the refusal; so do all the others.
    pub async fn get(&self, object_type: &str, id: &str) -> Result<GetObjectResponse, Status> {
        self.get_by(GetObjectRequest {
            client_slug: self.client_slug.clone(),
            object_type: object_type.to_owned(),
            object_id: id.to_owned(),
            ..GetObjectRequest::default()
        })
        .await
    }

    /// Reads one record, asked for in full.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn get_by(&self, message: GetObjectRequest) -> Result<GetObjectResponse, Status> {
        let answer = self.objects.clone().get_object(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Reads the first page of a type.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn list(&self, object_type: &str) -> Result<ListObjectsResponse, Status> {
        self.list_by(ListObjectsRequest {
            client_slug: self.client_slug.clone(),
            object_type: object_type.to_owned(),
            ..ListObjectsRequest::default()
        })
        .await
    }

    /// Reads a page, asked for in full.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn list_by(&self, message: ListObjectsRequest) -> Result<ListObjectsResponse, Status> {
        let answer = self.objects.clone().list_objects(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Walks all records of a type, from the beginning or from where a walk has left off.
    ///
    /// # Errors
    /// With the refusal of the first page.
    pub async fn walk(&self, object_type: &str, resume_token: &str) -> Result<Walk, Status> {
        self.walk_by(StreamObjectsRequest {
            client_slug: self.client_slug.clone(),
            object_type: object_type.to_owned(),
            resume_token: resume_token.to_owned(),
            ..StreamObjectsRequest::default()
        })
        .await
    }

    /// Walks the records of a type, asked for in full.
    ///
    /// # Errors
    /// With the refusal of the first page.
    pub async fn walk_by(&self, message: StreamObjectsRequest) -> Result<Walk, Status> {
        let pages = self.objects.clone().stream_objects(self.request(message)).await?;
        Ok(pages.into_inner())
    }

    /// Finds the records whose property has this value.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn search(
        &self,
        object_type: &str,
        property: &str,
        value: &str,
    ) -> Result<SearchObjectsResponse, Status> {
        self.search_by(SearchObjectsRequest {
            client_slug: self.client_slug.clone(),
            object_type: object_type.to_owned(),
            filter_groups: vec![FilterGroup {
                filters: vec![equals(property, value)],
            }],
            ..SearchObjectsRequest::default()
        })
        .await
    }

    /// Finds records, asked for in full.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn search_by(&self, message: SearchObjectsRequest) -> Result<SearchObjectsResponse, Status> {
        let answer = self.objects.clone().search_objects(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Creates a record.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn create(
        &self,
        object_type: &str,
        values: &[(&str, &str)],
    ) -> Result<CreateObjectResponse, Status> {
        self.create_by(CreateObjectRequest {
            client_slug: self.client_slug.clone(),
            object_type: object_type.to_owned(),
            properties: properties(values),
            request_id: self.write_id(),
            ..CreateObjectRequest::default()
        })
        .await
    }

    /// Creates a record, asked for in full.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn create_by(&self, message: CreateObjectRequest) -> Result<CreateObjectResponse, Status> {
        let answer = self.objects.clone().create_object(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Changes a record.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn update(
        &self,
        object_type: &str,
        id: &str,
        values: &[(&str, &str)],
    ) -> Result<UpdateObjectResponse, Status> {
        let message = UpdateObjectRequest {
            client_slug: self.client_slug.clone(),
            object_type: object_type.to_owned(),
            object_id: id.to_owned(),
            properties: properties(values),
            id_property: String::new(),
            request_id: self.write_id(),
            ..UpdateObjectRequest::default()
        };
        let answer = self.objects.clone().update_object(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Archives a record.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn archive(&self, object_type: &str, id: &str) -> Result<ArchiveObjectResponse, Status> {
        let message = ArchiveObjectRequest {
            client_slug: self.client_slug.clone(),
            object_type: object_type.to_owned(),
            object_id: id.to_owned(),
            request_id: self.write_id(),
            ..ArchiveObjectRequest::default()
        };
        let answer = self.objects.clone().archive_object(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Reads the first page of owners.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn owners(&self) -> Result<ListOwnersResponse, Status> {
        let message = ListOwnersRequest {
            client_slug: self.client_slug.clone(),
            ..ListOwnersRequest::default()
        };
        let answer = self.owners.clone().list_owners(self.request(message)).await?;
        Ok(answer.into_inner())
    }

    /// Reads an owner.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn owner(&self, id: &str) -> Result<GetOwnerResponse, Status> {
        self.owner_named(GetOwnerRequest {
            owner_id: id.to_owned(),
            ..GetOwnerRequest::default()
        })
        .await
    }

    /// Reads an owner, as the request names it.
    ///
    /// # Errors
    /// With the refusal.
    pub async fn owner_named(&self, request: GetOwnerRequest) -> Result<GetOwnerResponse, Status> {
        let message = GetOwnerRequest {
            client_slug: self.client_slug.clone(),
            ..request
        };
        let answer = self.owners.clone().get_owner(self.request(message)).await?;
        Ok(answer.into_inner())
    }
}

/// The condition that a property has this value.
pub fn equals(property: &str, value: &str) -> Filter {
    Filter {
        property: property.to_owned(),
        operator: FilterOperator::Eq.into(),
        value: value.to_owned(),
        ..Filter::default()
    }
}

pub(super) fn properties(values: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    values.iter().map(owned).collect()
}
