//! `RunDoctor`: every portal examined, a few at once, and told of as it is ready.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use hubkeep_audit_log::Operation;
use hubkeep_core::{grpc::Context, id::ClientSlug};
use hubkeep_proto::credential::v1::{
    self as wire, FindingKind, PortalExamined, RunDoctorRequest, RunDoctorResponse,
    run_doctor_response::Message,
};
use tonic::{Request, Response, Status};

use super::{Desk, Error, fields};
use crate::{
    fleet::{
        Fleet,
        doctor::{Finding, Kind},
    },
    portals::{self, Altered, Listed, Portal, Portals},
    record::Act,
};

/// Portals that are examined at the same time.
const AT_ONCE: usize = 8;
/// How long one portal may take: each of its tokens waits for room in its own quota.
const PORTAL_LIMIT: Duration = Duration::from_secs(60);
/// How old a token may be, where nobody says: HubSpot itself reminds of rotation then.
const MAX_AGE: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// What is found, portal by portal.
pub(super) type Examinations = Pin<Box<dyn Stream<Item = Result<RunDoctorResponse, Status>> + Send>>;

/// What all portals of one run share.
struct Run {
    desk: Desk,
    fleet: Fleet,
    context: Context,
    max_age: Duration,
}

/// Examines each portal. The run leaves one entry when it begins, and each portal one of its own.
pub(super) async fn run(
    desk: Desk,
    portals: Portals,
    fleet: Fleet,
    request: Request<RunDoctorRequest>,
) -> Result<Response<Examinations>, Status> {
    let context = Context::of(&request)?;
    let read = async move |_act, request: RunDoctorRequest| {
        let age = request
            .max_token_age
            .map(|age| fields::duration("max_token_age", age))
            .transpose()?;
        let slugs: Vec<ClientSlug> = request
            .client_slugs
            .iter()
            .map(|slug| fields::name("client_slugs", slug))
            .collect::<Result<_, _>>()?;
        Ok((chosen(&portals, &slugs).await?, age.unwrap_or(MAX_AGE)))
    };
    let opened = desk.answer(request, Operation::DoctorRun, read).await?;
    let (portals, max_age) = opened.into_inner();
    let service = fleet.examine_service();
    let run = Arc::new(Run {
        desk,
        fleet,
        context,
        max_age,
    });
    let of_service = service.map(|finding| {
        Ok(RunDoctorResponse {
            message: Some(Message::Service(finding_to_wire(&finding))),
        })
    });
    let examined = stream::iter(portals)
        .map(move |portal| examine(Arc::clone(&run), portal))
        .buffer_unordered(AT_ONCE)
        .map_ok(|examined| RunDoctorResponse {
            message: Some(Message::Portal(examined)),
        });
    Ok(Response::new(Box::pin(stream::iter(of_service).chain(examined))))
}

/// The portals that were named, or all.
async fn chosen(portals: &Portals, slugs: &[ClientSlug]) -> Result<Vec<Listed>, Error> {
    let mut found = portals.all().await?;
    if slugs.is_empty() {
        return Ok(found);
    }
    let unknown = slugs
        .iter()
        .find(|slug| found.iter().all(|listed| listed.client_slug() != slug.as_str()));
    if let Some(unknown) = unknown {
        return Err(portals::Error::Unknown(unknown.clone()).into());
    }
    found.retain(|listed| slugs.iter().any(|slug| slug.as_str() == listed.client_slug()));
    Ok(found)
}

/// In a task of its own, so that a client which hangs up does not cut an examination from its entry.
async fn examine(run: Arc<Run>, listed: Listed) -> Result<PortalExamined, Status> {
    let context = run.context.clone();
    let task = tokio::spawn(async move {
        let mut context = run.context.clone();
        context.deadline = run.desk.time_in(PORTAL_LIMIT);
        let act = run.desk.begin(context, Operation::DoctorRun)?;
        match listed {
            Listed::Intact(portal) => of_portal(&run, &act, &portal).await,
            Listed::Altered(altered) => of_altered(&run, &act, altered).await,
        }
    });
    let examined = task.await.map_err(Error::from).flatten();
    examined.map_err(|error| context.refuse(&error))
}

async fn of_portal(run: &Run, act: &Act, portal: &Portal) -> Result<PortalExamined, Error> {
    let findings = run.fleet.examine(act, portal, run.max_age).await;
    let findings = run.desk.on_record(act, Ok(findings)).await?;
    Ok(PortalExamined {
        client_slug: portal.client_slug.to_string(),
        portal_id: portal.portal_id.get(),
        findings: findings.iter().map(finding_to_wire).collect(),
    })
}

/// Nothing proves whose the rows are: the entry goes to the service's own log, and says that the portal is refused.
async fn of_altered(run: &Run, act: &Act, altered: Altered) -> Result<PortalExamined, Error> {
    if let Ok(slug) = altered.client_slug.parse() {
        act.claims(&slug);
    }
    let refused = portals::Error::Altered(altered.client_slug.clone());
    let finding = Finding::altered(&refused);
    match run.desk.on_record::<()>(act, Err(refused.into())).await {
        Ok(()) | Err(Error::Portals(portals::Error::Altered(_))) => Ok(PortalExamined {
            client_slug: altered.client_slug,
            portal_id: u64::try_from(altered.portal_id).unwrap_or(0),
            findings: vec![finding_to_wire(&finding)],
        }),
        Err(error) => Err(error),
    }
}

fn finding_to_wire(finding: &Finding) -> wire::Finding {
    let kind = match finding.kind {
        Kind::IdentityChanged => FindingKind::IdentityChanged,
        Kind::TokenRefused => FindingKind::TokenRefused,
        Kind::DataMoved => FindingKind::DataMoved,
        Kind::ScopesDrifted => FindingKind::ScopesDrifted,
        Kind::TokenOld => FindingKind::TokenOld,
        Kind::QuotaLow => FindingKind::QuotaLow,
        Kind::Suspended => FindingKind::Suspended,
        Kind::RollbackSuspected => FindingKind::RollbackSuspected,
        Kind::NotExamined => FindingKind::NotExamined,
        Kind::ApiVersionSunset => FindingKind::ApiVersionSunset,
        Kind::OldTokenAlive => FindingKind::OldTokenAlive,
        Kind::ConsumersBehind => FindingKind::ConsumersBehind,
        Kind::Altered => FindingKind::Altered,
    };
    wire::Finding {
        kind: kind.into(),
        message: finding.message.clone(),
        credential_name: finding
            .credential
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}
