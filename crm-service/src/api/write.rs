//! What a call gave, written into messages.

use std::collections::BTreeSet;

use hubkeep_core::clock::Timestamp;
use hubkeep_hubspot::{
    associations::{Association, Label},
    objects, owners, pipelines, properties, schemas,
};
use hubkeep_proto::crm::v1::{
    AssociatedRecord, AssociatedRecords, AssociationLabel, Object, ObjectTypeSchema, Owner, PastValue,
    Pipeline, PipelineStage, Property, PropertyHistory, PropertyOption, QuotaLeft, Reply as WireReply,
};

use crate::call::Reply;

pub(super) fn about(reply: &Reply) -> WireReply {
    let left = reply.limits.quota_left();
    WireReply {
        portal_id: reply.portal.portal_id().get(),
        client_slug: reply.portal.client_slug().to_string(),
        call_id: reply.call_id.to_string(),
        audit_position: reply.outcome.get(),
        attempt_count: reply.attempts,
        kept: reply.kept,
        receipts: reply.receipts.iter().cloned().map(String::from).collect(),
        quota_left: left.map(|left| QuotaLeft {
            daily: left.daily,
            interval: left.interval,
        }),
    }
}

pub(super) fn object(object: objects::Object) -> Object {
    let cut = object.cut_associations;
    let associations = object.associations.into_iter().map(|(name, records)| {
        let has_more = cut.contains(&name);
        // One that is associated in several ways stands there once for each.
        let ids: BTreeSet<String> = records.into_iter().map(|record| record.id).collect();
        let object_ids = ids.into_iter().collect();
        (name, AssociatedRecords { object_ids, has_more })
    });
    let history = object.history.into_iter().map(|(name, values)| {
        let values = values.into_iter().map(past_value).collect();
        (name, PropertyHistory { values })
    });
    Object {
        object_id: object.id,
        properties: object.properties,
        create_time: object.created.map(Timestamp::into),
        update_time: object.updated.map(Timestamp::into),
        archived: object.archived,
        associations: associations.collect(),
        history: history.collect(),
    }
}

fn past_value(past: objects::PastValue) -> PastValue {
    PastValue {
        value: past.value.unwrap_or_default(),
        time: past.since.map(Timestamp::into),
        source_type: past.source_type,
        source_id: past.source_id,
        updated_by_user_id: past.user_id.unwrap_or_default(),
    }
}

pub(super) fn associated(association: Association) -> AssociatedRecord {
    AssociatedRecord {
        object_id: association.to_id,
        labels: association.labels.into_iter().map(label).collect(),
    }
}

pub(super) fn label(label: Label) -> AssociationLabel {
    AssociationLabel {
        type_id: label.kind.id,
        category: label.kind.category.name().to_owned(),
        label: label.label.unwrap_or_default(),
    }
}

pub(super) fn property(property: properties::Property) -> Property {
    let option = |option: properties::PropertyOption| PropertyOption {
        value: option.value,
        label: option.label,
        hidden: option.hidden,
        description: option.description,
    };
    Property {
        name: property.name,
        label: property.label,
        r#type: property.kind,
        field_type: property.field,
        description: property.description,
        group_name: property.group,
        options: property.options.into_iter().map(option).collect(),
        has_unique_value: property.unique,
        read_only: property.read_only_value.unwrap_or_default(),
        calculated: property.calculated,
        archived: property.archived,
        hidden: property.hidden,
    }
}

/// Places that no pipeline has are told as the nearest that one can.
fn place(display_order: i64) -> i32 {
    i32::try_from(display_order).unwrap_or(if display_order < 0 { i32::MIN } else { i32::MAX })
}

pub(super) fn stage(stage: pipelines::Stage) -> PipelineStage {
    PipelineStage {
        stage_id: stage.id,
        label: stage.label,
        metadata: stage.metadata,
        archived: stage.archived,
        display_order: place(stage.display_order),
    }
}

pub(super) fn pipeline(pipeline: pipelines::Pipeline) -> Pipeline {
    Pipeline {
        pipeline_id: pipeline.id,
        label: pipeline.label,
        stages: pipeline.stages.into_iter().map(stage).collect(),
        archived: pipeline.archived,
        display_order: place(pipeline.display_order),
    }
}

pub(super) fn object_type(schema: schemas::Schema) -> ObjectTypeSchema {
    ObjectTypeSchema {
        object_type_id: schema.object_type_id,
        fully_qualified_name: schema.full_name,
        name: schema.name,
        singular_label: schema.singular,
        plural_label: schema.plural,
        primary_display_property: schema.primary_property,
        required_properties: schema.required_properties,
        archived: schema.archived,
    }
}

pub(super) fn owner(owner: owners::Owner) -> Owner {
    Owner {
        owner_id: owner.id,
        user_id: owner.user_id,
        email: owner.email,
        first_name: owner.first_name,
        last_name: owner.last_name,
        archived: owner.archived,
        create_time: owner.created.map(Timestamp::into),
        update_time: owner.updated.map(Timestamp::into),
    }
}
