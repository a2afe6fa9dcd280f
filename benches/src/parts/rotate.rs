//! A thousand tokens replaced, of a HubSpot that takes its time, under calls that must not notice it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use hubkeep_core::clock::SharedClock;
use hubkeep_proto::{
    credential::v1::{
        ImportRotationOutcome, ImportRotationsRequest, rotation_service_client::RotationServiceClient,
    },
    crm::v1::{GetObjectRequest, object_service_client::ObjectServiceClient},
};
use hubspot_sim::{Expire, Fault};
use tokio::task::JoinSet;
use tonic::{Request, metadata::MetadataValue, transport::Channel};

use super::{Measured, Place};
use crate::{
    Failure,
    figures::{ON_POSTGRES, ON_SQLITE, Thousand},
    stage::{CALLER, CONTACT, Keeping, OPERATOR, Stage, named},
};

const PORTALS: u32 = 1_000;
const ANSWER_MS: u64 = 50;
/// Ten callers, each five times a second: 50 calls a second.
const CALLERS: usize = 10;
const PACE: Duration = Duration::from_millis(200);

/// The calls that go on meanwhile.
struct Traffic {
    portals: Vec<(String, String)>,
    made: AtomicU64,
    failed: AtomicU64,
    stop: AtomicBool,
}

pub(super) fn figures() -> Vec<&'static str> {
    let of = |figures: &Thousand| [figures.rotate_s, figures.rotate_calls, figures.rotate_failed];
    [of(&ON_SQLITE), of(&ON_POSTGRES)].concat()
}

pub(super) async fn measure(place: &Place) -> Measured {
    let mut measured = Vec::new();
    for (keeping, figures) in Keeping::all() {
        measured.extend(under_calls(place, keeping, &figures).await?);
    }
    Ok(measured)
}

async fn under_calls(place: &Place, keeping: Keeping, figures: &Thousand) -> Measured {
    let stage = Stage::start(place, PORTALS, keeping).await?;
    stage.onboard_all().await?;
    let mut rows = Vec::new();
    for (row, portal) in (1..).zip(stage.portals()) {
        let old = portal.first_token().unwrap_or_default();
        let new = format!("{old}-rotated");
        stage.simulator.rotate_token(old, &new, Expire::Later)?;
        rows.push(ImportRotationsRequest {
            row,
            client_slug: portal.slug.clone(),
            portal_token: new,
            ..ImportRotationsRequest::default()
        });
    }
    let handles = stage.handles().await?;
    let slugs = stage.portals().iter().map(|portal| portal.slug.clone());
    let traffic = Arc::new(Traffic {
        portals: slugs.zip(handles).collect(),
        made: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        stop: AtomicBool::new(false),
    });
    stage.simulator.inject(Fault::Slow { ms: ANSWER_MS });
    let crm = stage.to_crm().await?;
    let mut calling = JoinSet::new();
    for caller in 0..CALLERS {
        calling.spawn(steady(
            place.clock.clone(),
            crm.clone(),
            caller,
            Arc::clone(&traffic),
        ));
    }
    let began = place.clock.tick();
    rotate(&stage, rows).await?;
    let took = place.clock.tick().since(began);
    traffic.stop.store(true, Ordering::Release);
    while let Some(ended) = calling.join_next().await {
        ended??;
    }
    stage.stop().await;
    let count =
        |counter: &AtomicU64| f64::from(u32::try_from(counter.load(Ordering::Acquire)).unwrap_or(u32::MAX));
    Ok(vec![
        (figures.rotate_s, took.as_secs_f64()),
        (figures.rotate_calls, count(&traffic.made)),
        (figures.rotate_failed, count(&traffic.failed)),
    ])
}

async fn rotate(stage: &Stage, rows: Vec<ImportRotationsRequest>) -> Result<(), Failure> {
    let mut client = RotationServiceClient::new(stage.to_credential().await?);
    let rows = named(OPERATOR, futures::stream::iter(rows))?;
    let mut outcomes = client.import_rotations(rows).await?.into_inner();
    while let Some(outcome) = outcomes.message().await? {
        if outcome.outcome() != ImportRotationOutcome::Switched {
            return Err(format!("a row was refused: {outcome:?}").into());
        }
    }
    Ok(())
}

/// One caller: from portal to portal at its pace, whatever becomes of its calls.
async fn steady(
    clock: SharedClock,
    crm: Channel,
    caller: usize,
    traffic: Arc<Traffic>,
) -> Result<(), Failure> {
    let mut client = ObjectServiceClient::new(crm);
    let own = traffic.portals.iter().skip(caller).step_by(CALLERS);
    for (client_slug, handle) in own.cycle() {
        if traffic.stop.load(Ordering::Acquire) {
            break;
        }
        let next = clock.tick().plus(PACE);
        let mut request: Request<GetObjectRequest> = named(
            CALLER,
            GetObjectRequest {
                client_slug: client_slug.clone(),
                object_type: "contacts".to_owned(),
                object_id: CONTACT.to_owned(),
                ..GetObjectRequest::default()
            },
        )?;
        let authorization = MetadataValue::try_from(format!("Bearer {handle}"))?;
        request.metadata_mut().insert("authorization", authorization);
        let answer = client.get_object(request).await;
        traffic.made.fetch_add(1, Ordering::AcqRel);
        if answer.is_err() {
            traffic.failed.fetch_add(1, Ordering::AcqRel);
        }
        clock.sleep_until(next).await;
    }
    Ok(())
}
