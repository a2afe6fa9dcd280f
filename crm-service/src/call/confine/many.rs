//! Keeps a call about many records to those that its grant covers: what is read is withheld one by one; of what is written,
//! one outside is enough to refuse all.

use std::sync::Arc;

use hubkeep_hubspot::objects::Object;

use super::{Confined, inside, only_shown};
use crate::{
    call::{Call, Cause, Error, Next, Reply},
    crm::{
        Answer, Ask, Batch, BatchWork, Done, ObjectType, PropertyName, PropertyNames, PropertyValues,
        RecordId, RowError, Wanted, Within, all_of, shown_of,
    },
};

/// Carries out a batch within bounds.
pub(super) async fn confined(
    mut call: Call<Confined>,
    batch: &Batch,
    within: &Within,
    next: &Next<Call<Confined>>,
) -> Result<Reply, Error> {
    let object_type = &batch.object_type;
    let outside = |outside| Error::NotPermitted(Cause::values(object_type, &outside));
    let work = match &batch.work {
        BatchWork::Read { .. } => return read(call, object_type, within, next).await,
        BatchWork::Create(inputs) => {
            for input in inputs {
                within.hold_new(&input.values).map_err(outside)?;
            }
            return next.run(call).await;
        }
        // Which of them are there, and so which would be new, is known only when it is done.
        BatchWork::Upsert { .. } => return Err(Error::NotPermitted(Cause::record(object_type, within.by()))),
        BatchWork::Update { changes, id_property } => {
            for (_, values) in changes {
                within.hold_changed(values).map_err(outside)?;
            }
            let ids = changes.iter().map(|(id, _)| id.clone()).collect();
            let found = look_at(&mut call, object_type, ids, id_property.as_ref(), within, next).await?;
            let values = changes.iter().map(|(_, values)| PropertyValues::clone(values));
            BatchWork::Update {
                changes: found.into_iter().zip(values).collect(),
                id_property: None,
            }
        }
        BatchWork::Archive(ids) => {
            let found = look_at(&mut call, object_type, ids.clone(), None, within, next).await?;
            BatchWork::Archive(found)
        }
    };
    call.ask = Ask::Batch(Arc::new(Batch {
        object_type: object_type.clone(),
        work,
    }));
    next.run(call).await
}

/// Merges two records that are both inside.
pub(super) async fn merged(
    mut call: Call<Confined>,
    ids: Vec<RecordId>,
    within: &Within,
    next: &Next<Call<Confined>>,
) -> Result<Reply, Error> {
    let object_type = call.ask.object_type();
    look_at(&mut call, &object_type, ids, None, within, next).await?;
    next.run(call).await
}

/// Reads what is inside, and withholds the rest.
async fn read(
    mut call: Call<Confined>,
    object_type: &ObjectType,
    within: &Within,
    next: &Next<Call<Confined>>,
) -> Result<Reply, Error> {
    let deciding = within.deciding();
    let mut shown = PropertyNames::new();
    call.ask = call.ask.wanting(None, |wanted| {
        shown = shown_of(object_type, wanted);
        all_of(object_type, wanted, &deciding)
    });
    let mut reply = next.run(call).await?;
    let Answer::Rows(rows) = &mut reply.answer else {
        return Err(Error::WrongAnswer);
    };
    for row in rows.iter_mut() {
        if let Ok(done) = row
            && let Err(outside) = within.hold(&done.object.properties)
        {
            *row = Err(RowError::NotAllowed(outside.by));
        }
    }
    reply.answer = only_shown(reply.answer, &deciding, &shown);
    Ok(reply)
}

/// The records' own ids, if all of them are there and inside.
async fn look_at(
    call: &mut Call<Confined>,
    object_type: &ObjectType,
    ids: Vec<RecordId>,
    id_property: Option<&PropertyName>,
    within: &Within,
    next: &Next<Call<Confined>>,
) -> Result<Vec<RecordId>, Error> {
    let look = Ask::Batch(Arc::new(Batch {
        object_type: object_type.clone(),
        work: BatchWork::Read {
            ids,
            id_property: id_property.cloned(),
            wanted: Wanted::properties(within.deciding()),
            archived: false,
        },
    }));
    let Answer::Rows(rows) = call.ask_aside(look, next).await? else {
        return Err(Error::WrongAnswer);
    };
    let own_id = |object: &Object| {
        inside(object_type, within, object)?;
        // By its own id from here on: another value may name another record a moment later.
        RecordId::read(&object.id).map_err(|_| Error::WrongAnswer)
    };
    rows.into_iter()
        .map(|row| match row {
            Ok(Done { object, .. }) => own_id(&object),
            // Of one that is not there nobody knows whether it is inside.
            Err(_) => Err(Error::NotPermitted(Cause::record(object_type, within.by()))),
        })
        .collect()
}
