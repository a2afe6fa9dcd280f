//! Makes one call of several: reads of one portal, by one token, of records of one type become one batch, and reads of the
//! same thing become one read. Each keeps its own entries, its own mask, and its own end.
//!
//! Who comes alone is not held up. Who comes while another like it is under way gathers with those that come within a few
//! milliseconds, and goes with them; nobody joins what has been sent already, for that may be older than what its caller
//! knows. What concerns one of them only (its handle was revoked, its record is not among the answers) leaves the rest:
//! whoever got no answer from a shared read makes its own, or one with all who ask for the same record. Each waits until its own
//! deadline: whoever leaves then leaves the rest to go on, until the latest deadline of those who still wait.

mod config;
mod gathering;
mod kind;
mod seat;
mod sharing;

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

pub use config::Config;
use futures::future::join_all;
use hubkeep_core::{
    clock::{SharedClock, Tick},
    dying::watched,
};
use tokio::sync::oneshot;

pub(super) use self::sharing::{Company, place_of};
use self::{
    gathering::{Gatherings, Joined, Member},
    kind::{Kind, Likeness, record_of},
    seat::Seat,
    sharing::{Fate, Sharing},
};
use super::{Call, Counted, Error, Next, Reply, Step, rate_limit::LEAST};
use crate::{crm::RecordId, quota::Quota};

/// The step. Stands below [`Spend`](super::Spend), for each call counts against its own handle's budget; and above
/// [`Retry`](super::Retry), so that the shared read is tried again, and paid for, once for all.
#[derive(Debug)]
pub struct Coalesce {
    config: Config,
    gatherings: Gatherings,
    quota: Quota,
    clock: SharedClock,
}

impl Coalesce {
    /// Gathers by this clock; how urgent a read is, the quota says.
    pub fn new(config: Config, quota: Quota, clock: SharedClock) -> Self {
        Self {
            config,
            gatherings: Gatherings::default(),
            quota,
            clock,
        }
    }

    fn kind_of(&self, call: &Call<Counted>) -> Option<Kind> {
        let hurries = call.context.deadline.since(self.clock.tick()) < self.config.least_left();
        if self.config.window.is_zero() || hurries {
            return None;
        }
        let grant = call.authority.grant();
        let (is_person, is_batch) = (grant.is_for_a_person(), call.context.is_batch);
        Kind::of(call, self.quota.class_of(grant.caller(), is_person, is_batch))
    }

    /// Waits for what becomes of a call, until its own deadline.
    async fn wait(
        &self,
        seat: &Weak<Seat>,
        mut answer: oneshot::Receiver<Fate>,
        deadline: Tick,
    ) -> Result<Fate, oneshot::error::RecvError> {
        match self.clock.timeout_at(leaves_at(deadline), &mut answer).await {
            Some(fate) => fate,
            // Who made the read is gone where the seat is, and so is the answer.
            None => match seat.upgrade().and_then(|seat| seat.leave()) {
                Some(fate) => Ok(fate),
                None => answer.await,
            },
        }
    }
}

/// When a call leaves a read that is not sent yet: with time left to be refused in.
fn leaves_at(deadline: Tick) -> Tick {
    deadline.minus(LEAST)
}

impl Step<Call<Counted>> for Coalesce {
    type Out = Call<Counted>;

    async fn take(&self, call: Call<Counted>, next: &Next<Call<Counted>>) -> Result<Reply, Error> {
        let Some(kind) = self.kind_of(&call) else {
            return next.run(call).await;
        };
        let (seat, answer) = Seat::new();
        let again = call.clone();
        // Held by those who read for it, and not here: when they are lost, that is heard.
        let own_seat = Arc::downgrade(&seat);
        let member = Member { call, seat };
        match self.gatherings.join(&kind, member) {
            Joined::Alone(member, _under_way) => return next.run(member.call).await,
            Joined::Begun(gathering) => {
                let (gatherings, clock) = (self.gatherings.clone(), self.clock.clone());
                let (window, next) = (self.config.window, next.clone());
                // On a task of its own: it belongs to none of those that gather.
                tokio::spawn(watched(async move {
                    gatherings.wait(&kind, gathering, window, &clock).await;
                    if let Some((members, _under_way)) = gatherings.close(&kind, gathering) {
                        go(&kind, members, &next, &clock).await;
                    }
                }));
            }
            Joined::Filled(members, under_way) => {
                let (next, clock) = (next.clone(), self.clock.clone());
                tokio::spawn(watched(async move {
                    let _under_way = under_way;
                    go(&kind, members, &next, &clock).await;
                }));
            }
            Joined::Waiting => {}
        }
        match self.wait(&own_seat, answer, again.context.deadline).await {
            Ok(Fate::Answered(result)) => *result,
            Ok(Fate::Alone { attempts }) => {
                let made = again.attempt.saturating_add(attempts);
                next.run(Call {
                    attempt: made,
                    ..again
                })
                .await
            }
            // The task that gathered is gone, which only a defect can do: nothing is lost but time.
            Err(_) => next.run(again).await,
        }
    }
}

/// Makes one call of several, and where that leaves some without an answer, one more for each record that they are about.
async fn go(kind: &Kind, members: Vec<Member>, next: &Next<Call<Counted>>, clock: &SharedClock) {
    // Who hung up, or lost its right, while it waited is not asked for.
    let (members, gone): (Vec<_>, Vec<_>) = members.into_iter().partition(Member::is_there);
    gone.iter().for_each(Member::goes_alone);
    if let [only] = &members[..] {
        return only.goes_alone();
    }
    let left = together(kind, members, next, clock).await;
    // What a batch does not give, HubSpot may give to who asks for that record alone: by an older id of it, for example. Those who
    // ask for the same do so together.
    join_all(by_record(kind, left).into_iter().map(async |members| {
        let (members, gone): (Vec<_>, Vec<_>) = members.into_iter().partition(Member::is_there);
        gone.iter().for_each(Member::goes_alone);
        let left = match &members[..] {
            [_] => members,
            _ => {
                members.iter().for_each(|member| member.stays(clock));
                together(kind, members, next, clock).await
            }
        };
        left.iter().for_each(Member::goes_alone);
    }))
    .await;
}

/// Makes one call of several, and tells each what came of it. Gives those who got nothing.
async fn together(
    kind: &Kind,
    mut members: Vec<Member>,
    next: &Next<Call<Counted>>,
    clock: &SharedClock,
) -> Vec<Member> {
    // The read is made in the name of the one that waits longest.
    members.sort_by_key(|member| std::cmp::Reverse(member.call.context.deadline));
    let Some(sharing) = Sharing::of(kind, &members, clock) else {
        return members;
    };
    let result = next.run(sharing.call()).await;
    let fates = sharing.fates(&members, result);
    let mut left = Vec::new();
    for (member, fate) in members.into_iter().zip(fates) {
        match fate {
            Some(fate) => member.tell(fate),
            None => left.push(member),
        }
    }
    left
}

/// Those who ask for the same record, where they ask for records; else each alone.
fn by_record(kind: &Kind, members: Vec<Member>) -> Vec<Vec<Member>> {
    if !matches!(kind.likeness, Likeness::Records { .. }) {
        return members.into_iter().map(|member| vec![member]).collect();
    }
    let mut groups: BTreeMap<RecordId, Vec<Member>> = BTreeMap::new();
    for member in members {
        match record_of(&member.call).cloned() {
            Some(id) => groups.entry(id).or_default().push(member),
            None => member.goes_alone(),
        }
    }
    groups.into_values().collect()
}
