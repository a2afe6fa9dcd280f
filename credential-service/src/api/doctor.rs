//! `RunDoctor`: every portal examined, a few at once, and told of as it is ready.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use hubkeep_audit_log::Operation;
use hubkeep_core::{
    grpc::Context,
    id::{ClientSlug, PortalId},
};
use hubkeep_proto::credential::v1::{
    self as wire, CredentialExamined, DailyCalls, FindingKind, PortalExamined, RunDoctorRequest,
    RunDoctorResponse, run_doctor_response::Message,
};
use tonic::{Request, Response, Status};

use super::{Desk, Error, fields, portal::kind_to_wire};
use crate::{
    fleet::{
        Fleet,
        doctor::{Finding, Kind, Look},
    },
    portals::{self, Altered, Listed, Portal, Portals},
    record::Act,
};

/// Portals that are examined at the same time.
const AT_ONCE: usize = 8;
/// How long one portal may take: each of its tokens waits for room in its own quota, and in its app's.
const PORTAL_LIMIT: Duration = Duration::from_secs(60);
/// What each of its credentials adds to that.
const CREDENTIAL_LIMIT: Duration = Duration::from_secs(10);
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
        .map(move |chosen| examine(Arc::clone(&run), chosen))
        .buffer_unordered(AT_ONCE)
        .map_ok(|examined| RunDoctorResponse {
            message: Some(Message::Portal(examined)),
        });
    Ok(Response::new(Box::pin(stream::iter(of_service).chain(examined))))
}

/// What there is to be told about.
enum Chosen {
    /// A portal with rows.
    Listed(Listed),
    /// One without, of which the log knows.
    Missing(PortalId),
    /// A slug that no portal has.
    Unknown(ClientSlug),
}

/// The portals that were named, or all.
async fn chosen(portals: &Portals, slugs: &[ClientSlug]) -> Result<Vec<Chosen>, Error> {
    let mut found = portals.all().await?;
    if slugs.is_empty() {
        let missing = portals.missing().await?.into_iter().map(Chosen::Missing);
        return Ok(found.into_iter().map(Chosen::Listed).chain(missing).collect());
    }
    let is_named = |slug: &ClientSlug, listed: &Listed| listed.client_slug() == slug.as_str();
    let unknown = slugs
        .iter()
        .filter(|slug| !found.iter().any(|listed| is_named(slug, listed)));
    let unknown: Vec<Chosen> = unknown.cloned().map(Chosen::Unknown).collect();
    found.retain(|listed| slugs.iter().any(|slug| is_named(slug, listed)));
    Ok(found.into_iter().map(Chosen::Listed).chain(unknown).collect())
}

/// In a task of its own, so that a client which hangs up does not cut an examination from its entry.
async fn examine(run: Arc<Run>, chosen: Chosen) -> Result<PortalExamined, Status> {
    let context = run.context.clone();
    let task = tokio::spawn(async move {
        let mut context = run.context.clone();
        context.deadline = run.desk.time_in(limit(&chosen));
        let act = run.desk.begin(context, Operation::DoctorRun)?;
        match chosen {
            Chosen::Listed(Listed::Intact(portal)) => of_portal(&run, &act, &portal).await,
            Chosen::Listed(Listed::Altered(altered)) => of_altered(&run, &act, altered).await,
            Chosen::Missing(portal_id) => of_missing(&run, &act, portal_id).await,
            Chosen::Unknown(slug) => of_unknown(&run, &act, slug).await,
        }
    });
    let examined = task.await.map_err(Error::from).flatten();
    examined.map_err(|error| context.refuse(&error))
}

fn limit(chosen: &Chosen) -> Duration {
    let credentials = match chosen {
        Chosen::Listed(Listed::Intact(portal)) => portal.credentials.len(),
        _ => 0,
    };
    let credentials = u32::try_from(credentials).unwrap_or(u32::MAX);
    PORTAL_LIMIT.saturating_add(CREDENTIAL_LIMIT.saturating_mul(credentials))
}

async fn of_portal(run: &Run, act: &Act, portal: &Portal) -> Result<PortalExamined, Error> {
    let examined = run.fleet.examine(act, portal, run.max_age).await;
    let examined = run.desk.on_record(act, Ok(examined)).await?;
    Ok(PortalExamined {
        client_slug: portal.client_slug.to_string(),
        portal_id: portal.portal_id.get(),
        findings: examined.findings.iter().map(finding_to_wire).collect(),
        data_hosting_location: examined.data_hosting_location,
        credentials: examined.credentials.iter().map(look_to_wire).collect(),
        daily_calls: examined.usage.map(|usage| DailyCalls {
            limit: usage.limit,
            left: usage.limit.saturating_sub(usage.used),
        }),
    })
}

/// Only the log says that there was such a portal: the entry goes to the service's own.
async fn of_missing(run: &Run, act: &Act, portal_id: PortalId) -> Result<PortalExamined, Error> {
    run.desk.on_record(act, Ok(())).await?;
    Ok(PortalExamined {
        portal_id: portal_id.get(),
        findings: vec![finding_to_wire(&Finding::missing())],
        ..PortalExamined::default()
    })
}

async fn of_unknown(run: &Run, act: &Act, slug: ClientSlug) -> Result<PortalExamined, Error> {
    act.claims(&slug);
    let refused = portals::Error::Unknown(slug.clone());
    let finding = Finding::unknown(&refused);
    match run.desk.on_record::<()>(act, Err(refused.into())).await {
        Ok(()) | Err(Error::Portals(portals::Error::Unknown(_))) => Ok(PortalExamined {
            client_slug: slug.to_string(),
            findings: vec![finding_to_wire(&finding)],
            ..PortalExamined::default()
        }),
        Err(error) => Err(error),
    }
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
            ..PortalExamined::default()
        }),
        Err(error) => Err(error),
    }
}

fn look_to_wire(look: &Look) -> CredentialExamined {
    CredentialExamined {
        credential_name: look.name.to_string(),
        credential_kind: kind_to_wire(look.kind).into(),
        token_age: look.age.and_then(|age| age.try_into().ok()),
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
        Kind::Contained => FindingKind::Contained,
        Kind::RollbackSuspected => FindingKind::RollbackSuspected,
        Kind::NotExamined => FindingKind::NotExamined,
        Kind::ApiVersionSunset => FindingKind::ApiVersionSunset,
        Kind::OldTokenAlive => FindingKind::OldTokenAlive,
        Kind::ConsumersBehind => FindingKind::ConsumersBehind,
        Kind::Altered => FindingKind::Altered,
        Kind::Missing => FindingKind::Missing,
        Kind::TokenUnreadable => FindingKind::TokenUnreadable,
        Kind::Unknown => FindingKind::Unknown,
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
