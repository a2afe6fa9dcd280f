//! `hubkeep.crm.v1.AssociationService`.

use std::sync::Arc;

use hubkeep_audit_log::Operation;
use hubkeep_core::grpc::{Context, bearer_handle};
use hubkeep_hubspot::associations::AssociationType;
use hubkeep_proto::crm::v1::{
    CreateAssociationRequest, CreateAssociationResponse, ListAssociationLabelsRequest,
    ListAssociationLabelsResponse, ListAssociationsRequest, ListAssociationsResponse,
    RemoveAssociationRequest, RemoveAssociationResponse, association_service_server::AssociationService,
};
use tonic::{Request, Response, Status};

use super::{
    entrance::Entrance,
    read,
    write::{about, associated, label},
};
use crate::{
    call::{Error, Meant, Presented, Reply},
    crm::{ASSOCIATION_PAGE, Answer, Ask, AssociationAsk, End, RecordId},
};

/// What records have to do with each other.
#[derive(Clone)]
pub struct AssociationApi {
    entrance: Entrance,
}

impl AssociationApi {
    /// Requests come in here.
    pub const fn new(entrance: Entrance) -> Self {
        Self { entrance }
    }
}

#[tonic::async_trait]
impl AssociationService for AssociationApi {
    async fn list_associations(
        &self,
        request: Request<ListAssociationsRequest>,
    ) -> Result<Response<ListAssociationsResponse>, Status> {
        let question = read::associations_question(request.get_ref());
        let answer = self
            .entrance
            .take(Operation::AssociationList, request, read::list_associations)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Associated(page) => Some(ListAssociationsResponse {
                next_page_token: question.token(page.after.as_deref()),
                records: page.items.into_iter().map(associated).collect(),
                reply: about,
            }),
            _ => None,
        })
    }

    async fn create_association(
        &self,
        request: Request<CreateAssociationRequest>,
    ) -> Result<Response<CreateAssociationResponse>, Status> {
        let context = Arc::new(Context::of(&request)?);
        let handle = bearer_handle(request.metadata());
        let (meant, ask) = match read::create_association(request.get_ref()) {
            Ok(read) => read,
            Err(fault) => {
                let unread = self
                    .entrance
                    .unread(Operation::AssociationCreate, &context, handle, fault);
                return Err(Box::pin(unread).await);
            }
        };
        let labelling = Labelling {
            entrance: &self.entrance,
            meant,
            context: &context,
            handle,
        };
        let made = labelling.carry_out(ask).await;
        let reply = made.map_err(|error| context.refuse(&error))?;
        let about = about(&reply);
        let Answer::Labels(labels) = reply.answer else {
            return Err(context.refuse(&Error::WrongAnswer));
        };
        Ok(Response::new(CreateAssociationResponse {
            labels: labels.into_iter().map(label).collect(),
            reply: Some(about),
        }))
    }

    async fn remove_association(
        &self,
        request: Request<RemoveAssociationRequest>,
    ) -> Result<Response<RemoveAssociationResponse>, Status> {
        let answer = self
            .entrance
            .take(Operation::AssociationRemove, request, read::remove_association)
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Done => Some(RemoveAssociationResponse { reply: about }),
            _ => None,
        })
    }

    async fn list_association_labels(
        &self,
        request: Request<ListAssociationLabelsRequest>,
    ) -> Result<Response<ListAssociationLabelsResponse>, Status> {
        let answer = self
            .entrance
            .take(
                Operation::AssociationLabelList,
                request,
                read::list_association_labels,
            )
            .await?;
        answer.write(|reply, about| match reply {
            Answer::Labels(labels) => Some(ListAssociationLabelsResponse {
                labels: labels.into_iter().map(label).collect(),
                reply: about,
            }),
            _ => None,
        })
    }
}

/// Gives two records labels beside those that they have: HubSpot would replace them.
struct Labelling<'a> {
    entrance: &'a Entrance,
    meant: Meant,
    context: &'a Arc<Context>,
    handle: Presented,
}

impl Labelling<'_> {
    async fn carry_out(&self, ask: Ask) -> Result<Reply, Error> {
        let Ask::Association(wanted) = &ask else {
            return Err(Error::WrongAnswer);
        };
        let AssociationAsk::Create { end, to, kinds } = &**wanted else {
            return Err(Error::WrongAnswer);
        };
        if kinds.is_empty() {
            return self.one(ask).await;
        }
        let mut all = self.there(end, to).await?;
        for kind in kinds {
            if !all.contains(kind) {
                all.push(kind.clone());
            }
        }
        self.one(Ask::Association(Arc::new(AssociationAsk::Create {
            end: end.clone(),
            to: to.clone(),
            kinds: all,
        })))
        .await
    }

    /// The labels that are there. The association without one comes with every other.
    async fn there(&self, end: &End, to: &RecordId) -> Result<Vec<AssociationType>, Error> {
        let mut after = None;
        loop {
            let page = self
                .one(Ask::Association(Arc::new(AssociationAsk::List {
                    end: end.clone(),
                    limit: ASSOCIATION_PAGE.most(),
                    after,
                })))
                .await?;
            let Answer::Associated(page) = page.answer else {
                return Err(Error::WrongAnswer);
            };
            if let Some(found) = page.items.into_iter().find(|found| found.to_id == to.as_str()) {
                let labelled = found.labels.into_iter().filter(|label| label.label.is_some());
                return Ok(labelled.map(|label| label.kind).collect());
            }
            match page.after {
                Some(next) => after = Some(next),
                None => return Ok(Vec::new()),
            }
        }
    }

    async fn one(&self, ask: Ask) -> Result<Reply, Error> {
        let (meant, handle) = (self.meant.clone(), self.handle.clone());
        self.entrance.carry_out(ask, meant, self.context, handle).await
    }
}
