//! The folder of a CA and of the certificates from it. No file is ever overwritten.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use hubkeep_core::id::CallerName;
use zeroize::Zeroizing;

use super::{Authority, Issued};
use crate::errors::Error;

/// Everybody may read a certificate.
const CERTIFICATE: u32 = 0o644;
/// Its owner alone reads a private key.
const KEY: u32 = 0o600;
/// The CA's is written once and never changed.
const CA_KEY: u32 = 0o400;

/// A folder with a CA: `ca.crt`, `ca.key`, and for each name `NAME.crt` and `NAME.key`.
#[derive(Debug)]
pub struct CertsDir {
    path: PathBuf,
}

/// Where a certificate and its key lie.
#[derive(Debug)]
pub struct Pair {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl CertsDir {
    /// This folder; nothing is looked at yet.
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// The CA's files.
    pub fn authority(&self) -> Pair {
        self.pair("ca")
    }

    /// The files of a name, in which each '/' is written as '-'.
    pub fn of(&self, name: &CallerName) -> Pair {
        self.pair(&name.as_str().replace('/', "-"))
    }

    fn pair(&self, stem: &str) -> Pair {
        Pair {
            certificate: self.path.join(format!("{stem}.crt")),
            key: self.path.join(format!("{stem}.key")),
        }
    }

    /// Makes the folder, for its owner alone, and puts a new CA into it.
    ///
    /// # Errors
    /// If there is one already, or it cannot be written.
    pub fn keep_authority(&self, issued: &Issued) -> Result<Pair, Error> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
        made.map_err(|error| unusable(&self.path, "the folder cannot be made", &error))?;
        let pair = self.authority();
        keep(&pair, issued, CA_KEY)?;
        Ok(pair)
    }

    /// Puts a name's certificate and key beside the CA.
    ///
    /// # Errors
    /// If there are some already, or they cannot be written.
    pub fn keep(&self, name: &CallerName, issued: &Issued) -> Result<Pair, Error> {
        let pair = self.of(name);
        keep(&pair, issued, KEY)?;
        Ok(pair)
    }

    /// The CA that lies here.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn open_authority(&self) -> Result<Authority, Error> {
        let Pair { certificate, key } = self.authority();
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(|error| {
                unusable(
                    path,
                    "the CA cannot be read (`hubkeep certs init` makes one)",
                    &error,
                )
            })
        };
        let (text, key_text) = (read(&certificate)?, Zeroizing::new(read(&key)?));
        Authority::read(&text, &key_text).map_err(|error| {
            Error::Usage(format!(
                "{} and {}: {error}",
                certificate.display(),
                key.display()
            ))
        })
    }
}

/// Writes the key first: a certificate without a key is worth nothing, and its name would be taken.
fn keep(pair: &Pair, issued: &Issued, key_mode: u32) -> Result<(), Error> {
    if let Some(there) = [&pair.key, &pair.certificate]
        .into_iter()
        .find(|file| file.exists())
    {
        return Err(Error::Usage(format!(
            "{} is there already, and no file is overwritten: remove it first, or take another name or --dir",
            there.display()
        )));
    }
    write_new(&pair.key, issued.key.as_bytes(), key_mode)?;
    write_new(&pair.certificate, issued.certificate.as_bytes(), CERTIFICATE)
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| unusable(path, "cannot be written", &error))
}

fn unusable(path: &Path, what: &str, error: &io::Error) -> Error {
    Error::Usage(format!("{}: {what}: {error}", path.display()))
}
