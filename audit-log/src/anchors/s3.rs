//! A bucket of S3-compatible storage with Object Lock: what is put there nobody overwrites, and nobody deletes before its time.
//!
//! Requests are signed by the crate `rusty_s3`, which sends nothing itself, so that every header is ours to set; they go through
//! the door to services that keep things.

use std::{fmt, path::PathBuf, time::Duration};

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hubkeep_core::{
    address::is_protected,
    clock::{SharedClock, Timestamp},
    secret_file,
};
use hubkeep_seal::remote::{Answer, Ask, Door, Method};
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use serde::Deserialize;

use super::{
    StartError,
    error::NotAnchored,
    s3_config::{LockMode, S3},
};
use crate::proofs::Checkpoint;

const CREDENTIALS_FILE: &str = "audit.anchors.s3.credentials_file";
/// The longest file of credentials, in bytes: session tokens are long.
const LONGEST_CREDENTIALS: u64 = 16 * 1024;
/// How long a signature is good.
const SIGNED_FOR: Duration = Duration::from_secs(5 * 60);
/// What objects are.
const TEXT: &str = "text/plain; charset=utf-8";
/// The status by which S3 says that something has that name.
const THERE_IS_ONE: u16 = 412;

/// A bucket.
pub(super) struct Vault {
    door: Door,
    bucket: Bucket,
    /// What all keys begin with; empty, or with a slash at its end.
    prefix: String,
    mode: LockMode,
    retain: Duration,
    credentials_file: PathBuf,
    clock: SharedClock,
    name: String,
}

/// Who we are, as `aws configure export-credentials` and other programs of its kind write it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Who {
    access_key_id: String,
    secret_access_key: String,
    #[serde(default)]
    session_token: String,
}

impl Vault {
    /// One that is reached with these credentials, which are read now, to find out early that they cannot be, and again for
    /// each checkpoint: whoever renews them has to restart nothing.
    pub(super) fn new(config: &S3, clock: SharedClock) -> Result<Self, StartError> {
        let unusable = |problem: String| StartError::S3(problem);
        let style = if config.is_by_path() {
            UrlStyle::Path
        } else {
            UrlStyle::VirtualHost
        };
        let endpoint = config.address().map_err(|error| unusable(error.to_string()))?;
        let bucket = Bucket::new(endpoint, style, config.bucket.clone(), config.region.clone());
        let bucket = bucket.map_err(|error| unusable(error.to_string()))?;
        if !is_protected(bucket.base_url()) {
            return Err(unusable(
                "its endpoint must be https, or http on loopback".to_owned(),
            ));
        }
        let prefix = match config.prefix.trim_matches('/') {
            "" => String::new(),
            prefix => format!("{prefix}/"),
        };
        let vault = Self {
            door: Door::new(config.ca_file.as_deref(), config.timeout)
                .map_err(|error| unusable(error.to_string()))?,
            name: format!("s3 {}{prefix}", bucket.base_url()),
            bucket,
            prefix,
            mode: config.mode,
            retain: config.retain,
            credentials_file: config.credentials_file.clone(),
            clock,
        };
        vault.credentials().map_err(|problem| StartError::SecretFile {
            key: CREDENTIALS_FILE,
            file: vault.credentials_file.clone(),
            problem,
        })?;
        Ok(vault)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Puts a checkpoint under its size. Where something is already, nothing is overwritten: it is read, and is either the same
    /// or another history.
    pub(super) async fn put(&self, checkpoint: &Checkpoint) -> Result<(), NotAnchored> {
        let key = self.key(checkpoint);
        let credentials = self.credentials().map_err(NotAnchored::Failed)?;
        let note = checkpoint.note.as_bytes();
        let answer = self.door.send(self.to_put(&credentials, &key, note)?).await?;
        match answer.status {
            200..=299 => Ok(()),
            THERE_IS_ONE => self.compare(&credentials, &key, note).await,
            _ => Err(refusal("S3 did not take it", &answer)),
        }
    }

    async fn compare(&self, credentials: &Credentials, key: &str, note: &[u8]) -> Result<(), NotAnchored> {
        let get = self.bucket.get_object(Some(credentials), key);
        let url = get.sign_with_time(SIGNED_FOR, &at(self.clock.now())?);
        let answer = self.door.send(Ask::new(Method::GET, &url, "")?).await?;
        match answer.status {
            200..=299 if answer.bytes() == note => Ok(()),
            200..=299 => Err(NotAnchored::Forked),
            _ => Err(refusal(
                "something is there already, and S3 did not give it",
                &answer,
            )),
        }
    }

    /// `<prefix>/<log>/<size>`, with as many digits for each size, so that they sort as numbers.
    fn key(&self, checkpoint: &Checkpoint) -> String {
        format!("{}{}/{:020}", self.prefix, checkpoint.log, checkpoint.size)
    }

    fn to_put(&self, credentials: &Credentials, key: &str, note: &[u8]) -> Result<Ask, NotAnchored> {
        let until = at(self.clock.now().plus(self.retain))?;
        let until = until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let checksum = STANDARD.encode(digest::digest(&digest::SHA256, note));
        // S3 asks for a checksum where something is locked.
        let headers = [
            ("if-none-match", "*"),
            ("x-amz-checksum-sha256", checksum.as_str()),
            ("x-amz-object-lock-mode", self.mode.word()),
            ("x-amz-object-lock-retain-until-date", until.as_str()),
            ("x-amz-sdk-checksum-algorithm", "SHA256"),
        ];
        // Every one of them is signed, and what it is a text of.
        let mut put = self.bucket.put_object(Some(credentials), key);
        put.headers_mut().insert("content-type", TEXT);
        for (name, value) in headers {
            put.headers_mut().insert(name, value);
        }
        let url = put.sign_with_time(SIGNED_FOR, &at(self.clock.now())?);
        let mut ask = Ask::new(Method::PUT, &url, "")?.bytes(TEXT, note);
        for (name, value) in headers {
            ask = ask.header(name, value)?;
        }
        Ok(ask)
    }

    fn credentials(&self) -> Result<Credentials, String> {
        let text = secret_file::read_at_most(&self.credentials_file, LONGEST_CREDENTIALS)?;
        // What is wrong with it may repeat what is in it.
        let who: Who = serde_json::from_str(&text)
            .map_err(|_| "it is no JSON with AccessKeyId and SecretAccessKey".to_owned())?;
        Ok(match who.session_token.as_str() {
            "" => Credentials::new(who.access_key_id, who.secret_access_key),
            _ => Credentials::new_with_token(who.access_key_id, who.secret_access_key, who.session_token),
        })
    }
}

fn at(time: Timestamp) -> Result<jiff::Timestamp, NotAnchored> {
    jiff::Timestamp::from_microsecond(time.as_micros())
        .map_err(|_| NotAnchored::Failed("the clock is at no time that S3 knows".to_owned()))
}

/// What S3 said, with its own word for what is wrong.
fn refusal(what: &str, answer: &Answer) -> NotAnchored {
    let text = String::from_utf8_lossy(answer.bytes());
    let code = text
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    let code = code.map_or("no code", |(code, _)| code);
    let code: String = code
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == ' ')
        .take(64)
        .collect();
    NotAnchored::Failed(format!("{what}: status {}, {code}", answer.status))
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
