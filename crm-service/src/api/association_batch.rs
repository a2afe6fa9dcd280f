//! Requests about many associations: one call after the other, as many as HubSpot takes them in, and the results of all, each at
//! the place of its input.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use hubkeep_audit_log::Operation;
use hubkeep_core::{
    error::ServiceError as _,
    grpc::{Context, bearer_handle},
};
use hubkeep_hubspot::{
    Effect,
    associations::{Association, AssociationType, Label},
    objects::Page,
};
use hubkeep_proto::crm::v1::{
    AssociationKinds, AssociationPage, AssociationPageResult, AssociationResult,
    BatchReadAssociationsRequest, ItemError, Reply as WireReply, association_page_result, association_result,
};
use tonic::{Request, Status};

use super::{
    batch::{item_error, not_attempted, with_receipt},
    entrance::Entrance,
    read::{self, Part},
    repeats::{Repeats, again, both, part},
    write::{about, associated, label},
};
use crate::{
    call::{Error, Keeps, Meant, Presented, Reply, row_error},
    crm::{self, Answer, Ask, AssociationAsk, Between, MAX_ASSOCIATIONS_READ, Pair, RecordId, RowOf},
    pairs::Pairs,
    writes::Repeatable,
};

/// A message about many associations, read: the portal it means, and the calls it takes.
pub(super) type ReadPairs = Result<(Meant, Vec<Part>), crm::Error>;

/// The same, and what makes it one that may be asked for again.
type Many = ((Meant, Vec<Part>), Option<Repeatable>);

/// Where requests come in, and where those that change pairs of records take turns.
pub(super) type Desk<'a> = (&'a Entrance, &'a Pairs);

/// What became of one input.
type Told<T> = Result<T, ItemError>;

/// What became of each input, and about each call that was made.
type Results<T> = (Vec<Told<T>>, Vec<WireReply>);

/// Reads what many records are associated with.
///
/// # Errors
/// If the message cannot be read, or the first call failed.
pub(super) async fn pages(
    desk: Desk<'_>,
    request: Request<BatchReadAssociationsRequest>,
) -> Result<(Vec<AssociationPageResult>, Vec<WireReply>), Status> {
    let message = request.get_ref();
    let read = read::batch_read_associations(message).map(|read| (read, None));
    let (results, replies) = each(desk, Operation::AssociationBatchRead, &request, read, told_pages).await?;
    let pages = results.into_iter().zip(&message.inputs).map(|(result, input)| {
        let ends = [&message.object_type, &input.object_id, &message.to_object_type];
        let question = read::question(&message.client_slug, ends);
        let shown = |page: Page<Association>| AssociationPage {
            next_page_token: question.token(page.after.as_deref()),
            records: page.items.into_iter().map(associated).collect(),
        };
        let result = match result {
            Ok(page) => association_page_result::Result::Page(shown(page)),
            Err(error) => association_page_result::Result::Error(error),
        };
        AssociationPageResult { result: Some(result) }
    });
    Ok((pages.collect(), replies))
}

/// Associates pairs of records, or ends that. Each call is one of its own under the message's request id: asked for again, only
/// what was not sent is.
///
/// # Errors
/// If the message cannot be read, or the first call failed: then nothing else was sent.
pub(super) async fn write<M: Repeats>(
    desk: Desk<'_>,
    operation: Operation,
    request: Request<M>,
    read: fn(&M) -> ReadPairs,
) -> Result<(Vec<AssociationResult>, Vec<WireReply>), Status> {
    let message = request.get_ref();
    let read = both(read(message), again(message));
    let (results, replies) = each(desk, operation, &request, read, told_pairs).await?;
    let shown = |result: Told<Vec<Label>>| {
        let result = match result {
            Ok(labels) => association_result::Result::Kinds(AssociationKinds {
                labels: labels.into_iter().map(label).collect(),
            }),
            Err(error) => association_result::Result::Error(error),
        };
        AssociationResult { result: Some(result) }
    };
    Ok((results.into_iter().map(shown).collect(), replies))
}

fn told_pages(answer: Answer) -> Option<Vec<RowOf<Page<Association>>>> {
    match answer {
        Answer::Pages(rows) => Some(rows),
        _ => None,
    }
}

fn told_pairs(answer: Answer) -> Option<Vec<RowOf<Vec<Label>>>> {
    match answer {
        Answer::Pairs(rows) => Some(rows),
        _ => None,
    }
}

