//! An OpenID provider: it describes itself, shows its keys, and signs ID tokens that say whatever a test wants, in every wrong
//! way too.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

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

    /// An ID token that says this.
    pub fn id_token(&self, signing: Signing, claims: &Value) -> String {
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
        let signature = self.inner.sign(signing, signed.as_bytes());
        format!("{signed}.{}", BASE64.encode(signature))
    }
}

impl Inner {
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

async fn answer(State(inner): State<Arc<Inner>>, uri: Uri) -> Response {
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
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
