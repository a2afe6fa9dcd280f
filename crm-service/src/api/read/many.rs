//! Messages about many records: cut into as many calls as HubSpot takes them in.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use hubkeep_proto::crm::v1::{
    BatchArchiveObjectsRequest, BatchCreateObjectsRequest, BatchReadObjectsRequest,
    BatchUpdateObjectsRequest, EraseContactRequest, MergeObjectsRequest, ObjectToUpdate,
    UpsertObjectsRequest,
};

use super::{record_key, related::new_associations};
use crate::{
    api::{
        batch::ReadMany,
        entrance::{Read, meant},
    },
    crm::{
        Ask, Batch, BatchWork, Faults, MAX_BATCH, NewRecord, ObjectType, PropertyName, PropertyValues,
        RecordId, Wanted, read_history, read_names, read_values,
    },
};

/// The most inputs of one request.
const MAX_INPUTS: usize = 1_000;

pub(in crate::api) fn batch_read(message: &BatchReadObjectsRequest) -> ReadMany {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let id_property = id_property(&message.id_property, &mut faults);
    let ids = ids(&message.object_ids, id_property.is_some(), &mut faults);
    let wanted = Wanted {
        properties: read_names("properties", &message.properties, &mut faults),
        history: read_history(&message.history_properties, &mut faults),
        ..Wanted::default()
    };
    let asks = object_type.map(|object_type| {
        calls(&object_type, ids, |ids| BatchWork::Read {
            ids,
            id_property: id_property.clone(),
            wanted: wanted.clone(),
            archived: message.archived,
        })
    });
    faults.resolve(meant.zip(asks))
}

pub(in crate::api) fn batch_create(message: &BatchCreateObjectsRequest) -> ReadMany {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let mut records = Vec::with_capacity(message.inputs.len());
    if has_sound_length("inputs", message.inputs.len(), &mut faults) {
        for (place, input) in message.inputs.iter().enumerate() {
            let field = format!("inputs[{place}].associations");
            records.push(NewRecord {
                values: values(place, &input.properties, &mut faults),
                associations: new_associations(&field, &input.associations, &mut faults),
            });
        }
    }
    let asks = object_type.map(|object_type| calls(&object_type, records, BatchWork::Create));
    faults.resolve(meant.zip(asks))
}

pub(in crate::api) fn batch_update(message: &BatchUpdateObjectsRequest) -> ReadMany {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let id_property = id_property(&message.id_property, &mut faults);
    let changes = changes(&message.inputs, id_property.is_some(), &mut faults);
    let asks = object_type.map(|object_type| {
        calls(&object_type, changes, |changes| BatchWork::Update {
            changes,
            id_property: id_property.clone(),
        })
    });
    faults.resolve(meant.zip(asks))
}

pub(in crate::api) fn upsert(message: &UpsertObjectsRequest) -> ReadMany {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let id_property = faults.keep("id_property", PropertyName::read(&message.id_property));
    let changes = changes(&message.inputs, true, &mut faults);
    let asks = object_type.zip(id_property).map(|(object_type, id_property)| {
        calls(&object_type, changes, |changes| BatchWork::Upsert {
            changes,
            id_property: id_property.clone(),
        })
    });
    faults.resolve(meant.zip(asks))
}

pub(in crate::api) fn batch_archive(message: &BatchArchiveObjectsRequest) -> ReadMany {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let ids = ids(&message.object_ids, false, &mut faults);
    let asks = object_type.map(|object_type| calls(&object_type, ids, BatchWork::Archive));
    faults.resolve(meant.zip(asks))
}

pub(in crate::api) fn merge_objects(message: &MergeObjectsRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let primary = faults.keep("primary_object_id", RecordId::read(&message.primary_object_id));
    let merged = faults.keep("merged_object_id", RecordId::read(&message.merged_object_id));
    if message.primary_object_id == message.merged_object_id {
        faults.add(
            "merged_object_id",
            "must be another record than the one that stays",
        );
    }
    let ask = object_type
        .zip(primary)
        .zip(merged)
        .map(|((object_type, primary), merged)| Ask::MergeObjects {
            object_type,
            primary,
            merged,
        });
    faults.resolve(meant.zip(ask))
}

pub(in crate::api) fn erase_contact(message: &EraseContactRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    if !["", "email"].contains(&message.id_property.as_str()) {
        faults.add("id_property", "must be \"email\", or empty for the record's id");
    }
    let contacts = ObjectType::contacts();
    let key = record_key(
        contacts.as_str(),
        &message.object_id,
        &message.id_property,
        &mut faults,
    );
    faults.resolve(meant.zip(key.map(|key| Ask::EraseContact { key })))
}

/// One call for as many inputs as HubSpot takes at once.
fn calls<T>(object_type: &ObjectType, inputs: Vec<T>, work: impl Fn(Vec<T>) -> BatchWork) -> Vec<Arc<Batch>> {
    let mut inputs = inputs.into_iter().peekable();
    let mut calls = Vec::new();
    while inputs.peek().is_some() {
        calls.push(Arc::new(Batch {
            object_type: object_type.clone(),
            work: work(inputs.by_ref().take(MAX_BATCH).collect()),
        }));
    }
    calls
}

fn id_property(name: &str, faults: &mut Faults) -> Option<PropertyName> {
    match name {
        "" => None,
        name => faults.keep("id_property", PropertyName::read(name)),
    }
}

fn id(text: &str, is_value: bool) -> Result<RecordId, &'static str> {
    match is_value {
        true => RecordId::read_value(text),
        false => RecordId::read(text),
    }
}

fn has_sound_length(field: &str, length: usize, faults: &mut Faults) -> bool {
    let sound = (1..=MAX_INPUTS).contains(&length);
    if !sound {
        faults.add(field, format!("must hold 1 to {MAX_INPUTS}"));
    }
    sound
}

/// Ids of which none comes twice: which of two changes of one record would be the last, nobody could say.
fn ids(texts: &[String], are_values: bool, faults: &mut Faults) -> Vec<RecordId> {
    if !has_sound_length("object_ids", texts.len(), faults) {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let mut read = Vec::with_capacity(texts.len());
    for (place, text) in texts.iter().enumerate() {
        let field = format!("object_ids[{place}]");
        if !seen.insert(text.to_lowercase()) {
            faults.add(field, "stands here twice");
        } else if let Some(id) = faults.keep(&field, id(text, are_values)) {
            read.push(id);
        }
    }
    read
}

fn changes(
    inputs: &[ObjectToUpdate],
    are_values: bool,
    faults: &mut Faults,
) -> Vec<(RecordId, PropertyValues)> {
    if !has_sound_length("inputs", inputs.len(), faults) {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let mut read = Vec::with_capacity(inputs.len());
    for (place, input) in inputs.iter().enumerate() {
        let field = format!("inputs[{place}].object_id");
        let values = values(place, &input.properties, faults);
        if !seen.insert(input.object_id.to_lowercase()) {
            faults.add(field, "stands here twice");
        } else if let Some(id) = faults.keep(&field, id(&input.object_id, are_values)) {
            read.push((id, values));
        }
    }
    read
}

fn values(place: usize, properties: &BTreeMap<String, String>, faults: &mut Faults) -> PropertyValues {
    read_values(&format!("inputs[{place}].properties"), properties, faults)
}
