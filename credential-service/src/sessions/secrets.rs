//! The secrets of sessions: how they are made, kept and found.

use aws_lc_rs::constant_time;
use hubkeep_core::{
    clock::Timestamp,
    handle_token::{OpaqueSecret, SecretKind},
    id::SessionId,
};
use hubkeep_seal::{Owner, Purpose};

use super::{
    Error, Sessions,
    store::secrets::{self, Row},
};

/// A secret that was not used yet.
pub(super) const NEW: i64 = 0;
/// One that was.
pub(super) const USED: i64 = 1;
/// One that is good for nothing any more: it was used twice, or given up with what it belonged to.
pub(super) const SPENT: i64 = 2;

/// A secret as it is stored.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) mac: Vec<u8>,
    pub(super) session_id: String,
    pub(super) sequence: u64,
    pub(super) expire_time: Timestamp,
    pub(super) state: i64,
}

const fn word(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::Session => "session",
        SecretKind::Refresh => "refresh",
        SecretKind::Code => "code",
    }
}

impl Sessions {
    /// A new secret, and its row.
    pub(super) async fn new_secret(
        &self,
        kind: SecretKind,
        session_id: SessionId,
        sequence: u64,
        expire_time: Timestamp,
    ) -> Result<(OpaqueSecret, Row), Error> {
        let secret = OpaqueSecret::make(kind, &*self.random)?;
        let mut row = Row {
            secret_mac: self.mac(secret.expose().as_bytes()).await?.to_vec(),
            session_id: session_id.to_string(),
            kind: word(kind).to_owned(),
            sequence: i64::try_from(sequence).unwrap_or(i64::MAX),
            expire_time: expire_time.as_micros(),
            seal: Vec::new(),
            state: NEW,
        };
        row.seal = self.seal_of(&row).await?;
        Ok((secret, row))
    }

    /// The row of a secret, if there is one and it is what was written.
    pub(super) async fn kept(&self, kind: SecretKind, secret: &OpaqueSecret) -> Result<Option<Kept>, Error> {
        let mac = self.mac(secret.expose().as_bytes()).await?;
        let Some(row) = secrets::by_mac(&self.database, &mac).await? else {
            return Ok(None);
        };
        let seal = self.seal_of(&row).await?;
        let fits = constant_time::verify_slices_are_equal(&seal, &row.seal).is_ok()
            && constant_time::verify_slices_are_equal(&mac, &row.secret_mac).is_ok()
            && row.kind == word(kind);
        if !fits {
            return Err(Error::Altered(row.session_id));
        }
        Ok(Some(Kept {
            mac: row.secret_mac,
            session_id: row.session_id,
            sequence: u64::try_from(row.sequence).unwrap_or(0),
            expire_time: Timestamp::from_micros(row.expire_time),
            state: row.state,
        }))
    }

    /// A keyed hash of all that a row says for good.
    async fn seal_of(&self, row: &Row) -> Result<Vec<u8>, Error> {
        let (sequence, expire_time) = (row.sequence.to_be_bytes(), row.expire_time.to_be_bytes());
        let fields: [&[u8]; 6] = [
            b"session_secret",
            &row.secret_mac,
            row.session_id.as_bytes(),
            row.kind.as_bytes(),
            &sequence,
            &expire_time,
        ];
        let mut bytes = Vec::new();
        for field in fields {
            bytes.extend_from_slice(&u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            bytes.extend_from_slice(field);
        }
        Ok(self.mac(&bytes).await?.to_vec())
    }

    async fn mac(&self, bytes: &[u8]) -> Result<[u8; 32], Error> {
        Ok(self
            .keyring
            .mac(Owner::Service, Purpose::SessionPepper, bytes)
            .await?)
    }
}
