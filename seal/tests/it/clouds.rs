//! The same contract for AWS KMS, against moto, and for Google Cloud KMS, against a double. `make test-keys` runs it.

use hubkeep_core::random::SystemRandom;
use hubkeep_seal::{
    AwsKekConfig, GcpKekConfig, KekConfig,
    remote::{AwsConfig, GoogleConfig},
};
use hubkeep_test_doubles::{
    google::{Google, key_name},
    moto::Moto,
    trouble::{Parrot, Trouble},
};
use serde_json::json;

use crate::sources::{LIMIT, is_told, keeps_the_contract, open};

const REGION: &str = "eu-central-1";

fn aws_at(url: &str, key_arn: &str) -> KekConfig {
    KekConfig {
        version: 1,
        aws: Some(AwsKekConfig {
            key_arn: key_arn.to_owned(),
            server: AwsConfig {
                endpoint: Some(url.parse().expect("an address")),
                limit: LIMIT,
            },
        }),
        ..KekConfig::default()
    }
}

/// Makes a key in moto, as an administrator would, and gives its ARN.
async fn make_key(moto: &Moto) -> String {
    let settings = hubkeep_seal::remote::aws_settings(
        &AwsConfig {
            endpoint: Some(moto.url().parse().expect("an address")),
            ..AwsConfig::default()
        },
        REGION,
    )
    .await;
    let made = aws_sdk_kms::Client::new(&settings).create_key().send().await;
    let metadata = made.expect("made").key_metadata.expect("described");
    metadata.arn.expect("it has one")
}

#[tokio::test]
async fn aws_keeps_the_contract() {
    let moto = Moto::start();
    let arns = [make_key(&moto).await, make_key(&moto).await];
    let one = open(aws_at(moto.url(), &arns[0])).await;
    let other = open(aws_at(moto.url(), &arns[1])).await;
    keeps_the_contract(&*one, &*other).await;
}

#[tokio::test]
async fn what_is_wrong_with_aws_is_told() {
    let arn = "arn:aws:kms:eu-central-1:123456789012:key/1";
    let denying =
        json!({ "__type": "AccessDeniedException", "message": "not authorized to perform: kms:Decrypt" });
    let confused = json!({
        "KeyId": "arn:aws:kms:eu-central-1:123456789012:key/2",
        "CiphertextBlob": "AAAA",
        "Plaintext": "AAAA",
    });
    let short = json!({ "KeyId": arn, "Plaintext": "AAAA" });
    for (parrot, told) in [
        (
            Parrot::saying(400, denying).await,
            "denies us: AccessDeniedException",
        ),
        (Parrot::saying(500, json!({})).await, "nonsense"),
        (Parrot::silent().await, "did not answer within 700ms"),
        (Parrot::babbling().await, "nonsense"),
        (Parrot::saying(200, confused).await, "another key answered"),
        (Parrot::saying(200, short).await, "nonsense"),
    ] {
        is_told(&*open(aws_at(&parrot.url(), arn)).await, b"wrapped", told).await;
    }
    is_told(
        &*open(aws_at("http://127.0.0.1:1", arn)).await,
        b"wrapped",
        "cannot be reached",
    )
    .await;
    let moto = Moto::start();
    is_told(&*open(aws_at(moto.url(), arn)).await, b"wrapped", "NotFound").await;
}

fn gcp_at(google: &Google, key: &str, by_account: bool) -> KekConfig {
    let address = || Some(google.url().parse().expect("an address"));
    KekConfig {
        version: 1,
        gcp: Some(GcpKekConfig {
            key: key_name(key),
            server: GoogleConfig {
                account_file: by_account.then(|| google.account_file()),
                endpoint: address(),
                metadata: address(),
                limit: LIMIT,
            },
        }),
        ..KekConfig::default()
    }
}

#[tokio::test]
async fn google_keeps_the_contract_for_a_service_account_and_for_a_machine() {
    let google = Google::start(&["a", "b"]).await;
    for by_account in [true, false] {
        let one = open(gcp_at(&google, "a", by_account)).await;
        let other = open(gcp_at(&google, "b", by_account)).await;
        keeps_the_contract(&*one, &*other).await;
    }
}

#[tokio::test]
async fn what_is_wrong_with_google_is_told_and_nothing_is_lost() {
    let google = Google::start(&["a"]).await;
    let kek = open(gcp_at(&google, "a", true)).await;
    let random = SystemRandom::shared();
    let wrapped = kek.wrap(&[42; 32], b"here", &*random).await.expect("wraps");
    for (trouble, told) in [
        (Trouble::Denies, "denies us: Permission denied"),
        (Trouble::Hangs, "did not answer within 700ms"),
        (Trouble::Nonsense, "nonsense"),
        (Trouble::Fails, "answered 500"),
    ] {
        google.trouble().set(trouble);
        is_told(&*kek, &wrapped, told).await;
    }
    google.trouble().set(Trouble::Confused);
    let confused = kek.wrap(&[42; 32], b"here", &*random).await;
    let told = crate::sources::with_causes(&confused.expect_err("another key"));
    assert!(told.contains("another key answered"), "{told}");
    google.trouble().set(Trouble::None);
    assert_eq!(*kek.unwrap(&wrapped, b"here").await.expect("unwraps"), [42; 32]);
    is_told(
        &*open(gcp_at(&google, "c", true)).await,
        &wrapped,
        "CryptoKey not found",
    )
    .await;
}
