//! Appending to SQLite: one connection on a thread of its own, one transaction for each batch.

use std::{
    collections::{BTreeMap, HashMap, HashSet, btree_map::Entry},
    path::Path,
    sync::mpsc,
    thread,
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use tokio::sync::oneshot;

use super::{Appended, Written, ground::Ground, lock::Lock};
use crate::{
    DatabaseError, Error, Position,
    pending::{Effect, Pending, Row},
};

const INSERT: &str = "INSERT INTO audit_entry \
    (position, log, log_index, client_slug, caller, phase, operation, call_id, attempt, leaf) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const PAYLOAD: &str = "INSERT INTO audit_payload (position, made_time, sealed) VALUES (?1, ?2, ?3)";
const SIZE: &str = "SELECT size FROM audit_log_size WHERE log = ?1";
/// Changes nothing if the log does not end where it was read to end.
const SET_SIZE: &str = "INSERT INTO audit_log_size (log, size) VALUES (?1, ?3) \
    ON CONFLICT (log) DO UPDATE SET size = excluded.size WHERE audit_log_size.size = ?2";
const POSITION: &str = "SELECT position FROM audit_position WHERE id = 1";
const SET_POSITION: &str = "UPDATE audit_position SET position = ?1 WHERE id = 1";
const OPEN: &str = "INSERT INTO audit_open_intent (position) VALUES (?1)";
const MARK: &str = "INSERT INTO audit_client_span (client_slug, span) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
const CLOSE: &str = "DELETE FROM audit_open_intent WHERE position = ?1";

struct Job {
    batch: Vec<Pending>,
    answer: oneshot::Sender<Appended>,
}

/// The way to the thread that appends.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    jobs: mpsc::Sender<Job>,
    ended: oneshot::Receiver<()>,
}

impl SqliteStore {
    /// Locks the log that lies in `file` against other processes.
    ///
    /// The rest of opening comes in two steps, because the tables are made between them.
    pub(crate) fn lock(file: &Path) -> Result<LockedFile<'_>, Error> {
        Ok(LockedFile {
            file,
            lock: Lock::take(file)?,
        })
    }

    /// Writes a batch in one transaction. `None` if the thread is gone.
    pub(crate) async fn append(&self, batch: Vec<Pending>) -> Option<Appended> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Job { batch, answer }).ok()?;
        answered.await.ok()
    }

    /// Ends the thread. When this returns, the log is unlocked.
    pub(crate) async fn close(self) {
        drop(self.jobs);
        // The sender is dropped with the thread's last breath: that is the answer.
        let _ = self.ended.await;
    }
}

/// A log that no other process can open now.
pub(crate) struct LockedFile<'a> {
    file: &'a Path,
    lock: Lock,
}

impl LockedFile<'_> {
    /// Opens the writer's connection; a batch waits `patience` for the database's write lock.
    pub(crate) fn open(self, patience: Duration) -> Result<SqliteStore, Error> {
        let connection = connect(self.file, patience)?;
        let gone = |_| Error::OpenWriter(DatabaseError::Replaced(self.file.to_owned()));
        let ground = Ground::of(self.file).map_err(gone)?;
        let lock = self.lock;
        let (jobs, queued) = mpsc::channel();
        let (alive, ended) = oneshot::channel();
        thread::Builder::new()
            .name("audit-writer".to_owned())
            .spawn(move || {
                serve(connection, ground, &queued);
                drop(lock);
                drop::<oneshot::Sender<()>>(alive);
            })
            .map_err(Error::Thread)?;
        Ok(SqliteStore { jobs, ended })
    }
}

/// A connection on which a commit is on disk when it returns.
fn connect(file: &Path, patience: Duration) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(patience)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.set_prepared_statement_cache_capacity(16);
    Ok(connection)
}

fn serve(mut connection: Connection, ground: Ground, jobs: &mpsc::Receiver<Job>) {
    let mut known = Known::default();
    while let Ok(Job { batch, answer }) = jobs.recv() {
        let mut positions = Vec::with_capacity(batch.len());
        let result = ground.is_there().and_then(|()| {
            let written = append(&mut connection, &mut known, &batch, &mut positions)?;
            // Between the two somebody may have taken it away.
            ground.is_there()?;
            Ok(written)
        });
        if result.is_err() {
            // Whether a commit that failed was done is not known: the database is asked again.
            known = Known::default();
        }
        // A writer that is gone needs no answer: what it left open is closed when the log is opened again.
        drop(answer.send(Appended {
            batch,
            positions,
            result,
        }));
    }
}

/// What this writer has written and need not ask for again, for nobody else writes.
#[derive(Default)]
struct Known {
    /// The number of entries in each log. If one were wrong, it would fail the transaction.
    sizes: HashMap<String, i64>,
    /// The newest span, and the clients that are marked as having entries in it.
    span: i64,
    marked: HashSet<String>,
}

