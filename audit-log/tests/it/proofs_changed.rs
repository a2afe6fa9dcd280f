//! What was changed in the database behind the log is noticed: when it is asked about, or before anything more is signed.

use std::time::Duration;

use hubkeep_audit_log::{
    Error, Position,
    proofs::{self, Which},
};

use crate::{
    proofs::{covered, record},
    support::{Place, eventually, on_both_databases},
};

const ONE: &str = "test/crm-service/1";
const TWO: &str = "test/crm-service/2";
const HEADS: &str = "test/crm-service/heads";

on_both_databases! {
    a_root_that_somebody_else_signed_for_a_size_ends_all_signing,
    an_entry_that_was_changed_is_not_proven,
    a_tile_that_was_changed_proves_nothing,
    an_entry_that_is_taken_away_before_it_is_in_a_tree_is_missed,
    what_was_rewritten_with_its_tiles_is_not_signed,
    a_log_that_was_rewritten_and_signed_anew_is_not_named_by_heads,
}

fn is_damaged<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Proofs(proofs::Error::Damaged { .. })))
}

async fn a_root_that_somebody_else_signed_for_a_size_ends_all_signing(place: Place) {
    let mut place = place.proven();
    // So that the sizes that are signed are known.
    place.proofs.every = Duration::from_secs(3_600);
    place.proofs.entries = 4;
    let log = place.open().await;
    record(&log, 1, 2).await;
    covered(&log, ONE, 4).await;
    covered(&log, HEADS, 1).await;
    // What another replica with another history has signed for the size that comes next.
    let mut intruder = place.intruder().await;
    intruder
        .change(
            "INSERT INTO audit_checkpoint (log, size, root, note, made_time) SELECT log, 8, \
             (SELECT root FROM audit_checkpoint WHERE log = 'test/crm-service/heads' AND size = 1), note, made_time \
             FROM audit_checkpoint WHERE log = 'test/crm-service/1' AND size = 4",
        )
        .await;
    record(&log, 1, 2).await;
    let heads = covered(&log, HEADS, 1).await;
    record(&log, 2, 100).await;
    let two = log.checkpoint(TWO, None).await;
    assert!(
        matches!(
            two,
            Err(Error::Proofs(proofs::Error::Unknown { newest_size: 0, .. }))
        ),
        "{two:?}"
    );
    assert_eq!(log.checkpoint(HEADS, None).await.expect("as it was"), heads);
    assert!(
        is_damaged(&log.checkpoint(ONE, Some(8)).await),
        "a row that says another thing than its note is not given"
    );
    log.checkpoint(ONE, Some(4)).await.expect("as it was signed");
}

async fn an_entry_that_was_changed_is_not_proven(place: Place) {
    let place = place.proven();
    let log = place.open().await;
    record(&log, 1, 2).await;
    covered(&log, ONE, 4).await;
    let proof = |position| log.inclusion(ONE, Which::Position(Position(position)), None);
    proof(2).await.expect("as it was");
    let mut intruder = place.intruder().await;
    intruder
        .change(
            "UPDATE audit_entry SET leaf = (SELECT leaf FROM audit_entry WHERE position = 1) WHERE position = 2",
        )
        .await;
    assert!(is_damaged(&proof(2).await));
    proof(3).await.expect("others are");
}

async fn a_tile_that_was_changed_proves_nothing(place: Place) {
    let place = place.proven();
    let log = place.open().await;
    for (portal, name) in [(1, ONE), (2, TWO)] {
        record(&log, portal, 3).await;
        covered(&log, name, 6).await;
    }
    let mut intruder = place.intruder().await;
    intruder
        .change(
            "UPDATE audit_tile SET hashes = (SELECT hashes FROM audit_tile WHERE log = 'test/crm-service/2' \
             AND level = 0 AND number = 0) WHERE log = 'test/crm-service/1'",
        )
        .await;
    let changed = log.inclusion(ONE, Which::Index(5), None).await;
    assert!(is_damaged(&changed), "{changed:?}");
    record(&log, 1, 1).await;
    record(&log, 2, 1).await;
    covered(&log, TWO, 8).await;
    let newest = log.checkpoint(ONE, None).await.expect("as it was signed");
    assert_eq!(newest.size, 6, "nothing grows out of it, and other logs go on");
}

