//! `StreamObjects`: a walk over all records of a type, page by page. Each page is a call of its own.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures::{Stream, StreamExt as _, stream};
use hubkeep_audit_log::Operation;
use hubkeep_core::grpc::{Context, bearer_handle};
use hubkeep_proto::crm::v1::{StreamObjectsRequest, StreamObjectsResponse};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{
    entrance::{Entrance, meant},
    page_token::Question,
    write::{about, object},
};
use crate::{
    call::{Error, Meant, Presented},
    crm::{self, Answer, Ask, Faults, ObjectType, PropertyNames, WALK_PAGE, Wanted, read_names},
};

/// No walk lasts longer: no handle does.
const LONGEST: Duration = Duration::from_secs(900);

/// What goes over the wire.
pub(super) type Pages = Pin<Box<dyn Stream<Item = Result<StreamObjectsResponse, Status>> + Send>>;

/// Begins a walk. Its first page is read before anything is answered, so that a refusal is the answer.
pub(super) async fn begin(
    entrance: Entrance,
    stopping: CancellationToken,
    request: Request<StreamObjectsRequest>,
) -> Result<Response<Pages>, Status> {
    let mut context = Context::of_stream(&request)?;
    let longest = entrance.now().plus(LONGEST);
    context.deadline = context
        .stated_deadline
        .map_or(longest, |stated| stated.min(longest));
    let context = Arc::new(context);
    let handle = bearer_handle(request.metadata());
    let route = match Route::read(request.get_ref()) {
        Ok(route) => route,
        Err(fault) => {
            let refused = entrance.unread(Operation::ObjectList, &context, handle, fault);
            return Err(refused.await);
        }
    };
    let mut walk = Walk {
        entrance,
        stopping,
        context,
        handle,
        route,
    };
    let first = walk.page().await?;
    let rest = stream::unfold(walk.unless_over(&first), |walk| async move {
        let mut walk = walk?;
        let page = walk.page().await;
        let walk = page.as_ref().ok().and_then(|page| walk.unless_over(page));
        Some((page, walk))
    });
    let pages = stream::once(async move { Ok(first) }).chain(rest);
    Ok(Response::new(Box::pin(pages)))
}

/// What a walk is over, and how far it has come.
struct Route {
    meant: Meant,
    object_type: ObjectType,
    wanted: Arc<Wanted>,
    archived: bool,
    limit: u32,
    /// HubSpot's cursor; `None` at the beginning.
    after: Option<String>,
    /// What the tokens of this walk are bound to.
    question: Question,
}

impl Route {
    fn read(message: &StreamObjectsRequest) -> Result<Self, crm::Error> {
        let mut faults = Faults::default();
        let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
        let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
        let properties = read_names("properties", &message.properties, &mut faults);
        let limit = faults.keep("page_size", WALK_PAGE.read(message.page_size));
        let question = question(message, &properties);
        let after = question.cursor_in("resume_token", &message.resume_token, &mut faults);
        let route = meant.zip(object_type).zip(limit);
        faults.resolve(route.map(|((meant, object_type), limit)| Self {
            meant,
            object_type,
            wanted: Arc::new(Wanted::properties(properties)),
            archived: message.archived,
            limit,
            after,
            question,
        }))
    }

    fn ask(&self) -> Ask {
        Ask::ListObjects {
            object_type: self.object_type.clone(),
            wanted: self.wanted.clone(),
            limit: self.limit,
            after: self.after.clone(),
            archived: self.archived,
        }
    }
}

/// In which order the properties are named makes no other walk.
fn question(message: &StreamObjectsRequest, properties: &PropertyNames) -> Question {
    let archived = message.archived.to_string();
    let mut parts = vec!["walk", &message.client_slug, &message.object_type, &archived];
    parts.extend(properties.iter().map(|name| name.as_str()));
    Question::of(&parts)
}

/// A walk between two pages.
struct Walk {
    entrance: Entrance,
    stopping: CancellationToken,
    context: Arc<Context>,
    handle: Presented,
    route: Route,
}

impl Walk {
    /// Reads the next page.
    async fn page(&mut self) -> Result<StreamObjectsResponse, Status> {
        let page = self.read().await;
        page.map_err(|error| self.context.refuse(&error))
    }

    async fn read(&mut self) -> Result<StreamObjectsResponse, Error> {
        if self.stopping.is_cancelled() {
            return Err(Error::Stopping);
        }
        let (ask, meant) = (self.route.ask(), self.route.meant.clone());
        let handle = self.handle.clone();
        let reply = self.entrance.carry_out(ask, meant, &self.context, handle).await?;
        let about = about(&reply);
        let Answer::Objects(page) = reply.answer else {
            return Err(Error::WrongAnswer);
        };
        self.route.after = page.after;
        Ok(StreamObjectsResponse {
            objects: page.items.into_iter().map(object).collect(),
            resume_token: self.route.question.token(self.route.after.as_deref()),
            reply: Some(about),
        })
    }

    /// This walk, if there is more after this page.
    fn unless_over(self, page: &StreamObjectsResponse) -> Option<Self> {
        (!page.resume_token.is_empty()).then_some(self)
    }
}
