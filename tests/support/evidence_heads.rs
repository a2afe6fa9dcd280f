//! What whoever has the database and the log key does beneath heads that only grow: the log is rewritten and signed anew, and
//! heads are appended that name it as it is now. Only what held heads said of the log tells.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hubkeep::bundle::{CHECKPOINT, HEAD, Roots};
use serde_json::{Value, json};
use tlog_tiles::{Checkpoint, Hash, HashReader, prove_record, prove_tree, stored_hashes, tree_hash};

use super::{
    evidence::{Evidence, Held, Spoiling, checkpoint, head, head_of, leaves, spoiling, told},
    hubkeep::Service,
};

/// All that is done so.
pub const HEADS_SPOILINGS: [Spoiling; 6] = [
    spoiling(
        "with the log key, the log is rewritten and heads are appended",
        Held::Heads,
        |evidence, bundle| {
            let named = head_of(bundle)["named"].clone();
            evidence.rewrite_beneath_heads(bundle, &named);
        },
    ),
    spoiling(
        "the same, and it is not said how the log stood in the heads before",
        Held::Heads,
        |evidence, bundle| evidence.rewrite_beneath_heads(bundle, &json!([])),
    ),
    spoiling(
        "the same, and it is said that the heads before did not name the log",
        Held::Heads,
        |evidence, bundle| {
            let mut named = head_of(bundle)["named"].clone();
            for named in named.as_array_mut().expect("all that are held") {
                named["lines"] = json!([]);
            }
            evidence.rewrite_beneath_heads(bundle, &named);
        },
    ),
    spoiling(
        "the same, and the line of the log in the heads before is another",
        Held::Heads,
        |evidence, bundle| {
            evidence.rewrite_beneath_heads(bundle, &json!([]));
            let mut named = head_of(&evidence.second())["named"].clone();
            named[1]["lines"][0]["line"] = head_of(bundle)["line"].clone();
            head(bundle, |head| head["named"] = named);
        },
    ),
    spoiling(
        "nothing shows that heads from before the log did not name it",
        Held::EarlyHeads,
        |_, bundle| head(bundle, |head| head["named"][0]["lines"] = json!([])),
    ),
    spoiling(
        "what stands beside the log in heads from before it is another's place",
        Held::EarlyHeads,
        |_, bundle| {
            head(bundle, |head| {
                let lines = head["named"][0]["lines"].as_array_mut().expect("lines");
                lines[0]["index"] = 7.into();
            });
        },
    ),
];

/// Every hash of a tree.
#[derive(Default)]
struct Whole {
    size: u64,
    hashes: Vec<Hash>,
}

impl HashReader for Whole {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let hash = |index: &u64| self.hashes[usize::try_from(*index).expect("small")];
        Ok(indexes.iter().map(hash).collect())
    }
}

impl Whole {
    fn append(&mut self, leaf: &[u8]) {
        let hashes = stored_hashes(self.size, leaf, self).expect("whole");
        self.hashes.extend(hashes);
        self.size += 1;
    }
}

impl Evidence {
    /// The log of a bundle with an entry changed, signed anew, and named by a leaf that the heads have more. What the heads before
    /// said of the log is said to be `named`.
    fn rewrite_beneath_heads(&self, bundle: &Path, named: &Value) {
        let mut roots = Roots::default();
        leaves(bundle, |leaves| {
            leaves[5][7] ^= 1;
            for leaf in leaves {
                roots.append(leaf).expect("grows");
            }
        });
        let log = checkpoint(bundle);
        let log = Checkpoint::new(log.origin(), roots.size(), roots.root().expect("a root"), "");
        let log = log.expect("a checkpoint");
        fs::write(bundle.join(CHECKPOINT), self.signed(&self.seed(), &log)).expect("written");

        let line = String::from_utf8(log.to_bytes()).expect("text");
        let mut lines = Whole::default();
        lines.append(line.as_bytes());
        let over_lines = tree_hash(1, &lines).expect("one line");
        let leaf = format!("hubkeep heads/1\n1\n{over_lines}\n");
        let heads = self.heads_and(leaf.as_bytes());
        let held = told(&fs::read_to_string(self.held(Held::Heads)).expect("read"));
        let root = tree_hash(heads.size, &heads).expect("whole");
        let signed = Checkpoint::new(held.origin(), heads.size, root, "").expect("a checkpoint");
        let leaf_proof = prove_record(heads.size, heads.size - 1, &heads).expect("there");
        let grown = prove_tree(heads.size, held.size(), &heads).expect("grown");
        let head = json!({
            "checkpoint": self.signed(&self.seed(), &signed),
            "leaf": STANDARD.encode(leaf),
            "leaf_index": heads.size - 1,
            "leaf_proof": texts(&leaf_proof),
            "line": line,
            "line_index": 0,
            "line_proof": [],
            "consistency": [{"sizes": [held.size(), heads.size], "hashes": texts(&grown)}],
            "named": named,
        });
        fs::write(bundle.join(HEAD), serde_json::to_vec(&head).expect("JSON")).expect("written");
    }

    /// The heads of the service as they are, with one leaf more.
    fn heads_and(&self, leaf: &[u8]) -> Whole {
        let file = rusqlite::Connection::open(self.hubkeep.audit_file(Service::Crm)).expect("opens");
        let mut read = file
            .prepare("SELECT leaf FROM audit_heads ORDER BY heads_index")
            .expect("a table");
        let mut heads = Whole::default();
        for leaf in read.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("reads") {
            heads.append(&leaf.expect("a leaf"));
        }
        heads.append(leaf);
        heads
    }
}

fn texts(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(ToString::to_string).collect()
}
