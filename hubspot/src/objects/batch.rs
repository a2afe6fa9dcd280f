//! Up to a hundred records in one call. The answer says of each input, in their order, what became of it: the record, why
//! HubSpot refused it, or that HubSpot does not say.
//!
//! A write that HubSpot refuses as a whole changed nothing, and is a refusal like any other. So that it answers for each input
//! instead, every input carries a trace id.

mod likeness;

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use super::{Object, Wanted, WireObject, new_record, set};
use crate::{
    answer::{Decoded, MayBeRecord, ids},
    associations::Link,
    config::ApiVersion,
    path::Path,
    refusal::{RowRefusal, WireRow},
    request::{Ask, Repeat},
    rows::{self, Answered, Rows, Sent, Told},
    wire,
};

pub use rows::{BatchSize, Row};

/// The most inputs that one call takes.
pub const MAX_INPUTS: usize = 100;

/// The inputs in groups that one call takes.
pub fn chunks<T>(inputs: &[T]) -> impl ExactSizeIterator<Item = &[T]> {
    inputs.chunks(MAX_INPUTS)
}

/// A record to be. It has no `Debug`: its values may be personal data.
#[derive(Clone, Default)]
pub struct NewRecord {
    /// Its properties.
    pub properties: BTreeMap<String, String>,
    /// What it is associated with from its beginning.
    pub associations: Vec<Link>,
}

/// A change of a record. It has no `Debug`: its values may be personal data.
#[derive(Clone, Default)]
pub struct Change {
    /// Its id, or its value of the unique property that the batch goes by.
    pub id: String,
    /// The new values; an empty one clears a property.
    pub properties: BTreeMap<String, String>,
}

/// A record that was changed, or made where there was none.
#[derive(Clone, Debug, PartialEq)]
pub struct Upserted {
    /// The record.
    pub object: Object,
    /// Whether it is new; `None` if HubSpot does not say.
    pub new: Option<bool>,
}

/// Reads the records with these ids, or with these values of a unique property. A record that the answer does not have is
/// [`NotFound`](crate::RefusalKind::NotFound), as long as every record of the answer is one that was asked for; otherwise
/// [`RowRefusal::Unknown`]: HubSpot also finds contacts by a second address, and does not say that it did.
///
/// # Errors
/// [`BatchSize`] if there are no ids, or more than [`MAX_INPUTS`].
pub fn read(
    version: ApiVersion,
    object_type: &str,
    ids: &[String],
    id_property: Option<&str>,
    wanted: &Wanted<'_>,
) -> Result<Ask<Vec<Row<Object>>>, BatchSize> {
    BatchSize::check(ids.len(), MAX_INPUTS)?;
    let hidden = id_property.filter(|name| !wanted.properties.iter().any(|wanted| wanted == name));
    // Without the property by which it was found nobody could tell which record is which.
    let properties: Vec<&str> = wanted
        .properties
        .iter()
        .map(String::as_str)
        .chain(hidden)
        .collect();
    let inputs: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    let mut body = json!({
        "inputs": inputs,
        "properties": properties,
        "propertiesWithHistory": wanted.history,
    });
    set(&mut body, "idProperty", id_property.map(Value::from));
    let sent: Vec<Sent> = ids.iter().map(|id| sent(None, Some(id))).collect();
    let (found_by, hidden) = (id_property.map(str::to_owned), hidden.map(str::to_owned));
    let decode = move |body: &[u8]| {
        let mut rows = placed(body, &sent, found_by.as_deref(), |_, mut object| {
            if let Some(hidden) = &hidden {
                object.properties.remove(hidden);
            }
            object
        })?;
        rows.put_the_last_refusal_to_the_last();
        let unsaid = if rows.strays.is_empty() && rows.stray_refusals.is_empty() {
            RowRefusal::not_found()
        } else {
            RowRefusal::Unknown
        };
        Ok(ended(rows, &unsaid))
    };
    let query = wanted.archived.then(|| ("archived", "true".to_owned()));
    Ok(Ask::get(path(version, object_type, "read"), decode)
        .with_query(query.into_iter().collect())
        .with_body(Repeat::Reads, Method::POST, &body))
}

