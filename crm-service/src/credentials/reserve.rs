//! Reservations: a read that is made when its handle may have ended, for the sake of a write that was made by it.

use std::{sync::Arc, time::Duration};

use hubkeep_core::{
    grpc::Caller,
    handle_token::HandleToken,
    id::{CallId, ReservationId},
};
use hubkeep_proto::credential::v1::{
    HandleOperation, HandleScope, RedeemReservationRequest, ReserveCallRequest,
    redemption_service_client::RedemptionServiceClient,
};

use super::{error::Error, grant::Grant, redeem::Credentials, wire};
use crate::crm::ObjectType;

/// How long such a read may be made. credential-service would allow 7 days.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// How long credential-service may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A read that is reserved.
#[derive(Clone, Copy, Debug)]
pub struct Reservation {
    id: ReservationId,
    action_hash: [u8; 32],
}

impl Credentials {
    /// Reserves a read of records of these types, by a handle that lives: it is nowhere wider than that, and costs one call of
    /// its budget. `action_hash` stands for what is to be read.
    ///
    /// # Errors
    /// If the handle does not allow it, or credential-service does not answer.
    pub async fn reserve_read(
        &self,
        handle: &HandleToken,
        caller: &Caller,
        grant: &Grant,
        (types, records, action_hash): (&[&ObjectType], u64, [u8; 32]),
        call_id: CallId,
    ) -> Result<Reservation, Error> {
        let mut client = RedemptionServiceClient::new(self.link().channel());
        let lifetime = prost_types::Duration::try_from(LIFETIME);
        let request = self.link().request(ReserveCallRequest {
            handle: handle.expose().to_owned(),
            presented_by: caller.name.to_string(),
            presented_thumbprint: wire::thumbprint(caller),
            action_hash: action_hash.to_vec(),
            scope: Some(scope(grant, types)),
            purpose_code: String::new(),
            lifetime: lifetime.ok(),
            call_id: call_id.to_string(),
            max_records: records,
        });
        let until = self.now().plus(PATIENCE);
        let response = self
            .by(until, async {
                let reserved = client.reserve_call(request).await;
                reserved.map_err(|status| wire::refusal(&status))
            })
            .await?;
        let id = response.into_inner().reservation_id.parse();
        Ok(Reservation {
            id: id.map_err(|_| Error::unavailable("a reservation without an id"))?,
            action_hash,
        })
    }

    /// The grant of a read that was reserved. It is given once.
    ///
    /// # Errors
    /// If the reservation is over, used or void, or credential-service does not answer.
    pub async fn redeem_reservation(
        &self,
        reservation: Reservation,
        call_id: CallId,
    ) -> Result<Arc<Grant>, Error> {
        let mut client = RedemptionServiceClient::new(self.link().channel());
        let request = self.link().request(RedeemReservationRequest {
            reservation_id: reservation.id.to_string(),
            action_hash: reservation.action_hash.to_vec(),
            seen_revocation_seq: self.applied_seq(),
            call_id: call_id.to_string(),
        });
        let asked = self.now();
        let response = self
            .by(asked.plus(PATIENCE), async {
                let redeemed = client.redeem_reservation(request).await;
                redeemed.map_err(|status| wire::refusal(&status))
            })
            .await?;
        let redeemed = response.into_inner().redeemed;
        let redeemed = redeemed.ok_or_else(|| Error::unavailable("a reservation without a grant"))?;
        let as_of_seq = redeemed.revocation_seq;
        let grant = Arc::new(wire::grant(redeemed, asked)?);
        match self.watch(&grant, as_of_seq) {
            true => Ok(grant),
            false => Err(Error::Invalid),
        }
    }
}

/// To read records of these types, within the limits of the handle.
fn scope(grant: &Grant, types: &[&ObjectType]) -> HandleScope {
    let properties = grant.properties().into_iter().flatten();
    HandleScope {
        operations: vec![HandleOperation::Get.into()],
        object_types: types.iter().map(ToString::to_string).collect(),
        properties: properties.map(|name| name.as_str().to_owned()).collect(),
        pipelines: grant.bounds().pipelines(),
        owner_ids: grant.bounds().owner_ids(),
    }
}
