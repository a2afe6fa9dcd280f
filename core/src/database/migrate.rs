//! The schema, brought up to date. Replicas that start at once take turns: on PostgreSQL the migrator holds an advisory
//! lock as long as it works. A SQLite file has one process.

use std::borrow::Cow;

use sqlx::{
    AnyConnection, Connection as _, Executor as _,
    migrate::{Migration, Migrator},
};

use super::{Error, Kind, Manner, lease::bounded};

/// Runs what is missing, on a connection of its own: waiting for another replica's turn may take long, but not for ever.
pub(super) async fn run(url: &str, manner: Manner, migrations: &[&Migrator]) -> Result<(), Error> {
    let mut connection = bounded(manner.connect, AnyConnection::connect(url)).await?;
    if manner.kind == Kind::Sqlite {
        connection.execute(manner.session).await?;
    }
    if manner.kind == Kind::Postgres {
        // That the table of migrations exists already is no news.
        bounded(
            manner.answer,
            connection.execute("SET client_min_messages = warning"),
        )
        .await?;
    }
    let tree = as_one_tree(migrations);
    let done = bounded(manner.migrate, async {
        Ok::<(), Error>(tree.run_direct(None, &mut connection, false).await?)
    })
    .await;
    // Closed in any case, and with it the lock is given back. What went wrong before that is what is told.
    let closed = bounded(manner.answer, connection.close()).await;
    done.and(closed.map_err(Error::from))
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
