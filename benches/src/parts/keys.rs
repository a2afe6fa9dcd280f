//! The keys of a thousand portals brought to another key-encryption key, while handles are redeemed 200 times a second.
//! One failed redemption, and there is no figure.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use hubkeep_core::{clock::SharedClock, random::SharedRandom};
use hubkeep_proto::credential::v1::{
    RedeemHandleRequest, RotateKekRequest, RotateKekResponse, key_service_client::KeyServiceClient,
    redemption_service_client::RedemptionServiceClient,
};
use tonic::transport::Channel;

use super::{Measured, Place};
use crate::{
    Failure,
    stage::{CALLER, Keeping, OPERATOR, Stage, named},
};

const PORTALS: u32 = 1_000;
/// 200 a second.
const PAUSE: Duration = Duration::from_millis(5);
/// One key for the token of each portal, one for the claims of its handles.
const LEAST_KEYS: u64 = 2_000;

pub(super) async fn measure(place: &Place) -> Measured {
    let mut measured = Vec::new();
    for (keeping, figures) in Keeping::all() {
        measured.push((figures.kek_rotate_s, rotation(place, keeping).await?));
    }
    Ok(measured)
}

/// How many seconds a rotation takes.
async fn rotation(place: &Place, keeping: Keeping) -> Result<f64, Failure> {
    let stage = Stage::start(place, PORTALS, keeping).await?;
    stage.onboard_all().await?;
    let handles = stage.handles().await?;
    let stage = stage.restart_with_second_key(place).await?;
    let redeeming = Arc::new(Redeeming {
        client: RedemptionServiceClient::new(stage.to_credential().await?),
        handles,
        turn: AtomicUsize::new(0),
        over: AtomicBool::new(false),
        clock: place.clock.clone(),
        random: place.random.clone(),
    });
    let load = tokio::spawn(Arc::clone(&redeeming).until_over());
    let began = place.clock.tick();
    let ended = rotate(&stage).await?;
    let took = place.clock.tick().since(began);
    redeeming.over.store(true, Ordering::SeqCst);
    load.await??;
    drop(redeeming);
    stage.stop().await;
    if ended.remaining_count > 0 || ended.rewrapped_count < LEAST_KEYS {
        return Err(format!("keys were left behind: {ended:?}").into());
    }
    Ok(took.as_secs_f64())
}

async fn rotate(stage: &Stage) -> Result<RotateKekResponse, Failure> {
    let mut client = KeyServiceClient::new(stage.to_credential().await?);
    let request = named(OPERATOR, RotateKekRequest { to_version: 2 })?;
    let mut told = client.rotate_kek(request).await?.into_inner();
    let mut last = RotateKekResponse::default();
    while let Some(progress) = told.message().await? {
        last = progress;
    }
    Ok(last)
}

struct Redeeming {
    client: RedemptionServiceClient<Channel>,
    handles: Vec<String>,
    turn: AtomicUsize,
    over: AtomicBool,
    clock: SharedClock,
    random: SharedRandom,
}

impl Redeeming {
    /// Begins a redemption every 5 ms, whether or not those before it have ended.
    async fn until_over(self: Arc<Self>) -> Result<(), Failure> {
        let mut under_way = tokio::task::JoinSet::new();
        while !self.over.load(Ordering::SeqCst) {
            under_way.spawn(Arc::clone(&self).once());
            while let Some(ended) = under_way.try_join_next() {
                ended??;
            }
            self.clock.sleep(PAUSE).await;
        }
        while let Some(ended) = under_way.join_next().await {
            ended??;
        }
        Ok(())
    }

    async fn once(self: Arc<Self>) -> Result<(), Failure> {
        let turn = self.turn.fetch_add(1, Ordering::SeqCst);
        let place = turn.checked_rem(self.handles.len());
        let handle = place
            .and_then(|place| self.handles.get(place))
            .ok_or("no handles")?;
        let request = RedeemHandleRequest {
            handle: handle.clone(),
            presented_by: CALLER.to_owned(),
            call_id: hubkeep_core::id::CallId::make(&*self.clock, &*self.random)?.to_string(),
            ..RedeemHandleRequest::default()
        };
        let request = named("crm-service", request)?;
        self.client.clone().redeem_handle(request).await?;
        Ok(())
    }
}
