//! Five clients come in a CSV file. Two rows are bad: one carries another portal's token, one a revoked token.

use std::io::Cursor;

use crate::{
    commands::import::{RowResult, import_from},
    demo::{
        narrator::Narrator,
        promises::Promises,
        stage::{MISPLACED_TOKEN, Stage},
    },
    errors::Error,
};

/// The bad rows, and why each must be refused.
const BAD: [(&str, &str); 2] = [("wayne", "TOKEN_OF_ANOTHER_PORTAL"), ("umbra", "TOKEN_REFUSED")];

pub(in crate::demo) async fn run(
    stage: &Stage,
    narrator: &Narrator,
    promises: &mut Promises,
) -> Result<(), Error> {
    narrator.step(1, "Import five clients from a CSV file; two of its rows are bad")?;
    let report = import_from(Cursor::new(file(stage)?), stage.credential()).await?;
    for row in report.rows() {
        if row.outcome == "ONBOARDED" {
            let text = format!(
                "row {} {}: verified, sealed, stored as portal {}",
                row.row, row.client_slug, row.portal_id
            );
            narrator.done(&text)?;
        } else {
            narrator.refused(&format!(
                "row {} {}: {}: {}",
                row.row, row.client_slug, row.reason, row.message
            ))?;
        }
    }
    promises.portals_onboarded = report.count("ONBOARDED");
    promises.rows_refused = report.rows().filter(|row| is_rightly_refused(row)).count();
    Ok(())
}

fn is_rightly_refused(row: &RowResult) -> bool {
    row.outcome == "REFUSED" && BAD.contains(&(row.client_slug.as_str(), row.reason))
}

fn file(stage: &Stage) -> Result<String, Error> {
    let mut file = "clientSlug,portalToken,portalId\n".to_owned();
    for slug in ["acme", "globex", "wayne", "initech", "umbra"] {
        let (number, token) = stage.client(slug)?;
        let token = if slug == "wayne" { MISPLACED_TOKEN } else { token };
        file.push_str(&format!("{slug},{token},{number}\n"));
    }
    Ok(file)
}
