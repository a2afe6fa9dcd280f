//! `hubkeep.crm.v1.QuotaService`.

use std::{pin::Pin, time::Duration};

use futures::{Stream, stream};
use hubkeep_audit_log::Operation;
use hubkeep_core::grpc::Context;
use hubkeep_proto::crm::v1::{
    GetQuotaRequest, GetQuotaResponse, LiftMigrationRequest, LiftMigrationResponse, WatchQuotaRequest,
    WatchQuotaResponse, quota_service_server::QuotaService,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{
    error::Error,
    quota_desk::{Opened, QuotaDesk},
    quota_words::quota,
};
use crate::{credentials::RefusedToken, quota::State};

/// A watcher is told what has changed no more often.
const LOOKED_EVERY: Duration = Duration::from_millis(500);

/// Quotas.
#[derive(Clone)]
pub struct QuotaApi {
    desk: QuotaDesk,
    stopping: CancellationToken,
}

impl QuotaApi {
    /// Requests come in at this desk. `stopping` ends the streams.
    pub const fn new(desk: QuotaDesk, stopping: CancellationToken) -> Self {
        Self { desk, stopping }
    }
}

#[tonic::async_trait]
impl QuotaService for QuotaApi {
    type WatchQuotaStream = Pin<Box<dyn Stream<Item = Result<WatchQuotaResponse, Status>> + Send>>;

    async fn get_quota(
        &self,
        request: Request<GetQuotaRequest>,
    ) -> Result<Response<GetQuotaResponse>, Status> {
        let context = Context::of(&request)?;
        let (metadata, _, asked) = request.into_parts();
        let opened = self
            .desk
            .open(
                Operation::QuotaGet,
                &context,
                &metadata,
                (&asked.client_slug, asked.expected_portal_id),
            )
            .await?;
        Ok(Response::new(GetQuotaResponse {
            quota: Some(quota(&opened.quota.state(), &self.desk.refused_tokens(&opened))),
        }))
    }

    async fn watch_quota(
        &self,
        request: Request<WatchQuotaRequest>,
    ) -> Result<Response<Self::WatchQuotaStream>, Status> {
        let context = Context::of_stream(&request)?;
        let (metadata, _, asked) = request.into_parts();
        let opened = self
            .desk
            .open(
                Operation::QuotaWatch,
                &context,
                &metadata,
                (&asked.client_slug, asked.expected_portal_id),
            )
            .await?;
        let watch = Watch {
            desk: self.desk.clone(),
            opened,
            context,
            stopping: self.stopping.clone(),
            told: None,
            looks: 0,
        };
        Ok(Response::new(watch.into_stream()))
    }

    async fn lift_migration(
        &self,
        request: Request<LiftMigrationRequest>,
    ) -> Result<Response<LiftMigrationResponse>, Status> {
        let context = Context::of(&request)?;
        let (metadata, _, asked) = request.into_parts();
        Ok(Response::new(self.desk.lift(&context, &metadata, &asked).await?))
    }
}

/// A stream that is open.
struct Watch {
    desk: QuotaDesk,
    opened: Opened,
    context: Context,
    stopping: CancellationToken,
    told: Option<(State, Vec<RefusedToken>)>,
    looks: u64,
}

impl Watch {
    /// What is left, each time it has changed, and at the end one error that says why it ended.
    fn into_stream(self) -> Pin<Box<dyn Stream<Item = Result<WatchQuotaResponse, Status>> + Send>> {
        Box::pin(stream::unfold(Some(self), |watch| async move {
            let mut watch = watch?;
            match watch.next().await {
                Ok((state, refused)) => {
                    let response = WatchQuotaResponse {
                        quota: Some(quota(&state, &refused)),
                    };
                    Some((Ok(response), Some(watch)))
                }
                Err(error) => Some((Err(watch.context.refuse(&error)), None)),
            }
        }))
    }

    async fn next(&mut self) -> Result<(State, Vec<RefusedToken>), Error> {
        loop {
            if self.told.is_some() {
                tokio::select! {
                    biased;
                    () = self.stopping.cancelled() => return Err(Error::Stopping),
                    () = self.desk.clock.sleep(LOOKED_EVERY) => {}
                }
                self.check().await?;
            }
            let state = self.opened.quota.state();
            let refused = self.desk.refused_tokens(&self.opened);
            if self
                .told
                .as_ref()
                .is_none_or(|(told, known)| !told.says_the_same_as(&state) || *known != refused)
            {
                self.told = Some((state.clone(), refused.clone()));
                return Ok((state, refused));
            }
        }
    }

    /// Whether the handle holds: its time at each look, and at each second one whether it was revoked.
    async fn check(&mut self) -> Result<(), Error> {
        self.desk.is_over(&self.opened)?;
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(2) {
            self.desk.still_open(&self.opened).await?;
        }
        Ok(())
    }
}
