//! Pipelines and their stages: list, get, create, change, delete.

use serde_json::{Map, Value, json};

use super::Call;
use super::route::PipelineAction;
use crate::errors::{self, Problem};
use crate::lock::lock;
use crate::objects::Crm;
use crate::objects::kind::ObjectType;
use crate::objects::pipelines::{Pipeline, Stage, properties_of};
use crate::reply::Reply;

/// Answers a call about the pipelines of one type.
pub(super) fn answer(call: &Call<'_>, kind: ObjectType, action: &PipelineAction) -> Result<Reply, Problem> {
    match call.method {
        "GET" => call.need(kind.facts().schema_read)?,
        _ => call.need(kind.facts().schema_write)?,
    }
    let mut crm = lock(&call.portal.crm);
    match (action, call.method) {
        (PipelineAction::Collection, "GET") => {
            let all: Vec<Value> = crm.pipelines.of(kind).iter().map(Pipeline::render).collect();
            Ok(Reply::json(200, &json!({ "results": all })))
        }
        (PipelineAction::Collection, "POST") => create(call, &mut crm, kind),
        (PipelineAction::One(id), method) => one(call, &mut crm, kind, id, method),
        (PipelineAction::Stages(id), "GET") => {
            let all: Vec<Value> = pipeline(&mut crm, kind, id)?
                .stages
                .iter()
                .map(Stage::render)
                .collect();
            Ok(Reply::json(200, &json!({ "results": all })))
        }
        (PipelineAction::Stages(id), "POST") => create_stage(call, &mut crm, kind, id),
        (PipelineAction::Stage(id, stage), method) => one_stage(call, &mut crm, kind, (id, stage), method),
        _ => Err(errors::method_not_allowed()),
    }
}

fn create(call: &Call<'_>, crm: &mut Crm, kind: ObjectType) -> Result<Reply, Problem> {
    let body = call.json()?;
    let made = new_pipeline(call, crm, kind, body)?;
    let shown = made.render();
    crm.pipelines.of(kind).push(made);
    Ok(Reply::json(201, &shown))
}

fn new_pipeline(call: &Call<'_>, crm: &mut Crm, kind: ObjectType, body: &Value) -> Result<Pipeline, Problem> {
    let label = needed(body, "label")?;
    if crm.pipelines.of(kind).iter().any(|other| other.label == label) {
        return Err(errors::name_taken("pipeline", &label, "Pipelines.LABEL_EXISTS"));
    }
    let given = body
        .get("stages")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let stages: Result<Vec<Stage>, Problem> = given
        .iter()
        .map(|stage| new_stage(crm.pipelines.new_id(), kind, stage, call.now))
        .collect();
    Ok(Pipeline {
        id: crm.pipelines.new_id(),
        label,
        order: order(body).unwrap_or_default(),
        stages: in_order(stages?),
        created_at: call.now,
        updated_at: call.now,
    })
}

fn one(call: &Call<'_>, crm: &mut Crm, kind: ObjectType, id: &str, method: &str) -> Result<Reply, Problem> {
    pipeline(crm, kind, id)?;
    match method {
        "GET" => {}
        "PATCH" => {
            let body = call.json()?;
            let found = pipeline(crm, kind, id)?;
            found.label = text(body, "label").unwrap_or_else(|| found.label.clone());
            found.order = order(body).unwrap_or(found.order);
            found.updated_at = call.now;
        }
        "PUT" => {
            let old = pipeline(crm, kind, id)?.clone();
            crm.pipelines.of(kind).retain(|other| other.id != id);
            let made = new_pipeline(call, crm, kind, call.json()?);
            let kept = made.as_ref().ok().cloned().map_or(old.clone(), |made| Pipeline {
                id: old.id.clone(),
                created_at: old.created_at,
                ..made
            });
            crm.pipelines.of(kind).push(kept);
            made?;
        }
        "DELETE" => {
            let (property, _) = properties_of(kind);
            refuse_if_used(call, crm, kind, property, id)?;
            crm.pipelines.of(kind).retain(|other| other.id != id);
            return Ok(Reply::empty(204));
        }
        _ => return Err(errors::method_not_allowed()),
    }
    Ok(Reply::json(200, &pipeline(crm, kind, id)?.render()))
}

fn create_stage(call: &Call<'_>, crm: &mut Crm, kind: ObjectType, id: &str) -> Result<Reply, Problem> {
    let made = new_stage(crm.pipelines.new_id(), kind, call.json()?, call.now)?;
    let shown = made.render();
    let found = pipeline(crm, kind, id)?;
    found.stages.push(made);
    found.stages = in_order(std::mem::take(&mut found.stages));
    Ok(Reply::json(201, &shown))
}

