//! Messages about what records have to do with each other.

use std::sync::Arc;

use hubkeep_hubspot::associations::AssociationType;
use hubkeep_proto::crm::v1::{
    self as message, AssociationLabel, CreateAssociationRequest, ListAssociationLabelsRequest,
    ListAssociationsRequest, RemoveAssociationRequest,
};

use crate::{
    api::entrance::{Read, meant},
    crm::{
        ASSOCIATION_PAGE, Ask, AssociationAsk, End, Faults, NewAssociation, ObjectType, Question, RecordId,
        read_kind,
    },
};

/// The most labels that two records are given in one request.
const MAX_LABELS: usize = 20;

/// What the page tokens of a list of associations are bound to.
pub(in crate::api) fn associations_question(message: &ListAssociationsRequest) -> Question {
    let ends = [&message.object_type, &message.object_id, &message.to_object_type];
    question(&message.client_slug, ends)
}

/// The same, of a portal's slug, the type and id of the record, and the type at the other end.
pub(in crate::api) fn question(client_slug: &str, [object_type, id, to_type]: [&String; 3]) -> Question {
    Question::of(&["associations", client_slug, object_type, id, to_type])
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
    let kinds = kinds("labels", &message.labels, &mut faults);
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

/// The kinds of association in a field.
pub(super) fn kinds(named: &str, labels: &[AssociationLabel], faults: &mut Faults) -> Vec<AssociationType> {
    if labels.len() > MAX_LABELS {
        faults.add(named, format!("at most {MAX_LABELS}"));
        return Vec::new();
    }
    let mut read = Vec::with_capacity(labels.len());
    for (place, label) in labels.iter().enumerate() {
        match read_kind(label.type_id, &label.category) {
            Ok(kind) => read.push(kind),
            Err((field, rule)) => faults.add(format!("{named}[{place}].{field}"), rule),
        }
    }
    read
}

/// The most that one new record may be associated with from the start.
const MAX_NEW_ASSOCIATIONS: usize = 100;

/// What a new record is associated with, in a field.
pub(super) fn new_associations(
    named: &str,
    messages: &[message::NewAssociation],
    faults: &mut Faults,
) -> Vec<NewAssociation> {
    if messages.len() > MAX_NEW_ASSOCIATIONS {
        faults.add(named, format!("at most {MAX_NEW_ASSOCIATIONS}"));
        return Vec::new();
    }
    let mut read = Vec::with_capacity(messages.len());
    for (place, message) in messages.iter().enumerate() {
        let field = |name: &str| format!("{named}[{place}].{name}");
        let object_type = faults.keep(&field("object_type"), ObjectType::read(&message.object_type));
        let id = faults.keep(&field("object_id"), RecordId::read(&message.object_id));
        let kind = read_kind(message.type_id, &message.category);
        let kind = kind.map_err(|(name, rule)| faults.add(field(name), rule)).ok();
        read.extend(
            object_type
                .zip(id)
                .zip(kind)
                .map(|((object_type, id), kind)| NewAssociation {
                    object_type,
                    id,
                    kind,
                }),
        );
    }
    read
}
