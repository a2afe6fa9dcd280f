//! What a portal that never answers costs the others.

use std::{sync::Arc, time::Duration};

use hubspot_sim::{Fault, FaultRule};
use tokio::task::JoinSet;
use tonic::Status;
use tonic_types::StatusExt as _;

use super::{Measured, Place, paths::Audited};
use crate::{
    Failure,
    figures::{SICK_PORTAL, SICK_PORTAL_P99, WELL_PORTALS_P99, median},
    load::{Load, Work},
    stage::{Keeping, Stage},
};

/// The portals that are well, each with a caller; one more is sick.
const WELL: u32 = 99;
/// Each caller of a portal that is well calls as often: well inside HubSpot's limit, and what two cores do with ease, so
/// that what is measured is waiting for one another and not for the processor.
const EVERY: Duration = Duration::from_millis(200);
/// What HubSpot takes to answer.
const ANSWER_MS: u64 = 50;
/// Callers of the sick one, who call again when they are refused.
const OF_THE_SICK: usize = 64;
/// How long the others are measured alone, and beside it, in turn.
const LENGTH: Duration = Duration::from_secs(6);
const ROUNDS: usize = 5;
/// Whoever is refused and not told for how long waits as long.
const AGAIN: Duration = Duration::from_millis(50);

pub(super) async fn measure(place: &Place) -> Measured {
    let stage = Stage::start(place, WELL + 1, Keeping::Sqlite).await?;
    stage.onboard_all().await?;
    let sick = usize::try_from(WELL)?;
    let audited = Arc::new(Audited::to(&stage).await?);
    let well = Arc::new(Well(audited.clone()));
    for portal in stage.portals().iter().take(sick) {
        let slow = FaultRule::new(Fault::Slow { ms: ANSWER_MS });
        stage.simulator.inject(slow.portal(portal.portal_id));
    }
    let p99_ms = async || -> Result<f64, Failure> {
        let load = Load::paced(&place.clock, sick, LENGTH, EVERY, &well).await?;
        Ok(load.p99_ms())
    };
    let portal = stage.portals().get(sick).ok_or("there is no such portal")?;
    let rule = FaultRule::new(Fault::HoldUntilReleased).portal(portal.portal_id);
    let hold = stage.simulator.inject(rule);
    // What is done first is slower.
    p99_ms().await?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(p99_ms().await?);
        let mut calling = call(place, &audited, sick);
        beside.push(p99_ms().await?);
        calling.shutdown().await;
    }
    stage.simulator.release(hold);
    drop((audited, well));
    stage.stop().await;
    let (alone, beside) = (median(alone), median(beside));
    Ok(vec![
        (WELL_PORTALS_P99, alone),
        (SICK_PORTAL_P99, beside),
        (SICK_PORTAL, beside / alone),
    ])
}

/// Callers of the sick portal: refused, or never answered, they call again when they are told to.
fn call(place: &Place, audited: &Arc<Audited>, portal: usize) -> JoinSet<()> {
    let mut calling = JoinSet::new();
    for _ in 0..OF_THE_SICK {
        let (audited, clock) = (audited.clone(), place.clock.clone());
        calling.spawn(async move {
            loop {
                let refused = audited.of_portal(portal).await.err();
                clock.sleep(refused.and_then(told).unwrap_or(AGAIN)).await;
            }
        });
    }
    calling
}

/// How long a refusal asks to wait.
fn told(refused: Failure) -> Option<Duration> {
    let status = refused.downcast::<Status>().ok()?;
    status.get_details_retry_info()?.retry_delay
}

/// Calls of the portals that are well, each by its own caller.
struct Well(Arc<Audited>);

impl Work for Well {
    async fn once(&self, caller: usize, _turn: u64) -> Result<(), Failure> {
        self.0.of_portal(caller).await
    }
}
