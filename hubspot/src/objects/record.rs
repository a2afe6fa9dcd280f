//! One record, as HubSpot writes it.

use std::collections::{BTreeMap, BTreeSet};

use hubkeep_core::clock::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    answer::MayBeRecord,
    wire::{JsonObject, Named, Paging, Several, WireId, each, time},
};

/// One record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// What it is associated with, by type; empty where that was not asked for. A record stands there once for each way in
    /// which it is associated.
    pub associations: BTreeMap<String, Vec<AssociatedId>>,
    /// The types of which more is associated than `associations` has:
    /// [`associations::list`](crate::associations::list) has all.
    pub cut_associations: BTreeSet<String>,
    /// The values that properties have had, the newest first as HubSpot gives them; empty where that was not asked for.
    pub history: BTreeMap<String, Vec<PastValue>>,
}

/// A record that another is associated with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssociatedId {
    /// Its id.
    pub id: String,
    /// HubSpot's name for how, for example "contact_to_company"; empty where it has none.
    pub kind: String,
}

/// A value that a property has, or has had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastValue {
    /// The value; `None` or empty where it was cleared.
    pub value: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// What set it, in HubSpot's words: "CRM_UI", "INTEGRATION", …; empty where HubSpot does not say.
    pub source_type: String,
    /// Which of those: an app's id, for example; empty where HubSpot does not say.
    pub source_id: String,
    /// Its name; empty where HubSpot does not say.
    pub source_label: String,
    /// The user who did.
    pub user_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireObject {
    id: WireId,
    #[serde(default)]
    properties: Option<Named<Option<String>>>,
    created_at: Option<String>,
    updated_at: Option<String>,
    #[serde(default)]
    archived: Option<bool>,
    #[serde(default)]
    associations: Option<Named<JsonObject<WireAssociated>>>,
    #[serde(default)]
    properties_with_history: Option<Named<Several<WirePast>>>,
    /// What the input of a batch carried, where HubSpot repeats it.
    #[serde(default)]
    pub(super) object_write_trace_id: Option<String>,
    /// Whether an upsert made it.
    #[serde(default)]
    pub(super) new: Option<bool>,
}

#[derive(Deserialize)]
struct WireAssociated {
    #[serde(default)]
    results: Several<WireAssociatedId>,
    #[serde(default)]
    paging: Option<JsonObject<Paging>>,
}

