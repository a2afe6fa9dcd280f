//! Decides whether the grant covers this call. Everything that decides is compared here and nowhere else.

use std::sync::Arc;

use super::{Call, Cause, Error, Next, Redeemed, Reply, Step};
use crate::credentials::Grant;

/// Proof that the grant covers the call. Only [`Authorize`] makes it.
#[derive(Clone, Debug)]
pub struct Permit {
    grant: Arc<Grant>,
}

impl Permit {
    pub(super) const fn grant(&self) -> &Arc<Grant> {
        &self.grant
    }
}

/// The step.
#[derive(Debug)]
pub struct Authorize;

impl Step<Call<Redeemed>> for Authorize {
    type Out = Call<Permit>;

    async fn take(&self, call: Call<Redeemed>, next: &Next<Call<Permit>>) -> Result<Reply, Error> {
        let grant = call.authority.grant.clone();
        if let Some(cause) = shortfall(&call, &grant) {
            return Err(Error::NotPermitted(cause));
        }
        next.run(call.by(Permit { grant })).await
    }
}

/// In what the grant falls short of the call; the portal first, for it decides what else may be said.
fn shortfall(call: &Call<Redeemed>, grant: &Grant) -> Option<Cause> {
    if let Some(cause) = call.meant.differs_from(grant.portal()) {
        return Some(cause);
    }
    let (operations, object_type) = (call.ask.operations(), call.ask.object_type());
    let own = operations.iter().map(|operation| (*operation, &object_type));
    let uncovered = own
        .chain(call.ask.beside())
        .find(|(operation, object_type)| !grant.allows(*operation, object_type));
    if let Some((operation, object_type)) = uncovered {
        return Some(Cause::Operation {
            operation: operation.name(),
            object_type: object_type.to_string(),
        });
    }
    if grant.writes_need_approval() && !call.ask.is_read() {
        return Some(Cause::Approval {
            operation: operations.first().map_or("", |operation| operation.name()),
        });
    }
    let uncovered = call
        .ask
        .deciding_properties()
        .into_iter()
        .find(|name| !grant.allows_property(name));
    if let Some(name) = uncovered {
        return Some(Cause::Property {
            property: name.as_str().to_owned(),
        });
    }
    // Words are looked for in properties that nobody names: with a limited grant that would be a way to read them.
    if grant.properties().is_some() && call.ask.has_free_text() {
        return Some(Cause::Property {
            property: "query".to_owned(),
        });
    }
    None
}
