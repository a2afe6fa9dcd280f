//! One batch, one statement: it counts, places and inserts every entry, and its end is the commit.
//!
//! Every replica takes its locks in the same order, so that none waits for another in a circle: its own replica's row
//! (its key, shared: a renewal of the lease does not wait for it, a new session and the end of the lease do), the open
//! intents that it closes, the one row of `audit_position`, the sizes of the logs. Only what a lost replica left open
//! is closed by several at once; should they meet the other way round, the server ends one, which writes again.
//! The position's row is held until the commit: the order of positions is the order of commits, and who has read a
//! position finds every entry before it. What is counted is counted by `ON CONFLICT DO UPDATE`, which sees the newest
//! row also where the statement began before that was written.
//!
//! A row that the server refuses would refuse its whole batch. None comes here: what goes into columns of text are
//! names that were parsed, without control characters, and everything else is in the leaf, whose bytes are no text.

use std::collections::{BTreeMap, HashSet};

use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::replica::{LEASE, Registered, now};
use crate::{
    DatabaseError, Position,
    pending::{Effect, Pending},
    store::Written,
};

/// $1 replica, $2 its session, $3 how long a lease lasts; $4 to $11 the columns of the entries; $12 what each does: 0
/// nothing, -1 it opens an intent, else it closes the one at this position; $13 every position that is closed; $14 and
/// $15 what lies sealed beside them, empty for nothing, and when they were made.
const APPEND: &str = concat!(
    "WITH gate AS MATERIALIZED ( \
        SELECT replica_id FROM audit_replica \
        WHERE replica_id = $1 AND session = $2 AND seen_time > ",
    now!(),
    " - $3 FOR KEY SHARE \
    ), input AS MATERIALIZED ( \
        SELECT * FROM unnest($4::TEXT[], $5::TEXT[], $6::TEXT[], $7::BIGINT[], $8::BIGINT[], $9::TEXT[], \
            $10::BIGINT[], $11::BYTEA[], $12::BIGINT[], $14::BYTEA[], $15::BIGINT[]) WITH ORDINALITY \
        AS t (log, client_slug, caller, phase, operation, call_id, attempt, leaf, effect, payload, made_time, number) \
    ), closed AS ( \
        DELETE FROM audit_open_intent \
        WHERE position = ANY ($13::BIGINT[]) AND EXISTS (SELECT 1 FROM gate) RETURNING position \
    ), placed AS MATERIALIZED ( \
        SELECT *, row_number() OVER (ORDER BY number) AS step, \
            row_number() OVER (PARTITION BY log ORDER BY number) AS log_step, \
            count(*) OVER (PARTITION BY log) AS log_steps \
        FROM input \
        WHERE EXISTS (SELECT 1 FROM gate) AND (effect <= 0 OR effect IN (SELECT position FROM closed)) \
    ), ended AS ( \
        INSERT INTO audit_position AS a (id, position) SELECT 1, count(*) FROM placed \
        ON CONFLICT (id) DO UPDATE SET position = a.position + excluded.position RETURNING a.position \
    ), begun AS MATERIALIZED ( \
        SELECT (SELECT position FROM ended) - (SELECT count(*) FROM placed) AS position \
    ), sizes AS ( \
        INSERT INTO audit_log_size AS a (log, size) \
        SELECT log, count(*) FROM placed WHERE (SELECT position FROM begun) IS NOT NULL GROUP BY log ORDER BY log \
        ON CONFLICT (log) DO UPDATE SET size = a.size + excluded.size RETURNING a.log, a.size \
    ), entries AS ( \
        INSERT INTO audit_entry \
            (position, log, log_index, client_slug, caller, phase, operation, call_id, attempt, leaf) \
        SELECT (SELECT position FROM begun) + p.step, p.log, s.size - p.log_steps + p.log_step - 1, \
            p.client_slug, p.caller, p.phase, p.operation, p.call_id, p.attempt, p.leaf \
        FROM placed p JOIN sizes s ON s.log = p.log \
    ), payloads AS ( \
        INSERT INTO audit_payload (position, made_time, sealed) \
        SELECT (SELECT position FROM begun) + step, made_time, payload FROM placed WHERE length(payload) > 0 \
    ), spans AS ( \
        INSERT INTO audit_client_span (client_slug, span) \
        SELECT DISTINCT client_slug, ((SELECT position FROM begun) + step) / 1024 FROM placed \
        ON CONFLICT DO NOTHING \
    ), opened AS ( \
        INSERT INTO audit_open_intent (position, replica) \
        SELECT (SELECT position FROM begun) + step, $1 FROM placed WHERE effect = -1 \
    ) \
    SELECT EXISTS (SELECT 1 FROM gate) AS admitted, (SELECT position FROM begun) AS begun, \
        ARRAY(SELECT log FROM sizes ORDER BY log) AS logs, ARRAY(SELECT size FROM sizes ORDER BY log) AS sizes, \
        ARRAY(SELECT c FROM unnest($13::BIGINT[]) c WHERE c NOT IN (SELECT position FROM closed)) AS missed"
);

