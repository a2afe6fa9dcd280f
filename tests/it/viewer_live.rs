//! Who follows in a browser sees each entry once, whatever happens in between, and holds up nobody.

use std::net::TcpListener;

use hubkeep_audit_log::Operation;
use hubkeep_proto::{audit::v1::EventFilter, credential::v1::handle_holder::Holder};
use hubkeep_tests::{
    Hubkeep, Service, World, eventually, proto_entry,
    support::{
        audit::{Reader, events_on_disk},
        browser::{Browser, Follow},
        crm_process::CrmProcess,
    },
};

const A: &str = "client-0001";
const B: &str = "client-0002";

async fn with_pages() -> Hubkeep {
    let setup = Hubkeep::over(World::of_portals(2)).crm(|config| {
        config.web.listen = Some(([127, 0, 0, 1], 0).into());
        config.grpc.max_streams_per_caller = 3;
    });
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    hubkeep
}

async fn followed(browser: &Browser, path: &str, headers: &[(&str, &str)]) -> Follow {
    let followed = browser.follow(path, headers).await.expect("a connection");
    followed.unwrap_or_else(|status| panic!("refused: {status}"))
}

/// The next positions of entries.
async fn positions(follow: &mut Follow, number: usize) -> Vec<u64> {
    let mut positions = Vec::new();
    while positions.len() < number {
        let entry = follow.entry().await.expect("it goes on");
        positions.push(entry.id.expect("each has one"));
    }
    positions
}

/// A port that nobody has now.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    listener.local_addr().expect("bound").port()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_sees_each_entry_once_also_over_a_restart() {
    let listen = format!("127.0.0.1:{}", free_port());
    let variables = [("HUBKEEP__WEB__LISTEN", listen.as_str())];
    let mut crm = CrmProcess::with(World::of_portals(2), &variables).await;
    let handle = crm.hubkeep.handle(A).issue().await;
    let other = crm.hubkeep.handle(B).issue().await;
    let browser = Browser::at(listen.parse().expect("an address"));
    let path = format!("/audit/follow?portal={A}&caller=sync&after=0");

    let calls = async |crm: &CrmProcess| {
        for _ in 0..3 {
            crm.crm(&handle).get("contacts", "101").await.expect("read");
            crm.crm(&other).get("contacts", "101").await.expect("read");
        }
    };
    let mut follow = followed(&browser, &path, &[]).await;
    calls(&crm).await;
    let mut seen = positions(&mut follow, 4).await;
    crm.process.end();
    while follow.next().await.is_some_and(|message| {
        seen.extend(message.id.filter(|_| message.name == "entry"));
        true
    }) {}
    crm.again_with(&variables);
    // As a browser does: the same address, and where it was.
    let last = seen.last().expect("some").to_string();
    let mut follow = followed(&browser, &path, &[("last-event-id", &last)]).await;
    calls(&crm).await;
    let missing = 12 - seen.len();
    seen.extend(positions(&mut follow, missing).await);
    crm.process.end();

    let events = events_on_disk(&crm.log());
    let own = events.iter().filter(|event| {
        let entry = proto_entry(event);
        entry.client_slug == A && entry.caller == "sync"
    });
    assert_eq!(seen, own.map(|event| event.position).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_on_from_a_page_misses_nothing_that_came_since() {
    let hubkeep = with_pages().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.get("contacts", "101").await.expect("read");
    let page = hubkeep
        .browser()
        .get(&format!("/audit?portal={A}&caller=sync"))
        .await
        .shown();
    assert_eq!(page.lines(), 2);
    crm.get("contacts", "102")
        .await
        .expect("read between page and stream");
    let after = page.body.split_once("data-after=\"").expect("a position").1;
    let after = after.split('"').next().expect("a number");
    let path = format!("/audit/follow?portal={A}&caller=sync&after={after}");
    let mut follow = followed(&hubkeep.browser(), &path, &[]).await;
    crm.get("contacts", "101").await.expect("read");
    let seen = positions(&mut follow, 4).await;
    let filter = EventFilter {
        client_slug: A.to_owned(),
        caller: "sync".to_owned(),
        ..EventFilter::default()
    };
    let listed = hubkeep
        .list_events(Service::Crm, Reader::Operator("operator/ann"), filter)
        .await;
    let listed: Vec<u64> = listed
        .expect("listed")
        .iter()
        .map(|event| event.position)
        .collect();
    assert_eq!(seen, listed[2..], "neither what was on the page, nor a gap");
    let opened = hubkeep.audit_events(Service::Crm).await;
    let opened = opened
        .iter()
        .filter(|event| proto_entry(event).operation() == Operation::AuditStream);
    assert_eq!(opened.count(), 1, "one entry for each stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_so_many_follow_and_who_does_not_read_holds_up_nobody() {
    let hubkeep = with_pages().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let browser = hubkeep.browser();
    let mut idle = Vec::new();
    for _ in 0..3 {
        idle.push(followed(&browser, "/audit/follow?after=0", &[]).await);
    }
    let one_more = browser
        .follow("/audit/follow?after=0", &[])
        .await
        .expect("a connection");
    assert_eq!(one_more.err(), Some(429));
    browser.get("/audit").await.shown();
    for _ in 0..50 {
        crm.get("contacts", "101").await.expect("read");
    }
    let last = hubkeep.audit_log(Service::Crm).end().await.expect("known");
    // What was not read is still there for who begins to.
    let mut late = idle.remove(0);
    let mut reached = 0;
    while reached < last.get() {
        let entry = late.entry().await.expect("it goes on");
        assert_eq!(entry.id, Some(reached + 1), "no gap");
        reached += 1;
    }
    drop(idle);
    eventually!(
        browser
            .follow("/audit/follow", &[])
            .await
            .is_ok_and(|followed| followed.is_ok())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_contained_follows_no_longer_and_is_shown_nothing() {
    let hubkeep = with_pages().await;
    let browser = hubkeep.browser();
    let mut follow = followed(&browser, "/audit/follow", &[]).await;
    let contained = hubkeep.contain(Holder::Caller("operator/dev".to_owned())).await;
    contained.expect("contained");
    let ended = loop {
        let message = follow.next().await.expect("it says why it ends");
        if message.name == "ended" {
            break message;
        }
    };
    assert_eq!(ended.data["reason"], "CALLER_CONTAINED");
    assert!(follow.next().await.is_none());
    let page = browser.get("/audit").await;
    assert_eq!(page.status, 403);
    assert!(page.says("CALLER_CONTAINED"), "{}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_follows_hears_that_the_service_stops_and_does_not_hold_it_up() {
    let hubkeep = with_pages().await;
    let mut follow = followed(&hubkeep.browser(), "/audit/follow", &[]).await;
    let _idle = followed(&hubkeep.browser(), "/audit/follow", &[]).await;
    let stopped = tokio::spawn(hubkeep.stop());
    let mut last = None;
    while let Some(message) = follow.next().await {
        last = Some(message);
    }
    let last = last.expect("it says why it ends");
    assert_eq!(
        (last.name.as_str(), &last.data["reason"]),
        ("ended", &"STOPPING".into())
    );
    drop(stopped.await.expect("it stops"));
}
