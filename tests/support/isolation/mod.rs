//! Isolation under load: callers with right and wrong handles, all at once, while tokens are rotated and handles revoked;
//! and what reached HubSpot for each. The size is a parameter, and nothing of a call is kept once it is looked into: its
//! number says all that was planned for it.

mod plan;
mod turmoil;
mod witness;

use std::{
    collections::{HashMap, HashSet},
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt as _, stream};
use tonic::{Code, Status};

use self::{
    plan::{CALLERS, Manner, Planned},
    turmoil::{Turmoil, Upheavals},
    witness::{Seen, Witness},
};
use super::{
    crm::Crm,
    handles::Handle,
    hubkeep::{Hubkeep, Service},
    refusal::Refused,
};
use crate::{Limits, World};

/// As long as handles may live: each is replaced before.
const LIFETIME: Duration = Duration::from_secs(900);
/// Handles asked for at once.
const ISSUES: usize = 32;
/// How often a call is sent at most.
const ATTEMPTS: u64 = 3;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Portals, at least 2.
    pub portals: u32,
    /// Calls.
    pub calls: u64,
    /// Calls at once.
    pub in_flight: usize,
    /// How often a handle is revoked and a token rotated.
    pub pace: Duration,
}

/// What was done and what was seen. That nothing was foreign is not said here: it would have failed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    /// Attempts that the answers to right calls speak of.
    pub attempts: u64,
    /// Calls that were refused, and had to be.
    pub refused: u64,
    /// Calls that nobody had the time to decide.
    pub unavailable: u64,
    /// Calls whose handle was revoked before they were answered.
    pub cut_off: u64,
    /// What HubSpot received, and what was recorded.
    pub seen: Seen,
    /// What was done to handles and tokens meanwhile.
    pub upheavals: Upheavals,
}

/// Makes the calls, and fails if one request reaches another portal than its handle is for, or without a record of it.
pub async fn nothing_foreign(size: Size) -> Summary {
    let stage = Arc::new(Stage::set(size).await);
    let witness = tokio::spawn(Witness::of(Arc::clone(&stage)).watch());
    let turmoil = tokio::spawn(Turmoil::over(Arc::clone(&stage)).rage());

    let calls = stream::iter(0..size.calls).map(|number| {
        let stage = Arc::clone(&stage);
        tokio::spawn(async move { stage.carry_out(number).await })
    });
    let mut summary = Summary::default();
    let mut calls = pin!(calls.buffer_unordered(size.in_flight));
    while let Some(ended) = calls.next().await {
        match ended.expect("as planned") {
            Ended::Answered { attempts } => summary.attempts += u64::from(attempts),
            Ended::Refused => summary.refused += 1,
            Ended::CutOff => summary.cut_off += 1,
            Ended::Unavailable => summary.unavailable += 1,
        }
    }
    stage.calmed.store(true, Ordering::Release);
    summary.upheavals = turmoil.await.expect("tokens were rotated and handles revoked");
    let Upheavals {
        rotations,
        revocations,
        unavailable: undone,
    } = summary.upheavals;
    assert!(
        rotations > 0 && revocations > 0 && undone <= rotations + revocations,
        "there was turmoil: {:?}",
        summary.upheavals
    );
    stage.done.store(true, Ordering::Release);
    summary.seen = witness.await.expect("nothing foreign reached HubSpot");
    let Summary {
        attempts,
        unavailable,
        cut_off,
        seen,
        ..
    } = summary;
    // A call that was refused for want of time may have been sent before, and so may one whose handle was revoked.
    let most = attempts + ATTEMPTS * (unavailable + cut_off);
    assert!(
        (attempts..=most).contains(&seen.received),
        "HubSpot received what the replies say: {summary:?}"
    );
    assert_eq!(seen.received, seen.recorded, "and the log says the same");
    assert!(
        unavailable <= size.calls / 100,
        "too many to say anything: {summary:?}"
    );
    summary
}

/// How a call ended.
enum Ended {
    /// With an answer, after so many attempts.
    Answered { attempts: u32 },
    /// With a refusal, because its handle was revoked meanwhile: sent or not.
    CutOff,
    /// Refused, as it had to be.
    Refused,
    /// Not decided: a machine that is too busy may keep a database or a service from answering in time.
    Unavailable,
}

