//! `WatchRevocations`: what a redeemer hears, and what is heard of it.

use std::pin::Pin;

use futures::{
    FutureExt as _, Stream,
    future::{self, BoxFuture},
    stream,
};
use hubkeep_audit_log::Operation;
use hubkeep_core::{grpc::Context, id::RedeemerId};
use hubkeep_proto::credential::v1::{
    self as wire, CallerGeneration, CallerHold, CredentialVersion, GrantRevision, Heartbeat, OwnCalls,
    PersonGeneration, PortalErasure, PortalGeneration, WatchRevocationsRequest, WatchRevocationsResponse,
    revocation, watch_revocations_response::Message,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::{Desk, Error, fields};
use crate::revocations::{self, Feed, News, Redeemer, Revocation, Revocations, Scope};

/// What goes over the wire.
pub(super) type Events = Pin<Box<dyn Stream<Item = Result<WatchRevocationsResponse, Status>> + Send>>;

/// Opens the feed for a redeemer that says who it is. One that does not, as older versions do, is refused: nobody could
/// wait for it. Then it serves nothing from memory, and redeems each handle anew.
pub(super) async fn open(
    desk: Desk,
    revocations: Revocations,
    stopping: CancellationToken,
    request: Request<Streaming<WatchRevocationsRequest>>,
) -> Result<Response<Events>, Status> {
    let context = Context::of_stream(&request)?;
    let name = context.caller.name.clone();
    let work = async move |_act, mut said: Streaming<WatchRevocationsRequest>| {
        let (after, id) = first(&mut said).await?;
        let (feed, redeemer) = revocations.watch(after, id, name).await?;
        Ok((feed, hear_out(said, redeemer).boxed()))
    };
    let opened = desk.answer(request, Operation::RevocationWatch, work).await?;
    let (feed, heard) = opened.into_inner();
    let watched = Watched {
        feed,
        heard,
        context,
        stopping,
    };
    Ok(Response::new(watched.into_stream()))
}

/// The place after which events are wanted, and who wants them.
async fn first(said: &mut Streaming<WatchRevocationsRequest>) -> Result<(u64, RedeemerId), Error> {
    let first = match said.message().await {
        Ok(first) => first.unwrap_or_default(),
        Err(_) => return Err(Error::field("applied_seq", "the first message could not be read")),
    };
    Ok((first.applied_seq, fields::id("redeemer_id", &first.redeemer_id)?))
}

/// A feed that is open.
struct Watched {
    feed: Feed,
    /// Ends when the redeemer is gone (`None`), or says what cannot be.
    heard: BoxFuture<'static, Option<Error>>,
    context: Context,
    stopping: CancellationToken,
}

impl Watched {
    fn into_stream(self) -> Events {
        Box::pin(stream::unfold(Some(self), |watched| async move {
            let mut watched = watched?;
            match watched.next().await {
                Some(Ok(news)) => Some((Ok(to_wire(news)), Some(watched))),
                Some(Err(error)) => Some((Err(watched.context.refuse(&error)), None)),
                None => None,
            }
        }))
    }

    async fn next(&mut self) -> Option<Result<News, Error>> {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => Some(Err(Error::Stopping)),
            ended = &mut self.heard => ended.map(Err),
            news = self.feed.next() => Some(news.map_err(Error::from)),
        }
    }
}

/// Notes what the redeemer says. Ends when the connection breaks; a redeemer that has nothing more to say still listens,
/// and trusts what it hears no longer than its last message allows.
async fn hear_out(mut said: Streaming<WatchRevocationsRequest>, redeemer: Redeemer) -> Option<Error> {
    let mut coming = said.message().await;
    loop {
        let mut newest = match coming {
            Ok(Some(message)) => message,
            Ok(None) => return future::pending().await,
            Err(_) => return None,
        };
        // What has come meanwhile says all that the older ones do.
        let next = loop {
            match said.message().now_or_never() {
                Some(Ok(Some(newer))) => newest = newer,
                next => break next,
            }
        };
        match redeemer.note(newest.applied_seq, Some(newest.echo)).await {
            Ok(()) => {}
            // Its number does not come back, so that it stops trusting what it knows, as it must.
            Err(error @ revocations::Error::Storage(_)) => {
                tracing::warn!(%error, "it could not be noted that a redeemer lives");
            }
            Err(error) => return Some(error.into()),
        }
        coming = match next {
            Some(ended) => ended,
            None => said.message().await,
        };
    }
}

fn to_wire(news: News) -> WatchRevocationsResponse {
    let message = match news {
        News::Revoked(revocation) => Message::Revocation(revocation_to_wire(&revocation)),
        News::Heartbeat { seq, echo } => Message::Heartbeat(Heartbeat {
            revocation_seq: seq,
            echo,
        }),
    };
    WatchRevocationsResponse {
        message: Some(message),
    }
}

fn revocation_to_wire(revocation: &Revocation) -> wire::Revocation {
    let scope = match &revocation.scope {
        Scope::Handle(handle_id) => revocation::Scope::HandleId(handle_id.to_string()),
        Scope::PortalGeneration(portal, generation) => {
            revocation::Scope::PortalGeneration(PortalGeneration {
                portal_id: portal.get(),
                generation: *generation,
            })
        }
        Scope::CredentialVersion(portal, version) => {
            revocation::Scope::CredentialVersion(CredentialVersion {
                portal_id: portal.get(),
                version: *version,
            })
        }
        Scope::PortalErasure(portal, client_slug, generation) => {
            revocation::Scope::PortalErasure(PortalErasure {
                portal_id: portal.get(),
                client_slug: client_slug.to_string(),
                generation: *generation,
            })
        }
        Scope::CallerGeneration(caller, generation) => {
            revocation::Scope::CallerGeneration(CallerGeneration {
                caller: caller.to_string(),
                generation: *generation,
            })
        }
        Scope::PersonGeneration(person, generation) => {
            revocation::Scope::PersonGeneration(PersonGeneration {
                person_id: person.to_string(),
                generation: *generation,
            })
        }
        Scope::CallerHold(caller, held) => revocation::Scope::CallerHold(CallerHold {
            caller: caller.to_string(),
            held: *held,
        }),
        Scope::OwnCalls(portal) => revocation::Scope::OwnCalls(OwnCalls {
            portal_id: portal.get(),
        }),
        Scope::GrantRevision(grant, revision) => revocation::Scope::GrantRevision(GrantRevision {
            grant_id: grant.to_string(),
            revision: *revision,
        }),
    };
    wire::Revocation {
        seq: revocation.seq,
        revoke_time: Some(revocation.time.into()),
        scope: Some(scope),
    }
}
