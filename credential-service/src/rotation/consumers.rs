//! Who runs on tokens of portals, and where they are told of rotations.

use std::{collections::BTreeSet, fmt, time::Duration};

use hubkeep_core::{
    clock::Timestamp,
    database::Transaction,
    id::{CallerName, ClientSlug},
};
use hubkeep_seal::{Owner, Place, Purpose};
use hubkeep_webhook::{Address, Secret};
use secrecy::{ExposeSecret as _, SecretString};

use super::{
    Error, Rotations,
    store::{
        consumers::{self as store, COLUMN, Stored, TABLE},
        tasks,
    },
};
use crate::record::Act;

/// How long a consumer has for a rotation, unless it is said otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(24 * 3_600);
/// What stands for all portals.
const ALL: &str = "*";

/// The portals whose rotations concern a consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Portals {
    /// All of them.
    All,
    /// These, in order of their slugs; none where a consumer names portals by tags alone.
    Only(Vec<ClientSlug>),
}

impl Portals {
    /// Whether this portal is among them.
    pub fn include(&self, client_slug: &ClientSlug) -> bool {
        match self {
            Self::All => true,
            Self::Only(slugs) => slugs.binary_search(client_slug).is_ok(),
        }
    }

    /// What is named one by one.
    fn named(&self) -> &[ClientSlug] {
        match self {
            Self::All => &[],
            Self::Only(slugs) => slugs,
        }
    }

    /// As one text: slugs with spaces between them, or a star.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::All => ALL.to_owned(),
            Self::Only(slugs) => slugs.iter().map(ClientSlug::as_str).collect::<Vec<_>>().join(" "),
        }
    }

    pub(super) fn of_text(text: &str) -> Option<Self> {
        if text == ALL {
            return Some(Self::All);
        }
        let slugs: Result<Vec<ClientSlug>, _> = text.split_terminator(' ').map(str::parse).collect();
        slugs.ok().map(Self::Only)
    }
}

/// Somebody who runs on tokens of portals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// The name by which it calls.
    pub name: CallerName,
    /// The portals whose rotations concern it.
    pub portals: Portals,
    /// How long it has for each.
    pub deadline: Duration,
    /// When it was registered.
    pub register_time: Timestamp,
}

/// A consumer as it is shown.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The consumer.
    pub consumer: Consumer,
    /// The tags by which further portals concern it, sorted.
    pub tags: Vec<String>,
    /// Where it is told, if not only by watching.
    pub address: Option<Address>,
}

/// A consumer that shall be registered.
#[derive(Debug)]
pub struct Registration {
    /// The name by which it will call.
    pub name: CallerName,
    /// The portals whose rotations concern it.
    pub portals: Portals,
    /// The tags by which further portals concern it, sorted.
    pub tags: Vec<String>,
    /// Where it is told, and the secret of the signatures where one is given.
    pub webhook: Option<(Address, Option<Secret>)>,
    /// How long it has for each rotation.
    pub deadline: Duration,
}

/// What became of it.
pub struct Registered {
    /// The consumer.
    pub listed: Listed,
    /// The secret that was made for it. Nobody can read it again.
    pub made_secret: Option<SecretString>,
}