/// Creates records.
///
/// # Errors
/// [`BatchSize`] if there are none, or more than [`MAX_INPUTS`].
pub fn create(
    version: ApiVersion,
    object_type: &str,
    records: &[NewRecord],
) -> Result<Ask<Vec<Row<Object>>>, BatchSize> {
    BatchSize::check(records.len(), MAX_INPUTS)?;
    let inputs = records
        .iter()
        .map(|record| new_record(&record.properties, &record.associations));
    let body = traced(inputs);
    let sent: Vec<Sent> = (0..records.len()).map(|row| sent(Some(row), None)).collect();
    let values: Vec<_> = records.iter().map(|record| record.properties.clone()).collect();
    let decode = move |body: &[u8]| {
        let mut rows = placed(body, &sent, None, |_, object| object)?;
        likeness::place(&mut rows, &values, |object| &object.properties);
        rows.put_the_last_refusal_to_the_last();
        rows.put_the_last_result_to_the_last();
        Ok(ended(rows, &RowRefusal::Unknown))
    };
    Ok(Ask::get(path(version, object_type, "create"), decode).with_body(
        Repeat::ActsAgain,
        Method::POST,
        &body,
    ))
}

/// Changes records. Ids of records that were merged away are not found in a batch.
///
/// # Errors
/// [`BatchSize`] if there are no changes, or more than [`MAX_INPUTS`].
pub fn update(
    version: ApiVersion,
    object_type: &str,
    changes: &[Change],
    id_property: Option<&str>,
) -> Result<Ask<Vec<Row<Object>>>, BatchSize> {
    let decode = of_changes(changes, id_property, |_, object| object, |object| object);
    changing(version, object_type, "update", changes, id_property, decode)
}

/// Changes the records that have these values of a unique property, and makes those that do not exist. By `email` a contact
/// must be given as a whole.
///
/// # Errors
/// [`BatchSize`] if there are no changes, or more than [`MAX_INPUTS`].
pub fn upsert(
    version: ApiVersion,
    object_type: &str,
    changes: &[Change],
    id_property: &str,
) -> Result<Ask<Vec<Row<Upserted>>>, BatchSize> {
    let make = |new, object| Upserted { object, new };
    let decode = of_changes(changes, Some(id_property), make, |upserted| &upserted.object);
    changing(version, object_type, "upsert", changes, Some(id_property), decode)
}

/// Archives records. HubSpot answers for all of them at once, and ids that it does not know are archived too, for all it says.
///
/// # Errors
/// [`BatchSize`] if there are no ids, or more than [`MAX_INPUTS`].
pub fn archive(version: ApiVersion, object_type: &str, ids: &[String]) -> Result<Ask<()>, BatchSize> {
    BatchSize::check(ids.len(), MAX_INPUTS)?;
    let inputs: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    let (archived, record_count) = (ids.to_vec(), wire::count(ids.len()));
    let decode = move |body: &[u8]| {
        let Decoded { value, .. } = wire::nothing(body)?;
        Ok(Decoded {
            value,
            record_count,
            record_ids: archived.clone(),
            ..Decoded::one(())
        })
    };
    let body = json!({ "inputs": inputs });
    Ok(Ask::get(path(version, object_type, "archive"), decode).with_body(
        Repeat::SameState,
        Method::POST,
        &body,
    ))
}

fn path(version: ApiVersion, object_type: &str, what: &str) -> Path {
    Path::objects(version, object_type).then("batch").then(what)
}

