//! Nobody has a handle unless a grant says so, and what a grant says is in force at once.

use std::time::Duration;

use hubkeep_audit_log::Operation;
use hubkeep_core::{clock::SharedClock, random::SystemRandom};
use hubkeep_credential_service::{
    access::{self, Access, Held},
    holders::Holders,
    revocations::{News, Revocations, Scope},
};
use hubkeep_proto::credential::v1::{
    DeleteGrantRequest, DeleteGrantResponse, Grant, HandleBudget, HandleOperation, HandleScope,
    ListGrantsRequest, PortalDetails, PortalSelection, PutGrantRequest, PutGrantResponse,
    UpdatePortalRequest, access_service_client::AccessServiceClient, grant::Holder,
};
use hubkeep_seal::{Keks, Keyring};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::harness::*;

/// A grant of everything on every portal, for these callers.
pub(crate) fn of_everything(grant_id: &str, callers: &str) -> Grant {
    Grant {
        grant_id: grant_id.to_owned(),
        holder: Some(Holder::Caller(callers.to_owned())),
        portals: Some(PortalSelection {
            all: true,
            ..PortalSelection::default()
        }),
        scope: Some(HandleScope {
            operations: (1..=8).collect(),
            object_types: vec!["*".to_owned()],
            ..HandleScope::default()
        }),
        ..Grant::default()
    }
}

/// The same for one portal only.
pub(crate) fn on_acme(grant_id: &str, callers: &str) -> Grant {
    Grant {
        portals: Some(PortalSelection {
            client_slugs: vec!["acme".to_owned()],
            ..PortalSelection::default()
        }),
        ..of_everything(grant_id, callers)
    }
}

pub(crate) fn access_of(bench: &Bench) -> AccessServiceClient<Named> {
    AccessServiceClient::new(bench.channel_of(OPERATOR))
}

pub(crate) async fn put(bench: &Bench, grant: Grant) -> Result<PutGrantResponse, Status> {
    let request = PutGrantRequest {
        grant: Some(grant),
        validate_only: false,
    };
    Ok(access_of(bench).put_grant(request).await?.into_inner())
}

pub(crate) async fn delete(bench: &Bench, grant_id: &str) -> Result<DeleteGrantResponse, Status> {
    let request = DeleteGrantRequest {
        grant_id: grant_id.to_owned(),
    };
    Ok(access_of(bench).delete_grant(request).await?.into_inner())
}

pub(crate) async fn ids(bench: &Bench, request: ListGrantsRequest) -> Vec<String> {
    let listed = access_of(bench).list_grants(request).await.expect("lists");
    let grants = listed.into_inner().grants.into_iter();
    grants.map(|grant| grant.grant_id).collect()
}

/// Both portals, and nobody may have a handle of either.
pub(crate) async fn start() -> Bench {
    let bench = Bench::without_grants(|_| {}).await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    bench
        .onboard("globex", GLOBEX_TOKEN, GLOBEX)
        .await
        .expect("onboards");
    bench
}

/// What a refusal says is lacking, and of which grant.
fn lacking<T>(result: Result<T, Status>) -> (String, Option<String>) {
    let status = result.map(drop).expect_err("refused");
    assert_eq!(reason::<()>(&Err(status.clone())), "GRANT_MISSING", "{status:?}");
    let details = status.get_error_details();
    let metadata = details.error_info().expect("told").metadata.clone();
    assert_eq!(metadata["client_slug"], "acme");
    (metadata["lacking"].clone(), metadata.get("grant_id").cloned())
}

/// The same rooms as in another replica, over the same database.
async fn another_replica(bench: &Bench) -> (Access, Revocations) {
    let (clock, random): (SharedClock, _) = (bench.clock.clone(), SystemRandom::shared());
    let database = bench.database().await;
    let keks = Keks::open(&bench.config.keys, &clock).await.expect("opens");
    let keyring = Keyring::new(
        database.clone(),
        keks,
        bench.config.keys.cached_for,
        clock.clone(),
        random,
    );
    let revocations = Revocations::build(database.clone(), clock.clone());
    let access = Access::build(access::Deps {
        database: database.clone(),
        keyring,
        holders: Holders::build(database, revocations.clone(), clock.clone()),
        revocations: revocations.clone(),
        log: bench.audit_log().clone(),
        clock,
    });
    (access, revocations)
}

/// Why a handle that [`SYNC`] was given on acme under this revision of a grant is dead; `None` if it lives.
async fn lapsed(bench: &Bench, grant_id: &str, revision: u64, tags: &[&str]) -> Option<String> {
    let (access, _) = another_replica(bench).await;
    let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let held = Held {
        caller: &SYNC.parse().expect("valid"),
        client_slug: &"acme".parse().expect("valid"),
        tags: &tags,
        grant_id: &grant_id.parse().expect("valid"),
        grant_revision: revision,
        caller_generation: 1,
        person: None,
    };
    access
        .lapsed(&held)
        .await
        .expect("read")
        .map(|cause| format!("{cause:?}"))
}

