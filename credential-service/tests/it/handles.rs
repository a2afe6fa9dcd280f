//! A handle is for one portal and one caller, lives minutes, and tells nobody else anything.

use std::time::Duration;

use hubkeep_proto::{
    audit::v1::{Cause, Operation, Phase},
    credential::v1::{
        IntrospectHandleRequest, IntrospectHandleResponse, ListHandlesRequest, RevokeHandleRequest,
        revoke_handle_request::Target,
    },
};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::harness::*;

async fn introspect(
    bench: &Bench,
    caller: &'static str,
    handle: &str,
) -> Result<IntrospectHandleResponse, Status> {
    let request = IntrospectHandleRequest {
        handle: handle.to_owned(),
    };
    Ok(bench
        .handles(caller)
        .introspect_handle(request)
        .await?
        .into_inner())
}

async fn revoke(bench: &Bench, caller: &'static str, target: Target) -> Result<u64, Status> {
    let request = RevokeHandleRequest {
        target: Some(target),
        ..RevokeHandleRequest::default()
    };
    Ok(bench
        .handles(caller)
        .revoke_handle(request)
        .await?
        .into_inner()
        .revocation_seq)
}

fn seconds(duration: Option<prost_types::Duration>) -> i64 {
    duration.expect("set").seconds
}

#[tokio::test]
async fn a_handle_is_issued_introspected_and_redeemed() {
    let bench = Bench::start().await;
    let issued = bench.handle().await;
    let description = issued.description.expect("described");
    assert_eq!((description.portal_id, description.caller.as_str()), (ACME, SYNC));

    bench.clock.advance(Duration::from_secs(100));
    let known = introspect(&bench, SYNC, &issued.handle).await.expect("lives");
    assert_eq!(known.description.as_ref(), Some(&description));
    assert_eq!(seconds(known.time_left), 200);

    let redeemed = bench.redeem(&issued.handle, SYNC).await.expect("redeems");
    assert_eq!(redeemed.portal_token, ACME_TOKEN);
    assert_eq!(redeemed.token_fingerprint, hubspot_sim::fingerprint(ACME_TOKEN));
    assert_eq!(
        (
            redeemed.credential_version,
            redeemed.portal_generation,
            redeemed.revocation_seq
        ),
        (1, 1, 0)
    );
    assert_eq!(
        (seconds(redeemed.keep_for), seconds(redeemed.time_left)),
        (60, 200)
    );
    assert_eq!(redeemed.description, Some(description));
}

#[tokio::test]
async fn a_redeemer_may_not_keep_a_token_longer_than_the_handle_lives() {
    let bench = Bench::start().await;
    let issued = bench.handle().await;
    bench.clock.advance(Duration::from_secs(290));
    let redeemed = bench.redeem(&issued.handle, SYNC).await.expect("redeems");
    assert_eq!(seconds(redeemed.keep_for), 10);
}

#[tokio::test]
async fn unknown_expired_revoked_and_anothers_are_told_alike_and_the_log_knows_which() {
    let bench = Bench::start().await;
    let issued = bench.handle().await;
    let another = bench.issue(SYNC, "acme").await.expect("issues");
    revoke(&bench, SYNC, Target::Handle(another.handle.clone()))
        .await
        .expect("revokes");
    let unknown = "hk1_0000000000000000000000000000000000000000000";
    let unknown = format!("{unknown}_{}", checksum(unknown));

    let mut told = Vec::new();
    let mut causes = Vec::new();
    for (handle, presenter, passes) in [
        (&unknown, SYNC, 2),
        (&another.handle, SYNC, 2),
        (&issued.handle, "reporting", 2),
        (&issued.handle, SYNC, 300),
    ] {
        // Equal refusals within a second are counted; these are apart, so that each has an entry of its own.
        bench.clock.advance(Duration::from_secs(passes));
        told.push(bench.redeem(handle, presenter).await.expect_err("refused"));
        causes.push(bench.last_entry().await.1.cause());
    }
    assert_eq!(
        causes,
        [
            Cause::HandleUnknown,
            Cause::HandleRevoked,
            Cause::HandleOfAnotherCaller,
            Cause::HandleExpired
        ]
    );
    for status in &told {
        let details = status.get_error_details();
        let info = details.error_info().expect("set");
        assert_eq!((info.reason.as_str(), info.metadata.len()), ("HANDLE_INVALID", 0));
        assert_eq!(
            (status.code(), status.message()),
            (told[0].code(), told[0].message())
        );
    }
}

