//! The hand on the simulator: change accounts and tokens, inject faults, read the journal, skip time.

pub(crate) mod http;
mod oauth;
mod records;
mod rotation;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use rotation::Expire;
use serde::Serialize;

use crate::accounts::{Portal, WorldError};
use crate::faults::{FaultId, FaultRule};
use crate::journal::{JournalEntry, fingerprint};
use crate::limits::Limits;
use crate::lock::lock;
use crate::objects::kind::ObjectType;
use crate::state::State;
use crate::world::{PortalSpec, TokenKind, TokenSpec};

/// The hand on a simulator. Clones share it.
#[derive(Debug, Clone)]
pub struct Control {
    state: Arc<State>,
}

/// An account as it stands now.
#[derive(Debug, Clone, Serialize)]
pub struct PortalSummary {
    /// The name by which tests find it.
    pub slug: String,
    /// HubSpot's number for it.
    pub portal_id: u64,
    /// `na1`, `eu1`, …
    pub data_hosting_location: String,
    /// Calls used today.
    pub used_today: u64,
    /// Live records by type.
    pub records: BTreeMap<String, usize>,
    /// Its tokens.
    pub tokens: Vec<TokenSummary>,
}

/// A token as it stands now, without the token.
#[derive(Debug, Clone, Serialize)]
pub struct TokenSummary {
    /// As in the journal.
    pub fingerprint: String,
    /// What it was made for.
    pub kind: TokenKind,
    /// The app it belongs to.
    pub app_id: u64,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Whether it is refused.
    pub revoked: bool,
}

/// Accounts.
impl Control {
    pub(crate) fn of(state: Arc<State>) -> Self {
        Self { state }
    }

    /// Opens another account.
    ///
    /// # Errors
    /// If its number, name or a token is taken.
    pub fn add_portal(&self, portal: PortalSpec) -> Result<(), WorldError> {
        self.state
            .accounts
            .open(portal, &self.state.apps, self.now_micros())
    }

    /// All accounts as they stand now.
    pub fn portals(&self) -> Vec<PortalSummary> {
        self.state
            .accounts
            .portals()
            .iter()
            .map(|portal| self.summary(portal))
            .collect()
    }

    /// The number of the account of this name.
    pub fn portal_id(&self, slug: &str) -> Option<u64> {
        self.state
            .accounts
            .portals()
            .iter()
            .find(|portal| portal.slug == slug)
            .map(|portal| portal.id)
    }

    /// Moves an account to another data centre.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn set_data_hosting_location(&self, portal_id: u64, location: &str) -> Result<(), WorldError> {
        let portal = self.state.accounts.portal(portal_id)?;
        location.clone_into(&mut lock(&portal.details).data_hosting_location);
        Ok(())
    }

    fn summary(&self, portal: &Arc<Portal>) -> PortalSummary {
        let tokens = self
            .state
            .accounts
            .tokens_of(portal.id)
            .into_iter()
            .map(|(text, token)| TokenSummary {
                fingerprint: fingerprint(&text),
                kind: token.kind,
                app_id: token.app_id,
                scopes: token.scopes(),
                revoked: !token.is_live(self.now_micros()),
            });
        let count = |kind: ObjectType| (kind.name(), self.record_count(portal.id, kind));
        let used_today = lock(&portal.meter)
            .today(self.now_micros(), portal.utc_offset_ms())
            .0;
        PortalSummary {
            slug: portal.slug.clone(),
            portal_id: portal.id,
            data_hosting_location: lock(&portal.details).data_hosting_location.clone(),
            used_today,
            records: ObjectType::ALL.into_iter().map(count).collect(),
            tokens: tokens.collect(),
        }
    }
}

