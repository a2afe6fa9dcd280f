//! PostgreSQL itself is restarted, and crashes, under calls.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use hubkeep_core::clock::SystemClock;
use hubkeep_test_postgres::{Fresh, Own};
use hubkeep_tests::{
    Crm, Hubkeep, Limits, Refused, World, eventually,
    support::trouble::{MENDED_WITHIN, every_call_is_on_record},
};
use tonic::Code::{Unauthenticated, Unavailable, Unknown};

const A: &str = "client-0001";
const CALLERS: usize = 6;
const INTENT_DEADLINE: Duration = Duration::from_millis(500);

/// A Hubkeep with everything that it keeps on this server.
async fn on(own: &Own) -> Hubkeep {
    let place = |fresh: Fresh| (fresh.url, Some(fresh.password_file));
    let [data, log, crm_data, crm_log] =
        ["data", "log", "crm_data", "crm_log"].map(|name| place(own.fresh(name)));
    let setup = Hubkeep::over(World::of_portals(1).limits(&Limits::unlimited()))
        .credential(move |config| {
            (config.database.url, config.database.password_file) = data;
            (config.audit.url, config.audit.password_file) = log;
            config.audit.intent_deadline = INTENT_DEADLINE;
        })
        .crm(move |config| {
            (config.database.url, config.database.password_file) = crm_data;
            (config.audit.url, config.audit.password_file) = crm_log;
            config.audit.intent_deadline = INTENT_DEADLINE;
        });
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    hubkeep
}

async fn blocking(own: &Arc<Own>, work: impl FnOnce(&Own) + Send + 'static) {
    let own = Arc::clone(own);
    let done = tokio::task::spawn_blocking(move || work(&own));
    done.await.expect("it starts again");
}

/// A read, a write and an issue, again and again until told to stop. What is refused is refused for a reason.
async fn call(hubkeep: &Hubkeep, number: usize, crm: &Crm, stop: &AtomicBool) {
    let allowed = [
        (Unavailable, "AUDIT_UNAVAILABLE"),
        (Unavailable, "STORAGE_UNAVAILABLE"),
        (Unavailable, "CREDENTIAL_SERVICE_UNAVAILABLE"),
        (Unavailable, "KEY_UNAVAILABLE"),
        (Unknown, "OUTCOME_UNKNOWN"),
    ];
    for round in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        // One caller may not have very many handles.
        let other = format!("caller-{number}-{round}");
        let (read, wrote, issued) = futures::join!(
            crm.get("contacts", "101"),
            crm.update("contacts", "101", &[("firstname", "x")]),
            hubkeep.handle(A).for_caller(&other).ask(),
        );
        for status in [read.err(), wrote.err(), issued.err()].into_iter().flatten() {
            let refused = Refused::of(&status);
            assert!(allowed.contains(&refused.said()), "{refused:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_works_again_within_ten_seconds_of_a_restart_of_the_database() {
    let own = Arc::new(Own::start(&["jit=on"]));
    let hubkeep = on(&own).await;
    let callers = join_all((0..CALLERS).map(async |_| {
        let handle = hubkeep.handle(A).issue().await;
        hubkeep.crm_as("sync").with(&handle)
    }))
    .await;
    let stop = AtomicBool::new(false);
    let calls = join_all(
        (0..)
            .zip(&callers)
            .map(|(number, crm)| call(&hubkeep, number, crm, &stop)),
    );
    let restarts = async {
        let clock = SystemClock::shared();
        for crash in [false, true] {
            eventually!(callers[0].get("contacts", "101").await.is_ok());
            blocking(&own, move |own| if crash { own.crash() } else { own.restart() }).await;
            let back = clock.tick();
            for crm in &callers {
                eventually!(crm.get("contacts", "101").await.is_ok());
                eventually!(hubkeep.handle(A).ask().await.is_ok());
            }
            let took = clock.tick().since(back);
            assert!(took < MENDED_WITHIN, "{took:?}");
        }
        stop.store(true, Ordering::Relaxed);
    };
    futures::join!(calls, restarts);
    every_call_is_on_record(&hubkeep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_that_was_confirmed_outlives_a_crash_of_a_server_that_answers_too_early() {
    // Left to itself, such a server writes what was committed up to 10 s later.
    let own = Arc::new(Own::start(&["synchronous_commit=off", "wal_writer_delay=10s"]));
    let hubkeep = on(&own).await;
    let handle = hubkeep.handle(A).issue().await;
    hubkeep.revoke(&handle).await;
    blocking(&own, Own::crash).await;
    eventually!(hubkeep.handle(A).ask().await.is_ok());
    let crm = hubkeep.crm_as("sync").with(&handle);
    eventually!(match crm.get("contacts", "101").await {
        Ok(_) => panic!("it is revoked"),
        Err(status) => Refused::of(&status).said() == (Unauthenticated, "HANDLE_INVALID"),
    });
}
