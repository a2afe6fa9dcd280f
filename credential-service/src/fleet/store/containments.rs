//! The table `portal_containment`.

use std::collections::HashMap;

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::{CallerName, PortalId},
};

use super::super::Error;

/// What is known of a portal's containment.
#[derive(Clone, Debug)]
pub(in crate::fleet) struct Noted {
    pub(in crate::fleet) time: Timestamp,
    pub(in crate::fleet) by: CallerName,
    pub(in crate::fleet) reason: String,
    /// Whether it was served before.
    pub(in crate::fleet) was_active: bool,
}

/// portal_id, contain_time, contained_by, reason, was_active.
type Row = (i64, i64, String, String, i64);

/// Notes why a portal is contained, in the place of any older note.
pub(in crate::fleet) async fn put(
    transaction: &mut Transaction,
    portal_id: PortalId,
    noted: &Noted,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO portal_containment (portal_id, contain_time, contained_by, reason, was_active) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (portal_id) DO UPDATE SET contain_time = excluded.contain_time, \
         contained_by = excluded.contained_by, reason = excluded.reason, was_active = excluded.was_active",
    )
    .bind(portal_id.as_i64())
    .bind(noted.time.as_micros())
    .bind(noted.by.as_str())
    .bind(noted.reason.as_str())
    .bind(i64::from(noted.was_active))
    .execute(transaction)
    .await?;
    Ok(())
}

/// Takes the note away, and gives it.
pub(in crate::fleet) async fn take(
    transaction: &mut Transaction,
    portal_id: PortalId,
) -> Result<Option<Noted>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "DELETE FROM portal_containment WHERE portal_id = $1 \
         RETURNING portal_id, contain_time, contained_by, reason, was_active",
    )
    .bind(portal_id.as_i64())
    .fetch_optional(transaction)
    .await?;
    Ok(row.and_then(noted).map(|(_, noted)| noted))
}

/// Every note, by the portal's id.
pub(in crate::fleet) async fn all(database: &Database) -> Result<HashMap<i64, Noted>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT portal_id, contain_time, contained_by, reason, was_active FROM portal_containment",
    )
    .fetch_all(database.pool())
    .await?;
    Ok(rows.into_iter().filter_map(noted).collect())
}

/// A note, if it can be read. One that cannot hides nothing: that the portal is contained stands elsewhere.
fn noted(row: Row) -> Option<(i64, Noted)> {
    let (portal_id, time, by, reason, was_active) = row;
    let noted = Noted {
        time: Timestamp::from_micros(time),
        by: by.parse().ok()?,
        reason,
        was_active: was_active == 1,
    };
    Some((portal_id, noted))
}
