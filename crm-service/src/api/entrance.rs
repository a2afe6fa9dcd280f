//! Where every request comes in: who asks, with which handle, for which portal, and what.

use std::sync::Arc;

use hubkeep_audit_log::Operation;
use hubkeep_core::{
    clock::{SharedClock, Tick},
    grpc::{Context, bearer_handle},
    id::{CallId, ClientSlug},
    random::SharedRandom,
};
use hubkeep_proto::crm::v1::Reply as WireReply;
use tonic::{Request, Response, Status};

use super::{
    repeats::{Repeats, again, both, part},
    write::about,
};
use crate::{
    call::{Call, CallStack, Error, Keeps, Meant, Presented, Reply, Unread},
    crm::{self, Answer, Ask, AssociationAsk, Faults},
    writes::Repeatable,
};

/// Takes requests to the stack.
#[derive(Clone)]
pub struct Entrance {
    stack: CallStack,
    unread: Unread,
    clock: SharedClock,
    random: SharedRandom,
}

/// What a message asks, read: the portal it means, and the rest.
pub(super) type Read = Result<(Meant, Ask), crm::Error>;

impl Entrance {
    /// Calls go down this stack; what cannot be read is refused there.
    pub const fn new(stack: CallStack, unread: Unread, clock: SharedClock, random: SharedRandom) -> Self {
        Self {
            stack,
            unread,
            clock,
            random,
        }
    }

    /// Reads a request and carries it out.
    pub(super) async fn take<M>(
        &self,
        operation: Operation,
        request: Request<M>,
        read: fn(&M) -> Read,
    ) -> Result<Answered, Status> {
        let read = read(request.get_ref()).map(|read| (read, None));
        self.enter(operation, &request, read).await
    }

    /// The same for a write, which is made once for each request id.
    pub(super) async fn write<M: Repeats>(
        &self,
        operation: Operation,
        request: Request<M>,
        read: fn(&M) -> Read,
    ) -> Result<Answered, Status> {
        let message = request.get_ref();
        let read = both(read(message), again(message));
        self.enter(operation, &request, read).await
    }

    async fn enter<M>(
        &self,
        operation: Operation,
        request: &Request<M>,
        read: Result<((Meant, Ask), Option<Repeatable>), crm::Error>,
    ) -> Result<Answered, Status> {
        let context = Arc::new(Context::of(request)?);
        let handle = bearer_handle(request.metadata());
        let ((meant, ask), again) = match read {
            Ok(read) => read,
            // Rare, and large: kept apart, so that what every call carries along stays small.
            Err(fault) => return Err(Box::pin(self.unread(operation, &context, handle, fault)).await),
        };
        let again = part(again.as_ref(), 0);
        let call = self.call(ask, meant, &context, handle);
        let call = call.map_err(|error| context.refuse(&error))?;
        let reply = self.stack.run(call.repeatable(again)).await;
        let reply = reply.map_err(|error| context.refuse(&error))?;
        Ok(Answered { context, reply })
    }

    /// Sends one call down the stack.
    pub(super) async fn carry_out(
        &self,
        ask: Ask,
        meant: Meant,
        context: &Arc<Context>,
        handle: Presented,
    ) -> Result<Reply, Error> {
        self.stack.run(self.call(ask, meant, context, handle)?).await
    }

    /// The same, of a write that may be asked for again.
    pub(super) async fn carry_out_once(
        &self,
        ask: Ask,
        meant: Meant,
        context: &Arc<Context>,
        handle: Presented,
        again: Option<Arc<Repeatable>>,
    ) -> Result<Reply, Error> {
        let call = self.call(ask, meant, context, handle)?;
        self.stack.run(call.repeatable(again)).await
    }

    /// The same, which keeps something until it has ended.
    pub(super) async fn carry_out_keeping(
        &self,
        ask: Ask,
        (meant, context, handle): (Meant, &Arc<Context>, Presented),
        again: Option<Arc<Repeatable>>,
        keeps: Option<Keeps>,
    ) -> Result<Reply, Error> {
        let call = self.call(ask, meant, context, handle)?;
        self.stack.run(call.repeatable(again).keeping(keeps)).await
    }

    /// What came of a write when it was asked for earlier; `None` if it was not, and may be asked for with this handle. Nothing is sent,
    /// and nothing is taken for it.
    pub(super) async fn kept_or_may(
        &self,
        ask: Ask,
        (meant, context, handle): (Meant, &Arc<Context>, Presented),
        again: Option<Arc<Repeatable>>,
    ) -> Result<Option<Reply>, Error> {
        let call = self.call(ask, meant, context, handle)?;
        match self.stack.run(call.repeatable(again).only_kept()).await {
            Ok(reply) => Ok(Some(reply)),
            Err(Error::NothingKept) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn call(
        &self,
        ask: Ask,
        meant: Meant,
        context: &Arc<Context>,
        handle: Presented,
    ) -> Result<Call<Presented>, Error> {
        let call_id = CallId::make(&*self.clock, &*self.random)?;
        Ok(Call::new(ask, meant, Arc::clone(context), call_id, handle))
    }

    /// Refuses a request that cannot be read.
    pub(super) async fn unread(
        &self,
        operation: Operation,
        context: &Arc<Context>,
        handle: Presented,
        fault: crm::Error,
    ) -> Status {
        match CallId::make(&*self.clock, &*self.random) {
            Ok(call_id) => {
                let refusal = self.unread.refuse(operation, context, call_id, handle, fault);
                context.refuse(&refusal.await)
            }
            Err(error) => context.refuse(&Error::from(error)),
        }
    }

    /// Refuses what was asked beside the stack, for this reason. When this returns, that is on record.
    pub(super) async fn refused(
        &self,
        ask: &AssociationAsk,
        context: &Arc<Context>,
        handle: Presented,
        reason: Error,
    ) -> Error {
        match CallId::make(&*self.clock, &*self.random) {
            Ok(call_id) => {
                let ask = Ask::Association(Arc::new(ask.clone()));
                self.unread
                    .refuse_ask(&ask, context, call_id, handle, reason)
                    .await
            }
            Err(error) => error.into(),
        }
    }

    /// The time by which calls are made.
    pub(super) fn now(&self) -> Tick {
        self.clock.tick()
    }
}

/// What came back, still to be written into a message.
pub(super) struct Answered {
    context: Arc<Context>,
    reply: Reply,
}

impl Answered {
    /// Writes the message. `write` gives `None` for an answer of another kind than was asked for.
    pub(super) fn write<R>(
        self,
        write: impl FnOnce(Answer, Option<WireReply>) -> Option<R>,
    ) -> Result<Response<R>, Status> {
        let about = about(&self.reply);
        let response = write(self.reply.answer, Some(about));
        response
            .map(Response::new)
            .ok_or_else(|| self.context.refuse(&Error::WrongAnswer))
    }
}

/// The portal that a request means: its slug, and its id where that is stated. There is no default.
pub(super) fn meant(client_slug: &str, expected_portal_id: u64, faults: &mut Faults) -> Option<Meant> {
    let slug = client_slug.parse::<ClientSlug>();
    let client_slug = faults.keep("client_slug", slug.map_err(|invalid| invalid.rule()))?;
    Some(Meant {
        client_slug,
        expected_portal_id,
    })
}
