//! The services as they run in production: each a program and a process of its own.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use hubkeep_credential_service as credential_service;
use hubkeep_crm_service as crm_service;
use serde::Serialize;

use crate::{Failure, parts::Place, process, stage::connect};

/// A program answers within this, or it does not at all.
const PATIENCE: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(20);

/// Both services.
pub(crate) struct Servants {
    pub(crate) credential: Servant,
    pub(crate) crm: Servant,
}

/// A service in a process of its own, which ends with this.
pub(crate) struct Servant {
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Servants {
    /// Starts both, and waits until they answer.
    ///
    /// # Errors
    /// If a program is not built, or does not answer.
    pub(crate) async fn start(
        place: &Place,
        folder: &Path,
        credential: &credential_service::config::Config,
        crm: &crm_service::config::Config,
    ) -> Result<Self, Failure> {
        let start =
            |name: &str, listen, config: &str| Servant::start(name, listen, &folder.join(name), config);
        let listen = credential.grpc.listen;
        let credential = start("credential-service", listen, &as_toml(credential)?)?;
        credential.answering(place).await?;
        let crm = start("crm-service", crm.grpc.listen, &as_toml(crm)?)?;
        crm.answering(place).await?;
        Ok(Self { credential, crm })
    }

    /// Ends both.
    pub(crate) fn stop(self) {
        drop(self.crm);
        drop(self.credential);
    }
}

impl Servant {
    fn start(name: &str, address: SocketAddr, file: &Path, config: &str) -> Result<Self, Failure> {
        let program = beside_this(name)?;
        let file = file.with_extension("toml");
        fs::write(&file, config)?;
        let process = Command::new(&program)
            .args(["serve", "--dev", "--config"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{} does not start: {error}", program.display()))?;
        Ok(Self { address, process })
    }

    async fn answering(&self, place: &Place) -> Result<(), Failure> {
        let until = place.clock.tick().plus(PATIENCE);
        loop {
            match connect(self.address).await {
                Ok(_) => return Ok(()),
                Err(error) if place.clock.tick() >= until => return Err(error),
                Err(_) => place.clock.sleep(AGAIN).await,
            }
        }
    }

    /// Its memory that is in RAM now, in MiB.
    ///
    /// # Errors
    /// If it does not run any more.
    pub(crate) fn resident_mib(&self) -> Result<f64, Failure> {
        process::resident_mib(self.process.id())
    }
}

impl Drop for Servant {
    fn drop(&mut self) {
        // One that has ended already needs no more.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program of this name, built as this one is.
fn beside_this(name: &str) -> Result<PathBuf, Failure> {
    let program = env::current_exe()?.with_file_name(name);
    match program.is_file() {
        true => Ok(program),
        false => Err(format!("{} is not built: `make bench` builds it", program.display()).into()),
    }
}

fn as_toml(config: &impl Serialize) -> Result<String, Failure> {
    Ok(toml::to_string(config)?)
}
