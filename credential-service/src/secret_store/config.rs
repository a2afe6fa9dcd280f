//! Where sealed secrets rest.

use std::{path::PathBuf, time::Duration};

use hubkeep_core::config::{Fault, Validate};
use hubkeep_seal::remote::{ANSWERED_WITHIN, AwsConfig, GoogleConfig, VaultConfig};
use serde::{Deserialize, Serialize};

/// Where sealed secrets rest. Each of the stores holds sealed bytes only: nobody who reads it can open them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Where new secrets are put. Older ones are read from where they were put, as long as that store is configured.
    pub store: StoreKind,
    /// Sealed bytes in a store that no row names are deleted when they are this old: what a crash between the store and
    /// the database has left. 24 h unless set; not less than an hour.
    #[serde(with = "humantime_serde")]
    pub sweep_after: Duration,
    /// The KV engine, version 2, of Vault or OpenBao.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultKvConfig>,
    /// AWS Secrets Manager. Needs a build with the feature `aws`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws: Option<AwsSecretsConfig>,
    /// Google Cloud Secret Manager. Needs a build with the feature `gcp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gcp: Option<GcpSecretsConfig>,
    /// `pass`, the standard Unix password manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass: Option<PassConfig>,
}

/// A kind of store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// The service's own database.
    #[default]
    Sql,
    /// Vault or OpenBao.
    Vault,
    /// AWS Secrets Manager.
    Aws,
    /// Google Cloud Secret Manager.
    Gcp,
    /// `pass`.
    Pass,
}

/// A KV engine, version 2.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct VaultKvConfig {
    /// Which Vault.
    pub server: VaultConfig,
    /// Where the engine is mounted. "secret" unless set.
    pub mount: String,
}

/// Secrets Manager in one region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AwsSecretsConfig {
    /// The region, "eu-central-1".
    pub region: String,
    /// How AWS is reached.
    pub server: AwsConfig,
}

/// Secret Manager of one project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GcpSecretsConfig {
    /// The project's id.
    pub project: String,
    /// How Google Cloud is reached.
    pub server: GoogleConfig,
}

/// A password store on this machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct PassConfig {
    /// The program. "pass" unless set.
    pub program: PathBuf,
    /// The folder of the store, made by `pass init`.
    pub folder: PathBuf,
    /// The home of GnuPG with the key of the store, which must open without a passphrase.
    pub gnupg_home: PathBuf,
    /// How long the program may take. 5 s unless set.
    #[serde(with = "humantime_serde")]
    pub limit: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            store: StoreKind::Sql,
            sweep_after: Duration::from_secs(24 * 60 * 60),
            vault: None,
            aws: None,
            gcp: None,
            pass: None,
        }
    }
}

impl Default for VaultKvConfig {
    fn default() -> Self {
        Self {
            server: VaultConfig::default(),
            mount: "secret".to_owned(),
        }
    }
}

impl Default for PassConfig {
    fn default() -> Self {
        Self {
            program: PathBuf::from("pass"),
            folder: PathBuf::new(),
            gnupg_home: PathBuf::new(),
            limit: ANSWERED_WITHIN,
        }
    }
}

impl Config {
    /// Whether the store in which new secrets are put is configured.
    const fn has(&self, store: StoreKind) -> bool {
        match store {
            StoreKind::Sql => true,
            StoreKind::Vault => self.vault.is_some(),
            StoreKind::Aws => self.aws.is_some(),
            StoreKind::Gcp => self.gcp.is_some(),
            StoreKind::Pass => self.pass.is_some(),
        }
    }
}

impl Validate for Config {
    fn validate(&self, faults: &mut Vec<Fault>) {
        let mut fault = |key: &str, problem: &str| faults.push(Fault::new(format!("secrets.{key}"), problem));
        if !self.has(self.store) {
            fault(
                "store",
                "names a store that has no section of its own under [secrets]",
            );
        }
        if self.sweep_after < Duration::from_secs(60 * 60) {
            fault(
                "sweep_after",
                "must be an hour at least: what is being put must not be swept",
            );
        }
        let name = |text: &str| {
            let fit = |letter: char| letter.is_ascii_alphanumeric() || "-_.:".contains(letter);
            !text.is_empty() && !text.contains("..") && text.chars().all(fit)
        };
        if let Some(vault) = &self.vault
            && !vault.mount.split('/').all(name)
        {
            fault(
                "vault.mount",
                "must be a path of letters, digits, '-', '_' and '.'",
            );
        }
        if self.aws.as_ref().is_some_and(|aws| !name(&aws.region)) {
            fault("aws.region", "must be the name of a region");
        }
        if self.gcp.as_ref().is_some_and(|gcp| !name(&gcp.project)) {
            fault("gcp.project", "must be the id of a project");
        }
        if let Some(pass) = &self.pass {
            for (key, path) in [
                ("pass.folder", &pass.folder),
                ("pass.gnupg_home", &pass.gnupg_home),
            ] {
                if !path.is_absolute() {
                    fault(key, "must be an absolute path");
                }
            }
        }
        if let Some(vault) = &self.vault {
            vault.server.validate("secrets.vault.server", faults);
        }
        if let Some(aws) = &self.aws {
            aws.server.validate("secrets.aws.server", faults);
        }
        if let Some(gcp) = &self.gcp {
            gcp.server.validate("secrets.gcp.server", faults);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_needs_its_section_and_every_fault_is_told() {
        let mut config = Config {
            store: StoreKind::Vault,
            sweep_after: Duration::from_secs(1),
            gcp: Some(GcpSecretsConfig::default()),
            aws: Some(AwsSecretsConfig::default()),
            pass: Some(PassConfig::default()),
            ..Config::default()
        };
        let faults = |config: &Config| {
            let mut faults = Vec::new();
            config.validate(&mut faults);
            faults.into_iter().map(|fault| fault.key).collect::<Vec<_>>()
        };
        assert_eq!(
            faults(&config),
            [
                "secrets.store",
                "secrets.sweep_after",
                "secrets.aws.region",
                "secrets.gcp.project",
                "secrets.pass.folder",
                "secrets.pass.gnupg_home"
            ]
        );
        config = Config {
            vault: Some(VaultKvConfig {
                mount: "a/../b".to_owned(),
                ..VaultKvConfig::default()
            }),
            store: StoreKind::Vault,
            ..Config::default()
        };
        assert_eq!(
            faults(&config),
            [
                "secrets.vault.mount",
                "secrets.vault.server.address",
                "secrets.vault.server.token_file"
            ]
        );
    }
}
