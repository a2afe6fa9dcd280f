//! A write is sent again where it is certain that HubSpot has not carried it out, and nowhere else.

use std::{net::SocketAddr, time::Duration};

use hubkeep_audit_log::{CallResult, Cause, Entry, Phase};
use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_tests::{
    Crm, Fault, FaultRule, Hubkeep, JournalEntry, ObjectType, Policy, Refused, Service, World, eventually,
    support::{
        trouble::socket_of,
        writes::{sent_writes, write_id},
    },
};
use tokio::{io::copy_bidirectional, net::TcpListener, net::TcpStream, task::JoinSet};
use url::Url;

const A: &str = "client-0001";
const PATIENCE: Duration = Duration::from_secs(20);

async fn start() -> (Hubkeep, Crm) {
    let hubkeep = Hubkeep::start(World::of_portals(1)).await;
    hubkeep.onboard_all().await;
    let crm = proven(&hubkeep).await;
    (hubkeep, crm)
}

/// A caller whose token is proven, so that what follows is about the writes themselves.
async fn proven(hubkeep: &Hubkeep) -> Crm {
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle).within(PATIENCE);
    crm.update("contacts", "102", &[("firstname", "Bo")])
        .await
        .expect("all is well");
    hubkeep.hubspot.clear_journal();
    crm
}

fn writes(hubkeep: &Hubkeep) -> Vec<JournalEntry> {
    sent_writes(hubkeep.journal())
}

/// What is on record of the attempts of the last call, the first one first.
async fn attempts(hubkeep: &Hubkeep) -> Vec<Entry> {
    let mut intents = hubkeep.entries(Service::Crm, Phase::Intent).await;
    let mut outcomes = hubkeep.entries(Service::Crm, Phase::Outcome).await;
    let call = intents.last().expect("on record").call_id.clone();
    for entries in [&mut intents, &mut outcomes] {
        entries.retain(|entry| entry.call_id == call);
    }
    let numbers = |entries: &[Entry]| entries.iter().map(|entry| entry.attempt).collect::<Vec<_>>();
    assert_eq!(
        numbers(&intents),
        numbers(&outcomes),
        "each attempt has its two entries"
    );
    outcomes
}

fn results(attempts: &[Entry]) -> Vec<CallResult> {
    attempts.iter().map(Entry::result).collect()
}

