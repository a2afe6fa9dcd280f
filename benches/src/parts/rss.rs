//! The memory of the services' own programs, with a thousand portals, after calls to every one of them.

use std::{sync::Arc, time::Duration};

use super::{
    Measured, Place,
    paths::{Audited, CALLERS},
};
use crate::{
    figures::{RSS_CREDENTIAL, RSS_CRM},
    load::Load,
    stage::Stage,
};

const PORTALS: u32 = 1_000;
const LENGTH: Duration = Duration::from_secs(8);

pub(super) async fn measure(place: &Place) -> Measured {
    let stage = Stage::start_apart(place, PORTALS).await?;
    stage.onboard_all().await?;
    let audited = Arc::new(Audited::to(&stage).await?);
    Load::run(&place.clock, CALLERS, LENGTH, &audited).await?;
    let servants = stage
        .apart()
        .ok_or("the services have no processes of their own")?;
    let measured = vec![
        (RSS_CREDENTIAL, servants.credential.resident_mib()?),
        (RSS_CRM, servants.crm.resident_mib()?),
    ];
    drop(audited);
    stage.stop().await;
    Ok(measured)
}
