//! Gives the access token of a consent. While the old one lives nobody waits; where there is none, all wait for the one
//! question that is under way. So it is where HubSpot is said to refuse the one there is, but no more often than once a minute:
//! whoever says so need not be right.

use std::time::Duration;

use hubkeep_audit_log::Draft;
use hubkeep_core::{
    clock::{Tick, Timestamp},
    error::ErrorReason,
    secret::{PortalToken, TokenFingerprint},
};

use super::{AccessTokens, Error, store, store::Row};
use crate::vault::Credential;

/// How often it is looked whether another replica has got one: it wakes nobody here.
const LOOK: Duration = Duration::from_millis(100);
/// Nothing is begun with an access token that lives no longer than this: clocks differ, and calls take their time.
const MARGIN: Duration = Duration::from_secs(30);
/// HubSpot is asked for another access token before its time no more often than this, whoever says that it refuses the old one.
const REFUSED_EVERY: Duration = Duration::from_secs(60);

/// An access token that HubSpot accepts.
#[derive(Debug)]
pub struct Live {
    /// The token.
    pub token: PortalToken,
    /// How long it may still be sent.
    pub time_left: Duration,
}

/// By what right HubSpot is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is time.
    Due,
    /// Before its time: HubSpot is said to refuse what there is.
    Refused,
}

/// What is to be done where a row stands as it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decided {
    /// What there is serves.
    pub(super) serves: bool,
    /// HubSpot is to be asked, if nobody else has begun to.
    pub(super) claims: Option<Claim>,
}

/// What is to be done, where what there is lives (`Some`), and HubSpot is said to refuse it or not.
pub(super) fn decide(row: &Row, now: Timestamp, live: Option<bool>) -> Decided {
    let is_refused = live == Some(true);
    let is_due = now >= row.renew_time;
    let may_be_refused = is_due || now.since(row.refused_time) >= REFUSED_EVERY;
    let before_its_time = !is_due && may_be_refused && is_refused;
    Decided {
        serves: live.is_some() && (!may_be_refused || !is_refused),
        claims: match row.may_be_asked(now) {
            true if is_due => Some(Claim::Due),
            true if before_its_time => Some(Claim::Refused),
            _ => None,
        },
    }
}

impl AccessTokens {
    /// The access token of a consent, renewed when it is time. `draft` is for the entries of questions to HubSpot. If it is the
    /// one that a redeemer says HubSpot has `refused`, another one, unless there was another for that reason within a minute.
    ///
    /// # Errors
    /// [`Error::ConsentLost`] once HubSpot has refused the refresh token for good; or if there is none, and HubSpot gives
    /// none before `deadline`.
    pub async fn obtain(
        &self,
        draft: &Draft,
        consent: &Credential,
        refused: Option<&TokenFingerprint>,
        deadline: Tick,
    ) -> Result<Live, Error> {
        let mut news = self.0.news.subscribe();
        loop {
            // Marked as seen before reading: what happens meanwhile wakes the wait.
            news.borrow_and_update();
            let row = self.row(consent).await?;
            let now = self.0.clock.now();
            if row.lost_time > 0 {
                return Err(Error::ConsentLost);
            }
            let live = self.live(consent, &row, now).await?;
            let is_refused =
                |live: &Live| refused.is_some_and(|refused| live.token.fingerprint() == *refused);
            let decided = decide(&row, now, live.as_ref().map(is_refused));
            let live = live.filter(|_| decided.serves);
            let claimed = match decided.claims {
                Some(Claim::Due) => self.claim(&row, consent, now).await?,
                Some(Claim::Refused) => self.claim_refused(&row, consent, now).await?,
                None => None,
            };
            match (live, claimed) {
                (Some(live), claimed) => {
                    if let Some(claimed) = claimed {
                        drop(self.renew_aside(draft, claimed));
                    }
                    return Ok(live);
                }
                (None, Some(claimed)) => {
                    let renewed = self.renew_aside(draft, claimed);
                    let renewed = self.0.clock.timeout_at(deadline, renewed).await;
                    renewed.ok_or(Error::Late)?.map_err(Error::from).flatten()?;
                }
                (None, None) => {
                    waiting(&row, now)?;
                    self.wait(&mut news, deadline).await?;
                }
            }
        }
    }

    /// Asks HubSpot again by a refresh token that it has refused: somebody wants to know.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn look_again(&self, consent: &Credential) -> Result<(), Error> {
        store::forget_loss(&self.0.database, &consent.secret_id()).await
    }

    pub(super) async fn row(&self, consent: &Credential) -> Result<Row, Error> {
        let secret_id = consent.secret_id();
        if let Some(row) = store::find(&self.0.database, &secret_id).await? {
            return Ok(row);
        }
        // Nobody has asked by this refresh token yet.
        store::begin(&self.0.database, consent).await?;
        let row = store::find(&self.0.database, &secret_id).await?;
        row.ok_or(Error::Broken(secret_id))
    }

    async fn live(&self, consent: &Credential, row: &Row, now: Timestamp) -> Result<Option<Live>, Error> {
        let pair = self.opened(consent, row).await?;
        Ok(pair.and_then(|pair| {
            let time_left = pair.ends.minus(MARGIN).since(now);
            (!time_left.is_zero()).then_some(Live {
                token: pair.access,
                time_left,
            })
        }))
    }

    async fn wait(&self, news: &mut tokio::sync::watch::Receiver<u64>, deadline: Tick) -> Result<(), Error> {
        let now = self.0.clock.tick();
        if now >= deadline {
            return Err(Error::Late);
        }
        tokio::select! {
            _ = news.changed() => {}
            () = self.0.clock.sleep_until(deadline.min(now.plus(LOOK))) => {}
        }
        Ok(())
    }
}

/// Refuses while HubSpot is left alone after a failure.
fn waiting(row: &Row, now: Timestamp) -> Result<(), Error> {
    if row.retry_time <= now {
        return Ok(());
    }
    let reason = ErrorReason::from_wire_name(&row.failure).unwrap_or(ErrorReason::HubspotUnavailable);
    Err(Error::Waiting {
        reason,
        wait: row.retry_time.since(now),
    })
}
