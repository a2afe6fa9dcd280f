//! Tokens that HubSpot refuses (401): nothing more is sent by them, but one call from time to time, to see. What is sent by a dead
//! token counts among the errors of its portal, and looks like somebody who guesses.
//!
//! A token is known by its portal, the version of its credential and its fingerprint: so another credential of the portal is not
//! concerned, nor is another portal, and what takes its place is not either. Each process finds out by itself.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hubkeep_core::{
    clock::{SharedClock, Tick, Timestamp},
    id::PortalId,
    secret::TokenFingerprint,
};

use super::{error::Error, grant::Grant};

/// HubSpot says no by mistake at times: the first call is let through to see after this,
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// and each further one after this.
const PAUSE: Duration = Duration::from_secs(60);
/// Where credential-service had no other access token for a consent, it is asked again after this.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// A token by which nobody has called for so long is forgotten.
const REMEMBERED_FOR: Duration = Duration::from_secs(3_600);
/// More than this are not remembered: of further ones each call finds out anew.
const MOST: usize = 10_000;

/// A token that HubSpot refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedToken {
    /// The version of its credential.
    pub credential_version: u64,
    /// What tells it from others.
    pub fingerprint: TokenFingerprint,
    /// When HubSpot was first heard to refuse it.
    pub since: Timestamp,
    /// From when on the next call is let through to see.
    pub next_trial: Timestamp,
}

/// What a call has shown of its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// HubSpot accepts it, whatever it says to what was asked.
    Accepts,
    /// HubSpot refuses it.
    Refuses,
    /// Nothing.
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    portal: PortalId,
    version: u64,
    fingerprint: TokenFingerprint,
}

impl Key {
    fn of(grant: &Grant) -> Self {
        Self {
            portal: grant.portal.portal_id(),
            version: grant.credential_version,
            fingerprint: grant.fingerprint.clone(),
        }
    }
}

#[derive(Debug)]
struct Refused {
    since: Timestamp,
    /// When HubSpot said so last.
    said: Tick,
    /// When the last call was sent to which HubSpot said so.
    sent: Tick,
    /// When a call by it came last.
    wanted: Tick,
    next_trial: (Tick, Timestamp),
    /// Whether one call is let through to see.
    trial: bool,
    /// Whether there is another one by now.
    is_replaced: bool,
    /// When credential-service last had no other.
    no_other: Option<Tick>,
}

/// The tokens that this process knows to be refused. Clones are of the same ones.
#[derive(Clone)]
pub(super) struct RefusedTokens {
    all: Arc<Mutex<HashMap<Key, Refused>>>,
    clock: SharedClock,
}

impl fmt::Debug for RefusedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefusedTokens")
    }
}

/// The right to send one attempt by a token. To be given back with what the attempt has shown.
#[derive(Debug)]
pub struct Pass {
    tokens: RefusedTokens,
    grant: Arc<Grant>,
    entered: Tick,
    trial: bool,
}

impl Pass {
    /// The attempt has ended.
    pub fn ended(mut self, word: Word) {
        let trial = std::mem::take(&mut self.trial);
        self.tokens.ended(&self.grant, (self.entered, trial), word);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if self.trial {
            self.tokens
                .ended(&self.grant, (self.entered, true), Word::Nothing);
        }
    }
}

