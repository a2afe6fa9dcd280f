//! A program gets a code, and tokens for it, only after the person has said on our own page that it may; and only at an address that it has
//! registered, with the proof that it is the one that asked.

mod stage;

use hubkeep_tests::support::programs::{Program, form, pkce};
use serde_json::{Value, json};
use stage::{ASKED, CONSENT, FLOW, LOCAL, SESSION, Stage, answer};

#[tokio::test(flavor = "multi_thread")]
async fn a_program_comes_from_the_question_over_consent_and_sign_in_to_tokens_that_it_can_renew() {
    let stage = Stage::set().await;
    let page = stage.ask(&[]).await.shown();
    for text in [
        "An editor",
        "localhost",
        "any program can call itself that",
        "runs on your own computer",
    ] {
        assert!(page.says(text), "{text}: {}", page.body);
    }
    assert!(
        page.cookie(FLOW).is_none() && page.cookie(SESSION).is_none(),
        "nothing before the consent"
    );
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(
        policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"),
        "{policy}"
    );
    assert_eq!(page.header("x-frame-options"), Some("deny"));

    let flow = stage.allowed().await;
    let to_sign_in = stage.resume(&flow, None).await;
    assert_eq!(to_sign_in.status, 303);
    assert!(
        to_sign_in
            .header("location")
            .is_some_and(|to| to.starts_with("/auth/sign-in"))
    );
    let over = stage.resume(&flow, Some("a-session-that-is-over")).await;
    assert!(
        over.header("location")
            .is_some_and(|to| to.starts_with("/auth/sign-in")),
        "{}",
        over.head
    );
    let back = stage.resume(&flow, Some(&stage.hubkeep.session())).await;
    assert!(
        back.exactly("location")
            .is_some_and(|to| to.starts_with("http://localhost:49152/callback?"))
    );
    assert_eq!(answer(&back, "state").as_deref(), Some("st&te"));
    assert_eq!(answer(&back, "iss"), Some(stage.hubkeep.issuer()));
    let again = stage.resume(&flow, Some(&stage.hubkeep.session())).await;
    assert_eq!(
        (again.status, again.header("location")),
        (400, None),
        "each consent gives one code"
    );

    let tokens = stage.exchange(&answer(&back, "code").expect("a code"), &[]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(tokens.header("cache-control"), Some("no-store"));
    let told = tokens.json();
    assert_eq!(
        (&told["token_type"], &told["expires_in"], &told["scope"]),
        (&json!("Bearer"), &json!(900), &json!("crm.read"))
    );
    let access = told["access_token"].as_str().expect("a token");
    let program = Program::with(stage.hubkeep.outside(), access, "/mcp");
    assert_eq!(program.ask("tools/list", json!({})).await.status, 200);

    let refresh = told["refresh_token"].as_str().expect("a token").to_owned();
    let renew = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
        ("client_id", stage.client_id.as_str()),
    ];
    let renewed = stage.outside.submit("/oauth/token", &[], &renew).await;
    assert_eq!(renewed.status, 200, "{}", renewed.body);
    let replayed = stage.outside.submit("/oauth/token", &[], &renew).await;
    assert_eq!(
        (replayed.status, &replayed.json()["error"]),
        (400, &json!("invalid_grant"))
    );

    let end = [("token", access), ("client_id", &*stage.client_id)];
    assert_eq!(stage.outside.submit("/oauth/revoke", &[], &end).await.status, 200);
    assert_eq!(program.ask("tools/list", json!({})).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_person_does_not_allow_is_told_to_the_program() {
    let stage = Stage::set().await;
    let page = stage.ask(&[]).await.shown();
    let csrf = page.cookie(CONSENT).expect("a cookie").to_owned();
    let said = stage.say("deny", &csrf, &csrf, &[]).await.shown();
    assert!(said.cookie(FLOW).is_none());
    for part in [
        "localhost:49152/callback",
        "error=access_denied",
        "iss=",
        "state=",
    ] {
        assert!(said.says(part), "{part}: {}", said.body);
    }
    assert_eq!(stage.hubkeep.asked_for_tokens(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_is_signed_in_is_asked_all_the_same_and_only_our_own_page_answers() {
    let stage = Stage::set().await;
    let session = format!("{SESSION}={}", stage.hubkeep.session());
    let asked = stage.asked(&[]);
    let pairs: Vec<(&str, &str)> = asked
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let path = format!("/oauth/authorize?{}", form(&pairs));
    let page = stage
        .outside
        .get_with(&path, &[("cookie", &session)])
        .await
        .shown();
    assert!(page.says("An editor") && page.header("location").is_none());
    let csrf = page.cookie(CONSENT).expect("a cookie").to_owned();
    let other = stage.ask(&[]).await.cookie(CONSENT).expect("a cookie").to_owned();
    for (cookie, sent, headers) in [
        (csrf.as_str(), other.as_str(), vec![]),
        ("", &csrf, vec![]),
        (&csrf, "", vec![]),
        ("", "", vec![]),
        (&csrf, &csrf, vec![("origin", "https://evil.example")]),
        (&csrf, &csrf, vec![("origin", "null")]),
        (&csrf, &csrf, vec![("sec-fetch-site", "cross-site")]),
        (&csrf, &csrf, vec![("sec-fetch-site", "same-site")]),
    ] {
        let said = stage.say("allow", cookie, sent, &headers).await;
        assert_eq!((said.status, said.cookie(FLOW)), (403, None), "{headers:?}");
    }
    // What another browser holds for its own consent is not this one's.
    let nothing = stage.resume("made-up", Some(&stage.hubkeep.session())).await;
    assert_eq!((nothing.status, nothing.header("location")), (400, None));
    assert_eq!(stage.hubkeep.asked_for_tokens(), 0, "nobody was given a code");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_sent_back_to_a_registered_address_only() {
    let stage = Stage::set().await;
    for good in [
        LOCAL,
        ASKED,
        "http://localhost:1/callback",
        "https://editor.example/callback",
    ] {
        stage.ask(&[("redirect_uri", good)]).await.shown();
    }
    for bad in [
        "https://editor.example/callback/",
        "https://editor.example/other",
        "https://editor.example/callback?x=1",
        "https://editor.example/callback#x",
        "https://user@editor.example/callback",
        "https://editor.example@evil.example/callback",
        "https://editor.example:8443/callback",
        "https://evil.example/callback",
        "http://localhost:49152/other",
        "http://localhost:49152/callback#x",
        "http://user@localhost:49152/callback",
        "http://127.0.0.1:49152/callback",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "javascript:alert(1)",
        "",
    ] {
        let page = stage.ask(&[("redirect_uri", bad)]).await;
        assert_eq!((page.status, page.header("location")), (400, None), "{bad}");
        assert!(page.cookie(CONSENT).is_none() && !page.says("<form"), "{bad}");
    }
    let unknown = stage.ask(&[("client_id", "hkc_unknown")]).await;
    assert_eq!((unknown.status, unknown.header("location")), (400, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_the_proof_key_of_s256_or_for_another_resource_is_sent_back() {
    let stage = Stage::set().await;
    let (verifier, challenge) = pkce();
    let mine = format!("{}/mcp/", stage.hubkeep.issuer());
    for (changed, error) in [
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge_method", "")], "invalid_request"),
        (
            vec![
                ("code_challenge_method", "plain"),
                ("code_challenge", verifier.as_str()),
            ],
            "invalid_request",
        ),
        (vec![("code_challenge", &challenge[1..])], "invalid_request"),
        (vec![("resource", "https://evil.example/mcp")], "invalid_target"),
        (vec![("resource", "http://localhost/mcp")], "invalid_target"),
        (vec![("scope", "crm.write")], "invalid_scope"),
        (vec![("response_type", "token")], "unsupported_response_type"),
    ] {
        let page = stage.ask(&changed).await;
        assert_eq!(page.status, 303, "{changed:?}: {}", page.body);
        assert_eq!(answer(&page, "error").as_deref(), Some(error), "{changed:?}");
        assert_eq!(answer(&page, "iss"), Some(stage.hubkeep.issuer()), "{changed:?}");
        assert_eq!(answer(&page, "state").as_deref(), Some("st&te"));
    }
    stage.ask(&[("resource", &mine)]).await.shown();
    stage.ask(&[("resource", "")]).await.shown();
    let asked = stage.asked(&[]);
    let mut pairs: Vec<(&str, &str)> = asked
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    pairs.push(("redirect_uri", "https://evil.example/"));
    let twice = stage
        .outside
        .get(&format!("/oauth/authorize?{}", form(&pairs)))
        .await;
    assert_eq!(
        (twice.status, twice.header("location")),
        (400, None),
        "of two none"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_for_the_program_that_asked_and_with_its_proof() {
    let stage = Stage::set().await;
    let other = stage
        .outside
        .register(&json!({ "redirect_uris": [LOCAL] }))
        .await
        .json();
    let other = other["client_id"].as_str().expect("an id").to_owned();
    let of_a = format!("{}/mcp/client-0001", stage.hubkeep.issuer());
    for (changed, status, error) in [
        (vec![("code_verifier", "")], 400, "invalid_request"),
        (vec![("code_verifier", "x")], 400, "invalid_grant"),
        (
            vec![("code_verifier", "another-battery-another-battery-another-battery")],
            400,
            "invalid_grant",
        ),
        (
            vec![("redirect_uri", "https://editor.example/callback")],
            400,
            "invalid_grant",
        ),
        (vec![("redirect_uri", "")], 400, "invalid_request"),
        (vec![("client_id", other.as_str())], 400, "invalid_grant"),
        (vec![("client_id", "hkc_unknown")], 401, "invalid_client"),
        (vec![("client_id", "")], 400, "invalid_request"),
        (vec![("client_secret", "x")], 401, "invalid_client"),
        (
            vec![("resource", "https://evil.example/mcp")],
            400,
            "invalid_target",
        ),
        (vec![("resource", of_a.as_str())], 400, "invalid_target"),
        (
            vec![("grant_type", "client_credentials")],
            400,
            "unsupported_grant_type",
        ),
    ] {
        let code = stage.code().await;
        let page = stage.exchange(&code, &changed).await;
        assert_eq!(
            (page.status, &page.json()["error"]),
            (status, &json!(error)),
            "{changed:?}: {}",
            page.body
        );
        assert_eq!(page.header("cache-control"), Some("no-store"), "{changed:?}");
        assert!(!page.body.contains(&code));
    }
    let code = stage.code().await;
    assert_eq!(stage.exchange(&code, &[]).await.status, 200);
    let again = stage.exchange(&code, &[]).await;
    assert_eq!(
        (again.status, &again.json()["error"]),
        (400, &json!("invalid_grant"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn while_credential_service_is_silent_a_consent_waits_and_tokens_are_for_later() {
    let stage = Stage::set().await;
    let code = stage.code().await;
    let flow = stage.allowed().await;
    stage.hubkeep.silence(true);
    let late = stage.exchange(&code, &[]).await;
    assert_eq!(
        (late.status, &late.json()["error"]),
        (503, &json!("temporarily_unavailable"))
    );
    assert!(late.header("retry-after").is_some());
    let session = stage.hubkeep.session();
    assert_eq!(stage.resume(&flow, Some(&session)).await.status, 503);
    stage.hubkeep.silence(false);
    let back = stage.resume(&flow, Some(&session)).await;
    assert!(answer(&back, "code").is_some(), "{}", back.head);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authorization_server_says_what_it_is() {
    let stage = Stage::set().await;
    let told = stage
        .outside
        .get("/.well-known/oauth-authorization-server")
        .await
        .shown()
        .json();
    let issuer = stage.hubkeep.issuer();
    for (name, expected) in [
        ("issuer", json!(issuer)),
        (
            "authorization_endpoint",
            json!(format!("{issuer}/oauth/authorize")),
        ),
        ("token_endpoint", json!(format!("{issuer}/oauth/token"))),
        ("revocation_endpoint", json!(format!("{issuer}/oauth/revoke"))),
        ("registration_endpoint", json!(format!("{issuer}/oauth/register"))),
        ("response_types_supported", json!(["code"])),
        (
            "grant_types_supported",
            json!(["authorization_code", "refresh_token"]),
        ),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("token_endpoint_auth_methods_supported", json!(["none"])),
        ("client_id_metadata_document_supported", json!(true)),
        ("authorization_response_iss_parameter_supported", json!(true)),
    ] {
        assert_eq!(told[name], expected, "{name}");
    }
    for none in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/mcp",
    ] {
        assert_eq!(stage.outside.get(none).await.status, 404, "{none}");
    }
    let nothing: Value = stage
        .outside
        .get("/.well-known/oauth-protected-resource")
        .await
        .json();
    assert!(
        nothing["scopes_supported"]
            .as_array()
            .is_some_and(|all| !all.contains(&json!("offline_access")))
    );
}
