use std::{borrow::Cow, os::unix::fs::PermissionsExt as _};

use sqlx::{
    SqlStr,
    migrate::{Migration, MigrationType},
};
use tempfile::TempDir;

use super::*;

/// A database of either kind.
struct Bench {
    config: Config,
    _folder: TempDir,
}

impl Bench {
    fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres()]
    }

    fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config::sqlite(&folder.path().join("it.db"));
        Self {
            config,
            _folder: folder,
        }
    }

    fn postgres() -> Self {
        let fresh = hubkeep_test_postgres::fresh("core");
        let config = Config {
            url: fresh.url,
            password_file: Some(fresh.password_file),
            ..Config::default()
        };
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            config,
            _folder: folder,
        }
    }

    async fn open(&self) -> Database {
        Database::open(&self.config, &[&tables()])
            .await
            .expect(&self.config.url)
    }
}

/// Some tables, made one after the other.
fn tables() -> Migrator {
    let make = |version: i64| {
        let sql = format!(
            "CREATE TABLE made_{version} (id BIGINT NOT NULL PRIMARY KEY, note TEXT NOT NULL, bytes BYTEA); \
             INSERT INTO made_{version} (id, note) VALUES (1, 'first')"
        );
        let sql = SqlStr::from_static(Box::leak(sql.into_boxed_str()));
        Migration::new(version, "make".into(), MigrationType::Simple, sql, false)
    };
    Migrator {
        migrations: Cow::Owned((1..=8).map(make).collect()),
        ..Migrator::DEFAULT
    }
}

async fn count(database: &Database) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM made_1")
        .fetch_one(database.pool())
        .await
        .expect("counted")
}

const INSERT: &str = "INSERT INTO made_1 (id, note, bytes) VALUES ($1, $2, $3)";

#[tokio::test]
async fn replicas_that_start_at_once_make_the_schema_once() {
    let bench = Bench::postgres();
    let opened = futures::future::join_all((0..4).map(|_| bench.open())).await;
    for database in opened {
        assert_eq!(count(&database).await, 1);
    }
}

#[tokio::test]
async fn a_start_does_not_wait_for_ever_for_the_schema_and_says_why_it_ended() {
    let bench = Bench::postgres();
    let database = bench.open().await;
    let mut holder = database.begin().await.expect("begun");
    let lock = sqlx::query("LOCK TABLE _sqlx_migrations IN ACCESS EXCLUSIVE MODE");
    lock.execute(&mut holder).await.expect("locked");
    let manner = Manner {
        migrate: Duration::from_millis(200),
        ..POSTGRES
    };
    let ended = migrate::run(database.url.expose_secret(), manner, &[&tables()]).await;
    let told = format!("{:?}", ended.expect_err("the table is held"));
    assert!(told.contains("the database is silent"), "{told}");
    holder.rollback().await.expect("undone");
    bench.open().await;
}

