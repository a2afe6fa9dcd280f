//! Before a write: whose account the token is that it will use, asked of HubSpot itself. Once for each version of a
//! portal's credential in this process, and again after a day.

use std::{sync::Arc, time::Duration};

use hubkeep_core::{
    clock::SharedClock,
    dying::watched,
    id::{CallId, PortalId},
    random::SharedRandom,
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Call, Confined, Error, Next, Reply, Step,
    proofs::{Known, Proofs, Verdict},
};
use crate::{
    credentials::{self, Grant},
    crm::{Answer, Ask},
};

/// HubSpot is waited for no longer than this; whoever waits for the verdict, no longer than its own deadline.
const PATIENCE: Duration = Duration::from_secs(10);

/// Proof that the token of a write is the portal's own: HubSpot has said so. Only [`Prove`] makes it. Reads need none.
#[derive(Clone, Debug)]
pub struct Proven {
    confined: Confined,
}

impl Proven {
    pub(super) fn grant(&self) -> &Arc<Grant> {
        self.confined.grant()
    }
}

/// The step. Stands above whatever a call pays for: a write that is refused here costs nothing of its handle's budget.
#[derive(Debug)]
pub struct Prove {
    proofs: Proofs,
    under_way: TaskTracker,
    stopping: CancellationToken,
    clock: SharedClock,
    random: SharedRandom,
}

impl Prove {
    /// Questions are counted by this tracker while they are under way; `stopping` ends every wait.
    pub fn new(
        under_way: TaskTracker,
        stopping: CancellationToken,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Self {
        Self {
            proofs: Proofs::default(),
            under_way,
            stopping,
            clock,
            random,
        }
    }
}

impl Step<Call<Confined>> for Prove {
    type Out = Call<Proven>;

    async fn take(&self, call: Call<Confined>, next: &Next<Call<Proven>>) -> Result<Reply, Error> {
        if !call.ask.is_read() {
            // Rare, and large: kept apart, so that what every call carries along stays small.
            Box::pin(self.prove(&call, next)).await?;
        }
        let confined = call.authority.clone();
        next.run(call.by(Proven { confined })).await
    }
}

impl Prove {
    async fn prove(&self, call: &Call<Confined>, next: &Next<Call<Proven>>) -> Result<(), Error> {
        let grant = call.authority.grant();
        let key = (grant.portal().portal_id(), grant.credential_version());
        loop {
            let (verdict, ours) = match self.proofs.of(key, self.clock.tick()) {
                Known::Proven => return Ok(()),
                Known::BeingAsked(verdict) => (verdict, false),
                Known::ToBeAsked(verdict) => {
                    let receiver = verdict.subscribe();
                    self.ask(call, next.clone(), verdict)?;
                    (receiver, true)
                }
            };
            let error = match self.wait_for(call, verdict).await? {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match &*error {
                // Of the handle by which it was asked: another's says nothing of ours.
                Error::Handle(_) if !ours => {}
                // Of the token by which it was asked: ours may be the next one.
                refused if !ours && refused.refused_token().is_some() => {}
                Error::Handle(credentials::Error::Superseded) => {
                    return Err(credentials::Error::Superseded.into());
                }
                Error::Handle(credentials::Error::Invalid) => {
                    return Err(credentials::Error::Invalid.into());
                }
                Error::Stopping => return Err(Error::Stopping),
                _ => return Err(Error::Unproven(Some(error))),
            }
        }
    }

    async fn wait_for(
        &self,
        call: &Call<Confined>,
        mut verdict: watch::Receiver<Verdict>,
    ) -> Result<Result<(), Arc<Error>>, Error> {
        let told = verdict.wait_for(Option::is_some);
        let told = tokio::select! {
            biased;
            () = call.caller_gone.cancelled() => return Err(Error::CallerGone),
            () = self.stopping.cancelled() => return Err(Error::Stopping),
            told = self.clock.timeout_at(call.context.deadline, told) => told,
        };
        // Not in time, or the task that asks is lost.
        let told = told.and_then(Result::ok).and_then(|told| told.clone());
        told.ok_or(Error::Unproven(None))
    }

    /// Asks on a task of its own, the rest of the way down: paid for, recorded, and by the very token of the write.
    fn ask(
        &self,
        call: &Call<Confined>,
        next: Next<Call<Proven>>,
        verdict: watch::Sender<Verdict>,
    ) -> Result<(), Error> {
        let confined = call.authority.clone();
        let grant = confined.grant().clone();
        let (portal, version) = (grant.portal().portal_id(), grant.credential_version());
        let asked = self.clock.tick();
        let mut question = call.with(Proven { confined });
        // Several may wait for the answer: it is a call of its own, with time of its own, whoever hangs up.
        let mut context = (*call.context).clone();
        context.deadline = asked.plus(PATIENCE);
        question.context = Arc::new(context);
        question.call_id = CallId::make(&*self.clock, &*self.random)?;
        question.ask = Ask::ReadAccount;
        question.attempt = 1;
        question.made_aside = Arc::default();
        question.aside = true;
        question.caller_gone = CancellationToken::new();
        let proofs = self.proofs.clone();
        let asking = async move {
            let answer = next
                .run(question)
                .await
                .and_then(|reply| named(&reply.answer, portal));
            if let Err(Error::OfAnotherPortal { expected, actual }) = &answer {
                tracing::error!(
                    %expected, %actual, client_slug = %grant.portal().client_slug(), fingerprint = %grant.fingerprint(),
                    "the token of a portal answers for another: nothing is written by it"
                );
            }
            proofs.settle((portal, version), asked, answer.is_ok());
            // Nobody may be left to be told.
            let _ = verdict.send(Some(answer.map_err(Arc::new)));
        };
        self.under_way.spawn(watched(asking));
        Ok(())
    }
}

/// Whether the account that HubSpot named is this portal.
fn named(answer: &Answer, expected: PortalId) -> Result<(), Error> {
    match answer {
        Answer::Account(actual) if *actual == expected => Ok(()),
        Answer::Account(actual) => Err(Error::OfAnotherPortal {
            expected,
            actual: *actual,
        }),
        _ => Err(Error::WrongAnswer),
    }
}
