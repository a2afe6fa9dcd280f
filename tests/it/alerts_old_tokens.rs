//! A token that is older than it should be is told of until it is rotated.

use std::time::Duration;

use hubkeep_audit_log::{Entry, Operation, Phase};
use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_proto::crm::v1::{Alert, AlertKind, AlertState};
use hubkeep_tests::{Hubkeep, Limits, Service, World, eventually};

const A: &str = "client-0001";
const B: &str = "client-0002";
const NEW: &str = "pat-na1-00000000-load-0000-0000-rotated000001";
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn overdue(hubkeep: &Hubkeep, slug: &str) -> Vec<Alert> {
    let mut alerts = hubkeep.alerts(AlertKind::RotationOverdue).await;
    alerts.retain(|alert| alert.client_slug == slug);
    alerts
}

async fn fires(hubkeep: &Hubkeep, slug: &str) -> bool {
    let alerts = overdue(hubkeep, slug).await;
    alerts.iter().any(|alert| alert.state() == AlertState::Firing)
}

async fn notes(hubkeep: &Hubkeep) -> Vec<Entry> {
    let mut entries = hubkeep.entries(Service::Crm, Phase::Admin).await;
    entries.retain(|entry| entry.operation() == Operation::RotationOverdue);
    entries
}

/// Time passes, an hour after the other, until it is so.
macro_rules! in_time {
    ($clock:expr, $condition:expr) => {
        eventually!(Duration::from_secs(20), {
            $clock.advance(HOUR);
            $condition
        })
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_too_old_is_alerted_for_its_portal_until_it_was_rotated() {
    let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
    let world = World::of_portals(2).limits(&Limits::unlimited());
    let setup = Hubkeep::over(world).clock(clock.clone());
    let setup = setup.crm(|config| config.alerts.token_age = 10 * DAY);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    clock.advance(9 * DAY);
    eventually!({
        let asked = hubkeep.entries(Service::Credential, Phase::Admin).await;
        let asked = asked
            .iter()
            .filter(|entry| entry.operation() == Operation::OldTokenList);
        asked.count() >= 2
    });
    assert_eq!(notes(&hubkeep).await, [], "they are not old yet");
    clock.advance(DAY);
    in_time!(clock, fires(&hubkeep, A).await && fires(&hubkeep, B).await);
    let noted = notes(&hubkeep).await;
    assert_eq!(noted[0].subject, "the token of default is 10 days old");
    assert_eq!(noted[0].client_slug, A);

    hubkeep.rotate(A, &hubkeep.token(A), NEW).await;
    in_time!(clock, !fires(&hubkeep, A).await);
    in_time!(clock, fires(&hubkeep, B).await);
    assert_eq!(overdue(&hubkeep, A).await.len(), 1);
}
