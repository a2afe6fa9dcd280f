//! Many associations in one call, all from one type to another. The answer says of each input, in their order, what became of
//! it.

mod labels;

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Association, AssociationType, WireAssociation, WireRecord, WireSpec, specs};
use crate::{
    answer::Decoded,
    config::ApiVersion,
    objects::Page,
    path::Path,
    refusal::{RowRefusal, WireRow},
    request::{Ask, Bucket, Repeat},
    rows::{self, Answered, Rows, Sent, Told},
    wire::{self, JsonObject, Paging, Several, WireId, each},
};

pub use labels::archive_labels;
pub use rows::{BatchSize, Row};

/// The most records of which one call reads the associations.
pub const MAX_READ: usize = 1_000;
/// The most associations that one call makes.
pub const MAX_CREATE: usize = 2_000;
/// The most pairs that one call takes apart. HubSpot names no limit; this is the lower of those it names.
pub const MAX_ARCHIVE: usize = 1_000;
/// What HubSpot calls it that a record is associated with nothing.
const NONE_FOUND: &str = "NO_ASSOCIATIONS_FOUND";

/// Of which record the associations are read, and where its page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Of {
    /// HubSpot's id.
    pub id: String,
    /// What the page before named; `None` for the first.
    pub after: Option<String>,
}

/// Two records, by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The one of the first type.
    pub from_id: String,
    /// The one of the second.
    pub to_id: String,
}

/// Two records, and ways in which they are to belong together, or no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Which.
    pub pair: Pair,
    /// In which ways. Where they are to belong together, in these and no others: labels that are not named here are taken from
    /// them.
    pub types: Vec<AssociationType>,
}

/// Reads what each of these records is associated with, a page of each. One that is associated with nothing has an empty page;
/// HubSpot says the same of a record that does not exist.
///
/// # Errors
/// [`BatchSize`] if there are no records, or more than [`MAX_READ`].
pub fn read(
    version: ApiVersion,
    (from_type, to_type): (&str, &str),
    of: &[Of],
) -> Result<Ask<Vec<Row<Page<Association>>>>, BatchSize> {
    BatchSize::check(of.len(), MAX_READ)?;
    let inputs = of.iter().map(|of| match &of.after {
        Some(after) => json!({ "id": of.id, "after": after }),
        None => json!({ "id": of.id }),
    });
    let body = json!({ "inputs": inputs.collect::<Vec<_>>() });
    let key = |of: &Of| Sent {
        trace: None,
        key: Some(of.id.clone()),
    };
    let sent: Vec<Sent> = of.iter().map(key).collect();
    let path = path(version, from_type, to_type, "read");
    Ok(Ask::get(path, move |body| pages(body, &sent))
        .with_body(Repeat::Reads, Method::POST, &body)
        .from(Bucket::Associations))
}

/// Associates pairs of records. The answer has the labels of each pair.
///
/// # Errors
/// [`BatchSize`] if there are no pairs, or more than [`MAX_CREATE`].
pub fn create(
    version: ApiVersion,
    (from_type, to_type): (&str, &str),
    new: &[Labelled],
) -> Result<Ask<Vec<Row<Vec<String>>>>, BatchSize> {
    BatchSize::check(new.len(), MAX_CREATE)?;
    let body = json!({ "inputs": new.iter().map(with_types).collect::<Vec<_>>() });
    let pairs: Vec<Pair> = new.iter().map(|new| new.pair.clone()).collect();
    let path = path(version, from_type, to_type, "create");
    Ok(Ask::get(path, move |body| created(body, &pairs))
        .with_body(Repeat::SameState, Method::POST, &body)
        .from(Bucket::Associations))
}

