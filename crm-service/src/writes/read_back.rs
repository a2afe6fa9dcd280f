//! What to ask HubSpot to learn what became of a write. Never the search, which lags behind.

mod many;
mod pairs;
mod pipeline;
mod property;
mod unique;

use std::{collections::BTreeSet, iter, sync::Arc};

use hubkeep_core::clock::Timestamp;
use hubkeep_hubspot::{
    associations::{Association, AssociationType, Label},
    objects::Object,
};

pub use unique::Unique;
use unique::value;

use super::verdict::{Found, Verdict, of_creation, of_record_in_the_way, of_values};
use crate::crm::{
    ASSOCIATION_PAGE, Answer, Ask, AssociationAsk, End, ObjectType, PropertyName, PropertyNames,
    PropertyValues, RecordId, RecordKey, Wanted,
};

/// The most records, and the most properties of each, of which HubSpot is asked for the history at once.
const WITH_HISTORY: usize = 50;
/// Pages of associations that are looked through.
const PAGES: usize = 20;
/// Where HubSpot says of which records one was made.
const MERGED: &str = "hs_merged_object_ids";
/// A contact's unique property, also where the account has defined none.
const EMAIL: &str = "email";

/// Asks HubSpot, the way of every call.
pub trait Look {
    /// Why there is no answer.
    type Error;

    /// What HubSpot answers; `None` where there is no such record.
    fn ask(&mut self, ask: Ask) -> impl Future<Output = Result<Option<Answer>, Self::Error>> + Send;
}

/// Reads back what became of a write that was begun at a time. `unique` is kept from one look to the next.
///
/// # Errors
/// With that of `look`.
pub async fn read_back<L: Look + Send>(
    ask: &Ask,
    begun: Timestamp,
    unique: &mut Unique,
    look: &mut L,
) -> Result<Verdict, L::Error> {
    match ask {
        Ask::UpdateObject { key, values } => updated(key, values, begun, look).await,
        Ask::CreateObject {
            object_type, values, ..
        } => created(object_type, values, begun, unique, look).await,
        Ask::ArchiveObject { key } => archived(key, look).await,
        Ask::MergeObjects {
            object_type,
            primary,
            merged,
        } => merge(object_type, primary, merged, look).await,
        Ask::Association(ask) => association(ask, look).await,
        Ask::Batch(batch) => many::batch(batch, begun, unique, look).await,
        Ask::Schema(ask) => property::schema(ask, begun, look).await,
        // HubSpot says of a contact that is gone neither when it went nor how.
        _ => Ok(Verdict::Open),
    }
}

/// What became of a creation that was begun at a time and taken for not done, when HubSpot refuses another because this record
/// is there: it is the one that was made then, or stands in the way of it.
///
/// # Errors
/// With that of `look`.
pub async fn in_the_way<L: Look + Send>(
    ask: &Ask,
    existing: &str,
    begun: Timestamp,
    look: &mut L,
) -> Result<Verdict, L::Error> {
    let (
        Ask::CreateObject {
            object_type, values, ..
        },
        Ok(id),
    ) = (ask, RecordId::read(existing))
    else {
        return Ok(Verdict::Open);
    };
    let key = RecordKey {
        object_type: object_type.clone(),
        id,
        id_property: None,
    };
    let wanted = with_history(values.keys().cloned().collect());
    let found = one(key, wanted, false, look).await?;
    Ok(match found {
        Some(object) if of_record_in_the_way(&object, values, begun) == Found::Done => {
            Verdict::done(Answer::Object(shown(object)))
        }
        _ => Verdict::Open,
    })
}

async fn one<L: Look>(
    key: RecordKey,
    wanted: Wanted,
    archived: bool,
    look: &mut L,
) -> Result<Option<Object>, L::Error> {
    let ask = Ask::GetObject {
        key: Arc::new(key),
        wanted: Arc::new(wanted),
        archived,
    };
    Ok(match look.ask(ask).await? {
        Some(Answer::Object(object)) => Some(object),
        _ => None,
    })
}