/// Tokens.
impl Control {
    /// Gives an account another token.
    ///
    /// # Errors
    /// If there is no such account, or if the token is in use.
    pub fn add_token(&self, portal_id: u64, token: TokenSpec) -> Result<(), WorldError> {
        self.state.accounts.add_token(portal_id, token)
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// If there is no such token.
    pub fn revoke_token(&self, token: &str) -> Result<(), WorldError> {
        self.state
            .accounts
            .token(token)
            .ok_or(WorldError::NoSuchToken)
            .map(|token| token.set_revoked(true))
    }

    /// Takes a revocation back.
    ///
    /// # Errors
    /// If there is no such token.
    pub fn restore_token(&self, token: &str) -> Result<(), WorldError> {
        self.state
            .accounts
            .token(token)
            .ok_or(WorldError::NoSuchToken)
            .map(|token| token.set_revoked(false))
    }

    /// Makes a token another account's, as HubSpot itself never does: the same string reads and writes there from now on.
    ///
    /// # Errors
    /// If there is no such token or account.
    pub fn move_token(&self, token: &str, portal_id: u64) -> Result<(), WorldError> {
        self.state.accounts.move_token(token, portal_id)
    }

    /// Changes what a token may do; the token stays the same.
    ///
    /// # Errors
    /// If there is no such token.
    pub fn set_scopes<S: Into<String>>(
        &self,
        token: &str,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<(), WorldError> {
        let token = self.state.accounts.token(token).ok_or(WorldError::NoSuchToken)?;
        token.set_scopes(scopes.into_iter().map(Into::into).collect());
        Ok(())
    }
}

/// Limits and time.
impl Control {
    /// Changes the limits of an account. What was counted stays counted.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn set_limits(&self, portal_id: u64, limits: Limits) -> Result<(), WorldError> {
        let portal = self.state.accounts.portal(portal_id)?;
        lock(&portal.meter).limits = limits;
        Ok(())
    }

    /// Changes the limits of every account.
    pub fn set_limits_of_all(&self, limits: &Limits) {
        for portal in self.state.accounts.portals() {
            lock(&portal.meter).limits = limits.clone();
        }
    }

    /// Uses up `calls` of the account's day, as another app would.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn consume_daily(&self, portal_id: u64, calls: u64) -> Result<(), WorldError> {
        let portal = self.state.accounts.portal(portal_id)?;
        let offset = portal.utc_offset_ms();
        lock(&portal.meter).consume_daily(calls, self.now_micros(), offset);
        Ok(())
    }

    /// Makes `calls` with this token, as somebody else who has it would: they count in its burst window and in the day, and
    /// are in no journal.
    ///
    /// # Errors
    /// If there is no such token.
    pub fn use_elsewhere(&self, token: &str, calls: u32) -> Result<(), WorldError> {
        let token = self.state.accounts.token(token).ok_or(WorldError::NoSuchToken)?;
        let offset = token.portal.utc_offset_ms();
        let is_oauth = token.kind == TokenKind::OAuth;
        lock(&token.portal.meter).use_elsewhere(token.app_id, is_oauth, calls, (self.now_micros(), offset));
        Ok(())
    }

    /// How long a change stays invisible to search.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn set_search_lag(&self, portal_id: u64, lag: Duration) -> Result<(), WorldError> {
        let portal = self.state.accounts.portal(portal_id)?;
        lock(&portal.crm).search_lag_micros = i64::try_from(lag.as_micros()).unwrap_or(i64::MAX);
        Ok(())
    }

    /// Makes it later by `by`, at once: rate windows, daily limits, search lag and time stamps follow. Delays of
    /// [`Fault::Slow`](crate::Fault::Slow) do not.
    pub fn advance_time(&self, by: Duration) {
        self.state.clock.skip(by);
    }

    /// What time it is here, in microseconds since 1970.
    pub fn now_micros(&self) -> i64 {
        self.state.clock.micros()
    }
}

/// Faults.
impl Control {
    /// Makes something go wrong. Faults that match the same request come in the order of injection.
    pub fn inject(&self, fault: impl Into<FaultRule>) -> FaultId {
        self.state.faults.inject(fault.into())
    }

    /// The faults that wait for a request.
    pub fn faults(&self) -> Vec<(FaultId, FaultRule)> {
        self.state.faults.list()
    }

    /// Ends one fault and lets go of the answers it holds.
    pub fn release(&self, fault: FaultId) {
        self.state.faults.release(fault);
    }

    /// Ends all faults and lets go of every held answer.
    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }

    /// How many answers are held now.
    pub fn held(&self) -> usize {
        self.state.faults.held()
    }

    /// Waits until at least `n` answers are held.
    pub async fn until_held(&self, n: usize) {
        self.state.faults.until_held(n).await;
    }
}

/// The journal.
impl Control {
    /// Every request received since the last clearing.
    pub fn journal(&self) -> Vec<JournalEntry> {
        self.journal_since(0)
    }

    /// The requests with a number greater than `seq`.
    pub fn journal_since(&self, seq: u64) -> Vec<JournalEntry> {
        self.state.journal.since(seq)
    }

    /// How many requests the journal holds; cheaper than reading it.
    pub fn journal_len(&self) -> usize {
        self.state.journal.len()
    }

    /// Takes everything out of the journal, so that it never holds more than came since the last time. None is missed: what
    /// arrives meanwhile is there the next time. Of requests that are under way the body and the status are not known.
    pub fn take_journal(&self) -> Vec<JournalEntry> {
        self.state.journal.take()
    }

    /// Forgets all entries. Numbers go on.
    pub fn clear_journal(&self) {
        self.state.journal.clear();
    }
}
