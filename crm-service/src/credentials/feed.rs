//! Follows the feed of revocations for as long as the service runs.

use std::time::Duration;

use hubkeep_core::{clock::SharedClock, id::PortalId};
use hubkeep_proto::credential::v1::{
    Revocation, WatchRevocationsRequest, redemption_service_client::RedemptionServiceClient, revocation,
    watch_revocations_response::Message,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{
    erasure::{self, ErasureOrder},
    memory::{Memory, Scope},
    wire::{self, Link},
};

/// How soon a broken feed is taken up again.
const RETRY: Duration = Duration::from_millis(200);
/// Acknowledgements on their way at once; there is at most one for each event.
const ACKS: usize = 64;

/// Where what is heard goes.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) memory: Memory,
    pub(super) orders: mpsc::UnboundedSender<ErasureOrder>,
}

/// Follows the feed until `stop`.
pub(super) async fn follow(link: Link, heard: Heard, clock: SharedClock, stop: CancellationToken) {
    let mut broken = false;
    loop {
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = watch(&link, &heard, &clock, &mut broken) => ended,
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
            () = clock.sleep(RETRY) => {}
        }
    }
}

async fn watch(link: &Link, heard: &Heard, clock: &SharedClock, broken: &mut bool) -> Result<(), Status> {
    let memory = &heard.memory;
    let (acks, outgoing) = mpsc::channel(ACKS);
    let acknowledge = |applied_seq| WatchRevocationsRequest {
        applied_seq,
        ..WatchRevocationsRequest::default()
    };
    // The channel is empty, so that the first message always has room.
    let _ = acks.try_send(acknowledge(memory.applied_seq()));
    let mut client = RedemptionServiceClient::new(link.channel());
    let mut feed = client
        .watch_revocations(link.request(ReceiverStream::new(outgoing)))
        .await?
        .into_inner();
    while let Some(response) = feed.message().await? {
        if std::mem::take(broken) {
            tracing::info!("the revocation feed is back");
        }
        match response.message {
            Some(Message::Revocation(event)) => {
                memory.apply(event.seq, scope(&event), clock.tick());
                heard.order(&event);
                // A full channel means that the server is slow to read; the next one says all that this one would.
                let _ = acks.try_send(acknowledge(memory.applied_seq()));
            }
            Some(Message::Heartbeat(beat)) => memory.beat(beat.revocation_seq, clock.tick()),
            None => {}
        }
    }
    Ok(())
}

impl Heard {
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
        revocation::Scope::CallerGeneration(_)
        | revocation::Scope::PersonGeneration(_)
        | revocation::Scope::GrantRevision(_) => None,
    }
}
