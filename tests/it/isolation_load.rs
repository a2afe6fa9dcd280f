//! Isolation under load, at the size that every run of the tests can bear. `make test-isolation` runs the full size.

use std::time::Duration;

use hubkeep_tests::support::isolation::{Size, nothing_foreign};

#[tokio::test(flavor = "multi_thread")]
async fn no_request_ever_reaches_another_portal_than_its_handle_is_for() {
    let size = Size {
        portals: 50,
        calls: 20_000,
        in_flight: 64,
        pace: Duration::from_millis(100),
    };
    let summary = nothing_foreign(size).await;
    assert!(summary.attempts > size.calls / 2, "{summary:?}");
    assert!(summary.refused > size.calls / 4, "{summary:?}");
    let upheavals = summary.upheavals;
    assert!(
        upheavals.revocations > 0 && upheavals.rotations > 0,
        "{summary:?}"
    );
}