impl RefusedTokens {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self {
            all: Arc::default(),
            clock,
        }
    }

    /// Whether something may be sent by a grant's token by now, so that it is worth waiting for room.
    pub(super) fn may_send(&self, grant: &Grant) -> Result<(), Error> {
        let mut all = self.all();
        match asked_for(&mut all, grant, self.clock.tick()) {
            Some(refused) if !refused.lets_one_through(self.clock.tick()) => Err(here(grant)),
            _ => Ok(()),
        }
    }

    /// Lets an attempt through that is about to be sent, or says that HubSpot refuses its token. Of a token that is refused one at
    /// a time is let through, to see.
    pub(super) fn enter(&self, grant: &Arc<Grant>) -> Result<Pass, Error> {
        let (mut all, entered) = (self.all(), self.clock.tick());
        let trial = match asked_for(&mut all, grant, entered) {
            Some(refused) if !refused.lets_one_through(entered) => return Err(here(grant)),
            Some(refused) => {
                refused.trial = true;
                true
            }
            None => false,
        };
        drop(all);
        Ok(Pass {
            tokens: self.clone(),
            grant: grant.clone(),
            entered,
            trial,
        })
    }

    fn ended(&self, grant: &Grant, (entered, trial): (Tick, bool), word: Word) {
        let mut all = self.all();
        if word == Word::Refuses {
            metrics::counter!("hubkeep_tokens_refused_total", "by" => "hubspot").increment(1);
            self.note(&mut all, grant, (entered, trial));
            return;
        }
        if all.is_empty() {
            return;
        }
        let key = Key::of(grant);
        let Some(refused) = all.get_mut(&key) else {
            return;
        };
        if trial {
            refused.trial = false;
        }
        // What was sent before says nothing new.
        if word == Word::Accepts && entered > refused.sent {
            all.remove(&key);
            tracing::info!(
                portal_id = %key.portal, credential_version = key.version, fingerprint = %key.fingerprint,
                "HubSpot accepts a token again that it has refused"
            );
        }
    }

    fn note(&self, all: &mut HashMap<Key, Refused>, grant: &Grant, (entered, trial): (Tick, bool)) {
        let (key, said, time) = (Key::of(grant), self.clock.tick(), self.clock.now());
        if let Some(refused) = all.get_mut(&key) {
            (refused.said, refused.sent) = (said, refused.sent.max(entered));
            if trial {
                refused.trial = false;
                refused.next_trial = (said.plus(PAUSE), time.plus(PAUSE));
            }
            return;
        }
        tracing::warn!(
            portal_id = %key.portal, client_slug = %grant.portal.client_slug(), credential_version = key.version,
            fingerprint = %key.fingerprint, is_consent = grant.ends_by_itself(),
            "HubSpot refuses a portal's token: nothing is sent by it but one call from time to time"
        );
        all.retain(|_, refused| said.since(refused.wanted) < REMEMBERED_FOR);
        if all.len() < MOST {
            let refused = Refused {
                since: time,
                said,
                sent: entered,
                wanted: said,
                next_trial: (said.plus(FIRST_PAUSE), time.plus(FIRST_PAUSE)),
                trial: false,
                is_replaced: false,
                no_other: None,
            };
            all.insert(key, refused);
        }
    }

    /// Whether credential-service is to be asked for another token than a grant's: what it gave before HubSpot refused that may be
    /// out of date. What it gave afterwards is not, for the feed tells what has changed since; but of a consent it may have
    /// another one without a word, a moment later.
    pub(super) fn may_be_another(&self, grant: &Grant) -> bool {
        let all = self.all();
        let Some(refused) = all.get(&Key::of(grant)) else {
            return true;
        };
        let now = self.clock.tick();
        let lately = |at: Tick| now.since(at) < ASKED_AGAIN_AFTER;
        let may_come = grant.ends_by_itself() && !refused.no_other.is_some_and(lately);
        refused.is_replaced || grant.redeemed <= refused.said || may_come
    }

    /// Credential-service was asked for another token than a grant's, and there is one, or not.
    pub(super) fn asked(&self, grant: &Grant, is_another: bool) {
        if let Some(refused) = self.all().get_mut(&Key::of(grant)) {
            // Of two handles one may be served by another credential of the portal, and the other by this one alone.
            refused.is_replaced = is_another;
            if !is_another {
                refused.no_other = Some(self.clock.tick());
            }
        }
    }

    /// A credential of a portal was replaced: those of older versions are looked at anew.
    pub(super) fn replaced(&self, portal: PortalId, version: u64) {
        self.all()
            .retain(|key, _| key.portal != portal || key.version >= version);
    }

    /// Those of a portal that nothing has taken the place of, by version.
    pub(super) fn of(&self, portal: PortalId) -> Vec<RefusedToken> {
        let now = self.clock.tick();
        let all = self.all();
        let of_portal = all.iter().filter(|(key, refused)| {
            key.portal == portal && !refused.is_replaced && now.since(refused.wanted) < REMEMBERED_FOR
        });
        let mut refused: Vec<_> = of_portal
            .map(|(key, refused)| RefusedToken {
                credential_version: key.version,
                fingerprint: key.fingerprint.clone(),
                since: refused.since,
                next_trial: refused.next_trial.1,
            })
            .collect();
        refused.sort_by(|one, other| {
            (one.credential_version, one.since).cmp(&(other.credential_version, other.since))
        });
        refused
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Key, Refused>> {
        // What is done under the lock cannot panic half-way.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refused {
    fn lets_one_through(&self, now: Tick) -> bool {
        !self.trial && !self.is_replaced && now >= self.next_trial.0
    }
}

/// What is known of a grant's token, by which somebody wants to call now.
fn asked_for<'a>(all: &'a mut HashMap<Key, Refused>, grant: &Grant, now: Tick) -> Option<&'a mut Refused> {
    // As good as always: no key is made for it.
    if all.is_empty() {
        return None;
    }
    let refused = all.get_mut(&Key::of(grant))?;
    refused.wanted = now;
    Some(refused)
}

fn here(grant: &Grant) -> Error {
    metrics::counter!("hubkeep_tokens_refused_total", "by" => "here").increment(1);
    Error::TokenRefused {
        is_consent: grant.ends_by_itself(),
    }
}

#[cfg(test)]
mod tests;
