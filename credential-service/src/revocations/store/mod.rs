//! The tables `revocation` and `revocation_counter`, and in `redeemers` the table `redeemer`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::{CallerName, PortalId},
};

pub(super) mod redeemers;

use super::{Error, Revocation, Scope};

const HANDLE: &str = "handle";
const GENERATION: &str = "portal-generation";
const VERSION: &str = "credential-version";
/// Its subject is the portal's id and slug.
const ERASURE: &str = "portal-erasure";
const CALLER: &str = "caller-generation";
const PERSON: &str = "person-generation";
const GRANT: &str = "grant-revision";
const HOLD: &str = "caller-hold";
const OWN_CALLS: &str = "own-calls";

/// seq, time, scope, subject, number.
type Row = (i64, i64, String, String, i64);

pub(super) async fn append(
    transaction: &mut Transaction,
    scope: Scope,
    now: Timestamp,
) -> Result<u64, Error> {
    let seq: i64 =
        sqlx::query_scalar("UPDATE revocation_counter SET seq = seq + 1 WHERE counter_id = 1 RETURNING seq")
            .fetch_one(&mut *transaction)
            .await?;
    let (name, subject, number) = match scope {
        Scope::Handle(handle) => (HANDLE, handle.to_string(), 0),
        Scope::PortalGeneration(portal, generation) => (GENERATION, portal.to_string(), generation),
        Scope::CredentialVersion(portal, version) => (VERSION, portal.to_string(), version),
        Scope::PortalErasure(portal, slug, generation) => (ERASURE, format!("{portal}/{slug}"), generation),
        Scope::CallerGeneration(caller, generation) => (CALLER, caller.to_string(), generation),
        Scope::PersonGeneration(person, generation) => (PERSON, person.to_string(), generation),
        Scope::GrantRevision(grant, revision) => (GRANT, grant.to_string(), revision),
        Scope::CallerHold(caller, held) => (HOLD, caller.to_string(), u64::from(held)),
        Scope::OwnCalls(portal) => (OWN_CALLS, portal.to_string(), 0),
    };
    sqlx::query(
        "INSERT INTO revocation (seq, revoke_time, scope, subject, number) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(seq)
    .bind(now.as_micros())
    .bind(name)
    .bind(subject)
    .bind(i64::try_from(number).unwrap_or(i64::MAX))
    .execute(&mut *transaction)
    .await?;
    Ok(unsigned(seq))
}

pub(super) async fn newest_in(transaction: &mut Transaction) -> Result<u64, Error> {
    let seq: i64 = sqlx::query_scalar("SELECT seq FROM revocation_counter WHERE counter_id = 1")
        .fetch_one(transaction)
        .await?;
    Ok(unsigned(seq))
}

pub(super) async fn newest(database: &Database) -> Result<u64, Error> {
    let seq: i64 = sqlx::query_scalar("SELECT seq FROM revocation_counter WHERE counter_id = 1")
        .fetch_one(database.pool())
        .await?;
    Ok(unsigned(seq))
}

/// At most `limit` revocations after a place, in order, without a gap.
pub(super) async fn after(database: &Database, place: u64, limit: i64) -> Result<Vec<Revocation>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT seq, revoke_time, scope, subject, number FROM revocation WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(i64::try_from(place).unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(database.pool())
    .await?;
    let expected = place.saturating_add(1)..;
    rows.into_iter()
        .zip(expected)
        .map(|(row, seq)| read(row, seq))
        .collect()
}

/// Which callers were contained or lifted between two places, in order.
pub(super) async fn holds_between(
    database: &Database,
    after: u64,
    last: u64,
) -> Result<Vec<(CallerName, bool)>, Error> {
    let rows: Vec<(i64, String, i64)> = sqlx::query_as(
        "SELECT seq, subject, number FROM revocation WHERE scope = $1 AND seq > $2 AND seq <= $3 ORDER BY seq",
    )
    .bind(HOLD)
    .bind(i64::try_from(after).unwrap_or(i64::MAX))
    .bind(i64::try_from(last).unwrap_or(i64::MAX))
    .fetch_all(database.pool())
    .await?;
    let read = |(seq, subject, number): (i64, String, i64)| {
        let caller = subject.parse().map_err(|_| Error::Broken(unsigned(seq)))?;
        Ok((caller, number == 1))
    };
    rows.into_iter().map(read).collect()
}

/// Whether a caller is contained, by itself or as a person: by the last that was said of it.
pub(super) async fn is_held(transaction: &mut Transaction, caller: &CallerName) -> Result<bool, Error> {
    // The scope stands in the text, as it does in the index of these rows.
    let said: Option<i64> = sqlx::query_scalar(
        "SELECT number FROM revocation WHERE scope = 'caller-hold' AND subject = $1 ORDER BY seq DESC LIMIT 1",
    )
    .bind(caller.as_str())
    .fetch_optional(transaction)
    .await?;
    Ok(said == Some(1))
}

/// A row, if it is the one that comes next: a watcher must not miss one because somebody took it out.
fn read(row: Row, expected: u64) -> Result<Revocation, Error> {
    let (seq, time, scope, subject, number) = row;
    let seq = unsigned(seq);
    let scope = scope_of(&scope, &subject, unsigned(number)).filter(|_| seq == expected);
    let scope = scope.ok_or(Error::Broken(expected))?;
    Ok(Revocation {
        seq,
        time: Timestamp::from_micros(time),
        scope,
    })
}

fn scope_of(name: &str, subject: &str, number: u64) -> Option<Scope> {
    let portal = || subject.parse().ok().and_then(PortalId::new);
    match name {
        HANDLE => subject.parse().ok().map(Scope::Handle),
        GENERATION => Some(Scope::PortalGeneration(portal()?, number)),
        ERASURE => {
            let (id, slug) = subject.split_once('/')?;
            let portal = id.parse().ok().and_then(PortalId::new)?;
            Some(Scope::PortalErasure(portal, slug.parse().ok()?, number))
        }
        VERSION => Some(Scope::CredentialVersion(portal()?, number)),
        CALLER => Some(Scope::CallerGeneration(subject.parse().ok()?, number)),
        PERSON => Some(Scope::PersonGeneration(subject.parse().ok()?, number)),
        GRANT => Some(Scope::GrantRevision(subject.parse().ok()?, number)),
        HOLD => Some(Scope::CallerHold(subject.parse().ok()?, number == 1)),
        OWN_CALLS => Some(Scope::OwnCalls(portal()?)),
        _ => None,
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