fn one_stage(
    call: &Call<'_>,
    crm: &mut Crm,
    kind: ObjectType,
    (id, stage_id): (&str, &str),
    method: &str,
) -> Result<Reply, Problem> {
    let now = call.now;
    let stage = stage(pipeline(crm, kind, id)?, stage_id)?;
    match method {
        "GET" => Ok(Reply::json(200, &stage.render())),
        "PATCH" | "PUT" => {
            let body = call.json()?;
            let changed = Stage {
                label: text(body, "label").unwrap_or_else(|| stage.label.clone()),
                order: order(body).unwrap_or(stage.order),
                metadata: body
                    .get("metadata")
                    .map_or_else(|| stage.metadata.clone(), metadata),
                updated_at: now,
                ..stage.clone()
            };
            demand_metadata(kind, &changed.metadata)?;
            *stage = changed;
            let shown = stage.render();
            Ok(Reply::json(200, &shown))
        }
        "DELETE" => {
            let (_, property) = properties_of(kind);
            refuse_if_used(call, crm, kind, property, stage_id)?;
            pipeline(crm, kind, id)?
                .stages
                .retain(|other| other.id != stage_id);
            Ok(Reply::empty(204))
        }
        _ => Err(errors::method_not_allowed()),
    }
}

/// Only who asks for it is kept from deleting what records are in.
fn refuse_if_used(
    call: &Call<'_>,
    crm: &mut Crm,
    kind: ObjectType,
    property: &str,
    value: &str,
) -> Result<(), Problem> {
    let asks = [
        "validateReferencesBeforeDelete",
        "validateDealStageUsagesBeforeDelete",
    ];
    let asked = asks.iter().any(|name| call.query.flag(name));
    let holds =
        |values: &crate::objects::record::Values| values.get(property).is_some_and(|held| held == value);
    let used = crm
        .table(kind)
        .live()
        .filter(|record| holds(&record.values))
        .count();
    if asked && used > 0 {
        let message = format!("{used} records are in {value}, which cannot be deleted therefore");
        return Err(errors::invalid(message).with("subCategory", json!("Pipelines.STAGE_ID_IN_USE")));
    }
    Ok(())
}

fn pipeline<'a>(crm: &'a mut Crm, kind: ObjectType, id: &str) -> Result<&'a mut Pipeline, Problem> {
    let mut all = crm.pipelines.of(kind).iter_mut();
    all.find(|one| one.id == id).ok_or_else(errors::not_found)
}

fn stage<'a>(pipeline: &'a mut Pipeline, id: &str) -> Result<&'a mut Stage, Problem> {
    let mut all = pipeline.stages.iter_mut();
    all.find(|one| one.id == id).ok_or_else(errors::not_found)
}

fn new_stage(id: String, kind: ObjectType, body: &Value, now: i64) -> Result<Stage, Problem> {
    let metadata = body.get("metadata").map(metadata).unwrap_or_default();
    demand_metadata(kind, &metadata)?;
    Ok(Stage {
        id,
        label: needed(body, "label")?,
        order: order(body).unwrap_or_default(),
        metadata,
        created_at: now,
        updated_at: now,
    })
}

/// A stage of deals must say how probable success is there.
fn demand_metadata(kind: ObjectType, metadata: &Map<String, Value>) -> Result<(), Problem> {
    if kind == ObjectType::Deals && !metadata.contains_key("probability") {
        return Err(errors::invalid(
            "A stage of deals needs the metadata \"probability\"",
        ));
    }
    Ok(())
}

/// HubSpot keeps everything as text.
fn metadata(given: &Value) -> Map<String, Value> {
    let fields = given.as_object().into_iter().flatten();
    fields
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name.clone(), Value::String(text))
        })
        .collect()
}

fn in_order(mut stages: Vec<Stage>) -> Vec<Stage> {
    stages.sort_by_key(|stage| stage.order);
    stages
}

fn needed(body: &Value, field: &str) -> Result<String, Problem> {
    let text = text(body, field).filter(|text| !text.is_empty());
    text.ok_or_else(|| errors::invalid(format!("Invalid input JSON: some fields were not set: [{field}]")))
}

fn text(body: &Value, field: &str) -> Option<String> {
    body.get(field).and_then(Value::as_str).map(str::to_owned)
}

fn order(body: &Value) -> Option<i64> {
    body.get("displayOrder").and_then(Value::as_i64)
}
