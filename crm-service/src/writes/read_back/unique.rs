//! By what a record that was to be made can be found: a property of which HubSpot lets no two records have the same value. What is
//! not found by it may be made: a second one would be refused.

use super::{EMAIL, Look};
use crate::crm::{Answer, Ask, ObjectType, PropertyName, PropertyValues, RecordId, SchemaAsk};

/// The unique property of a write, kept from one look to the next.
#[derive(Clone, Debug, Default)]
pub struct Unique(Option<Option<PropertyName>>);

impl Unique {
    /// A unique property of this type that all of these records were to have; `None` if there is none. HubSpot is asked once.
    pub(super) async fn of<L: Look>(
        &mut self,
        object_type: &ObjectType,
        inputs: &[&PropertyValues],
        look: &mut L,
    ) -> Result<Option<PropertyName>, L::Error> {
        if let Some(known) = &self.0 {
            return Ok(known.clone());
        }
        let candidates = shared(inputs);
        let address = candidates.iter().find(|name| name.as_str() == EMAIL);
        let found = match address {
            Some(email) if *object_type == ObjectType::contacts() => Some(email.clone()),
            _ if candidates.is_empty() => None,
            _ => defined(object_type, &candidates, look).await?,
        };
        self.0 = Some(found.clone());
        Ok(found)
    }
}

/// The properties of which each record was to have a value that can stand in an id's place.
fn shared(inputs: &[&PropertyValues]) -> Vec<PropertyName> {
    let Some((first, others)) = inputs.split_first() else {
        return Vec::new();
    };
    let in_all = |name: &&PropertyName| {
        let has = |values: &&PropertyValues| value(name, values).is_some();
        has(first) && others.iter().all(has)
    };
    first.keys().filter(in_all).cloned().collect()
}

/// What a record was to have of a property, as it stands in an id's place.
pub(super) fn value(name: &PropertyName, values: &PropertyValues) -> Option<RecordId> {
    let value = values.get(name)?;
    // Around an address HubSpot takes no spaces; of others it is not known, and those that have some are not looked for.
    let value = if name.as_str() == EMAIL {
        value.trim()
    } else {
        value
    };
    RecordId::read_value(value).ok()
}

async fn defined<L: Look>(
    object_type: &ObjectType,
    candidates: &[PropertyName],
    look: &mut L,
) -> Result<Option<PropertyName>, L::Error> {
    let ask = SchemaAsk::Properties {
        object_type: object_type.clone(),
        archived: false,
    };
    let Some(Answer::Properties(properties)) = look.ask(Ask::Schema(ask.into())).await? else {
        return Ok(None);
    };
    let is_unique = |name: &&PropertyName| {
        let mut defined = properties.iter();
        defined.any(|property| property.unique && !property.archived && property.name == name.as_str())
    };
    Ok(candidates.iter().find(is_unique).cloned())
}
