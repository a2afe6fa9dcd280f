//! What the demo plays on: a simulated HubSpot and both services, all temporary.

use std::net::SocketAddr;

use hubkeep_core::{clock::SharedClock, random::SharedRandom};
use hubspot_sim::{Control, Simulator, TokenSpec, World};
use tempfile::TempDir;

use crate::{
    channel::Service,
    dev::{
        DataDir, grants,
        services::{Ports, Services, url},
    },
    errors::Error,
};

/// Everything that runs.
pub(super) struct Stage {
    simulator: Simulator,
    services: Services,
    credential: Service,
    crm: Service,
    world: World,
    pub(super) clock: SharedClock,
    /// Removed with everything in it when the demo ends.
    _folder: TempDir,
}

impl Stage {
    /// Starts everything; when this returns, all of it answers.
    pub(super) async fn start(
        fixed_ports: bool,
        clock: SharedClock,
        random: SharedRandom,
    ) -> Result<Self, Error> {
        let (ports, hubspot_port) = if fixed_ports {
            (
                Ports {
                    credential: 7401,
                    crm: 7402,
                    viewer: 7404,
                },
                7403,
            )
        } else {
            (
                Ports {
                    credential: 0,
                    crm: 0,
                    viewer: 0,
                },
                0,
            )
        };
        let listen = SocketAddr::from(([127, 0, 0, 1], hubspot_port));
        let world = world();
        let simulator = Simulator::start_on(world.clone(), listen)?;
        let folder = tempfile::Builder::new().prefix("hubkeep-demo-").tempdir()?;
        let data = DataDir::open(folder.path(), &*random)?;
        let services = Services::start(&data, &url(&simulator.base_url())?, ports, &clock, &random).await?;
        let credential = grants::by_operator(&services.credential_address(), &clock)?;
        grants::for_everybody_at_first(&credential).await?;
        Ok(Self {
            credential,
            crm: grants::crm_by_operator(&services.crm_address(), &clock)?,
            world,
            simulator,
            services,
            clock,
            _folder: folder,
        })
    }

    /// The service that keeps the tokens.
    pub(super) const fn credential(&self) -> &Service {
        &self.credential
    }

    /// The service that calls HubSpot.
    pub(super) const fn crm(&self) -> &Service {
        &self.crm
    }

    /// The list of the audit viewer, for a browser.
    pub(super) fn viewer_address(&self) -> String {
        self.services.viewer_address()
    }

    /// The hand on the simulator, for its journal.
    pub(super) fn hubspot(&self) -> &Control {
        &self.simulator
    }

    /// Where the simulator listens.
    pub(super) fn hubspot_address(&self) -> String {
        self.simulator.base_url()
    }

    /// The number and the token of a client in the simulated HubSpot.
    pub(super) fn client(&self, slug: &str) -> Result<(u64, &str), Error> {
        let portal = self.world.portal(slug);
        portal
            .and_then(|portal| Some((portal.portal_id, portal.first_token()?)))
            .ok_or_else(|| Error::Failed(format!("the demo world has no {slug}")))
    }

    /// Lets what is in flight end, and removes everything.
    pub(super) async fn stop(self) {
        self.services.stop().await;
        self.simulator.stop().await;
    }
}

/// A second token of initech, which somebody will enter for another client.
pub(super) const MISPLACED_TOKEN: &str = "pat-na1-00000000-demo-0000-0000-initech00002";

fn world() -> World {
    let mut world = World::demo();
    if let Some(initech) = world.portal_mut("initech") {
        initech.tokens.push(TokenSpec::private_app(MISPLACED_TOKEN));
    }
    world
}
