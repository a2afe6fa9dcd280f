//! `hubkeep.crm.v1.ObjectService`.

use hubkeep_audit_log::Operation;
use hubkeep_proto::crm::v1::{
    ArchiveObjectRequest, ArchiveObjectResponse, BatchArchiveObjectsRequest, BatchArchiveObjectsResponse,
    BatchCreateObjectsRequest, BatchCreateObjectsResponse, BatchReadObjectsRequest, BatchReadObjectsResponse,
    BatchUpdateObjectsRequest, BatchUpdateObjectsResponse, CreateObjectRequest, CreateObjectResponse,
    EraseContactRequest, EraseContactResponse, GetObjectRequest, GetObjectResponse, ListObjectsRequest,
    ListObjectsResponse, MergeObjectsRequest, MergeObjectsResponse, SearchObjectsRequest,
    SearchObjectsResponse, StreamObjectsRequest, UpdateObjectRequest, UpdateObjectResponse,
    UpsertObjectsRequest, UpsertObjectsResponse, object_service_server::ObjectService,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{
    batch,
    entrance::Entrance,
    read,
    walk::{self, Pages},
    write::object,
};
use crate::crm::Answer;

/// Records of the CRM.
#[derive(Clone)]
pub struct ObjectApi {
    entrance: Entrance,
    stopping: CancellationToken,
}

impl ObjectApi {
    /// Requests come in here; `stopping` ends its streams.
    pub const fn new(entrance: Entrance, stopping: CancellationToken) -> Self {
        Self { entrance, stopping }
    }
}

#[tonic::async_trait]
impl ObjectService for ObjectApi {
    async fn get_object(
        &self,
        request: Request<GetObjectRequest>,
    ) -> Result<Response<GetObjectResponse>, Status> {
        let answer = self
            .entrance
            .take(Operation::ObjectGet, request, read::get_object)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Object(found) => Some(GetObjectResponse {
                object: Some(object(found)),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn list_objects(
        &self,
        request: Request<ListObjectsRequest>,
    ) -> Result<Response<ListObjectsResponse>, Status> {
        let question = read::list_question(request.get_ref());
        let answer = self
            .entrance
            .take(Operation::ObjectList, request, read::list_objects)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Objects(page) => Some(ListObjectsResponse {
                next_page_token: question.token(page.after.as_deref()),
                objects: page.items.into_iter().map(object).collect(),
                reply: about,
            }),
            _ => None,
        })
    }

    type StreamObjectsStream = Pages;

    async fn stream_objects(
        &self,
        request: Request<StreamObjectsRequest>,
    ) -> Result<Response<Pages>, Status> {
        walk::begin(self.entrance.clone(), self.stopping.clone(), request).await
    }

    async fn search_objects(
        &self,
        request: Request<SearchObjectsRequest>,
    ) -> Result<Response<SearchObjectsResponse>, Status> {
        let question = read::search_question(request.get_ref());
        let answer = self
            .entrance
            .take(Operation::ObjectSearch, request, read::search_objects)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Objects(page) => Some(SearchObjectsResponse {
                next_page_token: question.token(page.after.as_deref()),
                total_count: page.total.unwrap_or_default(),
                objects: page.items.into_iter().map(object).collect(),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn create_object(
        &self,
        request: Request<CreateObjectRequest>,
    ) -> Result<Response<CreateObjectResponse>, Status> {
        let answer = self
            .entrance
            .write(Operation::ObjectCreate, request, read::create_object)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Object(made) => Some(CreateObjectResponse {
                object: Some(object(made)),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn update_object(
        &self,
        request: Request<UpdateObjectRequest>,
    ) -> Result<Response<UpdateObjectResponse>, Status> {
        let answer = self
            .entrance
            .write(Operation::ObjectUpdate, request, read::update_object)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Object(changed) => Some(UpdateObjectResponse {
                object: Some(object(changed)),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn archive_object(
        &self,
        request: Request<ArchiveObjectRequest>,
    ) -> Result<Response<ArchiveObjectResponse>, Status> {
        let answer = self
            .entrance
            .write(Operation::ObjectArchive, request, read::archive_object)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Done => Some(ArchiveObjectResponse { reply: about }),
            _ => None,
        })
    }

    async fn merge_objects(
        &self,
        request: Request<MergeObjectsRequest>,
    ) -> Result<Response<MergeObjectsResponse>, Status> {
        let answer = self
            .entrance
            .write(Operation::ObjectMerge, request, read::merge_objects)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Object(left) => Some(MergeObjectsResponse {
                object: Some(object(left)),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn batch_read_objects(
        &self,
        request: Request<BatchReadObjectsRequest>,
    ) -> Result<Response<BatchReadObjectsResponse>, Status> {
        let (results, replies) = batch::take(
            &self.entrance,
            Operation::ObjectBatchRead,
            request,
            read::batch_read,
        )
        .await?;
        Ok(Response::new(BatchReadObjectsResponse { results, replies }))
    }

    async fn batch_create_objects(
        &self,
        request: Request<BatchCreateObjectsRequest>,
    ) -> Result<Response<BatchCreateObjectsResponse>, Status> {
        let (results, replies) = batch::write(
            &self.entrance,
            Operation::ObjectBatchCreate,
            request,
            read::batch_create,
        )
        .await?;
        Ok(Response::new(BatchCreateObjectsResponse { results, replies }))
    }

    async fn batch_update_objects(
        &self,
        request: Request<BatchUpdateObjectsRequest>,
    ) -> Result<Response<BatchUpdateObjectsResponse>, Status> {
        let (results, replies) = batch::write(
            &self.entrance,
            Operation::ObjectBatchUpdate,
            request,
            read::batch_update,
        )
        .await?;
        Ok(Response::new(BatchUpdateObjectsResponse { results, replies }))
    }

    async fn batch_archive_objects(
        &self,
        request: Request<BatchArchiveObjectsRequest>,
    ) -> Result<Response<BatchArchiveObjectsResponse>, Status> {
        let (results, replies) = batch::write(
            &self.entrance,
            Operation::ObjectBatchArchive,
            request,
            read::batch_archive,
        )
        .await?;
        Ok(Response::new(BatchArchiveObjectsResponse { results, replies }))
    }

    async fn upsert_objects(
        &self,
        request: Request<UpsertObjectsRequest>,
    ) -> Result<Response<UpsertObjectsResponse>, Status> {
        let (results, replies) =
            batch::write(&self.entrance, Operation::ObjectUpsert, request, read::upsert).await?;
        Ok(Response::new(UpsertObjectsResponse { results, replies }))
    }

    async fn erase_contact(
        &self,
        request: Request<EraseContactRequest>,
    ) -> Result<Response<EraseContactResponse>, Status> {
        let answer = self
            .entrance
            .write(Operation::ContactErase, request, read::erase_contact)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Done => Some(EraseContactResponse { reply: about }),
            _ => None,
        })
    }
}
