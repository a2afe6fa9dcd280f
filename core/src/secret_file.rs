//! Secrets that a configuration names by the file they lie in.

use std::{fs::File, io::Read as _, os::unix::fs::PermissionsExt as _, path::Path};

use secrecy::zeroize::Zeroizing;

/// The longest secret that is read, in bytes.
const LONGEST: u64 = 1_024;

/// Reads a secret, without the line feeds at its end. Wiped when it is dropped.
///
/// # Errors
/// With what is wrong, in words: it cannot be read, everybody may use it, it is longer than 1,024 bytes, or empty.
pub fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    read_at_most(path, LONGEST)
}

/// The same of a secret that may be longer: so many bytes.
///
/// # Errors
/// As [`read`].
pub fn read_at_most(path: &Path, longest: u64) -> Result<Zeroizing<String>, String> {
    let say = |error: std::io::Error| error.to_string();
    let file = File::open(path).map_err(say)?;
    // Asked of the open file, not of the path: what was checked is what is read.
    let mode = file.metadata().map_err(say)?.permissions().mode() & 0o7777;
    if mode & 0o007 != 0 {
        return Err(format!(
            "its mode is {mode:04o}: everybody may use it, so chmod 0400 it"
        ));
    }
    let mut secret = Zeroizing::new(String::new());
    let read = file
        .take(longest.saturating_add(1))
        .read_to_string(&mut secret)
        .map_err(say)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > longest {
        return Err(format!("it is longer than {longest} bytes"));
    }
    let length = secret.trim_end_matches(['\r', '\n']).len();
    secret.truncate(length);
    if secret.is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(secret)
}
