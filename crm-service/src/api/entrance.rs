//! Where every request comes in: who asks, with which handle, for which portal, and what.

use hubkeep_audit_log::Operation;
use hubkeep_core::{
    clock::SharedClock,
    grpc::{Context, bearer_handle},
    id::{CallId, ClientSlug},
    random::SharedRandom,
};
use hubkeep_proto::crm::v1::Reply as WireReply;
use tonic::{Request, Response, Status};

use super::write::about;
use crate::{
    call::{Call, CallStack, Error, Reply, Unread},
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

/// What a message asks, read: the portal it names, and the rest.
pub(super) type Read = Result<(ClientSlug, Ask), crm::Error>;

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
        let context = Context::of(&request)?;
        let handle = bearer_handle(request.metadata());
        let call_id = CallId::make(&*self.clock, &*self.random);
        let call_id = call_id.map_err(|error| context.refuse(&Error::from(error)))?;
        let (client_slug, ask) = match read(request.get_ref()) {
            Ok(read) => read,
            Err(fault) => {
                let refusal = self.unread.refuse(operation, &context, call_id, handle, fault);
                return Err(context.refuse(&refusal.await));
            }
        };
        let call = Call::new(ask, client_slug, context.clone(), call_id, handle);
        let reply = self
            .stack
            .run(call)
            .await
            .map_err(|error| context.refuse(&error))?;
        Ok(Answered { context, reply })
    }
}

/// What came back, still to be written into a message.
pub(super) struct Answered {
    context: Context,
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

/// The portal that a request names. There is no default.
pub(super) fn client_slug(text: &str, faults: &mut Faults) -> Option<ClientSlug> {
    faults.keep(
        "client_slug",
        text.parse::<ClientSlug>().map_err(|invalid| invalid.rule()),
    )
}
