//! Records of the CRM: what can be asked, and how the answers read.
//!
//! | module | holds |
//! |---|---|
//! | this one | one record, or a page of them |
//! | [`batch`] | up to a hundred at once, each with an answer of its own |
//! | `search` | what a search says |
//! | `record` | what a record says |

pub mod batch;
mod record;
mod search;

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use crate::{
    associations::Link,
    config::ApiVersion,
    path::Path,
    request::{Ask, Bucket, Repeat},
    wire,
};

pub(crate) use record::WireObject;
pub use record::{AssociatedId, Object, PastValue};
pub use search::{Filter, Search};

/// Some of many.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last.
    pub after: Option<String>,
    /// How many there are in all, where HubSpot counts.
    pub total: Option<i64>,
}

/// Which record. It has no `Debug`: an e-mail address may stand in it.
#[derive(Clone)]
pub struct Key<'a> {
    /// Its type.
    pub object_type: &'a str,
    /// Its id, or a value of `id_property`.
    pub id: &'a str,
    /// A unique property; `None` for HubSpot's own id.
    pub id_property: Option<&'a str>,
}

impl Key<'_> {
    fn path(&self, version: ApiVersion) -> Path {
        Path::objects(version, self.object_type).then_id(self.id)
    }

    fn query(&self) -> Vec<(&'static str, String)> {
        self.id_property
            .map(|name| ("idProperty", name.to_owned()))
            .into_iter()
            .collect()
    }
}

/// What is wanted of each record.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// The properties; none for HubSpot's default ones. Names that HubSpot does not know are left out of the answer.
    pub properties: &'a [String],
    /// The properties of which the past values are wanted too. With them a page holds fewer records than its limit says, and a
    /// batch takes fewer: HubSpot does not say how many; 50 are reported to pass.
    pub history: &'a [String],
    /// Archived records, and no others.
    pub archived: bool,
}

impl Wanted<'_> {
    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        add_names(&mut query, "properties", self.properties);
        add_names(&mut query, "propertiesWithHistory", self.history);
        if self.archived {
            query.push(("archived", "true".to_owned()));
        }
        query
    }
}

/// Reads one record.
pub fn get(version: ApiVersion, key: &Key<'_>, properties: &[String], archived: bool) -> Ask<Object> {
    let wanted = Wanted {
        properties,
        archived,
        ..Wanted::default()
    };
    get_with(version, key, &wanted, &[])
}

/// Reads one record, and the ids of what it is associated with, of these types.
pub fn get_with(
    version: ApiVersion,
    key: &Key<'_>,
    wanted: &Wanted<'_>,
    associations: &[String],
) -> Ask<Object> {
    let mut query = key.query();
    query.extend(wanted.query());
    add_names(&mut query, "associations", associations);
    Ask::get(key.path(version), wire::one::<WireObject, _>).with_query(query)
}

/// Reads a page of the records of a type. HubSpot gives at most 100.
pub fn list(
    version: ApiVersion,
    object_type: &str,
    properties: &[String],
    limit: u32,
    after: Option<&str>,
    archived: bool,
) -> Ask<Page<Object>> {
    let wanted = Wanted {
        properties,
        archived,
        ..Wanted::default()
    };
    list_with(version, object_type, &wanted, &[], limit, after)
}

/// Reads a page of the records of a type, and the ids of what each is associated with, of these types.
pub fn list_with(
    version: ApiVersion,
    object_type: &str,
    wanted: &Wanted<'_>,
    associations: &[String],
    limit: u32,
    after: Option<&str>,
) -> Ask<Page<Object>> {
    let mut query = vec![("limit", limit.to_string())];
    query.extend(after.map(|after| ("after", after.to_owned())));
    query.extend(wanted.query());
    add_names(&mut query, "associations", associations);
    let page = wire::page_after::<WireObject, _>(after);
    Ask::get(Path::objects(version, object_type), page).with_query(query)
}

/// Finds records. `search` is the body as HubSpot takes it; see [`Search`].
pub fn search(version: ApiVersion, object_type: &str, search: &Search) -> Ask<Page<Object>> {
    let path = Path::objects(version, object_type).then("search");
    Ask::get(path, wire::page_after::<WireObject, _>(search.after.as_deref()))
        .with_body(Repeat::Reads, Method::POST, &search.body())
        .from(Bucket::Search)
}

/// Creates a record.
pub fn create(version: ApiVersion, object_type: &str, properties: &BTreeMap<String, String>) -> Ask<Object> {
    create_with(version, object_type, properties, &[])
}

/// Creates a record that is associated with others from its beginning.
pub fn create_with(
    version: ApiVersion,
    object_type: &str,
    properties: &BTreeMap<String, String>,
    associations: &[Link],
) -> Ask<Object> {
    let body = new_record(properties, associations);
    Ask::get(Path::objects(version, object_type), wire::one::<WireObject, _>).with_body(
        Repeat::ActsAgain,
        Method::POST,
        &body,
    )
}

/// Changes a record. An empty value clears a property.
pub fn update(version: ApiVersion, key: &Key<'_>, properties: &BTreeMap<String, String>) -> Ask<Object> {
    let body = json!({ "properties": properties });
    Ask::get(key.path(version), wire::one::<WireObject, _>)
        .with_query(key.query())
        .with_body(Repeat::SameState, Method::PATCH, &body)
}

/// Archives a record. HubSpot keeps it for 90 days, and lets people restore it, but no API.
pub fn archive(version: ApiVersion, key: &Key<'_>) -> Ask<()> {
    Ask::delete(key.path(version), wire::nothing)
}

/// Merges the second record into the first, for good. The answer is the record that is left; its id may be a new one.
pub fn merge(version: ApiVersion, object_type: &str, kept_id: &str, merged_id: &str) -> Ask<Object> {
    let body = json!({ "primaryObjectId": kept_id, "objectIdToMerge": merged_id });
    let path = Path::objects(version, object_type).then("merge");
    Ask::get(path, wire::one::<WireObject, _>).with_body(Repeat::ActsAgain, Method::POST, &body)
}

/// Has HubSpot erase a record and what it knows of the person, within 30 days and for good. HubSpot does so for contacts. An
/// e-mail address that it does not know is put on its block list, and is refused from then on.
pub fn gdpr_delete(version: ApiVersion, key: &Key<'_>) -> Ask<()> {
    let mut body = json!({ "objectId": key.id });
    set(&mut body, "idProperty", key.id_property.map(Value::from));
    let path = Path::objects(version, key.object_type).then("gdpr-delete");
    Ask::get(path, wire::nothing).with_body(Repeat::SameState, Method::POST, &body)
}

/// A record to be, as HubSpot takes it.
fn new_record(properties: &BTreeMap<String, String>, associations: &[Link]) -> Value {
    let mut body = json!({ "properties": properties });
    let links = associations.iter().map(Link::body).collect::<Vec<_>>();
    set(
        &mut body,
        "associations",
        (!links.is_empty()).then(|| Value::from(links)),
    );
    body
}

fn set(body: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(fields), Some(value)) = (body.as_object_mut(), value) {
        fields.insert(key.to_owned(), value);
    }
}

fn add_names(query: &mut Vec<(&'static str, String)>, key: &'static str, names: &[String]) {
    if !names.is_empty() {
        query.push((key, names.join(",")));
    }
}

#[cfg(test)]
mod tests;
