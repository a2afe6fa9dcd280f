//! Through Hubkeep: with a handle to crm-service, which records the call before and after it is made.

use hubkeep_core::grpc::CALLER_HEADER;
use hubkeep_proto::crm::v1::{GetObjectRequest, object_service_client::ObjectServiceClient};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use super::{CALLERS, CONNECTIONS, of_caller};
use crate::{
    Failure,
    load::Work,
    stage::{CALLER, CONTACT, Stage},
};

/// Reads contacts through crm-service.
pub(in crate::parts) struct Audited {
    clients: Vec<ObjectServiceClient<Channel>>,
    caller: MetadataValue<Ascii>,
    /// Slug and handle of each portal.
    handles: Vec<(String, MetadataValue<Ascii>)>,
}

impl Audited {
    /// Takes a handle for every portal, and makes a first call to each: HubSpot's answer says that it has no limit.
    pub(in crate::parts) async fn to(stage: &Stage) -> Result<Self, Failure> {
        let mut ways = Vec::new();
        for _ in 0..CONNECTIONS {
            ways.push(stage.to_crm().await?);
        }
        Self::through(stage, ways).await
    }

    /// The same over these connections.
    pub(in crate::parts) async fn through(stage: &Stage, ways: Vec<Channel>) -> Result<Self, Failure> {
        let clients: Vec<_> = ways.into_iter().map(ObjectServiceClient::new).collect();
        let mut handles = Vec::new();
        for (portal, handle) in stage.portals().iter().zip(stage.handles().await?) {
            handles.push((portal.slug.clone(), format!("Bearer {handle}").parse()?));
        }
        let path = Self {
            clients,
            caller: MetadataValue::try_from(CALLER)?,
            handles,
        };
        for portal in 0..path.handles.len() {
            path.once(portal, 0).await?;
        }
        Ok(path)
    }
}

impl Audited {
    /// Reads the contact of this portal.
    pub(in crate::parts) async fn of_portal(&self, portal: usize) -> Result<(), Failure> {
        self.read(portal, portal).await
    }

    async fn read(&self, way: usize, portal: usize) -> Result<(), Failure> {
        let (slug, handle) = of_caller(&self.handles, portal)?;
        let mut request = Request::new(GetObjectRequest {
            client_slug: slug.clone(),
            object_type: "contacts".to_owned(),
            object_id: CONTACT.to_owned(),
            ..GetObjectRequest::default()
        });
        let metadata = request.metadata_mut();
        metadata.insert(CALLER_HEADER, self.caller.clone());
        metadata.insert("authorization", handle.clone());
        let mut client = of_caller(&self.clients, way)?.clone();
        client.get_object(request).await?;
        Ok(())
    }
}

impl Work for Audited {
    async fn once(&self, caller: usize, turn: u64) -> Result<(), Failure> {
        // Where there are more portals than callers, each caller goes round its part of them.
        let turn = usize::try_from(turn)?.wrapping_mul(CALLERS);
        self.read(caller, caller.wrapping_add(turn)).await
    }
}