/// What the batch says, column by column.
#[derive(Debug, Default)]
pub(super) struct Columns<'a> {
    /// Which of the batch each row is.
    numbers: Vec<usize>,
    logs: Vec<&'a str>,
    client_slugs: Vec<&'a str>,
    callers: Vec<&'a str>,
    phases: Vec<i64>,
    operations: Vec<i64>,
    call_ids: Vec<&'a str>,
    attempts: Vec<i64>,
    leaves: Vec<&'a [u8]>,
    effects: Vec<i64>,
    closes: Vec<i64>,
    payloads: Vec<&'a [u8]>,
    made_times: Vec<i64>,
}

impl<'a> Columns<'a> {
    /// What is to be written of a batch: not what was withdrawn, and of two outcomes of one intent the first.
    pub(super) fn of(batch: &'a [Pending]) -> Self {
        let mut columns = Self::default();
        let mut closed = HashSet::new();
        for (number, pending) in batch.iter().enumerate() {
            let again = matches!(pending.effect, Effect::Closes(intent) if !closed.insert(intent));
            if !again && !pending.is_withdrawn() {
                columns.push(number, pending);
            }
        }
        columns.closes.sort_unstable();
        columns
    }

    fn push(&mut self, number: usize, pending: &'a Pending) {
        let (row, keys) = (&pending.row, &pending.row.keys);
        self.numbers.push(number);
        self.logs.push(&keys.log);
        self.client_slugs.push(&keys.client_slug);
        self.callers.push(&keys.caller);
        self.phases.push(row.phase);
        self.operations.push(keys.operation);
        self.call_ids.push(&keys.call_id);
        self.attempts.push(keys.attempt);
        self.leaves.push(&row.leaf);
        self.payloads.push(row.payload.as_deref().unwrap_or_default());
        self.made_times.push(row.made_time);
        self.effects.push(match pending.effect {
            Effect::None => 0,
            Effect::Opens => -1,
            Effect::Closes(intent) => intent.as_i64(),
        });
        if let Effect::Closes(intent) = pending.effect {
            self.closes.push(intent.as_i64());
        }
    }

    /// Runs the statement.
    pub(super) async fn append(
        &self,
        connection: &mut PgConnection,
        replica: &Registered,
    ) -> Result<Answer, DatabaseError> {
        let appended = sqlx::query(APPEND)
            .bind(&replica.replica_id)
            .bind(replica.session)
            .bind(LEASE)
            .bind(&self.logs)
            .bind(&self.client_slugs)
            .bind(&self.callers)
            .bind(&self.phases)
            .bind(&self.operations)
            .bind(&self.call_ids)
            .bind(&self.attempts)
            .bind(&self.leaves)
            .bind(&self.effects)
            .bind(&self.closes)
            .bind(&self.payloads)
            .bind(&self.made_times);
        // All rows, though there is one: the row comes before the commit, and the end of the answer after it.
        let rows = appended.fetch_all(connection).await?;
        Answer::read(rows.first().ok_or(sqlx::Error::RowNotFound)?)
    }

    /// Where each of a batch of this length stands.
    pub(super) fn places(&self, answer: &Answer, length: usize) -> Vec<Option<Position>> {
        let mut places = vec![None; length];
        let mut end = answer.begun;
        for (number, effect) in self.numbers.iter().zip(&self.effects) {
            if answer.missed.contains(effect) {
                continue;
            }
            end = end.plus(1);
            if let Some(place) = places.get_mut(*number) {
                *place = Some(end);
            }
        }
        places
    }

    /// Between what ends this batch lies.
    pub(super) fn written(&self, answer: &Answer) -> Written {
        let mut rows = BTreeMap::<&str, u64>::new();
        for (log, effect) in self.logs.iter().zip(&self.effects) {
            if !answer.missed.contains(effect) {
                let rows = rows.entry(log).or_default();
                *rows = rows.saturating_add(1);
            }
        }
        let new = |log: &str| rows.get(log).copied().unwrap_or(0);
        let sizes = answer.sizes.iter();
        Written {
            begun: answer.begun,
            end: answer.begun.plus(rows.values().sum()),
            sizes: sizes
                .map(|(log, size)| (log.clone(), size.saturating_sub(new(log))))
                .collect(),
        }
    }
}

/// What became of a batch.
#[derive(Debug)]
pub(super) struct Answer {
    /// Whether this replica may write. If not, nothing was written.
    pub(super) admitted: bool,
    /// The newest position before this batch.
    begun: Position,
    /// Intents that were closed before.
    missed: HashSet<i64>,
    /// How many entries each log has after this batch.
    sizes: Vec<(String, u64)>,
}

impl Answer {
    fn read(row: &PgRow) -> Result<Self, DatabaseError> {
        let missed: Vec<i64> = row.try_get("missed")?;
        let (logs, sizes): (Vec<String>, Vec<i64>) = (row.try_get("logs")?, row.try_get("sizes")?);
        let sizes = sizes.into_iter().map(|size| u64::try_from(size).unwrap_or(0));
        Ok(Self {
            sizes: logs.into_iter().zip(sizes).collect(),
            admitted: row.try_get("admitted")?,
            begun: Position::from_i64(row.try_get("begun")?),
            missed: missed.into_iter().collect(),
        })
    }
}
