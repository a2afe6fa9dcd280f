//! How soon a revocation arrives: from the answer that something is revoked, or contained, to the last call of it that
//! reached HubSpot; with the feed whole, and with the feed cut.

mod proxy;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hubkeep_core::{clock::SharedClock, grpc::CallerSource, service::Deps};
use hubkeep_crm_service::server::{self as crm_service, Running};
use hubkeep_proto::{
    credential::v1::{
        ContainRequest, HandleHolder, LiftContainmentRequest, RevokeHandleRequest,
        containment_service_client::ContainmentServiceClient, handle_holder::Holder,
        handle_service_client::HandleServiceClient, revoke_handle_request::Target,
    },
    crm::v1::{GetObjectRequest, object_service_client::ObjectServiceClient},
};
use hubspot_sim::{Fault, FaultRule};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use url::Url;

use super::{Measured, Place};
use crate::{
    Failure,
    figures::{CONTAIN_P99, FEED_CUT_LATE, FEED_CUT_STOP, REVOKE_P50, REVOKE_P99, median},
    settings::crm_config,
    stage::{CALLER, CONTACT, Keeping, OPERATOR, Stage, connect, named, wish},
};
use proxy::Proxy;

const PORTALS: u32 = 100;
/// Replicas of crm-service.
const REPLICAS: u32 = 3;
/// 200 calls/s over all portals.
const EVERY: Duration = Duration::from_millis(5);
/// How long HubSpot takes to answer.
const HUBSPOT_MS: u64 = 50;
/// Revocations, and containments, that are measured.
const ROUNDS: usize = 40;
/// Callers beside those of the load, who use nothing but what is about to be revoked, through each replica.
const INSISTENT: usize = 2;
/// They begin this long before, and end this long after.
const AROUND: Duration = Duration::from_millis(250);
/// Whoever is refused asks again after this.
const AGAIN: Duration = Duration::from_millis(20);
/// What may be served without the feed.
const LEASE: Duration = Duration::from_secs(5);
/// Revocations with the feed cut.
const CUTS: usize = 3;

pub(super) async fn measure(place: &Place) -> Measured {
    let keeping = match hubkeep_test_postgres::is_installed() {
        true => Keeping::Postgres,
        false => Keeping::Sqlite,
    };
    let stage = Stage::start(place, PORTALS, keeping).await?;
    stage.onboard_all().await?;
    let handles = Arc::new(Mutex::new(stage.handles().await?));
    stage
        .simulator
        .inject(FaultRule::new(Fault::Slow { ms: HUBSPOT_MS }));
    let mut ways = vec![stage.to_crm().await?];
    let mut others = Vec::new();
    for _ in 1..REPLICAS {
        let other = Other::start(place, &stage, stage.credential_address()).await?;
        ways.push(connect(other.running.address()).await?);
        others.push(other);
    }
    let slugs = stage.portals().iter().map(|portal| portal.slug.clone()).collect();
    let bench = Bench {
        clock: place.clock.clone(),
        handles,
        ways,
        slugs,
    };
    let mut load = JoinSet::new();
    load.spawn(bench.clone().load());

    let (mut revoked, mut contained) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        revoked.push(bench.revoke(&stage, round).await?);
        contained.push(bench.contain(&stage, round).await?);
    }
    load.shutdown().await;
    let (mut stopped, mut late) = (0.0_f64, 0_usize);
    for round in 0..CUTS {
        let (after, calls) = bench.cut(place, &stage, round).await?;
        stopped = stopped.max(after);
        late = late.saturating_add(calls);
    }
    for other in others {
        other.running.stop().await;
    }
    drop(bench);
    stage.stop().await;
    Ok(vec![
        (REVOKE_P50, median(revoked.iter().copied())),
        (REVOKE_P99, highest(&revoked)),
        (CONTAIN_P99, highest(&contained)),
        (FEED_CUT_STOP, stopped),
        (FEED_CUT_LATE, f64::from(u32::try_from(late)?)),
    ])
}

/// Of fewer than 100 values the highest is the 99th percentile.
fn highest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// One more replica of crm-service, with files of its own.
struct Other {
    running: Running,
    _folder: TempDir,
}

impl Other {
    async fn start(place: &Place, stage: &Stage, credentials: std::net::SocketAddr) -> Result<Self, Failure> {
        let folder = place.temporary()?;
        let hubspot = Url::parse(&stage.simulator.base_url())?;
        let config = crm_config(place, folder.path(), &hubspot, credentials)?;
        let deps = Deps {
            clock: place.clock.clone(),
            random: place.random.clone(),
            callers: CallerSource::development()?,
        };
        let running = crm_service::start(config, deps).await?;
        Ok(Self {
            running,
            _folder: folder,
        })
    }
}

#[derive(Clone)]
struct Bench {
    clock: SharedClock,
    /// The handle that is in use for each portal.
    handles: Arc<Mutex<Vec<String>>>,
    ways: Vec<Channel>,
    slugs: Vec<String>,
}

impl Bench {
    fn handle(&self, portal: usize) -> String {
        let handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        handles.get(portal).cloned().unwrap_or_default()
    }

    fn slug(&self, portal: usize) -> &str {
        self.slugs.get(portal).map_or("", String::as_str)
    }

    /// Calls all portals in turn through all replicas in turn, whatever is answered.
    async fn load(self) {
        let mut calling = JoinSet::new();
        let mut portals = (0..self.slugs.len()).cycle();
        let mut ways = self.ways.clone().into_iter().cycle();
        while let (Some(portal), Some(way)) = (portals.next(), ways.next()) {
            let (handle, slug) = (self.handle(portal), self.slug(portal).to_owned());
            calling.spawn(async move { get(way, &handle, &slug).await });
            while calling.try_join_next().is_some() {}
            self.clock.sleep(EVERY).await;
        }
    }

