//! What is left to a caller beside one who floods the same portal or calls through more replicas, and to calls that somebody
//! waits for beside batches.

use std::{sync::Arc, time::Duration};

use hubspot_sim::{Fault, FaultRule, Limits};

use super::{Measured, Place, caller::Caller};
use crate::{
    Failure,
    figures::{INTERACTIVE, STARVATION, STARVATION_3_REPLICAS},
    load::Load,
    stage::{Keeping, Stage},
};

/// What HubSpot takes to answer.
const ANSWER_MS: u64 = 50;
/// Who floods, and who does not, with so many calls at once each: both want more than half of the portal's limit.
const FLOOD: usize = 400;
const MODEST: usize = 60;
/// Of calls that somebody waits for, and of batches: more at once than there are places, so that both always wait.
const MANY: usize = 200;
/// Through each of three replicas, and through one of them alone: each more than it can get there.
const THROUGH_EACH: usize = 60;
const THROUGH_ONE: usize = 100;
const REPLICAS: usize = 3;
const LENGTH: Duration = Duration::from_secs(30);
/// What is answered before did not stand in a line: all places were free.
const LINED_UP: Duration = Duration::from_secs(9);
/// The same over replicas, whose places have gone by then where they are due.
const SHARED_LENGTH: Duration = Duration::from_secs(70);
const SHARED: Duration = Duration::from_secs(30);

pub(super) async fn measure(place: &Place) -> Measured {
    let stage = Stage::start(place, 2, Keeping::Sqlite).await?;
    stage.onboard_all().await?;
    let mut slugs = Vec::new();
    for portal in stage.portals() {
        stage.simulator.set_limits(portal.portal_id, Limits::default())?;
        let slow = FaultRule::new(Fault::Slow { ms: ANSWER_MS });
        stage.simulator.inject(slow.portal(portal.portal_id));
        slugs.push(portal.slug.clone());
    }
    let [fair, classes] = &slugs[..] else {
        return Err("there are other portals".into());
    };
    let flood = Caller::of(&stage, "flood", fair).await?;
    let modest = Caller::of(&stage, "modest", fair).await?;
    let batch = Caller::of(&stage, "nightly", classes).await?.in_batches();
    let awaited = Caller::of(&stage, "desk", classes).await?;
    let (starvation, interactive) = futures::future::try_join(
        ratio(place, (flood, FLOOD), (modest, MODEST), (LINED_UP, LENGTH)),
        ratio(place, (awaited, MANY), (batch, MANY), (LINED_UP, LENGTH)),
    )
    .await?;
    stage.stop().await;
    let mut figures = vec![(STARVATION, starvation), (INTERACTIVE, interactive)];
    if hubkeep_test_postgres::is_installed() {
        figures.push((STARVATION_3_REPLICAS, over_replicas(place).await?));
    }
    Ok(figures)
}

/// A caller through three replicas beside one through a single one of them.
async fn over_replicas(place: &Place) -> Result<f64, Failure> {
    let stage = Stage::start(place, 1, Keeping::Postgres).await?;
    stage.onboard_all().await?;
    let portal = stage.portals().first().ok_or("there is no portal")?;
    stage.simulator.set_limits(portal.portal_id, Limits::default())?;
    let slow = FaultRule::new(Fault::Slow { ms: ANSWER_MS });
    stage.simulator.inject(slow.portal(portal.portal_id));
    let (others, ways) = stage.more_crms(place, REPLICAS - 1).await?;
    let everywhere = Caller::through(&stage, "everywhere", &portal.slug, ways).await?;
    let once = Caller::of(&stage, "once", &portal.slug).await?;
    let everywhere = (everywhere, REPLICAS * THROUGH_EACH);
    let ratio = ratio(place, everywhere, (once, THROUGH_ONE), (SHARED, SHARED_LENGTH)).await?;
    for other in others {
        other.stop().await;
    }
    stage.stop().await;
    Ok(ratio)
}

/// Calls of the first that are answered from when both stand in line to the end, for each of the second, with so many at once
/// each.
async fn ratio(
    place: &Place,
    first: (Caller, usize),
    second: (Caller, usize),
    (from, to): (Duration, Duration),
) -> Result<f64, Failure> {
    let loads = [first, second].map(|(caller, at_once)| (Arc::new(caller), at_once));
    let running = loads
        .iter()
        .map(|(caller, at_once)| Load::run(&place.clock, *at_once, to, caller));
    let mut made = Vec::new();
    for load in futures::future::join_all(running).await {
        made.push(load?.answered_within(from, to));
    }
    match made[..] {
        [first, second] if second > 0.0 => Ok(first / second),
        _ => Err("somebody was never served".into()),
    }
}