/// Associates pairs of records without a label. The labels that they have stay. The answer has the types of each pair, from
/// the first record to the second. HubSpot tells both directions, and not which is which: where a pair and the same turned
/// round are in one call, what became of either is not known.
///
/// # Errors
/// [`BatchSize`] if there are no pairs, or more than [`MAX_CREATE`].
pub fn create_default(
    version: ApiVersion,
    (from_type, to_type): (&str, &str),
    pairs: &[Pair],
) -> Result<Ask<Vec<Row<Vec<AssociationType>>>>, BatchSize> {
    BatchSize::check(pairs.len(), MAX_CREATE)?;
    let input = |pair: &Pair| json!({ "from": { "id": pair.from_id }, "to": { "id": pair.to_id } });
    let body = json!({ "inputs": pairs.iter().map(input).collect::<Vec<Value>>() });
    let pairs = pairs.to_vec();
    let path = path(version, from_type, to_type, "associate").then("default");
    Ok(Ask::get(path, move |body| created_by_default(body, &pairs))
        .with_body(Repeat::SameState, Method::POST, &body)
        .from(Bucket::Associations))
}

/// Takes all associations between pairs of records away. HubSpot answers for all of them at once.
///
/// # Errors
/// [`BatchSize`] if there are no pairs, or more than [`MAX_ARCHIVE`].
pub fn archive(
    version: ApiVersion,
    (from_type, to_type): (&str, &str),
    pairs: &[Pair],
) -> Result<Ask<()>, BatchSize> {
    BatchSize::check(pairs.len(), MAX_ARCHIVE)?;
    let input = |pair: &Pair| json!({ "from": { "id": pair.from_id }, "to": [{ "id": pair.to_id }] });
    let body = json!({ "inputs": pairs.iter().map(input).collect::<Vec<Value>>() });
    let record_count = wire::count(pairs.len());
    let decode = move |body: &[u8]| {
        let Decoded { value, .. } = wire::nothing(body)?;
        Ok(Decoded {
            value,
            record_count,
            ..Decoded::one(())
        })
    };
    Ok(Ask::get(path(version, from_type, to_type, "archive"), decode)
        .with_body(Repeat::SameState, Method::POST, &body)
        .from(Bucket::Associations))
}

fn with_types(new: &Labelled) -> Value {
    json!({
        "from": { "id": new.pair.from_id },
        "to": { "id": new.pair.to_id },
        "types": specs(&new.types),
    })
}

fn path(version: ApiVersion, from_type: &str, to_type: &str, what: &str) -> Path {
    Path::associations_between(version, from_type, to_type)
        .then("batch")
        .then(what)
}

#[derive(Deserialize)]
struct WirePageOf {
    from: JsonObject<WireRecord>,
    #[serde(default)]
    to: Several<WireAssociation>,
    #[serde(default)]
    paging: Option<JsonObject<Paging>>,
}

