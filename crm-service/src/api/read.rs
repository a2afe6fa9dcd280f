//! Messages read into the words of the CRM. Every broken rule of a message is told at once.

mod many;
mod pairs;
mod pipeline;
mod related;
mod schema;

use std::{collections::BTreeSet, sync::Arc};

pub(super) use many::{
    batch_archive, batch_create, batch_read, batch_update, erase_contact, merge_objects, upsert,
};
pub(super) use pairs::{
    Part, batch_create_associations, batch_read_associations, batch_remove_association_labels,
    batch_remove_associations,
};
pub(super) use pipeline::{
    archive_pipeline, archive_pipeline_stage, create_pipeline, create_pipeline_stage, update_pipeline,
    update_pipeline_stage,
};
pub(super) use related::{
    associations_question, create_association, list_association_labels, list_associations, question,
    remove_association,
};
pub(super) use schema::{
    archive_property, create_property, get_object_type, get_pipeline, get_property, list_object_types,
    list_pipelines, list_properties, update_property,
};

use hubkeep_proto::crm::v1::{
    ArchiveObjectRequest, CreateObjectRequest, Filter, FilterGroup, FilterOperator, GetObjectRequest,
    GetOwnerRequest, ListObjectsRequest, ListOwnersRequest, SearchObjectsRequest, Sort, UpdateObjectRequest,
};

use self::related::new_associations;
use super::entrance::{Read, meant};
use crate::crm::{
    Ask, Condition, Faults, HISTORY_PAGE, LIST_PAGE, OWNER_PAGE, ObjectType, OwnerKey, PropertyName,
    Question, RecordId, RecordKey, SEARCH_PAGE, Search, Wanted, read_history, read_names, read_values,
};

pub(super) fn get_object(message: &GetObjectRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let key = record_key(
        &message.object_type,
        &message.object_id,
        &message.id_property,
        &mut faults,
    );
    let wanted = Arc::new(Wanted {
        properties: read_names("properties", &message.properties, &mut faults),
        history: read_history(&message.history_properties, &mut faults),
        associated: associated_types(&message.associated_types, &mut faults),
    });
    let archived = message.archived;
    faults.resolve(meant.zip(key.map(|key| Ask::GetObject {
        key,
        wanted,
        archived,
    })))
}

/// What the page tokens of a list are bound to.
pub(super) fn list_question(message: &ListObjectsRequest) -> Question {
    let archived = message.archived.to_string();
    Question::of(&["list", &message.client_slug, &message.object_type, &archived])
}

pub(super) fn list_objects(message: &ListObjectsRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let wanted = Arc::new(Wanted {
        properties: read_names("properties", &message.properties, &mut faults),
        history: read_history(&message.history_properties, &mut faults),
        associated: associated_types(&message.associated_types, &mut faults),
    });
    let page = match wanted.history.is_empty() {
        true => LIST_PAGE,
        false => HISTORY_PAGE,
    };
    let limit = faults.keep("page_size", page.read(message.page_size));
    let after = list_question(message).cursor(&message.page_token, &mut faults);
    let archived = message.archived;
    let ask = object_type
        .zip(limit)
        .map(|(object_type, limit)| Ask::ListObjects {
            object_type,
            wanted,
            limit,
            after,
            archived,
        });
    faults.resolve(meant.zip(ask))
}

/// What the page tokens of a search are bound to.
pub(super) fn search_question(message: &SearchObjectsRequest) -> Question {
    let filters = format!("{:?}{:?}", message.filter_groups, message.sort);
    Question::of(&[
        "search",
        &message.client_slug,
        &message.object_type,
        &message.query,
        &filters,
    ])
}

