//! What lies sealed beside audit entries about contacts that were erased for good: it goes, too, once the erasure has happened.

use std::time::Duration;

use hubkeep_audit_log::{AuditLog, Error as LogError, Forgetting};
use hubkeep_core::{dying::watched, id::CallerName};
use tokio_util::sync::CancellationToken;

use super::{Error, Suppression, store};

/// How often it is looked for.
const LOOKED_FOR_EVERY: Duration = Duration::from_secs(60);
/// Erasures that are read at once.
const PAGE: u32 = 500;
/// As entries write the type of who is erased.
const CONTACTS: &str = "contacts";
/// As it stands on record.
const REASON: &str = "the contact was erased for good";

impl Suppression {
    /// Beside the calls, until `stop`: erases, in the name of `caller`, what lies sealed beside the entries of this log about contacts
    /// who were erased. What lies beside a log that is held goes when it is released.
    pub fn forget_payloads(&self, log: AuditLog, caller: CallerName, stop: &CancellationToken) {
        let list = self.clone();
        let forgetting = async move {
            loop {
                if let Err(error) = list.forget_once(&log, &caller).await {
                    tracing::warn!(%error, "what lies sealed beside entries about erased contacts could not be looked at");
                }
                list.clock.sleep(LOOKED_FOR_EVERY).await;
            }
        };
        tokio::spawn(watched(stop.clone().run_until_cancelled_owned(forgetting)));
    }

    async fn forget_once(&self, log: &AuditLog, caller: &CallerName) -> Result<(), Error> {
        let mut after = String::new();
        loop {
            let page = store::with_payloads(&self.database, &after, PAGE).await?;
            for of in &page {
                let forgotten = log
                    .forget(Forgetting {
                        portal_id: of.portal,
                        call_id: of.erasure,
                        object_type: CONTACTS,
                        caller,
                        reason: REASON,
                    })
                    .await;
                match forgotten {
                    Ok(count) => {
                        store::without_payloads(&self.database, of).await?;
                        tracing::info!(call_id = %of.erasure, count, "what lay sealed about an erased contact is gone");
                    }
                    Err(LogError::Held { .. }) => {}
                    Err(error) => {
                        tracing::warn!(call_id = %of.erasure, %error, "what lies sealed about an erased contact is still there: it is tried again");
                    }
                }
            }
            match page.last() {
                Some(last) => after = last.erasure.to_string(),
                None => return Ok(()),
            }
        }
    }
}
