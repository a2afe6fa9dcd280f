//! A thousand portals imported from a HubSpot that takes its time: each is asked about twice, and sealed.

use hubspot_sim::Fault;

use super::{Measured, Place};
use crate::{
    Failure,
    stage::{Keeping, Stage},
};

const PORTALS: u32 = 1_000;
const ANSWER_MS: u64 = 50;

pub(super) async fn measure(place: &Place) -> Measured {
    let mut measured = Vec::new();
    for (keeping, figures) in Keeping::all() {
        measured.push((figures.import_s, import(place, keeping).await?));
    }
    Ok(measured)
}

/// How many seconds an import takes.
async fn import(place: &Place, keeping: Keeping) -> Result<f64, Failure> {
    let stage = Stage::start(place, PORTALS, keeping).await?;
    stage.simulator.inject(Fault::Slow { ms: ANSWER_MS });
    let began = place.clock.tick();
    stage.onboard_all().await?;
    let took = place.clock.tick().since(began);
    stage.stop().await;
    Ok(took.as_secs_f64())
}
