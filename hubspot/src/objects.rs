//! Records of the CRM: what can be asked, and how the answers read.

use std::collections::BTreeMap;

use http::Method;
use hubkeep_core::clock::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    answer::Decoded,
    config::ApiVersion,
    path::Path,
    request::{Ask, Effect},
    wire::{self, WireId, WirePage, count, time},
};

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// HubSpot's id.
    pub id: String,
    /// The properties that have a value.
    pub properties: BTreeMap<String, String>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
    /// Whether it is archived.
    pub archived: bool,
}

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireObject {
    id: WireId,
    #[serde(default)]
    properties: BTreeMap<String, Option<String>>,
    created_at: Option<String>,
    updated_at: Option<String>,
    #[serde(default)]
    archived: bool,
}

impl From<WireObject> for Object {
    fn from(wire: WireObject) -> Self {
        let properties = wire
            .properties
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        Self {
            id: wire.id.0,
            properties: properties.collect(),
            created: time(wire.created_at.as_ref()),
            updated: time(wire.updated_at.as_ref()),
            archived: wire.archived,
        }
    }
}

fn one(body: &[u8]) -> Result<Decoded<Object>, serde_json::Error> {
    let wire: WireObject = wire::object(body)?;
    Ok(Decoded::one(wire.into()))
}

fn page(body: &[u8]) -> Result<Decoded<Page<Object>>, serde_json::Error> {
    let wire: WirePage<WireObject> = wire::object(body)?;
    let (after, total) = (wire.after(), wire.total);
    let items: Vec<Object> = wire.results().map(Object::from).collect();
    Ok(Decoded {
        record_count: count(items.len()),
        value: Page { items, after, total },
    })
}

/// A 204, or whatever comes with it.
fn nothing(_body: &[u8]) -> Result<Decoded<()>, serde_json::Error> {
    Ok(Decoded::one(()))
}

/// Which record.
#[derive(Clone, Debug)]
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

/// Reads one record.
pub fn get(version: ApiVersion, key: &Key<'_>, properties: &[String], archived: bool) -> Ask<Object> {
    let mut query = key.query();
    add_properties(&mut query, properties);
    add_archived(&mut query, archived);
    Ask::get(key.path(version), one).with_query(query)
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
    let mut query = vec![("limit", limit.to_string())];
    if let Some(after) = after {
        query.push(("after", after.to_owned()));
    }
    add_properties(&mut query, properties);
    add_archived(&mut query, archived);
    Ask::get(Path::objects(version, object_type), page).with_query(query)
}

/// Finds records. `search` is the body as HubSpot takes it; see [`Search`].
pub fn search(version: ApiVersion, object_type: &str, search: &Search) -> Ask<Page<Object>> {
    let path = Path::objects(version, object_type).then("search");
    Ask::get(path, page).with_body(Effect::Read, Method::POST, &search.body())
}

/// Creates a record.
pub fn create(version: ApiVersion, object_type: &str, properties: &BTreeMap<String, String>) -> Ask<Object> {
    let body = json!({ "properties": properties });
    Ask::get(Path::objects(version, object_type), one).with_body(Effect::Write, Method::POST, &body)
}

/// Changes a record.
pub fn update(version: ApiVersion, key: &Key<'_>, properties: &BTreeMap<String, String>) -> Ask<Object> {
    let body = json!({ "properties": properties });
    Ask::get(key.path(version), one)
        .with_query(key.query())
        .with_body(Effect::Write, Method::PATCH, &body)
}

/// Archives a record.
pub fn archive(version: ApiVersion, key: &Key<'_>) -> Ask<()> {
    Ask {
        effect: Effect::Write,
        method: Method::DELETE,
        ..Ask::get(key.path(version), nothing)
    }
}

/// A search, in HubSpot's own words.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Groups of conditions: any group, all of its conditions.
    pub filter_groups: Vec<Vec<Filter>>,
    /// Words to look for.
    pub query: Option<String>,
    /// The properties wanted; none for HubSpot's default ones.
    pub properties: Vec<String>,
    /// Property, and whether the largest comes first.
    pub sort: Option<(String, bool)>,
    /// At most this many, up to 200.
    pub limit: u32,
    /// Where the page begins.
    pub after: Option<String>,
}

