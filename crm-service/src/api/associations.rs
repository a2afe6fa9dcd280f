//! `hubkeep.crm.v1.AssociationService`.

use std::sync::Arc;

use hubkeep_audit_log::Operation;
use hubkeep_core::grpc::{Context, bearer_handle};
use hubkeep_hubspot::associations::AssociationType;
use hubkeep_proto::crm::v1::{
    BatchCreateAssociationsRequest, BatchCreateAssociationsResponse, BatchReadAssociationsRequest,
    BatchReadAssociationsResponse, BatchRemoveAssociationLabelsRequest, BatchRemoveAssociationLabelsResponse,
    BatchRemoveAssociationsRequest, BatchRemoveAssociationsResponse, CreateAssociationRequest,
    CreateAssociationResponse, ListAssociationLabelsRequest, ListAssociationLabelsResponse,
    ListAssociationsRequest, ListAssociationsResponse, RemoveAssociationRequest, RemoveAssociationResponse,
    association_service_server::AssociationService,
};
use tonic::{Request, Response, Status};

use super::{
    association_batch::{self, has_new, turn},
    entrance::{Entrance, Read},
    read,
    repeats::{Repeats, again, both, part},
    write::{about, associated, label},
};
use crate::{
    call::{Error, Keeps, Meant, Presented, Reply},
    crm::{ASSOCIATION_PAGE, Answer, Ask, AssociationAsk, End, RecordId},
    pairs::Pairs,
    writes::Repeatable,
};

/// What records have to do with each other.
#[derive(Clone)]
pub struct AssociationApi {
    entrance: Entrance,
    pairs: Pairs,
}

impl AssociationApi {
    /// Requests come in here; those that change a pair of records take turns.
    pub const fn new(entrance: Entrance, pairs: Pairs) -> Self {
        Self { entrance, pairs }
    }
}

impl AssociationApi {
    /// Reads a request that changes one pair of records, and carries it out.
    async fn one_pair<M: Repeats>(
        &self,
        operation: Operation,
        request: Request<M>,
        read: fn(&M) -> Read,
    ) -> Result<(Arc<Context>, Reply), Status> {
        let context = Arc::new(Context::of(&request)?);
        let handle = bearer_handle(request.metadata());
        let message = request.get_ref();
        let ((meant, ask), again) = match both(read(message), again(message)) {
            Ok(read) => read,
            Err(fault) => {
                let unread = self.entrance.unread(operation, &context, handle, fault);
                return Err(Box::pin(unread).await);
            }
        };
        let pair = OnePair {
            entrance: &self.entrance,
            pairs: &self.pairs,
            meant,
            context: &context,
            handle,
            again: part(again.as_ref(), 0),
        };
        let made = Box::pin(pair.carry_out(ask)).await;
        let reply = made.map_err(|error| context.refuse(&error))?;
        Ok((context, reply))
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
        let operation = Operation::AssociationCreate;
        let (context, reply) = self
            .one_pair(operation, request, read::create_association)
            .await?;
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
        let operation = Operation::AssociationRemove;
        let (context, reply) = self
            .one_pair(operation, request, read::remove_association)
            .await?;
        let about = about(&reply);
        match reply.answer {
            Answer::Done => Ok(Response::new(RemoveAssociationResponse { reply: Some(about) })),
            _ => Err(context.refuse(&Error::WrongAnswer)),
        }
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

    async fn batch_read_associations(
        &self,
        request: Request<BatchReadAssociationsRequest>,
    ) -> Result<Response<BatchReadAssociationsResponse>, Status> {
        let (results, replies) = association_batch::pages((&self.entrance, &self.pairs), request).await?;
        Ok(Response::new(BatchReadAssociationsResponse { results, replies }))
    }

    async fn batch_create_associations(
        &self,
        request: Request<BatchCreateAssociationsRequest>,
    ) -> Result<Response<BatchCreateAssociationsResponse>, Status> {
        let operation = Operation::AssociationBatchCreate;
        let read = read::batch_create_associations;
        let (results, replies) =
            association_batch::write((&self.entrance, &self.pairs), operation, request, read).await?;
        Ok(Response::new(BatchCreateAssociationsResponse {
            results,
            replies,
        }))
    }

    async fn batch_remove_associations(
        &self,
        request: Request<BatchRemoveAssociationsRequest>,
    ) -> Result<Response<BatchRemoveAssociationsResponse>, Status> {
        let operation = Operation::AssociationBatchRemove;
        let read = read::batch_remove_associations;
        let (results, replies) =
            association_batch::write((&self.entrance, &self.pairs), operation, request, read).await?;
        Ok(Response::new(BatchRemoveAssociationsResponse {
            results,
            replies,
        }))
    }

    async fn batch_remove_association_labels(
        &self,
        request: Request<BatchRemoveAssociationLabelsRequest>,
    ) -> Result<Response<BatchRemoveAssociationLabelsResponse>, Status> {
        let operation = Operation::AssociationLabelBatchRemove;
        let read = read::batch_remove_association_labels;
        let (results, replies) =
            association_batch::write((&self.entrance, &self.pairs), operation, request, read).await?;
        Ok(Response::new(BatchRemoveAssociationLabelsResponse {
            results,
            replies,
        }))
    }
}

/// One pair of records that is changed, and for whom.
struct OnePair<'a> {
    entrance: &'a Entrance,
    pairs: &'a Pairs,
    meant: Meant,
    context: &'a Arc<Context>,
    handle: Presented,
    again: Option<Arc<Repeatable>>,
}

