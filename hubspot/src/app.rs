//! Our OAuth app at HubSpot: its public id, and the secret that proves it is the app.

use std::{
    fs::File,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use hubkeep_core::config::{Fault, Validate};
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};
use serde::{Deserialize, Serialize};
use thiserror::Error as ThisError;

/// The longest id or secret, in bytes. HubSpot's are UUIDs.
const MAX_BYTES: u64 = 256;

/// The app as it is configured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AppConfig {
    /// Its client id, as HubSpot shows it.
    pub client_id: String,
    /// The file that holds its client secret: mode 0400, one line.
    pub client_secret_file: PathBuf,
    /// The secret itself, in place of a file: by the environment only.
    #[serde(skip_serializing)]
    pub client_secret: SecretText,
}

/// A secret as the environment gives it. Nothing shows it.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText([redacted])")
    }
}

impl Validate for AppConfig {
    fn validate(&self, faults: &mut Vec<Fault>) {
        if !is_plain(&self.client_id) {
            let problem = "must be the app's client id, as HubSpot shows it";
            faults.push(Fault::new("hubspot.app.client_id", problem));
        }
        if self.client_secret_file.as_os_str().is_empty() && self.client_secret.is_empty() {
            let problem = "name the file that holds the app's client secret";
            faults.push(Fault::new("hubspot.app.client_secret_file", problem));
        }
    }
}

/// The app cannot be used.
#[derive(Debug, ThisError)]
#[error("the client secret of the app, {}, cannot be used: {why}", .file.display())]
pub struct AppError {
    file: PathBuf,
    why: String,
}

/// The app, with its secret.
pub struct App {
    client_id: String,
    client_secret: SecretString,
}

impl App {
    /// Reads the app's secret.
    ///
    /// # Errors
    /// If the file is not there, everybody may use it, or it holds no secret.
    pub fn open(config: &AppConfig) -> Result<Self, AppError> {
        let file = &config.client_secret_file;
        if !config.client_secret.is_empty() {
            let given = &config.client_secret.0;
            return is_plain(given)
                .then(|| Self::of(&config.client_id, given))
                .ok_or_else(|| AppError {
                    file: PathBuf::from("(of the environment)"),
                    why: format!("it must be 1 to {MAX_BYTES} visible characters"),
                });
        }
        let client_secret = read(file).map_err(|why| AppError {
            file: file.clone(),
            why,
        })?;
        Ok(Self {
            client_id: config.client_id.clone(),
            client_secret,
        })
    }

    /// The app with this secret.
    pub(crate) fn of(client_id: &str, client_secret: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            client_secret: SecretString::from(client_secret),
        }
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(crate) fn client_secret(&self) -> &str {
        self.client_secret.expose_secret()
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "App({})", self.client_id)
    }
}

fn read(path: &Path) -> Result<SecretString, String> {
    let say = |error: std::io::Error| error.to_string();
    let file = File::open(path).map_err(say)?;
    // Asked of the open file, not of the path: what was checked is what is read.
    let mode = file.metadata().map_err(say)?.permissions().mode() & 0o7777;
    if mode & 0o007 != 0 {
        return Err(format!(
            "its mode is {mode:04o}: everybody may use it, so chmod 0400 it"
        ));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_BYTES + 2).read_to_string(&mut text).map_err(say)?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if is_plain(secret) {
        Ok(SecretString::from(secret))
    } else {
        Err(format!(
            "it must hold 1 to {MAX_BYTES} visible characters in one line"
        ))
    }
}

fn is_plain(text: &str) -> bool {
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    (1..=MAX_BYTES).contains(&length) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::OpenOptionsExt as _};

    use tempfile::TempDir;

    use super::*;

    fn open(text: &[u8], mode: u32) -> Result<App, AppError> {
        use std::io::Write as _;
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("secret");
        let mut options = fs::OpenOptions::new();
        let mut written = options
            .create_new(true)
            .write(true)
            .mode(mode)
            .open(&file)
            .expect("made");
        written.write_all(text).expect("written");
        App::open(&AppConfig {
            client_id: "id".to_owned(),
            client_secret_file: file,
            client_secret: SecretText::default(),
        })
    }

    #[test]
    fn a_secret_is_one_line_that_not_everybody_may_read_and_is_never_shown() {
        let app = open(b"s3cret-of-the-app\n", 0o400).expect("reads");
        assert_eq!(app.client_secret(), "s3cret-of-the-app");
        assert!(!format!("{app:?}").contains("s3cret"));
        for (text, mode) in [
            (&b"s3cret"[..], 0o404),
            (b"", 0o400),
            (b"two s3cret", 0o400),
            (b"s3cret\nlines", 0o400),
            (b"\xff\xfe", 0o400),
            (&[b'x'; 257], 0o400),
        ] {
            let error = open(text, mode).expect_err("refused").to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_secret_of_the_environment_is_taken_in_place_of_a_file_and_is_never_shown() {
        let config = AppConfig {
            client_id: "id".to_owned(),
            client_secret: SecretText::new("s3cret"),
            ..AppConfig::default()
        };
        let mut faults = Vec::new();
        config.validate(&mut faults);
        assert!(faults.is_empty());
        assert_eq!(App::open(&config).expect("opens").client_secret(), "s3cret");
        let shown = format!("{config:?} {}", serde_json::to_string(&config).expect("JSON"));
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn what_is_missing_is_told_at_once() {
        let mut faults = Vec::new();
        AppConfig::default().validate(&mut faults);
        let keys: Vec<&str> = faults.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(keys, ["hubspot.app.client_id", "hubspot.app.client_secret_file"]);
    }
}
