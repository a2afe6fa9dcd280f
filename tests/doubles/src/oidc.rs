//! An OpenID provider: it describes itself, shows its keys, and signs ID tokens that say whatever a test wants, in every wrong
//! way too. Whoever comes to its page is sent back at once, with a code for whom a test has said.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use aws_lc_rs::{
    digest, hmac,
    rand::SystemRandom,
    rsa,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::serve::Server;

/// How an ID token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// RS256, as Google does.
    Rsa,
    /// ES256.
    Ecdsa,
    /// Not at all: `alg` is "none".
    None,
    /// HS256, with the public RSA key as the secret: the oldest trick.
    HmacWithPublicKey,
    /// RS256 by a key that is not shown, under the id of the one that is.
    AnotherKey,
    /// RS256 by a key that is not shown, under its own id.
    UnknownKey,
}

/// A provider, running.
pub struct Provider {
    server: Server,
    inner: Arc<Inner>,
}

struct Inner {
    issuer: String,
    rsa: RsaKeyPair,
    other: RsaKeyPair,
    ecdsa: EcdsaKeyPair,
    address: Mutex<String>,
    /// Whether it answers nothing but 503.
    is_down: Mutex<bool>,
    asked: AtomicUsize,
    /// What ID tokens for codes say, beside whose and for whom they are.
    claims: Mutex<Value>,
    /// What was asked for with the code.
    codes: Mutex<HashMap<String, HashMap<String, String>>>,
}

impl Provider {
    /// One that calls itself this.
    pub async fn start(issuer: &str) -> Self {
        let random = SystemRandom::new();
        let new_rsa = || RsaKeyPair::generate(rsa::KeySize::Rsa2048).expect("a key");
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let inner = Arc::new(Inner {
            issuer: issuer.to_owned(),
            rsa: new_rsa(),
            other: new_rsa(),
            ecdsa: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).expect("reads"),
            address: Mutex::default(),
            is_down: Mutex::default(),
            asked: AtomicUsize::default(),
            claims: Mutex::new(json!({})),
            codes: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        let server = Server::start(router).await;
        *inner.address.lock().expect("not poisoned") = server.url();
        Self { server, inner }
    }

    /// Where it describes itself.
    pub fn described_at(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.server.url())
    }

    /// From now on it answers nothing, or again.
    pub fn set_down(&self, down: bool) {
        *self.inner.is_down.lock().expect("not poisoned") = down;
    }

    /// How often its keys were asked for.
    pub fn times_asked(&self) -> usize {
        self.inner.asked.load(Ordering::SeqCst)
    }

    /// Whoever comes to its page from now on has an account that says this.
    pub fn set_account(&self, claims: Value) {
        *self.inner.claims.lock().expect("not poisoned") = claims;
    }

    /// An ID token that says this.
    pub fn id_token(&self, signing: Signing, claims: &Value) -> String {
        self.inner.id_token(signing, claims)
    }
}

impl Inner {
    fn id_token(&self, signing: Signing, claims: &Value) -> String {
        let (alg, kid) = match signing {
            Signing::Rsa | Signing::AnotherKey => ("RS256", "rsa-1"),
            Signing::UnknownKey => ("RS256", "rsa-9"),
            Signing::Ecdsa => ("ES256", "ec-1"),
            Signing::None => ("none", "rsa-1"),
            Signing::HmacWithPublicKey => ("HS256", "rsa-1"),
        };
        let header = json!({ "alg": alg, "kid": kid, "typ": "JWT" });
        let part = |value: &Value| BASE64.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.sign(signing, signed.as_bytes());
        format!("{signed}.{}", BASE64.encode(signature))
    }

    /// Sends whoever comes back, with a code.
    fn authorize(&self, uri: &Uri) -> Response {
        let asked = values(uri.query().unwrap_or_default());
        let mut codes = self.codes.lock().expect("not poisoned");
        let code = format!("code-{}", codes.len());
        let (back, state) = (asked["redirect_uri"].clone(), asked["state"].clone());
        codes.insert(code.clone(), asked);
        Redirect::to(&format!("{back}?code={code}&state={state}")).into_response()
    }

    /// The ID token for a code: once, for whoever shows what the challenge was made of.
    fn token(&self, form: &str) -> Response {
        let form = values(form);
        let asked = self.codes.lock().expect("not poisoned").remove(&form["code"]);
        let Some(asked) = asked else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        let hash = digest::digest(&digest::SHA256, form["code_verifier"].as_bytes());
        let same = |name: &str| asked[name] == form[name];
        if BASE64.encode(hash) != asked["code_challenge"] || !same("redirect_uri") || !same("client_id") {
            return StatusCode::BAD_REQUEST.into_response();
        }
        let mut claims = self.claims.lock().expect("not poisoned").clone();
        claims["iss"] = json!(self.issuer);
        claims["aud"] = json!(asked["client_id"]);
        claims["nonce"] = json!(asked["nonce"]);
        Json(json!({ "id_token": self.id_token(Signing::Rsa, &claims) })).into_response()
    }

    fn sign(&self, signing: Signing, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let by = |key: &RsaKeyPair| {
            let mut signature = vec![0; key.public_modulus_len()];
            key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                .expect("signs");
            signature
        };
        match signing {
            Signing::Rsa => by(&self.rsa),
            Signing::AnotherKey | Signing::UnknownKey => by(&self.other),
            Signing::Ecdsa => {
                let signature = self.ecdsa.sign(&random, message).expect("signs");
                signature.as_ref().to_vec()
            }
            Signing::None => Vec::new(),
            Signing::HmacWithPublicKey => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.rsa.public_key().as_ref());
                hmac::sign(&key, message).as_ref().to_vec()
            }
        }
    }

    fn keys(&self) -> Value {
        let public = self.rsa.public_key();
        let point = self.ecdsa.public_key().as_ref();
        json!({ "keys": [
            {
                "kty": "RSA", "kid": "rsa-1", "use": "sig", "alg": "RS256",
                "n": BASE64.encode(public.modulus().big_endian_without_leading_zero()),
                "e": BASE64.encode(public.exponent().big_endian_without_leading_zero()),
            },
            {
                "kty": "EC", "kid": "ec-1", "use": "sig", "alg": "ES256", "crv": "P-256",
                "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..65]),
            },
            // What a provider may show of others, and nobody must take for a public key.
            { "kty": "oct", "kid": "oct-1", "k": BASE64.encode("shared") },
            { "kty": "of a kind that is not known", "kid": "x" },
        ] })
    }
}

fn values(text: &str) -> HashMap<String, String> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

async fn answer(State(inner): State<Arc<Inner>>, uri: Uri, body: String) -> Response {
    if *inner.is_down.lock().expect("not poisoned") {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match uri.path() {
        "/.well-known/openid-configuration" => {
            let address = inner.address.lock().expect("not poisoned").clone();
            Json(json!({
                "issuer": inner.issuer,
                "jwks_uri": format!("{address}/keys"),
                "authorization_endpoint": format!("{address}/authorize"),
                "token_endpoint": format!("{address}/token"),
            }))
            .into_response()
        }
        "/keys" => {
            inner.asked.fetch_add(1, Ordering::SeqCst);
            Json(inner.keys()).into_response()
        }
        "/authorize" => inner.authorize(&uri),
        "/token" => inner.token(&body),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
