//! The store version: moved by every write to the vault, and told to the audit log, which lies in another database. A
//! portal whose row is older than what the log was told was restored from a backup, and is not served.
//!
//! The order is: the write is committed, then the log is told. A process that dies in between leaves the log a little
//! behind, which is no fault; it is told again at the next [look](StoreVersion::look).

mod error;
mod store;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use hubkeep_audit_log::{AuditLog, Head};
use hubkeep_core::{
    database::{Database, Transaction},
    id::{CredentialId, PortalId},
};

pub use error::Error;

/// Heads of portals are named by this and the portal's id.
const PORTAL: &str = "portal/";
/// Heads of credentials are named by this and the credential's id: the version of the token in force.
const TOKEN: &str = "token/";
/// Heads of keys that authenticate rows are named by this and the key's id.
const ROW_KEY: &str = "rows/";
/// The head of the whole store.
const STORE: &str = "store";

/// What the log was last told of a portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownHead {
    /// The store version at which it was last written.
    pub store_version: u64,
    /// Whether it was erased.
    pub erased: bool,
}

/// The store version, and what the log was told of it.
#[derive(Clone, Debug)]
pub struct StoreVersion {
    database: Database,
    log: AuditLog,
    heads: Arc<RwLock<HashMap<PortalId, KnownHead>>>,
    tokens: Arc<RwLock<HashMap<CredentialId, u64>>>,
}

impl StoreVersion {
    /// The store version of this database, whose heads are on this log. Looks at them.
    ///
    /// # Errors
    /// If either cannot be read.
    pub async fn open(database: Database, log: AuditLog) -> Result<Self, Error> {
        let version = Self {
            database,
            log,
            heads: Arc::default(),
            tokens: Arc::default(),
        };
        version.look().await?;
        Ok(version)
    }

    /// Takes the next version for the write of this transaction, which holds it to its end.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn next(&self, transaction: &mut Transaction) -> Result<u64, Error> {
        store::next(transaction).await
    }

    /// The version of the newest write.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn newest(&self) -> Result<u64, Error> {
        store::newest(&self.database).await
    }

    /// Tells the log that a portal was written. To be called when the write is committed, and before it is answered.
    ///
    /// # Errors
    /// If the log cannot be told: the write stands nevertheless.
    pub async fn committed(&self, portal: PortalId, store_version: u64, erased: bool) -> Result<(), Error> {
        let heads = [(format!("{PORTAL}{portal}"), erased), (STORE.to_owned(), false)];
        for (name, is_final) in heads {
            let head = Head {
                name,
                number: store_version,
                is_final,
            };
            self.log.raise_head(&head).await?;
        }
        self.note(
            portal,
            KnownHead {
                store_version,
                erased,
            },
        );
        Ok(())
    }

    /// Tells the log which version of a credential is in force, where it knows of none as new. To be called before
    /// the portal is [told of](Self::committed): what is found newer there is known by then.
    ///
    /// # Errors
    /// If the log cannot be told.
    pub async fn in_force(&self, credential: CredentialId, version: u64) -> Result<(), Error> {
        if self.token(credential).is_some_and(|known| known >= version) {
            return Ok(());
        }
        let head = Head {
            name: format!("{TOKEN}{credential}"),
            number: version,
            is_final: false,
        };
        self.log.raise_head(&head).await?;
        self.note_token(credential, version);
        Ok(())
    }

    /// The version of a credential that the log knows to be in force, as far as this process knows.
    pub fn token(&self, credential: CredentialId) -> Option<u64> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        tokens.get(&credential).copied()
    }

    /// The portals of which the log was told, in the order of their ids, as far as this process knows.
    pub fn portals(&self) -> Vec<(PortalId, KnownHead)> {
        let heads = self.heads.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = heads.iter().map(|(id, head)| (*id, *head)).collect();
        all.sort_by_key(|(id, _)| id.get());
        all
    }

    /// What the log was told of a portal, as far as this process knows.
    pub fn head(&self, portal: PortalId) -> Option<KnownHead> {
        let heads = self.heads.read().unwrap_or_else(PoisonError::into_inner);
        heads.get(&portal).copied()
    }

    /// Looks at the log again, for what other replicas told it, and lifts this database's counter to what the log
    /// knows: no version is ever given twice.
    ///
    /// # Errors
    /// If either cannot be read.
    pub async fn look(&self) -> Result<(), Error> {
        for head in self.log.heads().await? {
            if head.name == STORE {
                store::lift(&self.database, head.number).await?;
            } else if let Some(portal) = portal_of(&head.name) {
                let (store_version, erased) = (head.number, head.is_final);
                self.note(
                    portal,
                    KnownHead {
                        store_version,
                        erased,
                    },
                );
            } else if let Some(credential) = token_of(&head.name) {
                self.note_token(credential, head.number);
            }
        }
        Ok(())
    }

    /// The ids of the keys that authenticate rows, as the log knows them.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn row_keys(&self) -> Result<Vec<String>, Error> {
        let heads = self.log.heads().await?;
        let ids = heads.iter().filter_map(|head| head.name.strip_prefix(ROW_KEY));
        Ok(ids.map(str::to_owned).collect())
    }

    /// Tells the log that rows are authenticated from now on, with the key of this id.
    ///
    /// # Errors
    /// If the log cannot be told.
    pub async fn tell_row_key(&self, key_id: &str) -> Result<(), Error> {
        let head = Head {
            name: format!("{ROW_KEY}{key_id}"),
            number: 1,
            is_final: false,
        };
        Ok(self.log.raise_head(&head).await?)
    }

    fn note(&self, portal: PortalId, head: KnownHead) {
        let mut heads = self.heads.write().unwrap_or_else(PoisonError::into_inner);
        let known = heads.entry(portal).or_insert(head);
        known.store_version = known.store_version.max(head.store_version);
        known.erased |= head.erased;
    }

    fn note_token(&self, credential: CredentialId, version: u64) {
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        let known = tokens.entry(credential).or_insert(version);
        *known = version.max(*known);
    }
}

fn portal_of(name: &str) -> Option<PortalId> {
    name.strip_prefix(PORTAL)?.parse().ok().and_then(PortalId::new)
}

fn token_of(name: &str) -> Option<CredentialId> {
    name.strip_prefix(TOKEN)?.parse().ok()
}
