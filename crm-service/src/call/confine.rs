//! Keeps a call to the records that its grant covers, where that is limited by pipeline or owner.
//!
//! A search asks for nothing else; of what is read, what is outside is withheld; what is made must be inside; and what is
//! changed or archived is read first, as an attempt of its own. Between that read and the write somebody else may move the
//! record: HubSpot has no condition on writes that could forbid it.

mod many;

use std::sync::Arc;

use hubkeep_hubspot::objects::Object;

use super::{Call, Cause, Error, Held, Next, Reply, Step};
use crate::{
    credentials::Grant,
    crm::{
        Answer, Ask, LimitedBy, ObjectType, OwnerKey, PropertyName, PropertyNames, RecordId, RecordKey,
        Wanted, Within, all_of, shown_of,
    },
};

/// Proof that the call touches no record that the grant does not cover. Only [`Confine`] makes it.
#[derive(Clone, Debug)]
pub struct Confined {
    held: Held,
}

impl Confined {
    pub(super) fn grant(&self) -> &Arc<Grant> {
        self.held.grant()
    }
}

/// The step. Stands below [`Once`](super::Once), which lets go of what is refused here, and below
/// [`Minimize`](super::Minimize), which cuts out of the reply what was asked for here beside what
/// the grant covers; and above whatever a call pays for.
#[derive(Debug)]
pub struct Confine;

impl Step<Call<Held>> for Confine {
    type Out = Call<Confined>;

    async fn take(&self, call: Call<Held>, next: &Next<Call<Confined>>) -> Result<Reply, Error> {
        let held = call.authority.clone();
        let grant = held.grant().clone();
        let (object_type, bounds) = (call.ask.object_type(), grant.bounds());
        let call = call.by(Confined { held });
        let refused = |by: LimitedBy| Error::NotPermitted(Cause::record(&object_type, by));
        if bounds.are_none() {
            return next.run(call).await;
        }
        match &call.ask {
            Ask::GetOwner { key, .. } => match key {
                OwnerKey::Owner(id) => bounds.allow_owner(id).map_err(refused)?,
                OwnerKey::User(_) => return owner_of_user(call, next).await,
            },
            Ask::ListOwners { .. } => bounds.allow_all_owners().map_err(refused)?,
            // What it changes is of all records of a type.
            Ask::Schema(ask) if ask.writes() => bounds.allow_all_records().map_err(refused)?,
            // It is asked of the account itself, and by a step further down; or of no record at all.
            Ask::ReadAccount | Ask::Schema(_) => {}
            // Whose ids would be told, or written to, at the other end, nobody has looked at.
            ask if ask.has_associations() => {
                bounds.allow_all_records().map_err(refused)?;
            }
            Ask::Association(_) => {}
            Ask::Batch(batch) => {
                let (batch, within) = (batch.clone(), bounds.of(&object_type).map_err(refused)?);
                return Box::pin(many::confined(call, &batch, &within, next)).await;
            }
            Ask::MergeObjects { primary, merged, .. } => {
                let ids = vec![primary.clone(), merged.clone()];
                let within = bounds.of(&object_type).map_err(refused)?;
                return Box::pin(many::merged(call, ids, &within, next)).await;
            }
            Ask::GetObject { .. } | Ask::ListObjects { .. } | Ask::SearchObjects(_) => {
                let within = bounds.of(&object_type).map_err(refused)?;
                return read(call, &within, next).await;
            }
            Ask::CreateObject { values, .. } => {
                let within = bounds.of(&object_type).map_err(refused)?;
                let inside = within.hold_new(values);
                inside.map_err(|outside| Error::NotPermitted(Cause::values(&object_type, &outside)))?;
            }
            Ask::UpdateObject { .. } | Ask::ArchiveObject { .. } | Ask::EraseContact { .. } => {
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
    call.ask = call.ask.wanting(None, |wanted| {
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
    reply.answer = only_shown(reply.answer, &deciding, &shown);
    Ok(reply)
}

/// Reads the owner that a user is: which one that is, only the answer tells.
async fn owner_of_user(call: Call<Confined>, next: &Next<Call<Confined>>) -> Result<Reply, Error> {
    let grant = call.authority.grant().clone();
    let reply = next.run(call).await?;
    let Answer::Owner(owner) = &reply.answer else {
        return Err(Error::WrongAnswer);
    };
    let id = RecordId::read(&owner.id).map_err(|_| Error::WrongAnswer)?;
    let allowed = grant.bounds().allow_owner(&id);
    allowed.map_err(|by| Error::NotPermitted(Cause::record(&ObjectType::owners(), by)))?;
    Ok(reply)
}

/// The answer without what was asked for to decide, and not wanted.
fn only_shown(answer: Answer, deciding: &PropertyNames, shown: &PropertyNames) -> Answer {
    let for_us = |name: &str| {
        let named = |property: &PropertyName| property.as_str() == name;
        deciding.iter().any(named) && !shown.iter().any(named)
    };
    answer.keeping(|name| !for_us(name))
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
    let (Ask::UpdateObject { key, .. } | Ask::ArchiveObject { key } | Ask::EraseContact { key }) = &call.ask
    else {
        return Err(Error::WrongAnswer);
    };
    let look = Ask::GetObject {
        key: key.clone(),
        wanted: Arc::new(Wanted::properties(within.deciding())),
        archived: false,
    };
    let Answer::Object(found) = call.ask_aside(look, next).await? else {
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
    next.run(call).await
}

fn inside(object_type: &ObjectType, within: &Within, object: &Object) -> Result<(), Error> {
    let outside = within.hold(&object.properties);
    outside.map_err(|outside| Error::NotPermitted(Cause::record(object_type, outside.by)))
}
