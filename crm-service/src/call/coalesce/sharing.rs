//! One read for several calls: what is asked, for whom, and what of the answer is whose.

use std::{collections::HashMap, sync::Arc};

use futures::future::{join_all, select_all};
use hubkeep_audit_log::Position;
use hubkeep_core::clock::SharedClock;
use hubkeep_hubspot::RefusalKind;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    gathering::Member,
    kind::{Kind, Likeness, record_of},
    leaves_at,
    seat::Seat,
};
use crate::{
    call::{Call, Counted, Error, Reply},
    crm::{Answer, Ask, Batch, BatchWork, PropertyName, PropertyNames, RecordId, Wanted, shown_of},
};

/// Properties that come with every record, whatever is wanted.
const ALWAYS: [&str; 4] = [
    "hs_object_id",
    "createdate",
    "lastmodifieddate",
    "hs_lastmodifieddate",
];

/// What became of a call that waited for others.
#[derive(Debug)]
pub(super) enum Fate {
    /// It was answered with them, or refused.
    Answered(Box<Result<Reply, Error>>),
    /// It is to be made by itself, after so many attempts with others.
    Alone { attempts: u32 },
}

/// The calls that one read is made for.
#[derive(Debug)]
pub(in crate::call) struct Company {
    /// Each, with the place of its record in the batch; the call by which the read is made first.
    pub(in crate::call) calls: Vec<(usize, Call<Counted>)>,
    /// The seat of each.
    seats: Vec<Arc<Seat>>,
    /// Fires when any of them may not be made any more.
    pub(in crate::call) revoked: CancellationToken,
    /// Fires when nobody waits any more: each has hung up, or its deadline is over.
    pub(in crate::call) unwanted: CancellationToken,
    clock: SharedClock,
    _watched: DropGuard,
}

impl Company {
    /// Whether each asks for one record, and not all for the same.
    pub(in crate::call) fn is_of_records(&self) -> bool {
        let mut calls = self.calls.iter();
        calls.all(|(_, call)| matches!(call.ask, Ask::GetObject { .. }))
    }

    /// The others, beside the call by which the read is made.
    pub(in crate::call) fn others(&self) -> impl Iterator<Item = &Call<Counted>> {
        self.calls.iter().skip(1).map(|(_, call)| call)
    }

    /// An attempt is about to be recorded. Gives for whom: those who still wait, by their places; the call by which the read is
    /// made is the first of them, or there is none.
    pub(in crate::call) fn board(&self, attempt: u32) -> Option<Vec<usize>> {
        let seats = self.calls.iter().zip(&self.seats).enumerate();
        let aboard = seats.filter(|(number, ((_, call), seat))| {
            let is_there = *number == 0 || !call.caller_gone.is_cancelled();
            is_there && seat.board(attempt)
        });
        let aboard: Vec<usize> = aboard.map(|(number, _)| number).collect();
        if aboard.first() == Some(&0) {
            return Some(aboard);
        }
        self.is_back(None);
        None
    }

    /// The attempt goes out.
    pub(in crate::call) fn note_sent(&self) {
        for ((_, call), seat) in self.calls.iter().zip(&self.seats) {
            if seat.is_aboard() {
                call.authority.note_sent();
            }
        }
    }

    /// The deadline of one of them has come while the attempt is under way, and that is on record.
    pub(in crate::call) fn leaves(&self, number: usize) {
        if let (Some((_, call)), Some(seat)) = (self.calls.get(number), self.seats.get(number)) {
            seat.tell(answered(Err(Error::HubSpot {
                error: hubkeep_hubspot::Error::gave_up(),
                object_type: call.ask.object_type(),
            })));
        }
    }

    /// The attempt has ended without an answer; who has no time left for another hears of it at once.
    pub(in crate::call) fn is_back(&self, met: Option<&Error>) {
        let now = self.clock.tick();
        for ((_, call), seat) in self.calls.iter().zip(&self.seats) {
            let must_leave = now >= leaves_at(call.context.deadline);
            seat.is_back(met.and_then(Error::shared), must_leave);
        }
    }
}

