//! Messages about what records have to do with each other.

use std::sync::Arc;

use hubkeep_hubspot::associations::AssociationType;
use hubkeep_proto::crm::v1::{
    AssociationLabel, CreateAssociationRequest, ListAssociationLabelsRequest, ListAssociationsRequest,
    RemoveAssociationRequest,
};

use crate::{
    api::{
        entrance::{Read, meant},
        page_token::Question,
    },
    crm::{ASSOCIATION_PAGE, Ask, AssociationAsk, End, Faults, ObjectType, RecordId, read_kind},
};

/// The most labels that two records are given in one request.
const MAX_LABELS: usize = 20;

/// What the page tokens of a list of associations are bound to.
pub(in crate::api) fn associations_question(message: &ListAssociationsRequest) -> Question {
    Question::of(&[
        "associations",
        &message.client_slug,
        &message.object_type,
        &message.object_id,
        &message.to_object_type,
    ])
}

pub(in crate::api) fn list_associations(message: &ListAssociationsRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let end = end(
        [&message.object_type, &message.object_id, &message.to_object_type],
        &mut faults,
    );
    let limit = faults.keep("page_size", ASSOCIATION_PAGE.read(message.page_size));
    let after = associations_question(message).cursor(&message.page_token, &mut faults);
    let ask = end
        .zip(limit)
        .map(|(end, limit)| AssociationAsk::List { end, limit, after });
    faults.resolve(meant.zip(ask.map(Arc::new).map(Ask::Association)))
}

pub(in crate::api) fn create_association(message: &CreateAssociationRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let end = end(
        [&message.object_type, &message.object_id, &message.to_object_type],
        &mut faults,
    );
    let to = faults.keep("to_object_id", RecordId::read(&message.to_object_id));
    let kinds = kinds(&message.labels, &mut faults);
    let ask = end
        .zip(to)
        .map(|(end, to)| AssociationAsk::Create { end, to, kinds });
    faults.resolve(meant.zip(ask.map(Arc::new).map(Ask::Association)))
}

pub(in crate::api) fn remove_association(message: &RemoveAssociationRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let end = end(
        [&message.object_type, &message.object_id, &message.to_object_type],
        &mut faults,
    );
    let to = faults.keep("to_object_id", RecordId::read(&message.to_object_id));
    let ask = end.zip(to).map(|(end, to)| AssociationAsk::Remove { end, to });
    faults.resolve(meant.zip(ask.map(Arc::new).map(Ask::Association)))
}

pub(in crate::api) fn list_association_labels(message: &ListAssociationLabelsRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let to_type = faults.keep("to_object_type", ObjectType::read(&message.to_object_type));
    let ask = object_type
        .zip(to_type)
        .map(|(object_type, to_type)| AssociationAsk::Labels { object_type, to_type });
    faults.resolve(meant.zip(ask.map(Arc::new).map(Ask::Association)))
}

fn end([object_type, id, to_type]: [&String; 3], faults: &mut Faults) -> Option<End> {
    let object_type = faults.keep("object_type", ObjectType::read(object_type));
    let id = faults.keep("object_id", RecordId::read(id));
    let to_type = faults.keep("to_object_type", ObjectType::read(to_type));
    let ((object_type, id), to_type) = object_type.zip(id).zip(to_type)?;
    Some(End {
        object_type,
        id,
        to_type,
    })
}

fn kinds(labels: &[AssociationLabel], faults: &mut Faults) -> Vec<AssociationType> {
    if labels.len() > MAX_LABELS {
        faults.add("labels", format!("at most {MAX_LABELS}"));
        return Vec::new();
    }
    let mut read = Vec::with_capacity(labels.len());
    for (place, label) in labels.iter().enumerate() {
        match read_kind(label.type_id, &label.category) {
            Ok(kind) => read.push(kind),
            Err((field, rule)) => faults.add(format!("labels[{place}].{field}"), rule),
        }
    }
    read
}
