//! Messages about pipelines that are made or changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use hubkeep_hubspot::pipelines::{Change, NewPipeline, NewStage};
use hubkeep_proto::crm::v1::{
    ArchivePipelineRequest, ArchivePipelineStageRequest, CreatePipelineRequest, CreatePipelineStageRequest,
    PipelineStageToCreate, UpdatePipelineRequest, UpdatePipelineStageRequest,
};

use crate::{
    api::entrance::{Read, meant},
    call::Meant,
    crm::{Ask, Faults, ObjectType, PipelineId, PipelineWork, SchemaAsk, read_label},
};

/// The most stages of one pipeline.
const MAX_STAGES: usize = 100;
/// The highest place of a pipeline among others, or of a stage.
const MAX_ORDER: i32 = 1_000;
/// What HubSpot knows of a stage beside.
const MAX_METADATA: usize = 20;
const MAX_METADATA_CHARS: usize = 255;
/// What a stage of deals must say.
const PROBABILITY: &str = "probability";

/// What every message says, and what it asks for.
struct Asked {
    faults: Faults,
    meant: Option<Meant>,
    object_type: Option<ObjectType>,
}

impl Asked {
    fn of(client_slug: &str, expected_portal_id: u64, object_type: &str) -> Self {
        let mut faults = Faults::default();
        Self {
            meant: meant(client_slug, expected_portal_id, &mut faults),
            object_type: faults.keep("object_type", ObjectType::read(object_type)),
            faults,
        }
    }

    fn pipeline(&mut self, id: &str) -> Option<PipelineId> {
        self.faults.keep("pipeline_id", PipelineId::read(id))
    }

    fn stage(&mut self, id: &str) -> Option<PipelineId> {
        self.faults.keep("stage_id", PipelineId::read(id))
    }

    fn is_of_deals(&self) -> bool {
        self.object_type
            .as_ref()
            .is_some_and(|object_type| object_type.as_str() == "deals")
    }

    fn asks(self, work: Option<PipelineWork>) -> Read {
        let ask = self.object_type.zip(work);
        let ask = ask.map(|(object_type, work)| Ask::Schema(Arc::new(SchemaAsk::Work { object_type, work })));
        self.faults.resolve(self.meant.zip(ask))
    }
}

pub(in crate::api) fn create_pipeline(message: &CreatePipelineRequest) -> Read {
    let mut asked = Asked::of(
        &message.client_slug,
        message.expected_portal_id,
        &message.object_type,
    );
    let label = asked.faults.keep("label", read_label(&message.label));
    let display_order = asked.faults.keep("display_order", order(message.display_order));
    if !(1..=MAX_STAGES).contains(&message.stages.len()) {
        asked.faults.add("stages", format!("must hold 1 to {MAX_STAGES}"));
    }
    let (mut stages, mut seen) = (Vec::new(), BTreeSet::new());
    for ((place, stage), display_order) in message.stages.iter().enumerate().take(MAX_STAGES).zip(0..) {
        let field = format!("stages[{place}]");
        if !seen.insert(&stage.label) {
            asked.faults.add(format!("{field}.label"), "stands here twice");
        }
        stages.extend(new_stage(&field, stage, display_order, &mut asked));
    }
    let work = label.zip(display_order).map(|(label, display_order)| {
        PipelineWork::Create(NewPipeline {
            label,
            display_order,
            stages,
        })
    });
    asked.asks(work)
}

pub(in crate::api) fn update_pipeline(message: &UpdatePipelineRequest) -> Read {
    let mut asked = Asked::of(
        &message.client_slug,
        message.expected_portal_id,
        &message.object_type,
    );
    let id = asked.pipeline(&message.pipeline_id);
    let change = change(
        message.label.as_deref(),
        message.display_order,
        &BTreeMap::new(),
        &mut asked,
    );
    asked.asks(id.map(|id| PipelineWork::Update(id, change)))
}

pub(in crate::api) fn archive_pipeline(message: &ArchivePipelineRequest) -> Read {
    let mut asked = Asked::of(
        &message.client_slug,
        message.expected_portal_id,
        &message.object_type,
    );
    let id = asked.pipeline(&message.pipeline_id);
    asked.asks(id.map(PipelineWork::Archive))
}

