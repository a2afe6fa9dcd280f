//! What became of a pipeline, or a stage of one, that was to be made, changed or archived.

use std::sync::Arc;

use hubkeep_core::clock::Timestamp;
use hubkeep_hubspot::pipelines::{Change, Pipeline, Stage};

use super::{
    super::verdict::{Found, Verdict, by_time},
    Look,
};
use crate::crm::{Answer, Ask, ObjectType, PipelineId, PipelineWork, SchemaAsk};

/// Reads back what became of work on a pipeline. HubSpot has no two pipelines of one label in a type, nor two stages of one label
/// in a pipeline: by that what was made is found.
///
/// # Errors
/// With that of `look`.
pub(super) async fn worked<L: Look>(
    object_type: &ObjectType,
    work: &PipelineWork,
    begun: Timestamp,
    look: &mut L,
) -> Result<Verdict, L::Error> {
    let whole = |one: &Pipeline| Answer::Pipelines(vec![one.clone()]);
    match work {
        PipelineWork::Create(new) => {
            let Some(all) = all(object_type, look).await? else {
                return Ok(Verdict::Open);
            };
            let found = all.iter().find(|one| one.label == new.label);
            Ok(made(found.map(|one| (one.created, whole(one))), begun))
        }
        PipelineWork::Update(id, change) => {
            let found = one(object_type, id, look).await?;
            Ok(found.map_or(Verdict::Open, |found| {
                let is_so = is_as_changed(&found.label, found.display_order, change);
                changed(is_so, found.updated, || whole(&found), begun)
            }))
        }
        // That it is not there is what was wanted, whoever did it.
        PipelineWork::Archive(id) => Ok(match one(object_type, id, look).await? {
            Some(found) if !found.archived => Verdict::NotDone,
            _ => Verdict::done(Answer::Done),
        }),
        PipelineWork::CreateStage(id, new) => {
            let Some(pipeline) = one(object_type, id, look).await? else {
                return Ok(Verdict::Open);
            };
            let found = pipeline.stages.iter().find(|stage| stage.label == new.label);
            let told = found.map(|stage| (stage.created, Answer::Stage(stage.clone())));
            Ok(made(told, begun))
        }
        PipelineWork::UpdateStage(id, stage_id, change) => {
            let pipeline = one(object_type, id, look).await?;
            let found = pipeline.as_ref().and_then(|pipeline| stage(pipeline, stage_id));
            Ok(found.map_or(Verdict::Open, |found| {
                let is_so = is_as_changed(&found.label, found.display_order, change)
                    && change.metadata.as_ref().is_none_or(|wanted| {
                        let is_there = |(name, value)| found.metadata.get(name) == Some(value);
                        wanted.iter().all(is_there)
                    });
                changed(is_so, found.updated, || Answer::Stage(found.clone()), begun)
            }))
        }
        PipelineWork::ArchiveStage(id, stage_id) => {
            let pipeline = one(object_type, id, look).await?;
            Ok(
                match pipeline.as_ref().and_then(|pipeline| stage(pipeline, stage_id)) {
                    Some(found) if !found.archived => Verdict::NotDone,
                    _ => Verdict::done(Answer::Done),
                },
            )
        }
    }
}

/// What one that has the label says of one that was to be made.
fn made(found: Option<(Option<Timestamp>, Answer)>, begun: Timestamp) -> Verdict {
    match found.map(|(created, answer)| (by_time(created, begun), answer)) {
        Some((Found::Done, answer)) => Verdict::done(answer),
        // One that was there before has stood in its way.
        Some((Found::NotDone, _)) | None => Verdict::NotDone,
        Some((Found::Open, _)) => Verdict::Open,
    }
}

fn changed(
    is_so: bool,
    updated: Option<Timestamp>,
    answer: impl FnOnce() -> Answer,
    begun: Timestamp,
) -> Verdict {
    match (is_so, by_time(updated, begun)) {
        (true, _) => Verdict::done(answer()),
        (false, Found::NotDone) => Verdict::NotDone,
        (false, _) => Verdict::Open,
    }
}

fn is_as_changed(label: &str, display_order: i64, change: &Change) -> bool {
    change.label.as_ref().is_none_or(|wanted| wanted == label)
        && change
            .display_order
            .is_none_or(|wanted| i64::from(wanted) == display_order)
}

fn stage<'a>(pipeline: &'a Pipeline, id: &PipelineId) -> Option<&'a Stage> {
    pipeline.stages.iter().find(|stage| stage.id == id.as_str())
}

async fn all<L: Look>(object_type: &ObjectType, look: &mut L) -> Result<Option<Vec<Pipeline>>, L::Error> {
    let ask = Ask::Schema(Arc::new(SchemaAsk::Pipelines(object_type.clone())));
    Ok(match look.ask(ask).await? {
        Some(Answer::Pipelines(all)) => Some(all),
        _ => None,
    })
}

async fn one<L: Look>(
    object_type: &ObjectType,
    id: &PipelineId,
    look: &mut L,
) -> Result<Option<Pipeline>, L::Error> {
    let ask = SchemaAsk::Pipeline {
        object_type: object_type.clone(),
        id: id.clone(),
    };
    Ok(match look.ask(Ask::Schema(Arc::new(ask))).await? {
        Some(Answer::Pipelines(found)) => found.into_iter().next(),
        _ => None,
    })
}
