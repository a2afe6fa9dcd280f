//! Follows the feed of revocations for as long as the service runs.

use std::{sync::Arc, time::Duration};

use hubkeep_core::{clock::SharedClock, grpc::Holds, id::PortalId};
use hubkeep_proto::credential::v1::{
    Revocation, redemption_service_client::RedemptionServiceClient, revocation,
    watch_revocations_response::Message,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{
    ending::{Applied, PATIENCE},
    erasure::{self, ErasureOrder},
    memory::{Ending, Memory, Scope},
    own_calls::OwnCalls,
    pulse::Pulse,
    refused::RefusedTokens,
    wire::{self, Link},
};

/// How soon a broken feed is taken up again.
const RETRY: Duration = Duration::from_millis(200);

/// Where what is heard goes.
pub(super) struct Heard {
    pub(super) memory: Memory,
    pub(super) orders: mpsc::UnboundedSender<ErasureOrder>,
    /// Who is contained.
    pub(super) holds: Holds,
    /// Tokens that HubSpot refuses, which may be replaced.
    pub(super) refused: RefusedTokens,
    /// Where credential-service calls HubSpot itself.
    pub(super) own_calls: OwnCalls,
    /// To who waits for what must end.
    pub(super) applied: mpsc::UnboundedSender<Applied>,
    /// What is said.
    pub(super) pulse: Arc<Pulse>,
    pub(super) clock: SharedClock,
}

/// Follows the feed until `stop`.
pub(super) async fn follow(link: Link, heard: Heard, stop: CancellationToken) {
    let mut broken = false;
    loop {
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = watch(&link, &heard, &mut broken) => ended,
        };
        // Said once, and once more when it is back: it is tried again several times a second.
        if let Err(status) = ended
            && !broken
        {
            broken = true;
            tracing::warn!(code = ?status.code(), message = wire::said(&status), "the revocation feed broke off");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = heard.clock.sleep(RETRY) => {}
        }
    }
}

async fn watch(link: &Link, heard: &Heard, broken: &mut bool) -> Result<(), Status> {
    let messages = heard.pulse.clone().messages(heard.memory.applied_seq());
    let mut client = RedemptionServiceClient::new(link.channel());
    let mut feed = client
        .watch_revocations(link.request(messages))
        .await?
        .into_inner();
    while let Some(response) = feed.message().await? {
        if std::mem::take(broken) {
            tracing::info!("the revocation feed is back");
        }
        match response.message {
            Some(Message::Revocation(event)) => {
                heard.hold(&event);
                heard.leave_free(&event);
                heard.look_anew(&event);
                let ending = heard.memory.apply(event.seq, scope(&event));
                heard.order(&event);
                heard.applied(event.seq, ending);
            }
            Some(Message::Heartbeat(beat)) => {
                metrics::counter!("hubkeep_revocation_heartbeats_total").increment(1);
                let said = heard.pulse.came_back(beat.echo);
                if let Some(ending) = heard.memory.beat(beat.revocation_seq, said) {
                    // What was missed may be about any portal.
                    heard.own_calls.come_everywhere(heard.clock.tick());
                    heard.applied(beat.revocation_seq, ending);
                }
                // Everything before it is applied by now, also who is contained.
                if let Some(as_of) = heard.memory.heard() {
                    heard.holds.heard(as_of);
                    heard.own_calls.heard(as_of);
                }
            }
            None => {}
        }
    }
    Ok(())
}

impl Heard {
    /// Has an event acknowledged when what must end for it has ended.
    fn applied(&self, seq: u64, ending: Ending) {
        let until = self.clock.tick().plus(PATIENCE);
        // Nobody is left to acknowledge only when the service stops.
        let _ = self.applied.send(Applied { seq, ending, until });
    }

    /// Refuses a caller from now on, or no longer.
    fn hold(&self, event: &Revocation) {
        if let Some(revocation::Scope::CallerHold(hold)) = &event.scope
            && let Ok(caller) = hold.caller.parse()
        {
            self.holds.set(&caller, hold.held);
        }
    }

    /// Lends nothing of a portal's for a while. An event of which nobody knows what it is about may be about this.
    fn leave_free(&self, event: &Revocation) {
        let now = self.clock.tick();
        match &event.scope {
            Some(revocation::Scope::OwnCalls(calls)) => match PortalId::new(calls.portal_id) {
                Some(portal) => self.own_calls.come(portal, now),
                None => self.own_calls.come_everywhere(now),
            },
            Some(_) => {}
            None => self.own_calls.come_everywhere(now),
        }
    }

    /// Thinks no more of what HubSpot has said of tokens that were replaced.
    fn look_anew(&self, event: &Revocation) {
        if let Some(revocation::Scope::CredentialVersion(moved)) = &event.scope
            && let Some(portal) = PortalId::new(moved.portal_id)
        {
            self.refused.replaced(portal, moved.version);
        }
    }

    /// Passes an order on. Nobody is left to carry it out only when the service stops: it comes again at the next start.
    fn order(&self, event: &Revocation) {
        if let Some(revocation::Scope::PortalErasure(erasure)) = &event.scope
            && let Some(order) = erasure::order(erasure)
        {
            let _ = self.orders.send(order);
        }
    }
}

/// What an event takes away; `None` for a kind that this version does not know, which then takes everything.
fn scope(event: &Revocation) -> Option<Scope> {
    match event.scope.as_ref()? {
        revocation::Scope::HandleId(id) => id.parse().ok().map(Scope::Handle),
        revocation::Scope::PortalGeneration(moved) => {
            let portal = PortalId::new(moved.portal_id)?;
            Some(Scope::PortalGeneration {
                portal,
                generation: moved.generation,
            })
        }
        revocation::Scope::PortalErasure(erased) => {
            let portal = PortalId::new(erased.portal_id)?;
            Some(Scope::PortalGeneration {
                portal,
                generation: erased.generation,
            })
        }
        revocation::Scope::CredentialVersion(moved) => {
            let portal = PortalId::new(moved.portal_id)?;
            Some(Scope::CredentialVersion {
                portal,
                version: moved.version,
            })
        }
        revocation::Scope::CallerGeneration(moved) => Some(Scope::CallerGeneration {
            caller: moved.caller.parse().ok()?,
            generation: moved.generation,
        }),
        revocation::Scope::PersonGeneration(moved) => Some(Scope::PersonGeneration {
            person: moved.person_id.parse().ok()?,
            generation: moved.generation,
        }),
        revocation::Scope::CallerHold(_) => Some(Scope::CallerHold),
        revocation::Scope::OwnCalls(_) => Some(Scope::OwnCalls),
        revocation::Scope::GrantRevision(moved) => Some(Scope::GrantRevision {
            grant: moved.grant_id.parse().ok()?,
            revision: moved.revision,
        }),
    }
}