fn changing<T>(
    version: ApiVersion,
    object_type: &str,
    what: &str,
    changes: &[Change],
    id_property: Option<&str>,
    decode: impl Fn(&[u8]) -> Result<Decoded<Vec<Row<T>>>, serde_json::Error> + Send + Sync + 'static,
) -> Result<Ask<Vec<Row<T>>>, BatchSize> {
    BatchSize::check(changes.len(), MAX_INPUTS)?;
    let inputs = changes.iter().map(|change| {
        let mut input = json!({ "id": change.id, "properties": change.properties });
        set(&mut input, "idProperty", id_property.map(Value::from));
        input
    });
    let body = traced(inputs);
    Ok(Ask::get(path(version, object_type, what), decode).with_body(Repeat::SameState, Method::POST, &body))
}

fn of_changes<T: Clone + PartialEq + MayBeRecord + 'static>(
    changes: &[Change],
    id_property: Option<&str>,
    make: impl Fn(Option<bool>, Object) -> T + Send + Sync + 'static,
    object: fn(&T) -> &Object,
) -> impl Fn(&[u8]) -> Result<Decoded<Vec<Row<T>>>, serde_json::Error> + Send + Sync + 'static {
    let each = changes.iter().enumerate();
    let sent: Vec<Sent> = each
        .map(|(row, change)| sent(Some(row), Some(&change.id)))
        .collect();
    let id_property = id_property.map(str::to_owned);
    let values: Vec<_> = changes.iter().map(|change| change.properties.clone()).collect();
    move |body| {
        let mut rows = placed(body, &sent, id_property.as_deref(), &make)?;
        rows.put_the_last_refusal_to_the_last();
        // A result without the property that it goes by may be of any input. One that has an id is of that id.
        if id_property.is_some() {
            likeness::place(&mut rows, &values, |value| &object(value).properties);
            rows.put_the_last_result_to_the_last();
        }
        Ok(ended(rows, &RowRefusal::Unknown))
    }
}

/// The inputs, each with its number for a trace id.
fn traced(inputs: impl Iterator<Item = Value>) -> Value {
    let inputs = inputs.enumerate().map(|(row, mut input)| {
        set(&mut input, "objectWriteTraceId", Some(trace(row).into()));
        input
    });
    json!({ "inputs": inputs.collect::<Vec<_>>() })
}

fn trace(row: usize) -> String {
    format!("row-{row}")
}

fn sent(row: Option<usize>, key: Option<&String>) -> Sent {
    Sent {
        trace: row.map(trace),
        key: key.cloned(),
    }
}

/// The answer, put to the inputs that it names.
fn placed<T: Clone + PartialEq>(
    body: &[u8],
    sent: &[Sent],
    id_property: Option<&str>,
    make: impl Fn(Option<bool>, Object) -> T,
) -> Result<Rows<T>, serde_json::Error> {
    let Answered { results, refusals } = rows::answered::<WireObject>(body)?;
    let told = results.into_iter().map(|mut wire| {
        let (trace, new) = (wire.object_write_trace_id.take(), wire.new);
        let object = Object::from(wire);
        let key = match id_property {
            Some(name) => object.properties.get(name).cloned(),
            None => Some(object.id.clone()),
        };
        Told {
            trace,
            key,
            value: make(new, object),
        }
    });
    let refusals = refusals.into_iter().map(|refusal| {
        let ids = refusal.words(&["ids", "id"]);
        (refusal, ids)
    });
    let mut rows = Rows::of(sent);
    rows.place(told.collect(), refusals.collect::<Vec<(WireRow, Vec<String>)>>());
    Ok(rows)
}

fn ended<T: Clone + PartialEq + MayBeRecord>(rows: Rows<T>, unsaid: &RowRefusal) -> Decoded<Vec<Row<T>>> {
    let value = rows.end(unsaid);
    let record_ids = ids(value.iter().flatten());
    Decoded::rows(value, record_ids)
}

impl MayBeRecord for Upserted {
    fn record_id(&self) -> Option<&str> {
        self.object.record_id()
    }
}

#[cfg(test)]
mod tests;
