//! What a contact is known by that is to be erased: it is asked for before, for one that is gone cannot be asked for it.

use std::{collections::BTreeSet, sync::Arc};

use hubkeep_core::error::{ErrorReason, ServiceError as _};

use super::addresses::apart;
use crate::{
    call::{Call, Error, Next, Proven},
    crm::{ADDRESSES, Answer, Ask, PropertyName, PropertyNames, RecordKey, Wanted},
    suppression::Known,
};

/// What is known of a contact that is to be erased.
#[derive(Default)]
pub(super) struct Contact {
    id: String,
    addresses: BTreeSet<String>,
}

impl Contact {
    /// As it is named, before HubSpot is asked.
    fn named(key: &RecordKey) -> Self {
        let mut contact = Self::default();
        match key.id_property {
            Some(_) => drop(contact.addresses.insert(key.id.as_str().to_owned())),
            None => key.id.as_str().clone_into(&mut contact.id),
        }
        contact
    }

    pub(super) fn known(&self) -> Vec<Known<'_>> {
        let id = Some(self.id.as_str()).filter(|id| !id.is_empty());
        let addresses = self.addresses.iter().map(|address| Known::Address(address));
        id.map(Known::Id).into_iter().chain(addresses).collect()
    }
}

/// A contact's id, the addresses that it has and those that it ever had, as far as HubSpot tells; also of one that is archived:
/// HubSpot erases that too. Of one that is not there no more is known than how it is named.
pub(super) async fn look_at(
    call: &mut Call<Proven>,
    key: &Arc<RecordKey>,
    next: &Next<Call<Proven>>,
) -> Result<Contact, Error> {
    let mut contact = Contact::named(key);
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
            Ok(Answer::Object(found)) => {
                let now = found.properties.into_values();
                let past = found.history.into_values().flatten();
                for value in now.chain(past.filter_map(|past| past.value)) {
                    contact.addresses.extend(apart(&value).map(str::to_owned));
                }
                contact.id = found.id;
                return Ok(contact);
            }
            Ok(_) => return Err(Error::WrongAnswer),
            Err(error) if error.reason() == ErrorReason::ObjectNotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(contact)
}
