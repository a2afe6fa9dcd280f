use hubkeep_core::{
    clock::{Clock as _, MockClock, Timestamp},
    random::SystemRandom,
};
use hubkeep_proto::credential::v1::{Handle, HandleScope, RedeemHandleResponse};

use super::*;
use crate::credentials::wire;

const FIVE: Duration = Duration::from_secs(5);

struct Bench {
    clock: Arc<MockClock>,
    memory: Memory,
    key: Key,
    grant: Arc<Grant>,
}

/// One grant of portal 42, generation 1, credential version 1, good for a minute, kept as of place 0.
fn bench() -> Bench {
    let clock = MockClock::at(Timestamp::from_micros(1_000_000));
    let handle = HandleToken::make(&*SystemRandom::shared()).expect("random");
    let caller = Caller {
        name: "sync".parse().expect("valid"),
        thumbprint: None,
    };
    let id = HandleId::make(&*clock, &*SystemRandom::shared()).expect("random");
    let grant = Arc::new(wire::grant(response(id), clock.tick()).expect("complete"));
    let memory = Memory::default();
    let key = Key::of(&handle, &caller);
    memory.beat(0, Some(clock.tick()));
    assert!(memory.keep(key.clone(), &grant, 0, clock.tick()));
    Bench {
        clock,
        memory,
        key,
        grant,
    }
}

fn response(id: HandleId) -> RedeemHandleResponse {
    RedeemHandleResponse {
        description: Some(Handle {
            handle_id: id.to_string(),
            client_slug: "acme".to_owned(),
            portal_id: 42,
            caller: "sync".to_owned(),
            scope: Some(HandleScope::default()),
            purpose_code: "test".to_owned(),
            ..Handle::default()
        }),
        credential_version: 1,
        app: String::new(),
        portal_generation: 1,
        keep_for: Some(prost_types::Duration {
            seconds: 60,
            nanos: 0,
        }),
        time_left: Some(prost_types::Duration {
            seconds: 300,
            nanos: 0,
        }),
        ..RedeemHandleResponse::default()
    }
}

impl Bench {
    fn recall(&self) -> Option<Arc<Grant>> {
        self.memory.recall(&self.key, self.clock.tick(), FIVE)
    }
}

#[test]
fn a_grant_is_recalled_while_the_feed_is_heard() {
    let bench = bench();
    assert!(bench.recall().is_some());
    bench.clock.advance(Duration::from_millis(4_999));
    assert!(bench.recall().is_some());
    bench.clock.advance(Duration::from_millis(1));
    assert!(bench.recall().is_none(), "5 s without a heartbeat");
    bench.memory.beat(0, Some(bench.clock.tick()));
    assert!(
        bench.recall().is_some(),
        "the feed is back and nothing was revoked"
    );
}

#[test]
fn without_the_feed_something_is_sent_only_just_after_its_handle_was_redeemed() {
    let bench = bench();
    let holds = || bench.memory.holds_until(&bench.grant, bench.clock.tick(), FIVE);
    let redeemed = bench.clock.tick();
    assert_eq!(holds(), Some(redeemed.plus(FIVE)), "the feed was heard");
    let deaf = Memory::default();
    let alone = deaf.holds_until(&bench.grant, redeemed, FIVE);
    assert_eq!(alone, Some(redeemed.plus(WITHOUT_FEED)));
    bench.grant.take_away();
    assert_eq!(holds(), None);
}

#[test]
fn a_grant_is_not_recalled_after_its_time() {
    let bench = bench();
    bench.clock.advance(Duration::from_secs(60));
    bench.memory.beat(0, Some(bench.clock.tick()));
    assert!(bench.recall().is_none());
}

#[test]
fn a_revoked_handle_is_forgotten() {
    let bench = bench();
    bench
        .memory
        .apply(1, Some(Scope::Handle(bench.grant.handle_id())));
    assert!(bench.recall().is_none());
}

#[test]
fn a_newer_generation_or_credential_takes_away_older_grants_of_that_portal_only() {
    let portal = |id| PortalId::new(id).expect("not zero");
    let bench = bench();
    bench.memory.apply(
        1,
        Some(Scope::PortalGeneration {
            portal: portal(7),
            generation: 9,
        }),
    );
    bench.memory.apply(
        2,
        Some(Scope::CredentialVersion {
            portal: portal(42),
            version: 1,
        }),
    );
    assert!(bench.recall().is_some());
    bench.memory.apply(
        3,
        Some(Scope::CredentialVersion {
            portal: portal(42),
            version: 2,
        }),
    );
    assert!(bench.recall().is_none());
}

#[test]
fn a_gap_in_the_feed_or_an_unknown_event_takes_everything() {
    let other = Scope::Handle(HandleId::make(&*bench().clock, &*SystemRandom::shared()).expect("random"));
    for (seq, scope) in [(2, Some(other.clone())), (1, None)] {
        let bench = bench();
        bench.memory.apply(seq, scope.clone());
        assert!(bench.recall().is_none(), "{seq} {scope:?}");
    }
    let bench = bench();
    bench.memory.beat(5, Some(bench.clock.tick()));
    assert!(
        bench.recall().is_none(),
        "a heartbeat tells of events that never came"
    );
}

#[test]
fn an_answer_older_than_the_feed_is_not_used() {
    let bench = bench();
    bench
        .memory
        .apply(1, Some(Scope::Handle(bench.grant.handle_id())));
    assert!(
        !bench
            .memory
            .keep(bench.key.clone(), &bench.grant, 0, bench.clock.tick())
    );
    assert!(bench.recall().is_none());
}

