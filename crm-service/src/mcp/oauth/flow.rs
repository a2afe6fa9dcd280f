//! What somebody has consented to, kept until they have signed in. Their browser holds a secret for it, of which the hash is kept here:
//! another browser cannot go on with it, and nobody goes on with it twice.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    database::Database,
    random::SharedRandom,
};

use super::{clients::ClientsError, request::Asked, store};

/// How long somebody may take to sign in.
const OPEN_FOR: Duration = Duration::from_secs(600);

/// The consents that are waiting. Clones are of the same.
#[derive(Clone)]
pub(in crate::mcp) struct Flows {
    database: Database,
    clock: SharedClock,
    random: SharedRandom,
}

/// One that was taken.
pub(super) struct Taken {
    pub(super) asked: Asked,
    flow: String,
    made: Timestamp,
}

impl Flows {
    pub(in crate::mcp) const fn new(database: Database, clock: SharedClock, random: SharedRandom) -> Self {
        Self {
            database,
            clock,
            random,
        }
    }

    /// Keeps a consent. Gives what the browser is to hold.
    pub(super) async fn begin(&self, asked: &Asked) -> Result<String, ClientsError> {
        let secret = URL_SAFE_NO_PAD.encode(self.random.bytes::<32>()?);
        self.keep(&hashed(&secret), asked, self.clock.now()).await?;
        Ok(secret)
    }

    async fn keep(&self, flow: &str, asked: &Asked, made: Timestamp) -> Result<(), ClientsError> {
        let text = serde_json::to_string(asked).map_err(|error| sqlx::Error::Encode(error.into()))?;
        Ok(store::insert_flow(&self.database, flow, &text, made).await?)
    }

    /// Takes the consent for which a browser holds this; `None` if there is none, or no longer.
    pub(super) async fn take(&self, secret: &str) -> Result<Option<Taken>, ClientsError> {
        let flow = hashed(secret);
        let Some((text, made)) = store::take_flow(&self.database, &flow).await? else {
            return Ok(None);
        };
        if self.clock.now().since(made) > OPEN_FOR {
            return Ok(None);
        }
        let asked = serde_json::from_str(&text).map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok(Some(Taken { asked, flow, made }))
    }

    /// Puts one back that could not be used yet, for the rest of its time.
    pub(super) async fn put_back(&self, taken: &Taken) -> Result<(), ClientsError> {
        self.keep(&taken.flow, &taken.asked, taken.made).await
    }

    /// Takes away those that are over.
    pub(super) async fn forget_old(&self) -> Result<(), ClientsError> {
        let before = self.clock.now().minus(OPEN_FOR);
        Ok(store::delete_flows(&self.database, before).await?)
    }
}

fn hashed(secret: &str) -> String {
    hex::encode(digest::digest(&digest::SHA256, secret.as_bytes()))
}