fn firstname(hubkeep: &Hubkeep) -> serde_json::Value {
    let portal = hubkeep.portal_id(A);
    let record = hubkeep.hubspot.record(portal, ObjectType::Contacts, 101);
    record.expect("there")["properties"]["firstname"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_hubspot_refuses_for_a_lock_or_a_limit_is_sent_again_when_that_has_passed() {
    let limited = Fault::RateLimited {
        policy: Policy::TenSecondlyRolling,
        headers: false,
        retry_after: Some(1),
    };
    for (number, (fault, least)) in
        (1..).zip([(Fault::Status { status: 423 }, 2_000_000), (limited, 1_000_000)])
    {
        let (hubkeep, crm) = start().await;
        hubkeep
            .hubspot
            .inject(FaultRule::new(fault.clone()).method("PATCH").times(1));
        let crm = crm.under(&write_id(number));
        let wrote = crm.update("contacts", "101", &[("firstname", "Zoe")]).await;
        let wrote = wrote.unwrap_or_else(|status| panic!("{fault:?}: {status:?}"));
        assert_eq!(wrote.object.expect("a record").properties["firstname"], "Zoe");
        let sent = writes(&hubkeep);
        assert_eq!(sent.len(), 2, "{fault:?}");
        let apart = sent[1].received_at - sent[0].received_at;
        assert!(apart >= least, "{fault:?}: left alone for {apart} us");
        let attempts = attempts(&hubkeep).await;
        assert_eq!(
            results(&attempts),
            [CallResult::Refused, CallResult::Ok],
            "{fault:?}"
        );
        // What came of it is kept, as of any write.
        let again = crm.update("contacts", "101", &[("firstname", "Zoe")]).await;
        assert!(again.expect("kept").reply.expect("about the call").kept);
        assert_eq!(writes(&hubkeep).len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_stays_and_one_that_outlasts_the_deadline_are_told() {
    let (hubkeep, crm) = start().await;
    let locked = FaultRule::new(Fault::Status { status: 423 }).method("PATCH");
    hubkeep.hubspot.inject(locked);
    let hasty = crm.clone().within(Duration::from_millis(1_500));
    let refused = Refused::in_place_of(hasty.update("contacts", "101", &[("firstname", "x")]).await);
    assert_eq!(refused.reason, "OBJECT_LOCKED");
    assert_eq!(writes(&hubkeep).len(), 1, "there was no time for another");
    let refused = Refused::in_place_of(crm.update("contacts", "101", &[("firstname", "x")]).await);
    assert_eq!(refused.reason, "OBJECT_LOCKED");
    assert_eq!(refused.retry_after, Some(Duration::from_secs(2)));
    assert_eq!(writes(&hubkeep).len(), 4, "three more");
    let attempts = attempts(&hubkeep).await;
    assert_eq!(results(&attempts), [CallResult::Refused; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_may_have_been_carried_out_is_sent_once_also_after_one_that_was_refused() {
    let (hubkeep, crm) = start().await;
    let rule = |fault| FaultRule::new(fault).method("PATCH").times(1);
    hubkeep.hubspot.inject(rule(Fault::Status { status: 423 }));
    hubkeep
        .hubspot
        .inject(rule(Fault::Status { status: 502 }).after_effect());
    let crm = crm.under(&write_id(1));
    let refused = Refused::in_place_of(crm.update("contacts", "101", &[("firstname", "Zoe")]).await);
    assert_eq!(refused.reason, "OUTCOME_UNKNOWN");
    assert_eq!(writes(&hubkeep).len(), 2);
    assert_eq!(firstname(&hubkeep), "Zoe");
    let found = crm.update("contacts", "101", &[("firstname", "Zoe")]).await;
    assert!(found.expect("found").reply.expect("about the call").kept);
    assert_eq!(writes(&hubkeep).len(), 2, "it was looked for, and not sent again");
}

/// A way to HubSpot that can be closed, so that not even a connection comes about, and opened again at the same address.
struct Way {
    address: SocketAddr,
    hubspot: SocketAddr,
    open: JoinSet<()>,
}

impl Way {
    async fn serve(&mut self) {
        let listener = TcpListener::bind(self.address)
            .await
            .expect("the address is ours");
        let hubspot = self.hubspot;
        self.open.spawn(async move {
            let mut taken = JoinSet::new();
            while let Ok((mut caller, _)) = listener.accept().await {
                taken.spawn(async move {
                    let mut hubspot = TcpStream::connect(hubspot).await.expect("it listens");
                    let _ = copy_bidirectional(&mut caller, &mut hubspot).await;
                });
            }
        });
    }

    async fn close(&mut self) {
        self.open.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_for_which_no_connection_came_about_is_sent_when_one_does() {
    let free = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = free.local_addr().expect("bound");
    drop(free);
    let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
    let setup = Hubkeep::over(World::of_portals(1))
        .clock(clock.clone())
        .crm(move |config| {
            config.hubspot.api_base = Url::parse(&format!("http://{address}")).expect("valid");
        });
    let hubkeep = setup.start().await;
    let mut way = Way {
        address,
        hubspot: socket_of(&hubkeep.hubspot.base_url()),
        open: JoinSet::new(),
    };
    way.serve().await;
    hubkeep.onboard_all().await;
    let crm = proven(&hubkeep).await;
    way.close().await;
    // Until no connection is left that was open before.
    let hasty = crm.clone().within(Duration::from_millis(150));
    eventually!({
        drop(hasty.get("contacts", "101").await);
        let outcomes = hubkeep.entries(Service::Crm, Phase::Outcome).await;
        outcomes
            .last()
            .is_some_and(|entry| entry.cause() == Cause::NotSent)
    });
    let before = hubkeep.entries(Service::Crm, Phase::Outcome).await.len();
    let under = crm.clone().under(&write_id(1));
    let write = tokio::spawn(async move { under.update("contacts", "101", &[("firstname", "Zoe")]).await });
    eventually!(hubkeep.entries(Service::Crm, Phase::Outcome).await.len() > before);
    way.serve().await;
    eventually!({
        clock.advance(Duration::from_millis(100));
        write.is_finished()
    });
    let wrote = write.await.expect("no panic").expect("written");
    assert_eq!(wrote.object.expect("a record").properties["firstname"], "Zoe");
    assert_eq!(writes(&hubkeep).len(), 1, "HubSpot has received one");
    let attempts = attempts(&hubkeep).await;
    assert_eq!(results(&attempts), [CallResult::Failed, CallResult::Ok]);
    assert_eq!(attempts[0].cause(), Cause::NotSent);
}
