//! How much of HubSpot's burst limit a load uses that never ends, and whether HubSpot ever had to refuse.

use std::{sync::Arc, time::Duration};

use hubspot_sim::{JournalEntry, Limits, PortalSpec};

use super::{Measured, Place, paths::Audited};
use crate::{
    Failure,
    figures::{ANSWERS_429, BURST_USED, BURST_USED_190},
    load::Load,
    stage::{Keeping, Stage},
};

/// HubSpot's limits in its window of 10 s: of the smallest subscription, and of the larger ones.
const LIMITS: [u32; 2] = [100, 190];
/// Each portal has more callers than crm-service may make calls at once: some always wait.
const CALLERS_A_PORTAL: usize = 110;
const LENGTH: Duration = Duration::from_secs(30);
const WINDOW_US: i64 = 10_000_000;
/// The windows that are looked at end this far apart.
const STEP_US: i64 = 1_000;

pub(super) async fn measure(place: &Place) -> Measured {
    let stage = Stage::start(place, 2, Keeping::Sqlite).await?;
    stage.onboard_all().await?;
    // What onboarding has used of the window passes, and a first call to each portal has told its limit.
    for (portal, burst) in stage.portals().iter().zip(LIMITS) {
        let limits = Limits {
            burst,
            ..Limits::default()
        };
        stage.simulator.set_limits(portal.portal_id, limits)?;
    }
    let audited = Arc::new(Audited::to(&stage).await?);
    let callers = CALLERS_A_PORTAL * LIMITS.len();
    Load::run(&place.clock, callers, LENGTH, &audited).await?;
    drop(audited);
    let journal = stage.simulator.journal();
    let refused = journal.iter().filter(|call| call.status == Some(429)).count();
    let mut used = Vec::new();
    for (portal, limit) in stage.portals().iter().zip(LIMITS) {
        used.push(percent_used(&arrivals(&journal, portal), limit)?);
    }
    stage.stop().await;
    let names = [BURST_USED, BURST_USED_190];
    let mut figures: Vec<_> = names.into_iter().zip(used).collect();
    figures.push((ANSWERS_429, f64::from(u32::try_from(refused)?)));
    Ok(figures)
}

/// When the calls of crm-service arrived.
fn arrivals(journal: &[JournalEntry], portal: &PortalSpec) -> Vec<i64> {
    let calls = journal
        .iter()
        .filter(|call| call.portal_id == Some(portal.portal_id) && call.path.starts_with("/crm/"));
    calls.map(|call| call.received_at).collect()
}

/// How full HubSpot's rolling window was on average, from the first full one to the end of the load: the calls in
/// it, over the limit.
fn percent_used(arrivals: &[i64], limit: u32) -> Result<f64, Failure> {
    let first = *arrivals.first().ok_or("nothing arrived")?;
    let end = first + i64::try_from(LENGTH.as_micros())?;
    let (mut inside, mut windows, mut entered, mut left) = (0_u64, 0_u32, 0_usize, 0_usize);
    let mut now = first + WINDOW_US;
    while now <= end {
        entered += count_until(arrivals, entered, now);
        left += count_until(arrivals, left, now - WINDOW_US);
        inside += u64::try_from(entered - left)?;
        windows += 1;
        now += STEP_US;
    }
    let average = f64::from(u32::try_from(inside)?) / f64::from(windows);
    Ok(100.0 * average / f64::from(limit))
}

/// How many from the `from`th on have come by `time`.
fn count_until(arrivals: &[i64], from: usize, time: i64) -> usize {
    let rest = arrivals.iter().skip(from);
    rest.take_while(|arrival| **arrival <= time).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_stands_empty_a_tenth_of_the_time_is_nine_tenths_used() {
        let period = WINDOW_US * 10 / 9;
        let bursts = (0..10).flat_map(|nth| std::iter::repeat_n(nth * period, 100));
        let used = percent_used(&bursts.collect::<Vec<_>>(), 100).expect("something arrived");
        assert!((used - 90.0).abs() < 3.0, "{used}");
    }
}