/// These properties, with their histories as far as HubSpot tells them.
fn with_history(names: PropertyNames) -> Wanted {
    Wanted {
        history: names.iter().take(WITH_HISTORY).cloned().collect(),
        ..Wanted::properties(names)
    }
}

/// The same, with the history of one of them in any case.
fn with_history_of(first: &PropertyName, names: PropertyNames) -> Wanted {
    let others = names.iter().filter(|name| *name != first);
    let history = iter::once(first).chain(others).take(WITH_HISTORY);
    Wanted {
        history: history.cloned().collect(),
        ..Wanted::properties(names)
    }
}

async fn updated<L: Look>(
    key: &RecordKey,
    values: &PropertyValues,
    begun: Timestamp,
    look: &mut L,
) -> Result<Verdict, L::Error> {
    let wanted = with_history(values.keys().cloned().collect());
    let found = one(key.clone(), wanted, false, look).await?;
    Ok(
        match found.map(|object| (of_values(&object, values, begun), object)) {
            Some((Found::Done, object)) => Verdict::done(Answer::Object(shown(object))),
            Some((Found::NotDone, _)) => Verdict::NotDone,
            // One that is not there may have gone since.
            Some((Found::Open, _)) | None => Verdict::Open,
        },
    )
}

/// A record as the answer to a write shows it.
fn shown(mut object: Object) -> Object {
    object.history.clear();
    object
}

async fn created<L: Look>(
    object_type: &ObjectType,
    values: &PropertyValues,
    begun: Timestamp,
    unique: &mut Unique,
    look: &mut L,
) -> Result<Verdict, L::Error> {
    let unique = unique.of(object_type, &[values], look).await?;
    let found = unique.and_then(|name| Some((value(&name, values)?, name)));
    let Some((id, unique)) = found else {
        return Ok(Verdict::Open);
    };
    let wanted = with_history_of(&unique, values.keys().cloned().collect());
    let object = match with_value(object_type, unique, id, wanted, look).await? {
        Some(Some(object)) => object,
        Some(None) => return Ok(Verdict::NotDone),
        None => return Ok(Verdict::Open),
    };
    Ok(match of_creation(&object, values, begun) {
        Found::Done => Verdict::done(Answer::Object(shown(object))),
        Found::NotDone => Verdict::NotDone,
        Found::Open => Verdict::Open,
    })
}

/// The record that has this value of a unique property; `Some(None)` if there is none, nothing where that is not told.
async fn with_value<L: Look>(
    object_type: &ObjectType,
    unique: PropertyName,
    value: RecordId,
    wanted: Wanted,
    look: &mut L,
) -> Result<Option<Option<Object>>, L::Error> {
    if !value.fits_path() {
        return many::with_value(object_type, &unique, value, wanted, look).await;
    }
    let key = RecordKey {
        object_type: object_type.clone(),
        id: value,
        id_property: Some(unique),
    };
    let mut found = one(key.clone(), wanted.clone(), false, look).await?;
    if found.is_none() {
        // It may have been made, and archived since.
        found = one(key, wanted, true, look).await?;
    }
    Ok(Some(found))
}

/// That a record is archived is what was wanted, whoever did it: HubSpot says the same to who archives it again.
async fn archived<L: Look>(key: &RecordKey, look: &mut L) -> Result<Verdict, L::Error> {
    let nothing = || Wanted::properties([PropertyName::known("hs_object_id")].into());
    if one(key.clone(), nothing(), false, look).await?.is_some() {
        return Ok(Verdict::NotDone);
    }
    let there = one(key.clone(), nothing(), true, look).await?;
    Ok(there.map_or(Verdict::Open, |_| Verdict::done(Answer::Done)))
}

