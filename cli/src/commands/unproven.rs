//! How a command ends that has found something to be other than what was signed.

use serde_json::json;

use crate::{bundle::Wrong, errors::Error, exit::Exit, output::Output};

/// Says what is wrong.
pub(super) fn unproven(wrong: &Wrong, output: &Output) -> Result<Exit, Error> {
    let problem = wrong.to_string();
    if output.is_json() {
        output.document(&json!({"good": false, "problem": problem}))?;
    } else {
        output.line(&format!("wrong: {problem}"))?;
    }
    Ok(Exit::Unproven)
}