#[tokio::test]
async fn the_log_says_why_a_handle_was_refused() {
    let bench = Bench::start().await;
    let issued = bench.handle().await;
    bench
        .redeem(&issued.handle, "reporting")
        .await
        .expect_err("refused");
    let (log, entry) = bench.last_entry().await;
    assert!(
        log.ends_with(&format!("/{ACME}")),
        "whoever has the handle itself proves its portal: {log}"
    );
    assert_eq!(
        (entry.phase(), entry.cause()),
        (Phase::Denied, Cause::HandleOfAnotherCaller)
    );
    assert_eq!(entry.handle_id, issued.description.expect("described").handle_id);
}

#[tokio::test]
async fn a_cut_handle_is_malformed() {
    let bench = Bench::start().await;
    let handle = bench.handle().await.handle;
    for cut in ["", "hk1_", &handle[1..], &handle[..handle.len() - 1]] {
        assert_eq!(reason(&bench.redeem(cut, SYNC).await), "HANDLE_MALFORMED");
        assert_eq!(reason(&introspect(&bench, SYNC, cut).await), "HANDLE_MALFORMED");
        assert_eq!(
            reason(&revoke(&bench, SYNC, Target::Handle(cut.to_owned())).await),
            "HANDLE_MALFORMED"
        );
    }
}

#[tokio::test]
async fn only_its_caller_can_look_at_it_or_end_it_but_an_operator_ends_any() {
    let bench = Bench::start().await;
    let issued = bench.handle().await;
    let id = issued.description.expect("described").handle_id;
    for caller in ["reporting", OPERATOR] {
        assert_eq!(
            reason(&introspect(&bench, caller, &issued.handle).await),
            "HANDLE_INVALID"
        );
    }
    let by_handle = revoke(&bench, "reporting", Target::Handle(issued.handle.clone())).await;
    assert_eq!(reason(&by_handle), "HANDLE_INVALID");
    assert_eq!(
        reason(&revoke(&bench, "reporting", Target::HandleId(id.clone())).await),
        "HANDLE_INVALID"
    );
    introspect(&bench, SYNC, &issued.handle)
        .await
        .expect("still lives");
    revoke(&bench, OPERATOR, Target::HandleId(id))
        .await
        .expect("an operator may");
    let leaked = bench.handle().await.handle;
    revoke(&bench, OPERATOR, Target::Handle(leaked))
        .await
        .expect("whoever finds a leaked one must be able to end it");
    assert_eq!(
        reason(&introspect(&bench, SYNC, &issued.handle).await),
        "HANDLE_INVALID"
    );
}

#[tokio::test]
async fn revoking_twice_says_the_same_place_and_makes_no_second_one() {
    let bench = Bench::start().await;
    let issued = bench.handle().await;
    let other = bench.issue(SYNC, "acme").await.expect("issues");
    let first = revoke(&bench, SYNC, Target::Handle(issued.handle.clone()))
        .await
        .expect("revokes");
    let second = revoke(&bench, SYNC, Target::Handle(issued.handle.clone()))
        .await
        .expect("nothing to do");
    assert_eq!((first, second), (1, 1));
    assert_eq!(
        revoke(&bench, SYNC, Target::Handle(other.handle))
            .await
            .expect("revokes"),
        2
    );
}

#[tokio::test]
async fn a_lifetime_scope_or_purpose_out_of_bounds_is_refused() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let lifetime = |seconds, nanos| Some(prost_types::Duration { seconds, nanos });
    let mut wishes = Vec::new();
    for bad in [
        lifetime(0, 0),
        lifetime(901, 0),
        lifetime(-1, 0),
        lifetime(0, 999_999_999),
    ] {
        let mut wish = wish("acme");
        wish.lifetime = bad;
        wishes.push(wish);
    }
    let mut nothing = wish("acme");
    nothing.scope = None;
    let mut purposeless = wish("acme");
    purposeless.purpose_code = String::new();
    wishes.extend([nothing, purposeless, wish("ACME")]);
    for wish in wishes {
        let refused = bench.handles(SYNC).issue_handle(wish.clone()).await;
        assert_eq!(reason(&refused), "INVALID_FIELD", "{wish:?}");
    }
    assert_eq!(reason(&bench.issue(SYNC, "globex").await), "PORTAL_UNKNOWN");
    let mut longest = wish("acme");
    longest.lifetime = lifetime(900, 0);
    bench
        .handles(SYNC)
        .issue_handle(longest)
        .await
        .expect("15 minutes are allowed");
}

