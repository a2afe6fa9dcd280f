//! What became of a batch. It is one call, and is judged as one: done if all of it is, not done if nothing of it is.

use std::sync::Arc;

use hubkeep_core::clock::Timestamp;
use hubkeep_hubspot::{RefusalKind, RowRefusal, objects::Object};

use super::{
    super::verdict::{Found, Verdict, of_creation, of_values, was_made_with},
    Look, Unique, WITH_HISTORY, shown, value, with_history, with_history_of,
};
use crate::crm::{
    Answer, Ask, Batch, BatchWork, Done, ObjectType, PropertyName, PropertyValues, RecordId, RowError, Wanted,
};

/// Reads back what became of a batch.
///
/// # Errors
/// With that of `look`.
pub(super) async fn batch<L: Look>(
    batch: &Batch,
    begun: Timestamp,
    unique: &mut Unique,
    look: &mut L,
) -> Result<Verdict, L::Error> {
    match &batch.work {
        BatchWork::Update { changes, id_property } => {
            let by = id_property.as_ref();
            let judged = changed(batch, changes, by, begun, look).await?;
            Ok(of_all(judged, Found::Open))
        }
        BatchWork::Upsert { changes, id_property } => {
            let judged = changed(batch, changes, Some(id_property), begun, look).await?;
            // What is not there was to be made, and was not.
            Ok(of_all(judged, Found::NotDone))
        }
        BatchWork::Create(inputs) => {
            let all: Vec<&PropertyValues> = inputs.iter().map(|input| &input.values).collect();
            let Some(unique) = unique.of(&batch.object_type, &all, look).await? else {
                return Ok(Verdict::Open);
            };
            let ids = all.iter().map(|values| value(&unique, values));
            let Some(ids) = ids.collect::<Option<Vec<_>>>() else {
                return Ok(Verdict::Open);
            };
            let names = all.iter().flat_map(|values| values.keys()).cloned().collect();
            let read = Reading {
                wanted: with_history_of(&unique, names),
                id_property: Some(unique.clone()),
                archived: false,
            };
            let rows = rows_with_archived(&batch.object_type, ids, read, look).await?;
            let judged = |(row, values): (Option<Object>, &PropertyValues)| {
                let found = row.as_ref().map(|object| of_creation(object, values, begun));
                (found, row, true)
            };
            let judged = rows.map(|rows| rows.into_iter().zip(all).map(judged).collect());
            Ok(of_all(judged, Found::NotDone))
        }
        BatchWork::Archive(ids) => gone(batch, ids, look).await,
        BatchWork::Read { .. } => Ok(Verdict::Open),
    }
}

/// What was found of an input, the record, and whether it is new.
type Judged = (Option<Found>, Option<Object>, bool);

async fn changed<L: Look>(
    batch: &Batch,
    changes: &[(RecordId, PropertyValues)],
    id_property: Option<&PropertyName>,
    begun: Timestamp,
    look: &mut L,
) -> Result<Option<Vec<Judged>>, L::Error> {
    let names = changes.iter().flat_map(|(_, values)| values.keys()).cloned();
    let read = Reading {
        wanted: with_history(names.collect()),
        id_property: id_property.cloned(),
        archived: false,
    };
    let ids = changes.iter().map(|(id, _)| id.clone()).collect();
    let Some(rows) = rows(&batch.object_type, ids, &read, look).await? else {
        return Ok(None);
    };
    let judged = rows.into_iter().zip(changes).map(|(row, (_, values))| {
        let found = row.as_ref().map(|object| of_values(object, values, begun));
        let new = row
            .as_ref()
            .is_some_and(|object| was_made_with(object, values, begun));
        (found, row, new)
    });
    Ok(Some(judged.collect()))
}

/// One verdict over all inputs of a batch: it is one call, and is not taken apart. `missing` is that of a record that is not
/// there.
fn of_all(judged: Option<Vec<Judged>>, missing: Found) -> Verdict {
    let Some(judged) = judged else {
        return Verdict::Open;
    };
    let found = |judged: &Judged| judged.0.unwrap_or(missing);
    if judged.iter().all(|one| found(one) == Found::NotDone) {
        return Verdict::NotDone;
    }
    if !judged.iter().all(|one| found(one) == Found::Done) {
        return Verdict::Open;
    }
    let rows = judged.into_iter().filter_map(|(_, object, created)| {
        Some(Ok(Done {
            object: shown(object?),
            created,
        }))
    });
    Verdict::done(Answer::Rows(rows.collect()))
}

