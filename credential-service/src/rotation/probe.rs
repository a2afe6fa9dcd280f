//! Asks HubSpot whether it still accepts the tokens of a rotation: the one that was taken out of force until it is refused
//! twice running, whatever becomes of the rotation. One replica asks, and the others let it.

use std::time::Duration;

use hubkeep_audit_log::{Draft, Operation, Outcome};
use hubkeep_core::{clock::Timestamp, error::ServiceError as _, id::CallId};

use super::{
    Error, Rotations,
    rotation::Rotation,
    state::{Standing, Step, Token},
    store::rotations,
};
use crate::portals::Probed;

/// How long a replica has for one question before another may ask it. Longer than both calls to HubSpot may take.
const LEASE: Duration = Duration::from_secs(90);

impl Rotations {
    /// Rotations about which it is time to ask: one of each portal, of at most so many portals.
    pub(super) async fn due_probes(&self, limit: usize) -> Result<Vec<Rotation>, Error> {
        let now = self.clock.now();
        let mut due = Vec::new();
        for portal_id in rotations::due_portals(&self.database, now, limit).await? {
            due.extend(rotations::first_due(&self.database, portal_id, now).await?);
        }
        Ok(due)
    }

    /// Asks about one rotation, if no other replica does, and writes down what HubSpot said.
    pub(super) async fn probe(&self, rotation: Rotation) {
        let id = rotation.rotation_id;
        if let Err(error) = self.claim_and_ask(rotation).await {
            tracing::warn!(%error, rotation = %id, "the tokens of a rotation could not be asked about");
            // It is due still: nobody hurries.
            self.clock.sleep(self.config.look_every).await;
        }
    }

    async fn claim_and_ask(&self, before: Rotation) -> Result<(), Error> {
        let lease = self.clock.now().plus(LEASE);
        if !rotations::claim(&self.database, &before, lease).await? {
            return Ok(());
        }
        if self.portals.was_erased(before.portal_id) {
            // Its tokens are gone, and nobody can ask about them: the claim is not given back.
            let after = Rotation {
                next_probe_time: None,
                ..before
            };
            rotations::probed(&self.database, &after, false, lease).await?;
            return Ok(());
        }
        let call_id = CallId::make(&*self.clock, &*self.random)?;
        let draft = || {
            let draft = Draft::portal(&before.proven(), Operation::RotationProbe, call_id);
            draft.caller(&self.name).subject(&before.rotation_id.to_string())
        };
        // A later rotation's own token is its own concern.
        let in_force = match before.standing {
            Standing::InForce => self.ask(&before, before.new_version, draft()).await,
            Standing::RolledBack | Standing::Superseded | Standing::Closed => Token::Unknown,
        };
        let retired = before.retired();
        let retired = match retired.token {
            Token::Refused => Token::Unknown,
            _ => self.ask(&before, retired.version, draft()).await,
        };
        let (old, new) = match before.standing {
            Standing::RolledBack => (in_force, retired),
            Standing::InForce | Standing::Superseded | Standing::Closed => (retired, in_force),
        };
        let now = self.clock.now();
        // Being probed is possible in every state.
        let known = before
            .known()
            .after(Step::Probed { old, new })
            .unwrap_or(before.known());
        let died = known.retired() == Token::Refused && before.retired().token != Token::Refused;
        let after = Rotation {
            old_token: known.old,
            new_token: known.new,
            probe_time: Some(now),
            next_probe_time: known.is_probed().then(|| match known.retired() {
                Token::RefusedOnce => self.config.probe_again(now),
                _ => self.config.next_probe(retired_since(&before), now),
            }),
            ..before.clone()
        };
        if !rotations::probed(&self.database, &after, died, lease).await? {
            // Ended meanwhile, or the lease was lost.
            return Ok(());
        }
        if is_news(&before, &after) {
            let draft = draft()
                .credential_version(after.credential_version)
                .token(after.retired().fingerprint);
            if let Err(error) = self.log.admin(draft, Outcome::ok()).await {
                tracing::warn!(%error, rotation = %after.rotation_id, "what HubSpot said of a token is not on the log");
            }
            self.announce_state();
        }
        Ok(())
    }

    /// What HubSpot says of one of a rotation's tokens. Without an answer nothing is known.
    async fn ask(&self, rotation: &Rotation, version: u64, draft: Draft) -> Token {
        let asked = async {
            let token = self.vault.open(&rotation.in_vault(version)).await?;
            let probed = Probed {
                token: &token,
                payer: rotation.fingerprint_in_force(),
                portal_id: rotation.portal_id,
                credential_id: rotation.credential_id,
            };
            Ok::<_, Error>(self.portals.accepts(draft, probed).await?)
        };
        match asked.await {
            Ok(true) => Token::Accepted,
            Ok(false) => Token::Refused,
            Err(error) => {
                let reason = error.reason().wire_name();
                tracing::info!(rotation = %rotation.rotation_id, reason, "HubSpot did not say whether a token lives");
                Token::Unknown
            }
        }
    }
}

/// When the token that is asked about was taken out of force.
fn retired_since(rotation: &Rotation) -> Timestamp {
    let rolled_back = rotation
        .end
        .as_ref()
        .filter(|_| rotation.standing == Standing::RolledBack);
    rolled_back.map_or(rotation.switch_time, |end| end.time)
}

/// Whether anything is known that was not: what was said once, and is not believed yet, is not.
fn is_news(before: &Rotation, after: &Rotation) -> bool {
    let known = |before: Token, after: Token| match after {
        Token::RefusedOnce => before,
        after => after,
    };
    known(before.old_token, after.old_token) != before.old_token
        || known(before.new_token, after.new_token) != before.new_token
}