#[tokio::test]
async fn a_transaction_is_true_when_committed_and_undone_when_dropped() {
    for bench in Bench::both() {
        let database = bench.open().await;
        let mut transaction = database.begin().await.expect("begun");
        for id in [2_i64, 3] {
            let statement = sqlx::query(INSERT)
                .bind(id)
                .bind("new")
                .bind([1_u8, 2].as_slice());
            statement.execute(&mut transaction).await.expect("inserted");
        }
        transaction.commit().await.expect("committed");
        assert_eq!(count(&database).await, 3);

        for id in [4_i64, 1] {
            let mut transaction = database.begin().await.expect("begun");
            let statement = sqlx::query(INSERT).bind(id).bind("undone").bind(None::<Vec<u8>>);
            // Of the second the id is taken: the error leaves the connection as usable as a success.
            let _ = statement.execute(&mut transaction).await;
            drop(transaction);
        }
        let mut transaction = database.begin().await.expect("begun");
        let statement = sqlx::query(INSERT)
            .bind(5_i64)
            .bind("undone")
            .bind(None::<Vec<u8>>);
        statement.execute(&mut transaction).await.expect("inserted");
        transaction.rollback().await.expect("undone");
        assert_eq!(count(&database).await, 3);
        let bytes: Vec<u8> = sqlx::query_scalar("SELECT bytes FROM made_1 WHERE id = $1")
            .bind(2_i64)
            .fetch_one(database.pool())
            .await
            .expect("read");
        assert_eq!(bytes, [1, 2]);
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_ends_and_the_next_one_is_answered() {
    let bench = Bench::postgres();
    let database = bench.open().await;
    let slow = sqlx::query("SELECT pg_sleep(60)").execute(database.pool()).await;
    let error = slow.expect_err("given up").to_string();
    assert!(error.contains("statement timeout"), "{error}");
    assert_eq!(count(&database).await, 1);
}

#[tokio::test]
async fn a_caller_who_leaves_in_the_middle_of_an_answer_leaves_no_answer_to_the_next() {
    let mut bench = Bench::postgres();
    bench.config.max_connections = 1;
    let database = bench.open().await;
    let asked =
        sqlx::query_scalar::<_, i64>("SELECT 7::BIGINT FROM pg_sleep(0.5)").fetch_one(database.pool());
    let left = bounded(Duration::from_millis(100), asked).await;
    left.expect_err("left before the answer");
    assert_eq!(count(&database).await, 1, "and not 7");
}

#[tokio::test]
async fn connections_that_the_server_ended_are_replaced() {
    let database = Bench::postgres().open().await;
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let opened = futures::future::join_all((0..4).map(|_| count(&database))).await;
    assert_eq!(opened, [1; 4]);
    sqlx::query(others).execute(database.pool()).await.expect("ended");
    let again = futures::future::join_all((0..4).map(|_| count(&database))).await;
    assert_eq!(again, [1; 4]);
}

#[tokio::test]
async fn the_password_is_needed_and_never_shown() {
    let mut bench = Bench::postgres();
    let file = bench.config.password_file.clone().expect("there is one");
    let password = std::fs::read_to_string(file).expect("readable");
    let database = bench.open().await;
    let shown = format!("{database:?} {:?}", bench.config);
    assert!(!shown.contains(password.trim_end()));

    bench.config.password_file = None;
    let refused = Database::open(&bench.config, &[]).await.expect_err("refused");
    assert!(matches!(refused, Error::Sql(_)), "{refused:?}");
}

#[tokio::test]
async fn a_path_may_hold_what_a_url_may_not_and_the_file_is_private() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["d 1/x y", "q?mode=ro", "pct%20x", "a#b", "plain"] {
        let file = folder.path().join(name).join("it.db");
        let database = Database::open(&Config::sqlite(&file), &[]).await.expect(name);
        database.close().await;
        let mode = file.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_lock_lets_one_transaction_in_at_a_time() {
    for bench in Bench::both() {
        let database = bench.open().await;
        let next = async || {
            let mut transaction = database.begin().await.expect("begun");
            transaction.lock("next").await.expect("locked");
            let last: i64 = sqlx::query_scalar("SELECT MAX(id) FROM made_1")
                .fetch_one(&mut transaction)
                .await
                .expect("read");
            let statement = sqlx::query(INSERT)
                .bind(last + 1)
                .bind("next")
                .bind(None::<Vec<u8>>);
            statement
                .execute(&mut transaction)
                .await
                .expect("nobody was quicker");
            transaction.commit().await.expect("committed");
        };
        futures::future::join_all((0..16).map(|_| next())).await;
        assert_eq!(count(&database).await, 17);
    }
}

#[tokio::test]
async fn a_notice_comes_with_the_commit_and_not_before() {
    let bench = Bench::postgres();
    let (here, there) = (bench.open().await, bench.open().await);
    let clock = crate::clock::SystemClock::shared();
    let mut notices = there.notices("news", &clock).expect("PostgreSQL has them");
    notices.next().await;

    let mut transaction = here.begin().await.expect("begun");
    transaction.notify("news").await.expect("noted");
    clock
        .timeout(Duration::from_millis(200), notices.next())
        .await
        .ok_or("nothing yet")
        .expect_err("it is not committed");
    transaction.commit().await.expect("committed");
    let told = clock.timeout(Duration::from_secs(5), notices.next()).await;
    told.expect("told");

    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'";
    sqlx::query(end).execute(here.pool()).await.expect("ended");
    let again = clock.timeout(Duration::from_secs(5), notices.next()).await;
    again.expect("it listens again, and says that something may have been missed");
    assert!(Bench::sqlite().open().await.notices("news", &clock).is_none());
}
