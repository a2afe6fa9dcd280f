//! A provider's keys. They are read where the provider says that they are, kept for an hour, and read anew where a token names
//! one that is not among them; but however many tokens come, the provider is asked no more often than every few seconds.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use hubkeep_core::clock::{SharedClock, Tick};
use hubkeep_seal::remote::{Ask, Door, RemoteError};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

use super::{Error, Provider};

/// Keys are read anew after this.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// Where the provider does not answer, those that were read serve so long.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// A provider is asked no more often.
pub(super) const PAUSE: Duration = Duration::from_secs(5);

/// A provider's keys.
#[derive(Debug)]
pub(super) struct Keys {
    provider: Provider,
    door: Door,
    clock: SharedClock,
    cached: RwLock<Option<Cached>>,
    /// Held by whoever asks: when it was last asked.
    asking: Mutex<Option<Tick>>,
}

#[derive(Clone, Debug)]
struct Cached {
    keys: Arc<[Jwk]>,
    read_at: Tick,
}

/// What a provider says of itself.
#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: Url,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

impl Keys {
    pub(super) fn new(provider: Provider, door: Door, clock: SharedClock) -> Self {
        Self {
            provider,
            door,
            clock,
            cached: RwLock::default(),
            asking: Mutex::default(),
        }
    }

    /// The key of this id; without one, the only key that there is.
    pub(super) async fn key(&self, id: Option<&str>) -> Result<Jwk, Error> {
        if let Some(key) = self.young(FRESH).and_then(|keys| pick(&keys, id)) {
            return Ok(key);
        }
        match self.read_anew().await {
            Ok(keys) => pick(&keys, id).ok_or(Error::Refused("key")),
            Err(error) => {
                let known = self.young(STALE).and_then(|keys| pick(&keys, id));
                known.ok_or(error)
            }
        }
    }

    /// The keys, if they were read within this time.
    fn young(&self, age: Duration) -> Option<Arc<[Jwk]>> {
        let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner);
        let cached = cached.as_ref()?;
        (self.clock.tick().since(cached.read_at) < age).then(|| Arc::clone(&cached.keys))
    }

    async fn read_anew(&self) -> Result<Arc<[Jwk]>, Error> {
        let mut asked = self.asking.lock().await;
        let now = self.clock.tick();
        if asked.is_some_and(|asked| now.since(asked) < PAUSE) {
            // Whoever held it before has read them, or could not.
            return self.young(PAUSE).ok_or(Error::Waiting);
        }
        *asked = Some(now);
        let keys = self.fetch().await.map_err(Error::Unreachable)?;
        let mut cached = self.cached.write().unwrap_or_else(PoisonError::into_inner);
        *cached = Some(Cached {
            keys: Arc::clone(&keys),
            read_at: now,
        });
        Ok(keys)
    }

    async fn fetch(&self) -> Result<Arc<[Jwk]>, RemoteError> {
        let nowhere = RemoteError::Nonsense("the issuer is no address");
        let described_at = self.provider.described_at().ok_or(nowhere)?;
        let description: Description = self.get(&described_at).await?;
        if description.issuer != self.provider.issuer {
            return Err(RemoteError::Nonsense("the description is of another issuer"));
        }
        let set: KeySet = self.get(&description.jwks_uri).await?;
        // What is not known here is somebody else's business, and hides no other.
        let keys = set.keys.into_iter();
        let keys = keys.filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Ok(keys.filter(is_public).collect())
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, address: &Url) -> Result<T, RemoteError> {
        let ask = Ask::new(http::Method::GET, address, "")?;
        let answer = self.door.send(ask).await?;
        if answer.status != 200 {
            return Err(RemoteError::Nonsense(
                "the provider answers with another status than 200",
            ));
        }
        answer.json()
    }
}

/// A key of a secret that both sides have verifies nothing here: everybody could read it.
fn is_public(key: &Jwk) -> bool {
    matches!(
        key.algorithm,
        AlgorithmParameters::RSA(_)
            | AlgorithmParameters::EllipticCurve(_)
            | AlgorithmParameters::OctetKeyPair(_)
    )
}

fn pick(keys: &[Jwk], id: Option<&str>) -> Option<Jwk> {
    match (id, keys) {
        (None, [only]) => Some(only.clone()),
        (None, _) => None,
        (Some(id), keys) => {
            let named = |key: &&Jwk| key.common.key_id.as_deref() == Some(id);
            keys.iter().find(named).cloned()
        }
    }
}
