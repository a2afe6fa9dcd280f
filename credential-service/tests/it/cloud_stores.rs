//! The contract of secret stores for AWS Secrets Manager, against moto, and Google Cloud Secret Manager, against a double.
//! `make test-keys` runs it.

use hubkeep_credential_service::secret_store::{AwsSecretsConfig, Config, GcpSecretsConfig, StoreKind};
use hubkeep_seal::remote::{AwsConfig, GoogleConfig};
use hubkeep_test_doubles::{
    google::{Google, PROJECT},
    moto::Moto,
    trouble::{Parrot, Trouble},
};
use serde_json::json;

use crate::secret_stores::{LIMIT, Shelf};

fn in_aws(url: &str) -> Config {
    Config {
        store: StoreKind::Aws,
        aws: Some(AwsSecretsConfig {
            region: "eu-central-1".to_owned(),
            server: AwsConfig {
                endpoint: Some(url.parse().expect("an address")),
                limit: LIMIT,
            },
        }),
        ..Config::default()
    }
}

fn in_gcp(google: &Google) -> Config {
    Config {
        store: StoreKind::Gcp,
        gcp: Some(GcpSecretsConfig {
            project: PROJECT.to_owned(),
            server: GoogleConfig {
                account_file: Some(google.account_file()),
                endpoint: Some(google.url().parse().expect("an address")),
                limit: LIMIT,
                ..GoogleConfig::default()
            },
        }),
        ..Config::default()
    }
}

#[tokio::test]
async fn aws_keeps_the_contract() {
    let moto = Moto::start();
    Shelf::new()
        .await
        .keeps_the_contract(&in_aws(moto.url()), true)
        .await;
}

#[tokio::test]
async fn google_keeps_the_contract() {
    let google = Google::start(&[]).await;
    Shelf::new()
        .await
        .keeps_the_contract(&in_gcp(&google), true)
        .await;
    assert_eq!(google.secrets().len(), 1, "only what a row names is left");
}

#[tokio::test]
async fn what_is_wrong_with_aws_is_told() {
    let shelf = Shelf::new().await;
    let denying = json!({ "__type": "AccessDeniedException", "message": "not authorized" });
    for (parrot, told) in [
        (Parrot::saying(400, denying).await, "denies us"),
        (Parrot::silent().await, "did not answer within 1.5s"),
        (Parrot::babbling().await, "nonsense"),
    ] {
        shelf.is_told(&in_aws(&parrot.url()), told).await;
    }
    shelf
        .is_told(&in_aws("http://127.0.0.1:1"), "cannot be reached")
        .await;
}

#[tokio::test]
async fn what_is_wrong_with_google_is_told() {
    let (google, shelf) = (Google::start(&[]).await, Shelf::new().await);
    for (trouble, told) in [
        (Trouble::Denies, "denies us"),
        (Trouble::Hangs, "did not answer within 1.5s"),
        (Trouble::Fails, "answered 500"),
    ] {
        google.trouble().set(trouble);
        shelf.is_told(&in_gcp(&google), told).await;
    }
}
