//! Programs that may ask for somebody: those that have registered, and those that a document speaks for.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hubkeep_core::{
    clock::{SharedClock, Tick},
    database::Database,
    random::{RandomError, SharedRandom},
};
use hubkeep_webhook::{Documents, NotRead};
use thiserror::Error as ThisError;
use url::Url;

use super::{
    document,
    rate::Rate,
    store::{self, Registered},
};
use crate::mcp::Config;

/// How long a document is good without being read again.
const FRESH: Duration = Duration::from_secs(600);
/// So many are kept.
const MOST_KEPT: usize = 1_000;
/// Who registered and was not used goes after this.
const UNUSED: Duration = Duration::from_secs(24 * 3_600);
/// What the id of a program that has registered begins with.
const PREFIX: &str = "hkc_";

/// A program.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// Its id.
    pub(super) id: String,
    /// How it calls itself.
    pub(super) name: String,
    /// Where browsers may be sent back to.
    pub(super) redirect_uris: Vec<String>,
    /// The host that speaks for it; `None` where nobody does.
    pub(super) host: Option<String>,
}

/// A program that is not known, or cannot be now.
#[derive(Debug, ThisError)]
pub(in crate::mcp) enum ClientsError {
    /// There is none of this id.
    #[error("there is no such client")]
    Unknown,
    /// Its document says nothing that can be used.
    #[error("{0}")]
    Document(&'static str),
    /// Its document cannot be read.
    #[error(transparent)]
    NotRead(#[from] NotRead),
    /// Too many are asked for by one address.
    #[error("too many at once from this address")]
    TooMany,
    /// The database fails.
    #[error("the database fails")]
    Storage(#[from] sqlx::Error),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// The programs. Clones are of the same.
#[derive(Clone)]
pub(in crate::mcp) struct Clients(Arc<Inner>);

struct Inner {
    database: Database,
    documents: Documents,
    kept: Mutex<HashMap<String, (Client, Tick)>>,
    registrations: Rate,
    fetches: Rate,
    clock: SharedClock,
    random: SharedRandom,
}

impl Clients {
    pub(in crate::mcp) fn new(
        config: &Config,
        database: Database,
        documents: Documents,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Self {
        Self(Arc::new(Inner {
            database,
            documents,
            kept: Mutex::default(),
            registrations: Rate::of(config.registrations_per_minute),
            fetches: Rate::of(config.registrations_per_minute),
            clock,
            random,
        }))
    }

    /// Keeps a program that registers. Gives its id.
    pub(super) async fn register(
        &self,
        name: String,
        redirect_uris: Vec<String>,
        address: Option<IpAddr>,
    ) -> Result<Client, ClientsError> {
        let inner = &*self.0;
        if !address.is_some_and(|address| inner.registrations.takes(address, inner.clock.tick())) {
            return Err(ClientsError::TooMany);
        }
        let id = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(inner.random.bytes::<18>()?));
        let registered = Registered { name, redirect_uris };
        store::insert_client(&inner.database, &id, &registered, inner.clock.now()).await?;
        Ok(Client {
            id,
            name: registered.name,
            redirect_uris: registered.redirect_uris,
            host: None,
        })
    }

    /// The program of this id, asked for from this address.
    pub(super) async fn find(
        &self,
        client_id: &str,
        address: Option<IpAddr>,
    ) -> Result<Client, ClientsError> {
        if let Some(url) = document::address(client_id) {
            return self.of_document(url, address).await;
        }
        let registered = self.registered(client_id).await?.ok_or(ClientsError::Unknown)?;
        Ok(Client {
            id: client_id.to_owned(),
            name: registered.name,
            redirect_uris: registered.redirect_uris,
            host: None,
        })
    }

    async fn registered(&self, client_id: &str) -> Result<Option<Registered>, ClientsError> {
        if !client_id.starts_with(PREFIX) {
            return Ok(None);
        }
        Ok(store::client(&self.0.database, client_id).await?)
    }

    /// Whether there is a program of this id: of one that a document speaks for that is found out when somebody is asked.
    pub(super) async fn is_known(&self, client_id: &str) -> Result<bool, ClientsError> {
        Ok(document::address(client_id).is_some() || self.registered(client_id).await?.is_some())
    }

    async fn of_document(&self, url: Url, address: Option<IpAddr>) -> Result<Client, ClientsError> {
        let inner = &*self.0;
        let now = inner.clock.tick();
        if let Some(client) = self.kept(url.as_str(), now) {
            return Ok(client);
        }
        if !address.is_some_and(|address| inner.fetches.takes(address, now)) {
            return Err(ClientsError::TooMany);
        }
        let bytes = inner.documents.read(&url).await?;
        let said = document::read(&url, &bytes).map_err(ClientsError::Document)?;
        let client = Client {
            id: url.as_str().to_owned(),
            name: said.name,
            redirect_uris: said.redirect_uris,
            host: url.host_str().map(str::to_owned),
        };
        let mut kept = inner.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.retain(|_, (_, read)| now.since(*read) < FRESH);
        }
        if kept.len() < MOST_KEPT {
            kept.insert(client.id.clone(), (client.clone(), now));
        }
        Ok(client)
    }

    fn kept(&self, client_id: &str, now: Tick) -> Option<Client> {
        let kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (client, read) = kept.get(client_id)?;
        (now.since(*read) < FRESH).then(|| client.clone())
    }

    /// Notes that somebody has consented to it, so that it stays.
    pub(super) async fn used(&self, client: &Client) -> Result<(), ClientsError> {
        if client.host.is_none() {
            store::used(&self.0.database, &client.id, self.0.clock.now()).await?;
        }
        Ok(())
    }

    /// Takes away those that nobody has used for a day.
    pub(super) async fn forget_unused(&self) -> Result<(), ClientsError> {
        let before = self.0.clock.now().minus(UNUSED);
        Ok(store::delete_unused(&self.0.database, before).await?)
    }
}
