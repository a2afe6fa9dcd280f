//! What it saves HubSpot, and costs readers, that reads which are alike become one.

use std::{sync::Arc, time::Duration};

use futures::future::try_join_all;
use hubkeep_core::grpc::CALLER_HEADER;
use hubkeep_crm_service::call::CoalesceConfig;
use hubkeep_proto::{
    credential::v1::{HandleOperation, handle_service_client::HandleServiceClient},
    crm::v1::{CreateObjectRequest, GetObjectRequest, object_service_client::ObjectServiceClient},
};
use hubspot_sim::{Fault, FaultRule};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use super::{Measured, Place};
use crate::{
    Failure,
    figures::{COALESCED_P50, COALESCING_50, UNCOALESCED_P50},
    load::{Load, Work},
    stage::{CALLER, Keeping, Stage, named, wish},
};

const READERS: usize = 50;
const ANSWER_MS: u64 = 50;
const LENGTH: Duration = Duration::from_secs(8);

pub(super) async fn measure(place: &Place) -> Measured {
    let (_, alone_ms) = readers(
        place,
        CoalesceConfig {
            window: Duration::ZERO,
        },
    )
    .await?;
    let (saved, together_ms) = readers(place, CoalesceConfig::default()).await?;
    Ok(vec![
        (COALESCING_50, saved),
        (COALESCED_P50, together_ms),
        (UNCOALESCED_P50, alone_ms),
    ])
}

/// How many reads one call to HubSpot has answered, and what half of them took at most.
async fn readers(place: &Place, coalesce: CoalesceConfig) -> Result<(f64, f64), Failure> {
    let stage = Stage::start_with(place, 1, Keeping::Sqlite, |config| config.coalesce = coalesce).await?;
    stage.onboard_all().await?;
    let readers = Arc::new(Readers::of(&stage).await?);
    stage
        .simulator
        .inject(FaultRule::new(Fault::Slow { ms: ANSWER_MS }));
    let before = stage.simulator.journal().len();
    let load = Load::run(&place.clock, READERS, LENGTH, &readers).await?;
    let calls = u32::try_from(stage.simulator.journal().len().saturating_sub(before))?;
    drop(readers);
    stage.stop().await;
    let reads = u32::try_from(load.count())?;
    Ok((f64::from(reads) / f64::from(calls), load.median_ms()))
}

/// Readers of one portal, each of a contact of its own.
struct Readers {
    client: ObjectServiceClient<Channel>,
    slug: String,
    handle: MetadataValue<Ascii>,
    contacts: Vec<String>,
}

impl Readers {
    async fn of(stage: &Stage) -> Result<Self, Failure> {
        let slug = stage.portals().first().ok_or("there is no portal")?.slug.clone();
        let mut wish = wish(&slug);
        let scope = wish.scope.get_or_insert_default();
        scope.operations.push(HandleOperation::Create.into());
        let mut handles = HandleServiceClient::new(stage.to_credential().await?);
        let issued = handles.issue_handle(named(CALLER, wish)?).await?;
        let mut readers = Self {
            client: ObjectServiceClient::new(stage.to_crm().await?),
            slug,
            handle: format!("Bearer {}", issued.into_inner().handle).parse()?,
            contacts: Vec::new(),
        };
        let made = (0..READERS).map(|number| readers.make(number));
        readers.contacts = try_join_all(made).await?;
        Ok(readers)
    }

    async fn make(&self, number: usize) -> Result<String, Failure> {
        let email = format!("reader-{number}@example.com");
        let request = self.request(CreateObjectRequest {
            client_slug: self.slug.clone(),
            object_type: "contacts".to_owned(),
            properties: [("email".to_owned(), email)].into(),
            ..CreateObjectRequest::default()
        })?;
        let made = self.client.clone().create_object(request).await?.into_inner();
        Ok(made.object.ok_or("nothing was made")?.object_id)
    }

    fn request<T>(&self, message: T) -> Result<Request<T>, Failure> {
        let mut request = Request::new(message);
        let metadata = request.metadata_mut();
        metadata.insert(CALLER_HEADER, MetadataValue::try_from(CALLER)?);
        metadata.insert("authorization", self.handle.clone());
        Ok(request)
    }
}

impl Work for Readers {
    async fn once(&self, caller: usize, _turn: u64) -> Result<(), Failure> {
        let contact = self.contacts.get(caller).ok_or("there is no such contact")?;
        let request = self.request(GetObjectRequest {
            client_slug: self.slug.clone(),
            object_type: "contacts".to_owned(),
            object_id: contact.clone(),
            ..GetObjectRequest::default()
        })?;
        self.client.clone().get_object(request).await?;
        Ok(())
    }
}
