//! Three replicas that need one consent's access token, in every order in which their statements can meet: HubSpot is asked once,
//! nobody uses what is not stored, and a failure is left alone until its pause is over.
//!
//! What meets is statements of the database, each of which happens whole. So the model walks through all orders of statements, with
//! the decision that the code itself makes between them.

use std::{collections::HashSet, time::Duration};

use hubkeep_core::clock::Timestamp;

use super::{
    obtain::{Claim, decide},
    renew::CLAIM,
    store::Row,
};

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000);
const LIFE: Duration = Duration::from_secs(1_500);
const PAUSE: Duration = Duration::from_secs(1);

/// Where a replica stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Replica {
    /// It is about to read the row.
    Begins,
    /// It has read the row as of this sequence, and HubSpot may be asked.
    Claims {
        sequence: u64,
        until: i64,
        failures: u32,
    },
    /// It has the right to ask, as of this sequence.
    Asks {
        sequence: u64,
    },
    /// It has this answer, and has not stored it.
    Has {
        sequence: u64,
        token: u32,
    },
    /// HubSpot has failed it.
    Failed {
        sequence: u64,
    },
    /// It is served with the token of this number, or waits, or was refused.
    Served(u32),
    Waits,
    /// Its process was lost.
    Lost,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    now: Timestamp,
    row: Row,
    /// The token in the row; 0 for none.
    stored: u32,
    /// How often HubSpot was asked, and the newest token that it gave.
    asked: u32,
    given: u32,
    /// When HubSpot was asked last.
    asked_at: Timestamp,
    replicas: [Replica; 3],
    /// How many of them may still be lost.
    losses: u8,
}

/// What HubSpot does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HubSpot {
    Gives,
    Fails,
}

fn world(losses: u8) -> World {
    World {
        now: NOW,
        row: Row {
            sequence: 1,
            sealed: None,
            renew_time: NOW,
            claimed_until: Timestamp::from_micros(0),
            failures: 0,
            failure: String::new(),
            retry_time: Timestamp::from_micros(0),
            lost_time: 0,
            refused_time: Timestamp::from_micros(0),
        },
        stored: 0,
        asked: 0,
        given: 0,
        asked_at: Timestamp::from_micros(0),
        replicas: [Replica::Begins; 3],
        losses,
    }
}

impl World {
    /// What one replica does next, each time one statement or one question; `None` if it has nothing to do.
    fn step(&self, nth: usize, hubspot: HubSpot) -> Option<Self> {
        let mut next = self.clone();
        let moved = match self.replicas[nth] {
            Replica::Begins | Replica::Waits => {
                let live = (self.stored > 0).then_some(false);
                let decided = decide(&self.row, self.now, live);
                match decided.claims {
                    Some(Claim::Due) => Replica::Claims {
                        sequence: self.row.sequence,
                        until: self.row.claimed_until.as_micros(),
                        failures: self.row.failures,
                    },
                    Some(Claim::Refused) => panic!("nobody has said that anything is refused"),
                    None if decided.serves => Replica::Served(self.stored),
                    None => Replica::Waits,
                }
            }
            Replica::Claims {
                sequence,
                until,
                failures,
            } => {
                // UPDATE … SET claimed_until WHERE sequence = … AND claimed_until = … AND failures = …
                let taken = self.row.sequence == sequence
                    && self.row.claimed_until.as_micros() == until
                    && self.row.failures == failures;
                if taken {
                    next.row.claimed_until = self.now.plus(CLAIM);
                }
                match taken {
                    true => Replica::Asks { sequence },
                    false => Replica::Begins,
                }
            }
            Replica::Asks { sequence } => {
                next.asked += 1;
                next.asked_at = self.now;
                match hubspot {
                    HubSpot::Gives => {
                        next.given += 1;
                        Replica::Has {
                            sequence,
                            token: next.given,
                        }
                    }
                    HubSpot::Fails => Replica::Failed { sequence },
                }
            }
            Replica::Has { sequence, token } => {
                // UPDATE … SET sequence = … + 1 WHERE sequence = …
                if self.row.sequence == sequence {
                    next.stored = token;
                    next.row.sequence = sequence + 1;
                    next.row.renew_time = self.now.plus(LIFE);
                    next.row.claimed_until = Timestamp::from_micros(0);
                    next.row.failures = 0;
                    next.row.retry_time = Timestamp::from_micros(0);
                }
                Replica::Begins
            }
            Replica::Failed { sequence } => {
                if self.row.sequence == sequence {
                    next.row.failures += 1;
                    next.row.retry_time = self.now.plus(PAUSE);
                    next.row.claimed_until = Timestamp::from_micros(0);
                }
                Replica::Waits
            }
            Replica::Served(_) | Replica::Lost => return None,
        };
        if moved == self.replicas[nth] && next == *self {
            return None;
        }
        next.replicas[nth] = moved;
        Some(next)
    }

