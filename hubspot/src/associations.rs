//! Associations: which records belong together, and how. They have a direction: a contact's primary company is of another
//! type (1) than a company's primary contact (2).
//!
//! In the older shape of paths they are v4; in the dated one they are like everything else.

pub mod batch;
mod kind;

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    answer::{Decoded, MayBeRecord},
    config::ApiVersion,
    objects::Page,
    path::Path,
    refusal::{RowRefusal, WireRow},
    request::{Ask, Bucket, Repeat},
    rows::{self, Answered, Row},
    wire::{self, JsonObject, Several, WireId, each},
};

pub use kind::{AssociationType, Category, Label};
use kind::{WireLabel, WireSpec};

/// The most associations on a page.
pub const MAX_PAGE: u32 = 500;

/// What a record that is made belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The id of the other record.
    pub to_id: String,
    /// How: from the new record to the other.
    pub types: Vec<AssociationType>,
}

impl Link {
    pub(crate) fn body(&self) -> Value {
        json!({ "to": { "id": self.to_id }, "types": specs(&self.types) })
    }
}

/// What a record is associated with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    /// The id of the other record.
    pub to_id: String,
    /// How: one without a label, and one for each label.
    pub labels: Vec<Label>,
}

/// A record, by its type and id.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// Its type, for example "contacts" or "2-123".
    pub object_type: &'a str,
    /// HubSpot's id.
    pub id: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAssociation {
    to_object_id: WireId,
    #[serde(default)]
    association_types: Several<WireLabel>,
}

impl From<WireAssociation> for Association {
    fn from(wire: WireAssociation) -> Self {
        Self {
            to_id: wire.to_object_id.0,
            labels: each(wire.association_types),
        }
    }
}

/// Reads a page of what a record is associated with, of one type. HubSpot gives at most [`MAX_PAGE`].
pub fn list(
    version: ApiVersion,
    from: Record<'_>,
    to_type: &str,
    limit: u32,
    after: Option<&str>,
) -> Ask<Page<Association>> {
    let mut query = vec![("limit", limit.to_string())];
    query.extend(after.map(|after| ("after", after.to_owned())));
    let path = Path::associations(version, from.object_type, from.id, to_type);
    Ask::get(path, wire::page_after::<WireAssociation, _>(after))
        .with_query(query)
        .from(Bucket::Associations)
}

/// Associates two records without a label. The labels that they have stay. The answer has the types from the first to the
/// second.
pub fn put_default(version: ApiVersion, from: Record<'_>, to: Record<'_>) -> Ask<Row<Vec<AssociationType>>> {
    let path = Path::default_association(version, (from.object_type, from.id), (to.object_type, to.id));
    let from_id = from.id.to_owned();
    Ask::get(path, move |body| associated(body, &from_id))
        .without_body(Repeat::SameState, Method::PUT)
        .from(Bucket::Associations)
}

/// Associates two records in these ways and no others: labels that they have and that are not named here are taken from them.
pub fn put_labels(
    version: ApiVersion,
    from: Record<'_>,
    to: Record<'_>,
    types: &[AssociationType],
) -> Ask<Vec<String>> {
    let path = Path::associations(version, from.object_type, from.id, to.object_type).then_id(to.id);
    Ask::get(path, labelled)
        .with_body(Repeat::SameState, Method::PUT, &specs(types))
        .from(Bucket::Associations)
}

/// Takes all associations between two records away.
pub fn remove(version: ApiVersion, from: Record<'_>, to: Record<'_>) -> Ask<()> {
    let path = Path::associations(version, from.object_type, from.id, to.object_type).then_id(to.id);
    Ask::delete(path, wire::nothing).from(Bucket::Associations)
}

/// Reads in which ways records of one type can be associated with records of another: HubSpot's own and the account's.
pub fn labels(version: ApiVersion, from_type: &str, to_type: &str) -> Ask<Vec<Label>> {
    let path = Path::associations_between(version, from_type, to_type).then("labels");
    Ask::get(path, wire::all::<WireLabel, _>).from(Bucket::Associations)
}

fn specs(types: &[AssociationType]) -> Value {
    types.iter().map(AssociationType::body).collect()
}

/// What two records became, as HubSpot says it of both directions.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDefault {
    from: JsonObject<WireRecord>,
    association_spec: JsonObject<WireSpec>,
}

#[derive(Deserialize)]
struct WireRecord {
    id: WireId,
}

fn associated(body: &[u8], from_id: &str) -> Result<Decoded<Row<Vec<AssociationType>>>, serde_json::Error> {
    let Answered { results, refusals } = rows::answered::<WireDefault>(body)?;
    let ours = results
        .into_iter()
        .filter(|WireDefault { from, .. }| from.0.id.0 == from_id);
    let types: Vec<AssociationType> = ours.map(|result| result.association_spec.0.into()).collect();
    let mut refused = refusals.into_iter().map(WireRow::into_refusal);
    let row = match (types.is_empty(), refused.next()) {
        (false, None) => Ok(types),
        (true, Some(refused)) => Err(refused),
        _ => Err(RowRefusal::Unknown),
    };
    Ok(Decoded {
        record_count: u32::from(row.is_ok()),
        standing: rows::standing(std::slice::from_ref(&row)),
        ..Decoded::one(row)
    })
}

#[derive(Deserialize)]
struct WireLabelled {
    #[serde(default)]
    labels: Option<Vec<String>>,
}

fn labelled(body: &[u8]) -> Result<Decoded<Vec<String>>, serde_json::Error> {
    let wire: WireLabelled = wire::object(body)?;
    Ok(Decoded::one(wire.labels.unwrap_or_default()))
}

impl MayBeRecord for Association {}

#[cfg(test)]
mod tests;
