//! A rotation that goes on when its caller is gone, and the stream of what is told of it.

use std::pin::Pin;

use futures::{Stream, stream};
use hubkeep_core::grpc::Context;
use hubkeep_proto::credential::v1::RotateKekResponse;
use hubkeep_seal::{Keyring, Progress};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::{error::Error, wire};

/// What goes over the wire.
pub(crate) type Responses = Pin<Box<dyn Stream<Item = Result<RotateKekResponse, Status>> + Send>>;

/// A rotation under way.
pub(crate) struct Rotation {
    /// Only the newest is kept: a caller who reads slowly does not slow the rotation.
    progress: watch::Receiver<Progress>,
    ended: JoinHandle<Result<Progress, Error>>,
}

impl Rotation {
    /// Begins one, and when it has ended does `then` before anybody is told.
    pub(crate) fn begin<F>(
        keyring: Keyring,
        stopping: CancellationToken,
        then: impl FnOnce(Result<Progress, Error>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Progress, Error>> + Send + 'static,
    {
        let (told, progress) = watch::channel(Progress::default());
        let ended = tokio::spawn(async move {
            let rewrapping = keyring.rewrap(|progress| {
                told.send_replace(progress);
            });
            // Cut off between two statements at worst: each row is whole, before it and after.
            let ended = tokio::select! {
                biased;
                () = stopping.cancelled() => Err(Error::Stopping),
                ended = rewrapping => ended.map_err(Error::from),
            };
            then(ended).await
        });
        Self { progress, ended }
    }

    /// What is told of it: how far it has come, and last how it ended.
    pub(crate) fn responses(self, context: Context) -> Responses {
        Box::pin(stream::unfold(Some(self), move |rotation| {
            let context = context.clone();
            async move {
                let mut rotation = rotation?;
                if rotation.progress.changed().await.is_ok() {
                    let progress = *rotation.progress.borrow_and_update();
                    return Some((Ok(wire::progress(progress, false)), Some(rotation)));
                }
                let ended = rotation.ended.await.map_err(Error::from).flatten();
                let last = ended.map(|progress| wire::progress(progress, true));
                Some((last.map_err(|error| context.refuse(&error)), None))
            }
        }))
    }
}
