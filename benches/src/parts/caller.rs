//! A caller in its own name, as a service is that calls for one client.

use std::time::Duration;

use hubkeep_core::grpc::CALLER_HEADER;
use hubkeep_proto::{
    credential::v1::handle_service_client::HandleServiceClient,
    crm::v1::{BatchReadObjectsRequest, GetObjectRequest, object_service_client::ObjectServiceClient},
};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use crate::{
    Failure,
    load::Work,
    stage::{CONTACT, Stage, named, wish},
};

/// All wait their turn, however long that is.
const PATIENCE: Duration = Duration::from_secs(240);

/// A caller with a handle of its own, which reads a contact again and again.
pub(super) struct Caller {
    clients: Vec<ObjectServiceClient<Channel>>,
    slug: String,
    name: MetadataValue<Ascii>,
    handle: MetadataValue<Ascii>,
    in_batches: bool,
}

impl Caller {
    /// One of this name, to this portal.
    pub(super) async fn of(stage: &Stage, name: &str, slug: &str) -> Result<Self, Failure> {
        Self::through(stage, name, slug, vec![stage.to_crm().await?]).await
    }

    /// The same over these connections, in turn.
    pub(super) async fn through(
        stage: &Stage,
        name: &str,
        slug: &str,
        ways: Vec<Channel>,
    ) -> Result<Self, Failure> {
        let mut handles = HandleServiceClient::new(stage.to_credential().await?);
        let issued = handles.issue_handle(named(name, wish(slug))?).await?;
        Ok(Self {
            clients: ways.into_iter().map(ObjectServiceClient::new).collect(),
            slug: slug.to_owned(),
            name: MetadataValue::try_from(name)?,
            handle: format!("Bearer {}", issued.into_inner().handle).parse()?,
            in_batches: false,
        })
    }

    /// The same, by batches of one: work for which nobody waits.
    pub(super) const fn in_batches(mut self) -> Self {
        self.in_batches = true;
        self
    }

    fn asks<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert(CALLER_HEADER, self.name.clone());
        metadata.insert("authorization", self.handle.clone());
        request.set_timeout(PATIENCE);
        request
    }
}

impl Work for Caller {
    async fn once(&self, caller: usize, _turn: u64) -> Result<(), Failure> {
        let way = caller.checked_rem(self.clients.len()).unwrap_or(0);
        let mut client = self.clients.get(way).ok_or("there is no way")?.clone();
        if self.in_batches {
            let request = BatchReadObjectsRequest {
                client_slug: self.slug.clone(),
                object_type: "contacts".to_owned(),
                object_ids: vec![CONTACT.to_owned()],
                ..BatchReadObjectsRequest::default()
            };
            client.batch_read_objects(self.asks(request)).await?;
        } else {
            let request = GetObjectRequest {
                client_slug: self.slug.clone(),
                object_type: "contacts".to_owned(),
                object_id: CONTACT.to_owned(),
                ..GetObjectRequest::default()
            };
            client.get_object(self.asks(request)).await?;
        }
        Ok(())
    }
}
