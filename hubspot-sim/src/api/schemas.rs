//! What types of records the account has: its own, and by name any other.

use serde_json::{Value, json};

use super::{Call, property_body};
use crate::clock::iso;
use crate::errors::{self, Problem};
use crate::lock::lock;
use crate::objects::Crm;
use crate::objects::kind::ObjectType;
use crate::objects::properties::label_of;
use crate::objects::standard::Required;
use crate::reply::Reply;

/// Types have no history here: all came into being at the same time, 2024-01-15.
const SINCE: i64 = 1_705_312_800_000_000;

/// Answers a call about all custom types, or about one type.
pub(super) fn answer(call: &Call<'_>, name: Option<&str>) -> Result<Reply, Problem> {
    if call.method != "GET" {
        return Err(errors::method_not_allowed());
    }
    let Some(name) = name else {
        call.need(ObjectType::Custom(0).facts().schema_read)?;
        let mut crm = lock(&call.portal.crm);
        let numbers: Vec<u32> = crm.custom.keys().copied().collect();
        let own = numbers
            .into_iter()
            .map(|number| render(&mut crm, ObjectType::Custom(number)));
        let results: Vec<Value> = own.collect();
        return Ok(Reply::json(200, &json!({ "results": results })));
    };
    let kind = call.kind(name)?;
    call.need(kind.facts().schema_read)?;
    Ok(Reply::json(200, &render(&mut lock(&call.portal.crm), kind)))
}

fn render(crm: &mut Crm, kind: ObjectType) -> Value {
    let definitions = crm.table(kind).schema.definitions(false);
    let properties: Vec<Value> = definitions
        .iter()
        .map(|definition| property_body::render(crm, kind, definition))
        .collect();
    let associations = associations(crm, kind);
    let (qualified, own) = (crm.name_of(kind), own_words(crm, kind));
    let table = crm.table(kind);
    let required = match &kind.facts().required {
        Required::All(names) => names.to_vec(),
        Required::AnyOf(_) => Vec::new(),
    };
    let demanded = table.demanded.iter().map(String::as_str);
    let required: Vec<&str> = required.into_iter().chain(demanded).collect();
    json!({
        "id": kind.type_id().rsplit('-').next(),
        "objectTypeId": kind.type_id(),
        "fullyQualifiedName": qualified,
        "name": own.name,
        "labels": { "singular": own.singular, "plural": own.plural },
        "primaryDisplayProperty": table.schema.defaults.first(),
        "secondaryDisplayProperties": [],
        "requiredProperties": required,
        "searchableProperties": table.schema.searchable,
        "properties": properties,
        "associations": associations,
        "metaType": if kind.is_custom() { "PORTAL_SPECIFIC" } else { "HUBSPOT" },
        "archived": false,
        "createdAt": iso(SINCE),
        "updatedAt": iso(SINCE),
    })
}

struct Words {
    name: String,
    singular: String,
    plural: String,
}

fn own_words(crm: &Crm, kind: ObjectType) -> Words {
    let custom = match kind {
        ObjectType::Custom(number) => crm.custom.get(&number),
        _ => None,
    };
    let facts = kind.facts();
    match custom {
        Some(spec) => Words {
            name: spec.name.clone(),
            singular: spec.singular.clone(),
            plural: spec.plural.clone(),
        },
        None => Words {
            name: facts.singular.to_uppercase(),
            singular: label_of(facts.singular),
            plural: label_of(facts.plural),
        },
    }
}

/// The plain associations with other types, in both directions.
fn associations(crm: &Crm, kind: ObjectType) -> Vec<Value> {
    let custom = crm.custom.keys().map(|number| ObjectType::Custom(*number));
    let others = ObjectType::ALL.into_iter().chain(custom);
    others
        .flat_map(|other| [(kind, other), (other, kind)])
        .filter_map(|(from, to)| {
            let label = crm.associations.labels.plain(from, to)?;
            Some(json!({
                "id": label.id.1.to_string(),
                "fromObjectTypeId": from.type_id(),
                "toObjectTypeId": to.type_id(),
                "name": label.name,
            }))
        })
        .collect()
}