/// Carries a message out, call by call. After a call that failed no other is made.
async fn each<M, T>(
    (entrance, pairs): Desk<'_>,
    operation: Operation,
    request: &Request<M>,
    read: Result<Many, crm::Error>,
    told: fn(Answer) -> Option<Vec<RowOf<T>>>,
) -> Result<Results<T>, Status> {
    let context = Arc::new(Context::of(request)?.in_batch());
    let handle = bearer_handle(request.metadata());
    let ((meant, parts), again) = match read {
        Ok(read) => read,
        Err(fault) => return Err(Box::pin(entrance.unread(operation, &context, handle, fault)).await),
    };
    let caller = Caller {
        entrance,
        turns: pairs,
        meant,
        context: &context,
        handle,
    };
    let (mut results, mut replies) = (BTreeMap::new(), Vec::new());
    let mut failed = None;
    for (number, Part { places, ask }) in parts.into_iter().enumerate() {
        if failed.is_some() {
            results.extend(places.into_iter().map(|place| (place, Err(not_attempted()))));
            continue;
        }
        let made = Box::pin(caller.carry_out(ask, part(again.as_ref(), number))).await;
        match made.and_then(|reply| rows(&places, reply, told)) {
            Ok((rows, about)) => {
                results.extend(places.into_iter().zip(rows));
                replies.push(about);
            }
            Err(error) if replies.is_empty() => return Err(context.refuse(&error)),
            Err(error) => {
                let told = with_receipt(places.iter().map(|_| item_error(&error)), &error);
                results.extend(places.iter().copied().zip(told.map(Err)));
                failed = Some(error);
            }
        }
    }
    if let Some(error) = failed {
        // Said to nobody but within the results: it must be found by its request id all the same.
        tracing::info!(request_id = %context.request_id, reason = error.reason().wire_name(), "a batch ended early");
    }
    Ok((results.into_values().collect(), replies))
}

/// What became of the inputs of one call.
fn rows<T>(
    places: &[usize],
    made: Made,
    told: fn(Answer) -> Option<Vec<RowOf<T>>>,
) -> Result<(Vec<Told<T>>, WireReply), Error> {
    let Made {
        reply,
        effect,
        between,
    } = made;
    let (about, call_id) = (about(&reply), reply.call_id);
    let rows = told(reply.answer).filter(|rows| rows.len() == places.len());
    let rows = rows.ok_or(Error::WrongAnswer)?;
    let result = |row: RowOf<T>| {
        row.map_err(|error| item_error(&row_error(error, &between.object_type, effect, call_id)))
    };
    Ok((rows.into_iter().map(result).collect(), about))
}

/// A call that was made.
struct Made {
    reply: Reply,
    effect: Effect,
    between: Between,
}

/// Who asks, for which portal.
struct Caller<'a> {
    entrance: &'a Entrance,
    turns: &'a Pairs,
    meant: Meant,
    context: &'a Arc<Context>,
    handle: Presented,
}