async fn gone<L: Look>(batch: &Batch, ids: &[RecordId], look: &mut L) -> Result<Verdict, L::Error> {
    let mut read = Reading {
        wanted: Wanted::properties([PropertyName::known("hs_object_id")].into()),
        id_property: None,
        archived: false,
    };
    let Some(there) = rows(&batch.object_type, ids.to_vec(), &read, look).await? else {
        return Ok(Verdict::Open);
    };
    if there.iter().all(Option::is_some) {
        return Ok(Verdict::NotDone);
    }
    if there.iter().any(Option::is_some) {
        return Ok(Verdict::Open);
    }
    read.archived = true;
    let gone = rows(&batch.object_type, ids.to_vec(), &read, look).await?;
    let gone: Option<Vec<Object>> = gone.and_then(|gone| gone.into_iter().collect());
    let done = |object: Object| {
        Ok(Done::from(Object {
            archived: true,
            id: object.id,
            ..Object::default()
        }))
    };
    Ok(gone.map_or(Verdict::Open, |gone| {
        Verdict::done(Answer::Rows(gone.into_iter().map(done).collect()))
    }))
}

/// How the records of a batch are read back.
struct Reading {
    wanted: Wanted,
    id_property: Option<PropertyName>,
    archived: bool,
}

/// The record that has this value of a unique property, also among the archived; `Some(None)` if there is none, nothing where that
/// is not told.
pub(super) async fn with_value<L: Look>(
    object_type: &ObjectType,
    unique: &PropertyName,
    value: RecordId,
    wanted: Wanted,
    look: &mut L,
) -> Result<Option<Option<Object>>, L::Error> {
    let read = Reading {
        wanted,
        id_property: Some(unique.clone()),
        archived: false,
    };
    let rows = rows_with_archived(object_type, vec![value], read, look).await?;
    Ok(rows.and_then(|rows| rows.into_iter().next()))
}

/// The same, with those that were archived since in the places where there is none.
async fn rows_with_archived<L: Look>(
    object_type: &ObjectType,
    ids: Vec<RecordId>,
    mut read: Reading,
    look: &mut L,
) -> Result<Option<Vec<Option<Object>>>, L::Error> {
    let Some(mut all) = rows(object_type, ids.clone(), &read, look).await? else {
        return Ok(None);
    };
    let missing: Vec<usize> = (0..)
        .zip(&all)
        .filter_map(|(place, row)| row.is_none().then_some(place))
        .collect();
    if missing.is_empty() {
        return Ok(Some(all));
    }
    read.archived = true;
    let ids = missing
        .iter()
        .filter_map(|place| ids.get(*place).cloned())
        .collect();
    let Some(archived) = rows(object_type, ids, &read, look).await? else {
        return Ok(None);
    };
    for (place, row) in missing.into_iter().zip(archived) {
        if let Some(slot) = all.get_mut(place) {
            *slot = row;
        }
    }
    Ok(Some(all))
}

/// Each record, or `None` where there is none, in the order of the ids; nothing where that is not told of each.
async fn rows<L: Look>(
    object_type: &ObjectType,
    ids: Vec<RecordId>,
    read: &Reading,
    look: &mut L,
) -> Result<Option<Vec<Option<Object>>>, L::Error> {
    let mut all = Vec::with_capacity(ids.len());
    for some in ids.chunks(WITH_HISTORY) {
        let ask = Ask::Batch(Arc::new(Batch {
            object_type: object_type.clone(),
            work: BatchWork::Read {
                ids: some.to_vec(),
                id_property: read.id_property.clone(),
                wanted: read.wanted.clone(),
                archived: read.archived,
            },
        }));
        let Some(Answer::Rows(rows)) = look.ask(ask).await? else {
            return Ok(None);
        };
        for row in rows {
            match row {
                Ok(done) => all.push(Some(done.object)),
                Err(error) if is_missing(&error) => all.push(None),
                Err(_) => return Ok(None),
            }
        }
    }
    Ok(Some(all))
}

fn is_missing(error: &RowError) -> bool {
    matches!(error, RowError::HubSpot(RowRefusal::Refused(refusal)) if refusal.kind == RefusalKind::NotFound)
}