/// The place in the batch of the record that one of the calls is about.
pub(in crate::call) fn place_of(company: &Company, number: usize) -> usize {
    company.calls.get(number).map_or(0, |(place, _)| *place)
}

/// One read, for several calls.
pub(super) struct Sharing {
    call: Call<Counted>,
    company: Arc<Company>,
    /// Whether each is shown of the answer only what it has asked for: they are not the same question.
    cuts: bool,
}

/// The most characters of names of properties that are asked for in a path. More are asked for in a body, as a batch of one.
const MOST_IN_A_PATH: usize = 4_000;

impl Sharing {
    /// The read that answers all of these; `None` if there are none. It is made in the name of the first, which waits longest.
    pub(super) fn of(kind: &Kind, members: &[Member], clock: &SharedClock) -> Option<Self> {
        let first = &members.first()?.call;
        let (ask, places) = match &kind.likeness {
            Likeness::Question(ask) => ((**ask).clone(), vec![0; members.len()]),
            Likeness::Records { .. } => match of_one(members) {
                Some(ask) => (ask, vec![0; members.len()]),
                None => batch(kind, members)?,
            },
        };
        let attempts = members.iter().map(|member| member.seat.attempts()).max();
        let calls = places
            .into_iter()
            .zip(members.iter().map(|member| member.call.clone()))
            .collect();
        let (revoked, unwanted, watched) = watch(members, clock);
        let company = Arc::new(Company {
            calls,
            seats: members.iter().map(|member| member.seat.clone()).collect(),
            revoked,
            unwanted: unwanted.clone(),
            clock: clock.clone(),
            _watched: watched,
        });
        let call = Call {
            ask,
            caller_gone: unwanted,
            company: Some(company.clone()),
            attempt: first.attempt.max(attempts.unwrap_or(0).saturating_add(1)),
            ..first.clone()
        };
        let cuts = matches!(kind.likeness, Likeness::Records { .. });
        Some(Self { call, company, cuts })
    }

    pub(super) fn call(&self) -> Call<Counted> {
        self.call.clone()
    }

    /// What became of each; `None` of one that got nothing.
    pub(super) fn fates(&self, members: &[Member], result: Result<Reply, Error>) -> Vec<Option<Fate>> {
        let is_of_one = |error: &Error| matches!(self.call.ask, Ask::Batch(_)) && may_be_of_one(error);
        let shared = |number| match &result {
            Ok(reply) => self.fate(number, reply),
            // One of the records may be why: the others' readers need not hear of it.
            Err(error) if is_of_one(error) => None,
            Err(error) => error.shared().map(|error| answered(Err(error))),
        };
        (0..members.len()).map(shared).collect()
    }

    /// What one of them gets of the reply; `None` if nothing.
    fn fate(&self, number: usize, reply: &Reply) -> Option<Fate> {
        let (place, call) = self.company.calls.get(number)?;
        // What was not recorded for it is not its own.
        self.company.seats.get(number).filter(|seat| seat.is_aboard())?;
        let answer = match &reply.answer {
            Answer::Rows(rows) if matches!(call.ask, Ask::GetObject { .. }) => {
                // HubSpot finds a record by an older id of it only where it is asked for that one alone.
                let done = rows.get(*place)?.as_ref().ok()?;
                cut(Answer::Object(done.object.clone()), &call.ask)
            }
            whole if self.cuts => cut(whole.clone(), &call.ask),
            whole => whole.clone(),
        };
        let outcome: Option<Position> = reply.outcomes.get(number).copied()?;
        Some(answered(match outcome {
            Some(outcome) => Ok(Reply {
                answer,
                portal: reply.portal.clone(),
                call_id: call.call_id,
                outcome,
                receipts: Vec::new(),
                outcomes: Vec::new(),
                attempts: reply.attempts,
                limits: reply.limits,
                kept: false,
            }),
            None => Err(Error::OutcomeNotDurable),
        }))
    }
}

/// Whether one of several records may be why HubSpot failed, or would not take the request.
fn may_be_of_one(error: &Error) -> bool {
    matches!(
        error,
        Error::HubSpot { error: hubkeep_hubspot::Error::Refused(refusal, _), .. }
            if matches!(
                refusal.kind,
                RefusalKind::ServerFailed
                    | RefusalKind::Validation { .. }
                    | RefusalKind::NotFound
                    | RefusalKind::Locked(_)
                    | RefusalKind::Other
            )
    )
}