pub(in crate::api) fn create_pipeline_stage(message: &CreatePipelineStageRequest) -> Read {
    let mut asked = Asked::of(
        &message.client_slug,
        message.expected_portal_id,
        &message.object_type,
    );
    let id = asked.pipeline(&message.pipeline_id);
    let display_order = asked.faults.keep("display_order", order(message.display_order));
    let stage = match &message.stage {
        Some(stage) => new_stage("stage", stage, display_order.unwrap_or_default(), &mut asked),
        None => {
            asked.faults.add("stage", "must be there");
            None
        }
    };
    let work = id
        .zip(stage)
        .map(|(id, stage)| PipelineWork::CreateStage(id, stage));
    asked.asks(work)
}

pub(in crate::api) fn update_pipeline_stage(message: &UpdatePipelineStageRequest) -> Read {
    let mut asked = Asked::of(
        &message.client_slug,
        message.expected_portal_id,
        &message.object_type,
    );
    let ids = asked
        .pipeline(&message.pipeline_id)
        .zip(asked.stage(&message.stage_id));
    let change = change(
        message.label.as_deref(),
        message.display_order,
        &message.metadata,
        &mut asked,
    );
    if asked.is_of_deals() && !message.metadata.is_empty() && !message.metadata.contains_key(PROBABILITY) {
        asked.faults.add("metadata", NEEDS_PROBABILITY);
    }
    asked.asks(ids.map(|(id, stage)| PipelineWork::UpdateStage(id, stage, change)))
}

pub(in crate::api) fn archive_pipeline_stage(message: &ArchivePipelineStageRequest) -> Read {
    let mut asked = Asked::of(
        &message.client_slug,
        message.expected_portal_id,
        &message.object_type,
    );
    let ids = asked
        .pipeline(&message.pipeline_id)
        .zip(asked.stage(&message.stage_id));
    asked.asks(ids.map(|(id, stage)| PipelineWork::ArchiveStage(id, stage)))
}

const NEEDS_PROBABILITY: &str = "must say the \"probability\" of a stage of deals";

fn new_stage(
    field: &str,
    stage: &PipelineStageToCreate,
    display_order: i32,
    asked: &mut Asked,
) -> Option<NewStage> {
    let label = asked
        .faults
        .keep(&format!("{field}.label"), read_label(&stage.label));
    check_metadata(&format!("{field}.metadata"), &stage.metadata, &mut asked.faults);
    if asked.is_of_deals() && !stage.metadata.contains_key(PROBABILITY) {
        asked.faults.add(format!("{field}.metadata"), NEEDS_PROBABILITY);
    }
    Some(NewStage {
        label: label?,
        display_order,
        metadata: stage.metadata.clone(),
    })
}

/// What is named of a change, which must name something.
fn change(
    label: Option<&str>,
    display_order: Option<i32>,
    metadata: &BTreeMap<String, String>,
    asked: &mut Asked,
) -> Change {
    if label.is_none() && display_order.is_none() && metadata.is_empty() {
        asked
            .faults
            .add("label", "must be there, or another of what can change");
    }
    check_metadata("metadata", metadata, &mut asked.faults);
    Change {
        label: label.and_then(|label| asked.faults.keep("label", read_label(label))),
        display_order: display_order.and_then(|place| asked.faults.keep("display_order", order(place))),
        metadata: (!metadata.is_empty()).then(|| metadata.clone()),
    }
}

fn order(place: i32) -> Result<i32, String> {
    match (0..=MAX_ORDER).contains(&place) {
        true => Ok(place),
        false => Err(format!("must be from 0 to {MAX_ORDER}")),
    }
}

fn check_metadata(field: &str, metadata: &BTreeMap<String, String>, faults: &mut Faults) {
    let is_short = |text: &String| (1..=MAX_METADATA_CHARS).contains(&text.chars().count());
    if metadata.len() > MAX_METADATA
        || !metadata
            .iter()
            .all(|(name, value)| is_short(name) && is_short(value))
    {
        let rule = format!("must hold at most {MAX_METADATA}, each of 1 to {MAX_METADATA_CHARS} characters");
        faults.add(field, rule);
    }
}
