//! A thousand portals imported from a HubSpot that takes its time: each is asked about twice, and sealed.

use hubspot_sim::Fault;

use super::{Measured, Place};
use crate::{
    figures::IMPORT,
    stage::{Keeping, Stage},
};

const PORTALS: u32 = 1_000;
const ANSWER_MS: u64 = 50;

pub(super) async fn measure(place: &Place) -> Measured {
    let stage = Stage::start(place, PORTALS, Keeping::Sqlite).await?;
    stage.simulator.inject(Fault::Slow { ms: ANSWER_MS });
    let began = place.clock.tick();
    stage.onboard_all().await?;
    let took = place.clock.tick().since(began);
    stage.stop().await;
    Ok(vec![(IMPORT, took.as_secs_f64())])
}
