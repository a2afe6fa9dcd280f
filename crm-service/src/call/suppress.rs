//! Keeps those who were erased from being created again, and remembers them when they are.

use std::sync::Arc;

use hubkeep_core::error::{ErrorReason, ServiceError as _};

use super::{Call, Error, Next, Proven, Reply, Step};
use crate::{
    crm::{Answer, Ask, BatchWork, ObjectType, PropertyName, PropertyValues, RecordId, RecordKey, Wanted},
    suppression::{Added, Suppression},
};

/// Where contacts have their addresses: one, and others between semicolons.
const ADDRESSES: [&str; 2] = ["email", "hs_additional_emails"];
const BETWEEN: char = ';';

/// The step. Stands above whatever a call pays for: what is refused here was not sent.
#[derive(Debug)]
pub struct Suppress {
    suppression: Suppression,
}

impl Suppress {
    /// Those who were erased stand on this list.
    pub const fn new(suppression: Suppression) -> Self {
        Self { suppression }
    }
}

impl Step<Call<Proven>> for Suppress {
    type Out = Call<Proven>;

    async fn take(&self, call: Call<Proven>, next: &Next<Call<Proven>>) -> Result<Reply, Error> {
        if let Ask::EraseContact { key } = &call.ask {
            let key = key.clone();
            // Large, and rare: kept apart, so that what every call carries along stays small.
            return Box::pin(self.erase(call, key, next)).await;
        }
        if !call.ask.is_read() && call.ask.object_type() == ObjectType::contacts() {
            Box::pin(self.hold_back(&call)).await?;
        }
        next.run(call).await
    }
}

impl Suppress {
    /// Puts the contact's addresses on the list before it is erased: a contact that is gone cannot be asked for them.
    async fn erase(
        &self,
        mut call: Call<Proven>,
        key: Arc<RecordKey>,
        next: &Next<Call<Proven>>,
    ) -> Result<Reply, Error> {
        let mut addresses = addresses_of(&mut call, &key, next).await?;
        if key.id_property.is_some() {
            addresses.push(key.id.as_str().to_owned());
        }
        let portal = call.authority.grant().portal().portal_id();
        let added = self.suppression.add(portal, &addresses).await?;
        let result = next.run(call).await;
        if let Err(error) = &result
            && !may_have_happened(error)
        {
            self.take_back(&added).await;
        }
        result
    }

    /// Who was not erased may be written.
    async fn take_back(&self, added: &Added) {
        if let Err(error) = self.suppression.take_back(added).await {
            tracing::error!(%error, "addresses stay on the list of erased contacts, and none was erased");
        }
    }

    /// Refuses what would create again who was erased.
    async fn hold_back(&self, call: &Call<Proven>) -> Result<(), Error> {
        let written = written(&call.ask);
        // Nothing is looked up for a write that names no address: it goes on though the list cannot be read.
        if written.is_empty() {
            return Ok(());
        }
        let addresses: Vec<&str> = written.iter().map(|(_, address)| *address).collect();
        let portal = call.authority.grant().portal().portal_id();
        let found = self.suppression.first_of(portal, &addresses).await?;
        match found.and_then(|place| written.get(place)) {
            Some((input, _)) => Err(Error::ContactErased { input: *input }),
            None => Ok(()),
        }
    }
}

/// The addresses that a contact has. One that is not there has none.
async fn addresses_of(
    call: &mut Call<Proven>,
    key: &Arc<RecordKey>,
    next: &Next<Call<Proven>>,
) -> Result<Vec<String>, Error> {
    let names = ADDRESSES.iter().filter_map(|name| PropertyName::read(name).ok());
    let look = Ask::GetObject {
        key: key.clone(),
        wanted: Arc::new(Wanted::properties(names.collect())),
        archived: false,
    };
    match call.ask_aside(look, next).await {
        Ok(Answer::Object(contact)) => {
            let values = contact.properties.into_values();
            let each = values.flat_map(|value| apart(&value).map(str::to_owned).collect::<Vec<_>>());
            Ok(each.collect())
        }
        Ok(_) => Err(Error::WrongAnswer),
        Err(error) if error.reason() == ErrorReason::ObjectNotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn apart(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(BETWEEN)
        .map(str::trim)
        .filter(|address| !address.is_empty())
}

/// Whether HubSpot may have carried out what ended so.
fn may_have_happened(error: &Error) -> bool {
    error.reached_hubspot()
        && !matches!(
            error,
            Error::HubSpot {
                error: hubkeep_hubspot::Error::Refused(..),
                ..
            }
        )
}

/// The addresses that are written, each with the place of its input.
fn written(ask: &Ask) -> Vec<(usize, &str)> {
    match ask {
        Ask::CreateObject { values, .. } | Ask::UpdateObject { values, .. } => among(0, values).collect(),
        Ask::Batch(batch) => match &batch.work {
            BatchWork::Create(inputs) => {
                let inputs = inputs.iter().enumerate();
                inputs.flat_map(|(place, values)| among(place, values)).collect()
            }
            BatchWork::Update { changes, .. } => of_changes(changes, false),
            BatchWork::Upsert { changes, id_property } => {
                of_changes(changes, ADDRESSES.contains(&id_property.as_str()))
            }
            BatchWork::Read { .. } | BatchWork::Archive(_) => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn of_changes(changes: &[(RecordId, PropertyValues)], by_address: bool) -> Vec<(usize, &str)> {
    let each = changes.iter().enumerate().flat_map(|(place, (id, values))| {
        let id = by_address.then_some((place, id.as_str()));
        among(place, values).chain(id)
    });
    each.collect()
}

fn among(place: usize, values: &PropertyValues) -> impl Iterator<Item = (usize, &str)> {
    let addresses = values
        .iter()
        .filter(|(name, _)| ADDRESSES.contains(&name.as_str()))
        .flat_map(|(_, value)| apart(value));
    addresses.map(move |address| (place, address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::Batch;

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
    }
}
