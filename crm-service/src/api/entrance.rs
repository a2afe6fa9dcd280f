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

use super::write::about;
use crate::{
    call::{Call, CallStack, Error, Meant, Presented, Reply, Unread},
    crm::{self, Answer, Ask, Faults},
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
        let context = Arc::new(Context::of(&request)?);
        let handle = bearer_handle(request.metadata());
        let (meant, ask) = match read(request.get_ref()) {
            Ok(read) => read,
            // Rare, and large: kept apart, so that what every call carries along stays small.
            Err(fault) => return Err(Box::pin(self.unread(operation, &context, handle, fault)).await),
        };
        let reply = self.carry_out(ask, meant, &context, handle).await;
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
        let call_id = CallId::make(&*self.clock, &*self.random)?;
        let call = Call::new(ask, meant, Arc::clone(context), call_id, handle);
        self.stack.run(call).await
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