#[tokio::test]
async fn a_caller_holds_a_bounded_number_of_living_handles() {
    let bench = Bench::start_with(|config| config.handles.max_live_per_caller = 2).await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let first = bench.issue(SYNC, "acme").await.expect("issues");
    bench.issue(SYNC, "acme").await.expect("issues");
    assert_eq!(reason(&bench.issue(SYNC, "acme").await), "TOO_MANY_HANDLES");
    bench
        .issue("reporting", "acme")
        .await
        .expect("others have their own");
    revoke(&bench, SYNC, Target::Handle(first.handle))
        .await
        .expect("revokes");
    bench.issue(SYNC, "acme").await.expect("room again");
    bench.clock.advance(Duration::from_secs(300));
    bench.issue(SYNC, "acme").await.expect("the others have ended");
}

#[tokio::test]
async fn a_caller_lists_its_own_living_handles_newest_first_in_pages() {
    let bench = Bench::start().await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    let mut ids = Vec::new();
    for _ in 0..3 {
        let issued = bench.issue(SYNC, "acme").await.expect("issues");
        ids.push(issued.description.expect("described").handle_id);
        bench.clock.advance(Duration::from_millis(2));
    }
    bench.issue("reporting", "acme").await.expect("issues");
    let page = |page_token: String| {
        let request = ListHandlesRequest {
            client_slug: "acme".to_owned(),
            page_size: 2,
            page_token,
            ..ListHandlesRequest::default()
        };
        async {
            bench
                .handles(SYNC)
                .list_handles(request)
                .await
                .expect("lists")
                .into_inner()
        }
    };
    let first = page(String::new()).await;
    let second = page(first.next_page_token.clone()).await;
    let listed: Vec<_> = first
        .handles
        .iter()
        .chain(&second.handles)
        .map(|handle| handle.handle_id.clone())
        .collect();
    assert_eq!(listed, ids.into_iter().rev().collect::<Vec<_>>());
    assert!(second.next_page_token.is_empty());
}

#[tokio::test]
async fn every_act_on_a_handle_is_in_its_portals_log() {
    let bench = Bench::start().await;
    let issued = bench.handle().await;
    introspect(&bench, SYNC, &issued.handle).await.expect("lives");
    bench.redeem(&issued.handle, SYNC).await.expect("redeems");
    revoke(&bench, SYNC, Target::Handle(issued.handle.clone()))
        .await
        .expect("revokes");
    let entries = bench.entries().await;
    let acts: Vec<_> = entries
        .iter()
        .filter(|(_, entry)| !entry.handle_id.is_empty())
        .collect();
    let operations: Vec<_> = acts.iter().map(|(_, entry)| entry.operation()).collect();
    assert_eq!(
        operations,
        [
            Operation::HandleIssue,
            Operation::HandleIntrospect,
            Operation::HandleRedeem,
            Operation::HandleRevoke
        ]
    );
    assert!(
        acts.iter()
            .all(|(log, entry)| log.ends_with("/1001") && entry.purpose_code == "nightly-sync")
    );
    assert_eq!(acts[2].1.call_id, "01890000-0000-7000-8000-000000000000");
    assert_eq!(acts[2].1.caller, CRM);
}

#[tokio::test]
async fn a_redeemer_that_has_seen_more_than_this_replica_is_refused() {
    let bench = Bench::start().await;
    let issued = bench.handle().await;
    let request = hubkeep_proto::credential::v1::RedeemHandleRequest {
        handle: issued.handle,
        presented_by: SYNC.to_owned(),
        seen_revocation_seq: 1,
        call_id: "01890000-0000-7000-8000-000000000000".to_owned(),
        ..Default::default()
    };
    let refused = bench.redemption().redeem_handle(request).await;
    assert_eq!(reason(&refused), "CREDENTIAL_SERVICE_UNAVAILABLE");
}

/// The checksum of a handle, written down a second time: what the wire promises to others.
fn checksum(text: &str) -> String {
    let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut crc = !0_u32;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (0_u32.wrapping_sub(crc & 1)));
        }
    }
    crc = !crc;
    let mut digits = Vec::new();
    for _ in 0..6 {
        digits.push(char::from(alphabet[usize::try_from(crc % 62).expect("small")]));
        crc /= 62;
    }
    digits.iter().rev().collect()
}
