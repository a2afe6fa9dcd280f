//! What tells a write from every other, and where its result lies.

use aws_lc_rs::digest;
use hubkeep_seal::{Owner, Place, Purpose};

use super::{Asker, Repeatable, Row};

/// What tells a write from every other: whose, by whom, under which request id, which call of it.
pub(super) fn key_of(asker: &Asker<'_>, again: &Repeatable) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(&asker.portal.portal_id().get().to_be_bytes());
    context.update(again.request_id.as_bytes());
    context.update(&again.part.to_be_bytes());
    if again.rest > 0 {
        // No caller's name begins with a byte like this.
        context.update(&[0]);
        context.update(&again.rest.to_be_bytes());
    }
    // The last, and of any length.
    context.update(asker.caller.as_str().as_bytes());
    hex::encode(context.finish())
}

/// Where a result lies.
pub(super) fn place<'a>(row: &'a Row, call_id: &'a str) -> Place<'a> {
    Place {
        owner: Owner::Portal(row.portal_id),
        purpose: Purpose::Writes,
        table: "write_call",
        column: "sealed_answer",
        row: &row.write_key,
        client_slug: &row.client_slug,
        kind: call_id,
        generation: 0,
    }
}
