//! Keeps those who were erased from being created again, and remembers them when they are.
//!
//! The list is looked at twice: before a call costs anything, and when it has paid, which may be long after. Whoever is erased
//! between that second look and the moment at which HubSpot receives the call is not kept away: an erasure puts its addresses on
//! the list, then waits for its own place and its own record, before it is sent.

use std::{collections::BTreeSet, sync::Arc};

use hubkeep_core::{
    error::{ErrorReason, ServiceError as _},
    id::PortalId,
};

use super::{Admitted, Call, Counted, Error, Next, Proven, Reply, Step};
use crate::{
    crm::{
        ADDRESSES, Answer, Ask, BatchWork, ObjectType, PropertyName, PropertyNames, PropertyValues, RecordId,
        RecordKey, Wanted,
    },
    suppression::{Added, Suppression},
};

/// What stands between the addresses of a contact.
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
        if writes_contacts(&call.ask) {
            let portal = call.authority.grant().portal().portal_id();
            Box::pin(hold_back(&self.suppression, portal, &call.ask)).await?;
        }
        next.run(call).await
    }
}

/// The second look. Stands between what pays and what sends: a call may have waited for its place, or between two attempts, while
/// somebody was erased.
#[derive(Debug)]
pub struct StillSuppress {
    suppression: Suppression,
}

impl StillSuppress {
    /// Those who were erased stand on this list.
    pub const fn new(suppression: Suppression) -> Self {
        Self { suppression }
    }
}

impl Step<Admitted<Call<Counted>>> for StillSuppress {
    type Out = Admitted<Call<Counted>>;

    async fn take(
        &self,
        admitted: Admitted<Call<Counted>>,
        next: &Next<Admitted<Call<Counted>>>,
    ) -> Result<Reply, Error> {
        let call = admitted.call();
        if writes_contacts(&call.ask) {
            let portal = call.authority.grant().portal().portal_id();
            Box::pin(hold_back(&self.suppression, portal, &call.ask)).await?;
        }
        next.run(admitted).await
    }
}

fn writes_contacts(ask: &Ask) -> bool {
    !ask.is_read() && ask.object_type() == ObjectType::contacts()
}

/// Refuses what would create again who was erased.
async fn hold_back(suppression: &Suppression, portal: PortalId, ask: &Ask) -> Result<(), Error> {
    let written = written(ask);
    // Nothing is looked up for a write that names no address: it goes on though the list cannot be read.
    if written.is_empty() {
        return Ok(());
    }
    let addresses: Vec<&str> = written.iter().map(|(_, address)| *address).collect();
    let found = suppression.first_of(portal, &addresses).await?;
    match found.and_then(|place| written.get(place)) {
        Some((input, _)) => Err(Error::ContactErased { input: *input }),
        None => Ok(()),
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
        let added = self.suppression.add(portal, &addresses, call.call_id).await?;
        let result = next.run(call).await;
        match &result {
            Ok(_) => self.keep(&added).await,
            Err(error) if !may_have_happened(error) => self.take_back(&added).await,
            // They stay for as long as that is not known.
            Err(_) => {}
        }
        result
    }

    /// Who was erased is written no more. They are on the list already.
    async fn keep(&self, added: &Added) {
        if let Err(error) = self.suppression.keep(added).await {
            tracing::error!(%error, "addresses of an erased contact stay on the list as if its erasure had not ended");
        }
    }

    /// Who was not erased may be written.
    async fn take_back(&self, added: &Added) {
        if let Err(error) = self.suppression.take_back(added).await {
            tracing::error!(%error, "addresses stay on the list of erased contacts, and none was erased");
        }
    }
}

/// The addresses that a contact has and those that it ever had, as far as HubSpot tells; also of one that is archived: HubSpot
/// erases that too. One that is not there has none.
async fn addresses_of(
    call: &mut Call<Proven>,
    key: &Arc<RecordKey>,
    next: &Next<Call<Proven>>,
) -> Result<Vec<String>, Error> {
    for archived in [false, true] {
        let names: PropertyNames = ADDRESSES
            .iter()
            .filter_map(|name| PropertyName::read(name).ok())
            .collect();
        let look = Ask::GetObject {
            key: key.clone(),
            wanted: Arc::new(Wanted {
                history: names.clone(),
                ..Wanted::properties(names)
            }),
            archived,
        };
        match call.ask_aside(look, next).await {
            Ok(Answer::Object(contact)) => {
                let now = contact.properties.into_values();
                let past = contact.history.into_values().flatten();
                let values = now.chain(past.filter_map(|past| past.value));
                let each = values.flat_map(|value| apart(&value).map(str::to_owned).collect::<Vec<_>>());
                let each: BTreeSet<String> = each.collect();
                return Ok(each.into_iter().collect());
            }
            Ok(_) => return Err(Error::WrongAnswer),
            Err(error) if error.reason() == ErrorReason::ObjectNotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Vec::new())
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

fn among(place: usize, values: &PropertyValues) -> impl Iterator<Item = (usize, &str)> {
    let addresses = values
        .iter()
        .filter(|(name, _)| is_of_addresses(name))
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
