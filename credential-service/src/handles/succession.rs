//! Certificates that take the place of others: handles go on with the new one, because the old one's key said so.

use hubkeep_core::{
    clock::Timestamp,
    grpc::{Caller, Thumbprint},
};
use hubkeep_seal::{Owner, Place, Purpose};
use serde::{Deserialize, Serialize};

use super::{Error, Handle, Handles, store::successions};
use crate::record::Act;

/// A certificate is followed through so many renewals within the life of one handle.
const MOST: usize = 3;

/// The sealed form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Succession {
    caller: String,
    /// The new certificate's.
    thumbprint: String,
    expire_time: i64,
}

impl Handles {
    /// Makes the handles of this act's caller work with the certificate that takes the place of its own. Gives until when:
    /// no handle that lives now lives longer.
    ///
    /// # Errors
    /// If the caller has no certificate, or the new one is not this caller's.
    pub async fn succeed(&self, act: &Act, successor: &Caller) -> Result<Timestamp, Error> {
        let caller = &act.context().caller;
        let refused = |why: &str| Error::CertificateRefused(why.to_owned());
        let (Some(old), Some(new)) = (&caller.thumbprint, &successor.thumbprint) else {
            return Err(refused("callers have no certificates here, in development"));
        };
        if successor.name != caller.name {
            return Err(refused("it is of another name than your own"));
        }
        if old == new {
            return Err(refused("it is the certificate that you have already"));
        }
        let expire_time = self.time.now().await?.plus(self.config.max_lifetime);
        let row = hex::encode(old.as_bytes());
        let succession = Succession {
            caller: caller.name.to_string(),
            thumbprint: hex::encode(new.as_bytes()),
            expire_time: expire_time.as_micros(),
        };
        let bytes = serde_json::to_vec(&succession)?;
        let sealed = self.keyring.seal(&place(&row), &bytes).await?;
        successions::put(&self.database, &row, &sealed, expire_time).await?;
        Ok(expire_time)
    }

    /// Whether a handle is this caller's: bound to its certificate, or to one that it took the place of.
    pub(super) async fn is_of(&self, handle: &Handle, caller: &Caller) -> Result<bool, Error> {
        Ok(handle.caller == *caller || self.has_succeeded(&handle.caller, caller).await?)
    }

    /// Whether the presenter is the caller with a certificate that took the place of the one it is known by.
    async fn has_succeeded(&self, known: &Caller, presenter: &Caller) -> Result<bool, Error> {
        let (Some(first), Some(wanted)) = (&known.thumbprint, &presenter.thumbprint) else {
            return Ok(false);
        };
        if known.name != presenter.name {
            return Ok(false);
        }
        let now = self.time.now().await?;
        let mut current = first.clone();
        for _ in 0..MOST {
            let Some(next) = self.successor(known, &current, now).await? else {
                return Ok(false);
            };
            if next == *wanted {
                return Ok(true);
            }
            current = next;
        }
        Ok(false)
    }

    async fn successor(
        &self,
        known: &Caller,
        of: &Thumbprint,
        now: Timestamp,
    ) -> Result<Option<Thumbprint>, Error> {
        let row = hex::encode(of.as_bytes());
        let Some(sealed) = successions::of(&self.database, &row).await? else {
            return Ok(None);
        };
        let opened = self.keyring.open(&place(&row), &sealed).await?;
        let altered = |_| Error::Altered(format!("certificate {row}"));
        let read: Succession = serde_json::from_slice(&opened).map_err(altered)?;
        let holds = read.caller == known.name.as_str() && now < Timestamp::from_micros(read.expire_time);
        let thumbprint = hex::decode(&read.thumbprint).unwrap_or_default();
        Ok(Thumbprint::from_wire(&thumbprint).filter(|_| holds))
    }
}

fn place(row: &str) -> Place<'_> {
    Place {
        owner: Owner::Service,
        purpose: Purpose::HandleClaims,
        table: successions::TABLE,
        column: "sealed",
        row,
        client_slug: "",
        kind: "succession",
        generation: 1,
    }
}
