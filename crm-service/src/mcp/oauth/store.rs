//! The tables `oauth_client` and `oauth_flow`.

use hubkeep_core::{clock::Timestamp, database::Database};
use sqlx::Row as _;

/// A program as it has registered.
pub(super) struct Registered {
    pub(super) name: String,
    pub(super) redirect_uris: Vec<String>,
}

pub(super) async fn insert_client(
    database: &Database,
    client_id: &str,
    client: &Registered,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let uris =
        serde_json::to_string(&client.redirect_uris).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(
        "INSERT INTO oauth_client (client_id, name, redirect_uris, create_time, use_time) VALUES ($1, $2, $3, $4, 0)",
    )
    .bind(client_id)
    .bind(&client.name)
    .bind(uris)
    .bind(now.as_micros())
    .execute(database.pool())
    .await?;
    Ok(())
}

pub(super) async fn client(database: &Database, client_id: &str) -> Result<Option<Registered>, sqlx::Error> {
    let row = sqlx::query("SELECT name, redirect_uris FROM oauth_client WHERE client_id = $1")
        .bind(client_id)
        .fetch_optional(database.pool())
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let uris: String = row.try_get("redirect_uris")?;
    let redirect_uris = serde_json::from_str(&uris).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok(Some(Registered {
        name: row.try_get("name")?,
        redirect_uris,
    }))
}

/// Notes that somebody has consented to it.
pub(super) async fn used(database: &Database, client_id: &str, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE oauth_client SET use_time = $2 WHERE client_id = $1")
        .bind(client_id)
        .bind(now.as_micros())
        .execute(database.pool())
        .await?;
    Ok(())
}

/// Takes away those that were made before this and that nobody has used.
pub(super) async fn delete_unused(database: &Database, before: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM oauth_client WHERE use_time = 0 AND create_time < $1")
        .bind(before.as_micros())
        .execute(database.pool())
        .await?;
    Ok(())
}

pub(super) async fn insert_flow(
    database: &Database,
    flow: &str,
    asked: &str,
    made: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO oauth_flow (flow, asked, create_time) VALUES ($1, $2, $3)")
        .bind(flow)
        .bind(asked)
        .bind(made.as_micros())
        .execute(database.pool())
        .await?;
    Ok(())
}

/// Takes a flow, which nobody else can take then.
pub(super) async fn take_flow(
    database: &Database,
    flow: &str,
) -> Result<Option<(String, Timestamp)>, sqlx::Error> {
    let row = sqlx::query("SELECT asked, create_time FROM oauth_flow WHERE flow = $1")
        .bind(flow)
        .fetch_optional(database.pool())
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let taken = sqlx::query("DELETE FROM oauth_flow WHERE flow = $1")
        .bind(flow)
        .execute(database.pool())
        .await?;
    if taken.rows_affected() == 0 {
        return Ok(None);
    }
    let made = Timestamp::from_micros(row.try_get("create_time")?);
    Ok(Some((row.try_get("asked")?, made)))
}

pub(super) async fn delete_flows(database: &Database, before: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM oauth_flow WHERE create_time < $1")
        .bind(before.as_micros())
        .execute(database.pool())
        .await?;
    Ok(())
}
