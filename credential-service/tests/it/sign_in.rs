//! Nobody is signed in but by an ID token of which everything holds.

use std::time::Duration;

use futures::future::join_all;
use hubkeep_proto::credential::v1::{
    GetSessionRequest, OidcSubject, OpenSessionRequest, Person, PutPersonRequest,
};
use hubkeep_test_doubles::oidc::Signing;
use serde_json::{Value, json};
use tonic_types::StatusExt as _;

use crate::{grants::access_of, harness::*, office::*};

#[tokio::test]
async fn an_id_token_opens_a_session_for_its_account() {
    let office = Office::open().await;
    for signing in [Signing::Rsa, Signing::Ecdsa] {
        let id_token = office.provider.id_token(signing, &office.claims(ANN));
        let ann = office.open_session(id_token, NONCE).await.expect("signed in");
        let user = ann.session.user.clone().expect("told");
        assert_eq!((user.issuer.as_str(), user.subject.as_str()), (ISSUER, ANN.0));
        assert_eq!((user.email.as_str(), user.person_id.as_str()), (ANN.1, ""));
        assert!(
            user.name.starts_with("user/") && user.name.len() == 37,
            "{}",
            user.name
        );
        let how = ann.session.sign_in.clone().expect("told");
        assert_eq!((how.acr.as_str(), how.amr.len()), ("urn:strong", 2));
        assert!(how.auth_time.is_some());
        let request = GetSessionRequest {
            session_token: ann.token(),
        };
        let shown = office.sessions(CRM).get_session(request).await.expect("lives");
        assert_eq!(shown.into_inner().session, Some(ann.session));
    }
    assert_eq!(office.provider.times_asked(), 1, "keys are kept");
}

/// What an ID token that is changed like this is refused with, and which check it did not pass.
async fn refused(office: &Office, signing: Signing, change: impl FnOnce(&mut Value)) -> (String, String) {
    let mut claims = office.claims(ANN);
    change(&mut claims);
    let id_token = office.provider.id_token(signing, &claims);
    let status = office.open_session(id_token, NONCE).await.expect_err("refused");
    let details = status.get_error_details();
    let info = details.error_info().expect("told").clone();
    let check = info.metadata.get("check").or_else(|| info.metadata.get("claim"));
    (info.reason, check.cloned().unwrap_or_default())
}

#[tokio::test]
async fn whatever_does_not_hold_of_an_id_token_opens_nothing() {
    type Change = fn(&mut Value);
    let office = Office::open().await;
    let set: [(&str, Change); 17] = [
        ("issuer", |claims| {
            claims["iss"] = json!("https://accounts.evil.example")
        }),
        ("audience", |claims| claims["aud"] = json!("another-client")),
        ("audience", |claims| {
            claims["aud"] = json!([CLIENT, "another-client"])
        }),
        ("audience", |claims| claims["azp"] = json!("another-client")),
        ("nonce", |claims| {
            claims["nonce"] = json!("nonce-of-another-sign-in")
        }),
        ("nonce", |claims| {
            drop(claims.as_object_mut().expect("an object").remove("nonce"))
        }),
        ("time", |claims| {
            claims["exp"] = json!(claims["iat"].as_i64().expect("a time") - 60)
        }),
        ("time", |claims| {
            claims["iat"] = json!(claims["iat"].as_i64().expect("a time") + 300)
        }),
        ("time", |claims| {
            claims["iat"] = json!(claims["iat"].as_i64().expect("a time") - 3_000)
        }),
        ("time", |claims| {
            claims["nbf"] = json!(claims["iat"].as_i64().expect("a time") + 300)
        }),
        ("form", |claims| {
            drop(claims.as_object_mut().expect("an object").remove("exp"))
        }),
        ("form", |claims| claims["sub"] = json!("")),
        ("email", |claims| claims["email_verified"] = json!(false)),
        ("email", |claims| {
            drop(
                claims
                    .as_object_mut()
                    .expect("an object")
                    .remove("email_verified"),
            )
        }),
        ("email", |claims| claims["email"] = json!("nobody")),
        ("hd", |claims| {
            drop(claims.as_object_mut().expect("an object").remove("hd"))
        }),
        ("hd", |claims| claims["hd"] = json!("evil.example")),
    ];
    for (check, change) in set {
        let reason = match check {
            "hd" => "ORGANISATION_NOT_ALLOWED",
            _ => "ID_TOKEN_REFUSED",
        };
        let told = refused(&office, Signing::Rsa, change).await;
        assert_eq!(told, (reason.to_owned(), check.to_owned()));
    }
    for (signing, check) in [
        (Signing::None, "form"),
        (Signing::HmacWithPublicKey, "algorithm"),
        (Signing::AnotherKey, "signature"),
    ] {
        let told = refused(&office, signing, |_| {}).await;
        assert_eq!(
            told,
            ("ID_TOKEN_REFUSED".to_owned(), check.to_owned()),
            "{signing:?}"
        );
    }
    let whole = office.provider.id_token(Signing::Rsa, &office.claims(ANN));
    let (cut, _) = whole.rsplit_once('.').expect("three parts");
    for nonsense in ["", "a.b.c", cut, &format!("{whole}x")] {
        let opened = office.open_session(nonsense.to_owned(), NONCE).await;
        assert_eq!(reason(&opened), "ID_TOKEN_REFUSED", "{nonsense}");
    }
}

