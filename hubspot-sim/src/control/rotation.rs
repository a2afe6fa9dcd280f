//! Rotation of tokens, as an administrator does it in HubSpot's pages: there is no API for it.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::Control;
use crate::accounts::{Token, WorldError};
use crate::world::TokenSpec;

/// How long the old token lives on after *Rotate and expire later*.
const LATER: Duration = Duration::from_secs(7 * 24 * 3_600);

/// When the old token of a rotation expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expire {
    /// *Rotate and expire now*.
    Now,
    /// *Rotate and expire later*: after 7 days, or when it is said.
    #[default]
    Later,
}

impl Control {
    /// Mints a second token of the same app or key, with the same rights, and lets the old one expire.
    ///
    /// # Errors
    /// If there is no such token, or the new one is in use.
    pub fn rotate_token(&self, token: &str, new_token: &str, expire: Expire) -> Result<(), WorldError> {
        let old = self.token(token)?;
        let spec = TokenSpec {
            token: new_token.to_owned(),
            kind: old.kind,
            scopes: old.scopes(),
            app_id: old.app_id,
            user_id: old.user_id,
            revoked: false,
        };
        self.add_token(old.portal.id, spec)?;
        let new = self.token(new_token)?;
        let lives_on = i64::try_from(LATER.as_micros()).unwrap_or(i64::MAX);
        let now = self.now_micros();
        match expire {
            Expire::Later => old.give_way(new, now.saturating_add(lives_on)),
            Expire::Now => {
                old.give_way(new, now);
                old.expire(now);
            }
        }
        Ok(())
    }

    /// *Expire now*: the old token of a rotation is refused from here on.
    ///
    /// # Errors
    /// If there is no such token, or it is not being rotated.
    pub fn expire_old_token(&self, token: &str) -> Result<(), WorldError> {
        let expired = self.token(token)?.expire(self.now_micros());
        if expired {
            Ok(())
        } else {
            Err(WorldError::NotRotating)
        }
    }

    /// *Cancel rotation*: the new token is revoked, and the old one stays.
    ///
    /// # Errors
    /// If there is no such token, it is not being rotated, or its time is over.
    pub fn cancel_rotation(&self, token: &str) -> Result<(), WorldError> {
        let kept = self.token(token)?.keep(self.now_micros());
        let successor = kept.ok_or(WorldError::NotRotating)?;
        successor.set_revoked(true);
        Ok(())
    }

    fn token(&self, token: &str) -> Result<Arc<Token>, WorldError> {
        self.state.accounts.token(token).ok_or(WorldError::NoSuchToken)
    }
}
