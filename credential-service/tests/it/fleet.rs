//! A portal is suspended, resumed and erased as a whole; and a restored backup brings nothing back.

use std::time::Duration;

use hubkeep_core::database::Database;
use hubkeep_proto::{
    audit::v1::Operation,
    credential::v1::{
        ConfirmErasureRequest, ErasePortalRequest, ErasePortalResponse, GetPortalRequest, GetPortalResponse,
        OnboardPortalRequest, Portal, PortalState, ResumePortalRequest, SuspendPortalRequest, revocation,
        watch_revocations_response::Message,
    },
};
use tonic::Status;

use crate::harness::*;

pub(crate) async fn get(bench: &Bench, slug: &str) -> GetPortalResponse {
    let request = GetPortalRequest {
        client_slug: slug.to_owned(),
    };
    let got = bench.portals(OPERATOR).get_portal(request).await;
    got.expect("found").into_inner()
}

pub(crate) async fn suspend(bench: &Bench, slug: &str) -> Result<Portal, Status> {
    let request = SuspendPortalRequest {
        client_slug: slug.to_owned(),
    };
    let answer = bench.portals(OPERATOR).suspend_portal(request).await?;
    Ok(answer.into_inner().portal.expect("a portal"))
}

pub(crate) async fn resume(bench: &Bench, slug: &str) -> Result<Portal, Status> {
    let request = ResumePortalRequest {
        client_slug: slug.to_owned(),
    };
    let answer = bench.portals(OPERATOR).resume_portal(request).await?;
    Ok(answer.into_inner().portal.expect("a portal"))
}

async fn erase(bench: &Bench, slug: &str, portal: u64) -> Result<ErasePortalResponse, Status> {
    let request = ErasePortalRequest {
        client_slug: slug.to_owned(),
        expected_portal_id: portal,
    };
    Ok(bench.portals(OPERATOR).erase_portal(request).await?.into_inner())
}

fn confirmation(portal: u64) -> ConfirmErasureRequest {
    ConfirmErasureRequest {
        portal_id: portal,
        log: format!("dev/crm-service/{portal}"),
        position: 41,
        index: 7,
        entry_id: "01890000-0000-7000-8000-00000000c0de".to_owned(),
        destroyed_keys: vec!["object-ref".to_owned()],
    }
}

/// What crm-service does: it hears of the erasure on the feed, and confirms it.
async fn confirm_when_told(bench: &Bench, portal: u64) {
    let mut feed = crate::revocations::watch(bench, 0).await.expect("opens");
    loop {
        let heard = feed.message().await.expect("goes on").expect("goes on").message;
        let Some(Message::Revocation(event)) = heard else {
            continue;
        };
        if let Some(revocation::Scope::PortalErasure(erased)) = event.scope
            && erased.portal_id == portal
        {
            break;
        }
    }
    let confirmed = bench.redemption().confirm_erasure(confirmation(portal)).await;
    confirmed.expect("is noted");
}

pub(crate) async fn erase_in_both(bench: &Bench, slug: &str, portal: u64) -> ErasePortalResponse {
    let (erased, ()) = tokio::join!(erase(bench, slug, portal), confirm_when_told(bench, portal));
    erased.expect("erases")
}

#[tokio::test]
async fn a_suspended_portal_is_not_served_and_its_handles_stay_dead_when_it_is_resumed() {
    let bench = Bench::start().await;
    let handle = bench.handle().await.handle;
    let before = get(&bench, "acme").await;
    let suspended = suspend(&bench, "acme").await.expect("suspends");
    assert_eq!(
        (suspended.state(), suspended.portal_generation),
        (PortalState::Suspended, 2)
    );
    assert!(get(&bench, "acme").await.store_version > before.store_version);
    assert_eq!(reason(&bench.redeem(&handle, SYNC).await), "HANDLE_INVALID");
    assert_eq!(reason(&bench.issue(SYNC, "acme").await), "PORTAL_SUSPENDED");
    let again = suspend(&bench, "acme").await.expect("changes nothing");
    assert_eq!(again, suspended);

    let resumed = resume(&bench, "acme").await.expect("resumes");
    assert_eq!(
        (resumed.state(), resumed.portal_generation),
        (PortalState::Active, 3)
    );
    assert_eq!(reason(&bench.redeem(&handle, SYNC).await), "HANDLE_INVALID");
    let fresh = bench.issue(SYNC, "acme").await.expect("issues").handle;
    bench.redeem(&fresh, SYNC).await.expect("redeems");

    let generations = generations(&bench).await;
    assert_eq!(generations, [2, 3]);
    let of_acme: Vec<_> = bench
        .entries()
        .await
        .into_iter()
        .filter(|(log, _)| log.ends_with("/1001"))
        .map(|(_, entry)| entry.operation())
        .collect();
    assert!(of_acme.contains(&Operation::PortalSuspend) && of_acme.contains(&Operation::PortalResume));
}

