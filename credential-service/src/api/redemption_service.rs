//! `hubkeep.credential.v1.RedemptionService`.

use std::pin::Pin;

use futures::{Stream, StreamExt as _, future, stream};
use hubkeep_audit_log::Operation;
use hubkeep_core::grpc::Context;
use hubkeep_proto::credential::v1::{
    self as wire, CallerGeneration, ConfirmErasureRequest, ConfirmErasureResponse, CredentialVersion,
    GrantRevision, Heartbeat, PersonGeneration, PortalErasure, PortalGeneration, RedeemHandleRequest,
    RedeemHandleResponse, RedeemReservationRequest, RedeemReservationResponse, ReserveCallRequest,
    ReserveCallResponse, WatchRevocationsRequest, WatchRevocationsResponse,
    redemption_service_server::RedemptionService, revocation, watch_revocations_response::Message,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::{Desk, Error, fields, redemption};
use crate::{
    fleet::{Fleet, Tombstone},
    handles::Handles,
    revocations::{News, Revocation, Revocations, Scope},
};

/// Redemption and the feed of revocations, over gRPC.
#[derive(Clone, Debug)]
pub struct RedemptionApi {
    desk: Desk,
    handles: Handles,
    fleet: Fleet,
    revocations: Revocations,
    stopping: CancellationToken,
}

impl RedemptionApi {
    /// The service. `stopping` ends its streams.
    pub const fn new(
        desk: Desk,
        handles: Handles,
        fleet: Fleet,
        revocations: Revocations,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            desk,
            handles,
            fleet,
            revocations,
            stopping,
        }
    }
}

#[tonic::async_trait]
impl RedemptionService for RedemptionApi {
    type WatchRevocationsStream =
        Pin<Box<dyn Stream<Item = Result<WatchRevocationsResponse, Status>> + Send>>;

    async fn redeem_handle(
        &self,
        request: Request<RedeemHandleRequest>,
    ) -> Result<Response<RedeemHandleResponse>, Status> {
        let handles = self.handles.clone();
        let work = async move |act, request| {
            let redeemed = handles.redeem(&act, redemption::presented(&request)?).await?;
            Ok(redemption::answer(&redeemed))
        };
        self.desk.answer(request, Operation::HandleRedeem, work).await
    }

    async fn reserve_call(
        &self,
        request: Request<ReserveCallRequest>,
    ) -> Result<Response<ReserveCallResponse>, Status> {
        let handles = self.handles.clone();
        let work = async move |act, request| {
            let reserved = handles.reserve(&act, redemption::reserving(request)?).await?;
            Ok(ReserveCallResponse {
                reservation_id: reserved.reservation_id.to_string(),
                expire_time: Some(reserved.expire_time.into()),
            })
        };
        self.desk.answer(request, Operation::CallReserve, work).await
    }

    async fn redeem_reservation(
        &self,
        request: Request<RedeemReservationRequest>,
    ) -> Result<Response<RedeemReservationResponse>, Status> {
        let handles = self.handles.clone();
        let work = async move |act, request| {
            let redeemed = handles
                .redeem_reservation(&act, redemption::due(&request)?)
                .await?;
            Ok(RedeemReservationResponse {
                redeemed: Some(redemption::answer(&redeemed)),
            })
        };
        self.desk
            .answer(request, Operation::ReservationRedeem, work)
            .await
    }

    async fn confirm_erasure(
        &self,
        request: Request<ConfirmErasureRequest>,
    ) -> Result<Response<ConfirmErasureResponse>, Status> {
        let fleet = self.fleet.clone();
        let work = async move |_act, request: ConfirmErasureRequest| {
            let portal = fields::portal_id("portal_id", request.portal_id)?;
            let portal = portal.ok_or_else(|| Error::field("portal_id", "name the portal"))?;
            fleet.confirm(portal, &tombstone(request)).await?;
            Ok(ConfirmErasureResponse {})
        };
        self.desk.answer(request, Operation::ErasureConfirm, work).await
    }

