//! The table `rotation`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::{ClientSlug, CredentialId, PortalId, RotationId},
};

use super::{
    super::{
        Error,
        rotation::{End, Rotation},
        state::Token,
    },
    micros,
    read::{self, Row},
    signed,
};

/// Every column of a [`Row`], named, with how far the consumers are. `$1` is now.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT rotation_id, portal_id, client_slug, credential_id, credential_name, standing, old_version, ",
            "new_version, credential_version, old_fingerprint, new_fingerprint, old_token, new_token, lost_scopes, ",
            "store_version, rotated_by, switch_time, probe_time, next_probe_time, refused_once_time, end_reason, ",
            "ended_by, end_time, ",
            "(SELECT COUNT(*) FROM rotation_task AS task WHERE task.rotation_id = rotation.rotation_id) AS tasks, ",
            "(SELECT COUNT(*) FROM rotation_task AS task WHERE task.rotation_id = rotation.rotation_id ",
            "AND task.acknowledge_time IS NOT NULL) AS tasks_done, ",
            "(SELECT COUNT(*) FROM rotation_task AS task WHERE task.rotation_id = rotation.rotation_id ",
            "AND task.acknowledge_time IS NULL AND task.end_time IS NULL AND task.due_time <= $1) AS tasks_overdue, ",
            "(SELECT COUNT(*) FROM rotation_task AS task WHERE task.rotation_id = rotation.rotation_id ",
            "AND task.acknowledge_time IS NULL AND task.end_time IS NOT NULL) AS tasks_ended FROM rotation ",
            $rest
        )
    };
}

/// Which rotations a list is of.
#[derive(Clone, Debug)]
pub(in super::super) struct Wanted {
    /// Only those of this portal.
    pub(in super::super) client_slug: Option<ClientSlug>,
    /// Also those that are over.
    pub(in super::super) include_ended: bool,
    /// Only those before this one; the newest first.
    pub(in super::super) before: String,
    /// At most so many.
    pub(in super::super) limit: usize,
}

pub(in super::super) async fn by_id(
    database: &Database,
    rotation_id: RotationId,
    now: Timestamp,
) -> Result<Option<Rotation>, Error> {
    let row = sqlx::query_as::<_, Row>(select!("WHERE rotation_id = $2"))
        .bind(now.as_micros())
        .bind(rotation_id.to_string())
        .fetch_optional(database.pool())
        .await?;
    row.map(Rotation::try_from).transpose()
}

/// The newest rotation of a credential: by its version, since clocks of replicas differ.
pub(in super::super) async fn newest_of(
    database: &Database,
    credential_id: CredentialId,
    now: Timestamp,
) -> Result<Option<Rotation>, Error> {
    let row = sqlx::query_as::<_, Row>(select!(
        "WHERE credential_id = $2 ORDER BY credential_version DESC LIMIT 1"
    ))
    .bind(now.as_micros())
    .bind(credential_id.to_string())
    .fetch_optional(database.pool())
    .await?;
    row.map(Rotation::try_from).transpose()
}