impl Caller<'_> {
    async fn carry_out(&self, ask: AssociationAsk, again: Option<Arc<Repeatable>>) -> Result<Made, Error> {
        let (effect, between) = match &ask {
            AssociationAsk::ReadMany { between, .. } => (Effect::Read, between.clone()),
            AssociationAsk::CreateMany { between, .. }
            | AssociationAsk::LabelMany { between, .. }
            | AssociationAsk::RemoveMany { between, .. }
            | AssociationAsk::UnlabelMany { between, .. } => (Effect::Write, between.clone()),
            _ => return Err(Error::WrongAnswer),
        };
        let reply = match ask {
            AssociationAsk::LabelMany { pairs, .. } => self.label(&between, pairs, again).await?,
            AssociationAsk::CreateMany { .. }
            | AssociationAsk::RemoveMany { .. }
            | AssociationAsk::UnlabelMany { .. } => {
                if let Some(kept) = self.before_a_turn(&ask, again.clone()).await? {
                    return Ok(Made {
                        reply: kept,
                        effect,
                        between,
                    });
                }
                // Whoever gives two of them a label meanwhile would give them again what is taken; and what was taken before may be
                // taken later than it was said.
                let turn = self.turn(&ask).await?;
                // Who gives none takes nothing from others, and lets nobody wait.
                let keeps = !matches!(ask, AssociationAsk::CreateMany { .. });
                self.send(ask, again, keeps.then_some(turn)).await?
            }
            other => self.send(other, again, None).await?,
        };
        Ok(Made {
            reply,
            effect,
            between,
        })
    }

    /// Gives pairs labels beside those that they have: HubSpot would replace them.
    async fn label(
        &self,
        between: &Between,
        mut pairs: Vec<(Pair, Vec<AssociationType>)>,
        again: Option<Arc<Repeatable>>,
    ) -> Result<Reply, Error> {
        let ask = AssociationAsk::LabelMany {
            between: between.clone(),
            pairs: pairs.clone(),
        };
        if let Some(kept) = self.before_a_turn(&ask, again.clone()).await? {
            return Ok(kept);
        }
        // From reading to writing: another who reads before this one has written would write without its labels.
        let turn = self.turn(&ask).await?;
        let mut there = self.there(between, &pairs).await?;
        let mut all_are_new = true;
        for (pair, kinds) in &mut pairs {
            let before = there.remove(pair).unwrap_or_default();
            all_are_new &= has_new(kinds, &before);
            for kind in before {
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
        }
        if all_are_new {
            turn.will_show();
        }
        let ask = AssociationAsk::LabelMany {
            between: between.clone(),
            pairs,
        };
        self.send(ask, again, Some(turn)).await
    }

    /// What came of it when it was asked for earlier: for that nobody's turn is waited for, and nothing is read. Else who may not do
    /// it is refused, and takes nobody's turn.
    async fn before_a_turn(
        &self,
        ask: &AssociationAsk,
        again: Option<Arc<Repeatable>>,
    ) -> Result<Option<Reply>, Error> {
        let who = (self.meant.clone(), self.context, self.handle.clone());
        let ask = Ask::Association(Arc::new(ask.clone()));
        self.entrance.kept_or_may(ask, who, again).await
    }

    /// A turn at the pairs that are changed.
    async fn turn(&self, ask: &AssociationAsk) -> Result<Keeps, Error> {
        let who = (&self.meant, self.context, &self.handle);
        turn((self.entrance, self.turns), ask, who).await
    }

    /// The labels that are there, of these pairs. The association without one comes with every other.
    async fn there(
        &self,
        between: &Between,
        pairs: &[(Pair, Vec<AssociationType>)],
    ) -> Result<BTreeMap<Pair, Vec<AssociationType>>, Error> {
        let mut wanted: BTreeMap<RecordId, BTreeSet<RecordId>> = BTreeMap::new();
        for (pair, _) in pairs {
            wanted
                .entry(pair.from.clone())
                .or_default()
                .insert(pair.to.clone());
        }
        let mut found = BTreeMap::new();
        let mut open: Vec<(RecordId, Option<String>)> =
            wanted.keys().map(|from| (from.clone(), None)).collect();
        while !open.is_empty() {
            let mut next = Vec::new();
            for of in open.chunks(MAX_ASSOCIATIONS_READ) {
                for ((from, before), page) in of.iter().zip(self.pages(between, of.to_vec()).await?) {
                    let Some(missing) = wanted.get_mut(from) else {
                        continue;
                    };
                    for Association { to_id, labels } in page.items {
                        let Some(to) = missing.iter().find(|to| to.as_str() == to_id).cloned() else {
                            continue;
                        };
                        missing.remove(&to);
                        let labelled = labels.into_iter().filter(|label| label.label.is_some());
                        let pair = Pair {
                            from: from.clone(),
                            to,
                        };
                        found.insert(pair, labelled.map(|label| label.kind).collect());
                    }
                    if let Some(after) = page.after.filter(|_| !missing.is_empty()) {
                        // A page that leads to itself would be read for ever.
                        if before.as_ref() == Some(&after) {
                            return Err(Error::WrongAnswer);
                        }
                        next.push((from.clone(), Some(after)));
                    }
                }
            }
            open = next;
        }
        Ok(found)
    }

    /// A page of each. Where one cannot be told, nothing may be written: labels could be lost.
    async fn pages(
        &self,
        between: &Between,
        of: Vec<(RecordId, Option<String>)>,
    ) -> Result<Vec<Page<Association>>, Error> {
        let count = of.len();
        let ask = AssociationAsk::ReadMany {
            between: between.clone(),
            of,
        };
        let reply = self.send(ask, None, None).await?;
        let call_id = reply.call_id;
        let rows = told_pages(reply.answer).filter(|rows| rows.len() == count);
        let rows = rows.ok_or(Error::WrongAnswer)?.into_iter();
        rows.map(|row| row.map_err(|error| row_error(error, &between.object_type, Effect::Read, call_id)))
            .collect()
    }

    /// Sends one call, and keeps the turn until that has ended, also where the caller hangs up.
    async fn send(
        &self,
        ask: AssociationAsk,
        again: Option<Arc<Repeatable>>,
        turn: Option<Keeps>,
    ) -> Result<Reply, Error> {
        let who = (self.meant.clone(), self.context, self.handle.clone());
        let ask = Ask::Association(Arc::new(ask));
        self.entrance.carry_out_keeping(ask, who, again, turn).await
    }
}

/// Whether there is a kind among these that was not there before.
pub(super) fn has_new(kinds: &[AssociationType], before: &[AssociationType]) -> bool {
    kinds.iter().any(|kind| !before.contains(kind))
}

/// A turn at the pairs that are changed, as what a call keeps. That there is none is on record.
///
/// # Errors
/// If there is none.
pub(super) async fn turn(
    (entrance, pairs): Desk<'_>,
    ask: &AssociationAsk,
    (meant, context, handle): (&Meant, &Arc<Context>, &Presented),
) -> Result<Keeps, Error> {
    match pairs.turn(&meant.client_slug, ask, context.deadline).await {
        Ok(turn) => Ok(Arc::new(turn)),
        Err(none) => Err(entrance.refused(ask, context, handle.clone(), none.into()).await),
    }
}
