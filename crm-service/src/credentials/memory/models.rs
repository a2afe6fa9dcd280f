//! The memory of grants beside the feed of revocations, in every order in which they can meet.
//!
//! credential-service is a number here: how far its sequence has come. It answers a redemption as of that place, and
//! refuses what an event up to there has taken away, as the real one does in one transaction.

use hubkeep_core::{
    clock::{Clock as _, MockClock, Timestamp},
    random::SystemRandom,
};
use hubkeep_proto::credential::v1::{Handle, HandleScope, RedeemHandleResponse};
use loom::{
    model::Builder,
    sync::{
        Arc as Shared,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use super::*;
use crate::credentials::wire;

const FIVE: Duration = Duration::from_secs(5);
/// The portal of the handle.
const PORTAL: u64 = 42;
/// Changes of thread at places where none is forced: more than the mistakes that are looked for need.
const PREEMPTIONS: usize = 2;

/// What never changes within a model, and what cannot be made within one.
#[derive(Clone)]
struct Setting {
    handle_id: HandleId,
    key: Key,
    now: Tick,
}

impl Setting {
    fn new() -> Self {
        let clock = MockClock::at(Timestamp::from_micros(1_000_000));
        let random = SystemRandom::shared();
        let caller = Caller {
            name: "sync".parse().expect("valid"),
            thumbprint: None,
        };
        Self {
            handle_id: HandleId::make(&*clock, &*random).expect("random"),
            key: Key::of(&HandleToken::make(&*random).expect("random"), &caller),
            now: clock.tick(),
        }
    }

    /// What credential-service gives for the handle before anything has happened to it.
    fn grant(&self) -> Arc<Grant> {
        let minute = |minutes: i64| {
            Some(prost_types::Duration {
                seconds: 60 * minutes,
                nanos: 0,
            })
        };
        let response = RedeemHandleResponse {
            description: Some(Handle {
                handle_id: self.handle_id.to_string(),
                client_slug: "acme".to_owned(),
                portal_id: PORTAL,
                caller: "sync".to_owned(),
                scope: Some(HandleScope::default()),
                purpose_code: "test".to_owned(),
                grant_id: "nightly".to_owned(),
                ..Handle::default()
            }),
            credential_version: 1,
            app: String::new(),
            portal_generation: 1,
            caller_generation: 1,
            person_id: "ann".to_owned(),
            person_generation: 1,
            grant_revision: 1,
            keep_for: minute(1),
            time_left: minute(5),
            ..RedeemHandleResponse::default()
        };
        Arc::new(wire::grant(response, self.now).expect("complete"))
    }

    /// The event that takes the handle's grant away, of each kind.
    fn events(&self) -> [Scope; 6] {
        let portal = PortalId::new(PORTAL).expect("not zero");
        [
            Scope::Handle(self.handle_id),
            Scope::PortalGeneration {
                portal,
                generation: 2,
            },
            Scope::CredentialVersion { portal, version: 2 },
            Scope::CallerGeneration {
                caller: "sync".parse().expect("valid"),
                generation: 2,
            },
            Scope::PersonGeneration {
                person: "ann".parse().expect("valid"),
                generation: 2,
            },
            Scope::GrantRevision {
                grant: "nightly".parse().expect("valid"),
                revision: 2,
            },
        ]
    }
}

/// An event about a portal that nobody here works with.
fn of_another() -> Scope {
    Scope::PortalGeneration {
        portal: PortalId::new(7).expect("not zero"),
        generation: 2,
    }
}

/// One process: its memory, and credential-service as far as it matters.
#[derive(Clone)]
struct World {
    setting: Setting,
    memory: Memory,
    /// How far credential-service's sequence has come.
    sequence: Shared<AtomicU64>,
    /// How far the feed is known to be applied here.
    applied: Shared<AtomicU64>,
    /// The place in the sequence at which the grant is taken away.
    fatal: u64,
}

impl World {
    fn new(setting: &Setting, fatal: u64) -> Self {
        let memory = Memory::default();
        let _nothing = memory.beat(0, Some(setting.now));
        Self {
            setting: setting.clone(),
            memory,
            sequence: Shared::new(AtomicU64::new(0)),
            applied: Shared::new(AtomicU64::new(0)),
            fatal,
        }
    }

    /// Something happens at credential-service, and is heard of here.
    fn happens(&self, seq: u64, scope: Scope) {
        self.sequence.store(seq, Ordering::SeqCst);
        let _ends = self.memory.apply(seq, Some(scope));
        self.applied.store(seq, Ordering::SeqCst);
    }

    /// One redemption over the wire; the grant if it may be used.
    fn redeem(&self) -> Option<Arc<Grant>> {
        let as_of = self.sequence.load(Ordering::SeqCst);
        if as_of >= self.fatal {
            return None;
        }
        let grant = self.setting.grant();
        let kept = self
            .memory
            .keep(self.setting.key.clone(), &grant, as_of, self.setting.now);
        kept.then_some(grant)
    }

    /// A call that begins now: it must find no grant that was taken away before it began.
    fn calls(&self) {
        let applied = self.applied.load(Ordering::SeqCst);
        let found = self.recall();
        assert!(
            found.is_none() || applied < self.fatal,
            "served after the event was applied"
        );
    }

    /// A call that has paid, and looks once more before it sends: it must not send by what was taken away before.
    fn sends(&self, grant: &Grant) {
        let applied = self.applied.load(Ordering::SeqCst);
        assert!(
            !self.may_send(grant) || applied < self.fatal,
            "sent after the event was applied"
        );
    }

    fn recall(&self) -> Option<Arc<Grant>> {
        self.memory.recall(&self.setting.key, self.setting.now, FIVE)
    }

    /// As `Credentials::confirm` decides it.
    fn may_send(&self, grant: &Grant) -> bool {
        let now = self.setting.now;
        let until = self.memory.holds_until(grant, now, FIVE);
        until.is_some_and(|until| now < until) && !grant.is_superseded()
    }

    /// When everything has been heard of: nothing is left of a grant that was taken away.
    fn nothing_is_left(&self, used: Option<&Grant>) {
        assert!(self.recall().is_none(), "a grant outlived its end in memory");
        if let Some(grant) = used {
            assert!(
                !self.may_send(grant),
                "a grant outlived its end in a call's hands"
            );
        }
    }
}

/// Runs a model in every order, for every kind of event.
fn in_every_order(model: impl Fn(&Setting, Scope) + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    let (setting, model) = (Setting::new(), Arc::new(model));
    for scope in setting.events() {
        let (setting, model) = (setting.clone(), Arc::clone(&model));
        builder.check(move || model(&setting, scope.clone()));
    }
}

#[test]
fn no_grant_is_served_after_the_event_that_takes_it_away_was_applied() {
    in_every_order(|setting, scope| {
        let world = World::new(setting, 1);
        let grant = world.redeem().expect("nothing has happened yet");
        let feed = thread::spawn({
            let world = world.clone();
            move || world.happens(1, scope)
        });
        let caller = thread::spawn({
            let (world, grant) = (world.clone(), Arc::clone(&grant));
            move || {
                world.calls();
                world.sends(&grant);
            }
        });
        feed.join().expect("applied");
        caller.join().expect("called");
        world.nothing_is_left(Some(&grant));
    });
}

#[test]
fn a_redemption_that_is_answered_after_its_own_revocation_is_never_kept() {
    in_every_order(|setting, scope| {
        let world = World::new(setting, 1);
        let feed = thread::spawn({
            let world = world.clone();
            move || world.happens(1, scope)
        });
        let redeemer = thread::spawn({
            let world = world.clone();
            move || {
                let grant = world.redeem();
                world.calls();
                if let Some(grant) = &grant {
                    world.sends(grant);
                }
                grant
            }
        });
        feed.join().expect("applied");
        let used = redeemer.join().expect("redeemed");
        world.nothing_is_left(used.as_deref());
    });
}

#[test]
fn two_redemptions_of_one_handle_beside_its_revocation_leave_nothing_behind() {
    in_every_order(|setting, scope| {
        let world = World::new(setting, 2);
        let feed = thread::spawn({
            let world = world.clone();
            move || {
                world.happens(1, of_another());
                world.happens(2, scope);
            }
        });
        let redeemers = [(); 2].map(|()| {
            let world = world.clone();
            thread::spawn(move || world.redeem())
        });
        feed.join().expect("applied");
        for redeemer in redeemers {
            let used = redeemer.join().expect("redeemed");
            world.nothing_is_left(used.as_deref());
        }
    });
}

#[test]
fn a_gap_in_the_feed_takes_everything_away_whatever_was_in_it() {
    in_every_order(|setting, _| {
        // Event 3 takes the grant away and is never heard of: the next that comes is 5.
        let world = World::new(setting, 3);
        let held = world.redeem().expect("nothing has happened yet");
        let feed = thread::spawn({
            let world = world.clone();
            move || world.happens(5, of_another())
        });
        let redeemer = thread::spawn({
            let world = world.clone();
            move || {
                let grant = world.redeem();
                world.calls();
                grant
            }
        });
        feed.join().expect("applied");
        let used = redeemer.join().expect("redeemed");
        world.nothing_is_left(used.as_deref());
        world.nothing_is_left(Some(&held));
    });
}

#[test]
fn a_heartbeat_that_tells_of_events_that_never_came_takes_everything_away() {
    in_every_order(|setting, _| {
        let world = World::new(setting, 3);
        let held = world.redeem().expect("nothing has happened yet");
        let feed = thread::spawn({
            let world = world.clone();
            move || {
                world.sequence.store(4, Ordering::SeqCst);
                let _ends = world.memory.beat(4, Some(world.setting.now));
                world.applied.store(4, Ordering::SeqCst);
            }
        });
        let redeemer = thread::spawn({
            let (world, held) = (world.clone(), Arc::clone(&held));
            move || {
                world.sends(&held);
                world.redeem()
            }
        });
        feed.join().expect("heard");
        let used = redeemer.join().expect("redeemed");
        world.nothing_is_left(used.as_deref());
        world.nothing_is_left(Some(&held));
    });
}
