//! Google Cloud as its documentation has it: KMS, Secret Manager, the exchange of assertions for tokens, and the metadata
//! server of a machine.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    cipher::Cipher,
    serve::Server,
    trouble::{Switch, Trouble},
};

/// The token that it lets in.
const TOKEN: &str = "test-access-token-of-a-double";
/// The project that it has.
pub const PROJECT: &str = "agency";

/// A Google Cloud.
pub struct Google {
    server: Server,
    folder: TempDir,
    inner: Arc<Inner>,
}

struct Inner {
    trouble: Switch,
    account: KeyPair,
    ciphers: Mutex<BTreeMap<String, Cipher>>,
    /// For each secret its only version, once it has one.
    secrets: Mutex<BTreeMap<String, Option<String>>>,
}

impl Google {
    /// One with these keys, running.
    pub async fn start(keys: &[&str]) -> Self {
        let inner = Arc::new(Inner {
            trouble: Switch::default(),
            account: KeyPair::generate(KeySize::Rsa2048).expect("a key"),
            ciphers: Mutex::default(),
            secrets: Mutex::default(),
        });
        for key in keys {
            let key = key_name(key);
            inner
                .ciphers
                .lock()
                .expect("not poisoned")
                .insert(key, Cipher::new());
        }
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        let (server, folder) = (
            Server::start(router).await,
            tempfile::tempdir().expect("a folder"),
        );
        let google = Self {
            server,
            folder,
            inner,
        };
        fs::write(google.account_file(), google.account().to_string()).expect("written");
        google
    }

    /// Where it is, for every service of it.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The key file of a service account that it knows.
    pub fn account_file(&self) -> PathBuf {
        self.folder.path().join("account.json")
    }

    /// What is wrong with it.
    pub fn trouble(&self) -> &Switch {
        &self.inner.trouble
    }

    /// The names of all secrets, and what lies there.
    pub fn secrets(&self) -> BTreeMap<String, Option<String>> {
        self.inner.secrets.lock().expect("not poisoned").clone()
    }

    fn account(&self) -> Value {
        let der: Pkcs8V1Der<'_> = self.inner.account.as_der().expect("encodes");
        let text = BASE64.encode(der.as_ref());
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).expect("text"))
            .collect();
        let marks = ["BEGIN", "END"].map(|mark| format!("-----{mark} PRIVATE KEY-----"));
        json!({
            "type": "service_account",
            "client_email": "hubkeep@agency.example",
            "private_key_id": "1",
            "private_key": format!("{}\n{}\n{}\n", marks[0], lines.join("\n"), marks[1]),
            "token_uri": format!("{}/token", self.url()),
        })
    }
}

/// The full name of a key.
pub fn key_name(key: &str) -> String {
    format!("projects/{PROJECT}/locations/europe-west3/keyRings/hubkeep/cryptoKeys/{key}")
}

fn error(code: u16, told: &str) -> Response {
    let status = StatusCode::from_u16(code).expect("a status");
    (
        status,
        Json(json!({ "error": { "code": code, "message": told } })),
    )
        .into_response()
}

async fn answer(
    State(google): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = String::from_utf8_lossy(&body).into_owned();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let given =
        || Json(json!({ "access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer" })).into_response();
    if uri.path() == "/computeMetadata/v1/instance/service-accounts/default/token" {
        let flavored = headers
            .get("metadata-flavor")
            .is_some_and(|value| value == "Google");
        return if flavored {
            given()
        } else {
            error(403, "Missing Metadata-Flavor:Google header.")
        };
    }
    if uri.path() == "/token" {
        let assertion =
            form.strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
        let known = assertion.is_some_and(|assertion| google.asserted(assertion));
        return if known {
            given()
        } else {
            (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response()
        };
    }
    let denial = || error(403, "Permission denied on resource (or it may not exist).");
    if let Some(answer) = google.trouble.answer(denial).await {
        return answer;
    }
    let bearer = format!("Bearer {TOKEN}");
    if headers
        .get("authorization")
        .is_none_or(|header| *header != bearer)
    {
        return error(401, "Request had invalid authentication credentials.");
    }
    let path = uri.path().trim_start_matches("/v1/");
    match path.rsplit_once(':') {
        Some((key, "encrypt")) => google.encrypt(key, &body),
        Some((key, "decrypt")) => google.decrypt(key, &body),
        Some((secret, "addVersion")) => google.add_version(secret, &body),
        Some((version, "access")) => google.access(version),
        _ if method == Method::POST => google.create(uri.query().unwrap_or_default()),
        _ if method == Method::DELETE => google.delete(path),
        _ => google.list(uri.query().unwrap_or_default()),
    }
}

fn bytes(value: &Value, crc: &Value) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(value.as_str()?).ok()?;
    (crc.as_str()? == crc32c::crc32c(&bytes).to_string()).then_some(bytes)
}

fn crc(bytes: &[u8]) -> String {
    crc32c::crc32c(bytes).to_string()
}

