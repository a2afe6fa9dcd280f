//! What calls about records and calls about associations share: naming records and types of association in a body, and
//! showing associations.

use serde_json::{Map, Value, json};

use super::Call;
use crate::errors::{self, Problem};
use crate::objects::Crm;
use crate::objects::associations::Named;
use crate::objects::kind::ObjectType;
use crate::objects::labels::{Category, Label, TypeId};

/// An answer about a record shows at most this many associations of a type.
pub(super) const MOST_SHOWN: usize = 500;

/// A record to associate with, and how.
pub(super) type Link = (Named, Vec<TypeId>);

/// An id, which may be a string or a number.
pub(super) fn text_of(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => String::new(),
    }
}

/// A record that can be associated: it must be there.
pub(super) fn record(crm: &Crm, kind: ObjectType, id: &str) -> Result<Named, Problem> {
    let found = id.parse().ok().filter(|id| crm.has(kind, *id));
    let label = crm.singular_of(kind).to_uppercase();
    found
        .map(|id| (kind, id))
        .ok_or_else(|| errors::not_associable(&label, id))
}

/// Types of association in a body; without one there is nothing to do.
pub(super) fn types(given: Option<&Value>) -> Result<Vec<TypeId>, Problem> {
    let given = given
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    if given.is_empty() {
        return Err(errors::invalid("At least one association type is needed"));
    }
    given.iter().map(type_of).collect()
}

fn type_of(given: &Value) -> Result<TypeId, Problem> {
    let category = given.get("associationCategory").and_then(Value::as_str);
    let number = text_of(given.get("associationTypeId")).parse().ok();
    category.and_then(Category::parse).zip(number).ok_or_else(|| {
        errors::invalid("Invalid input JSON: an association type needs its category and its id")
    })
}

/// Refuses types of association that are not between these types of records.
pub(super) fn known(crm: &Crm, from: ObjectType, to: ObjectType, types: &[TypeId]) -> Result<(), Problem> {
    let (from_name, to_name) = (from.type_id(), to.type_id());
    if crm.associations.labels.plain(from, to).is_none() {
        return Err(errors::no_such_association(&from_name, &to_name, None));
    }
    match crm.associations.unknown(from, to, types) {
        Some((_, number)) => Err(errors::no_such_association(&from_name, &to_name, Some(number))),
        None => Ok(()),
    }
}

/// What a new record shall be associated with. The types of association tell which types of records are meant.
pub(super) fn asked(crm: &Crm, kind: ObjectType, given: Option<&Value>) -> Result<Vec<Link>, Problem> {
    let given = given
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    given
        .iter()
        .map(|one| {
            let types = types(one.get("types"))?;
            let first = types.first().copied().unwrap_or((Category::HubSpot, 0));
            let to = crm.associations.labels.leads_to(kind, first);
            let to =
                to.ok_or_else(|| errors::no_such_association(&kind.type_id(), "any type", Some(first.1)))?;
            known(crm, kind, to, &types)?;
            let id = text_of(one.get("to").and_then(|to| to.get("id")));
            Ok((record(crm, to, &id)?, types))
        })
        .collect()
}

/// Associates a new record as it was asked.
pub(super) fn tie(crm: &mut Crm, record: Named, links: &[Link]) {
    for (to, types) in links {
        crm.associations.set(record, *to, types);
    }
}

/// The types whose associations a call wants to see with its records.
pub(super) fn wanted(call: &Call<'_>) -> Result<Vec<ObjectType>, Problem> {
    let names = call.query.list("associations");
    let kinds: Result<Vec<ObjectType>, Problem> = names.iter().map(|name| call.kind(name)).collect();
    let kinds = kinds?;
    for kind in &kinds {
        call.reading(*kind)?;
    }
    Ok(kinds)
}

/// Adds a record's associations of these types. One that is called several things is there several times.
pub(super) fn add(crm: &Crm, shown: &mut Value, record: Named, kinds: &[ObjectType]) {
    let mut groups = Map::new();
    for to in kinds {
        let partners = crm.associated(record.0, record.1, *to);
        if partners.is_empty() {
            continue;
        }
        let rows: Vec<Value> = partners
            .iter()
            .take(MOST_SHOWN)
            .flat_map(|(id, labels)| {
                let row = |label: &&Label| json!({ "id": id.to_string(), "type": label.name });
                labels.iter().map(row).collect::<Vec<_>>()
            })
            .collect();
        let mut group = json!({ "results": rows });
        if let (Some((last, _)), Some(fields)) = (partners.get(MOST_SHOWN - 1), group.as_object_mut())
            && partners.len() > MOST_SHOWN
        {
            let next = json!({ "next": { "after": last.to_string(), "link": format!("?after={last}") } });
            fields.insert("paging".to_owned(), next);
        }
        groups.insert(crm.name_of(*to), group);
    }
    if let Some(fields) = shown.as_object_mut().filter(|_| !groups.is_empty()) {
        fields.insert("associations".to_owned(), Value::Object(groups));
    }
}

/// One associated record, as the associations API shows it.
pub(super) fn partner(id: u64, labels: &[&Label]) -> Value {
    let types: Vec<Value> = labels.iter().map(|label| label.render()).collect();
    json!({ "toObjectId": id.to_string(), "associationTypes": types })
}

/// Two records that have just been given labels.
pub(super) fn labelled(crm: &Crm, from: Named, to: Named) -> Value {
    let partners = crm.associated(from.0, from.1, to.0);
    let own = partners.iter().find(|(id, _)| *id == to.1);
    let labels: Vec<&String> = own
        .into_iter()
        .flat_map(|(_, labels)| labels.iter().filter_map(|label| label.label.as_ref()))
        .collect();
    json!({
        "fromObjectTypeId": from.0.type_id(),
        "fromObjectId": from.1.to_string(),
        "toObjectTypeId": to.0.type_id(),
        "toObjectId": to.1.to_string(),
        "labels": labels,
    })
}

/// Two records that have just been associated plainly, from both sides.
pub(super) fn plainly(crm: &Crm, from: Named, to: Named) -> Vec<Value> {
    let side = |from: Named, to: Named| {
        let label = crm.associations.labels.plain(from.0, to.0)?;
        Some(json!({
            "from": { "id": from.1.to_string() },
            "to": { "id": to.1.to_string() },
            "associationSpec": {
                "associationCategory": label.id.0.name(),
                "associationTypeId": label.id.1,
            },
        }))
    };
    [side(from, to), side(to, from)].into_iter().flatten().collect()
}

/// Refuses a token that may not read both types.
pub(super) fn reading(call: &Call<'_>, kinds: [ObjectType; 2]) -> Result<(), Problem> {
    kinds.into_iter().try_for_each(|kind| call.reading(kind))
}

/// Refuses a token that may not write both types.
pub(super) fn writing(call: &Call<'_>, kinds: [ObjectType; 2]) -> Result<(), Problem> {
    kinds.into_iter().try_for_each(|kind| call.writing(kind))
}
