//! How much of HubSpot's burst limit a load uses that never ends, and whether HubSpot ever had to refuse.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use hubspot_sim::{Fault, FaultRule, JournalEntry, Limits, PortalSpec};

use super::{Measured, Place, caller::Caller};
use crate::{
    Failure,
    figures::{ANSWERS_429, BURST_USED, BURST_USED_3_REPLICAS, BURST_USED_4, BURST_USED_16, BURST_USED_190},
    load::Load,
    stage::{Keeping, Stage},
};

/// What is measured of one portal each: HubSpot's limit in its window of 10 s, and who calls.
const PORTALS: [(&str, u32, usize); 4] = [
    (BURST_USED, SMALLEST, 1),
    (BURST_USED_4, SMALLEST, 4),
    (BURST_USED_16, SMALLEST, 16),
    (BURST_USED_190, 190, 1),
];
/// The limit of the smallest subscription.
const SMALLEST: u32 = 100;
const REPLICAS: usize = 3;
/// Calls of each portal at once, by all callers together: some always wait.
const AT_ONCE: usize = 208;
/// What HubSpot takes to answer.
const ANSWER_MS: u64 = 50;
const LENGTH: Duration = Duration::from_secs(80);
/// Onboarding has used of HubSpot's window, and credential-service lends none of its places for 45 s after.
const WARMING_US: i64 = 50_000_000;
const WINDOW_US: i64 = 10_000_000;
/// The windows that are looked at end this far apart.
const STEP_US: i64 = 1_000;

pub(super) async fn measure(place: &Place) -> Measured {
    let portals = u32::try_from(PORTALS.len())?;
    let stage = Stage::start(place, portals, Keeping::Sqlite).await?;
    stage.onboard_all().await?;
    let limits = PORTALS.map(|(_, limit, _)| limit);
    prepare(&stage, &limits)?;
    let mut callers = Vec::new();
    for (portal, (_, _, count)) in stage.portals().iter().zip(PORTALS) {
        for nth in 0..count {
            let caller = Caller::of(&stage, &format!("caller-{nth}"), &portal.slug).await?;
            callers.push((Arc::new(caller), AT_ONCE / count));
        }
    }
    let mut refused = 0;
    let used = load(place, &stage, callers, &limits, &mut refused).await?;
    stage.stop().await;
    let names = PORTALS.map(|(name, _, _)| name);
    let mut figures: Vec<_> = names.into_iter().zip(used).collect();
    if hubkeep_test_postgres::is_installed() {
        let used = through_replicas(place, &mut refused).await?;
        figures.push((BURST_USED_3_REPLICAS, used));
    }
    figures.push((ANSWERS_429, f64::from(u32::try_from(refused)?)));
    Ok(figures)
}

/// One portal through three replicas over one PostgreSQL.
async fn through_replicas(place: &Place, refused: &mut usize) -> Result<f64, Failure> {
    let stage = Stage::start(place, 1, Keeping::Postgres).await?;
    stage.onboard_all().await?;
    prepare(&stage, &[SMALLEST])?;
    let (others, ways) = stage.more_crms(place, REPLICAS - 1).await?;
    let slug = &stage.portals().first().ok_or("there is no portal")?.slug;
    let caller = Caller::through(&stage, "caller", slug, ways).await?;
    let callers = vec![(Arc::new(caller), AT_ONCE)];
    let used = load(place, &stage, callers, &[SMALLEST], refused).await?;
    for other in others {
        other.stop().await;
    }
    stage.stop().await;
    Ok(used.first().copied().ok_or("nothing was used")?)
}

/// HubSpot's limits of each portal, and how long it takes to answer.
fn prepare(stage: &Stage, limits: &[u32]) -> Result<(), Failure> {
    for (portal, burst) in stage.portals().iter().zip(limits) {
        let limits = Limits {
            burst: *burst,
            ..Limits::default()
        };
        stage.simulator.set_limits(portal.portal_id, limits)?;
        let slow = FaultRule::new(Fault::Slow { ms: ANSWER_MS });
        stage.simulator.inject(slow.portal(portal.portal_id));
    }
    Ok(())
}

/// How much of each portal's limit was used, in percent.
async fn load(
    place: &Place,
    stage: &Stage,
    callers: Vec<(Arc<Caller>, usize)>,
    limits: &[u32],
    refused: &mut usize,
) -> Result<Vec<f64>, Failure> {
    let loads = callers
        .iter()
        .map(|(caller, at_once)| Load::run(&place.clock, *at_once, LENGTH, caller));
    for load in join_all(loads).await {
        load?;
    }
    let journal = stage.simulator.journal();
    *refused += journal.iter().filter(|call| call.status == Some(429)).count();
    let portals = stage.portals().iter().zip(limits);
    portals
        .map(|(portal, limit)| percent_used(&arrivals(&journal, portal), *limit))
        .collect()
}

/// When the calls of crm-service arrived.
fn arrivals(journal: &[JournalEntry], portal: &PortalSpec) -> Vec<i64> {
    let calls = journal
        .iter()
        .filter(|call| call.portal_id == Some(portal.portal_id) && call.path.starts_with("/crm/"));
    calls.map(|call| call.received_at).collect()
}

/// How full HubSpot's rolling window was on average, from the first full one after the warming to the end of the load: the
/// calls in it, over the limit.
fn percent_used(arrivals: &[i64], limit: u32) -> Result<f64, Failure> {
    let first = *arrivals.first().ok_or("nothing arrived")?;
    let end = first + i64::try_from(LENGTH.as_micros())?;
    let (mut inside, mut windows, mut entered, mut left) = (0_u64, 0_u32, 0_usize, 0_usize);
    let mut now = first + WARMING_US + WINDOW_US;
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
        let bursts = (0..20).flat_map(|nth| std::iter::repeat_n(nth * period, 100));
        let used = percent_used(&bursts.collect::<Vec<_>>(), 100).expect("something arrived");
        assert!((used - 90.0).abs() < 3.0, "{used}");
    }
}
