//! The table `rotation_task`.

use hubkeep_core::{
    clock::Timestamp,
    database::{Database, Transaction},
    id::{CallerName, RotationId},
};
use sqlx::FromRow;

use super::{
    super::{
        Error,
        rotation::{End, Rotation, Task, TaskEnding},
    },
    count, micros, signed,
};

#[derive(FromRow)]
struct Row {
    rotation_id: String,
    consumer_name: String,
    delivery_id: String,
    due_time: i64,
    told_time: Option<i64>,
    next_tell_time: Option<i64>,
    failed_deliveries: i64,
    last_failure: String,
    acknowledge_time: Option<i64>,
    acknowledged_store_version: Option<i64>,
    end_time: Option<i64>,
    ended_as: String,
    ended_by: String,
    end_reason: String,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT task.rotation_id, task.consumer_name, task.delivery_id, task.due_time, task.told_time, ",
            "task.next_tell_time, task.failed_deliveries, task.last_failure, task.acknowledge_time, ",
            "task.acknowledged_store_version, task.end_time, task.ended_as, task.ended_by, task.end_reason ",
            "FROM rotation_task AS task ",
            $rest
        )
    };
}

/// The tasks of a rotation, by consumer.
pub(in super::super) async fn of_rotation(
    database: &Database,
    rotation_id: RotationId,
) -> Result<Vec<Task>, Error> {
    let rows = sqlx::query_as::<_, Row>(select!("WHERE task.rotation_id = $1 ORDER BY task.consumer_name"))
        .bind(rotation_id.to_string())
        .fetch_all(database.pool())
        .await?;
    rows.into_iter().map(Task::try_from).collect()
}

/// One consumer's task in a rotation.
pub(in super::super) async fn of_consumer(
    database: &Database,
    rotation_id: RotationId,
    consumer: &CallerName,
) -> Result<Option<Task>, Error> {
    let row = sqlx::query_as::<_, Row>(select!("WHERE task.rotation_id = $1 AND task.consumer_name = $2"))
        .bind(rotation_id.to_string())
        .bind(consumer.as_str())
        .fetch_optional(database.pool())
        .await?;
    row.map(Task::try_from).transpose()
}

/// A consumer's open tasks of rotations that go on, the oldest first.
pub(in super::super) async fn open_of(
    database: &Database,
    consumer: &CallerName,
) -> Result<Vec<Task>, Error> {
    let rows = sqlx::query_as::<_, Row>(select!(
        "JOIN rotation ON rotation.rotation_id = task.rotation_id WHERE task.consumer_name = $1 \
         AND task.acknowledge_time IS NULL AND task.end_time IS NULL \
         AND rotation.standing IN ('in-force', 'rolled-back') \
         ORDER BY task.rotation_id"
    ))
    .bind(consumer.as_str())
    .fetch_all(database.pool())
    .await?;
    rows.into_iter().map(Task::try_from).collect()
}

/// At most `limit` consumers whose webhooks are to be tried by now, the longest waiting first.
pub(in super::super) async fn due_consumers(
    database: &Database,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<CallerName>, Error> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT task.consumer_name FROM rotation_task AS task JOIN rotation \
         ON rotation.rotation_id = task.rotation_id WHERE task.next_tell_time <= $1 \
         AND task.acknowledge_time IS NULL AND task.end_time IS NULL \
         AND rotation.standing IN ('in-force', 'rolled-back') \
         GROUP BY task.consumer_name ORDER BY MIN(task.next_tell_time), task.consumer_name LIMIT $2",
    )
    .bind(now.as_micros())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(database.pool())
    .await?;
    let parsed = names
        .into_iter()
        .map(|name| name.parse().map_err(|_| Error::BrokenRow(name)));
    parsed.collect()
}

/// What a consumer is to be told first by now; of what was put off together, what has failed most often.
pub(in super::super) async fn first_due(
    database: &Database,
    consumer: &CallerName,
    now: Timestamp,
) -> Result<Option<Task>, Error> {
    let row = sqlx::query_as::<_, Row>(select!(
        "JOIN rotation ON rotation.rotation_id = task.rotation_id WHERE task.consumer_name = $1 \
         AND task.next_tell_time <= $2 AND task.acknowledge_time IS NULL AND task.end_time IS NULL \
         AND rotation.standing IN ('in-force', 'rolled-back') \
         ORDER BY task.next_tell_time, task.failed_deliveries DESC, task.rotation_id LIMIT 1"
    ))
    .bind(consumer.as_str())
    .bind(now.as_micros())
    .fetch_optional(database.pool())
    .await?;
    row.map(Task::try_from).transpose()
}

