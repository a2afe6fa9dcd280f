//! Vault and OpenBao as their documentation has them: the transit engine under `transit`, the KV engine of version 2 under
//! `secret`, a token, and a namespace.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    cipher::Cipher,
    serve::Server,
    trouble::{Switch, Trouble},
};

/// The token that it lets in.
pub const TOKEN: &str = "test-token-of-a-double";
/// The only namespace that it has.
pub const NAMESPACE: &str = "agency";

/// A Vault.
pub struct Vault {
    server: Server,
    folder: TempDir,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    trouble: Switch,
    /// For each name the versions of a transit key, the first at 0.
    keys: Mutex<BTreeMap<String, Vec<Cipher>>>,
    other: Cipher,
    /// For each path the only version of a secret.
    secrets: Mutex<BTreeMap<String, Value>>,
}

impl Vault {
    /// One with these transit keys, running.
    pub async fn start(keys: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("token"), format!("{TOKEN}\n")).expect("written");
        let inner = Arc::new(Inner::default());
        for key in keys {
            let versions = vec![Cipher::new()];
            inner
                .keys
                .lock()
                .expect("not poisoned")
                .insert((*key).to_owned(), versions);
        }
        let router = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        Self {
            server: Server::start(router).await,
            folder,
            inner,
        }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The file with the token.
    pub fn token_file(&self) -> PathBuf {
        self.path().join("token")
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What is wrong with it.
    pub fn trouble(&self) -> &Switch {
        &self.inner.trouble
    }

    /// Adds a version to a key.
    pub fn rotate(&self, key: &str) {
        let mut keys = self.inner.keys.lock().expect("not poisoned");
        keys.get_mut(key).expect("there").push(Cipher::new());
    }

    /// The paths of all secrets, and what lies there.
    pub fn secrets(&self) -> BTreeMap<String, Value> {
        self.inner.secrets.lock().expect("not poisoned").clone()
    }
}

fn errors(status: u16, told: &str) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    let told: &[&str] = if told.is_empty() { &[] } else { &[told] };
    (status, Json(json!({ "errors": told }))).into_response()
}

async fn answer(
    State(vault): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let denial = || errors(403, "1 error occurred:\n\t* permission denied\n\n");
    if let Some(answer) = vault.trouble.answer(denial).await {
        return answer;
    }
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|header| header == value);
    if !is("x-vault-token", TOKEN) {
        return errors(
            403,
            "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n",
        );
    }
    if !is("x-vault-namespace", NAMESPACE) {
        return errors(404, "no handler for route");
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = uri.path().trim_start_matches("/v1/");
    if let Some(key) = path.strip_prefix("transit/encrypt/") {
        return vault.encrypt(key, &body);
    }
    if let Some(key) = path.strip_prefix("transit/decrypt/") {
        return vault.decrypt(key, &body);
    }
    if let Some(path) = path.strip_prefix("secret/data/") {
        return match method {
            Method::GET => vault.get(path),
            Method::POST | Method::PUT => vault.put(path, &body),
            _ => errors(405, "unsupported operation"),
        };
    }
    match path.strip_prefix("secret/metadata/") {
        Some(path) if method == Method::DELETE => vault.delete(path),
        Some(path) if method.as_str() == "LIST" || uri.query() == Some("list=true") => vault.list(path),
        _ => errors(404, "no handler for route"),
    }
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    BASE64.decode(value.as_str().unwrap_or_default()).ok()
}

impl Inner {
    fn encrypt(&self, key: &str, body: &Value) -> Response {
        let keys = self.keys.lock().expect("not poisoned");
        let Some(versions) = keys.get(key) else {
            return errors(400, "encryption key not found");
        };
        let (Some(plaintext), Some(aad)) = (bytes(&body["plaintext"]), bytes(&body["associated_data"]))
        else {
            return errors(400, "failed to base64-decode plaintext");
        };
        let newest = versions.len();
        let version = body["key_version"]
            .as_u64()
            .map_or(newest, |asked| asked as usize);
        let version = if version == 0 { newest } else { version };
        if version > newest {
            return errors(
                400,
                "requested version for encryption is higher than the latest key version",
            );
        }
        let confused = self.trouble.get() == Trouble::Confused;
        let cipher = if confused {
            &self.other
        } else {
            &versions[version - 1]
        };
        let ciphertext = BASE64.encode(cipher.encrypt(&plaintext, &aad));
        let ciphertext = format!("vault:v{version}:{ciphertext}");
        Json(json!({ "data": { "ciphertext": ciphertext, "key_version": version } })).into_response()
    }

    fn decrypt(&self, key: &str, body: &Value) -> Response {
        let keys = self.keys.lock().expect("not poisoned");
        let Some(versions) = keys.get(key) else {
            return errors(400, "encryption key not found");
        };
        let ciphertext = body["ciphertext"].as_str().unwrap_or_default();
        let Some((version, text)) = ciphertext
            .strip_prefix("vault:v")
            .and_then(|rest| rest.split_once(':'))
        else {
            return errors(400, "invalid ciphertext: no prefix");
        };
        let cipher = version
            .parse()
            .ok()
            .and_then(|version: usize| versions.get(version.wrapping_sub(1)));
        let Some(cipher) = cipher else {
            return errors(400, "invalid ciphertext: version is too new");
        };
        let (Ok(encrypted), Some(aad)) = (BASE64.decode(text), bytes(&body["associated_data"])) else {
            return errors(400, "invalid ciphertext: could not decode base64");
        };
        match cipher.decrypt(&encrypted, &aad) {
            Some(_) if self.trouble.get() == Trouble::Confused => {
                Json(json!({ "data": { "plaintext": BASE64.encode([7; 32]) } })).into_response()
            }
            Some(plaintext) => {
                Json(json!({ "data": { "plaintext": BASE64.encode(plaintext) } })).into_response()
            }
            None => errors(400, "cipher: message authentication failed"),
        }
    }

    fn put(&self, path: &str, body: &Value) -> Response {
        let mut secrets = self.secrets.lock().expect("not poisoned");
        if body["options"]["cas"] == 0 && secrets.contains_key(path) {
            return errors(400, "check-and-set parameter did not match the current version");
        }
        secrets.insert(path.to_owned(), body["data"].clone());
        Json(json!({ "data": { "version": 1, "destroyed": false, "deletion_time": "" } })).into_response()
    }

    fn get(&self, path: &str) -> Response {
        let secrets = self.secrets.lock().expect("not poisoned");
        let found = match self.trouble.get() {
            Trouble::Confused => secrets
                .iter()
                .find(|(other, _)| *other != path)
                .map(|(_, data)| data),
            _ => secrets.get(path),
        };
        match found {
            Some(data) => {
                Json(json!({ "data": { "data": data, "metadata": { "version": 1 } } })).into_response()
            }
            None => errors(404, ""),
        }
    }

    fn delete(&self, path: &str) -> Response {
        self.secrets.lock().expect("not poisoned").remove(path);
        StatusCode::NO_CONTENT.into_response()
    }

    fn list(&self, path: &str) -> Response {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let secrets = self.secrets.lock().expect("not poisoned");
        let mut keys: Vec<String> = secrets
            .keys()
            .filter_map(|path| path.strip_prefix(&folder))
            .map(|rest| match rest.split_once('/') {
                Some((below, _)) => format!("{below}/"),
                None => rest.to_owned(),
            })
            .collect();
        keys.dedup();
        if keys.is_empty() {
            return errors(404, "");
        }
        Json(json!({ "data": { "keys": keys } })).into_response()
    }
}