#[derive(Deserialize)]
struct WireAssociatedId {
    id: WireId,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePast {
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    source_type: Option<String>,
    #[serde(default)]
    source_id: Option<WireId>,
    #[serde(default)]
    source_label: Option<String>,
    #[serde(default)]
    updated_by_user_id: Option<WireId>,
}

impl From<WireObject> for Object {
    fn from(wire: WireObject) -> Self {
        let properties = wire.properties.unwrap_or_default().0.into_iter();
        let associated = wire.associations.unwrap_or_default().0;
        let cut = associated
            .iter()
            .filter(|(_, JsonObject(of_type))| of_type.is_cut())
            .map(|(name, _)| name.clone());
        let history = wire.properties_with_history.unwrap_or_default().0.into_iter();
        Self {
            id: wire.id.0,
            properties: properties
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            created: time(wire.created_at.as_ref()),
            updated: time(wire.updated_at.as_ref()),
            archived: wire.archived.unwrap_or_default(),
            cut_associations: cut.collect(),
            associations: associated
                .into_iter()
                .map(|(name, JsonObject(of_type))| (name, each(of_type.results)))
                .collect(),
            history: history.map(|(name, values)| (name, each(values))).collect(),
        }
    }
}

impl WireAssociated {
    fn is_cut(&self) -> bool {
        let next = |JsonObject(paging): &JsonObject<Paging>| paging.after().is_some();
        self.paging.as_ref().is_some_and(next)
    }
}

impl From<WireAssociatedId> for AssociatedId {
    fn from(wire: WireAssociatedId) -> Self {
        Self {
            id: wire.id.0,
            kind: wire.kind.unwrap_or_default(),
        }
    }
}

impl From<WirePast> for PastValue {
    fn from(wire: WirePast) -> Self {
        Self {
            value: wire.value,
            since: time(wire.timestamp.as_ref()),
            source_type: wire.source_type.unwrap_or_default(),
            source_id: wire.source_id.map(|id| id.0).unwrap_or_default(),
            source_label: wire.source_label.unwrap_or_default(),
            user_id: wire.updated_by_user_id.map(|id| id.0),
        }
    }
}

impl MayBeRecord for Object {
    fn record_id(&self) -> Option<&str> {
        Some(&self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    fn read(body: &str) -> Result<Object, serde_json::Error> {
        wire::one::<WireObject, Object>(body.as_bytes()).map(|decoded| decoded.value)
    }

    #[test]
    fn a_property_without_a_value_is_absent() {
        let object = read(
            r#"{"id":7,"properties":{"email":"a@b.example","phone":null},"createdAt":"2026-01-02T03:04:05.678Z"}"#,
        )
        .expect("reads");
        assert_eq!(object.id, "7");
        assert_eq!(object.properties.len(), 1);
        assert_eq!(object.created.expect("a time").as_micros() % 1_000_000, 678_000);
    }

    #[test]
    fn a_time_that_the_wire_does_not_have_is_left_out() {
        let read = |time: &str| {
            let object = read(&format!(r#"{{"id":7,"createdAt":"{time}"}}"#));
            object.expect("reads").created
        };
        assert_eq!(read("-009999-01-01T00:00:00Z"), None);
        assert!(read("0001-01-01T00:00:00Z").is_some());
    }

    #[test]
    fn what_is_associated_is_named_and_where_there_is_more_that_is_said() {
        let object = read(
            r#"{"id":"1","associations":{
                "companies":{"results":[{"id":5,"type":"contact_to_company"},
                    {"id":"5","type":"contact_to_company_unlabeled"}],
                    "paging":{"next":{"after":"6","link":"?after=6"}}},
                "deals":{"results":[{"id":"9"}],"paging":null}}}"#,
        )
        .expect("reads");
        let companies = &object.associations["companies"];
        assert_eq!(companies.len(), 2);
        assert_eq!(
            (companies[0].id.as_str(), companies[0].kind.as_str()),
            ("5", "contact_to_company")
        );
        assert_eq!(object.associations["deals"][0].kind, "");
        assert_eq!(object.cut_associations, BTreeSet::from(["companies".to_owned()]));
    }

    #[test]
    fn the_history_of_a_property_says_who_and_when() {
        let object = read(
            r#"{"id":"1","propertiesWithHistory":{"email":[
                {"value":"new@x.example","timestamp":"2026-05-01T00:00:00Z","sourceType":"INTEGRATION","sourceId":"42",
                 "sourceLabel":"Sync","updatedByUserId":77},
                {"value":"","timestamp":"2026-04-01T00:00:00Z","sourceType":"CRM_UI"}],"phone":null}}"#,
        )
        .expect("reads");
        let email = &object.history["email"];
        assert_eq!(email[0].value.as_deref(), Some("new@x.example"));
        assert_eq!(email[0].user_id.as_deref(), Some("77"));
        assert_eq!(
            (email[1].source_type.as_str(), email[1].source_id.as_str()),
            ("CRM_UI", "")
        );
        assert!(email[0].since > email[1].since);
        assert_eq!(object.history["phone"], []);
    }

    #[test]
    fn a_body_that_says_two_things_says_nothing() {
        for body in [
            r#"{"id":"1","id":"2"}"#,
            r#"{"id":"1","properties":{"email":"a","email":"b"}}"#,
            r#"{"id":"1","properties":{},"properties":{"email":"b"}}"#,
            r#"{"id":"1","associations":{"deals":{"results":[]},"deals":{"results":[]}}}"#,
        ] {
            assert!(read(body).is_err(), "{body}");
        }
    }

    #[test]
    fn an_array_is_no_record_and_nothing_in_one() {
        for body in [
            r#"["1"]"#,
            r#"{"id":["1"]}"#,
            r#"{"id":"1","properties":[]}"#,
            r#"{"id":"1","associations":{"deals":[[]]}}"#,
            r#"{"id":"1","associations":{"deals":{"results":[["9"]]}}}"#,
            r#"{"id":"1","propertiesWithHistory":{"email":[["a"]]}}"#,
        ] {
            assert!(read(body).is_err(), "{body}");
        }
    }

    #[test]
    fn what_is_nested_without_end_is_refused_and_overflows_nothing() {
        let deep = |field: &str| {
            let (open, close) = ("[".repeat(200_000), "]".repeat(200_000));
            format!(r#"{{"id":"1","{field}":{open}{close}}}"#)
        };
        assert!(read(&deep("properties")).is_err());
        assert!(read(&deep("id")).is_err());
        // What nobody reads is skipped, however deep it is.
        assert!(read(&deep("unknown")).is_ok());
        let objects = format!(r#"{{"id":"1","properties":{}"#, r#"{"a":"#.repeat(200_000));
        assert!(read(&objects).is_err());
    }
}