/// Puts off to `next` whatever else a consumer is to be told by `now`. What another replica tells it is not touched.
pub(in super::super) async fn put_off(
    database: &Database,
    consumer: &CallerName,
    now: Timestamp,
    next: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE rotation_task SET next_tell_time = $1 WHERE consumer_name = $2 AND next_tell_time <= $3 \
         AND acknowledge_time IS NULL",
    )
    .bind(next.as_micros())
    .bind(consumer.as_str())
    .bind(now.as_micros())
    .execute(database.pool())
    .await?;
    Ok(())
}

/// Gives a consumer its task: for the first time, or anew.
pub(in super::super) async fn give(transaction: &mut Transaction, task: &Task) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO rotation_task (rotation_id, consumer_name, delivery_id, due_time, next_tell_time, \
         failed_deliveries, last_failure) VALUES ($1, $2, $3, $4, $5, 0, '') \
         ON CONFLICT (rotation_id, consumer_name) DO UPDATE SET delivery_id = excluded.delivery_id, \
         due_time = excluded.due_time, next_tell_time = excluded.next_tell_time, told_time = NULL, \
         failed_deliveries = 0, last_failure = '', acknowledge_time = NULL, acknowledged_store_version = NULL, \
         end_time = NULL, ended_as = '', ended_by = '', end_reason = ''",
    )
    .bind(task.rotation_id.to_string())
    .bind(task.consumer.as_str())
    .bind(task.delivery_id.to_string())
    .bind(task.due_time.as_micros())
    .bind(micros(task.next_tell_time))
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