pub(in super::super) async fn page(
    database: &Database,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Vec<Rotation>, Error> {
    let rows = sqlx::query_as::<_, Row>(select!(
        "WHERE rotation_id < $2 AND ($3 = '' OR client_slug = $3) AND ($4 = 1 OR next_probe_time IS NOT NULL OR \
         (standing IN ('in-force', 'rolled-back') AND EXISTS (SELECT 1 FROM rotation_task AS task WHERE \
         task.rotation_id = rotation.rotation_id AND task.acknowledge_time IS NULL AND task.end_time IS NULL))) \
         ORDER BY rotation_id DESC LIMIT $5"
    ))
    .bind(now.as_micros())
    .bind(&wanted.before)
    .bind(wanted.client_slug.as_ref().map_or("", ClientSlug::as_str))
    .bind(i64::from(wanted.include_ended))
    .bind(i64::try_from(wanted.limit).unwrap_or(i64::MAX))
    .fetch_all(database.pool())
    .await?;
    rows.into_iter().map(Rotation::try_from).collect()
}

/// At most `limit` portals with rotations that HubSpot is to be asked about by now, the longest waiting first.
pub(in super::super) async fn due_portals(
    database: &Database,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<i64>, Error> {
    let portals = sqlx::query_scalar(
        "SELECT portal_id FROM rotation WHERE next_probe_time <= $1 GROUP BY portal_id \
         ORDER BY MIN(next_probe_time), portal_id LIMIT $2",
    )
    .bind(now.as_micros())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(database.pool())
    .await?;
    Ok(portals)
}

/// The rotation of a portal that HubSpot is to be asked about first by now.
pub(in super::super) async fn first_due(
    database: &Database,
    portal_id: i64,
    now: Timestamp,
) -> Result<Option<Rotation>, Error> {
    let row = sqlx::query_as::<_, Row>(select!(
        "WHERE portal_id = $2 AND next_probe_time <= $1 ORDER BY next_probe_time, rotation_id LIMIT 1"
    ))
    .bind(now.as_micros())
    .bind(portal_id)
    .fetch_optional(database.pool())
    .await?;
    row.map(Rotation::try_from).transpose()
}

/// At most `limit` rotations that were switched and ended before `settled`, that have left something behind which is not
/// asked about, and that were not swept since.
pub(in super::super) async fn to_sweep(
    database: &Database,
    now: Timestamp,
    settled: Timestamp,
    limit: i64,
) -> Result<Vec<Rotation>, Error> {
    let rows = sqlx::query_as::<_, Row>(select!(
        "WHERE sweep_time IS NULL AND (old_token = 'refused' OR next_probe_time IS NULL \
         OR standing = 'rolled-back') AND switch_time <= $2 AND (end_time IS NULL OR end_time <= $2) ORDER BY rotation_id LIMIT $3"
    ))
    .bind(now.as_micros())
    .bind(settled.as_micros())
    .bind(limit)
    .fetch_all(database.pool())
    .await?;
    rows.into_iter().map(Rotation::try_from).collect()
}

/// Notes that what a rotation has left behind is out of the vault; `false` if another replica has, it is gone, or more
/// is known of its tokens meanwhile.
pub(in super::super) async fn swept(
    transaction: &mut Transaction,
    rotation: &Rotation,
    now: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE rotation SET sweep_time = $1 WHERE rotation_id = $2 AND sweep_time IS NULL AND standing = $3 \
             AND old_token = $4 AND new_token = $5",
    )
    .bind(now.as_micros())
    .bind(rotation.rotation_id.to_string())
    .bind(read::standing(rotation.standing))
    .bind(read::token(rotation.old_token))
    .bind(read::token(rotation.new_token))
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes a portal's rotations, with their tasks.
pub(in super::super) async fn remove_of(
    transaction: &mut Transaction,
    portal_id: PortalId,
) -> Result<(), Error> {
    sqlx::query(
        "DELETE FROM rotation_task WHERE rotation_id IN (SELECT rotation_id FROM rotation WHERE portal_id = $1)",
    )
    .bind(portal_id.as_i64())
    .execute(&mut *transaction)
    .await?;
    sqlx::query("DELETE FROM rotation WHERE portal_id = $1")
        .bind(portal_id.as_i64())
        .execute(&mut *transaction)
        .await?;
    Ok(())
}

pub(in super::super) async fn insert(
    transaction: &mut Transaction,
    rotation: &Rotation,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO rotation (rotation_id, portal_id, client_slug, credential_id, credential_name, standing, \
         old_version, new_version, credential_version, old_fingerprint, new_fingerprint, old_token, new_token, \
         lost_scopes, store_version, rotated_by, switch_time, next_probe_time, end_reason, ended_by) VALUES \
         ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, '', '')",
    )
    .bind(rotation.rotation_id.to_string())
    .bind(rotation.portal_id.as_i64())
    .bind(rotation.client_slug.as_str())
    .bind(rotation.credential_id.to_string())
    .bind(rotation.credential_name.as_str())
    .bind(read::standing(rotation.standing))
    .bind(signed(rotation.old_version))
    .bind(signed(rotation.new_version))
    .bind(signed(rotation.credential_version))
    .bind(rotation.old_fingerprint.as_str())
    .bind(rotation.new_fingerprint.as_str())
    .bind(read::token(rotation.old_token))
    .bind(read::token(rotation.new_token))
    .bind(rotation.lost_scopes.join(" "))
    .bind(signed(rotation.store_version))
    .bind(rotation.rotated_by.as_str())
    .bind(rotation.switch_time.as_micros())
    .bind(micros(rotation.next_probe_time))
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Ends the rotations of a credential that were not ended, because `by` takes their place. What was put in force by
/// `by` is not out of force by any other any more.
pub(in super::super) async fn supersede(transaction: &mut Transaction, by: &Rotation) -> Result<(), Error> {
    sqlx::query(
        "UPDATE rotation SET standing = 'superseded', ended_by = $1, end_time = $2 \
         WHERE credential_id = $3 AND rotation_id <> $4 AND standing = 'in-force'",
    )
    .bind(by.rotated_by.as_str())
    .bind(by.switch_time.as_micros())
    .bind(by.credential_id.to_string())
    .bind(by.rotation_id.to_string())
    .execute(&mut *transaction)
    .await?;
    sqlx::query(
        "UPDATE rotation SET next_probe_time = NULL, sweep_time = NULL \
         WHERE portal_id = $1 AND rotation_id <> $2 AND next_probe_time IS NOT NULL \
         AND CASE standing WHEN 'rolled-back' THEN new_fingerprint ELSE old_fingerprint END = $3",
    )
    .bind(by.portal_id.as_i64())
    .bind(by.rotation_id.to_string())
    .bind(by.new_fingerprint.as_str())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Writes how a rotation was ended, with what was decided and what is in force by it now; `false` if its standing is not
/// `from` any more.
pub(in super::super) async fn end(
    transaction: &mut Transaction,
    before: &Rotation,
    after: &Rotation,
    end: &End,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE rotation SET standing = $1, credential_version = $2, store_version = $3, next_probe_time = $4, \
         end_reason = $5, ended_by = $6, end_time = $7, old_token = $8, new_token = $9, refused_once_time = $10 \
         WHERE rotation_id = $11 AND standing = $12",
    )
    .bind(read::standing(after.standing))
    .bind(signed(after.credential_version))
    .bind(signed(after.store_version))
    .bind(micros(after.next_probe_time))
    .bind(&end.reason)
    .bind(&end.by)
    .bind(end.time.as_micros())
    .bind(read::token(after.old_token))
    .bind(read::token(after.new_token))
    .bind(refused_once(after))
    .bind(before.rotation_id.to_string())
    .bind(read::standing(before.standing))
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes the next question about a rotation until `lease`; `false` if another replica has it, or nobody asks any more.
pub(in super::super) async fn claim(
    database: &Database,
    rotation: &Rotation,
    lease: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE rotation SET next_probe_time = $1 WHERE rotation_id = $2 AND next_probe_time = $3",
    )
    .bind(lease.as_micros())
    .bind(rotation.rotation_id.to_string())
    .bind(micros(rotation.next_probe_time))
    .execute(database.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes what HubSpot said, if the claim until `lease` still holds. Where the token that is not in force any more
/// `died`, it is to be swept.
pub(in super::super) async fn probed(
    database: &Database,
    rotation: &Rotation,
    died: bool,
    lease: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE rotation SET old_token = $1, new_token = $2, probe_time = $3, next_probe_time = $4, \
         refused_once_time = $5, sweep_time = CASE WHEN $6 = 1 THEN NULL ELSE sweep_time END \
         WHERE rotation_id = $7 AND next_probe_time = $8",
    )
    .bind(read::token(rotation.old_token))
    .bind(read::token(rotation.new_token))
    .bind(micros(rotation.probe_time))
    .bind(micros(rotation.next_probe_time))
    .bind(refused_once(rotation))
    .bind(i64::from(died))
    .bind(rotation.rotation_id.to_string())
    .bind(lease.as_micros())
    .execute(database.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// When the token that is not in force any more was refused, where that was once.
fn refused_once(rotation: &Rotation) -> Option<i64> {
    let asked = rotation.probe_time.unwrap_or(rotation.switch_time);
    (rotation.retired().token == Token::RefusedOnce).then(|| asked.as_micros())
}
