//! Asks HubSpot how many calls the account has made today, where its answers do not say so. The question is a call like
//! others: paid for, recorded, and made by the right of a handle.

use std::{sync::Arc, time::Duration};

use hubkeep_audit_log::{Draft, Operation};
use hubkeep_core::{
    clock::{SharedClock, Tick},
    grpc::Context,
    id::CallId,
    random::SharedRandom,
};
use hubkeep_hubspot::{Client, Lease, RecordRefs, Request, usage};
use thiserror::Error as ThisError;
use tokio_util::task::TaskTracker;

use super::rate_limit::{learn, payer, said_of_token, send_by, shown};
use crate::{
    credentials::{self, Credentials, Grant, Word},
    quota::{self, About, Bucket, Health, PortalQuota},
};

/// Nobody waits longer than this for the answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why HubSpot's count is not known.
#[derive(Debug, ThisError)]
enum Unknown {
    #[error(transparent)]
    NoRoom(#[from] quota::Error),
    #[error(transparent)]
    Handle(#[from] credentials::Error),
    #[error(transparent)]
    HubSpot(#[from] hubkeep_hubspot::Error),
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Usage {
    hubspot: Client,
    credentials: Credentials,
    under_way: TaskTracker,
    clock: SharedClock,
    random: SharedRandom,
}

impl Usage {
    /// HubSpot is asked by this client; questions are counted by this tracker while they are under way.
    pub const fn new(
        hubspot: Client,
        credentials: Credentials,
        under_way: TaskTracker,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Self {
        Self {
            hubspot,
            credentials,
            under_way,
            clock,
            random,
        }
    }

    /// Asks, if what is known is more than 5 minutes old and HubSpot counts the calls of this token by the day, and waits for the answer 3 s at most. Without one, what is
    /// known stays as it is.
    pub async fn refresh(&self, quota: &PortalQuota, grant: &Arc<Grant>, context: &Context, call_id: CallId) {
        if grant.counts_by_day() && quota.is_stale() {
            let deadline = context.deadline.min(self.clock.tick().plus(PATIENCE));
            // On a task of its own: what was sent is recorded to its end, whoever hangs up.
            let _ = self
                .spawn(quota, grant, Arc::new(context.clone()), call_id, deadline)
                .await;
        }
    }

    /// Asks, and lets nobody wait for it.
    pub(super) fn ask_aside(&self, quota: &PortalQuota, grant: &Arc<Grant>, context: &Arc<Context>) {
        match CallId::make(&*self.clock, &*self.random) {
            Ok(call_id) => {
                let deadline = self.clock.tick().plus(PATIENCE);
                drop(self.spawn(quota, grant, Arc::clone(context), call_id, deadline));
            }
            Err(error) => tracing::warn!(%error, "HubSpot is not asked for the calls of today"),
        }
    }

    fn spawn(
        &self,
        quota: &PortalQuota,
        grant: &Arc<Grant>,
        context: Arc<Context>,
        call_id: CallId,
        deadline: Tick,
    ) -> tokio::task::JoinHandle<()> {
        let (asker, quota, grant) = (self.clone(), quota.clone(), grant.clone());
        self.under_way.spawn(async move {
            if let Err(error) = asker.ask(&quota, &grant, &context, call_id, deadline).await {
                tracing::info!(%error, portal_id = %grant.portal().portal_id(), "the calls of today are not known");
            }
        })
    }

    async fn ask(
        &self,
        quota: &PortalQuota,
        grant: &Arc<Grant>,
        context: &Context,
        call_id: CallId,
        deadline: Tick,
    ) -> Result<(), Unknown> {
        self.credentials.may_send(grant)?;
        let about = About::new(call_id, ["the calls of today"]);
        let payer = payer(grant, context, &about);
        let paid = grant
            .taken_away()
            .run_until_cancelled(quota.pay(payer, Bucket::Burst, deadline));
        let slot = paid.await.ok_or(credentials::Error::Invalid)??;
        let _under_way = grant.begin();
        let lease = Lease {
            send_by: Some(send_by(self.credentials.confirm(grant)?, &slot)),
            revoked: grant.taken_away().clone(),
        };
        let pass = self.credentials.enter(grant)?;
        let draft = Draft::portal(grant.portal(), Operation::QuotaGet, call_id)
            .context(context)
            .handle(grant.handle_id())
            .purpose(grant.purpose())
            .credential_version(grant.credential_version())
            .token(grant.fingerprint())
            .attempt(1);
        let request = Request {
            ask: usage::daily(self.hubspot.version()),
            token: grant.token(),
            draft,
            deadline,
            lease,
            refs: RecordRefs::default(),
        };
        match self.hubspot.call_noting(request, |at| slot.sent(at)).await {
            Ok(answer) => {
                pass.ended(Word::Accepts);
                slot.tell(Health::Answers);
                slot.learn(&answer.limits);
                // Headers count this very call; the endpoint's own count may be minutes old.
                if answer.limits.daily_remaining.is_none() {
                    quota.learn_usage(answer.value);
                }
                Ok(())
            }
            Err(error) => {
                pass.ended(said_of_token(&error));
                slot.tell(shown(&error, None));
                Err(learn(&slot, Bucket::Burst, error).into())
            }
        }
    }
}
