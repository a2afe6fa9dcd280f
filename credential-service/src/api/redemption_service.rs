//! `hubkeep.credential.v1.RedemptionService`.

use hubkeep_audit_log::Operation;
use hubkeep_core::grpc::{Caller, Thumbprint};
use hubkeep_proto::credential::v1::{
    ConfirmErasureRequest, ConfirmErasureResponse, RedeemHandleRequest, RedeemHandleResponse,
    RedeemReservationRequest, RedeemReservationResponse, ReserveCallRequest, ReserveCallResponse,
    WatchRevocationsRequest, redemption_service_server::RedemptionService,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::{Desk, Error, fields, handle_service::to_wire, revocation_feed};
use crate::{
    fleet::{Fleet, Tombstone},
    handles::{Handles, Presented, Redeemed},
    revocations::Revocations,
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
    type WatchRevocationsStream = revocation_feed::Events;

    async fn redeem_handle(
        &self,
        request: Request<RedeemHandleRequest>,
    ) -> Result<Response<RedeemHandleResponse>, Status> {
        let handles = self.handles.clone();
        let work = async move |act, request| {
            let redeemed = handles.redeem(&act, presented(&request)?).await?;
            Ok(answer(&redeemed))
        };
        self.desk.answer(request, Operation::HandleRedeem, work).await
    }

    async fn reserve_call(
        &self,
        _request: Request<ReserveCallRequest>,
    ) -> Result<Response<ReserveCallResponse>, Status> {
        Err(Status::unimplemented("BASE"))
    }

    async fn redeem_reservation(
        &self,
        _request: Request<RedeemReservationRequest>,
    ) -> Result<Response<RedeemReservationResponse>, Status> {
        Err(Status::unimplemented("BASE"))
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
        revocation_feed::open(
            self.desk.clone(),
            self.revocations.clone(),
            self.stopping.clone(),
            request,
        )
        .await
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

fn presented(request: &RedeemHandleRequest) -> Result<Presented, Error> {
    Ok(Presented {
        token: fields::handle(&request.handle)?,
        by: Caller {
            name: fields::name("presented_by", &request.presented_by)?,
            thumbprint: Thumbprint::from_wire(&request.presented_thumbprint),
        },
        seen_revocation_seq: request.seen_revocation_seq,
        call_id: fields::id("call_id", &request.call_id)?,
    })
}

fn answer(redeemed: &Redeemed) -> RedeemHandleResponse {
    let portal = &redeemed.living.portal;
    RedeemHandleResponse {
        description: Some(to_wire(&redeemed.living.handle)),
        portal_token: redeemed.token.expose().to_owned(),
        credential_version: redeemed.credential.version,
        portal_generation: portal.portal_generation,
        keep_for: fields::to_wire(redeemed.keep_for),
        time_left: fields::to_wire(redeemed.living.time_left),
        revocation_seq: redeemed.revocation_seq,
        token_fingerprint: redeemed.token.fingerprint().to_string(),
        time_zone: portal.facts.time_zone.clone(),
        token_time_left: redeemed.token_time_left.and_then(fields::to_wire),
        ..RedeemHandleResponse::default()
    }
}
