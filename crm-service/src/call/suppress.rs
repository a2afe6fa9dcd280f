//! Keeps those who were erased from being created again, and remembers them when they are.
//!
//! The list is looked at twice: before a call costs anything, and when it has paid, which may be long after. Whoever is erased
//! between that second look and the moment at which HubSpot receives the call is not kept away: an erasure puts its addresses on
//! the list, then waits for its own place and its own record, before it is sent.

mod addresses;
mod contact;
mod living;

use std::sync::Arc;

pub(super) use self::addresses::addresses_in;
use self::{contact::look_at, living::living};
use super::{Admitted, Call, Counted, Error, Next, Proven, Reply, Step};
use crate::{
    crm::{Ask, ObjectType, RecordKey},
    suppression::{Added, Suppression},
};

/// The step. Stands above whatever a call pays for: what is refused here was not sent.
#[derive(Debug)]
pub struct Suppress {
    suppression: Suppression,
}

impl Suppress {
    /// Those who were erased stand on this list.
    pub const fn new(suppression: Suppression) -> Self {
        Self { suppression }
    }
}

impl Step<Call<Proven>> for Suppress {
    type Out = Call<Proven>;

    async fn take(&self, call: Call<Proven>, next: &Next<Call<Proven>>) -> Result<Reply, Error> {
        if let Ask::EraseContact { key } = &call.ask {
            let key = key.clone();
            // Large, and rare: kept apart, so that what every call carries along stays small.
            return Box::pin(self.erase(call, key, next)).await;
        }
        if !writes_contacts(&call.ask) {
            return next.run(call).await;
        }
        let portal = call.authority.grant().portal().portal_id();
        match Box::pin(living(&self.suppression, portal, &call.ask)).await? {
            None => next.run(call).await,
            Some(living) => {
                let ask = call.ask.only(&living.places).ok_or(Error::WrongAnswer)?;
                living.among_all(next.run(Call { ask, ..call }).await?)
            }
        }
    }
}

/// The second look. Stands between what pays and what sends: a call may have waited for its place, or between two attempts, while
/// somebody was erased.
#[derive(Debug)]
pub struct StillSuppress {
    suppression: Suppression,
}

impl StillSuppress {
    /// Those who were erased stand on this list.
    pub const fn new(suppression: Suppression) -> Self {
        Self { suppression }
    }
}

impl Step<Admitted<Call<Counted>>> for StillSuppress {
    type Out = Admitted<Call<Counted>>;

    async fn take(
        &self,
        admitted: Admitted<Call<Counted>>,
        next: &Next<Admitted<Call<Counted>>>,
    ) -> Result<Reply, Error> {
        let call = admitted.call();
        if !writes_contacts(&call.ask) {
            return next.run(admitted).await;
        }
        let portal = call.authority.grant().portal().portal_id();
        match Box::pin(living(&self.suppression, portal, &call.ask)).await? {
            None => next.run(admitted).await,
            Some(living) => {
                let admitted = admitted.only(&living.places).ok_or(Error::WrongAnswer)?;
                living.among_all(next.run(admitted).await?)
            }
        }
    }
}

fn writes_contacts(ask: &Ask) -> bool {
    !ask.is_read() && ask.object_type() == ObjectType::contacts()
}

impl Suppress {
    /// Puts the contact's addresses on the list before it is erased: a contact that is gone cannot be asked for them.
    async fn erase(
        &self,
        mut call: Call<Proven>,
        key: Arc<RecordKey>,
        next: &Next<Call<Proven>>,
    ) -> Result<Reply, Error> {
        let contact = look_at(&mut call, &key, next).await?;
        let portal = call.authority.grant().portal().portal_id();
        let added = self
            .suppression
            .add(portal, &contact.known(), call.call_id)
            .await?;
        let result = next.run(call).await;
        match &result {
            Ok(_) => self.keep(&added).await,
            Err(error) if !may_have_happened(error) => self.take_back(&added).await,
            // They stay for as long as that is not known.
            Err(_) => {}
        }
        result
    }

    /// Who was erased is written no more. They are on the list already.
    async fn keep(&self, added: &Added) {
        if let Err(error) = self.suppression.keep(added).await {
            tracing::error!(%error, "addresses of an erased contact stay on the list as if its erasure had not ended");
        }
    }

    /// Who was not erased may be written.
    async fn take_back(&self, added: &Added) {
        if let Err(error) = self.suppression.take_back(added).await {
            tracing::error!(%error, "addresses stay on the list of erased contacts, and none was erased");
        }
    }
}

/// Whether HubSpot may have carried out what ended so.
fn may_have_happened(error: &Error) -> bool {
    error.reached_hubspot()
        && !matches!(
            error,
            Error::HubSpot {
                error: hubkeep_hubspot::Error::Refused(..),
                ..
            }
        )
}