#[tokio::test]
async fn nobody_has_a_handle_before_a_grant_says_so_not_even_an_operator() {
    let bench = start().await;
    for caller in [SYNC, OPERATOR] {
        let refused = bench.issue(caller, "acme").await;
        assert_eq!(lacking(refused), ("portal".to_owned(), None), "{caller}");
    }
    put(&bench, on_acme("sync", SYNC)).await.expect("put");
    bench.issue(SYNC, "acme").await.expect("issued");
    assert_eq!(reason(&bench.issue(SYNC, "globex").await), "GRANT_MISSING");
    assert_eq!(reason(&bench.issue(OPERATOR, "acme").await), "GRANT_MISSING");
    let deleted = delete(&bench, "sync").await.expect("deleted");
    assert!(deleted.revocation_seq > 0);
    assert_eq!(reason(&bench.issue(SYNC, "acme").await), "GRANT_MISSING");
    assert_eq!(reason(&delete(&bench, "sync").await), "GRANT_UNKNOWN");
}

#[tokio::test]
async fn whom_no_grant_lets_near_a_portal_does_not_learn_whether_there_is_one() {
    let bench = start().await;
    put(&bench, on_acme("sync", SYNC)).await.expect("put");
    let of_present = bench.issue("stranger", "globex").await.expect_err("refused");
    let of_absent = bench.issue("stranger", "nobody").await.expect_err("refused");
    assert_eq!(
        of_present.message().replace("globex", "nobody"),
        of_absent.message()
    );
    assert_eq!(of_present.code(), of_absent.code());
    let details = |status: &Status| status.get_error_details().error_info().cloned().expect("told");
    let (present, absent) = (details(&of_present), details(&of_absent));
    assert_eq!(present.reason, absent.reason);
    assert_eq!(
        present.metadata.keys().collect::<Vec<_>>().len(),
        absent.metadata.len()
    );
    let entries = bench.entries().await;
    let of_stranger = entries.iter().filter(|(_, entry)| entry.caller == "stranger");
    assert!(of_stranger.clone().next().is_some(), "on record");
    for (log, entry) in of_stranger {
        assert!(
            log.ends_with("/system"),
            "{log}: a stranger writes to no portal's log: {entry:?}"
        );
    }
    // Who has a grant for it is told.
    let mut grant = on_acme("sync", SYNC);
    grant.portals.get_or_insert_default().client_slugs = vec!["later".to_owned()];
    put(&bench, grant).await.expect("put");
    assert_eq!(reason(&bench.issue(SYNC, "later").await), "PORTAL_UNKNOWN");
}

#[tokio::test]
async fn a_wish_is_refused_with_what_the_nearest_grant_lacks() {
    let bench = start().await;
    let narrow = Grant {
        scope: Some(HandleScope {
            operations: vec![HandleOperation::Get.into()],
            object_types: vec!["contacts".to_owned()],
            properties: vec!["email".to_owned()],
            pipelines: Vec::new(),
            owner_ids: Vec::new(),
        }),
        max_lifetime: Some(Duration::from_secs(60).try_into().expect("fits")),
        ..on_acme("narrow", SYNC)
    };
    put(&bench, narrow).await.expect("put");
    let mut asked = wish("acme");
    asked.scope.get_or_insert_default().properties = vec!["email".to_owned()];
    let issued = bench
        .handles(SYNC)
        .issue_handle(asked.clone())
        .await
        .expect("issued");
    let description = issued.into_inner().description.expect("told");
    let lived =
        description.expire_time.expect("told").seconds - description.issue_time.expect("told").seconds;
    assert_eq!(lived, 60, "who names no lifetime gets what the grant allows");

    let named = || Some("narrow".to_owned());
    type Change = fn(&mut HandleScope);
    let change: [(&str, Change); 3] = [
        ("operations", |scope| {
            scope.operations.push(HandleOperation::Update.into())
        }),
        ("object_types", |scope| {
            scope.object_types.push("deals".to_owned())
        }),
        ("properties", |scope| scope.properties.clear()),
    ];
    for (part, widen) in change {
        let mut wide = asked.clone();
        widen(wide.scope.get_or_insert_default());
        let refused = bench.handles(SYNC).issue_handle(wide).await;
        assert_eq!(lacking(refused), (part.to_owned(), named()));
    }
    let mut long = asked;
    long.lifetime = Some(Duration::from_secs(61).try_into().expect("fits"));
    let refused = bench.handles(SYNC).issue_handle(long).await;
    assert_eq!(lacking(refused), ("lifetime".to_owned(), named()));
}