/// The generations of acme that were announced on the feed so far.
async fn generations(bench: &Bench) -> Vec<u64> {
    let mut feed = crate::revocations::watch(bench, 0).await.expect("opens");
    let mut found = Vec::new();
    loop {
        match feed.message().await.expect("goes on").expect("goes on").message {
            Some(Message::Revocation(event)) => {
                if let Some(revocation::Scope::PortalGeneration(moved)) = event.scope {
                    found.push(moved.generation);
                }
            }
            _ => return found,
        }
    }
}

#[tokio::test]
async fn an_erased_portal_leaves_no_key_no_token_and_no_handle_and_a_certificate_names_both_services() {
    let bench = Bench::start().await;
    let handle = bench.handle().await.handle;
    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    crate::rotation::rotated(&bench).await;
    let before = get(&bench, "acme").await.store_version;
    // As replicas that share a database leave them.
    let called = "INSERT INTO own_call (portal_id, app_id, call_time, replica) VALUES (1001, 7, 1, 'a'), (1002, 7, 1, 'a')";
    let database = bench.database().await;
    let counted = sqlx::query(called).execute(database.pool()).await;
    counted.expect("own calls are counted");
    let erased = erase_in_both(&bench, "acme", ACME).await;

    let left = erased.portal.clone().expect("a portal");
    assert_eq!((left.state(), left.portal_generation), (PortalState::Erased, 2));
    assert!(left.store_version > before && left.credentials.is_empty() && left.scopes.is_empty());
    for line in [
        "client: acme",
        "portal: 1001",
        "credential-service: keys destroyed: credential handle-claims; tombstone: log dev/credential-service/1001 ",
        "crm-service: keys destroyed: object-ref; tombstone: log dev/crm-service/1001 index 7 position 41 ",
        "\u{2014} dev/credential-service ",
    ] {
        assert!(
            erased.certificate.contains(line),
            "{line} is not in {}",
            erased.certificate
        );
    }
    assert!(erased.verifier_key.starts_with("dev/credential-service+"));
    let tombstones: Vec<_> = bench
        .entries()
        .await
        .into_iter()
        .filter(|(log, entry)| log.ends_with("/1001") && entry.operation() == Operation::PortalTombstone)
        .collect();
    assert_eq!(tombstones.len(), 1);
    assert!(erased.certificate.contains(&tombstones[0].1.entry_id));

    for (sql, left) in [
        (
            "SELECT COUNT(*) FROM sealed_secret WHERE secret_id LIKE 'portal/1001/%'",
            0_i64,
        ),
        ("SELECT COUNT(*) FROM own_call WHERE portal_id = 1001", 0),
        ("SELECT COUNT(*) FROM own_call WHERE portal_id = 1002", 1),
        ("SELECT COUNT(*) FROM seal_key WHERE owner = 'portal/1001'", 0),
        ("SELECT COUNT(*) FROM handle WHERE portal_id = 1001", 0),
        ("SELECT COUNT(*) FROM portal_credential WHERE portal_id = 1001", 0),
        ("SELECT COUNT(*) FROM rotation WHERE portal_id = 1001", 0),
        ("SELECT COUNT(*) FROM portal WHERE portal_id = 1001", 1),
        (
            "SELECT COUNT(*) FROM sealed_secret WHERE secret_id LIKE 'portal/1002/%'",
            1,
        ),
    ] {
        let found: i64 = sqlx::query_scalar(sql)
            .fetch_one(database.pool())
            .await
            .expect("counts");
        assert_eq!(found, left, "{sql}");
    }
    assert_eq!(reason(&bench.redeem(&handle, SYNC).await), "HANDLE_INVALID");
    assert_eq!(reason(&bench.issue(SYNC, "acme").await), "PORTAL_ERASED");
    for (slug, token, portal) in [
        ("acme", ACME_TOKEN, ACME),
        ("other", ACME_TOKEN, ACME),
        ("acme", ACME_SECOND_TOKEN, 0),
        ("acme", GLOBEX_TOKEN, GLOBEX),
    ] {
        let again = bench.onboard(slug, token, portal).await;
        assert_eq!(reason(&again), "PORTAL_ERASED", "{slug} {portal}");
        let told = again.expect_err("refused").message().to_owned();
        assert!(told.contains("portal 1001 was erased here as acme"), "{told}");
        assert!(told.contains("in a deployment of its own"), "what to do: {told}");
    }
    assert_eq!(reason(&resume(&bench, "acme").await), "PORTAL_ERASED");
    assert_eq!(reason(&suspend(&bench, "acme").await), "PORTAL_ERASED");
    bench.issue(SYNC, "globex").await.expect("is not touched");

    let again = erase(&bench, "acme", ACME).await.expect("changes nothing");
    assert_eq!(
        (again.certificate, again.verifier_key),
        (erased.certificate, erased.verifier_key)
    );
}