/// Writes that a task is done, if it is still the one that was given by this delivery and not done.
pub(in super::super) async fn acknowledge(
    database: &Database,
    task: &Task,
    time: Timestamp,
    store_version: u64,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE rotation_task SET acknowledge_time = $1, acknowledged_store_version = $2, next_tell_time = NULL \
         WHERE rotation_id = $3 AND consumer_name = $4 AND delivery_id = $5 AND acknowledge_time IS NULL \
         AND end_time IS NULL",
    )
    .bind(time.as_micros())
    .bind(signed(store_version))
    .bind(task.rotation_id.to_string())
    .bind(task.consumer.as_str())
    .bind(task.delivery_id.to_string())
    .execute(database.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes that a watching consumer was given its task.
pub(in super::super) async fn told(database: &Database, task: &Task, time: Timestamp) -> Result<(), Error> {
    sqlx::query(
        "UPDATE rotation_task SET told_time = $1 \
         WHERE rotation_id = $2 AND consumer_name = $3 AND delivery_id = $4 AND told_time IS NULL",
    )
    .bind(time.as_micros())
    .bind(task.rotation_id.to_string())
    .bind(task.consumer.as_str())
    .bind(task.delivery_id.to_string())
    .execute(database.pool())
    .await?;
    Ok(())
}

/// Takes the next delivery of a task until `lease`; `false` if another replica has it.
pub(in super::super) async fn claim(
    database: &Database,
    task: &Task,
    lease: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE rotation_task SET next_tell_time = $1 WHERE rotation_id = $2 AND consumer_name = $3 \
         AND delivery_id = $4 AND next_tell_time = $5",
    )
    .bind(lease.as_micros())
    .bind(task.rotation_id.to_string())
    .bind(task.consumer.as_str())
    .bind(task.delivery_id.to_string())
    .bind(micros(task.next_tell_time))
    .execute(database.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes what became of a delivery, if the claim until `lease` still holds.
pub(in super::super) async fn delivered(
    database: &Database,
    task: &Task,
    lease: Timestamp,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "UPDATE rotation_task SET told_time = $1, next_tell_time = $2, failed_deliveries = $3, last_failure = $4 \
         WHERE rotation_id = $5 AND consumer_name = $6 AND delivery_id = $7 AND next_tell_time = $8",
    )
    .bind(micros(task.told_time))
    .bind(micros(task.next_tell_time))
    .bind(i64::from(task.failed_deliveries))
    .bind(&task.last_failure)
    .bind(task.rotation_id.to_string())
    .bind(task.consumer.as_str())
    .bind(task.delivery_id.to_string())
    .bind(lease.as_micros())
    .execute(database.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The rotations that wait for a consumer, the oldest first.
pub(in super::super) async fn waiting_for(
    transaction: &mut Transaction,
    consumer: &CallerName,
) -> Result<Vec<String>, Error> {
    let rotations = sqlx::query_scalar(
        "SELECT rotation_id FROM rotation_task WHERE consumer_name = $1 AND acknowledge_time IS NULL \
         AND end_time IS NULL ORDER BY rotation_id",
    )
    .bind(consumer.as_str())
    .fetch_all(&mut *transaction)
    .await?;
    Ok(rotations)
}

/// Drops the open tasks of a consumer; says how many there were.
pub(in super::super) async fn drop_of_consumer(
    transaction: &mut Transaction,
    consumer: &CallerName,
    end: &End,
) -> Result<u64, Error> {
    let done = sqlx::query(
        "UPDATE rotation_task SET next_tell_time = NULL, ended_as = 'dropped', ended_by = $1, end_reason = $2, \
         end_time = $3 WHERE consumer_name = $4 AND acknowledge_time IS NULL AND end_time IS NULL",
    )
    .bind(&end.by)
    .bind(&end.reason)
    .bind(end.time.as_micros())
    .bind(consumer.as_str())
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected())
}

/// Drops the open tasks of a rotation; says how many there were.
pub(in super::super) async fn drop_of_rotation(
    transaction: &mut Transaction,
    rotation_id: RotationId,
    end: &End,
) -> Result<u64, Error> {
    let done = sqlx::query(
        "UPDATE rotation_task SET next_tell_time = NULL, ended_as = 'dropped', ended_by = $1, end_reason = $2, \
         end_time = $3 WHERE rotation_id = $4 AND acknowledge_time IS NULL AND end_time IS NULL",
    )
    .bind(&end.by)
    .bind(&end.reason)
    .bind(end.time.as_micros())
    .bind(rotation_id.to_string())
    .execute(&mut *transaction)
    .await?;
    Ok(done.rows_affected())
}

/// Ends what earlier rotations of a credential still wait for, because `by` takes their place.
pub(in super::super) async fn supersede(transaction: &mut Transaction, by: &Rotation) -> Result<(), Error> {
    sqlx::query(
        "UPDATE rotation_task SET next_tell_time = NULL, ended_as = 'superseded', ended_by = $1, end_reason = $2, \
         end_time = $3 WHERE acknowledge_time IS NULL AND end_time IS NULL AND rotation_id IN \
         (SELECT rotation_id FROM rotation WHERE credential_id = $4 AND rotation_id <> $5)",
    )
    .bind(by.rotated_by.as_str())
    .bind(format!("rotation {} took its place", by.rotation_id))
    .bind(by.switch_time.as_micros())
    .bind(by.credential_id.to_string())
    .bind(by.rotation_id.to_string())
    .execute(&mut *transaction)
    .await?;
    Ok(())
}

impl TryFrom<Row> for Task {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let broken = || Error::BrokenRow(row.rotation_id.clone());
        let acknowledged = row.acknowledge_time.map(|time| {
            let version = row.acknowledged_store_version.unwrap_or(0);
            (Timestamp::from_micros(time), u64::try_from(version).unwrap_or(0))
        });
        let ended = row.end_time.map(|time| {
            let ending = match row.ended_as.as_str() {
                "superseded" => TaskEnding::Superseded,
                _ => TaskEnding::Dropped,
            };
            let end = End {
                reason: row.end_reason.clone(),
                by: row.ended_by.clone(),
                time: Timestamp::from_micros(time),
            };
            (ending, end)
        });
        Ok(Self {
            rotation_id: row.rotation_id.parse().map_err(|_| broken())?,
            consumer: row.consumer_name.parse().map_err(|_| broken())?,
            delivery_id: row.delivery_id.parse().map_err(|_| broken())?,
            due_time: Timestamp::from_micros(row.due_time),
            told_time: row.told_time.map(Timestamp::from_micros),
            next_tell_time: row.next_tell_time.map(Timestamp::from_micros),
            failed_deliveries: count(row.failed_deliveries),
            last_failure: row.last_failure,
            acknowledged,
            ended,
        })
    }
}
