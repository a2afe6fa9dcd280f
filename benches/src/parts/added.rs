//! What a call takes longer through Hubkeep when nothing else goes on.

use std::{sync::Arc, time::Duration};

use super::{
    Measured, Place,
    paths::{Audited, Direct},
};
use crate::{
    figures::{AUDITED_ADDED, median},
    load::Load,
    stage::Stage,
};

const ROUNDS: usize = 3;
const LENGTH: Duration = Duration::from_secs(1);

pub(super) async fn measure(place: &Place) -> Measured {
    let stage = Stage::start(place, 1).await?;
    stage.onboard_all().await?;
    let direct = Arc::new(Direct::to(&stage)?);
    let audited = Arc::new(Audited::to(&stage).await?);
    let mut added = Vec::new();
    for _ in 0..ROUNDS {
        let direct = Load::run(&place.clock, 1, LENGTH, &direct).await?.median_ms();
        let audited = Load::run(&place.clock, 1, LENGTH, &audited).await?.median_ms();
        added.push(audited - direct);
    }
    stage.stop().await;
    Ok(vec![(AUDITED_ADDED, median(added))])
}