fn answered(result: Result<Reply, Error>) -> Fate {
    Fate::Answered(Box::new(result))
}

/// The read of the one record that all of them are about, with every property that any of them wants; `None` where they are about
/// several, or want too many. Whether that record is there then all hear at once.
fn of_one(members: &[Member]) -> Option<Ask> {
    let Ask::GetObject { key, archived, .. } = &members.first()?.call.ask else {
        return None;
    };
    let mut properties = PropertyNames::new();
    for member in members {
        record_of(&member.call).filter(|id| **id == key.id)?;
        properties.extend(wanted_by(member).cloned());
    }
    let characters = properties
        .iter()
        .map(|name| name.as_str().len().saturating_add(1));
    (characters.sum::<usize>() <= MOST_IN_A_PATH).then(|| Ask::GetObject {
        key: key.clone(),
        wanted: Arc::new(Wanted::properties(properties)),
        archived: *archived,
    })
}

fn wanted_by(member: &Member) -> impl Iterator<Item = &PropertyName> {
    let wanted = match &member.call.ask {
        Ask::GetObject { wanted, .. } => Some(wanted),
        _ => None,
    };
    wanted.into_iter().flat_map(|wanted| &wanted.properties)
}

/// One batch for the records of all, with every property that any of them wants; and the place of each one's record.
fn batch(kind: &Kind, members: &[Member]) -> Option<(Ask, Vec<usize>)> {
    let Likeness::Records {
        object_type,
        id_property,
        ..
    } = &kind.likeness
    else {
        return None;
    };
    let mut ids: Vec<RecordId> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut places = Vec::with_capacity(members.len());
    let mut properties = PropertyNames::new();
    for member in members {
        let id = record_of(&member.call)?;
        let place = *known.entry(id.as_str()).or_insert_with(|| {
            ids.push(id.clone());
            ids.len().saturating_sub(1)
        });
        places.push(place);
        properties.extend(wanted_by(member).cloned());
    }
    let batch = Batch {
        object_type: object_type.clone(),
        work: BatchWork::Read {
            ids,
            id_property: id_property.clone(),
            wanted: Wanted::properties(properties),
            archived: false,
        },
    };
    Some((Ask::Batch(Arc::new(batch)), places))
}

/// No more of a record than this call has asked for: others wanted other things.
fn cut(answer: Answer, ask: &Ask) -> Answer {
    let Ask::GetObject { key, wanted, .. } = ask else {
        return answer;
    };
    let shown = shown_of(&key.object_type, &wanted.properties);
    answer.keeping(|name| {
        ALWAYS.contains(&name) || shown.iter().any(|shown: &PropertyName| shown.as_str() == name)
    })
}

/// Fires, for all of these, when the right to one of them is taken back, and when nobody waits for any: each has hung up, or its
/// deadline is over.
fn watch(members: &[Member], clock: &SharedClock) -> (CancellationToken, CancellationToken, DropGuard) {
    let (revoked, unwanted, watched) = (
        CancellationToken::new(),
        CancellationToken::new(),
        CancellationToken::new(),
    );
    let rights = members.iter().map(|member| {
        let taken_away = member.call.authority.grant().taken_away().clone();
        Box::pin(taken_away.cancelled_owned())
    });
    let waiting = members.iter().map(|member| {
        let (gone, clock) = (member.call.caller_gone.clone(), clock.clone());
        let deadline = member.call.context.deadline;
        async move {
            clock.timeout_at(deadline, gone.cancelled()).await;
        }
    });
    let (any_right, all_waits) = (select_all(rights), join_all(waiting));
    let fires = (revoked.clone(), unwanted.clone());
    let watching = async move {
        tokio::join!(
            async {
                any_right.await;
                fires.0.cancel();
            },
            async {
                all_waits.await;
                fires.1.cancel();
            }
        );
    };
    tokio::spawn(watched.clone().run_until_cancelled_owned(watching));
    (revoked, unwanted, watched.drop_guard())
}
