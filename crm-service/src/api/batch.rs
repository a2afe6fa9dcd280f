//! Requests about many records: one call after the other, as many as HubSpot takes them in, and the results of all.

use std::sync::Arc;

use hubkeep_audit_log::Operation;
use hubkeep_core::{
    error::{ErrorReason, ServiceError},
    grpc::{Context, bearer_handle},
};
use hubkeep_hubspot::Effect;
use hubkeep_proto::crm::v1::{ItemError, ObjectResult, Reply as WireReply, object_result};
use tonic::{Request, Status};

use super::{
    entrance::Entrance,
    repeats::{Repeats, again, both, part},
    write::{about, object},
};
use crate::{
    call::{Error, Meant, Reply, row_error},
    crm::{self, Answer, Ask, Batch, Done},
    writes::Repeatable,
};

/// A message about many records, read: the portal it means, and the calls it takes.
pub(super) type ReadMany = Result<(Meant, Vec<Arc<Batch>>), crm::Error>;

/// The same, and what makes it one that may be asked for again.
type Many = ((Meant, Vec<Arc<Batch>>), Option<Repeatable>);

/// What became of each input, and about each call that was made.
pub(super) type Results = (Vec<ObjectResult>, Vec<WireReply>);

/// Reads a request and carries it out, call by call. After a call that failed no other is made.
///
/// # Errors
/// If it cannot be read, or the first call failed: then nothing else was sent.
pub(super) async fn take<M>(
    entrance: &Entrance,
    operation: Operation,
    request: Request<M>,
    read: fn(&M) -> ReadMany,
) -> Result<Results, Status> {
    let read = read(request.get_ref()).map(|read| (read, None));
    each(entrance, operation, &request, read).await
}

/// The same for writes. Each call is one of its own under the message's request id: asked for again, only what was not sent is.
///
/// # Errors
/// As [`take`].
pub(super) async fn write<M: Repeats>(
    entrance: &Entrance,
    operation: Operation,
    request: Request<M>,
    read: fn(&M) -> ReadMany,
) -> Result<Results, Status> {
    let message = request.get_ref();
    let read = both(read(message), again(message));
    each(entrance, operation, &request, read).await
}

async fn each<M>(
    entrance: &Entrance,
    operation: Operation,
    request: &Request<M>,
    read: Result<Many, crm::Error>,
) -> Result<Results, Status> {
    let context = Arc::new(Context::of(request)?.in_batch());
    let handle = bearer_handle(request.metadata());
    let ((meant, batches), again) = match read {
        Ok(read) => read,
        Err(fault) => return Err(Box::pin(entrance.unread(operation, &context, handle, fault)).await),
    };
    let (mut results, mut replies) = (Vec::new(), Vec::new());
    let mut failed = None;
    for (place, batch) in batches.into_iter().enumerate() {
        if failed.is_some() {
            results.extend((0..batch.len()).map(|_| with_error(not_attempted())));
            continue;
        }
        let ask = Ask::Batch(batch.clone());
        let reply = entrance
            .carry_out_once(
                ask.clone(),
                meant.clone(),
                &context,
                handle.clone(),
                part(again.as_ref(), place),
            )
            .await
            .and_then(|reply| rows(&ask, &batch, reply));
        match reply {
            Ok((rows, about)) => {
                results.extend(rows);
                replies.push(about);
            }
            Err(error) if replies.is_empty() => return Err(context.refuse(&error)),
            Err(error) => {
                let told = (0..batch.len()).map(|_| item_error(&error));
                results.extend(with_receipt(told, &error).map(with_error));
                failed = Some(error);
            }
        }
    }
    if let Some(error) = failed {
        // Said to nobody but within the results: it must be found by its request id all the same.
        tracing::info!(request_id = %context.request_id, reason = error.reason().wire_name(), "a batch ended early");
    }
    Ok((results, replies))
}

/// What became of the inputs of one call.
fn rows(ask: &Ask, batch: &Batch, reply: Reply) -> Result<(Vec<ObjectResult>, WireReply), Error> {
    let (about, call_id) = (about(&reply), reply.call_id);
    let Answer::Rows(rows) = reply.answer else {
        return Err(Error::WrongAnswer);
    };
    if rows.len() != batch.len() {
        return Err(Error::WrongAnswer);
    }
    let effect = match ask.is_read() {
        true => Effect::Read,
        false => Effect::Write,
    };
    let result = |row| match row {
        Ok(done) => made(done),
        Err(error) => refused(&row_error(error, &batch.object_type, effect, call_id)),
    };
    Ok((rows.into_iter().map(result).collect(), about))
}

fn made(done: Done) -> ObjectResult {
    ObjectResult {
        result: Some(object_result::Result::Object(object(done.object))),
        created: done.created,
    }
}

fn refused(error: &Error) -> ObjectResult {
    with_error(item_error(error))
}

/// Why one input of a batch was refused.
pub(super) fn item_error(error: &Error) -> ItemError {
    let existing = error
        .metadata()
        .into_iter()
        .find(|(key, _)| *key == "existing_object_id");
    ItemError {
        reason: error.reason().into(),
        message: error.public_message(),
        existing_object_id: existing.map(|(_, id)| id).unwrap_or_default(),
        receipt: String::new(),
    }
}

/// The errors of all inputs of a call that failed as a whole: the first has the receipt for its outcome.
pub(super) fn with_receipt(
    errors: impl Iterator<Item = ItemError>,
    failed: &Error,
) -> impl Iterator<Item = ItemError> {
    let mut receipt = failed.receipt().cloned().map(String::from);
    errors.map(move |error| ItemError {
        receipt: receipt.take().unwrap_or_default(),
        ..error
    })
}

/// Why nothing was sent for an input.
pub(super) fn not_attempted() -> ItemError {
    ItemError {
        reason: ErrorReason::NotAttempted.into(),
        message: "nothing was sent for this input, because a call before it failed: send it again".to_owned(),
        existing_object_id: String::new(),
        receipt: String::new(),
    }
}

fn with_error(error: ItemError) -> ObjectResult {
    ObjectResult {
        result: Some(object_result::Result::Error(error)),
        created: false,
    }
}