#[tokio::test]
async fn a_grant_by_tag_holds_as_long_as_the_portal_has_the_tag() {
    let bench = start().await;
    let mut tagged = of_everything("tagged", "jobs/*");
    tagged.portals = Some(PortalSelection {
        tags: vec!["eu".to_owned()],
        ..PortalSelection::default()
    });
    put(&bench, tagged).await.expect("put");
    let tag = async |tags: &[&str]| {
        let details = PortalDetails {
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..PortalDetails::default()
        };
        let request = UpdatePortalRequest {
            client_slug: "acme".to_owned(),
            details: Some(details),
        };
        bench
            .portals(OPERATOR)
            .update_portal(request)
            .await
            .expect("updates");
    };
    assert_eq!(lacking(bench.issue("jobs/sync", "acme").await).0, "portal");
    tag(&["gold", "eu"]).await;
    bench.issue("jobs/sync", "acme").await.expect("issued");
    assert_eq!(reason(&bench.issue("jobs", "acme").await), "GRANT_MISSING");
    let by_portal = ListGrantsRequest {
        client_slug: "acme".to_owned(),
        ..ListGrantsRequest::default()
    };
    assert_eq!(ids(&bench, by_portal.clone()).await, ["tagged"]);
    let (access, _) = another_replica(&bench).await;
    let acme = "acme".parse().expect("valid");
    let (had, has) = (["gold".to_owned(), "eu".to_owned()], ["gold".to_owned()]);
    let ceased = access.no_longer_selecting(&acme, &had, &has).await.expect("read");
    assert_eq!(ceased.len(), 1);
    assert!(
        access
            .no_longer_selecting(&acme, &has, &had)
            .await
            .expect("read")
            .is_empty()
    );
    tag(&["gold"]).await;
    assert_eq!(reason(&bench.issue("jobs/sync", "acme").await), "GRANT_MISSING");
    assert!(ids(&bench, by_portal).await.is_empty());
}

#[tokio::test]
async fn handles_live_on_under_a_wider_grant_and_end_under_a_narrower_one() {
    let bench = start().await;
    let first = put(&bench, on_acme("sync", SYNC)).await.expect("put");
    assert_eq!(first.grant.as_ref().map(|grant| grant.revision), Some(1));
    assert_eq!(first.revocation_seq, 0, "there were no handles yet");
    assert_eq!(first.grant.expect("told").updated_by, OPERATOR);

    let wider = put(&bench, of_everything("sync", SYNC)).await.expect("put");
    assert_eq!(wider.grant.expect("told").revision, 2);
    assert_eq!(wider.revocation_seq, 0, "nowhere narrower");
    assert_eq!(lapsed(&bench, "sync", 1, &[]).await, None);
    assert_eq!(lapsed(&bench, "sync", 2, &[]).await, None);
    assert_eq!(
        lapsed(&bench, "sync", 3, &[]).await.as_deref(),
        Some("GrantChanged")
    );

    let narrower = Grant {
        budget: Some(HandleBudget {
            max_calls: 10,
            max_records: 0,
        }),
        ..of_everything("sync", SYNC)
    };
    let checked = PutGrantRequest {
        grant: Some(narrower.clone()),
        validate_only: true,
    };
    let checked = access_of(&bench)
        .put_grant(checked)
        .await
        .expect("checked")
        .into_inner();
    assert_eq!(checked.grant.expect("told").revision, 3, "what it would be");
    assert_eq!(lapsed(&bench, "sync", 1, &[]).await, None, "nothing was changed");
    let (log, entry) = bench.last_entry().await;
    assert!(log.ends_with("/system"));
    assert_eq!(
        (entry.operation(), entry.subject.as_str()),
        (Operation::GrantCheck, "sync")
    );

    let put = put(&bench, narrower).await.expect("put");
    assert!(put.revocation_seq > 0);
    for revision in [1, 2] {
        assert_eq!(
            lapsed(&bench, "sync", revision, &[]).await.as_deref(),
            Some("GrantChanged")
        );
    }
    assert_eq!(lapsed(&bench, "sync", 3, &[]).await, None);
    let (_, revocations) = another_replica(&bench).await;
    let redeemer = "0197c0de-0000-7000-8000-000000000001".parse().expect("an id");
    let watched = revocations.watch(
        put.revocation_seq - 1,
        redeemer,
        "crm-service".parse().expect("valid"),
    );
    let (mut feed, _redeemer) = watched.await.expect("a feed");
    let News::Revoked(revocation) = feed.next().await.expect("told") else {
        panic!("nothing was revoked");
    };
    assert_eq!(
        revocation.scope,
        Scope::GrantRevision("sync".parse().expect("valid"), 3)
    );
    let (_, entry) = bench.last_entry().await;
    assert_eq!(
        (entry.operation(), entry.subject.as_str()),
        (Operation::GrantPut, "sync")
    );
}

#[tokio::test]
async fn a_grant_that_comes_again_goes_on_counting_and_revives_no_handle() {
    let bench = start().await;
    put(&bench, on_acme("sync", SYNC)).await.expect("put");
    delete(&bench, "sync").await.expect("deleted");
    assert_eq!(
        lapsed(&bench, "sync", 1, &[]).await.as_deref(),
        Some("GrantChanged")
    );
    let again = put(&bench, on_acme("sync", SYNC)).await.expect("put");
    assert_eq!(again.grant.expect("told").revision, 3);
    assert_eq!(
        lapsed(&bench, "sync", 1, &[]).await.as_deref(),
        Some("GrantChanged")
    );
    assert_eq!(lapsed(&bench, "sync", 3, &[]).await, None);
}
