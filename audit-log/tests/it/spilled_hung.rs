//! A database that neither takes nor refuses a batch: what is over is on disk at the deadline, its answer is withheld, its portal takes
//! no calls, and in the end each outcome is on record once, also where the batch was taken after all.

use std::time::Duration;

use hubkeep_audit_log::{AuditLog, Error, Failure, Intent, Outcome};
use hubkeep_core::clock::SystemClock;

use crate::{
    anchors::{in_time, mock},
    outage::works_again,
    proxy::{Mode, Proxy},
    spilled::{OK, ends, impatient, is_on_disk, locked, withheld},
    support::{Place, eventually, read_of},
};

/// Whether a portal is refused a call at once, for its outcomes wait. Of a log whose time stands still nothing else is heard.
async fn is_kept_out(log: &AuditLog, portal: u64) -> bool {
    let asked = log.intent(read_of(portal));
    let answered = SystemClock::shared()
        .timeout(Duration::from_millis(500), asked)
        .await;
    matches!(answered, Some(Err(Error::Unavailable(Failure::Behind))))
}

/// The batch waits for the file's lock by the machine's clock, and everybody else by one that is moved by hand: so it hangs while
/// all of this happens, which is over before the machine's five seconds are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hangs_in_a_file_is_on_disk_at_the_deadline_and_on_record_once_when_the_file_takes_it() {
    let mut place = Place::sqlite().spilling();
    place.intent_deadline = Duration::from_secs(5);
    let (clock, shared) = mock();
    let log = place.open_at(shared).await;
    let hung: Intent = log.intent(read_of(1)).await.expect("durable");
    let behind: Intent = log.intent(read_of(2)).await.expect("durable");
    let ids = [hung.call_id().to_string(), behind.call_id().to_string()];
    let folder = place.spilled();
    let lock = locked(&place).await;

    let told = tokio::spawn(hung.settle(Outcome::ok()));
    in_time(&clock, "it is on disk", async || is_on_disk(&folder, &ids[0])).await;
    in_time(&clock, "it is over", async || told.is_finished()).await;
    let told = told.await.expect("no panic");
    assert!(matches!(told, Err(Error::OutcomeNotRecorded(_))), "{told:?}");
    assert!(is_kept_out(&log, 1).await, "its portal takes no calls");
    assert!(!is_kept_out(&log, 2).await, "others may wait for the log");

    // What ends while the batch hangs is behind it.
    let told = tokio::spawn(behind.settle(Outcome::ok()));
    in_time(&clock, "it is on disk too", async || is_on_disk(&folder, &ids[1])).await;
    in_time(&clock, "it is over too", async || told.is_finished()).await;
    assert!(told.await.expect("no panic").is_err());
    assert!(is_kept_out(&log, 1).await && is_kept_out(&log, 2).await);

    lock.unlock().await;
    for (portal, id) in (1..).zip(&ids) {
        in_time(&clock, "it takes calls", async || {
            let Ok(next) = log.intent(read_of(portal)).await else {
                return false;
            };
            assert_eq!(ends(&log, id).await, [OK], "the outcome comes first");
            next.settle(Outcome::ok()).await.is_ok()
        })
        .await;
    }
    log.stop().await;
    let log = place.open().await;
    for id in &ids {
        assert_eq!(ends(&log, id).await, [OK]);
    }
    log.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hangs_at_a_server_is_on_disk_at_the_deadline_and_on_record_once_though_the_server_had_taken_it()
{
    let place = impatient(Place::postgres("spilled_hung"));
    let proxy = Proxy::to(place.server()).await;
    let log = place.open_through(&proxy).await;
    let hung = log.intent(read_of(1)).await.expect("durable");
    let behind = log.intent(read_of(2)).await.expect("durable");
    let mut server = place.intruder().await;
    proxy.set(Mode::HoldAnswers);
    let hung = withheld(hung, &place).await;
    assert_eq!(
        server.count("SELECT COUNT(*) FROM audit_entry").await,
        3,
        "the server has taken it, and nobody has heard"
    );
    let behind = withheld(behind, &place).await;
    eventually("their portals take no calls", async || {
        is_kept_out(&log, 1).await && is_kept_out(&log, 2).await
    })
    .await;

    proxy.set(Mode::Pass);
    works_again(&log).await;
    for (portal, id) in [(1, &hung), (2, &behind)] {
        eventually("it takes calls", async || {
            match log.intent(read_of(portal)).await {
                Ok(next) => {
                    assert_eq!(ends(&log, id).await, [OK], "the outcome comes first");
                    next.settle(Outcome::ok()).await.is_ok()
                }
                Err(_) => false,
            }
        })
        .await;
    }
    log.stop().await;
    let log = place.open().await;
    assert_eq!(ends(&log, &hung).await, [OK]);
    assert_eq!(ends(&log, &behind).await, [OK]);
    log.stop().await;
}
