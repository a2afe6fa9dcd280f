//! What differs between HubSpot's types of record: where they keep their pipeline, and what an answer carries when
//! nothing is asked for by name.

use super::names::{ObjectType, PropertyName, PropertyNames};

/// Who owns a record, of whichever type.
pub(super) const OWNER: &str = "hubspot_owner_id";

/// Types whose records are in pipelines and keep that in `hs_pipeline`, each by its name and its id. Custom types are
/// others of that kind.
const WITH_PIPELINES: [(&str, &str); 8] = [
    ("tickets", "0-5"),
    ("orders", "0-123"),
    ("leads", "0-136"),
    ("services", "0-162"),
    ("courses", "0-410"),
    ("listings", "0-420"),
    ("appointments", "0-421"),
    ("projects", "0-970"),
];

/// Names and ids that mean deals, which were there before there was a rule for such names.
const DEALS: [&str; 2] = ["deals", "0-3"];

/// The property that says in which pipeline a record of the type is; `None` if they are in none, or it is not known of
/// them.
pub(super) fn pipeline_property(object_type: &ObjectType) -> Option<&'static str> {
    of_pipelines(object_type, "pipeline", "hs_pipeline")
}

/// The property that says in which stage of its pipeline a record is.
pub(super) fn stage_property(object_type: &ObjectType) -> Option<&'static str> {
    of_pipelines(object_type, "dealstage", "hs_pipeline_stage")
}

fn of_pipelines(
    object_type: &ObjectType,
    of_deals: &'static str,
    of_others: &'static str,
) -> Option<&'static str> {
    let name = object_type.as_str();
    if DEALS.contains(&name) {
        return Some(of_deals);
    }
    let is_known = WITH_PIPELINES
        .iter()
        .any(|(known, id)| [*known, *id].contains(&name));
    (is_known || object_type.is_custom()).then_some(of_others)
}

/// What an answer carries, beside the record's id and times, when no property is asked for by name: as HubSpot documents it.
/// For types that are not here it is nothing else.
fn default_properties(object_type: &ObjectType) -> &'static [&'static str] {
    match object_type.as_str() {
        "contacts" => &["email", "firstname", "lastname"],
        "companies" => &["domain", "name"],
        "deals" => &["amount", "closedate", "dealname", "dealstage", "pipeline"],
        "tickets" => &[
            "content",
            "hs_pipeline",
            "hs_pipeline_stage",
            "hs_ticket_category",
            "hs_ticket_priority",
            "subject",
        ],
        "products" => &["description", "name", "price"],
        "line_items" => &["amount", "price", "quantity"],
        "quotes" => &["hs_expiration_date", "hs_public_url_key", "hs_status", "hs_title"],
        _ => &[],
    }
}

/// The properties to ask for where `wanted` are, and `also` must come with them. HubSpot cannot be asked for its default
/// properties and others at once: where the default ones are wanted, they are named.
pub fn all_of(object_type: &ObjectType, wanted: &PropertyNames, also: &PropertyNames) -> PropertyNames {
    let mut all = shown_of(object_type, wanted);
    all.extend(also.iter().cloned());
    all
}

/// The properties that an answer shows where `wanted` are, beside those that come with every answer.
pub fn shown_of(object_type: &ObjectType, wanted: &PropertyNames) -> PropertyNames {
    match wanted.is_empty() {
        true => default_properties(object_type)
            .iter()
            .map(|name| PropertyName::known(name))
            .collect(),
        false => wanted.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_keeps_its_pipeline_in_one_place_however_it_is_named() {
        let table = [
            ("deals", Some("pipeline")),
            ("0-3", Some("pipeline")),
            ("tickets", Some("hs_pipeline")),
            ("0-5", Some("hs_pipeline")),
            ("leads", Some("hs_pipeline")),
            ("0-136", Some("hs_pipeline")),
            ("0-123", Some("hs_pipeline")),
            ("2-1234567", Some("hs_pipeline")),
            ("p42_cars", Some("hs_pipeline")),
            ("contacts", None),
            ("notes", None),
            ("0-7777", None),
        ];
        for (name, property) in table {
            let object_type = ObjectType::read(name).expect("a type");
            assert_eq!(pipeline_property(&object_type), property, "{name}");
            assert_eq!(
                stage_property(&object_type).is_some(),
                property.is_some(),
                "{name}"
            );
        }
    }
}