/// One condition of a search.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The property.
    pub property: String,
    /// HubSpot's operator: "EQ", "BETWEEN", …
    pub operator: &'static str,
    /// The value, for operators that take one.
    pub value: Option<String>,
    /// The upper end of BETWEEN.
    pub high_value: Option<String>,
    /// The values of IN and NOT_IN.
    pub values: Option<Vec<String>>,
}

impl Search {
    /// The body that is sent.
    pub fn body(&self) -> Value {
        let groups = self
            .filter_groups
            .iter()
            .map(|group| json!({ "filters": group.iter().map(Filter::body).collect::<Vec<_>>() }));
        let mut body = json!({ "filterGroups": groups.collect::<Vec<_>>(), "limit": self.limit });
        set(&mut body, "query", self.query.clone().map(Value::from));
        set(&mut body, "after", self.after.clone().map(Value::from));
        let properties = (!self.properties.is_empty()).then(|| Value::from(self.properties.clone()));
        set(&mut body, "properties", properties);
        let sorts = self.sort.as_ref().map(|(property, descending)| {
            let direction = if *descending { "DESCENDING" } else { "ASCENDING" };
            json!([{ "propertyName": property, "direction": direction }])
        });
        set(&mut body, "sorts", sorts);
        body
    }
}

impl Filter {
    fn body(&self) -> Value {
        let mut body = json!({ "propertyName": self.property, "operator": self.operator });
        set(&mut body, "value", self.value.clone().map(Value::from));
        set(&mut body, "highValue", self.high_value.clone().map(Value::from));
        set(&mut body, "values", self.values.clone().map(Value::from));
        body
    }
}

fn set(body: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(fields), Some(value)) = (body.as_object_mut(), value) {
        fields.insert(key.to_owned(), value);
    }
}

fn add_properties(query: &mut Vec<(&'static str, String)>, properties: &[String]) {
    if !properties.is_empty() {
        query.push(("properties", properties.join(",")));
    }
}

fn add_archived(query: &mut Vec<(&'static str, String)>, archived: bool) {
    if archived {
        query.push(("archived", "true".to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_without_a_value_is_absent() {
        let body = br#"{"id":7,"properties":{"email":"a@b.example","phone":null},"createdAt":"2026-01-02T03:04:05.678Z"}"#;
        let object = one(body).expect("reads").value;
        assert_eq!(object.id, "7");
        assert_eq!(object.properties.len(), 1);
        assert_eq!(object.created.expect("a time").as_micros() % 1_000_000, 678_000);
    }

    #[test]
    fn the_last_page_has_no_next() {
        let read = |body: &str| page(body.as_bytes()).expect("reads").value.after;
        assert_eq!(
            read(r#"{"results":[],"paging":{"next":{"after":"20"}}}"#),
            Some("20".to_owned())
        );
        assert_eq!(read(r#"{"results":[],"total":0}"#), None);
        for array in [r#"[["20"]]"#, r#"[{"after":"20"}]"#, r#"{"next":["20"]}"#] {
            let body = format!(r#"{{"results":[],"paging":{array}}}"#);
            assert!(page(body.as_bytes()).is_err(), "an array is no cursor: {array}");
        }
    }

    #[test]
    fn a_time_that_the_wire_does_not_have_is_left_out() {
        let read = |time: &str| {
            let body = format!(r#"{{"id":7,"createdAt":"{time}"}}"#);
            one(body.as_bytes()).expect("reads").value.created
        };
        assert_eq!(read("-009999-01-01T00:00:00Z"), None);
        assert!(read("0001-01-01T00:00:00Z").is_some());
    }

    #[test]
    fn a_search_is_written_as_hubspot_takes_it() {
        let filter = Filter {
            property: "email".to_owned(),
            operator: "IN",
            value: None,
            high_value: None,
            values: Some(vec!["a".to_owned()]),
        };
        let search = Search {
            filter_groups: vec![vec![filter]],
            sort: Some(("x".to_owned(), true)),
            limit: 5,
            ..Search::default()
        };
        let expected = json!({
            "filterGroups": [{"filters": [{"propertyName": "email", "operator": "IN", "values": ["a"]}]}],
            "sorts": [{"propertyName": "x", "direction": "DESCENDING"}],
            "limit": 5
        });
        assert_eq!(search.body(), expected);
    }
}
