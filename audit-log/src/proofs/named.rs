//! What the heads named, of every leaf: kept as what moved from one to the next, so that it can be shown to whoever holds one of their
//! checkpoints, however old. Without it a log could be rewritten while the heads only grow.

use std::{collections::HashMap, iter, sync::LazyLock};

use hubkeep_core::database::{Database, Transaction};
use tlog_tiles::{Hash, record_hash};

use super::{
    Checkpoint, Error, Proofs, Tree,
    heads::{Line, Lines},
    read::{Inclusion, Which},
    read_back, store, stored,
};

/// One look into the index for each log.
const AT: &str = "SELECT l.log, l.size, l.root FROM audit_tree t JOIN audit_heads_line l ON l.log = t.log \
    AND l.heads_index = (SELECT MAX(m.heads_index) FROM audit_heads_line m WHERE m.log = t.log AND m.heads_index <= $1)";
const LEAF: &str = "SELECT leaf FROM audit_heads WHERE heads_index = $1";
/// Rows in one statement.
const AT_ONCE: usize = 32;
/// Rows come more than once where there are fewer.
static KEEP: LazyLock<String> = LazyLock::new(|| {
    let row = |at: usize| {
        let [log, size, root] = [2, 3, 4].map(|place| place + 3 * at);
        format!("(${log}, $1, ${size}, ${root})")
    };
    let rows: Vec<String> = (0..AT_ONCE).map(row).collect();
    let rows = rows.join(", ");
    format!(
        "INSERT INTO audit_heads_line (log, heads_index, size, root) VALUES {rows} \
         ON CONFLICT (log, heads_index) DO NOTHING"
    )
});

/// What heads of some size say of a log: the last leaf that they cover.
#[derive(Clone, Debug)]
pub struct Named {
    /// The checkpoint of the log of heads.
    pub checkpoint: Checkpoint,
    /// The leaf.
    pub leaf: Vec<u8>,
    /// The proof that it is there.
    pub leaf_proof: Vec<[u8; 32]>,
    /// The line about the log; where there is none, those between which it would stand: one or two.
    pub lines: Vec<Line>,
    /// Whether that is the line about the log.
    pub is_named: bool,
}

impl Proofs {
    /// What heads of this size say of a log.
    pub(crate) async fn named(&self, log: &str, heads_size: u64) -> Result<Named, Error> {
        let heads = self.identity.heads();
        let index = heads_size.saturating_sub(1);
        let proven = self
            .inclusion(&heads, Which::Index(index), Some(heads_size))
            .await?;
        let Inclusion {
            checkpoint,
            leaf_hash,
            hashes,
            ..
        } = proven;
        let leaf = leaf(&self.database, index).await?;
        if record_hash(&leaf).0 != leaf_hash {
            return Err(Error::damaged(
                &heads,
                format!("its leaf with index {index} was changed"),
            ));
        }
        let lines = Lines::of(&heads, at(&self.database, index).await?)?;
        if lines.leaf(&heads)? != leaf {
            let problem = format!(
                "what the heads named when they were {heads_size} is not there as it was signed: they are from before such was kept, \
                 or somebody has changed it"
            );
            return Err(self.unknown(&heads, problem).await?);
        }
        let found = lines.find(log);
        let shown = match found {
            Ok(at) => at..at.saturating_add(1),
            Err(before) => before.saturating_sub(1)..before.saturating_add(1).min(lines.lines.len()),
        };
        Ok(Named {
            checkpoint,
            leaf,
            leaf_proof: hashes,
            lines: shown
                .map(|at| lines.prove(&heads, at))
                .collect::<Result<_, _>>()?,
            is_named: found.is_ok(),
        })
    }
}

async fn leaf(database: &Database, index: u64) -> Result<Vec<u8>, Error> {
    let leaf: Option<Vec<u8>> = sqlx::query_scalar(LEAF)
        .bind(stored(index))
        .fetch_optional(database.pool())
        .await?;
    Ok(leaf.unwrap_or_default())
}

/// The logs that the leaf with this index names, in no order.
async fn at(database: &Database, index: u64) -> Result<Vec<Tree>, Error> {
    let rows: Vec<(String, i64, Vec<u8>)> = sqlx::query_as(AT)
        .bind(stored(index))
        .fetch_all(database.pool())
        .await?;
    let trees = rows.into_iter().map(|(log, size, bytes)| {
        let (root, size) = (store::root(&log, bytes)?, read_back(size));
        Ok(Tree { log, size, root })
    });
    trees.collect()
}

/// Those of the logs that did not stand like this when the leaf before the one with this index was made.
pub(super) async fn moved(database: &Database, index: u64, trees: Vec<Tree>) -> Result<Vec<Tree>, Error> {
    let before = match index.checked_sub(1) {
        Some(before) => at(database, before).await?,
        None => Vec::new(),
    };
    let before: HashMap<String, (u64, Hash)> = before
        .into_iter()
        .map(|tree| (tree.log, (tree.size, tree.root)))
        .collect();
    let stood = |tree: &Tree| before.get(&tree.log) == Some(&(tree.size, tree.root));
    Ok(trees.into_iter().filter(|tree| !stood(tree)).collect())
}

/// Keeps what moved, with the leaf that names it.
pub(super) async fn keep(transaction: &mut Transaction, index: u64, moved: &[Tree]) -> Result<(), Error> {
    for some in moved.chunks(AT_ONCE) {
        let rows = iter::repeat_n(some, AT_ONCE).flatten().take(AT_ONCE);
        let query = sqlx::query(KEEP.as_str()).bind(stored(index));
        let query = rows.fold(query, |query, tree| {
            let query = query.bind(&tree.log).bind(stored(tree.size));
            query.bind(tree.root.0.to_vec())
        });
        query.execute(&mut *transaction).await?;
    }
    Ok(())
}