/// A Hubkeep, and who holds which handle.
struct Stage {
    hubkeep: Hubkeep,
    size: Size,
    crm: Crm,
    slugs: Vec<String>,
    portal_ids: Vec<u64>,
    /// By portal and caller.
    own: Mutex<Vec<Handle>>,
    revoked: Vec<Handle>,
    /// Whose a handle is: portal and caller, by its public id.
    holders: Mutex<HashMap<String, (usize, &'static str)>>,
    /// Handles that were revoked, or are about to be.
    ended: Mutex<HashSet<String>>,
    calls_made: AtomicU64,
    /// Nothing is rotated or revoked any more.
    calmed: AtomicBool,
    /// Everything has been sent.
    done: AtomicBool,
}

impl Stage {
    async fn set(size: Size) -> Self {
        let world = World::of_portals(size.portals).limits(&Limits::unlimited());
        let hubkeep = Hubkeep::start(world).await;
        hubkeep.onboard_all().await;
        let portals = &hubkeep.world().portals;
        let slugs: Vec<String> = portals.iter().map(|portal| portal.slug.clone()).collect();
        let portal_ids = portals.iter().map(|portal| portal.portal_id).collect();
        let crm = hubkeep.crm_as("nobody");
        let mut stage = Self {
            hubkeep,
            size,
            crm,
            slugs,
            portal_ids,
            own: Mutex::default(),
            revoked: Vec::new(),
            holders: Mutex::default(),
            ended: Mutex::default(),
            calls_made: AtomicU64::new(0),
            calmed: AtomicBool::new(false),
            done: AtomicBool::new(false),
        };
        let own = stage.issue_all().await;
        let revoked = stage.issue_all().await;
        let hubkeep = &stage.hubkeep;
        stream::iter(&revoked)
            .for_each_concurrent(ISSUES, async |handle| {
                hubkeep.revoke(handle).await;
            })
            .await;
        stage.own = Mutex::new(own);
        stage.revoked = revoked;
        stage
    }

    /// A handle for every caller and portal.
    async fn issue_all(&self) -> Vec<Handle> {
        let holders = (0..self.slugs.len()).flat_map(|portal| CALLERS.map(|caller| (portal, caller)));
        let issued = stream::iter(holders).map(|(portal, caller)| self.issue(portal, caller));
        issued.buffered(ISSUES).collect().await
    }

    async fn issue(&self, portal: usize, caller: &'static str) -> Handle {
        let issued = self.try_issue(portal, caller).await;
        issued.unwrap_or_else(|status| panic!("a handle was refused: {status:?}"))
    }

    async fn try_issue(&self, portal: usize, caller: &'static str) -> Result<Handle, Status> {
        let wish = self.hubkeep.handle(&self.slugs[portal]).for_caller(caller);
        let handle = wish.lifetime(LIFETIME).ask().await?;
        locked(&self.holders).insert(handle.id.clone(), (portal, caller));
        Ok(handle)
    }

    fn own(&self, portal: usize, caller: usize) -> Handle {
        locked(&self.own)[portal * CALLERS.len() + caller].clone()
    }

    /// The handle that a planned call goes with.
    fn handle(&self, planned: &Planned) -> Handle {
        let another = (planned.caller + 1) % CALLERS.len();
        match planned.manner {
            Manner::Right => self.own(planned.named, planned.caller),
            Manner::WrongPortal => self.own(planned.elsewhere, planned.caller),
            Manner::AnotherCallers => self.own(planned.named, another),
            Manner::Revoked => self.revoked[planned.named * CALLERS.len() + planned.caller].clone(),
            Manner::Invented => Handle::invented(&self.slugs[planned.named], CALLERS[planned.caller]),
        }
    }

    /// Makes a call and holds its answer to the plan.
    async fn carry_out(&self, number: u64) -> Ended {
        let planned = Planned::call(number, self.slugs.len());
        let (slug, handle) = (&self.slugs[planned.named], self.handle(&planned));
        let crm = Crm::clone(&self.crm)
            .called(CALLERS[planned.caller])
            .with(&handle)
            .naming(slug)
            .request_id(&planned.request_id());
        let answer = planned.act(&crm, slug).await;
        self.calls_made.fetch_add(1, Ordering::Relaxed);
        match answer {
            Ok((reply, objects)) => {
                assert_eq!(planned.manner, Manner::Right, "answered: {planned:?}");
                assert_eq!(reply.portal_id, self.portal_ids[planned.named], "{planned:?}");
                assert_eq!(&reply.client_slug, slug, "{planned:?}");
                for object in objects {
                    let whose = object.properties.get("lastname");
                    assert!(
                        whose.is_none_or(|whose| whose == slug),
                        "{slug} was given {object:?}"
                    );
                }
                Ended::Answered {
                    attempts: reply.attempt_count,
                }
            }
            Err(status) if status.code() == Code::Unavailable => Ended::Unavailable,
            Err(status) => {
                self.is_rightly_refused(&planned, &handle, &status);
                match planned.manner {
                    Manner::Right => Ended::CutOff,
                    _ => Ended::Refused,
                }
            }
        }
    }

    /// A handle that was whole a moment ago may have been revoked meanwhile, and for no other reason is one refused.
    fn is_rightly_refused(&self, planned: &Planned, handle: &Handle, status: &Status) {
        let refused = Refused::of(status);
        assert_eq!(refused.request_id, planned.request_id());
        let ended = || locked(&self.ended).contains(&handle.id);
        let rightly = match (planned.manner, refused.reason.as_str()) {
            (Manner::Right | Manner::WrongPortal, "HANDLE_INVALID") => ended(),
            // It was under way when its handle was revoked.
            (Manner::Right, "OUTCOME_UNKNOWN") => ended(),
            (Manner::WrongPortal, "PORTAL_MISMATCH") => true,
            (Manner::AnotherCallers | Manner::Revoked | Manner::Invented, "HANDLE_INVALID") => true,
            _ => false,
        };
        assert!(rightly, "{planned:?}: {status:?}");
    }
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().expect("no holder has failed")
}