    /// The process of one replica is lost.
    fn lose(&self, nth: usize) -> Option<Self> {
        let alive = !matches!(self.replicas[nth], Replica::Served(_) | Replica::Lost);
        (self.losses > 0 && alive).then(|| {
            let mut next = self.clone();
            next.losses -= 1;
            next.replicas[nth] = Replica::Lost;
            next
        })
    }
}

/// Walks through every order, and gives every world that is reached. `holds` is asked of each.
fn walk(first: World, hubspot: HubSpot, holds: impl Fn(&World)) -> HashSet<World> {
    let (mut seen, mut ahead) = (HashSet::new(), vec![first]);
    while let Some(world) = ahead.pop() {
        if !seen.insert(world.clone()) {
            continue;
        }
        holds(&world);
        for nth in 0..world.replicas.len() {
            ahead.extend(world.step(nth, hubspot));
            ahead.extend(world.lose(nth));
        }
        let waits =
            |replica: &Replica| matches!(replica, Replica::Waits | Replica::Lost | Replica::Served(_));
        // Time passes where nobody can do anything: until the claim of a lost one is over.
        if world.losses == 0 && world.replicas.iter().all(waits) && world.now == NOW {
            let mut later = world.clone();
            later.now = world.now.plus(CLAIM);
            ahead.push(later);
        }
    }
    seen
}

#[test]
fn of_three_replicas_one_asks_and_all_are_served_with_what_is_stored() {
    let reached = walk(world(0), HubSpot::Gives, |world| {
        assert!(world.asked <= 1, "{world:?}");
        for replica in world.replicas {
            if let Replica::Served(token) = replica {
                assert_eq!(token, world.stored, "nobody uses what is not stored: {world:?}");
            }
        }
    });
    let served = |world: &&World| world.replicas.iter().all(|one| matches!(one, Replica::Served(1)));
    assert!(reached.iter().filter(served).count() > 0);
    assert!(reached.len() > 100, "{} worlds are few", reached.len());
}

#[test]
fn where_the_one_that_asks_is_lost_another_asks_when_its_claim_is_over_and_not_before() {
    let reached = walk(world(1), HubSpot::Gives, |world| {
        let most = if world.now == NOW { 1 } else { 2 };
        assert!(world.asked <= most, "{world:?}");
    });
    let recovered = |world: &&World| {
        world.replicas.contains(&Replica::Lost)
            && world
                .replicas
                .iter()
                .filter(|one| matches!(one, Replica::Served(_)))
                .count()
                == 2
    };
    assert!(reached.iter().filter(recovered).count() > 0, "the others go on");
}

#[test]
fn a_failure_is_left_alone_by_all_of_them() {
    let reached = walk(world(0), HubSpot::Fails, |world| {
        let most = if world.now == NOW { 1 } else { 2 };
        assert!(world.asked <= most, "{world:?}");
        assert_eq!(world.stored, 0);
    });
    assert!(
        reached.iter().any(|world| world.asked == 2),
        "after the pause one asks again"
    );
}