pub(super) fn search_objects(message: &SearchObjectsRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let groups = filter_groups(&message.filter_groups, &mut faults);
    let properties = read_names("properties", &message.properties, &mut faults);
    let sort = message
        .sort
        .as_ref()
        .and_then(|sort| read_sort(sort, &mut faults));
    let limit = faults.keep("page_size", SEARCH_PAGE.read(message.page_size));
    let after = search_question(message).cursor(&message.page_token, &mut faults);
    let offset = match after.map(|after| after.parse::<u64>()) {
        None => Some(0),
        Some(offset) => faults.keep("page_token", offset.map_err(|_| "is not one of a search")),
    };
    let query = (!message.query.is_empty()).then(|| message.query.clone());
    let search = object_type
        .zip(limit)
        .zip(offset)
        .map(|((object_type, limit), offset)| Search {
            object_type,
            groups,
            query,
            properties,
            sort,
            limit,
            offset,
        });
    if let Some(search) = &search {
        search.check(&mut faults);
    }
    faults.resolve(meant.zip(search.map(|search| Ask::SearchObjects(Arc::new(search)))))
}

pub(super) fn create_object(message: &CreateObjectRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let object_type = faults.keep("object_type", ObjectType::read(&message.object_type));
    let values = Arc::new(read_values("properties", &message.properties, &mut faults));
    let associations = new_associations("associations", &message.associations, &mut faults).into();
    faults.resolve(meant.zip(object_type.map(|object_type| Ask::CreateObject {
        object_type,
        values,
        associations,
    })))
}

/// The most types whose associated records come with a record.
const MAX_ASSOCIATED_TYPES: usize = 16;

pub(super) fn associated_types(names: &[String], faults: &mut Faults) -> BTreeSet<ObjectType> {
    if names.len() > MAX_ASSOCIATED_TYPES {
        faults.add("associated_types", format!("at most {MAX_ASSOCIATED_TYPES}"));
        return BTreeSet::new();
    }
    let read = |(place, name): (usize, &String)| {
        faults.keep(&format!("associated_types[{place}]"), ObjectType::read(name))
    };
    names.iter().enumerate().filter_map(read).collect()
}

pub(super) fn update_object(message: &UpdateObjectRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let key = record_key(
        &message.object_type,
        &message.object_id,
        &message.id_property,
        &mut faults,
    );
    let values = Arc::new(read_values("properties", &message.properties, &mut faults));
    faults.resolve(meant.zip(key.map(|key| Ask::UpdateObject { key, values })))
}

pub(super) fn archive_object(message: &ArchiveObjectRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let key = record_key(&message.object_type, &message.object_id, "", &mut faults);
    faults.resolve(meant.zip(key.map(|key| Ask::ArchiveObject { key })))
}

/// What the page tokens of a list of owners are bound to.
pub(super) fn owners_question(message: &ListOwnersRequest) -> Question {
    Question::of(&[
        "owners",
        &message.client_slug,
        &message.email,
        &message.archived.to_string(),
    ])
}

pub(super) fn list_owners(message: &ListOwnersRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let limit = faults.keep("page_size", OWNER_PAGE.read(message.page_size));
    let after = owners_question(message).cursor(&message.page_token, &mut faults);
    if message.email.chars().count() > MAX_EMAIL_CHARS {
        faults.add("email", format!("at most {MAX_EMAIL_CHARS} characters"));
    }
    let email = (!message.email.is_empty()).then(|| message.email.clone());
    let archived = message.archived;
    faults.resolve(meant.zip(limit.map(|limit| Ask::ListOwners {
        email,
        limit,
        after,
        archived,
    })))
}

pub(super) fn get_owner(message: &GetOwnerRequest) -> Read {
    let mut faults = Faults::default();
    let meant = meant(&message.client_slug, message.expected_portal_id, &mut faults);
    let key = owner_key(message, &mut faults);
    let archived = message.archived;
    faults.resolve(meant.zip(key.map(|key| Ask::GetOwner { key, archived })))
}

fn owner_key(message: &GetOwnerRequest, faults: &mut Faults) -> Option<OwnerKey> {
    let read = |id: &str, rule: &'static str| RecordId::read(id).map_err(|_| rule);
    match (message.owner_id.as_str(), message.user_id.as_str()) {
        (id, "") => {
            let id = read(id, "must be HubSpot's id of the owner, a number");
            faults.keep("owner_id", id).map(OwnerKey::Owner)
        }
        ("", id) => {
            let id = read(id, "must be HubSpot's id of the user, a number");
            faults.keep("user_id", id).map(OwnerKey::User)
        }
        _ => {
            faults.add(
                "user_id",
                "must be empty where owner_id is given: an owner is named by one of them",
            );
            None
        }
    }
}