impl Known {
    /// Marks that this client has an entry in the span of `position`.
    fn mark(
        &mut self,
        transaction: &Transaction<'_>,
        client_slug: &str,
        position: Position,
    ) -> Result<(), rusqlite::Error> {
        let span = position.span();
        if span != self.span {
            self.span = span;
            self.marked.clear();
        }
        if !self.marked.contains(client_slug) {
            transaction
                .prepare_cached(MARK)?
                .execute(params![client_slug, span])?;
            self.marked.insert(client_slug.to_owned());
        }
        Ok(())
    }
}

fn append(
    connection: &mut Connection,
    known: &mut Known,
    batch: &[Pending],
    positions: &mut Vec<Option<Position>>,
) -> Result<Written, rusqlite::Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut ends = Ends::read(&transaction)?;
    let begun = ends.position;
    for pending in batch {
        positions.push(append_one(&transaction, known, &mut ends, pending)?);
    }
    ends.write(&transaction)?;
    transaction.commit()?;
    let Ends { position, moved } = ends;
    let mut sizes = Vec::with_capacity(moved.len());
    for (log, size) in moved {
        sizes.push((log.to_owned(), u64::try_from(size.before).unwrap_or(0)));
        match known.sizes.get_mut(log) {
            Some(known) => *known = size.after,
            None => drop(known.sizes.insert(log.to_owned(), size.after)),
        }
    }
    Ok(Written {
        begun,
        end: position,
        sizes,
    })
}

fn append_one<'a>(
    transaction: &Transaction<'_>,
    known: &mut Known,
    ends: &mut Ends<'a>,
    pending: &'a Pending,
) -> Result<Option<Position>, rusqlite::Error> {
    // Asked again here: the database's lock may have been long in coming.
    if pending.is_withdrawn() {
        return Ok(None);
    }
    if let Effect::Closes(intent) = pending.effect
        && transaction.prepare_cached(CLOSE)?.execute([intent.as_i64()])? == 0
    {
        return Ok(None);
    }
    let keys = &pending.row.keys;
    let (position, index) = ends.next(transaction, &known.sizes, &keys.log)?;
    insert(transaction, position, index, &pending.row)?;
    known.mark(transaction, &keys.client_slug, position)?;
    if pending.effect == Effect::Opens {
        transaction.prepare_cached(OPEN)?.execute([position.as_i64()])?;
    }
    Ok(Some(position))
}

fn insert(
    transaction: &Transaction<'_>,
    position: Position,
    index: i64,
    row: &Row,
) -> Result<(), rusqlite::Error> {
    let keys = &row.keys;
    transaction.prepare_cached(INSERT)?.execute(params![
        position.as_i64(),
        keys.log,
        index,
        keys.client_slug,
        keys.caller,
        row.phase,
        keys.operation,
        keys.call_id,
        keys.attempt,
        row.leaf,
    ])?;
    if let Some(sealed) = &row.payload {
        transaction
            .prepare_cached(PAYLOAD)?
            .execute(params![position.as_i64(), row.made_time, sealed])?;
    }
    Ok(())
}

/// Where the logs end: read inside the transaction, moved by each entry, written back before the commit.
struct Ends<'a> {
    position: Position,
    moved: BTreeMap<&'a str, Size>,
}

/// How many entries a log has: when the transaction began, and with those of the batch.
#[derive(Clone, Copy)]
struct Size {
    before: i64,
    after: i64,
}

impl<'a> Ends<'a> {
    fn read(transaction: &Transaction<'_>) -> Result<Self, rusqlite::Error> {
        let position: i64 = transaction
            .prepare_cached(POSITION)?
            .query_row([], |row| row.get(0))?;
        Ok(Self {
            position: Position::from_i64(position),
            moved: BTreeMap::new(),
        })
    }

    /// The next position, and the next index in this log.
    fn next(
        &mut self,
        transaction: &Transaction<'_>,
        sizes: &HashMap<String, i64>,
        log: &'a str,
    ) -> Result<(Position, i64), rusqlite::Error> {
        let size = match self.moved.entry(log) {
            Entry::Occupied(moved) => moved.into_mut(),
            Entry::Vacant(first) => {
                let size = match sizes.get(log) {
                    Some(size) => *size,
                    None => size_of(transaction, log)?,
                };
                first.insert(Size {
                    before: size,
                    after: size,
                })
            }
        };
        let index = size.after;
        size.after = index.saturating_add(1);
        self.position = self.position.plus(1);
        Ok((self.position, index))
    }

    fn write(&self, transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
        let mut set_size = transaction.prepare_cached(SET_SIZE)?;
        for (log, size) in &self.moved {
            match set_size.execute(params![log, size.before, size.after])? {
                1 => {}
                changed => return Err(rusqlite::Error::StatementChangedRows(changed)),
            }
        }
        transaction
            .prepare_cached(SET_POSITION)?
            .execute([self.position.as_i64()])?;
        Ok(())
    }
}

fn size_of(transaction: &Transaction<'_>, log: &str) -> Result<i64, rusqlite::Error> {
    let size = transaction
        .prepare_cached(SIZE)?
        .query_row([log], |row| row.get(0))
        .optional()?;
    Ok(size.unwrap_or(0))
}
