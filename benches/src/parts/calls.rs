//! 64 callers on each of the three ways, in turn: what else goes on on the machine befalls all of them alike.

use std::{sync::Arc, time::Duration};

use super::{
    Measured, Place,
    paths::{Audited, Direct, Forwarder},
};
use crate::{
    Failure,
    figures::{AUDITED, AUDITED_OVER_DIRECT, AUDITED_OVER_FORWARDER, DIRECT, FORWARDER, median},
    load::{Load, Work},
    stage::Stage,
};

const CALLERS: usize = 64;
const PORTALS: u32 = 64;
const ROUNDS: usize = 3;
const LENGTH: Duration = Duration::from_secs(4);
const WARM_UP: Duration = Duration::from_millis(500);

pub(super) async fn measure(place: &Place) -> Measured {
    let stage = Stage::start(place, PORTALS).await?;
    stage.onboard_all().await?;
    let direct = Arc::new(Direct::to(&stage)?);
    let forwarder = Arc::new(Forwarder::to(&stage).await?);
    let audited = Arc::new(Audited::to(&stage).await?);

    round(place, &stage, WARM_UP, &direct, &forwarder, &audited).await?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(round(place, &stage, LENGTH, &direct, &forwarder, &audited).await?);
    }
    drop((direct, forwarder, audited));
    stage.stop().await;

    let median_of = |path: fn(&Round) -> f64| median(rounds.iter().map(path));
    let direct = median_of(|round| round.direct);
    let forwarder = median_of(|round| round.forwarder);
    let audited = median_of(|round| round.audited);
    Ok(vec![
        (DIRECT, direct),
        (FORWARDER, forwarder),
        (AUDITED, audited),
        (AUDITED_OVER_FORWARDER, audited / forwarder),
        (AUDITED_OVER_DIRECT, audited / direct),
    ])
}

/// Calls a second on each way.
struct Round {
    direct: f64,
    forwarder: f64,
    audited: f64,
}

async fn round(
    place: &Place,
    stage: &Stage,
    length: Duration,
    direct: &Arc<Direct>,
    forwarder: &Arc<Forwarder>,
    audited: &Arc<Audited>,
) -> Result<Round, Failure> {
    Ok(Round {
        direct: calls_per_second(place, stage, length, direct).await?,
        forwarder: calls_per_second(place, stage, length, forwarder).await?,
        audited: calls_per_second(place, stage, length, audited).await?,
    })
}

async fn calls_per_second(
    place: &Place,
    stage: &Stage,
    length: Duration,
    path: &Arc<impl Work>,
) -> Result<f64, Failure> {
    // What the simulator remembers of the last way must not weigh on the next.
    stage.simulator.clear_journal();
    Ok(Load::run(&place.clock, CALLERS, length, path).await?.per_second())
}
