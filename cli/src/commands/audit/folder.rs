//! The folder of a bundle, and files that are named for it.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use serde::Serialize;
use tempfile::TempDir;

use crate::{bundle, errors::Error};

/// A folder beside another, which becomes that one when it is whole: of a name, there is a good bundle or none. It is gone
/// again if it does not.
pub(super) fn beside(folder: &Path) -> io::Result<TempDir> {
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    tempfile::Builder::new()
        .prefix(".hubkeep-bundle-")
        .permissions(Permissions::from_mode(0o777))
        .tempdir_in(parent.unwrap_or(Path::new(".")))
}

/// Name and size of every checkpoint that is held.
pub(super) fn held(files: &[PathBuf]) -> Result<Vec<(String, u64)>, Error> {
    let read = |file: &PathBuf| {
        let unusable = |why: String| Error::Usage(format!("{} cannot be used: {why}", file.display()));
        let note = fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
        bundle::stated(&note).ok_or_else(|| unusable("it is no signed checkpoint".to_owned()))
    };
    files.iter().map(read).collect()
}

/// A part of a bundle.
pub(super) fn write_json(path: &Path, part: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_vec_pretty(part).map_err(|error| Error::Failed(error.to_string()))?;
    Ok(fs::write(path, text)?)
}