fn pages(body: &[u8], sent: &[Sent]) -> Result<Decoded<Vec<Row<Page<Association>>>>, serde_json::Error> {
    let Answered { results, refusals } = rows::answered::<WirePageOf>(body)?;
    let told = results.into_iter().map(|wire| {
        let JsonObject(WireRecord { id }) = wire.from;
        Told {
            trace: None,
            key: Some(id.0),
            value: Page {
                items: each(wire.to),
                after: wire.paging.and_then(|JsonObject(paging)| paging.after()),
                total: None,
            },
        }
    });
    // That there is nothing is an answer, though HubSpot calls it an error.
    let (empty, refused): (Vec<WireRow>, Vec<WireRow>) = refusals
        .into_iter()
        .partition(|refusal| refusal.sub_category.ends_with(NONE_FOUND));
    let nothing = |id| Told {
        trace: None,
        key: Some(id),
        value: Page {
            items: Vec::new(),
            after: None,
            total: None,
        },
    };
    let empty = empty.iter().flat_map(from_ids).map(nothing);
    let refused = refused.into_iter().map(|refusal| {
        let ids = from_ids(&refusal);
        (refusal, ids)
    });
    let mut rows = Rows::of(sent);
    rows.place(told.chain(empty).collect(), refused.collect());
    rows.put_the_last_refusal_to_the_last();
    let value = rows.end(&RowRefusal::Unknown);
    let associated = value.iter().flatten().map(|page| page.items.len());
    Ok(Decoded {
        record_count: wire::count(associated.sum()),
        ..Decoded::rows(value, Vec::new())
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCreated {
    from_object_id: WireId,
    to_object_id: WireId,
    #[serde(default)]
    labels: Option<Vec<String>>,
}

fn created(body: &[u8], pairs: &[Pair]) -> Result<Decoded<Vec<Row<Vec<String>>>>, serde_json::Error> {
    let Answered { results, refusals } = rows::answered::<WireCreated>(body)?;
    let told = results.into_iter().map(|wire| Told {
        trace: None,
        key: Some(key(&wire.from_object_id.0, &wire.to_object_id.0)),
        value: wire.labels.unwrap_or_default(),
    });
    let refused = refusals.into_iter().map(|refusal| {
        let keys = keys_of(&refusal, pairs);
        (refusal, keys)
    });
    let sent = pairs.iter().map(|pair| Sent {
        trace: None,
        key: Some(key(&pair.from_id, &pair.to_id)),
    });
    let mut rows = Rows::of(&sent.collect::<Vec<_>>());
    rows.place(told.collect(), refused.collect());
    rows.put_the_last_refusal_to_the_last();
    let value = rows.end(&RowRefusal::Unknown);
    Ok(Decoded::rows(value, Vec::new()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCreatedByDefault {
    from: JsonObject<WireRecord>,
    to: JsonObject<WireRecord>,
    association_spec: JsonObject<WireSpec>,
}

fn created_by_default(
    body: &[u8],
    pairs: &[Pair],
) -> Result<Decoded<Vec<Row<Vec<AssociationType>>>>, serde_json::Error> {
    let Answered { results, refusals } = rows::answered::<WireCreatedByDefault>(body)?;
    // One pair may be told in several ways; the other direction is of no input.
    let mut types: BTreeMap<String, Vec<AssociationType>> = BTreeMap::new();
    for result in results {
        let key = key(&result.from.0.id.0, &result.to.0.id.0);
        types
            .entry(key)
            .or_default()
            .push(result.association_spec.0.into());
    }
    let keys: Vec<String> = pairs.iter().map(|pair| key(&pair.from_id, &pair.to_id)).collect();
    let known: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
    let told = keys.iter().zip(pairs).filter_map(|(own, pair)| {
        let turned = key(&pair.to_id, &pair.from_id);
        let is_plain = turned == *own || !known.contains(turned.as_str());
        Some(Told {
            trace: None,
            key: Some(own.clone()),
            value: types.get(own).filter(|_| is_plain)?.clone(),
        })
    });
    let refused = refusals.into_iter().map(|refusal| {
        let keys = keys_of(&refusal, pairs);
        (refusal, keys)
    });
    let sent = keys.iter().map(|key| Sent {
        trace: None,
        key: Some(key.clone()),
    });
    let mut rows = Rows::of(&sent.collect::<Vec<_>>());
    rows.place(told.collect(), refused.collect());
    rows.put_the_last_refusal_to_the_last();
    let value = rows.end(&RowRefusal::Unknown);
    Ok(Decoded::rows(value, Vec::new()))
}

fn key(from_id: &str, to_id: &str) -> String {
    format!("{from_id}>{to_id}")
}

fn from_ids(refusal: &WireRow) -> Vec<String> {
    refusal.words(&["fromObjectId", "ids", "id"])
}

/// The pairs that a refusal is about. HubSpot names one record of them, or both.
fn keys_of(refusal: &WireRow, pairs: &[Pair]) -> Vec<String> {
    let (from, to) = (refusal.words(&["fromObjectId"]), refusal.words(&["toObjectId"]));
    if from.is_empty() && to.is_empty() {
        return Vec::new();
    }
    let names = |names: &[String], id: &String| names.is_empty() || names.contains(id);
    let about = pairs
        .iter()
        .filter(|pair| names(&from, &pair.from_id) && names(&to, &pair.to_id));
    about.map(|pair| key(&pair.from_id, &pair.to_id)).collect()
}

#[cfg(test)]
mod tests;
