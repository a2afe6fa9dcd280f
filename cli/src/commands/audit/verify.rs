//! `hubkeep audit verify`: whether a bundle is what was signed. Speaks to nobody.

use std::{fs, path::PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    bundle::{self, Verified, Wrong},
    commands::unproven::unproven,
    errors::Error,
    exit::Exit,
    output::Output,
};

#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    /// The folder that `audit export` made: of one service's log, or of both.
    #[arg(value_name = "BUNDLE")]
    bundle: PathBuf,
    /// The verifier keys that you trust, one a line: those that you were given when you first met the services. Without it those
    /// in the bundle are taken, which shows no more than that it fits itself.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// A checkpoint that you kept from before, of the log or of the log of heads: the bundle must have grown out of it.
    #[arg(long, value_name = "FILE")]
    held: Vec<PathBuf>,
    /// Receipts that you kept of writes, one after the other as they came: what each promises must stand in the bundle.
    #[arg(long, value_name = "FILE")]
    receipt: Vec<PathBuf>,
}

pub(super) fn run(args: &VerifyArgs, output: &Output) -> Result<Exit, Error> {
    // By what cannot be read nothing is said of the bundle; a bundle that is not there proves nothing.
    for named in args.key.iter().chain(&args.held).chain(&args.receipt) {
        fs::metadata(named)
            .map_err(|error| Error::Usage(format!("{} cannot be read: {error}", named.display())))?;
    }
    match bundle::verify_all(&args.bundle, args.key.as_deref(), &args.held, &args.receipt) {
        Ok(found) => {
            if output.is_json() {
                let logs: Vec<Value> = found.iter().map(in_json).collect();
                output.document(&json!({"good": true, "logs": logs}))?;
            } else {
                for found in &found {
                    output.line(&in_words(found))?;
                }
            }
            if args.key.is_none() {
                output.note(
                    "by the keys in the bundle itself: with --key FILE it is held to those that you trust",
                )?;
            }
            Ok(Exit::Done)
        }
        Err(Wrong::Unreadable { path, source }) => Err(Error::Usage(format!(
            "{} cannot be read: {source}",
            path.display()
        ))),
        Err(wrong) => unproven(&wrong, output),
    }
}

fn in_json(found: &Verified) -> Value {
    json!({
        "log": found.log,
        "size": found.size,
        "first_index": found.first_index,
        "heads_size": found.heads_size,
        "receipts": found.receipts,
    })
}

fn in_words(found: &Verified) -> String {
    let pruned = match found.first_index {
        0 => String::new(),
        first => format!(", of which the first {first} were pruned"),
    };
    let receipts = match found.receipts {
        0 => String::new(),
        count => format!("; receipts fulfilled: {count}"),
    };
    format!("good: {} entries of {}{pruned}{receipts}", found.size, found.log)
}
