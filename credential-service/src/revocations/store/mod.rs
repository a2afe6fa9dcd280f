//! The tables `revocation` and `revocation_counter`, and in `redeemers` the table `redeemer`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::PortalId,
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
        _ => None,
    }
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
