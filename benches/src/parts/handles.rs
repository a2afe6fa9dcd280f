//! Handles issued: each is a row in the vault's database and an entry in its log, both durable before the answer.

use std::{sync::Arc, time::Duration};

use hubkeep_proto::credential::v1::handle_service_client::HandleServiceClient;
use tonic::transport::Channel;

use super::{Measured, Place};
use crate::{
    Failure,
    figures::HANDLES_ISSUED,
    load::{Load, Work},
    stage::{CALLER, Keeping, Stage, named, wish},
};

const CALLERS: usize = 64;
const PORTALS: u32 = 64;
const LENGTH: Duration = Duration::from_secs(4);
/// Living handles that a caller may hold of one portal.
const HANDLES_A_NAME: u64 = 64;

pub(super) async fn measure(place: &Place) -> Measured {
    let stage = Stage::start(place, PORTALS, Keeping::Sqlite).await?;
    stage.onboard_all().await?;
    // The first of each portal makes its key.
    stage.handles().await?;
    let issuing = Arc::new(Issuing {
        client: HandleServiceClient::new(stage.to_credential().await?),
        slugs: stage.portals().iter().map(|portal| portal.slug.clone()).collect(),
    });
    let load = Load::run(&place.clock, CALLERS, LENGTH, &issuing).await?;
    drop(issuing);
    stage.stop().await;
    Ok(vec![(HANDLES_ISSUED, load.per_second())])
}

struct Issuing {
    client: HandleServiceClient<Channel>,
    slugs: Vec<String>,
}

impl Work for Issuing {
    async fn once(&self, caller: usize, turn: u64) -> Result<(), Failure> {
        let slug = self.slugs.get(caller).ok_or("fewer portals than callers")?;
        let name = format!("{CALLER}-{}", turn / HANDLES_A_NAME);
        let request = named(&name, wish(slug))?;
        self.client.clone().issue_handle(request).await?;
        Ok(())
    }
}
