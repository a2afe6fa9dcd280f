//! Asks HubSpot for the next access token, once for all who need it, and writes down what it said.

use std::time::Duration;

use hubkeep_audit_log::Draft;
use hubkeep_core::{
    clock::Timestamp,
    error::{ErrorReason, ServiceError as _},
};
use tokio::task::JoinHandle;

use super::{
    AccessTokens, Error,
    store::{self, Row},
};
use crate::vault::Credential;

/// How long HubSpot may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long no other replica asks. Longer than the question takes with its entries, whatever becomes of it.
pub(super) const CLAIM: Duration = Duration::from_secs(30);
/// After a first failure HubSpot is left alone for so long, and twice as long after each further one, up to the most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The right to ask for a consent's next access token.
#[derive(Debug)]
pub(super) struct Claimed {
    consent: Credential,
    row: Row,
}

impl Claimed {
    fn of(row: &Row, consent: &Credential) -> Self {
        Self {
            consent: consent.clone(),
            row: row.clone(),
        }
    }
}

impl AccessTokens {
    /// Takes the right to ask, unless somebody else has it.
    pub(super) async fn claim(
        &self,
        row: &Row,
        consent: &Credential,
        now: Timestamp,
    ) -> Result<Option<Claimed>, Error> {
        let until = now.plus(CLAIM);
        let taken = store::claim(&self.0.database, &consent.secret_id(), row, until).await?;
        Ok(taken.then(|| Claimed::of(row, consent)))
    }

    /// The same before it is time, because HubSpot refuses what there is.
    pub(super) async fn claim_refused(
        &self,
        row: &Row,
        consent: &Credential,
        now: Timestamp,
    ) -> Result<Option<Claimed>, Error> {
        let (secret_id, times) = (consent.secret_id(), (now, now.plus(CLAIM)));
        let taken = store::claim_refused(&self.0.database, &secret_id, row, times).await?;
        if taken {
            tracing::warn!(
                portal_id = %consent.portal_id, credential_version = consent.version,
                "HubSpot is said to refuse the access token in force: another one is asked for"
            );
        }
        Ok(taken.then(|| Claimed::of(row, consent)))
    }

    /// Asks in a task of its own: what was sent is recorded and stored to its end, whoever hangs up.
    pub(super) fn renew_aside(&self, draft: &Draft, claimed: Claimed) -> JoinHandle<Result<(), Error>> {
        let (tokens, draft) = (self.clone(), draft.clone());
        tokio::spawn(async move {
            let result = match tokens.renew(draft, &claimed).await {
                Ok(()) => Ok(()),
                Err(error) => {
                    tracing::warn!(%error, portal_id = %claimed.consent.portal_id, "there is no new access token");
                    tokens.note_failure(&claimed, &error).await?;
                    Err(error)
                }
            };
            tokens.0.news.send_modify(|times| *times = times.wrapping_add(1));
            result
        })
    }

    async fn renew(&self, draft: Draft, claimed: &Claimed) -> Result<(), Error> {
        let Claimed { consent, row } = claimed;
        let refresh = self.refresh_token(consent, row).await?;
        let deadline = self.0.clock.tick().plus(PATIENCE);
        let fresh = self.exchange(draft, &refresh, deadline).await?;
        if fresh.portal_id != consent.portal_id {
            return Err(Error::OfAnotherPortal {
                expected: consent.portal_id,
                actual: fresh.portal_id,
            });
        }
        let sealed = self
            .seal_as(consent, &fresh, row.sequence.saturating_add(1))
            .await?;
        // Where another replica was quicker after all, what it has stored is used.
        store::renew(&self.0.database, &sealed).await
    }

    async fn note_failure(&self, claimed: &Claimed, error: &Error) -> Result<(), Error> {
        let (database, now) = (&self.0.database, self.0.clock.now());
        let secret_id = claimed.consent.secret_id();
        let reason = error.reason();
        if reason == ErrorReason::ConsentRequired {
            return store::lose(database, &secret_id, claimed.row.sequence, now).await;
        }
        let pause = pause(claimed.row.failures).max(error.retry_after().unwrap_or_default());
        let retry = now.plus(pause);
        store::fail(
            database,
            &secret_id,
            claimed.row.sequence,
            reason.wire_name(),
            retry,
        )
        .await
    }
}

/// How long HubSpot is left alone after so many failures before this one.
fn pause(failures: u32) -> Duration {
    let factor = 2_u32.saturating_pow(failures.min(16));
    PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pauses_grow_to_a_minute() {
        let seconds = |failures| pause(failures).as_secs();
        assert_eq!([0, 1, 2, 5, 6, 40].map(seconds), [1, 2, 4, 32, 60, 60]);
    }
}
