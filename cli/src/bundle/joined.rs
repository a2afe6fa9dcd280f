//! The bundles of both services about one portal, in one folder: each verified by itself, and that they belong together.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    CHECKPOINT, Verified, Wrong,
    check::{text, verify_against},
    receipt::{self, Kept},
    stated,
};

/// One of several bundles.
struct Part {
    folder: PathBuf,
    /// Whose logs it is of: `<deployment>/<service>`.
    service: String,
    /// The rest of the log's name.
    portal: String,
}

/// Verifies the bundle in a folder, or all those in folders in it, as [`verify`](super::verify) does it with one. A checkpoint that
/// is held, and a receipt, is held against the bundle of its own service.
///
/// # Errors
/// With the first thing that is wrong.
pub fn verify_all(
    folder: &Path,
    keys: Option<&Path>,
    held: &[PathBuf],
    receipts: &[PathBuf],
) -> Result<Vec<Verified>, Wrong> {
    let folders = folders(folder)?;
    if folder.join(CHECKPOINT).exists() || folders.is_empty() {
        return Ok(vec![super::verify(folder, keys, held, receipts)?]);
    }
    let parts = folders.into_iter().map(Part::read);
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    belong_together(&parts)?;
    let kept = receipt::kept(receipts)?;
    let held = held
        .iter()
        .map(|file| Ok((service_of_held(file)?, file.as_path())));
    let held = held.collect::<Result<Vec<_>, _>>()?;
    all_are_of(&parts, &held, &kept)?;
    let verified = parts.iter().map(|part| {
        let held: Vec<&Path> = held
            .iter()
            .filter(|(service, _)| *service == part.service)
            .map(|(_, file)| *file)
            .collect();
        let kept: Vec<&Kept> = kept
            .iter()
            .filter(|kept| service_of_receipt(kept) == Some(&part.service))
            .collect();
        verify_against(&part.folder, keys, &held, &kept).map_err(|wrong| wrong.in_bundle(&part.folder))
    });
    verified.collect()
}

impl Part {
    fn read(folder: PathBuf) -> Result<Self, Wrong> {
        let note = text(&folder.join(CHECKPOINT))?;
        let (log, _) =
            stated(&note).ok_or_else(|| Wrong::of("checkpoint", "it is none").in_bundle(&folder))?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let named = log
            .rsplit_once('/')
            .filter(|(service, _)| service.rsplit_once('/').map_or(*service, |(_, service)| service) == name);
        let Some((service, portal)) = named else {
            let problem = format!("it is of {log}, in a folder of another service");
            return Err(Wrong::of("checkpoint", problem).in_bundle(&folder));
        };
        Ok(Self {
            service: service.to_owned(),
            portal: portal.to_owned(),
            folder,
        })
    }

    /// Of which services of the same deployment there may be logs of the same portal.
    fn deployment(&self) -> &str {
        self.service
            .rsplit_once('/')
            .map_or("", |(deployment, _)| deployment)
    }
}

/// The folders in a folder, by name.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, Wrong> {
    let unreadable = |error| Wrong::file(folder, error);
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.file_type().map_err(unreadable)?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}

fn belong_together(parts: &[Part]) -> Result<(), Wrong> {
    let Some((first, others)) = parts.split_first() else {
        return Ok(());
    };
    let stranger = others
        .iter()
        .find(|part| (part.deployment(), &part.portal) != (first.deployment(), &first.portal));
    match stranger {
        None => Ok(()),
        Some(part) => {
            let problem = format!(
                "it is of {}/{}, and another in the same folder of {}/{}: they are not of one portal",
                part.service, part.portal, first.service, first.portal
            );
            Err(Wrong::of("checkpoint", problem).in_bundle(&part.folder))
        }
    }
}

/// Whatever is held must be of one of the bundles: else nothing would say that a whole bundle was taken out.
fn all_are_of(parts: &[Part], held: &[(String, &Path)], kept: &[Kept]) -> Result<(), Wrong> {
    let is_there = |service: &str| parts.iter().any(|part| part.service == service);
    let nothing = |of: &str| format!("it is of {of}, of which there is no bundle");
    if let Some((service, file)) = held.iter().find(|(service, _)| !is_there(service)) {
        return Err(Wrong::of(what(file), nothing(service)));
    }
    let missing = |kept: &&Kept| service_of_receipt(kept).is_none_or(|service| !is_there(service));
    match kept.iter().find(missing) {
        None => Ok(()),
        Some(kept) => Err(Wrong::of(kept.who(), nothing(kept.log().unwrap_or("no log")))),
    }
}

fn service_of_held(file: &Path) -> Result<String, Wrong> {
    let told = stated(&text(file)?).ok_or_else(|| Wrong::of(what(file), "it is no signed checkpoint"))?;
    let service = told.0.rsplit_once('/').map(|(service, _)| service.to_owned());
    Ok(service.unwrap_or_default())
}

fn service_of_receipt(kept: &Kept) -> Option<&str> {
    kept.log()?.rsplit_once('/').map(|(service, _)| service)
}

fn what(file: &Path) -> String {
    format!("the checkpoint that you hold in {}", file.display())
}
