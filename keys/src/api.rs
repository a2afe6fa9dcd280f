//! The two methods, and their entries on the log.

use hubkeep_audit_log::{AuditLog, Draft, Operation, Outcome};
use hubkeep_core::{
    clock::SharedClock,
    error::{ErrorKind, ServiceError as _},
    grpc::Context,
    id::CallId,
    random::SharedRandom,
};
use hubkeep_proto::credential::v1::{
    GetKeyStatusRequest, GetKeyStatusResponse, RotateKekRequest, key_service_server::KeyService,
};
use hubkeep_seal::Keyring;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::{
    error::Error,
    rotation::{Responses, Rotation},
    wire,
};

/// The keys of one service, over gRPC.
#[derive(Clone, Debug)]
pub struct KeyApi {
    /// The keys.
    pub keyring: Keyring,
    /// Where every act is recorded.
    pub log: AuditLog,
    /// Time.
    pub clock: SharedClock,
    /// Randomness for ids.
    pub random: SharedRandom,
    /// Ends rotations; what they have done stays done.
    pub stopping: CancellationToken,
}

impl KeyApi {
    /// An entry when it begins, and one when it has ended, which is durable before the caller hears of the end.
    async fn rotate(&self, context: &Context, to_version: u32) -> Result<Rotation, Error> {
        let current = self.keyring.current_version();
        if to_version != 0 && to_version != current {
            return Err(Error::NotCurrent {
                requested: to_version,
                current,
            });
        }
        let draft = self.draft(context, Operation::KeyRotate)?;
        self.log.admin(draft.clone(), Outcome::ok()).await?;
        let log = self.log.clone();
        let put_on_record = async move |ended: Result<_, Error>| {
            let outcome = ended.as_ref().map_or_else(outcome_of, |_| Outcome::ok());
            log.admin(draft, outcome).await?;
            ended
        };
        let (keyring, stopping) = (self.keyring.clone(), self.stopping.clone());
        Ok(Rotation::begin(keyring, stopping, put_on_record))
    }

    async fn status(&self, context: &Context, probe: bool) -> Result<GetKeyStatusResponse, Error> {
        let status = self.keyring.status(probe).await?;
        let draft = self.draft(context, Operation::KeyStatus)?;
        self.log.admin(draft, Outcome::ok()).await?;
        Ok(wire::status(status))
    }

    fn draft(&self, context: &Context, operation: Operation) -> Result<Draft, Error> {
        let call_id = CallId::make(&*self.clock, &*self.random)?;
        Ok(Draft::system(operation, call_id).context(context))
    }

    /// Puts a refusal on record and turns it into what the caller sees.
    async fn refuse(&self, context: &Context, operation: Operation, error: Error) -> Status {
        let recorded = match self.draft(context, operation) {
            Ok(draft) => self
                .log
                .admin(draft, outcome_of(&error))
                .await
                .map_err(Error::from),
            Err(error) => Err(error),
        };
        if let Err(unrecorded) = recorded {
            tracing::error!(request_id = %context.request_id, error = %unrecorded, "a refusal is not on the log");
        }
        context.refuse(&error)
    }
}

fn outcome_of(error: &Error) -> Outcome {
    match error.kind() {
        ErrorKind::Unavailable | ErrorKind::Internal => Outcome::failed(error.reason()),
        _ => Outcome::refused(error.reason()),
    }
}

#[tonic::async_trait]
impl KeyService for KeyApi {
    type RotateKekStream = Responses;

    async fn rotate_kek(&self, request: Request<RotateKekRequest>) -> Result<Response<Responses>, Status> {
        let context = Context::of_stream(&request)?;
        match self.rotate(&context, request.into_inner().to_version).await {
            Ok(rotation) => Ok(Response::new(rotation.responses(context))),
            Err(error) => Err(self.refuse(&context, Operation::KeyRotate, error).await),
        }
    }

    async fn get_key_status(
        &self,
        request: Request<GetKeyStatusRequest>,
    ) -> Result<Response<GetKeyStatusResponse>, Status> {
        let context = Context::of(&request)?;
        match self.status(&context, request.into_inner().probe).await {
            Ok(status) => Ok(Response::new(status)),
            Err(error) => Err(self.refuse(&context, Operation::KeyStatus, error).await),
        }
    }
}
