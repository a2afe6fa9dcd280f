//! `hubkeep report verify`: whether a report is what the service has signed. Speaks to nobody.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{SHA256, digest};
use clap::Args;
use serde_json::json;

use super::unproven::unproven;
use crate::{
    bundle::{Keys, Wrong},
    errors::Error,
    exit::Exit,
    output::{Output, printable},
};

#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    /// The report, as `--out` has written it. Its signature lies beside it, in a file that ends in .note.
    #[arg(value_name = "FILE")]
    report: PathBuf,
    /// The verifier keys that you trust, one a line: those that you were given when you first met the service.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// Where the signature of a report lies.
pub(super) fn note_of(report: &Path) -> PathBuf {
    let mut path = OsString::from(report);
    path.push(".note");
    PathBuf::from(path)
}

/// Runs `report verify`.
pub(super) fn run(args: &VerifyArgs, output: &Output) -> Result<Exit, Error> {
    let (report, note) = (read(&args.report)?, read(&note_of(&args.report))?);
    let keys = String::from_utf8_lossy(&read(&args.key)?).into_owned();
    match stated(&note, &keys, &report) {
        Ok(statement) => {
            if output.is_json() {
                output.document(&json!({"good": true, "statement": statement}))?;
            } else {
                output.line(&format!("good: {}", printable(&statement.replace('\n', ", "))))?;
            }
            Ok(Exit::Done)
        }
        Err(wrong) => unproven(&wrong, output),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| Error::Usage(format!("{} cannot be read: {error}", path.display())))
}

/// What was signed of these bytes, without the line that says what it is.
fn stated(note: &[u8], keys: &str, report: &[u8]) -> Result<String, Wrong> {
    let text = Keys::read(keys)?.text(note, "the signature")?;
    let text = String::from_utf8_lossy(&text);
    let Some(statement) = text.strip_prefix("hubkeep report\n") else {
        return Err(Wrong::of(
            "the signature",
            "it is of something else than a report",
        ));
    };
    let sha256 = hex::encode(digest(&SHA256, report).as_ref());
    let signed = statement.lines().find_map(|line| line.strip_prefix("sha256 "));
    if signed != Some(sha256.as_str()) {
        return Err(Wrong::of(
            "the report",
            "its bytes are not those that were signed",
        ));
    }
    Ok(statement.trim_end().to_owned())
}
