//! The compose file, read as far as Hubkeep uses it. A key that is not named here is a fault: what the tests do not
//! look at, the file does not say.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::sources::source;

/// The whole file.
#[derive(Debug, Deserialize)]
pub struct Compose {
    /// By name.
    pub services: BTreeMap<String, Service>,
    /// By name.
    pub networks: BTreeMap<String, Network>,
    /// By name.
    pub volumes: BTreeMap<String, Volume>,
    /// By name.
    pub secrets: BTreeMap<String, Secret>,
}

/// One service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Name and tag.
    pub image: String,
    /// How the image is built, if it is ours.
    pub build: Option<Build>,
    /// What runs in it.
    #[serde(default)]
    pub command: Vec<String>,
    /// When it is left out.
    #[serde(default)]
    pub profiles: Vec<String>,
    /// As whom it runs.
    pub user: String,
    /// What it is told.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// What it is shown.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// "volume-or-path:where[:ro]".
    #[serde(default)]
    pub volumes: Vec<String>,
    /// Folders in memory.
    #[serde(default)]
    pub tmpfs: Vec<String>,
    /// "address:port:port".
    #[serde(default)]
    pub ports: Vec<String>,
    /// What it can reach.
    pub networks: Vec<String>,
    /// What must run before it.
    #[serde(default)]
    pub depends_on: BTreeMap<String, Dependency>,
    /// How the engine knows that it serves.
    pub healthcheck: Option<HealthCheck>,
    /// What it gets to end in.
    pub stop_grace_period: Option<String>,
    /// When it is started again.
    pub restart: String,
    /// Whether its own files are read-only.
    pub read_only: bool,
    /// What the kernel will not do for it.
    pub cap_drop: Vec<String>,
    /// Further bounds.
    pub security_opt: Vec<String>,
}

/// How an image is built.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The folder.
    pub context: String,
    /// The stage of the Dockerfile.
    pub target: String,
    /// The network during the build.
    pub network: String,
    /// The arguments of the Dockerfile.
    pub args: BTreeMap<String, String>,
}

/// What another service must be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// "service_healthy".
    pub condition: String,
}

/// How the engine knows that a service serves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// "CMD" and a command.
    pub test: Vec<String>,
    /// How often.
    pub interval: String,
    /// How long it may take.
    pub timeout: String,
    /// How often in a row it may fail.
    pub retries: u32,
}

/// A network.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Whether it ends at the machine.
    #[serde(default)]
    pub internal: bool,
}

/// A volume, as the engine makes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {}

/// A secret.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The file that holds it.
    pub file: String,
}

impl Compose {
    /// `docker-compose.yml`.
    pub fn read() -> Self {
        serde_saphyr::from_str(&source("docker-compose.yml").text)
            .expect("a compose file that says what we know")
    }

    /// The services whose image is built here.
    pub fn ours(&self) -> impl Iterator<Item = (&str, &Service)> {
        let all = self.services.iter();
        all.filter(|(_, service)| service.build.is_some())
            .map(|(name, service)| (name.as_str(), service))
    }

    /// A service by its name.
    pub fn service(&self, name: &str) -> &Service {
        self.services
            .get(name)
            .unwrap_or_else(|| panic!("there is no service {name}"))
    }
}

impl Service {
    /// The value that follows an option, or stands in it behind "=".
    pub fn option(&self, name: &str) -> Option<&str> {
        option(&self.command, name)
    }

    /// The file of this machine that is mounted here.
    pub fn mounted(&self, at: &str) -> Option<&str> {
        self.volumes.iter().find_map(|volume| {
            let (from, to) = volume.split_once(':')?;
            (to.trim_end_matches(":ro") == at).then_some(from)
        })
    }
}

/// The value of an option in a command.
pub fn option<'a>(command: &'a [String], name: &str) -> Option<&'a str> {
    let at = command.iter().position(|word| word == name);
    let following = at.and_then(|at| command.get(at + 1));
    let joined = || {
        command
            .iter()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    };
    following.map(String::as_str).or_else(joined)
}
