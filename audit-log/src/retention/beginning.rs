//! Where logs begin now: what whoever reads is told, so that no gap is silent.

use hubkeep_core::{clock::Timestamp, database::Database, id::ClientSlug};
use hubkeep_proto::audit::v1 as wire;

use super::{read_back, stored};
use crate::{Error, Filter, Position, store::Reader};

const FIND: &str =
    "SELECT log, first_index, to_position, newest_time, pruned_time FROM audit_pruned WHERE log = $1";
/// Entries of the service's own log may name any slug.
const WITHIN: &str = "SELECT log, first_index, to_position, newest_time, pruned_time FROM audit_pruned p \
    WHERE p.to_position > $1 AND p.from_position <= $2 AND p.newest_time >= $3 AND ($4 = '' OR p.log = $4) \
    AND ($5 = '' OR p.log LIKE '%/system' \
        OR EXISTS (SELECT 1 FROM audit_pruned_client c WHERE c.client_slug = $5 AND c.log = p.log)) \
    ORDER BY p.log";

/// Where a log begins now: the entries before that were older than entries are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// The log's full name.
    pub log: String,
    /// The index of the first entry that is there.
    pub first_index: u64,
    /// The position of the last entry that is gone.
    pub pruned_until: Position,
    /// When the newest of those that are gone was made.
    pub newest_pruned_time: Timestamp,
    /// When the last of them went.
    pub pruned_time: Timestamp,
}

type Row = (String, i64, i64, i64, i64);

impl From<Row> for Beginning {
    fn from((log, first_index, to_position, newest_time, pruned_time): Row) -> Self {
        Self {
            log,
            first_index: read_back(first_index),
            pruned_until: Position::from_i64(to_position),
            newest_pruned_time: Timestamp::from_micros(newest_time),
            pruned_time: Timestamp::from_micros(pruned_time),
        }
    }
}

impl From<Beginning> for wire::Beginning {
    fn from(beginning: Beginning) -> Self {
        Self {
            log: beginning.log,
            first_index: beginning.first_index,
            pruned_until_position: beginning.pruned_until.get(),
            newest_pruned_time: Some(beginning.newest_pruned_time.into()),
            pruned_time: Some(beginning.pruned_time.into()),
        }
    }
}

/// Where a log begins; `None` while all of its entries are there.
pub(crate) async fn of_log(database: &Database, log: &str) -> Result<Option<Beginning>, sqlx::Error> {
    let row: Option<Row> = sqlx::query_as(FIND)
        .bind(log)
        .fetch_optional(database.pool())
        .await?;
    Ok(row.map(Beginning::from))
}

/// Where a log begins, if whatever it had at this position is gone.
pub(crate) async fn before(
    database: &Database,
    log: &str,
    position: u64,
) -> Result<Option<Beginning>, sqlx::Error> {
    let beginning = of_log(database, log).await?;
    Ok(beginning.filter(|beginning| position <= beginning.pruned_until.get()))
}

/// The logs of which entries are gone that might pass a filter and lay after `after` and up to `until`. Asked after the entries
/// there were read, it misses nothing that went before they were.
pub(crate) async fn within(
    reader: &Reader,
    filter: &Filter,
    after: Position,
    until: Position,
) -> Result<Vec<Beginning>, Error> {
    let Some(log) = reader.log_for(filter) else {
        return Ok(Vec::new());
    };
    let since = filter.start_time.map_or(i64::MIN, Timestamp::as_micros);
    let slug = filter.client_slug.as_ref().map(ClientSlug::as_str);
    let rows: Vec<Row> = sqlx::query_as(WITHIN)
        .bind(after.as_i64())
        .bind(stored(until.get()))
        .bind(since)
        .bind(log.unwrap_or_default())
        .bind(slug.unwrap_or_default().to_owned())
        .fetch_all(reader.database().pool())
        .await?;
    Ok(rows.into_iter().map(Beginning::from).collect())
}
