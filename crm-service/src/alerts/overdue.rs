//! Notes in portals' logs that their tokens are older than they should be. Only credential-service knows, and it is asked once an
//! hour, by the replica that has the evaluation.

use std::{collections::BTreeMap, time::Duration};

use hubkeep_audit_log::{AuditLog, Draft, Filter, Operation, Outcome, ProvenPortal, Search};
use hubkeep_core::{
    clock::{SharedClock, Timestamp},
    database::Database,
    id::{CallId, CallerName},
    random::{RandomError, SharedRandom},
};
use thiserror::Error as ThisError;

use super::{
    Alerts, Deps, Error,
    kind::Kind,
    rule::{Config, Rules},
    store::rules,
};
use crate::credentials::{self, Credentials, OldToken};

/// How often credential-service is asked.
const ASKS_EVERY: Duration = Duration::from_secs(60 * 60);
/// How soon it is asked again where it did not answer.
const RETRY: Duration = Duration::from_secs(60);
/// How often it is noted for a portal: twice in the longest window of a rule.
const NOTED_EVERY: Duration = Duration::from_secs(12 * 60 * 60);
const DAY: u64 = 24 * 60 * 60;

/// Why it was not looked at, or not noted.
#[derive(Debug, ThisError)]
enum LookError {
    #[error(transparent)]
    Rules(#[from] Error),
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
    #[error(transparent)]
    Log(#[from] hubkeep_audit_log::Error),
    #[error(transparent)]
    Random(#[from] RandomError),
}

/// What is needed to note it.
#[derive(Debug)]
pub(super) struct Overdue {
    config: Config,
    database: Database,
    log: AuditLog,
    credentials: Credentials,
    caller: CallerName,
    clock: SharedClock,
    random: SharedRandom,
}

impl Overdue {
    pub(super) fn new(deps: &Deps, alerts: &Alerts) -> Self {
        Self {
            config: Config::clone(&alerts.config),
            database: deps.database.clone(),
            log: deps.log.clone(),
            credentials: deps.credentials.clone(),
            caller: deps.caller.clone(),
            clock: deps.clock.clone(),
            random: deps.random.clone(),
        }
    }

    /// For ever; it is let go of when it is to end.
    pub(super) async fn run(&self) {
        let mut fails = false;
        loop {
            let wait = match self.look().await {
                Ok(()) => {
                    fails = false;
                    ASKS_EVERY
                }
                Err(error) => {
                    if !std::mem::replace(&mut fails, true) {
                        tracing::warn!(%error, "whose tokens are older than they should be is not known yet");
                    }
                    RETRY
                }
            };
            self.clock.sleep(wait).await;
        }
    }

    async fn look(&self) -> Result<(), LookError> {
        let rules = Rules::new(&self.config, rules::all(&self.database).await?);
        if !rules.are_looked_at(Kind::RotationOverdue) {
            return Ok(());
        }
        let call_id = CallId::make(&*self.clock, &*self.random)?;
        let old = self
            .credentials
            .old_tokens(self.config.token_age, call_id)
            .await?;
        for (portal, tokens) in by_portal(old) {
            self.note(&portal, &tokens, call_id).await?;
        }
        Ok(())
    }

    /// Puts it on record, unless that was done not long ago.
    async fn note(
        &self,
        portal: &ProvenPortal,
        tokens: &[OldToken],
        call_id: CallId,
    ) -> Result<(), LookError> {
        let noted = Filter {
            portal_id: Some(portal.portal_id()),
            operations: vec![Operation::RotationOverdue],
            ..Filter::all()
        };
        let last = self.log.find(&Search::newest(noted, 1)).await?.pop();
        let last = last
            .and_then(|event| event.entry?.entry_time)
            .map(Timestamp::from);
        if last.is_some_and(|last| self.clock.now() < last.plus(NOTED_EVERY)) {
            return Ok(());
        }
        let draft = Draft::portal(portal, Operation::RotationOverdue, call_id)
            .caller(&self.caller)
            .subject(&said(tokens));
        self.log.admin(draft, Outcome::ok()).await?;
        Ok(())
    }
}

/// What is old of each portal, the oldest first.
fn by_portal(old: Vec<OldToken>) -> Vec<(ProvenPortal, Vec<OldToken>)> {
    let mut portals = BTreeMap::<_, Vec<OldToken>>::new();
    for token in old {
        portals.entry(token.portal_id).or_default().push(token);
    }
    let each = portals.into_iter().filter_map(|(portal_id, mut tokens)| {
        tokens.sort_by_key(|token| std::cmp::Reverse(token.age));
        let client_slug = tokens.first()?.client_slug.clone();
        Some((ProvenPortal::by_record(portal_id, client_slug), tokens))
    });
    each.collect()
}

/// In a line, however many a portal has.
fn said(tokens: &[OldToken]) -> String {
    let Some(oldest) = tokens.first() else {
        return String::new();
    };
    let days = oldest.age.as_secs() / DAY;
    let others = match tokens.len() {
        0 | 1 => String::new(),
        2 => ", and 1 more is too old".to_owned(),
        count => format!(", and {} more are too old", count - 1),
    };
    format!(
        "the token of {} is {days} days old{others}",
        oldest.credential_name
    )
}

#[cfg(test)]
mod tests {
    use hubkeep_core::id::PortalId;

    use super::*;

    fn token(portal: u64, name: &str, days: u64) -> OldToken {
        OldToken {
            portal_id: PortalId::new(portal).expect("not zero"),
            client_slug: format!("client-{portal}").parse().expect("a slug"),
            credential_name: name.to_owned(),
            age: Duration::from_secs(days * DAY + 1),
        }
    }

    #[test]
    fn a_portal_has_one_note_that_names_the_oldest_of_its_tokens() {
        let old = vec![
            token(2, "main", 200),
            token(1, "main", 181),
            token(2, "reads", 365),
        ];
        let notes = by_portal(old);
        let said: Vec<_> = notes
            .iter()
            .map(|(portal, tokens)| (portal.client_slug().as_str(), said(tokens)))
            .collect();
        let first = ("client-1", "the token of main is 181 days old".to_owned());
        let second = "the token of reads is 365 days old, and 1 more is too old".to_owned();
        assert_eq!(said, [first, ("client-2", second)]);
    }
}
