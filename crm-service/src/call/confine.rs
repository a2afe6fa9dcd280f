//! Keeps a call to the records that its grant covers, where that is limited by pipeline or owner.
//!
//! A search asks for nothing else; of what is read, what is outside is withheld; what is made must be inside; and what is
//! changed or archived is read first, as an attempt of its own. Between that read and the write somebody else may move the
//! record: HubSpot has no condition on writes that could forbid it.

use std::sync::{Arc, atomic::Ordering};

use hubkeep_hubspot::objects::Object;

use super::{Call, Cause, Error, Minimal, Next, Reply, Step};
use crate::{
    credentials::Grant,
    crm::{
        Answer, Ask, LimitedBy, ObjectType, PropertyName, PropertyNames, RecordId, RecordKey, Within, all_of,
        shown_of,
    },
};

/// Proof that the call touches no record that the grant does not cover. Only [`Confine`] makes it.
#[derive(Clone, Debug)]
pub struct Confined {
    minimal: Minimal,
}

impl Confined {
    pub(super) fn grant(&self) -> &Arc<Grant> {
        self.minimal.grant()
    }
}

/// The step. Stands below [`Minimize`](super::Minimize), which cuts out of the reply what was asked for here beside what
/// the grant covers; and above whatever a call pays for.
#[derive(Debug)]
pub struct Confine;

impl Step<Call<Minimal>> for Confine {
    type Out = Call<Confined>;

    async fn take(&self, call: Call<Minimal>, next: &Next<Call<Confined>>) -> Result<Reply, Error> {
        let minimal = call.authority.clone();
        let grant = minimal.grant().clone();
        let (object_type, bounds) = (call.ask.object_type(), grant.bounds());
        let call = call.by(Confined { minimal });
        let refused = |by: LimitedBy| Error::NotPermitted(Cause::record(&object_type, by));
        if bounds.are_none() {
            return next.run(call).await;
        }
        match &call.ask {
            Ask::GetOwner { id } => bounds.allow_owner(id).map_err(refused)?,
            Ask::ListOwners { .. } => bounds.allow_all_owners().map_err(refused)?,
            // It is asked of the account itself, and by a step further down.
            Ask::ReadAccount => {}
            Ask::GetObject { .. } | Ask::ListObjects { .. } | Ask::SearchObjects(_) => {
                let within = bounds.of(&object_type).map_err(refused)?;
                return read(call, &within, next).await;
            }
            Ask::CreateObject { values, .. } => {
                let within = bounds.of(&object_type).map_err(refused)?;
                let inside = within.hold_new(values);
                inside.map_err(|outside| Error::NotPermitted(Cause::values(&object_type, &outside)))?;
            }
            Ask::UpdateObject { .. } | Ask::ArchiveObject { .. } => {
                let within = bounds.of(&object_type).map_err(refused)?;
                // Large, and rare: kept apart, so that what every call carries along stays small.
                return Box::pin(change(call, &within, next)).await;
            }
        }
        next.run(call).await
    }
}

/// Reads what is inside: the properties that decide are asked for too, and shown only where they were wanted.
async fn read(
    mut call: Call<Confined>,
    within: &Within,
    next: &Next<Call<Confined>>,
) -> Result<Reply, Error> {
    let (object_type, deciding) = (call.ask.object_type(), within.deciding());
    let mut shown = PropertyNames::new();
    call.ask = call.ask.wanting(|wanted| {
        shown = shown_of(&object_type, wanted);
        all_of(&object_type, wanted, &deciding)
    });
    if let Ask::SearchObjects(search) = &call.ask {
        call.ask = Ask::SearchObjects(Arc::new(search.within(within)?));
    }
    let mut reply = next.run(call).await?;
    match &mut reply.answer {
        Answer::Object(object) => inside(&object_type, within, object)?,
        // The search is HubSpot's, and lags behind: what has left the bounds meanwhile is not given either.
        Answer::Objects(page) => page
            .items
            .retain(|object| within.hold(&object.properties).is_ok()),
        _ => return Err(Error::WrongAnswer),
    }
    let for_us = |name: &str| {
        let named = |property: &PropertyName| property.as_str() == name;
        deciding.iter().any(named) && !shown.iter().any(named)
    };
    reply.answer = reply.answer.keeping(|name| !for_us(name));
    Ok(reply)
}

/// Changes or archives a record that is inside, and stays there.
async fn change(
    mut call: Call<Confined>,
    within: &Within,
    next: &Next<Call<Confined>>,
) -> Result<Reply, Error> {
    let object_type = call.ask.object_type();
    if let Ask::UpdateObject { values, .. } = &call.ask {
        // What the values alone say costs nothing.
        let inside = within.hold_changed(values);
        inside.map_err(|outside| Error::NotPermitted(Cause::values(&object_type, &outside)))?;
    }
    let (Ask::UpdateObject { key, .. } | Ask::ArchiveObject { key }) = &call.ask else {
        return Err(Error::WrongAnswer);
    };
    let mut look = call.clone();
    look.aside = true;
    // A call that was redeemed anew meanwhile has looked before.
    look.attempt = call.made_aside.load(Ordering::Acquire).saturating_add(1);
    look.ask = Ask::GetObject {
        key: key.clone(),
        properties: Arc::new(within.deciding()),
        archived: false,
    };
    let reply = next.run(look).await?;
    call.made_aside.store(reply.attempts, Ordering::Release);
    let Answer::Object(found) = reply.answer else {
        return Err(Error::WrongAnswer);
    };
    inside(&object_type, within, &found)?;
    // By its own id from here on: another value may name another record a moment later.
    let found = RecordId::read(&found.id).map_err(|_| Error::WrongAnswer)?;
    call.ask = call.ask.to_record(Arc::new(RecordKey {
        object_type,
        id: found,
        id_property: None,
    }));
    call.attempt = reply.attempts.saturating_add(1);
    next.run(call).await
}

fn inside(object_type: &ObjectType, within: &Within, object: &Object) -> Result<(), Error> {
    let outside = within.hold(&object.properties);
    outside.map_err(|outside| Error::NotPermitted(Cause::record(object_type, outside.by)))
}