#[tokio::test]
async fn however_many_tokens_name_keys_that_are_not_there_the_provider_is_asked_seldom() {
    let office = Office::open().await;
    let ask = async |_: usize| refused(&office, Signing::UnknownKey, |_| {}).await;
    for (_, check) in join_all((0..50).map(ask)).await {
        assert!(check == "key" || check.is_empty(), "{check}");
    }
    assert!(
        office.provider.times_asked() <= 2,
        "{}",
        office.provider.times_asked()
    );
}

#[tokio::test]
async fn while_the_provider_is_down_its_keys_serve_and_without_them_nobody_is_signed_in() {
    let office = Office::open().await;
    office.provider.set_down(true);
    let id_token = office.provider.id_token(Signing::Rsa, &office.claims(ANN));
    let opened = office.open_session(id_token, NONCE).await;
    assert_eq!(reason(&opened), "SIGN_IN_UNAVAILABLE");
    office.provider.set_down(false);
    office.pass(Duration::from_secs(6));
    office.sign_in(ANN).await;
    office.provider.set_down(true);
    office.pass(Duration::from_secs(2 * 60 * 60));
    office.sign_in(ANN).await;
}

#[tokio::test]
async fn without_a_provider_nobody_is_signed_in() {
    let office = Office::open_with(|config| config.sessions.providers.clear()).await;
    let id_token = office.provider.id_token(Signing::Rsa, &office.claims(ANN));
    let opened = office.open_session(id_token, NONCE).await;
    assert_eq!(reason(&opened), "SIGN_IN_NOT_CONFIGURED");
}

#[tokio::test]
async fn only_the_service_with_the_pages_opens_sessions() {
    let office = Office::open().await;
    let request = OpenSessionRequest {
        id_token: office.provider.id_token(Signing::Rsa, &office.claims(ANN)),
        nonce: NONCE.to_owned(),
    };
    for stranger in [OPERATOR, SYNC] {
        let opened = office.sessions(stranger).open_session(request.clone()).await;
        assert_eq!(reason(&opened), "CALLER_NOT_ALLOWED", "{stranger}");
    }
}

#[tokio::test]
async fn an_account_that_was_put_to_a_person_is_that_person() {
    let office = Office::open().await;
    let person = Person {
        person_id: "ann".to_owned(),
        oidc_subjects: vec![OidcSubject {
            issuer: ISSUER.to_owned(),
            subject: ANN.0.to_owned(),
        }],
        ..Person::default()
    };
    let request = PutPersonRequest { person: Some(person) };
    access_of(&office.bench).put_person(request).await.expect("put");
    let ann = office.sign_in(ANN).await;
    assert_eq!(ann.session.user.expect("told").person_id, "ann");
    let bob = office.sign_in(BOB).await;
    assert_eq!(bob.session.user.expect("told").person_id, "");
}

#[tokio::test]
async fn neither_tokens_nor_addresses_lie_in_the_open() {
    let mut office = Office::open().await;
    let ann = office.sign_in(ANN).await;
    office.connect_acme(&ann, ANN_AT_HUBSPOT).await.expect("connects");
    let tokens = office.client_tokens(&ann, ALL).await;
    let entries = format!("{:?}", office.bench.entries().await);
    office.bench.stop().await;
    let folder = office.bench.folder.path();
    let secrets = [
        ann.token(),
        ann.tokens.refresh_token.clone(),
        tokens.access_token,
        tokens.refresh_token,
        ANN.1.to_owned(),
        ANN.0.to_owned(),
    ];
    for secret in secrets {
        assert!(!entries.contains(&secret), "on the log");
        assert_eq!(found_in_files(folder, &secret), Vec::<String>::new());
    }
}