#[tokio::test]
async fn an_erasure_is_confirmed_by_the_portals_id_and_certified_when_crm_service_has_done_the_same() {
    let bench = Bench::start().await;
    bench.handle().await;
    for wrong in [0, GLOBEX, u64::MAX] {
        assert_eq!(
            reason(&erase(&bench, "acme", wrong).await),
            "INVALID_FIELD",
            "{wrong}"
        );
    }
    assert_eq!(
        get(&bench, "acme").await.portal.expect("a portal").state(),
        PortalState::Active
    );
    let patience = async {
        let database = bench.database().await;
        let entombed = "SELECT COUNT(*) FROM portal_erasure WHERE own_tombstone <> ''";
        // Seen a thousand times: the wait has begun long since. Then only once: the entry of the refusal needs time too.
        let mut seen = 0;
        while seen < 1_000 {
            let found: i64 = sqlx::query_scalar(entombed)
                .fetch_one(database.pool())
                .await
                .expect("counts");
            seen += found;
        }
        bench.clock.advance(Duration::from_secs(11));
        std::future::pending::<()>().await;
    };
    let pending = async {
        tokio::select! {
            answer = erase(&bench, "acme", ACME) => answer,
            () = patience => panic!("nobody waits so long"),
        }
    };
    assert_eq!(reason(&pending.await), "ERASURE_PENDING");
    assert_eq!(
        get(&bench, "acme").await.portal.expect("a portal").state(),
        PortalState::Erased
    );
    let confirmed = bench.redemption().confirm_erasure(confirmation(ACME)).await;
    confirmed.expect("is noted");
    erase(&bench, "acme", ACME).await.expect("is certified");
    let tombstones = bench.entries().await;
    let tombstones = tombstones
        .iter()
        .filter(|(_, entry)| entry.operation() == Operation::PortalTombstone);
    assert_eq!(tombstones.count(), 1);
}

/// The tables of the vault, without the log's.
const TABLES: [&str; 11] = [
    "portal",
    "portal_credential",
    "portal_erasure",
    "sealed_secret",
    "seal_key",
    "seal_destroyed",
    "handle",
    "store_version",
    "revocation",
    "revocation_counter",
    "signing_key",
];

pub(crate) async fn run(database: &Database, sql: String) {
    let done = sqlx::query(sqlx::AssertSqlSafe(sql))
        .execute(database.pool())
        .await;
    done.expect("runs");
}

pub(crate) async fn back_up(database: &Database) {
    for table in TABLES {
        run(
            database,
            format!("CREATE TABLE backup_{table} AS SELECT * FROM {table}"),
        )
        .await;
    }
}

pub(crate) async fn restore(database: &Database) {
    for table in TABLES {
        run(database, format!("DELETE FROM {table}")).await;
        run(
            database,
            format!("INSERT INTO {table} SELECT * FROM backup_{table}"),
        )
        .await;
    }
}

#[tokio::test]
async fn a_restored_backup_brings_no_portal_back_and_serves_no_stale_token() {
    let mut bench = Bench::start().await;
    let acme = bench.handle().await.handle;
    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    let globex = bench.issue(SYNC, "globex").await.expect("issues").handle;
    let database = bench.database().await;
    back_up(&database).await;
    // The vault goes on: acme gets another token, and globex is erased.
    let further = OnboardPortalRequest {
        client_slug: "acme".to_owned(),
        portal_token: ACME_SECOND_TOKEN.to_owned(),
        credential_name: "second".to_owned(),
        ..OnboardPortalRequest::default()
    };
    bench
        .portals(OPERATOR)
        .onboard_portal(further)
        .await
        .expect("adds");
    erase_in_both(&bench, "globex", GLOBEX).await;
    let version = get(&bench, "acme").await.store_version;

    restore(&database).await;
    refuses_both(&bench, &acme, &globex).await;
    bench.restart(|_| {}).await;
    refuses_both(&bench, &acme, &globex).await;

    // What is kept is served again when somebody has looked; what was erased is not, and can be erased again.
    assert_eq!(reason(&resume(&bench, "globex").await), "PORTAL_ERASED");
    // HubSpot is asked when those who have listened are sure to be lent nothing any more.
    let resumed = bench.as_time_goes(resume(&bench, "acme")).await;
    let resumed = resumed.expect("resumes");
    assert_eq!(resumed.state(), PortalState::Active);
    assert!(resumed.store_version > version, "no version is given twice");
    let fresh = bench.issue(SYNC, "acme").await.expect("issues").handle;
    bench.redeem(&fresh, SYNC).await.expect("redeems");
    erase_in_both(&bench, "globex", GLOBEX).await;
    assert_eq!(
        get(&bench, "globex").await.portal.expect("a portal").state(),
        PortalState::Erased
    );
    database.close().await;
}

async fn refuses_both(bench: &Bench, acme: &str, globex: &str) {
    for (slug, handle) in [("acme", acme), ("globex", globex)] {
        let state = get(bench, slug).await.portal.expect("a portal").state();
        assert_eq!(state, PortalState::RollbackSuspected, "{slug}");
        assert_eq!(
            reason(&bench.redeem(handle, SYNC).await),
            "PORTAL_ROLLBACK_SUSPECTED"
        );
        assert_eq!(
            reason(&bench.issue(SYNC, slug).await),
            "PORTAL_ROLLBACK_SUSPECTED"
        );
        assert_eq!(reason(&suspend(bench, slug).await), "PORTAL_ROLLBACK_SUSPECTED");
    }
}