    /// Callers of one portal only, until they are dropped.
    fn insist(&self, ways: &[Channel], portal: usize) -> JoinSet<()> {
        let mut insistent = JoinSet::new();
        for way in ways.iter().flat_map(|way| std::iter::repeat_n(way, INSISTENT)) {
            let (way, handle, slug) = (way.clone(), self.handle(portal), self.slug(portal).to_owned());
            let clock = self.clock.clone();
            insistent.spawn(async move {
                loop {
                    if !get(way.clone(), &handle, &slug).await {
                        clock.sleep(AGAIN).await;
                    }
                }
            });
        }
        insistent
    }

    /// Milliseconds from the answer that a handle is revoked to its last call.
    async fn revoke(&self, stage: &Stage, portal: usize) -> Result<f64, Failure> {
        let insistent = self.insist(&self.ways, portal);
        self.clock.sleep(AROUND).await;
        revoke(stage, &self.handle(portal)).await?;
        let after = self.last_after(stage, portal, AROUND).await?.0;
        drop(insistent);
        self.renew(stage, portal).await?;
        Ok(after.as_secs_f64() * 1_000.0)
    }

    /// The same of a portal that is contained, when every replica is said to have stopped.
    async fn contain(&self, stage: &Stage, portal: usize) -> Result<f64, Failure> {
        let insistent = self.insist(&self.ways, portal);
        self.clock.sleep(AROUND).await;
        let target = Some(HandleHolder {
            holder: Some(Holder::ClientSlug(self.slug(portal).to_owned())),
        });
        let request = ContainRequest {
            target: target.clone(),
            reason: "bench".to_owned(),
            wait: None,
        };
        let mut client = ContainmentServiceClient::new(stage.to_credential().await?);
        let answer = client.contain(named(OPERATOR, request)?).await?.into_inner();
        if answer.reach.is_none_or(|reach| reach.acknowledged != REPLICAS) {
            return Err(format!("not every replica acknowledged: {answer:?}").into());
        }
        let after = self.last_after(stage, portal, AROUND).await?.0;
        drop(insistent);
        let request = LiftContainmentRequest {
            target,
            reason: "bench".to_owned(),
        };
        client.lift_containment(named(OPERATOR, request)?).await?;
        self.renew(stage, portal).await?;
        Ok(after.as_secs_f64() * 1_000.0)
    }

    /// Seconds from a revocation to the last call through a replica that does not hear of it, and how many calls came
    /// later than its lease allows.
    async fn cut(&self, place: &Place, stage: &Stage, portal: usize) -> Result<(f64, usize), Failure> {
        let proxy = Proxy::to(stage.credential_address()).await?;
        let other = Other::start(place, stage, proxy.address).await?;
        let way = connect(other.running.address()).await?;
        let insistent = self.insist(&[way], portal);
        // Until the feed has been heard more than once.
        self.clock.sleep(LEASE / 2).await;
        proxy.go_silent();
        revoke(stage, &self.handle(portal)).await?;
        let (after, late) = self.last_after(stage, portal, LEASE * 2).await?;
        drop(insistent);
        drop(other);
        Ok((after.as_secs_f64(), late))
    }

    /// How long after now the last call of a portal comes, of those that come within `wait`; and how many of them come
    /// after a lease.
    async fn last_after(
        &self,
        stage: &Stage,
        portal: usize,
        wait: Duration,
    ) -> Result<(Duration, usize), Failure> {
        let now = stage.simulator.now_micros();
        self.clock.sleep(wait).await;
        let id = stage.simulator.portal_id(self.slug(portal));
        let journal = stage.simulator.journal();
        let of_portal = journal.iter().filter(|entry| entry.portal_id == id);
        let after = of_portal.filter_map(|entry| u64::try_from(entry.received_at.saturating_sub(now)).ok());
        let after: Vec<Duration> = after.map(Duration::from_micros).collect();
        stage.simulator.clear_journal();
        let late = after.iter().filter(|after| **after > LEASE).count();
        Ok((after.into_iter().max().unwrap_or_default(), late))
    }

    /// Takes a new handle for a portal.
    async fn renew(&self, stage: &Stage, portal: usize) -> Result<(), Failure> {
        let request = named(CALLER, wish(self.slug(portal)))?;
        let mut client = HandleServiceClient::new(stage.to_credential().await?);
        let issued = client.issue_handle(request).await?.into_inner();
        let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = handles.get_mut(portal) {
            *handle = issued.handle;
        }
        Ok(())
    }
}

async fn revoke(stage: &Stage, handle: &str) -> Result<(), Failure> {
    let request = RevokeHandleRequest {
        target: Some(Target::Handle(handle.to_owned())),
        ..RevokeHandleRequest::default()
    };
    let mut client = HandleServiceClient::new(stage.to_credential().await?);
    client.revoke_handle(named(CALLER, request)?).await?;
    Ok(())
}

/// Whether the call was answered.
async fn get(way: Channel, handle: &str, client_slug: &str) -> bool {
    let message = GetObjectRequest {
        client_slug: client_slug.to_owned(),
        object_type: "contacts".to_owned(),
        object_id: CONTACT.to_owned(),
        ..GetObjectRequest::default()
    };
    let Ok(mut request) = named(CALLER, message) else {
        return false;
    };
    let Ok(bearer) = format!("Bearer {handle}").parse() else {
        return false;
    };
    request.metadata_mut().insert("authorization", bearer);
    ObjectServiceClient::new(way).get_object(request).await.is_ok()
}