#[test]
fn another_caller_does_not_find_the_grant() {
    let bench = bench();
    let handle = HandleToken::make(&*SystemRandom::shared()).expect("random");
    let key = |name: &str| {
        Key::of(
            &handle,
            &Caller {
                name: name.parse().expect("valid"),
                thumbprint: None,
            },
        )
    };
    assert!(bench.memory.keep(key("a"), &bench.grant, 0, bench.clock.tick()));
    assert!(bench.memory.recall(&key("a"), bench.clock.tick(), FIVE).is_some());
    assert!(bench.memory.recall(&key("b"), bench.clock.tick(), FIVE).is_none());
}

#[test]
fn an_answer_older_than_the_feed_is_used_if_what_came_meanwhile_is_about_others() {
    let bench = bench();
    let portal = |id| PortalId::new(id).expect("not zero");
    for (seq, id) in (1..).zip([7, 8]) {
        let other = Scope::CredentialVersion {
            portal: portal(id),
            version: 2,
        };
        bench.memory.apply(seq, Some(other.clone()));
    }
    let keep = |as_of| {
        bench
            .memory
            .keep(bench.key.clone(), &bench.grant, as_of, bench.clock.tick())
    };
    assert!(keep(0) && keep(1) && keep(2));
    let own = Scope::CredentialVersion {
        portal: portal(42),
        version: 2,
    };
    bench.memory.apply(3, Some(own.clone()));
    assert!(
        !keep(0) && !keep(2),
        "the token of version 1 is not given any more"
    );
    assert!(keep(3), "a credential of the portal that kept its version");
    bench.memory.apply(9, Some(own.clone()));
    assert!(!keep(3) && !keep(8), "what came in the gap is not known");
}

#[test]
fn whoever_works_with_a_grant_of_an_older_version_is_told_apart_from_one_whose_handle_is_dead() {
    let bench = bench();
    let moved = Scope::CredentialVersion {
        portal: PortalId::new(42).expect("not zero"),
        version: 2,
    };
    bench.memory.apply(1, Some(moved.clone()));
    assert!(bench.recall().is_none());
    assert!(bench.grant.is_superseded() && !bench.grant.is_taken_away());
    let now = bench.clock.tick();
    let holds = bench.memory.holds_until(&bench.grant, now, FIVE);
    assert_eq!(holds, Some(now.plus(FIVE)), "the handle lives");
}

/// The same grant, as [`response`] has it but for what is changed.
fn changed(change: impl FnOnce(&mut RedeemHandleResponse)) -> Bench {
    let mut bench = bench();
    let mut response = response(bench.grant.handle_id());
    change(&mut response);
    let now = bench.clock.tick();
    bench.grant = Arc::new(wire::grant(response, now).expect("complete"));
    assert!(bench.memory.keep(bench.key.clone(), &bench.grant, 0, now));
    bench
}

#[test]
fn a_revoked_handle_takes_away_every_handle_that_was_narrowed_from_it() {
    let other = |bench: &Bench| HandleId::make(&*bench.clock, &*SystemRandom::shared()).expect("random");
    let (parent, root) = (other(&bench()), other(&bench()));
    for revoked in [parent, root] {
        let bench = changed(|response| {
            let description = response.description.get_or_insert_default();
            description.ancestor_ids = vec![parent.to_string(), root.to_string()];
        });
        bench.memory.apply(1, Some(Scope::Handle(other(&bench))));
        assert!(bench.recall().is_some());
        bench.memory.apply(2, Some(Scope::Handle(revoked)));
        assert!(bench.recall().is_none() && bench.grant.is_taken_away());
    }
}

#[test]
fn a_newer_generation_of_caller_or_person_or_revision_of_the_grant_takes_away_older_grants_of_theirs_only() {
    let by = |caller: &str, generation| Scope::CallerGeneration {
        caller: caller.parse().expect("valid"),
        generation,
    };
    let of = |person: &str, generation| Scope::PersonGeneration {
        person: person.parse().expect("valid"),
        generation,
    };
    let under = |grant: &str, revision| Scope::GrantRevision {
        grant: grant.parse().expect("valid"),
        revision,
    };
    let table = [
        ([by("other", 9), by("sync", 3)], by("sync", 4)),
        ([of("bob", 9), of("ann", 5)], of("ann", 6)),
        ([under("wide", 9), under("narrow", 7)], under("narrow", 8)),
    ];
    for (others, own) in table {
        let bench = changed(|response| {
            response.caller_generation = 3;
            response.person_id = "ann".to_owned();
            response.person_generation = 5;
            response.grant_revision = 7;
            response.description.get_or_insert_default().grant_id = "narrow".to_owned();
        });
        for (seq, other) in (1..).zip(others) {
            bench.memory.apply(seq, Some(other.clone()));
            assert!(bench.recall().is_some(), "{other:?}");
        }
        bench.memory.apply(3, Some(own.clone()));
        assert!(bench.recall().is_none() && bench.grant.is_taken_away(), "{own:?}");
    }
}

#[test]
fn what_is_under_way_by_a_grant_is_waited_for_when_it_is_taken_away_and_not_when_it_gives_another_token() {
    let bench = bench();
    let _under_way = bench.grant.begin();
    let moved = Scope::CredentialVersion {
        portal: PortalId::new(42).expect("not zero"),
        version: 2,
    };
    assert!(bench.memory.apply(1, Some(moved)).is_empty());
    assert!(
        !bench.grant.taken_away().is_cancelled(),
        "it ends on the old token"
    );
    let ending = bench
        .memory
        .apply(2, Some(Scope::Handle(bench.grant.handle_id())));
    assert!(bench.grant.taken_away().is_cancelled());
    assert_eq!(ending.iter().map(TaskTracker::len).collect::<Vec<_>>(), [1]);
}
