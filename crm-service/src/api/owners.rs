//! `hubkeep.crm.v1.OwnerService`.

use hubkeep_audit_log::Operation;
use hubkeep_proto::crm::v1::{
    GetOwnerRequest, GetOwnerResponse, ListOwnersRequest, ListOwnersResponse,
    owner_service_server::OwnerService,
};
use tonic::{Request, Response, Status};

use super::{entrance::Entrance, read, write::owner};
use crate::crm::Answer;

/// Owners.
#[derive(Clone)]
pub struct OwnerApi {
    entrance: Entrance,
}

impl OwnerApi {
    /// Requests come in here.
    pub const fn new(entrance: Entrance) -> Self {
        Self { entrance }
    }
}

#[tonic::async_trait]
impl OwnerService for OwnerApi {
    async fn list_owners(
        &self,
        request: Request<ListOwnersRequest>,
    ) -> Result<Response<ListOwnersResponse>, Status> {
        let question = read::owners_question(request.get_ref());
        let answer = self
            .entrance
            .take(Operation::OwnerList, request, read::list_owners)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Owners(page) => Some(ListOwnersResponse {
                next_page_token: question.token(page.after.as_deref()),
                owners: page.items.into_iter().map(owner).collect(),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn get_owner(
        &self,
        request: Request<GetOwnerRequest>,
    ) -> Result<Response<GetOwnerResponse>, Status> {
        let answer = self
            .entrance
            .take(Operation::OwnerGet, request, read::get_owner)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Owner(found) => Some(GetOwnerResponse {
                owner: Some(owner(found)),
                reply: about,
            }),
            _ => None,
        })
    }
}
