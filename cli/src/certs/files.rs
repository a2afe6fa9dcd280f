//! The folder of a CA and of the certificates from it. No file is ever overwritten unasked but the list of what is
//! revoked; what is replaced, is replaced in one step.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use hubkeep_core::{
    id::CallerName,
    tls::{Certificate, RevocationList},
};
use zeroize::Zeroizing;

use super::{Authority, Issued};
use crate::errors::Error;

/// Everybody may read a certificate.
const CERTIFICATE: u32 = 0o644;
/// Its owner alone reads a private key.
const KEY: u32 = 0o600;
/// The CA's is written once and never changed.
const CA_KEY: u32 = 0o400;

/// A folder with a CA: `ca.crt`, `ca.key`, `ca.crl`, and for each name `NAME.crt` and `NAME.key`.
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

    /// The file of the CA's list.
    pub fn list(&self) -> PathBuf {
        self.path.join("ca.crl")
    }

    /// The list that lies here; an empty one if there is none yet.
    ///
    /// # Errors
    /// If it cannot be read: a new one would forget whom it revokes.
    pub fn open_list(&self) -> Result<RevocationList, Error> {
        let path = self.list();
        match fs::read_to_string(&path) {
            Ok(text) => RevocationList::read(&text).ok_or_else(|| {
                Error::Usage(format!("{}: is no list of revoked certificates", path.display()))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(RevocationList::default()),
            Err(error) => Err(unusable(&path, "cannot be read", &error)),
        }
    }

    /// Puts a newer list in the place of the one that lies here, so that who reads it finds the one or the other.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_list(&self, list: &str) -> Result<PathBuf, Error> {
        let path = self.list();
        replace(&path, list.as_bytes(), CERTIFICATE)?;
        Ok(path)
    }

    /// A certificate that the CA here has signed.
    ///
    /// # Errors
    /// If it cannot be read, or another CA signed it.
    pub fn signed_here(&self, path: &Path) -> Result<Certificate, Error> {
        let ca = self.authority().certificate;
        let read =
            |path: &Path| fs::read_to_string(path).map_err(|error| unusable(path, "cannot be read", &error));
        Certificate::signed_by(&read(&ca)?, &read(path)?).ok_or_else(|| {
            Error::Usage(format!(
                "{} is no certificate that the CA of {} has signed",
                path.display(),
                ca.display()
            ))
        })
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

    /// Puts a name's certificate and key in the place of those that are there, if any. The certificate that was there is
    /// kept as `NAME.old.crt`, so that it can be revoked.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn renew(&self, name: &CallerName, issued: &Issued) -> Result<Pair, Error> {
        let pair = self.of(name);
        if pair.certificate.exists() {
            let old = fs::read(&pair.certificate)
                .map_err(|error| unusable(&pair.certificate, "cannot be read", &error))?;
            replace(&pair.certificate.with_extension("old.crt"), &old, CERTIFICATE)?;
        }
        replace(&pair.key, issued.key.as_bytes(), KEY)?;
        replace(&pair.certificate, issued.certificate.as_bytes(), CERTIFICATE)?;
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

/// In one step: who reads the file finds what was there or what is.
fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // What an attempt left behind that was cut off.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(unusable(&beside, "cannot be removed", &error));
        }
        _ => {}
    }
    write_new(&beside, bytes, mode)?;
    fs::rename(&beside, path).map_err(|error| unusable(path, "cannot be written", &error))
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
