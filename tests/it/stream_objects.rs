//! A whole type of records, page by page: each page a call like any other, and no more of them than the reader takes.

use std::{collections::HashSet, time::Duration};

use hubkeep_audit_log::{Operation, Phase};
use hubkeep_core::clock::{MockClock, SystemClock, Timestamp};
use hubkeep_proto::crm::v1::StreamObjectsRequest;
use hubkeep_tests::{
    Allow, BOUND, Crm, Fault, FaultRule, Hubkeep, Limits, Refused, Service, World, eventually,
    support::walks::{Seen, contacts},
};
use tonic::Code;

const A: &str = "client-0001";
const B: &str = "client-0002";
const CONTACTS: usize = 10_000;
const PAGE: usize = 100;

async fn unlimited(portals: u32) -> Hubkeep {
    let hubkeep = Hubkeep::start(World::of_portals(portals).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    hubkeep
}

/// A caller who may do nothing but list.
async fn lister(hubkeep: &Hubkeep, slug: &str) -> Crm {
    let handle = hubkeep.handle(slug).allow([Allow::List]).issue().await;
    hubkeep.crm_as("sync").with(&handle)
}

/// The pages that HubSpot was asked for.
fn pages_asked(hubkeep: &Hubkeep) -> usize {
    let calls = hubkeep.hubspot_calls();
    calls
        .iter()
        .filter(|call| call.path.ends_with("/contacts"))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_gives_every_record_once_and_records_every_page() {
    let hubkeep = unlimited(1).await;
    let all = contacts(&hubkeep.hubspot, hubkeep.portal_id(A), CONTACTS, 8);
    let crm = lister(&hubkeep, A).await;
    let mut seen = Seen::default();
    let mut walk = crm.walk("contacts", "").await.expect("begun");
    seen.rest(&mut walk).await.expect("to its end");
    assert_eq!(seen.ids, all);
    assert_eq!(
        (seen.pages, pages_asked(&hubkeep)),
        (CONTACTS / PAGE, CONTACTS / PAGE)
    );

    for phase in [Phase::Intent, Phase::Outcome] {
        let mut entries = hubkeep.entries(Service::Crm, phase).await;
        entries.retain(|entry| entry.operation() == Operation::ObjectList);
        let call_ids: Vec<_> = entries.iter().map(|entry| entry.call_id.clone()).collect();
        assert_eq!(
            call_ids, seen.call_ids,
            "{phase:?}: each page is a call of its own"
        );
        for entry in entries {
            assert_eq!(entry.grpc_method, "/hubkeep.crm.v1.ObjectService/StreamObjects");
            assert_eq!(entry.portal_id, hubkeep.portal_id(A));
        }
    }
    assert_eq!(seen.call_ids.iter().collect::<HashSet<_>>().len(), seen.pages);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_is_slow_holds_the_pages_back_and_one_who_leaves_ends_them() {
    let hubkeep = unlimited(1).await;
    contacts(&hubkeep.hubspot, hubkeep.portal_id(A), CONTACTS, 2_000);
    let handle = hubkeep.handle(A).issue().await;
    let other = hubkeep.crm_as("sync").with(&handle);
    let slow = hubkeep.crm_with_small_window("sync").with(&handle);
    let mut walk = slow.walk("contacts", "").await.expect("begun");
    let mut seen = Seen::default();
    for _ in 0..10 {
        seen.pages(&mut walk, 1).await;
        // All the while the service works for others, and could read ahead.
        for _ in 0..20 {
            other.get("contacts", "101").await.expect("read");
        }
        let asked = pages_asked(&hubkeep);
        assert!(
            asked <= seen.pages + 2,
            "{asked} pages asked for {} taken",
            seen.pages
        );
    }
    drop(walk);
    let asked = pages_asked(&hubkeep);
    for _ in 0..20 {
        other.get("contacts", "101").await.expect("read");
    }
    assert!(pages_asked(&hubkeep) <= asked + 1, "nobody reads any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_goes_at_the_pace_that_the_quota_gives() {
    let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
    let setup = Hubkeep::over(World::of_portals(1)).clock(clock.clone());
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let all = contacts(&hubkeep.hubspot, hubkeep.portal_id(A), 250, 8);
    let crm = lister(&hubkeep, A).await;
    let message = StreamObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        page_size: 1,
        ..StreamObjectsRequest::default()
    };
    let mut walk = crm.walk_by(message).await.expect("begun");
    let (mut seen, mut seconds, wall) = (Seen::default(), 0, SystemClock::shared());
    // Time goes on when nothing else does.
    loop {
        match wall
            .timeout(Duration::from_millis(400), seen.page(&mut walk))
            .await
        {
            Some(page) if page.as_ref().is_ok_and(|more| *more) => {}
            Some(ended) => break assert!(!ended.expect("not refused")),
            None => {
                seconds += 1;
                clock.advance(Duration::from_secs(1));
                hubkeep.hubspot.advance_time(Duration::from_secs(1));
            }
        }
    }
    assert_eq!(seen.ids, all);
    // 95 in any ten seconds: the third ninety-five begins after twenty.
    assert!((20..30).contains(&seconds), "{seconds} s for 250 pages");
    let journal = hubkeep.journal();
    assert!(
        journal.iter().all(|entry| entry.status != Some(429)),
        "HubSpot had to refuse"
    );
}

#[tokio::test]
async fn a_resume_token_serves_its_own_walk_only() {
    let hubkeep = unlimited(2).await;
    let portal = hubkeep.portal_id(A);
    let all = contacts(&hubkeep.hubspot, portal, 250, 8);
    let (crm, other) = (lister(&hubkeep, A).await, lister(&hubkeep, B).await);
    let mut seen = Seen::default();
    let mut walk = crm.walk("contacts", "").await.expect("begun");
    seen.pages(&mut walk, 1).await;
    drop(walk);
    let token = seen.token.clone();
    let asked = pages_asked(&hubkeep);

    let own = |resume_token: &str| StreamObjectsRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        resume_token: resume_token.to_owned(),
        ..StreamObjectsRequest::default()
    };
    let listed = crm.list("contacts").await.expect("listed").next_page_token;
    let properties = vec!["email".to_owned()];
    let cases = [
        (&crm, own("not-a-token")),
        (&crm, own(&token[..token.len() - 1])),
        (&crm, own(&listed)),
        (
            &crm,
            StreamObjectsRequest {
                archived: true,
                ..own(&token)
            },
        ),
        (
            &crm,
            StreamObjectsRequest {
                properties,
                ..own(&token)
            },
        ),
        (
            &crm,
            StreamObjectsRequest {
                object_type: "companies".to_owned(),
                ..own(&token)
            },
        ),
        (
            &other,
            StreamObjectsRequest {
                client_slug: B.to_owned(),
                ..own(&token)
            },
        ),
    ];
    for (caller, message) in cases {
        let told = format!("{message:?}");
        let refused = Refused::in_place_of(caller.walk_by(message).await);
        assert_eq!(
            refused.said(),
            (Code::InvalidArgument, "PAGE_TOKEN_INVALID"),
            "{told}"
        );
        assert_eq!(refused.fields, ["resume_token"], "{told}");
    }
    assert!(
        pages_asked(&hubkeep) <= asked + 2,
        "nothing was asked for by a token that is none"
    );

    // With another page size it is the same walk.
    let message = StreamObjectsRequest {
        page_size: 70,
        ..own(&token)
    };
    let mut walk = crm.walk_by(message).await.expect("goes on");
    seen.rest(&mut walk).await.expect("to its end");
    assert_eq!(seen.ids, all);
}

#[tokio::test]
async fn a_walk_needs_the_right_to_list_that_very_type() {
    let hubkeep = unlimited(1).await;
    let getter = hubkeep.handle(A).allow([Allow::Get, Allow::Search]).issue().await;
    let companies = hubkeep
        .handle(A)
        .allow([Allow::List])
        .types(["companies"])
        .issue()
        .await;
    for handle in [getter, companies] {
        let crm = hubkeep.crm_as("sync").with(&handle);
        let refused = Refused::in_place_of(crm.walk("contacts", "").await);
        assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
    }
    assert_eq!(pages_asked(&hubkeep), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_fails_in_passing_is_read_again_and_one_that_does_not_ends_the_walk_where_it_was() {
    let hubkeep = unlimited(1).await;
    let all = contacts(&hubkeep.hubspot, hubkeep.portal_id(A), 1_000, 8);
    let crm = lister(&hubkeep, A).await;
    let mut seen = Seen::default();
    let mut walk = crm.walk("contacts", "").await.expect("begun");
    hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::Status { status: 502 }).times(1));
    seen.pages(&mut walk, 4).await;
    let ill = hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::Status { status: 503 }));
    let ended = loop {
        match seen.page(&mut walk).await {
            Ok(more) => assert!(more, "it ended as if it were complete"),
            Err(ended) => break ended,
        }
    };
    assert_eq!(
        Refused::of(&ended).said(),
        (Code::Unavailable, "HUBSPOT_UNAVAILABLE")
    );
    hubkeep.hubspot.release(ill);
    hubkeep.hubspot.clear_faults();
    let mut walk = crm.walk("contacts", &seen.token).await.expect("goes on");
    seen.rest(&mut walk).await.expect("to its end");
    assert_eq!(seen.ids, all);
    eventually!(BOUND, {
        let intents = hubkeep.entries(Service::Crm, Phase::Intent).await.len();
        intents == hubkeep.entries(Service::Crm, Phase::Outcome).await.len()
    });
}
