//! The schema, brought up to date. Replicas that start at once take turns: on PostgreSQL the migrator holds an advisory
//! lock as long as it works. A SQLite file has one process.

use std::borrow::Cow;

use sqlx::{
    AnyConnection, Connection as _, Executor as _,
    migrate::{Migration, Migrator},
};

use super::{Error, Kind, Manner, lease::bounded};

/// Runs what is missing, on a connection of its own: waiting for another replica's turn takes as long as that takes.
pub(super) async fn run(url: &str, manner: Manner, migrations: &[&Migrator]) -> Result<(), Error> {
    let mut connection = bounded(manner.connect, AnyConnection::connect(url)).await?;
    if manner.kind == Kind::Sqlite {
        connection.execute(manner.session).await?;
    }
    let tree = as_one_tree(migrations);
    let done = tree.run_direct(None, &mut connection, false).await;
    // Closed in any case, and with it the lock is given back.
    bounded(manner.answer, connection.close()).await?;
    Ok(done?)
}

/// The migrations of several crates in order of their versions, which are unique over all of them.
fn as_one_tree(migrations: &[&Migrator]) -> Migrator {
    let mut all: Vec<Migration> = migrations.iter().flat_map(|tree| tree.iter().cloned()).collect();
    all.sort_by_key(|migration| migration.version);
    Migrator {
        migrations: Cow::Owned(all),
        ..Migrator::DEFAULT
    }
}
