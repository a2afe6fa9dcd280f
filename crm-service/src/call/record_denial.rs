//! Puts on record what is refused further down: in the portal's log where a redeemed handle proves the portal, else
//! in the service's own.

use std::sync::{Arc, OnceLock};

use hubkeep_audit_log::{AuditLog, Draft, Operation as Recorded, Outcome};
use hubkeep_core::{error::ServiceError as _, grpc::Context, id::CallId};

use super::{Call, Error, Next, ObjectRefs, Presented, Reply, Step};
use crate::{
    credentials::Grant,
    crm::{Ask, AssociationAsk, BatchWork, ObjectType, PipelineWork, SchemaAsk},
};

/// The step. Stands above everything that refuses.
#[derive(Clone, Debug)]
pub struct RecordDenial {
    log: AuditLog,
    object_refs: ObjectRefs,
}

impl RecordDenial {
    /// Refusals go to this log.
    pub const fn new(log: AuditLog, object_refs: ObjectRefs) -> Self {
        Self { log, object_refs }
    }

    pub(super) async fn record(&self, refused: Refused, error: &Error) {
        let outcome = Outcome::refused(error.reason());
        let actor_ref = self.actor_of(&refused).await;
        let draft = refused.draft().actor(actor_ref.as_deref());
        if let Err(unrecorded) = self.log.denied(draft, outcome).await {
            // The caller is refused in any case; that it is not on record must at least be seen.
            tracing::error!(error = %unrecorded, reason = error.reason().wire_name(), "a refusal was not recorded");
        }
    }
}

impl RecordDenial {
    /// On whose behalf it was asked, where that is known and the portal's key can be used: the refusal is recorded in any case.
    async fn actor_of(&self, refused: &Refused) -> Option<String> {
        let grant = refused.proven.get()?;
        let actor_ref = self
            .object_refs
            .of_actor(grant.portal().portal_id(), grant.end_user());
        actor_ref.await.unwrap_or_else(|error| {
            tracing::warn!(%error, "a refusal is recorded without the person on whose behalf it was asked");
            None
        })
    }
}

impl Step<Call<Presented>> for RecordDenial {
    type Out = Call<Presented>;

    async fn take(&self, call: Call<Presented>, next: &Next<Call<Presented>>) -> Result<Reply, Error> {
        let refused = Refused::of(&call);
        let result = next.run(call).await;
        if let Err(error) = &result
            && !error.reached_hubspot()
            // Nothing is refused: the caller is answered otherwise.
            && !matches!(error, Error::NothingKept)
        {
            // Rare, and large: kept apart, so that what every call carries along stays small.
            Box::pin(self.record(refused, error)).await;
        }
        result
    }
}

/// What an entry about a refusal says.
pub(super) struct Refused {
    operation: Recorded,
    object_type: Option<ObjectType>,
    context: Arc<Context>,
    call_id: CallId,
    proven: Arc<OnceLock<Arc<Grant>>>,
}

impl Refused {
    fn of(call: &Call<Presented>) -> Self {
        Self {
            operation: recorded_as(&call.ask),
            object_type: Some(call.ask.object_type()),
            context: call.context.clone(),
            call_id: call.call_id,
            proven: call.proven.clone(),
        }
    }

    /// A request that is refused beside the stack; of one whose message could not be read no type is known.
    pub(super) fn beside(
        (operation, object_type): (Recorded, Option<ObjectType>),
        context: Arc<Context>,
        call_id: CallId,
        proven: OnceLock<Arc<Grant>>,
    ) -> Self {
        Self {
            operation,
            object_type,
            context,
            call_id,
            proven: Arc::new(proven),
        }
    }

    fn draft(self) -> Draft {
        let draft = match self.proven.get() {
            Some(grant) => Draft::portal(grant.portal(), self.operation, self.call_id)
                .handle(grant.handle_id())
                .purpose(grant.purpose()),
            None => Draft::system(self.operation, self.call_id),
        };
        draft
            .context(&self.context)
            .object(self.object_type.as_ref().map_or("", ObjectType::as_str), None)
    }
}

/// The word that entries have for what is asked.
pub(super) fn recorded_as(ask: &Ask) -> Recorded {
    match ask {
        Ask::GetObject { .. } => Recorded::ObjectGet,
        Ask::ListObjects { .. } => Recorded::ObjectList,
        Ask::SearchObjects(_) => Recorded::ObjectSearch,
        Ask::CreateObject { .. } => Recorded::ObjectCreate,
        Ask::UpdateObject { .. } => Recorded::ObjectUpdate,
        Ask::ArchiveObject { .. } => Recorded::ObjectArchive,
        Ask::MergeObjects { .. } => Recorded::ObjectMerge,
        Ask::EraseContact { .. } => Recorded::ContactErase,
        Ask::Batch(batch) => match batch.work {
            BatchWork::Read { .. } => Recorded::ObjectBatchRead,
            BatchWork::Create(_) => Recorded::ObjectBatchCreate,
            BatchWork::Update { .. } => Recorded::ObjectBatchUpdate,
            BatchWork::Upsert { .. } => Recorded::ObjectUpsert,
            BatchWork::Archive(_) => Recorded::ObjectBatchArchive,
        },
        Ask::Association(ask) => match **ask {
            AssociationAsk::List { .. } => Recorded::AssociationList,
            AssociationAsk::Create { .. } => Recorded::AssociationCreate,
            AssociationAsk::Remove { .. } => Recorded::AssociationRemove,
            AssociationAsk::ReadMany { .. } => Recorded::AssociationBatchRead,
            AssociationAsk::CreateMany { .. } | AssociationAsk::LabelMany { .. } => {
                Recorded::AssociationBatchCreate
            }
            AssociationAsk::RemoveMany { .. } => Recorded::AssociationBatchRemove,
            AssociationAsk::UnlabelMany { .. } => Recorded::AssociationLabelBatchRemove,
            AssociationAsk::Labels { .. } => Recorded::AssociationLabelList,
        },
        Ask::Schema(ask) => match **ask {
            SchemaAsk::Properties { .. } => Recorded::PropertyList,
            SchemaAsk::Property { .. } => Recorded::PropertyGet,
            SchemaAsk::Pipelines(_) => Recorded::PipelineList,
            SchemaAsk::Pipeline { .. } => Recorded::PipelineGet,
            SchemaAsk::CreateProperty { .. } => Recorded::PropertyCreate,
            SchemaAsk::UpdateProperty { .. } => Recorded::PropertyUpdate,
            SchemaAsk::ArchiveProperty { .. } => Recorded::PropertyArchive,
            SchemaAsk::Work { ref work, .. } => match work {
                PipelineWork::Create(_) => Recorded::PipelineCreate,
                PipelineWork::Update(..) => Recorded::PipelineUpdate,
                PipelineWork::Archive(_) => Recorded::PipelineArchive,
                PipelineWork::CreateStage(..) => Recorded::PipelineStageCreate,
                PipelineWork::UpdateStage(..) => Recorded::PipelineStageUpdate,
                PipelineWork::ArchiveStage(..) => Recorded::PipelineStageArchive,
            },
            SchemaAsk::Types => Recorded::ObjectTypeList,
            SchemaAsk::Type(_) => Recorded::ObjectTypeGet,
        },
        Ask::ListOwners { .. } => Recorded::OwnerList,
        Ask::GetOwner { .. } => Recorded::OwnerGet,
        Ask::ReadAccount => Recorded::AccountRead,
    }
}