async fn merge<L: Look>(
    object_type: &ObjectType,
    primary: &RecordId,
    merged: &RecordId,
    look: &mut L,
) -> Result<Verdict, L::Error> {
    let key = RecordKey {
        object_type: object_type.clone(),
        id: merged.clone(),
        id_property: None,
    };
    let wanted = Wanted::properties([PropertyName::known(MERGED)].into());
    // The id of a record that was merged leads to the one it is part of now.
    let Some(object) = one(key, wanted, false, look).await? else {
        return Ok(Verdict::Open);
    };
    if object.id == merged.as_str() {
        return Ok(Verdict::NotDone);
    }
    let parts = object.properties.get(MERGED).map_or("", String::as_str);
    let parts: BTreeSet<&str> = parts.split(';').map(str::trim).collect();
    let has = |id: &RecordId| object.id == id.as_str() || parts.contains(id.as_str());
    Ok(match has(primary) && has(merged) {
        true => Verdict::done(Answer::Object(object)),
        false => Verdict::Open,
    })
}

async fn association<L: Look>(ask: &AssociationAsk, look: &mut L) -> Result<Verdict, L::Error> {
    match ask {
        AssociationAsk::Create { end, to, kinds } => {
            let there = associated(end, to, look).await?;
            Ok(there.map_or(Verdict::Open, |there| has_kinds(there, kinds)))
        }
        AssociationAsk::Remove { end, to } => Ok(match associated(end, to, look).await? {
            Some(None) => Verdict::done(Answer::Done),
            Some(Some(_)) => Verdict::NotDone,
            None => Verdict::Open,
        }),
        AssociationAsk::CreateMany { between, pairs } => {
            let pairs = pairs.iter().map(|pair| (pair, &[][..])).collect();
            pairs::created(between, pairs, look).await
        }
        AssociationAsk::LabelMany { between, pairs } => {
            let pairs = pairs
                .iter()
                .map(|(pair, kinds)| (pair, kinds.as_slice()))
                .collect();
            pairs::created(between, pairs, look).await
        }
        AssociationAsk::RemoveMany { between, pairs } => pairs::removed(between, pairs, look).await,
        AssociationAsk::UnlabelMany { between, pairs } => pairs::unlabelled(between, pairs, look).await,
        AssociationAsk::List { .. } | AssociationAsk::ReadMany { .. } | AssociationAsk::Labels { .. } => {
            Ok(Verdict::Open)
        }
    }
}

/// Whether two records belong together in all these ways. Where somebody has added others since, it is not said that they do
/// not: they would be lost.
fn has_kinds(there: Option<Association>, kinds: &[AssociationType]) -> Verdict {
    let Some(there) = there else {
        return Verdict::NotDone;
    };
    let has = |kind: &AssociationType| there.labels.iter().any(|label| label.kind == *kind);
    let labelled = there.labels.iter().filter(|label| label.label.is_some());
    let only_ours = labelled.clone().all(|label| kinds.contains(&label.kind));
    if !kinds.iter().all(has) {
        return if only_ours {
            Verdict::NotDone
        } else {
            Verdict::Open
        };
    }
    let told = |kind: &AssociationType| Label {
        kind: kind.clone(),
        label: None,
    };
    let labels = match kinds.is_empty() {
        true => there.labels.clone(),
        false => kinds.iter().map(told).collect(),
    };
    Verdict::done(Answer::Labels(labels))
}

/// How two records belong together: `Some(None)` if they do not, `None` if there is too much to look through.
async fn associated<L: Look>(
    end: &End,
    to: &RecordId,
    look: &mut L,
) -> Result<Option<Option<Association>>, L::Error> {
    let mut after = None;
    for _ in 0..PAGES {
        let ask = Ask::Association(Arc::new(AssociationAsk::List {
            end: end.clone(),
            limit: ASSOCIATION_PAGE.most(),
            after,
        }));
        let Some(Answer::Associated(page)) = look.ask(ask).await? else {
            return Ok(None);
        };
        if let Some(found) = page.items.into_iter().find(|found| found.to_id == to.as_str()) {
            return Ok(Some(Some(found)));
        }
        match page.after {
            Some(next) => after = Some(next),
            None => return Ok(Some(None)),
        }
    }
    Ok(None)
}
