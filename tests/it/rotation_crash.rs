//! credential-service killed without warning while it rotates, at many moments: each portal has its old token or its new
//! one, and never half of either.

use std::path::Path;

use futures::stream;
use hubkeep_proto::credential::v1::{
    ImportRotationOutcome, ImportRotationsRequest, ListPortalsRequest, ListRotationsRequest,
    OnboardPortalRequest, Portal, Rotation, VerifyPortalRequest, portal_service_client::PortalServiceClient,
    rotation_service_client::RotationServiceClient,
};
use hubkeep_tests::{
    Limits, World,
    support::{
        handles::named,
        keeping::Keeping,
        portals::OPERATOR,
        processes::{Process, credential_service_binary, credential_service_config, serve},
    },
};
use hubspot_sim::{Expire, Simulator, fingerprint};
use tonic::transport::{Channel, Endpoint};

const PORTALS: u32 = 12;
/// After how many answers the process is killed, round after round.
const MOMENTS: [usize; 6] = [0, 1, 3, 5, 8, 11];

/// credential-service as a process.
struct Vault {
    process: Process,
    channel: Channel,
}

impl Vault {
    fn start(config: &Path) -> Self {
        let mut command = serve(credential_service_binary(), config);
        let (process, address) = Process::listening("credential-service", &mut command);
        let channel = Endpoint::from_shared(address).expect("an address").connect_lazy();
        Self { process, channel }
    }

    async fn onboard(&self, world: &World) {
        let mut client = PortalServiceClient::new(self.channel.clone());
        for portal in &world.portals {
            let request = OnboardPortalRequest {
                client_slug: portal.slug.clone(),
                portal_token: portal.first_token().expect("it has one").to_owned(),
                ..OnboardPortalRequest::default()
            };
            client
                .onboard_portal(named(OPERATOR, request))
                .await
                .expect("onboarded");
        }
    }

    /// Rotates all rows until so many are answered; gives the outcomes.
    async fn rotate(&self, rows: Vec<ImportRotationsRequest>, until: usize) -> Vec<ImportRotationOutcome> {
        let mut client = RotationServiceClient::new(self.channel.clone());
        let opened = client.import_rotations(named(OPERATOR, stream::iter(rows))).await;
        let mut answers = opened.expect("begins").into_inner();
        let mut outcomes = Vec::new();
        while outcomes.len() < until {
            let answer = answers.message().await.expect("goes on").expect("goes on");
            outcomes.push(answer.outcome());
        }
        outcomes
    }

    async fn portals(&self) -> Vec<Portal> {
        let request = ListPortalsRequest {
            page_size: 1_000,
            page_token: String::new(),
        };
        let mut client = PortalServiceClient::new(self.channel.clone());
        let listed = client
            .list_portals(named(OPERATOR, request))
            .await
            .expect("listed");
        listed.into_inner().portals
    }

    async fn rotations(&self) -> Vec<Rotation> {
        let request = ListRotationsRequest {
            page_size: 1_000,
            include_ended: true,
            ..ListRotationsRequest::default()
        };
        let mut client = RotationServiceClient::new(self.channel.clone());
        let listed = client
            .list_rotations(named(OPERATOR, request))
            .await
            .expect("listed");
        listed.into_inner().rotations
    }

    /// The stored token is opened and shown to HubSpot: what the row says of it is true.
    async fn verify(&self, client_slug: &str) {
        let request = VerifyPortalRequest {
            client_slug: client_slug.to_owned(),
        };
        let mut client = PortalServiceClient::new(self.channel.clone());
        let verified = client.verify_portal(named(OPERATOR, request)).await;
        verified.unwrap_or_else(|status| panic!("{client_slug}: {status:?}"));
    }
}

fn token(client_slug: &str, round: usize) -> String {
    format!("pat-na1-{client_slug}-round-{round}")
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_the_process_is_killed_each_portal_has_its_old_token_or_its_new_one_on_sqlite() {
    killed_at_many_moments(Keeping::Files).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_the_process_is_killed_each_portal_has_its_old_token_or_its_new_one_on_postgresql() {
    killed_at_many_moments(Keeping::fresh_on_postgres()).await;
}

async fn killed_at_many_moments(keeping: Keeping) {
    let world = World::of_portals(PORTALS).limits(&Limits::unlimited());
    let hubspot = Simulator::start(world.clone()).expect("the simulator starts");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = credential_service_config(folder.path(), &hubspot.base_url(), &keeping);
    let mut vault = Vault::start(&config);
    vault.onboard(&world).await;
    let mut cut = 0;
    for (round, answers) in (1..).zip(MOMENTS) {
        let mut rows = Vec::new();
        for (number, portal) in (1..).zip(&world.portals) {
            let old = match round {
                1 => portal.first_token().expect("it has one").to_owned(),
                _ => token(&portal.slug, round - 1),
            };
            let new = token(&portal.slug, round);
            hubspot.rotate_token(&old, &new, Expire::Later).expect("minted");
            rows.push(ImportRotationsRequest {
                row: number,
                client_slug: portal.slug.clone(),
                portal_token: new,
                ..ImportRotationsRequest::default()
            });
        }
        vault.rotate(rows.clone(), answers).await;
        vault.process.kill();
        vault = Vault::start(&config);
        cut += whole(&vault, round, answers).await;
        let outcomes = vault.rotate(rows, world.portals.len()).await;
        assert!(
            !outcomes.contains(&ImportRotationOutcome::Refused),
            "round {round}: {outcomes:?}"
        );
        let left = whole(&vault, round, world.portals.len()).await;
        assert_eq!(left, 0, "round {round} is not done");
    }
    assert!(
        cut >= MOMENTS.len(),
        "the kills cut {cut} rotations off: nothing was shown"
    );
    for portal in &world.portals {
        vault.verify(&portal.slug).await;
    }
}

/// Each portal is whole, and those whose switch was answered have their new token; how many have the old one.
async fn whole(vault: &Vault, round: usize, answered: usize) -> usize {
    let (portals, rotations) = (vault.portals().await, vault.rotations().await);
    let mut behind = 0;
    for portal in &portals {
        let slug = &portal.client_slug;
        let of_portal = rotations.iter().filter(|rotation| rotation.client_slug == *slug);
        let versions: Vec<u64> = of_portal
            .clone()
            .map(|rotation| rotation.credential_version)
            .collect();
        let switched = versions.len();
        assert!([round - 1, round].contains(&switched), "{slug}: {versions:?}");
        // The row of the portal, its rotation and the version agree.
        assert_eq!(
            portal.credential_version,
            u64::try_from(switched).expect("small") + 1,
            "{slug}"
        );
        let newest = of_portal.max_by_key(|rotation| rotation.credential_version);
        if let Some(newest) = newest {
            assert_eq!(newest.new_fingerprint, portal.token_fingerprint, "{slug}");
            assert_eq!(
                newest.new_fingerprint,
                fingerprint(&token(slug, switched)),
                "{slug}"
            );
        }
        behind += usize::from(switched < round);
    }
    assert!(
        portals.len() - behind >= answered,
        "round {round}: what was answered is lost"
    );
    behind
}
