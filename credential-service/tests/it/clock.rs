//! Only this service's clock decides when a handle ends, and setting it back revives none.

use std::time::Duration;

use crate::harness::*;

#[tokio::test]
async fn a_handle_ends_at_its_time_and_not_before() {
    let bench = Bench::start().await;
    let issued = bench.handle().await;
    bench.clock.advance(Duration::from_millis(299_999));
    bench.redeem(&issued.handle, SYNC).await.expect("lives");
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(
        reason(&bench.redeem(&issued.handle, SYNC).await),
        "HANDLE_INVALID"
    );
}

#[tokio::test]
async fn a_clock_set_back_revives_no_handle_also_after_a_restart() {
    let mut bench = Bench::start().await;
    let issued = bench.handle().await;
    bench.clock.advance(Duration::from_secs(301));
    bench.redeem(&issued.handle, SYNC).await.expect_err("ended");
    bench.clock.set_back(Duration::from_secs(3_600));
    bench.redeem(&issued.handle, SYNC).await.expect_err("still ended");
    bench.restart(|_| {}).await;
    bench
        .redeem(&issued.handle, SYNC)
        .await
        .expect_err("and after a restart");
}

#[tokio::test]
async fn a_clock_set_back_lets_no_handle_live_longer() {
    let bench = Bench::start().await;
    let issued = bench.handle().await;
    bench.clock.set_back(Duration::from_secs(3_600));
    bench.clock.advance(Duration::from_secs(299));
    bench
        .redeem(&issued.handle, SYNC)
        .await
        .expect("has a second left");
    bench.clock.advance(Duration::from_secs(1));
    bench.redeem(&issued.handle, SYNC).await.expect_err("ended");
}
