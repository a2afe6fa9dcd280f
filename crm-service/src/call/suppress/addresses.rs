//! The addresses in what is written to contacts, and in what is said of them.

use std::collections::BTreeMap;

use crate::crm::{ADDRESSES, Ask, BatchWork, PropertyName, PropertyValues, RecordId};

/// What stands between the addresses of a contact.
const BETWEEN: char = ';';

/// The addresses that one value holds.
pub(super) fn apart(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(BETWEEN)
        .map(str::trim)
        .filter(|address| !address.is_empty())
}

/// The addresses that are written, each with the place of its input.
pub(super) fn written(ask: &Ask) -> Vec<(usize, &str)> {
    match ask {
        Ask::CreateObject { values, .. } | Ask::UpdateObject { values, .. } => among(0, values).collect(),
        Ask::Batch(batch) => match &batch.work {
            BatchWork::Create(inputs) => {
                let inputs = inputs.iter().enumerate();
                inputs
                    .flat_map(|(place, input)| among(place, &input.values))
                    .collect()
            }
            BatchWork::Update { changes, .. } => of_changes(changes, false),
            BatchWork::Upsert { changes, id_property } => of_changes(changes, is_of_addresses(id_property)),
            BatchWork::Read { .. } | BatchWork::Archive(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn of_changes(changes: &[(RecordId, PropertyValues)], by_address: bool) -> Vec<(usize, &str)> {
    let each = changes.iter().enumerate().flat_map(|(place, (id, values))| {
        let ids = by_address.then(|| apart(id.as_str()));
        let ids = ids.into_iter().flatten().map(move |address| (place, address));
        among(place, values).chain(ids)
    });
    each.collect()
}

/// HubSpot's own names are in small letters; whether it takes others for them, nobody says.
fn is_of_addresses(name: &PropertyName) -> bool {
    ADDRESSES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name.as_str()))
}

/// The addresses among a contact's properties.
pub(in crate::call) fn addresses_in(properties: &BTreeMap<String, String>) -> impl Iterator<Item = &str> {
    let addresses = properties
        .iter()
        .filter(|(name, _)| ADDRESSES.iter().any(|known| known.eq_ignore_ascii_case(name)));
    addresses.flat_map(|(_, value)| apart(value))
}

fn among(place: usize, values: &PropertyValues) -> impl Iterator<Item = (usize, &str)> {
    let addresses = values
        .iter()
        .filter(|(name, _)| is_of_addresses(name))
        .flat_map(|(_, value)| apart(value));
    addresses.map(move |address| (place, address))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::crm::{Batch, ObjectType, RecordKey};

    fn values(pairs: &[(&str, &str)]) -> PropertyValues {
        let pair =
            |(name, value): &(&str, &str)| (PropertyName::read(name).expect("a name"), (*value).to_owned());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn every_address_that_is_written_is_looked_up() {
        let contacts = ObjectType::contacts();
        let create = Ask::CreateObject {
            object_type: contacts.clone(),
            values: Arc::new(values(&[
                ("email", "ann@example.com"),
                ("hs_additional_emails", "a@example.com; b@example.com;"),
                ("firstname", "ann@example.com"),
            ])),
            associations: Arc::from([]),
        };
        let addresses = [(0, "ann@example.com"), (0, "a@example.com"), (0, "b@example.com")];
        assert_eq!(written(&create), addresses);
        let id = RecordId::read_value("cy@example.com").expect("a value");
        let upsert = |by: &str| {
            Ask::Batch(Arc::new(Batch {
                object_type: contacts.clone(),
                work: BatchWork::Upsert {
                    changes: vec![
                        (id.clone(), values(&[("firstname", "Cy")])),
                        (id.clone(), values(&[("email", "dee@example.com")])),
                    ],
                    id_property: PropertyName::read(by).expect("a name"),
                },
            }))
        };
        assert_eq!(
            written(&upsert("email")),
            [
                (0, "cy@example.com"),
                (1, "dee@example.com"),
                (1, "cy@example.com")
            ]
        );
        assert_eq!(written(&upsert("customer_number")), [(1, "dee@example.com")]);
        assert_eq!(written(&upsert("Email")), written(&upsert("email")));
        let several = RecordId::read_value("fay@example.com; cy@example.com").expect("a value");
        let changes = [(several, values(&[("firstname", "Fay")]))];
        assert_eq!(
            of_changes(&changes, true),
            [(0, "fay@example.com"), (0, "cy@example.com")]
        );
    }

    #[test]
    fn an_address_is_looked_up_however_its_property_is_written() {
        let update = |name: &str| Ask::UpdateObject {
            key: Arc::new(RecordKey {
                object_type: ObjectType::contacts(),
                id: RecordId::read("101").expect("an id"),
                id_property: None,
            }),
            values: Arc::new(values(&[(name, "ann@example.com")])),
        };
        for name in ["email", "Email", "EMAIL", "HS_Additional_Emails"] {
            assert_eq!(written(&update(name)), [(0, "ann@example.com")], "{name}");
        }
        assert!(written(&update("email_2")).is_empty());
    }
}
