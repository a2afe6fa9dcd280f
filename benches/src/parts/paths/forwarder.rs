//! Through the barest gRPC front that HubSpot could have: tonic in, reqwest out, the answer read and put into the same
//! message. It knows the tokens; it keeps no record, asks for no handle and counts nothing.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
};

use futures::stream::Empty;
use http::{HeaderValue, header};
use hubkeep_proto::crm::v1::{
    ArchiveObjectRequest, ArchiveObjectResponse, BatchArchiveObjectsRequest, BatchArchiveObjectsResponse,
    BatchCreateObjectsRequest, BatchCreateObjectsResponse, BatchReadObjectsRequest, BatchReadObjectsResponse,
    BatchUpdateObjectsRequest, BatchUpdateObjectsResponse, CreateObjectRequest, CreateObjectResponse,
    EraseContactRequest, EraseContactResponse, GetObjectRequest, GetObjectResponse, ListObjectsRequest,
    ListObjectsResponse, MergeObjectsRequest, MergeObjectsResponse, Object, SearchObjectsRequest,
    SearchObjectsResponse, StreamObjectsRequest, StreamObjectsResponse, UpdateObjectRequest,
    UpdateObjectResponse, UpsertObjectsRequest, UpsertObjectsResponse,
    object_service_client::ObjectServiceClient,
    object_service_server::{ObjectService, ObjectServiceServer},
};
use hubspot_sim::PortalSpec;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{
    Request, Response, Status,
    transport::{Channel, Server, server::TcpIncoming},
};

use super::{CONNECTIONS, bearer, of_caller};
use crate::{
    Failure,
    load::Work,
    stage::{CONTACT, Stage, connect},
};

/// Reads contacts through the forwarder, which runs as long as this lives.
pub(in crate::parts) struct Forwarder {
    clients: Vec<ObjectServiceClient<Channel>>,
    slugs: Vec<String>,
    _running: DropGuard,
}

impl Forwarder {
    /// Starts it.
    pub(in crate::parts) async fn to(stage: &Stage) -> Result<Self, Failure> {
        let stop = CancellationToken::new();
        let address = serve(Front::to(stage)?, stop.clone()).await?;
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            clients.push(ObjectServiceClient::new(connect(address).await?));
        }
        Ok(Self {
            clients,
            slugs: stage.portals().iter().map(|portal| portal.slug.clone()).collect(),
            _running: stop.drop_guard(),
        })
    }
}

impl Work for Forwarder {
    async fn once(&self, caller: usize, _turn: u64) -> Result<(), Failure> {
        let request = GetObjectRequest {
            client_slug: of_caller(&self.slugs, caller)?.clone(),
            object_type: "contacts".to_owned(),
            object_id: CONTACT.to_owned(),
            ..GetObjectRequest::default()
        };
        let mut client = of_caller(&self.clients, caller)?.clone();
        client.get_object(request).await?;
        Ok(())
    }
}

async fn serve(front: Front, stop: CancellationToken) -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = Server::builder().add_service(ObjectServiceServer::new(front));
    tokio::spawn(server.serve_with_incoming_shutdown(incoming, stop.cancelled_owned()));
    Ok(address)
}

/// The server.
struct Front {
    http: reqwest::Client,
    hubspot: String,
    bearers: HashMap<String, HeaderValue>,
}

/// What HubSpot says of a record.
#[derive(Deserialize)]
struct Record {
    id: String,
    properties: BTreeMap<String, Option<String>>,
    archived: bool,
}

impl Front {
    #[expect(clippy::disallowed_methods, reason = "a baseline that goes past the product")]
    fn to(stage: &Stage) -> Result<Self, Failure> {
        let known = |portal: &PortalSpec| Ok((portal.slug.clone(), bearer(portal)?));
        Ok(Self {
            http: reqwest::Client::builder().tcp_nodelay(true).build()?,
            hubspot: stage.simulator.base_url(),
            bearers: stage
                .portals()
                .iter()
                .map(known)
                .collect::<Result<_, Failure>>()?,
        })
    }