/// The longest address that mail knows (RFC 5321).
const MAX_EMAIL_CHARS: usize = 254;

fn record_key(object_type: &str, id: &str, id_property: &str, faults: &mut Faults) -> Option<Arc<RecordKey>> {
    let object_type = faults.keep("object_type", ObjectType::read(object_type));
    let id = match id_property {
        "" => RecordId::read(id),
        _ => RecordId::read_value_in_path(id),
    };
    let id = faults.keep("object_id", id);
    let id_property = match id_property {
        "" => None,
        name => faults.keep("id_property", PropertyName::read(name)),
    };
    object_type.zip(id).map(|(object_type, id)| {
        Arc::new(RecordKey {
            object_type,
            id,
            id_property,
        })
    })
}

fn read_sort(sort: &Sort, faults: &mut Faults) -> Option<(PropertyName, bool)> {
    let property = faults.keep("sort.property", PropertyName::read(&sort.property))?;
    Some((property, sort.descending))
}

pub(super) fn filter_groups(groups: &[FilterGroup], faults: &mut Faults) -> Vec<Vec<Condition>> {
    let mut read = Vec::with_capacity(groups.len());
    for (place, group) in groups.iter().enumerate() {
        let field = |inner| format!("filter_groups[{place}].filters[{inner}]");
        let conditions = group.filters.iter().enumerate();
        read.push(
            conditions
                .filter_map(|(inner, filter)| condition(&field(inner), filter, faults))
                .collect(),
        );
    }
    read
}

/// What an operator compares with.
enum Operand {
    Nothing,
    One,
    Range,
    Many,
}

fn condition(field: &str, filter: &Filter, faults: &mut Faults) -> Option<Condition> {
    let property = faults.keep(&format!("{field}.property"), PropertyName::read(&filter.property));
    let operator = faults.keep(&format!("{field}.operator"), operator(filter.operator()));
    let (property, (operator, operand)) = property.zip(operator)?;
    let empty = Condition {
        property,
        operator,
        value: None,
        high_value: None,
        values: None,
    };
    let mut given = |name: &str, value: &String| {
        if value.is_empty() {
            faults.add(format!("{field}.{name}"), "this operator needs it");
        }
        Some(value.clone())
    };
    Some(match operand {
        Operand::Nothing => empty,
        Operand::One => Condition {
            value: given("value", &filter.value),
            ..empty
        },
        Operand::Range => Condition {
            value: given("value", &filter.value),
            high_value: given("high_value", &filter.high_value),
            ..empty
        },
        Operand::Many => Condition {
            values: Some(filter.values.clone()),
            ..empty
        },
    })
}

fn operator(operator: FilterOperator) -> Result<(&'static str, Operand), &'static str> {
    match operator {
        FilterOperator::Unspecified => Err("must be one of the operators"),
        FilterOperator::Eq => Ok(("EQ", Operand::One)),
        FilterOperator::Neq => Ok(("NEQ", Operand::One)),
        FilterOperator::Lt => Ok(("LT", Operand::One)),
        FilterOperator::Lte => Ok(("LTE", Operand::One)),
        FilterOperator::Gt => Ok(("GT", Operand::One)),
        FilterOperator::Gte => Ok(("GTE", Operand::One)),
        FilterOperator::Between => Ok(("BETWEEN", Operand::Range)),
        FilterOperator::In => Ok(("IN", Operand::Many)),
        FilterOperator::NotIn => Ok(("NOT_IN", Operand::Many)),
        FilterOperator::HasProperty => Ok(("HAS_PROPERTY", Operand::Nothing)),
        FilterOperator::NotHasProperty => Ok(("NOT_HAS_PROPERTY", Operand::Nothing)),
        FilterOperator::ContainsToken => Ok(("CONTAINS_TOKEN", Operand::One)),
        FilterOperator::NotContainsToken => Ok(("NOT_CONTAINS_TOKEN", Operand::One)),
    }
}

#[cfg(test)]
mod tests;
