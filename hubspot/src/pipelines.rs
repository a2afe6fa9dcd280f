//! Pipelines: the stages that deals, tickets and other records move through.

use std::collections::BTreeMap;

use http::Method;
use hubkeep_core::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    answer::MayBeRecord,
    config::ApiVersion,
    path::Path,
    request::{Ask, Repeat},
    wire::{self, Named, Several, WireId, each, time},
};

/// Stages that records move through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Its id: the value that the property `pipeline` or `hs_pipeline` takes.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// Its place among the others.
    pub display_order: i64,
    /// Its stages, by their place.
    pub stages: Vec<Stage>,
    /// Whether it is archived.
    pub archived: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
}

/// A stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Its id: the value that the property `dealstage` or `hs_pipeline_stage` takes.
    pub id: String,
    /// What people call it.
    pub label: String,
    /// Its place among the others.
    pub display_order: i64,
    /// What HubSpot says of it beside: `probability` of deals, "1.0" for won and "0.0" for lost; `ticketState`, "OPEN" or
    /// "CLOSED".
    pub metadata: BTreeMap<String, String>,
    /// Who may change it, in HubSpot's words: "CRM_PERMISSIONS_ENFORCEMENT", "READ_ONLY", "INTERNAL_ONLY"; empty if HubSpot does
    /// not say.
    pub write_permissions: String,
    /// Whether it is archived.
    pub archived: bool,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
}

/// A stage to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewStage {
    /// What people call it.
    pub label: String,
    /// Its place among the others.
    pub display_order: i32,
    /// What HubSpot is to know of it beside.
    pub metadata: BTreeMap<String, String>,
}

/// A pipeline to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NewPipeline {
    /// What people call it.
    pub label: String,
    /// Its place among the others.
    pub display_order: i32,
    /// Its stages.
    pub stages: Vec<NewStage>,
}

/// What changes of a pipeline, or of a stage. What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Change {
    /// What people call it.
    pub label: Option<String>,
    /// Its place among the others.
    pub display_order: Option<i32>,
    /// Of a stage, all that HubSpot is to know of it beside.
    pub metadata: Option<BTreeMap<String, String>>,
}

impl NewStage {
    fn body(&self) -> Value {
        json!({ "label": self.label, "displayOrder": self.display_order, "metadata": self.metadata })
    }
}