impl OnePair<'_> {
    async fn carry_out(&self, ask: Ask) -> Result<Reply, Error> {
        let Ask::Association(wanted) = &ask else {
            return Err(Error::WrongAnswer);
        };
        if let Some(kept) = self.before_a_turn(&ask).await? {
            return Ok(kept);
        }
        let who = (&self.meant, self.context, &self.handle);
        // Whoever ends all that two records are to each other takes it too: another who gives them a label meanwhile would associate
        // them again.
        let turn = turn((self.entrance, self.pairs), wanted, who).await?;
        let AssociationAsk::Create { end, to, kinds } = &**wanted else {
            return self.make(ask, Some(turn)).await;
        };
        if kinds.is_empty() {
            // It was waited for whoever ends it, and may be carried out late; this one takes nothing from others.
            drop(turn);
            return self.make(ask, None).await;
        }
        // Labels stand beside those that are there: HubSpot would replace them. From reading to writing: another who reads before this
        // one has written would write without its labels.
        let mut all = self.there(end, to).await?;
        if has_new(kinds, &all) {
            turn.will_show();
        }
        for kind in kinds {
            if !all.contains(kind) {
                all.push(kind.clone());
            }
        }
        let all = Ask::Association(Arc::new(AssociationAsk::Create {
            end: end.clone(),
            to: to.clone(),
            kinds: all,
        }));
        self.make(all, Some(turn)).await
    }

    /// What came of it when it was asked for earlier: for that nobody's turn is waited for, and nothing is read. Else who may not do
    /// it is refused, and takes nobody's turn.
    async fn before_a_turn(&self, ask: &Ask) -> Result<Option<Reply>, Error> {
        let (ask, meant, handle) = (ask.clone(), self.meant.clone(), self.handle.clone());
        self.entrance
            .kept_or_may(ask, (meant, self.context, handle), self.again.clone())
            .await
    }

    /// Makes it, and keeps the turn until that has ended, also where the caller hangs up.
    async fn make(&self, ask: Ask, turn: Option<Keeps>) -> Result<Reply, Error> {
        let who = (self.meant.clone(), self.context, self.handle.clone());
        self.entrance
            .carry_out_keeping(ask, who, self.again.clone(), turn)
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