/// Where a consumer is told, and what that is signed with.
pub(super) struct Webhook {
    pub(super) address: Address,
    pub(super) secret: Secret,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Rotations {
    /// Registers a consumer. It gets a task for each rotation from now on.
    ///
    /// # Errors
    /// If one of this name is registered with other portals, tags, address or deadline, or a slug names no portal.
    pub async fn register(&self, act: &Act, new: Registration) -> Result<Registered, Error> {
        act.subject(new.name.as_str());
        loop {
            if let Some(stored) = store::by_name(&self.database, &new.name).await? {
                return self.same_or_refused(act, stored, new).await;
            }
            let unknown = self.portals.unknown_of(new.portals.named()).await?;
            if !unknown.is_empty() {
                return Err(Error::ConsumerPortalsUnknown(unknown));
            }
            if let Some(registered) = self.insert(act, &new).await? {
                return Ok(registered);
            }
            // Somebody was quicker: what is stored now decides.
        }
    }

    /// At most `limit` consumers with a name greater than `after`, by name.
    ///
    /// # Errors
    /// If the database or the key fails.
    pub async fn consumers(&self, after: &str, limit: usize) -> Result<Vec<Listed>, Error> {
        let mut listed = Vec::new();
        for stored in store::page(&self.database, after, limit).await? {
            listed.push(self.listed(stored).await?);
        }
        Ok(listed)
    }

    /// Removes a consumer and drops its open tasks, which stay with their rotations; says how many these were.
    ///
    /// # Errors
    /// If there is none of this name, or it has open tasks and no reason is given.
    pub async fn remove_consumer(
        &self,
        act: &Act,
        name: &CallerName,
        reason: Option<&str>,
    ) -> Result<u32, Error> {
        act.subject(name.as_str());
        let mut transaction = self.revocations.begin(act).await?;
        if !store::remove(&mut transaction, name).await? {
            transaction.rollback().await?;
            return Err(Error::ConsumerUnknown(name.clone()));
        }
        let dropped = match reason {
            Some(reason) => {
                let end = self.end_by(act, reason);
                tasks::drop_of_consumer(&mut transaction, name, &end).await?
            }
            None => {
                let rotations = tasks::waiting_for(&mut transaction, name).await?;
                if !rotations.is_empty() {
                    transaction.rollback().await?;
                    let name = name.clone();
                    return Err(Error::ConsumerBehind { name, rotations });
                }
                0
            }
        };
        transaction.commit().await?;
        self.announce_state();
        Ok(u32::try_from(dropped).unwrap_or(u32::MAX))
    }

    /// Where a consumer is told, if it is registered with a webhook.
    pub(super) async fn webhook_of(&self, name: &CallerName) -> Result<Option<Webhook>, Error> {
        match store::by_name(&self.database, name).await? {
            Some(stored) => self.open(&stored).await,
            None => Ok(None),
        }
    }

    /// Whether this is a consumer.
    pub(super) async fn check_registered(&self, name: &CallerName) -> Result<(), Error> {
        let stored = store::by_name(&self.database, name).await?;
        stored
            .map(drop)
            .ok_or_else(|| Error::ConsumerUnknown(name.clone()))
    }

    async fn insert(&self, act: &Act, new: &Registration) -> Result<Option<Registered>, Error> {
        let consumer = Consumer {
            name: new.name.clone(),
            portals: new.portals.clone(),
            deadline: new.deadline,
            register_time: self.clock.now(),
        };
        let (mut webhook, mut made_secret) = (None, None);
        if let Some((address, given)) = &new.webhook {
            let revealed = match given {
                Some(secret) => secret.reveal(),
                None => made_secret.insert(Secret::make(&*self.random)?.reveal()).clone(),
            };
            // Sealed before the transaction begins: the key is made in one of its own.
            webhook = Some(self.seal(&new.name, address, &revealed).await?);
        }
        let address = new.webhook.as_ref().map(|(address, _)| address.clone());
        let tags = self.seal_tags(&new.name, &new.tags).await?;
        let stored = Stored {
            consumer,
            tags,
            webhook,
        };
        let mut transaction = self.revocations.begin(act).await?;
        if !store::insert(&mut transaction, &stored).await? {
            transaction.rollback().await?;
            return Ok(None);
        }
        transaction.commit().await?;
        let listed = Listed {
            consumer: stored.consumer,
            tags: new.tags.clone(),
            address,
        };
        Ok(Some(Registered { listed, made_secret }))
    }

    async fn same_or_refused(
        &self,
        act: &Act,
        stored: Stored,
        new: Registration,
    ) -> Result<Registered, Error> {
        let listed = self.listed(stored).await?;
        let Listed {
            consumer,
            tags,
            address,
        } = &listed;
        let same = consumer.portals == new.portals
            && *tags == new.tags
            && consumer.deadline == new.deadline
            && *address == new.webhook.as_ref().map(|(address, _)| address.clone());
        if !same {
            return Err(Error::ConsumerDiffers(new.name));
        }
        if let Some((address, Some(secret))) = &new.webhook {
            let sealed = self.seal(&new.name, address, &secret.reveal()).await?;
            let mut transaction = self.revocations.begin(act).await?;
            store::set_webhook(&mut transaction, &new.name, &sealed).await?;
            transaction.commit().await?;
        }
        Ok(Registered {
            listed,
            made_secret: None,
        })
    }

    async fn listed(&self, stored: Stored) -> Result<Listed, Error> {
        let webhook = self.open(&stored).await?;
        Ok(Listed {
            tags: self.open_tags(&stored).await?,
            consumer: stored.consumer,
            address: webhook.map(|webhook| webhook.address),
        })
    }

    /// Seals address and secret together: neither can be exchanged without the other.
    async fn seal(
        &self,
        name: &CallerName,
        address: &Address,
        secret: &SecretString,
    ) -> Result<Vec<u8>, Error> {
        let text: SecretString = format!("{}\n{}", secret.expose_secret(), address.as_str()).into();
        Ok(self
            .keyring
            .seal(&place(name), text.expose_secret().as_bytes())
            .await?)
    }

    async fn open(&self, stored: &Stored) -> Result<Option<Webhook>, Error> {
        let Some(sealed) = &stored.webhook else {
            return Ok(None);
        };
        let name = &stored.consumer.name;
        let opened = self.keyring.open(&place(name), sealed).await?;
        let read = std::str::from_utf8(&opened).ok().and_then(|text| {
            let (secret, address) = text.split_once('\n')?;
            Some(Webhook {
                address: address.parse().ok()?,
                secret: Secret::parse(secret).ok()?,
            })
        });
        read.map(Some).ok_or_else(|| Error::BrokenRow(name.to_string()))
    }
}

/// The consumers that a rotation of this portal concerns, by its slug or as those that are `tagged`.
pub(super) async fn concerned(
    transaction: &mut Transaction,
    client_slug: &ClientSlug,
    tagged: &BTreeSet<CallerName>,
) -> Result<Vec<Stored>, Error> {
    let mut all = store::all(transaction).await?;
    all.retain(|Stored { consumer, .. }| {
        consumer.portals.include(client_slug) || tagged.contains(&consumer.name)
    });
    Ok(all)
}

fn place(name: &CallerName) -> Place<'_> {
    Place {
        owner: Owner::Service,
        purpose: Purpose::Webhook,
        table: TABLE,
        column: COLUMN,
        row: name.as_str(),
        client_slug: "",
        kind: "webhook",
        generation: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portals_of_a_consumer_survive_being_stored() {
        let slug = |text: &str| text.parse::<ClientSlug>().expect("valid");
        let some = Portals::Only(vec![slug("acme"), slug("globex")]);
        for portals in [Portals::All, Portals::Only(Vec::new()), some.clone()] {
            assert_eq!(Portals::of_text(&portals.to_text()), Some(portals));
        }
        assert!(some.include(&slug("globex")) && !some.include(&slug("umbra")));
        assert!(Portals::All.include(&slug("umbra")));
        assert_eq!(Portals::of_text("acme *"), None);
    }
}
