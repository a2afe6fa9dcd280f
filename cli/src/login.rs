//! Who we are to the services: what our certificate says, or in development what we say ourselves.

use std::path::{Path, PathBuf};

use hubkeep_core::{
    clock::Timestamp,
    id::CallerName,
    tls::{ClientFiles, Dialer},
};

use crate::errors::Error;

/// Who we are: files with a certificate for `https://`, a name for `http://` on loopback.
#[derive(Clone, Debug)]
pub struct Login {
    /// The name we say; `None` for the usual one.
    pub stated: Option<CallerName>,
    /// Our certificate.
    pub cert: Option<PathBuf>,
    /// Its private key.
    pub key: Option<PathBuf>,
    /// The CA of the services.
    pub ca: Option<PathBuf>,
    /// When this is: a certificate that has ended is told before anything is sent.
    pub now: Timestamp,
}

impl Login {
    /// Somebody without certificates, for development.
    pub const fn stated(name: CallerName, now: Timestamp) -> Self {
        Self {
            stated: Some(name),
            cert: None,
            key: None,
            ca: None,
            now,
        }
    }

    /// Who we say we are in development.
    ///
    /// # Errors
    /// Never in practice: the usual name is a valid one.
    pub(crate) fn name(&self) -> Result<CallerName, Error> {
        match &self.stated {
            Some(name) => Ok(name.clone()),
            None => "operator/dev"
                .parse()
                .map_err(|_| Error::Failed("no name".to_owned())),
        }
    }

    /// How we prove who we are.
    ///
    /// # Errors
    /// If a file is not named or cannot be used; all that is wrong is told at once.
    pub(crate) fn certified(&self) -> Result<Dialer, Error> {
        if self.stated.is_some() {
            let told = "over https:// your certificate says who you are: leave out --as (HUBKEEP_AS)";
            return Err(Error::Usage(told.to_owned()));
        }
        let options = [("--cert", &self.cert), ("--key", &self.key), ("--ca", &self.ca)];
        let missing = options.iter().filter(|(_, file)| file.is_none());
        let missing: Vec<&str> = missing.map(|(option, _)| *option).collect();
        let (Some(cert), Some(key), Some(ca)) = (&self.cert, &self.key, &self.ca) else {
            return Err(Error::Usage(format!(
                "https:// needs your certificate, its key and the CA of the services: name {} (`hubkeep certs issue \
                 NAME` makes a certificate)",
                missing.join(", ")
            )));
        };
        load(cert, key, ca, self.now)
    }
}

fn load(cert: &Path, key: &Path, ca: &Path, now: Timestamp) -> Result<Dialer, Error> {
    let files = ClientFiles {
        certificate: ("--cert", cert),
        key: ("--key", key),
        ca: ("--ca", ca),
    };
    files.load(now).map_err(|unusable| {
        let told = unusable
            .0
            .iter()
            .map(|fault| format!("{} {}", fault.key, fault.problem));
        Error::Usage(told.collect::<Vec<_>>().join("\n"))
    })
}
