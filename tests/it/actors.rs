//! Entries say on whose behalf a caller asks, without a name, and which process they are of.

use hubkeep_audit_log::{Entry, Phase};
use hubkeep_tests::{Crm, Hubkeep, Refused, Service, World};

const A: &str = "client-0001";
const B: &str = "client-0002";
const PERSON: &str = "ann@agency.example";

async fn caller_for(hubkeep: &Hubkeep, slug: &str, person: &str) -> Crm {
    let handle = hubkeep.handle(slug).for_person(person).issue().await;
    hubkeep.crm_as("sync").with(&handle)
}

async fn of_callers(hubkeep: &Hubkeep, phase: Phase) -> Vec<Entry> {
    let mut entries = hubkeep.entries(Service::Crm, phase).await;
    entries.retain(|entry| entry.object_type == "contacts");
    entries
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_behind_a_call_is_the_same_word_in_all_entries_of_a_portal_and_another_at_the_next() {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    let (ann, again) = (
        caller_for(&hubkeep, A, PERSON).await,
        caller_for(&hubkeep, A, PERSON).await,
    );
    let (bob, elsewhere) = (
        caller_for(&hubkeep, A, "bob").await,
        caller_for(&hubkeep, B, PERSON).await,
    );
    let nobody = hubkeep.handle(A).issue().await;
    let nobody = hubkeep.crm_as("sync").with(&nobody);
    for caller in [&ann, &again, &bob, &elsewhere, &nobody] {
        caller.get("contacts", "101").await.expect("read");
    }
    for phase in [Phase::Intent, Phase::Outcome] {
        let entries = of_callers(&hubkeep, phase).await;
        let refs: Vec<&str> = entries.iter().map(|entry| entry.actor_ref.as_str()).collect();
        let [ann, again, bob, elsewhere, nobody] = refs.as_slice() else {
            panic!("five calls: {entries:?}");
        };
        assert!(ann.len() == 32 && ann == again, "{refs:?}");
        assert!(ann != bob && ann != elsewhere, "{refs:?}");
        assert_eq!(*nobody, "");
        assert!(!format!("{entries:?}").contains(PERSON), "no name is in an entry");
        assert!(
            entries.iter().all(|entry| !entry.instance.is_empty()),
            "{entries:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_on_whose_behalf_it_was_asked_too() {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    let ann = caller_for(&hubkeep, A, PERSON).await;
    ann.get("contacts", "101").await.expect("read");
    let refused = Refused::in_place_of(ann.naming(B).get("contacts", "101").await);
    assert_eq!(refused.reason, "PORTAL_MISMATCH");
    let read = of_callers(&hubkeep, Phase::Outcome).await;
    let refused = of_callers(&hubkeep, Phase::Denied).await;
    let ([read], [refused]) = (read.as_slice(), refused.as_slice()) else {
        panic!("one of each: {read:?} {refused:?}");
    };
    assert_eq!((read.actor_ref.len(), &read.actor_ref), (32, &refused.actor_ref));
}
