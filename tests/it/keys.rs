//! The key-encryption key rotated in real processes: killed at any row, and under redemptions that go on.

use std::{collections::BTreeMap, fs, path::Path, process::Command, sync::Arc};

use hubkeep_proto::credential::v1::{
    GetKeyStatusRequest, RedeemHandleRequest, RotateKekRequest, RotateKekResponse,
    key_service_client::KeyServiceClient, redemption_service_client::RedemptionServiceClient,
};
use hubkeep_tests::{
    Handle, Hubkeep, Service, World,
    support::{
        handles::named,
        keeping::Keeping,
        portals::OPERATOR,
        processes::{Process, credential_service_binary, hubkeep_binary, serve},
    },
};
use tonic::{
    Streaming,
    transport::{Channel, Endpoint},
};

const PORTALS: u32 = 150;

/// The data of a Hubkeep with portals and handles, which has ended; a second version of its key is named and made.
struct Vault {
    folder: tempfile::TempDir,
    keeping: Arc<Keeping>,
    handles: Vec<Handle>,
    tokens: Vec<String>,
}

impl Vault {
    async fn filled(keeping: Keeping) -> Self {
        let keeping = Arc::new(keeping);
        let of_service = Arc::clone(&keeping);
        let hubkeep = Hubkeep::over(World::of_portals(PORTALS))
            .without_crm()
            .credential(move |config| of_service.put(&mut config.database, &mut config.audit))
            .start()
            .await;
        hubkeep.onboard_all().await;
        let (mut handles, mut tokens) = (Vec::new(), Vec::new());
        for number in 1..=10 {
            let slug = format!("client-{number:04}");
            handles.push(hubkeep.handle(&slug).issue().await);
            tokens.push(hubkeep.token(&slug));
        }
        let vault = Self {
            folder: hubkeep.stop().await,
            keeping,
            handles,
            tokens,
        };
        vault.configure("current_version = 2\n");
        let made = Command::new(credential_service_binary())
            .args(["keys", "create", "--version", "2", "--config"])
            .arg(vault.config())
            .output()
            .expect("it runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        vault
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn config(&self) -> std::path::PathBuf {
        self.path().join("credential-service.toml")
    }

    fn configure(&self, policy: &str) {
        let text = format!(
            "deployment = \"test\"\n\
             [grpc]\nlisten = \"127.0.0.1:0\"\n{1}\
             [keys]\nkek_file = \"{0}/credential-service.kek\"\n{policy}\
             [[keys.kek]]\nversion = 2\nfile = \"{0}/credential-service-2.kek\"\n",
            self.path().display(),
            self.keeping.sections(self.path(), "credential-service")
        );
        fs::write(self.config(), text).expect("written");
    }

    fn start(&self) -> (Process, String) {
        let mut command = serve(credential_service_binary(), &self.config());
        Process::listening("credential-service", &mut command)
    }

    async fn assert_all_redeem(&self, address: &str) {
        for (handle, token) in self.handles.iter().zip(&self.tokens) {
            assert_eq!(&redeem(&channel(address), handle).await.expect("redeems"), token);
        }
    }
}

fn channel(address: &str) -> Channel {
    Endpoint::from_shared(address.to_owned())
        .expect("an address")
        .connect_lazy()
}

async fn redeem(channel: &Channel, handle: &Handle) -> Result<String, tonic::Status> {
    let request = RedeemHandleRequest {
        handle: handle.token.clone(),
        presented_by: handle.caller.clone(),
        call_id: "01890000-0000-7000-8000-000000000000".to_owned(),
        ..RedeemHandleRequest::default()
    };
    let request = named(Service::Crm.name(), request);
    let redeemed = RedemptionServiceClient::new(channel.clone())
        .redeem_handle(request)
        .await?;
    Ok(redeemed.into_inner().portal_token)
}

/// How many keys name each version that any key names.
async fn named_versions(address: &str) -> BTreeMap<u32, u64> {
    let request = named(OPERATOR, GetKeyStatusRequest::default());
    let told = KeyServiceClient::new(channel(address))
        .get_key_status(request)
        .await;
    let status = told.expect("told").into_inner();
    let counts = status
        .versions
        .iter()
        .map(|version| (version.version, version.key_count));
    counts.filter(|(_, keys)| *keys > 0).collect()
}

async fn rotation(address: &str) -> Streaming<RotateKekResponse> {
    let request = named(OPERATOR, RotateKekRequest { to_version: 2 });
    let opened = KeyServiceClient::new(channel(address)).rotate_kek(request).await;
    opened.expect("it begins").into_inner()
}

async fn ended(mut told: Streaming<RotateKekResponse>) -> RotateKekResponse {
    let mut last = RotateKekResponse::default();
    while let Some(progress) = told.message().await.expect("it goes on") {
        last = progress;
    }
    assert!(last.done, "{last:?}");
    last
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_killed_at_any_row_loses_nothing_and_the_next_one_does_the_rest_on_sqlite() {
    killed_at_any_row(Keeping::Files).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_killed_at_any_row_loses_nothing_and_the_next_one_does_the_rest_on_postgresql() {
    killed_at_any_row(Keeping::fresh_on_postgres()).await;
}

async fn killed_at_any_row(keeping: Keeping) {
    let vault = Vault::filled(keeping).await;
    let (mut process, mut address) = vault.start();
    let all: u64 = named_versions(&address).await.values().sum();
    let mut cut = 0;
    for row in [1, 2, 9, 17, 33] {
        let mut told = rotation(&address).await;
        while let Ok(Some(progress)) = told.message().await {
            if progress.rewrapped_count >= row {
                break;
            }
        }
        process.kill();
        (process, address) = vault.start();
        let named = named_versions(&address).await;
        assert_eq!(named.values().sum::<u64>(), all, "no key is gone: {named:?}");
        cut += usize::from(named.contains_key(&1));
    }
    assert!(cut > 0, "no kill came in time");
    vault.assert_all_redeem(&address).await;
    let last = ended(rotation(&address).await).await;
    assert_eq!((last.failed_count, last.remaining_count), (0, 0), "{last:?}");
    process.kill();
    let (process, address) = vault.start();
    assert_eq!(named_versions(&address).await, BTreeMap::from([(2, all)]));
    process.kill();

    // Nothing needs the old version: it is refused by policy, and its file is gone.
    vault.configure("oldest_accepted_version = 2\n");
    fs::remove_file(vault.path().join("credential-service.kek")).expect("removed");
    let (_process, address) = vault.start();
    vault.assert_all_redeem(&address).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redemptions_go_on_while_keys_are_rotated_and_none_fails() {
    let vault = Vault::filled(Keeping::Files).await;
    // A key is asked for anew at nearly every redemption.
    vault.configure("cached_for = \"1ms\"\n");
    let (_process, address) = vault.start();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let callers: Vec<_> = vault
        .handles
        .iter()
        .cloned()
        .map(|handle| {
            let (channel, stopped) = (channel(&address), stopped.clone());
            tokio::spawn(async move {
                let mut redeemed = 0_u64;
                while !*stopped.borrow() {
                    redeem(&channel, &handle).await.expect("no redemption fails");
                    redeemed += 1;
                }
                redeemed
            })
        })
        .collect();
    let last = ended(rotation(&address).await).await;
    assert_eq!(last.remaining_count, 0, "{last:?}");
    stop.send_replace(true);
    let mut redeemed = 0;
    for caller in callers {
        redeemed += caller.await.expect("no redemption fails");
    }
    assert!(
        redeemed > 10,
        "{redeemed} redemptions while {} keys were rotated",
        last.rewrapped_count
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_rotates_and_shows_the_keys_of_a_service() {
    let vault = Vault::filled(Keeping::Files).await;
    let (_process, address) = vault.start();
    let run = |words: &[&str]| {
        let output = Command::new(hubkeep_binary())
            .args(words)
            .args(["--of", "credential-service", "--as", OPERATOR])
            .env("HUBKEEP_CREDENTIAL_SERVICE", &address)
            .output()
            .expect("it runs");
        let heard = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {heard}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let before = run(&["keys", "status", "--probe"]);
    assert!(
        before.contains("version 2 wraps") && before.contains("usable"),
        "{before}"
    );
    let rotated = run(&["keys", "rotate", "--to", "2"]);
    assert!(rotated.contains("no key names an older one"), "{rotated}");
    let after: serde_json::Value =
        serde_json::from_str(&run(&["keys", "status", "--json"])).expect("a document");
    assert_eq!(after["status"]["versions"][0]["key_count"], 0, "{after}");

    let refused = Command::new(hubkeep_binary())
        .args([
            "keys",
            "rotate",
            "--to",
            "7",
            "--of",
            "credential-service",
            "--as",
            OPERATOR,
        ])
        .env("HUBKEEP_CREDENTIAL_SERVICE", &address)
        .output()
        .expect("it runs");
    assert_eq!(refused.status.code(), Some(4));
    let heard = String::from_utf8_lossy(&refused.stderr);
    assert!(heard.contains("KEK_VERSION_NOT_CURRENT"), "{heard}");
}
