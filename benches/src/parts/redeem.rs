//! Handles redeemed, one after the other: from crm-service's memory, and over the wire, where each leaves an entry.

use std::{sync::Arc, time::Duration};

use hubkeep_core::{
    clock::SharedClock, grpc::Caller, handle_token::HandleToken, id::CallId, random::SharedRandom,
};
use hubkeep_crm_service::credentials::{self, Credentials};
use hubkeep_proto::credential::v1::{
    RedeemHandleRequest, redemption_service_client::RedemptionServiceClient,
};
use tonic::transport::Channel;
use url::Url;

use super::{Measured, Place, paths::CALLERS};
use crate::{
    Failure,
    figures::{REDEEM_CACHED, REDEEM_ONLINE, REDEEMED},
    load::{Load, Work},
    stage::{CALLER, Keeping, Stage, named},
};

const PORTALS: u32 = 64;
const CACHED: Duration = Duration::from_secs(1);
const ONLINE: Duration = Duration::from_secs(3);
/// The feed says within a second that grants may be kept.
const FEED_HEARD: Duration = Duration::from_secs(10);

pub(super) async fn measure(place: &Place) -> Measured {
    let stage = Stage::start(place, PORTALS, Keeping::Sqlite).await?;
    stage.onboard_all().await?;
    let handles = stage.handles().await?;
    let cached = cached(place, &stage, &handles).await?;
    let redeeming = Redeeming::to(place, &stage, handles).await?;
    let online = Load::run(&place.clock, 1, ONLINE, &redeeming).await?;
    let many = Load::run(&place.clock, CALLERS, ONLINE, &redeeming).await?;
    drop(redeeming);
    stage.stop().await;
    Ok(vec![
        (REDEEM_CACHED, cached.p99_ms()),
        (REDEEM_ONLINE, online.p99_ms()),
        (REDEEMED, many.per_second()),
    ])
}

/// Through the room of crm-service that redeems for every call.
async fn cached(place: &Place, stage: &Stage, handles: &[String]) -> Result<Load, Failure> {
    let config = credentials::Config {
        url: Url::parse(&format!("http://{}", stage.credential_address()))?,
        ..credentials::Config::default()
    };
    let handles: Result<Vec<_>, _> = handles.iter().map(|handle| HandleToken::parse(handle)).collect();
    let recalling = Arc::new(Recalling {
        credentials: Credentials::build(
            config,
            None,
            place.clock.clone(),
            &*place.random,
            tokio::sync::mpsc::unbounded_channel().0,
            hubkeep_core::grpc::Holds::default(),
        )?,
        handles: handles?,
        caller: Caller {
            name: CALLER.parse()?,
            thumbprint: None,
        },
        call_id: CallId::make(&*place.clock, &*place.random)?,
        clock: place.clock.clone(),
    });
    recalling.remember_all(stage).await?;
    let before = stage.end_of_credential_log().await?;
    let load = Load::run(&place.clock, 1, CACHED, &recalling).await?;
    // What crosses the wire leaves an entry.
    if stage.end_of_credential_log().await? != before {
        return Err("a redemption that was to come from memory crossed the wire".into());
    }
    Ok(load)
}

struct Recalling {
    credentials: Credentials,
    handles: Vec<HandleToken>,
    caller: Caller,
    call_id: CallId,
    clock: SharedClock,
}

impl Recalling {
    /// Redeems every handle until none of them crosses the wire any more.
    async fn remember_all(&self, stage: &Stage) -> Result<(), Failure> {
        let until = self.clock.tick().plus(FEED_HEARD);
        while self.clock.tick() < until {
            let before = stage.end_of_credential_log().await?;
            for turn in (0..).take(self.handles.len()) {
                self.once(0, turn).await?;
            }
            if stage.end_of_credential_log().await? == before {
                return Ok(());
            }
        }
        Err("grants are not kept in memory".into())
    }
}

impl Work for Recalling {
    async fn once(&self, _caller: usize, turn: u64) -> Result<(), Failure> {
        let place = usize::try_from(turn)?.checked_rem(self.handles.len());
        let handle = place
            .and_then(|place| self.handles.get(place))
            .ok_or("no handles")?;
        let deadline = self.clock.tick().plus(ONLINE);
        self.credentials
            .redeem(handle, &self.caller, self.call_id, deadline)
            .await?;
        Ok(())
    }
}

struct Redeeming {
    client: RedemptionServiceClient<Channel>,
    handles: Vec<String>,
    clock: SharedClock,
    random: SharedRandom,
}

impl Redeeming {
    async fn to(place: &Place, stage: &Stage, handles: Vec<String>) -> Result<Arc<Self>, Failure> {
        Ok(Arc::new(Self {
            client: RedemptionServiceClient::new(stage.to_credential().await?),
            handles,
            clock: place.clock.clone(),
            random: place.random.clone(),
        }))
    }
}

impl Work for Redeeming {
    async fn once(&self, _caller: usize, turn: u64) -> Result<(), Failure> {
        let place = usize::try_from(turn)?.checked_rem(self.handles.len());
        let handle = place
            .and_then(|place| self.handles.get(place))
            .ok_or("no handles")?;
        let request = RedeemHandleRequest {
            handle: handle.clone(),
            presented_by: CALLER.to_owned(),
            presented_thumbprint: Vec::new(),
            seen_revocation_seq: 0,
            call_id: CallId::make(&*self.clock, &*self.random)?.to_string(),
            ..RedeemHandleRequest::default()
        };
        let request = named("crm-service", request)?;
        self.client.clone().redeem_handle(request).await?;
        Ok(())
    }
}