    #[expect(clippy::disallowed_methods, reason = "a baseline that goes past the product")]
    async fn read(&self, request: GetObjectRequest) -> Result<Object, Failure> {
        let bearer = self.bearers.get(&request.client_slug).ok_or("no such portal")?;
        let GetObjectRequest {
            object_type,
            object_id,
            ..
        } = request;
        let url = format!("{}/crm/objects/2026-09/{object_type}/{object_id}", self.hubspot);
        let asked = self.http.get(url).header(header::AUTHORIZATION, bearer.clone());
        let record: Record = asked.send().await?.error_for_status()?.json().await?;
        Ok(Object {
            object_id: record.id,
            properties: record
                .properties
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            archived: record.archived,
            ..Object::default()
        })
    }
}

#[tonic::async_trait]
impl ObjectService for Front {
    async fn get_object(
        &self,
        request: Request<GetObjectRequest>,
    ) -> Result<Response<GetObjectResponse>, Status> {
        let object = self
            .read(request.into_inner())
            .await
            .map_err(Status::from_error)?;
        Ok(Response::new(GetObjectResponse {
            object: Some(object),
            reply: None,
        }))
    }

    async fn list_objects(
        &self,
        _: Request<ListObjectsRequest>,
    ) -> Result<Response<ListObjectsResponse>, Status> {
        Err(reads_only())
    }

    type StreamObjectsStream = Empty<Result<StreamObjectsResponse, Status>>;

    async fn stream_objects(
        &self,
        _: Request<StreamObjectsRequest>,
    ) -> Result<Response<Self::StreamObjectsStream>, Status> {
        Err(reads_only())
    }

    async fn search_objects(
        &self,
        _: Request<SearchObjectsRequest>,
    ) -> Result<Response<SearchObjectsResponse>, Status> {
        Err(reads_only())
    }

    async fn create_object(
        &self,
        _: Request<CreateObjectRequest>,
    ) -> Result<Response<CreateObjectResponse>, Status> {
        Err(reads_only())
    }

    async fn update_object(
        &self,
        _: Request<UpdateObjectRequest>,
    ) -> Result<Response<UpdateObjectResponse>, Status> {
        Err(reads_only())
    }

    async fn archive_object(
        &self,
        _: Request<ArchiveObjectRequest>,
    ) -> Result<Response<ArchiveObjectResponse>, Status> {
        Err(reads_only())
    }

    async fn merge_objects(
        &self,
        _: Request<MergeObjectsRequest>,
    ) -> Result<Response<MergeObjectsResponse>, Status> {
        Err(reads_only())
    }

    async fn batch_read_objects(
        &self,
        _: Request<BatchReadObjectsRequest>,
    ) -> Result<Response<BatchReadObjectsResponse>, Status> {
        Err(reads_only())
    }

    async fn batch_create_objects(
        &self,
        _: Request<BatchCreateObjectsRequest>,
    ) -> Result<Response<BatchCreateObjectsResponse>, Status> {
        Err(reads_only())
    }

    async fn batch_update_objects(
        &self,
        _: Request<BatchUpdateObjectsRequest>,
    ) -> Result<Response<BatchUpdateObjectsResponse>, Status> {
        Err(reads_only())
    }

    async fn batch_archive_objects(
        &self,
        _: Request<BatchArchiveObjectsRequest>,
    ) -> Result<Response<BatchArchiveObjectsResponse>, Status> {
        Err(reads_only())
    }

    async fn upsert_objects(
        &self,
        _: Request<UpsertObjectsRequest>,
    ) -> Result<Response<UpsertObjectsResponse>, Status> {
        Err(reads_only())
    }

    async fn erase_contact(
        &self,
        _: Request<EraseContactRequest>,
    ) -> Result<Response<EraseContactResponse>, Status> {
        Err(reads_only())
    }
}

fn reads_only() -> Status {
    Status::from_error("the forwarder reads single records only".into())
}
