//! The catalogue of structured actions: what somebody who knows no HubSpot, a person's assistant above all, may ask for. Each has a
//! name, a schema of what goes in, a schema of what comes out, and the fields that it may show; none takes a path or an address.
//!
//! So far all of them read. An action becomes one [`Ask`] and goes down the one way of every call; here nothing is decided but
//! whether what was asked can be read, and which of the answer's fields are told.
//!
//! | file | holds |
//! |---|---|
//! | `catalogue` | every action, with its words |
//! | `schema` | what goes in and what comes out, as JSON Schema |
//! | `arguments` | what was given, taken apart; every fault is told at once |
//! | `read`, `filters` | arguments turned into an ask |
//! | `fields` | which fields of a record an action may show |
//! | `output` | an answer, told |

mod arguments;
mod catalogue;
mod config;
mod fields;
mod filters;
mod output;
mod read;
mod schema;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use catalogue::{Action, Does, Kind};
pub use config::Config;
pub use fields::Fields;
use hubkeep_audit_log::{Operation, ProvenPortal};
use hubkeep_core::{clock::SharedClock, grpc::Context, id::CallId, random::SharedRandom};
use serde_json::{Map, Value};

use crate::{
    call::{Call, CallStack, Error, Meant, Presented, Unread},
    crm,
};

/// Who asks for an action: the request, the handle that it brought, and the portal that it means.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The request.
    pub context: Arc<Context>,
    /// The handle.
    pub handle: Presented,
    /// The portal.
    pub meant: Meant,
}

/// What an action gave.
#[derive(Clone, Debug)]
pub struct Done {
    /// The verified portal it came from.
    pub portal: ProvenPortal,
    /// Ties together the call's entries on the log.
    pub call_id: CallId,
    /// What its output schema describes.
    pub output: Value,
}

/// The actions. Clones are of the same.
#[derive(Clone)]
pub struct Actions(Arc<Inner>);

struct Inner {
    catalogue: Vec<Action>,
    fields: Fields,
    stack: CallStack,
    unread: Unread,
    clock: SharedClock,
    random: SharedRandom,
}

impl Actions {
    /// Actions go down this stack; what cannot be read is refused beside it.
    pub fn build(
        config: &Config,
        stack: CallStack,
        unread: Unread,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Self {
        let fields = Fields::with(config);
        Self(Arc::new(Inner {
            catalogue: catalogue::all(&fields),
            fields,
            stack,
            unread,
            clock,
            random,
        }))
    }

    /// Every action.
    pub fn catalogue(&self) -> &[Action] {
        &self.0.catalogue
    }

    /// The action of this name.
    pub fn named(&self, name: &str) -> Option<&Action> {
        self.0.catalogue.iter().find(|action| action.name == name)
    }

    /// The fields that actions may show.
    pub fn fields(&self) -> &Fields {
        &self.0.fields
    }

    /// Carries an action out.
    ///
    /// # Errors
    /// As any call fails; and if the arguments cannot be read, which is on record as a refusal.
    pub async fn run(
        &self,
        action: &Action,
        arguments: Map<String, Value>,
        asker: &Asker,
    ) -> Result<Done, Error> {
        let Inner { stack, fields, .. } = &*self.0;
        let call_id = CallId::make(&*self.0.clock, &*self.0.random)?;
        let asked = match read::ask(action.does, arguments, &asker.meant, fields) {
            Ok(asked) => asked,
            Err(fault) => return Err(Box::pin(self.refused(action, call_id, asker, fault)).await),
        };
        let read::Asked { ask, shown, question } = asked;
        let (meant, context) = (asker.meant.clone(), asker.context.clone());
        let reply = stack.run(Call::new(ask, meant, context, call_id, asker.handle.clone()));
        let reply = reply.await?;
        let told = output::told(reply.answer, &reply.portal, &shown, question.as_ref());
        Ok(Done {
            output: told.ok_or(Error::WrongAnswer)?,
            portal: reply.portal,
            call_id: reply.call_id,
        })
    }

    async fn refused(&self, action: &Action, call_id: CallId, asker: &Asker, fault: crm::Error) -> Error {
        let operation = match action.does {
            Does::List(_) => Operation::ObjectList,
            Does::Get(_) => Operation::ObjectGet,
            Does::Search(_) => Operation::ObjectSearch,
            Does::ListOwners => Operation::OwnerList,
        };
        let (context, handle) = (&asker.context, asker.handle.clone());
        self.0
            .unread
            .refuse(operation, context, call_id, handle, fault)
            .await
    }
}