impl Change {
    fn body(&self) -> Value {
        let fields = [
            ("label", self.label.clone().map(Value::from)),
            ("displayOrder", self.display_order.map(Value::from)),
            ("metadata", self.metadata.as_ref().map(|metadata| json!(metadata))),
        ];
        let named = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        json!(named.collect::<BTreeMap<_, _>>())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePipeline {
    id: WireId,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    display_order: Option<i64>,
    #[serde(default)]
    stages: Several<WireStage>,
    #[serde(default)]
    archived: Option<bool>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireStage {
    id: WireId,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    display_order: Option<i64>,
    #[serde(default)]
    metadata: Option<Named<Option<String>>>,
    #[serde(default)]
    write_permissions: Option<String>,
    #[serde(default)]
    archived: Option<bool>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
}

impl From<WirePipeline> for Pipeline {
    fn from(wire: WirePipeline) -> Self {
        let mut stages: Vec<Stage> = each(wire.stages);
        stages.sort_by_key(|stage| stage.display_order);
        Self {
            id: wire.id.0,
            label: wire.label.unwrap_or_default(),
            display_order: wire.display_order.unwrap_or_default(),
            stages,
            archived: wire.archived.unwrap_or_default(),
            created: time(wire.created_at.as_ref()),
            updated: time(wire.updated_at.as_ref()),
        }
    }
}

impl From<WireStage> for Stage {
    fn from(wire: WireStage) -> Self {
        let metadata = wire.metadata.unwrap_or_default().0.into_iter();
        Self {
            id: wire.id.0,
            label: wire.label.unwrap_or_default(),
            display_order: wire.display_order.unwrap_or_default(),
            metadata: metadata
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            write_permissions: wire.write_permissions.unwrap_or_default(),
            archived: wire.archived.unwrap_or_default(),
            created: time(wire.created_at.as_ref()),
            updated: time(wire.updated_at.as_ref()),
        }
    }
}

/// Reads all pipelines of a type at once, with their stages.
pub fn list(version: ApiVersion, object_type: &str) -> Ask<Vec<Pipeline>> {
    Ask::get(
        Path::pipelines(version, object_type),
        wire::all::<WirePipeline, _>,
    )
}

/// Reads one pipeline, with its stages.
pub fn get(version: ApiVersion, object_type: &str, pipeline_id: &str) -> Ask<Pipeline> {
    let path = Path::pipelines(version, object_type).then_id(pipeline_id);
    Ask::get(path, wire::one::<WirePipeline, _>)
}

/// Makes a pipeline with its stages.
pub fn create(version: ApiVersion, object_type: &str, new: &NewPipeline) -> Ask<Pipeline> {
    let stages: Vec<Value> = new.stages.iter().map(NewStage::body).collect();
    let body = json!({ "label": new.label, "displayOrder": new.display_order, "stages": stages });
    let path = Path::pipelines(version, object_type);
    Ask::get(path, wire::one::<WirePipeline, _>).with_body(Repeat::ActsAgain, Method::POST, &body)
}

/// Changes a pipeline, but for its stages.
pub fn update(version: ApiVersion, object_type: &str, pipeline_id: &str, change: &Change) -> Ask<Pipeline> {
    let path = Path::pipelines(version, object_type).then_id(pipeline_id);
    Ask::get(path, wire::one::<WirePipeline, _>).with_body(Repeat::SameState, Method::PATCH, &change.body())
}

/// Archives a pipeline that no record is in: HubSpot is told to refuse it otherwise, which it would not do by itself.
pub fn archive(version: ApiVersion, object_type: &str, pipeline_id: &str) -> Ask<()> {
    let path = Path::pipelines(version, object_type).then_id(pipeline_id);
    Ask::delete(path, wire::nothing).with_query(only_if_unused())
}

/// Adds a stage to a pipeline.
pub fn create_stage(version: ApiVersion, object_type: &str, pipeline_id: &str, new: &NewStage) -> Ask<Stage> {
    let path = stages(version, object_type, pipeline_id);
    Ask::get(path, wire::one::<WireStage, _>).with_body(Repeat::ActsAgain, Method::POST, &new.body())
}

/// Changes a stage.
pub fn update_stage(
    version: ApiVersion,
    object_type: &str,
    (pipeline_id, stage_id): (&str, &str),
    change: &Change,
) -> Ask<Stage> {
    let path = stages(version, object_type, pipeline_id).then_id(stage_id);
    Ask::get(path, wire::one::<WireStage, _>).with_body(Repeat::SameState, Method::PATCH, &change.body())
}

/// Archives a stage that no record is in.
pub fn archive_stage(
    version: ApiVersion,
    object_type: &str,
    (pipeline_id, stage_id): (&str, &str),
) -> Ask<()> {
    let path = stages(version, object_type, pipeline_id).then_id(stage_id);
    Ask::delete(path, wire::nothing).with_query(only_if_unused())
}

fn stages(version: ApiVersion, object_type: &str, pipeline_id: &str) -> Path {
    Path::pipelines(version, object_type)
        .then_id(pipeline_id)
        .then("stages")
}

fn only_if_unused() -> Vec<(&'static str, String)> {
    vec![("validateReferencesBeforeDelete", "true".to_owned())]
}

impl MayBeRecord for Pipeline {}

impl MayBeRecord for Stage {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_records_are_in_is_never_archived_and_a_change_names_what_changes() {
        const VERSION: ApiVersion = ApiVersion::V2026_09;
        let body = |ask: &Ask<Stage>| -> Value {
            serde_json::from_slice(ask.body.as_ref().expect("a body")).expect("JSON")
        };
        let ids = ("default", "won");
        for ask in [
            archive(VERSION, "deals", ids.0),
            archive_stage(VERSION, "deals", ids),
        ] {
            let asked = ("validateReferencesBeforeDelete", "true".to_owned());
            assert_eq!(ask.query, [asked]);
        }
        let change = Change {
            display_order: Some(2),
            ..Change::default()
        };
        let ask = update_stage(VERSION, "deals", ids, &change);
        assert_eq!(body(&ask), json!({ "displayOrder": 2 }));
        assert_eq!(
            ask.path.template(),
            "/crm/pipelines/2026-09/deals/{id}/stages/{id}"
        );
        let new = NewStage {
            label: "Won".to_owned(),
            display_order: 1,
            metadata: [("probability".to_owned(), "1.0".to_owned())].into(),
        };
        let ask = create_stage(VERSION, "deals", "default", &new);
        assert_eq!(ask.repeat(), Repeat::ActsAgain);
        assert_eq!(body(&ask)["metadata"]["probability"], "1.0");
    }

    #[test]
    fn the_stages_of_a_pipeline_stand_in_their_order_and_say_what_they_mean() {
        let ask = list(ApiVersion::V2026_09, "deals");
        let read = (ask.decode)(
            br#"{"results":[{"id":"default","label":"Sales","displayOrder":0,"archived":false,"stages":[
                {"id":"closedwon","label":"Won","displayOrder":2,"metadata":{"isClosed":"true","probability":"1.0"},
                 "writePermissions":"CRM_PERMISSIONS_ENFORCEMENT"},
                {"id":1234,"label":"First","displayOrder":1,"metadata":{"probability":null}}]}]}"#,
        )
        .expect("reads");
        let sales = &read.value[0];
        let stages: Vec<&str> = sales.stages.iter().map(|stage| stage.id.as_str()).collect();
        assert_eq!(stages, ["1234", "closedwon"]);
        assert_eq!(sales.stages[1].metadata["probability"], "1.0");
        assert!(sales.stages[0].metadata.is_empty());
    }

    #[test]
    fn one_pipeline_is_read_by_an_id_that_is_not_recorded() {
        let ask = get(ApiVersion::V3, "tickets", "42");
        assert_eq!(ask.path.template(), "/crm/v3/pipelines/tickets/{id}");
        assert!((ask.decode)(br#"{"id":"42","stages":null}"#).is_ok());
        assert!((ask.decode)(br#"{"label":"without an id"}"#).is_err());
    }
}