impl Inner {
    /// Whether the account signed this.
    fn asserted(&self, assertion: &str) -> bool {
        let Some((message, signature)) = assertion.rsplit_once('.') else {
            return false;
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.account.public_key());
        public.verify(message.as_bytes(), &signature).is_ok()
    }

    fn encrypt(&self, key: &str, body: &Value) -> Response {
        let ciphers = self.ciphers.lock().expect("not poisoned");
        let Some(cipher) = ciphers.get(key) else {
            return error(404, "CryptoKey not found.");
        };
        let plaintext = bytes(&body["plaintext"], &body["plaintextCrc32c"]);
        let aad = bytes(
            &body["additionalAuthenticatedData"],
            &body["additionalAuthenticatedDataCrc32c"],
        );
        let (Some(plaintext), Some(aad)) = (plaintext, aad) else {
            return error(400, "The checksum does not match.");
        };
        let ciphertext = cipher.encrypt(&plaintext, &aad);
        let key = match self.trouble.get() {
            Trouble::Confused => key_name("another"),
            _ => key.to_owned(),
        };
        Json(json!({
            "name": format!("{key}/cryptoKeyVersions/1"),
            "ciphertext": BASE64.encode(&ciphertext),
            "ciphertextCrc32c": crc(&ciphertext),
            "verifiedPlaintextCrc32c": true,
            "verifiedAdditionalAuthenticatedDataCrc32c": true,
        }))
        .into_response()
    }

    fn decrypt(&self, key: &str, body: &Value) -> Response {
        let ciphers = self.ciphers.lock().expect("not poisoned");
        let Some(cipher) = ciphers.get(key) else {
            return error(404, "CryptoKey not found.");
        };
        let ciphertext = bytes(&body["ciphertext"], &body["ciphertextCrc32c"]);
        let aad = bytes(
            &body["additionalAuthenticatedData"],
            &body["additionalAuthenticatedDataCrc32c"],
        );
        let (Some(ciphertext), Some(aad)) = (ciphertext, aad) else {
            return error(400, "The checksum does not match.");
        };
        let Some(plaintext) = cipher.decrypt(&ciphertext, &aad) else {
            return error(
                400,
                "Decryption failed: verify that 'name' refers to the correct CryptoKey.",
            );
        };
        let plaintext = match self.trouble.get() {
            Trouble::Confused => vec![7; 32],
            _ => plaintext,
        };
        Json(json!({ "plaintext": BASE64.encode(&plaintext), "plaintextCrc32c": crc(&plaintext) }))
            .into_response()
    }

    fn create(&self, query: &str) -> Response {
        let Some(id) = query.strip_prefix("secretId=") else {
            return error(400, "secretId is required");
        };
        let name = format!("projects/{PROJECT}/secrets/{id}");
        let mut secrets = self.secrets.lock().expect("not poisoned");
        if secrets.contains_key(&name) {
            return error(409, &format!("Secret [{name}] already exists."));
        }
        secrets.insert(name.clone(), None);
        Json(json!({ "name": name })).into_response()
    }

    fn add_version(&self, secret: &str, body: &Value) -> Response {
        let payload = &body["payload"];
        if bytes(&payload["data"], &payload["dataCrc32c"]).is_none() {
            return error(400, "The checksum does not match.");
        }
        let mut secrets = self.secrets.lock().expect("not poisoned");
        let Some(version) = secrets.get_mut(secret) else {
            return error(404, "Secret not found.");
        };
        *version = payload["data"].as_str().map(str::to_owned);
        Json(json!({ "name": format!("{secret}/versions/1") })).into_response()
    }

    fn access(&self, version: &str) -> Response {
        let secrets = self.secrets.lock().expect("not poisoned");
        let wanted = version
            .split_once("/versions/")
            .map_or(version, |(secret, _)| secret);
        let found = match self.trouble.get() {
            Trouble::Confused => secrets.iter().find(|(name, _)| *name != wanted),
            _ => secrets.get_key_value(wanted),
        };
        let Some((name, Some(data))) = found else {
            return error(404, "Secret Version not found.");
        };
        let bytes = BASE64.decode(data).expect("it was checked");
        Json(json!({
            "name": format!("{name}/versions/1"),
            "payload": { "data": data, "dataCrc32c": crc(&bytes) },
        }))
        .into_response()
    }

    fn delete(&self, secret: &str) -> Response {
        match self.secrets.lock().expect("not poisoned").remove(secret) {
            Some(_) => Json(json!({})).into_response(),
            None => error(404, "Secret not found."),
        }
    }

    /// Two at a time, so that whoever reads one page only is found out.
    fn list(&self, query: &str) -> Response {
        let after = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("pageToken="))
            .and_then(|token| token.parse::<usize>().ok())
            .unwrap_or(0);
        let secrets = self.secrets.lock().expect("not poisoned");
        let page: Vec<Value> = secrets
            .keys()
            .skip(after)
            .take(2)
            .map(|name| json!({ "name": name }))
            .collect();
        let next = after + page.len();
        let token = if next < secrets.len() {
            next.to_string()
        } else {
            String::new()
        };
        Json(json!({ "secrets": page, "nextPageToken": token })).into_response()
    }
}