async fn an_entry_that_is_taken_away_before_it_is_in_a_tree_is_missed(place: Place) {
    let mut place = place.proven();
    place.proofs.enabled = false;
    let log = place.open().await;
    record(&log, 1, 3).await;
    assert!(matches!(
        log.checkpoint(ONE, None).await,
        Err(Error::Proofs(proofs::Error::Off))
    ));
    log.stop().await;
    place
        .intruder()
        .await
        .change("DELETE FROM audit_entry WHERE position = 4")
        .await;
    place.proofs.enabled = true;
    let log = place.open().await;
    record(&log, 2, 50).await;
    for name in [ONE, TWO] {
        let newest = log.checkpoint(name, None).await;
        assert!(
            matches!(newest, Err(Error::Proofs(proofs::Error::Unknown { .. }))),
            "{newest:?}"
        );
    }
}

async fn what_was_rewritten_with_its_tiles_is_not_signed(place: Place) {
    let place = place.proven();
    let log = place.open().await;
    record(&log, 1, 3).await;
    covered(&log, ONE, 6).await;
    log.stop().await;
    place
        .intruder()
        .await
        .change(Forged::of(&place).await.tree().leak())
        .await;
    let log = place.open().await;
    record(&log, 1, 1).await;
    record(&log, 2, 20).await;
    covered(&log, TWO, 40).await;
    let newest = log.checkpoint(ONE, None).await.expect("as it was signed");
    assert_eq!(
        newest.size, 6,
        "the forged tree does not grow out of what was signed"
    );
}

async fn a_log_that_was_rewritten_and_signed_anew_is_not_named_by_heads(place: Place) {
    let place = place.proven();
    let log = place.open().await;
    record(&log, 1, 3).await;
    covered(&log, ONE, 6).await;
    eventually("the heads name it", async || {
        let head = log.head(ONE).await.expect("reads");
        head.is_some_and(|head| head.line.starts_with(b"test/crm-service/1\n6\n"))
    })
    .await;
    log.stop().await;
    let forged = Forged::of(&place).await;
    let mut intruder = place.intruder().await;
    intruder.change(forged.tree().leak()).await;
    intruder.change(forged.checkpoint().leak()).await;
    let log = place.open().await;
    let heads = log.checkpoint(HEADS, None).await.expect("as they were");
    record(&log, 1, 1).await;
    record(&log, 2, 20).await;
    covered(&log, ONE, 8).await;
    covered(&log, TWO, 40).await;
    record(&log, 2, 20).await;
    covered(&log, TWO, 80).await;
    let newest = log.checkpoint(HEADS, None).await.expect("as they were");
    assert_eq!(newest, heads, "what they said of it is not so any more");
}

/// A whole other history of a log: of the same size, with root and tiles that fit each other, signed by the same key.
struct Forged {
    tile: String,
    root: String,
    note: String,
    /// Whether it is for a file.
    is_file: bool,
}

impl Forged {
    async fn of(place: &Place) -> Self {
        let mut other = Place::sqlite().proven();
        other.proofs.key_file.clone_from(&place.proofs.key_file);
        let elsewhere = other.open().await;
        record(&elsewhere, 1, 3).await;
        covered(&elsewhere, ONE, 6).await;
        elsewhere.stop().await;
        let is_file = place.config().url.starts_with("sqlite");
        let forged = other.connection().query_row(
            "SELECT hex(a.hashes), hex(b.root), c.note FROM audit_tile a, audit_tree b, audit_checkpoint c \
             WHERE a.log = 'test/crm-service/1' AND b.log = a.log AND c.log = a.log AND c.size = 6",
            [],
            |row| {
                Ok(Self {
                    tile: row.get(0)?,
                    root: row.get(1)?,
                    note: row.get(2)?,
                    is_file,
                })
            },
        );
        forged.expect("one tile")
    }

    fn bytes(&self, hex: &str) -> String {
        match self.is_file {
            true => format!("X'{hex}'"),
            false => format!("decode('{hex}', 'hex')"),
        }
    }

    /// What puts it in the place of the tree.
    fn tree(&self) -> String {
        let (tile, root) = (self.bytes(&self.tile), self.bytes(&self.root));
        format!(
            "UPDATE audit_tile SET hashes = {tile} WHERE log = 'test/crm-service/1'; \
             UPDATE audit_tree SET root = {root} WHERE log = 'test/crm-service/1'"
        )
    }

    /// What puts it in the place of what was signed.
    fn checkpoint(&self) -> String {
        let (root, note) = (self.bytes(&self.root), &self.note);
        format!(
            "UPDATE audit_checkpoint SET root = {root}, note = '{note}' \
             WHERE log = 'test/crm-service/1' AND size = 6"
        )
    }
}
