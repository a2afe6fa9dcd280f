//! A redeemer may say that HubSpot refuses the access token in force: another one is asked for, once for all who say so, and no
//! more often than once a minute, whoever says it.

use futures::future::join_all;
use hubkeep_proto::credential::v1::{RedeemHandleRequest, RedeemHandleResponse};
use hubspot_sim::{Fault, FaultRule};
use tonic::Status;

use crate::{
    harness::*,
    oauth::{MINUTE, TOKEN_PATH, connected, exchanges, pass, redeem_anew},
};

/// Redeems a handle, and says that HubSpot refuses this token.
pub(crate) async fn redeem_instead(
    bench: &Bench,
    handle: &str,
    refused: &str,
) -> Result<RedeemHandleResponse, Status> {
    let request = RedeemHandleRequest {
        handle: handle.to_owned(),
        presented_by: SYNC.to_owned(),
        call_id: "01890000-0000-7000-8000-000000000000".to_owned(),
        refused_token_fingerprint: refused.to_owned(),
        ..RedeemHandleRequest::default()
    };
    Ok(bench.redemption().redeem_handle(request).await?.into_inner())
}

async fn handle(bench: &Bench) -> String {
    bench.issue(SYNC, "acme").await.expect("issues").handle
}

/// The fingerprint of what is given instead.
async fn instead_of(bench: &Bench, handle: &str, refused: &str) -> String {
    let given = redeem_instead(bench, handle, refused).await;
    given.expect("redeems").token_fingerprint
}

#[tokio::test]
async fn a_refused_access_token_is_replaced_once_for_all_who_name_it() {
    let bench = connected().await;
    let old = redeem_anew(&bench).await.expect("redeems").token_fingerprint;
    let handle = handle(&bench).await;
    let given = join_all((0..20).map(|_| instead_of(&bench, &handle, &old))).await;
    let new = given.first().expect("given").clone();
    assert_ne!(new, old);
    assert!(given.iter().all(|given| *given == new), "{given:?}");
    assert_eq!(exchanges(&bench).len(), 2, "the import, and one more");
    let plain = redeem_anew(&bench).await.expect("redeems");
    assert_eq!(plain.token_fingerprint, new, "who names nothing is given it too");
}

#[tokio::test]
async fn who_names_an_older_token_or_none_that_was_given_is_given_what_is_in_force() {
    let bench = connected().await;
    let old = redeem_anew(&bench).await.expect("redeems").token_fingerprint;
    let handle = handle(&bench).await;
    let new = instead_of(&bench, &handle, &old).await;
    pass(&bench, 2 * MINUTE);
    for named in [old.as_str(), "", "0000000000000000", "no fingerprint at all"] {
        assert_eq!(instead_of(&bench, &handle, named).await, new, "{named:?}");
    }
    assert_eq!(exchanges(&bench).len(), 2);
}

#[tokio::test]
async fn whoever_names_each_new_token_at_once_is_given_another_one_once_a_minute() {
    let bench = connected().await;
    let mut named = redeem_anew(&bench).await.expect("redeems").token_fingerprint;
    let handle = handle(&bench).await;
    named = instead_of(&bench, &handle, &named).await;
    for _ in 0..20 {
        assert_eq!(instead_of(&bench, &handle, &named).await, named);
    }
    assert_eq!(exchanges(&bench).len(), 2);
    pass(&bench, MINUTE);
    assert_ne!(instead_of(&bench, &handle, &named).await, named);
    assert_eq!(exchanges(&bench).len(), 3);
}

#[tokio::test]
async fn while_hubspot_gives_no_other_whoever_names_none_is_served_and_the_minute_is_not_waited_for() {
    let bench = connected().await;
    let old = redeem_anew(&bench).await.expect("redeems").token_fingerprint;
    let handle = handle(&bench).await;
    let fails = FaultRule::new(Fault::Status { status: 503 }).path(TOKEN_PATH);
    bench.hubspot.inject(fails);
    for _ in 0..5 {
        let refused = redeem_instead(&bench, &handle, &old).await;
        assert_eq!(reason(&refused), "HUBSPOT_UNAVAILABLE");
    }
    assert_eq!(exchanges(&bench).len(), 2, "it is left alone between tries");
    let plain = redeem_anew(&bench).await.expect("the old one, which may live");
    assert_eq!(plain.token_fingerprint, old);
    bench.hubspot.clear_faults();
    pass(&bench, MINUTE / 30);
    assert_ne!(instead_of(&bench, &handle, &old).await, old);
}

#[tokio::test]
async fn of_a_token_that_does_not_end_by_itself_what_is_in_force_is_given_and_hubspot_is_asked_nothing() {
    let bench = Bench::start().await;
    let handle = bench.handle().await.handle;
    let given = bench.redeem(&handle, SYNC).await.expect("redeems");
    let before = bench.hubspot.journal_len();
    let again = redeem_instead(&bench, &handle, &given.token_fingerprint).await;
    assert_eq!(again.expect("redeems").portal_token, given.portal_token);
    assert_eq!(bench.hubspot.journal_len(), before);
}