    async fn watch_revocations(
        &self,
        request: Request<Streaming<WatchRevocationsRequest>>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        let context = Context::of_stream(&request)?;
        let revocations = self.revocations.clone();
        let work = async move |_act, mut applied: Streaming<WatchRevocationsRequest>| {
            let after = first_place(&mut applied).await?;
            Ok((revocations.watch(after).await?, applied))
        };
        let opened = self
            .desk
            .answer(request, Operation::RevocationWatch, work)
            .await?;
        let (feed, applied) = opened.into_inner();
        let (in_time, at_last) = (context.clone(), context);
        let news = feed.into_stream().map(move |news| match news {
            Ok(news) => Ok(news_to_wire(news)),
            Err(error) => Err(in_time.refuse(&error)),
        });
        let (stopping, stopped) = (self.stopping.clone(), self.stopping.clone());
        // A watcher that goes away ends its side: there is nobody left to tell.
        let gone = async move {
            tokio::select! {
                () = stopping.cancelled_owned() => {}
                () = hear_out(applied) => {}
            }
        };
        let farewell = stream::once(async move {
            stopped
                .is_cancelled()
                .then(|| Err(at_last.refuse(&Error::Stopping)))
        });
        let feed = news.take_until(gone).chain(farewell.filter_map(future::ready));
        Ok(Response::new(Box::pin(feed)))
    }
}

/// The place after which events are wanted. A watcher that ends its side without one begins at the beginning.
async fn first_place(applied: &mut Streaming<WatchRevocationsRequest>) -> Result<u64, Error> {
    match applied.message().await {
        Ok(Some(first)) => Ok(first.applied_seq),
        Ok(None) => Ok(0),
        Err(_) => Err(Error::field("applied_seq", "the first message could not be read")),
    }
}

/// Takes in what the watcher says that it has applied. Ends when the connection breaks; a watcher that merely has
/// nothing more to say still listens.
async fn hear_out(mut applied: Streaming<WatchRevocationsRequest>) {
    loop {
        match applied.message().await {
            Ok(Some(message)) => {
                tracing::debug!(seq = message.applied_seq, "a watcher has applied revocations")
            }
            Ok(None) => return std::future::pending().await,
            Err(_) => return,
        }
    }
}

fn tombstone(request: ConfirmErasureRequest) -> Tombstone {
    Tombstone {
        log: request.log,
        position: request.position,
        index: request.index,
        entry_id: request.entry_id,
        keys: request.destroyed_keys,
    }
}

fn news_to_wire(news: News) -> WatchRevocationsResponse {
    let message = match news {
        News::Revoked(revocation) => Message::Revocation(revocation_to_wire(&revocation)),
        News::Heartbeat(revocation_seq) => Message::Heartbeat(Heartbeat {
            revocation_seq,
            ..Heartbeat::default()
        }),
    };
    WatchRevocationsResponse {
        message: Some(message),
    }
}

fn revocation_to_wire(revocation: &Revocation) -> wire::Revocation {
    let scope = match &revocation.scope {
        Scope::Handle(handle_id) => revocation::Scope::HandleId(handle_id.to_string()),
        Scope::PortalGeneration(portal, generation) => {
            revocation::Scope::PortalGeneration(PortalGeneration {
                portal_id: portal.get(),
                generation: *generation,
            })
        }
        Scope::CredentialVersion(portal, version) => {
            revocation::Scope::CredentialVersion(CredentialVersion {
                portal_id: portal.get(),
                version: *version,
            })
        }
        Scope::PortalErasure(portal, client_slug, generation) => {
            revocation::Scope::PortalErasure(PortalErasure {
                portal_id: portal.get(),
                client_slug: client_slug.to_string(),
                generation: *generation,
            })
        }
        Scope::CallerGeneration(caller, generation) => {
            revocation::Scope::CallerGeneration(CallerGeneration {
                caller: caller.to_string(),
                generation: *generation,
            })
        }
        Scope::PersonGeneration(person, generation) => {
            revocation::Scope::PersonGeneration(PersonGeneration {
                person_id: person.to_string(),
                generation: *generation,
            })
        }
        Scope::GrantRevision(grant, revision) => revocation::Scope::GrantRevision(GrantRevision {
            grant_id: grant.to_string(),
            revision: *revision,
        }),
    };
    wire::Revocation {
        seq: revocation.seq,
        revoke_time: Some(revocation.time.into()),
        scope: Some(scope),
    }
}
