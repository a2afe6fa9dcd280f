//! `hubkeep.credential.v1.RedemptionService`.

use hubkeep_audit_log::Operation;
use hubkeep_proto::credential::v1::{
    ConfirmErasureRequest, ConfirmErasureResponse, RedeemHandleRequest, RedeemHandleResponse,
    RedeemReservationRequest, RedeemReservationResponse, ReserveCallRequest, ReserveCallResponse,
    WatchRevocationsRequest, redemption_service_server::RedemptionService,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::{Desk, Error, fields, redemption, revocation_feed};
use crate::{
    fleet::{Fleet, Tombstone},
    handles::Handles,
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
