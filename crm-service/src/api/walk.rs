//! `StreamObjects`: a walk over all records of a type, or all that pass some filters, page by page. Each page is a call of
//! its own.

mod route;

use std::{pin::Pin, sync::Arc, time::Duration};

use futures::{Stream, StreamExt as _, stream};
use hubkeep_audit_log::Operation;
use hubkeep_core::grpc::{Context, bearer_handle};
use hubkeep_proto::crm::v1::{StreamObjectsRequest, StreamObjectsResponse};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use self::route::Route;
use super::{
    entrance::Entrance,
    write::{about, object},
};
use crate::{
    call::{Error, Presented},
    crm::Answer,
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
    let mut context = Context::of_stream(&request)?.in_batch();
    let longest = entrance.now().plus(LONGEST);
    context.deadline = context
        .stated_deadline
        .map_or(longest, |stated| stated.min(longest));
    let context = Arc::new(context);
    let handle = bearer_handle(request.metadata());
    let message = request.get_ref();
    let route = match Route::read(message) {
        Ok(route) => route,
        Err(fault) => {
            let operation = match route::searches(message) {
                true => Operation::ObjectSearch,
                false => Operation::ObjectList,
            };
            return Err(entrance.unread(operation, &context, handle, fault).await);
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
        self.route.go_on(&page)?;
        Ok(StreamObjectsResponse {
            objects: page.items.into_iter().map(object).collect(),
            resume_token: self.route.token(),
            reply: Some(about),
        })
    }

    /// This walk, if there is more after this page.
    fn unless_over(self, page: &StreamObjectsResponse) -> Option<Self> {
        (!page.resume_token.is_empty()).then_some(self)
    }
}
