//! An access token that HubSpot refuses before its time is replaced by another one, once for all, and no caller notices.

use std::time::Duration;

use futures::future::join_all;
use hubkeep_tests::{Allow, Fault, FaultRule, Refused, support::trouble::every_call_is_on_record};

use crate::oauth::{A, Connected, MINUTE};

/// In which calls are counted, and a little more.
const INTERVAL: Duration = Duration::from_secs(12);

/// How often HubSpot was asked for an access token.
fn exchanges(connected: &Connected) -> usize {
    let journal = connected.hubkeep.journal();
    let asked = journal
        .iter()
        .filter(|entry| entry.path == "/oauth/2026-09/token");
    asked.count()
}

fn end_access_tokens(connected: &Connected) {
    let hubkeep = &connected.hubkeep;
    let ended = hubkeep.hubspot.end_access_tokens(hubkeep.portal_id(A));
    ended.expect("it is there");
}

/// The writes that HubSpot has received: whether each was carried out, and what was answered.
fn writes(connected: &Connected) -> Vec<(bool, Option<u16>)> {
    let mut journal = connected.hubkeep.journal();
    journal.retain(|entry| entry.path.starts_with("/crm/") && entry.method == "POST");
    let writes = journal.iter().map(|entry| (entry.carried_out, entry.status));
    writes.collect()
}

async fn an_access_token_that_ends_early_costs_one_refresh_and_no_caller_an_error(postgres: bool) {
    let connected = Connected::start(postgres).await;
    let hubkeep = &connected.hubkeep;
    let mut callers = Vec::new();
    for number in 0..10 {
        let handle = hubkeep.handle(A).issue().await;
        let crm = hubkeep.crm_as(&handle.caller).with(&handle);
        crm.get("contacts", &format!("{}", 101 + number % 2))
            .await
            .expect("reads");
        callers.push(crm);
    }
    // HubSpot has room for a hundred calls again.
    connected.pass(INTERVAL);
    let before = exchanges(&connected);
    let (old, _) = connected.calls().pop().expect("made");
    end_access_tokens(&connected);
    let reader = &connected;
    let calls = callers
        .iter()
        .flat_map(|crm| (0..5).map(move |_| reader.reads(crm)));
    let read = tokio::select! {
        read = join_all(calls) => read.len(),
        () = connected.time_goes_on() => 0,
    };
    assert_eq!(read, 50);
    assert_eq!(exchanges(&connected) - before, 1);
    let calls = connected.calls();
    let by_old = calls.iter().filter(|(token, _)| *token == old);
    let refused = by_old.filter(|(_, status)| *status == 401).count();
    assert!((1..=50).contains(&refused), "{refused} calls were refused");
    assert!(
        calls
            .iter()
            .all(|(token, status)| *token == old || *status == 200)
    );
    // From then on nobody meets it, whichever handle they hold.
    connected.pass(INTERVAL);
    let before = connected.calls().len();
    for crm in &callers {
        connected.reads(crm).await;
    }
    let since = &connected.calls()[before..];
    assert!(
        since
            .iter()
            .all(|(token, status)| *token != old && *status == 200)
    );
    every_call_is_on_record(hubkeep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_that_ends_early_costs_one_refresh_and_no_caller_an_error_on_sqlite() {
    an_access_token_that_ends_early_costs_one_refresh_and_no_caller_an_error(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_that_ends_early_costs_one_refresh_and_no_caller_an_error_on_postgresql() {
    an_access_token_that_ends_early_costs_one_refresh_and_no_caller_an_error(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_meets_a_refused_access_token_is_made_once_by_the_next_one() {
    let connected = Connected::start(false).await;
    let hubkeep = &connected.hubkeep;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as(&handle.caller).with(&handle);
    // The first is refused when HubSpot is asked whose token it is; the second when it is sent.
    for (number, expected) in [
        (1, vec![(true, Some(201))]),
        (2, vec![(false, Some(401)), (true, Some(201))]),
    ] {
        let crm = crm
            .clone()
            .under(&format!("01890000-0000-7000-8000-00000000000{number}"));
        let (asked, made) = (exchanges(&connected), writes(&connected).len());
        end_access_tokens(&connected);
        let email = format!("once-{number}@example.com");
        let created = crm.create("contacts", &[("email", &email)]).await.expect("made");
        assert_eq!(exchanges(&connected) - asked, 1);
        assert_eq!(writes(&connected)[made..], expected);
        // Asked for again it is not made again.
        let again = crm.create("contacts", &[("email", &email)]).await.expect("kept");
        assert_eq!(
            again.object.map(|object| object.object_id),
            created.object.map(|object| object.object_id)
        );
        assert_eq!(writes(&connected)[made..], expected);
        connected.pass(MINUTE);
    }
    every_call_is_on_record(hubkeep).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_which_a_handle_allows_one_is_not_spent_by_a_refused_access_token() {
    let connected = Connected::start(false).await;
    let hubkeep = &connected.hubkeep;
    let handle = hubkeep.handle(A).budget(1, 0).issue().await;
    end_access_tokens(&connected);
    let crm = hubkeep.crm_as(&handle.caller).with(&handle);
    crm.get("contacts", "101").await.expect("reads");
    let refused = Refused::in_place_of(crm.get("contacts", "101").await);
    assert_eq!(refused.reason, "HANDLE_BUDGET_EXHAUSTED");
    let statuses: Vec<u16> = connected.calls().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, [401, 200]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_next_access_token_is_refused_as_well_it_stops_and_looks_again_after_a_minute() {
    let connected = Connected::start(false).await;
    let hubkeep = &connected.hubkeep;
    let handle = hubkeep
        .handle(A)
        .lifetime(15 * MINUTE)
        .allow([Allow::Get])
        .issue()
        .await;
    let crm = hubkeep.crm_as(&handle.caller).with(&handle);
    // As HubSpot says of what it cannot read: the time for that is 1970.
    hubkeep.hubspot.inject(
        FaultRule::new(Fault::Answer {
            status: 401,
            body: serde_json::json!({
                "status": "error", "category": "EXPIRED_AUTHENTICATION",
                "message": "The OAuth token used to make this call expired 20705 day(s) ago."
            }),
        })
        .path("/crm/"),
    );
    let refuses = async |times: usize| {
        for _ in 0..times {
            let refused = Refused::in_place_of(crm.get("contacts", "101").await);
            assert_eq!(refused.reason, "TOKEN_REFUSED");
        }
        (connected.calls().len(), exchanges(&connected))
    };
    assert_eq!(refuses(1).await, (2, 2), "the import's, and another one");
    assert_eq!(refuses(50).await, (2, 2), "nothing more is sent");
    // The first look comes soon, and asks for nothing.
    connected.pass(Duration::from_secs(5));
    assert_eq!(refuses(20).await, (3, 2));
    connected.pass(MINUTE);
    assert_eq!(refuses(20).await, (5, 3), "one a minute, and another one to try");
    hubkeep.hubspot.clear_faults();
    connected.pass(MINUTE);
    crm.get("contacts", "101").await.expect("reads");
    crm.get("contacts", "101").await.expect("reads");
    assert_eq!(exchanges(&connected), 3);
}
