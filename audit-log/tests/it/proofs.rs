//! What was appended gets provable, and stays so. Proofs are checked with `tlog_tiles` and
//! `signed_note`, from the leaves as readers are given them.

use hubkeep_audit_log::{
    AuditLog, Error, Filter, Outcome, Position, Search,
    proofs::{self, Checkpoint, Which},
};
use hubkeep_core::clock::SystemClock;
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::{Hash, HashReader, check_record, check_tree, record_hash, stored_hashes, tree_hash};

use crate::{
    order::produce,
    support::{Place, eventually, on_both_databases, read_of},
};

const ONE: &str = "test/crm-service/1";
const TWO: &str = "test/crm-service/2";
const HEADS: &str = "test/crm-service/heads";

on_both_databases! {
    every_entry_of_a_log_gets_provable_by_what_was_signed,
    a_log_that_is_opened_again_goes_on_where_its_proofs_were,
    the_heads_name_every_log_and_a_log_that_is_gone_is_missed,
    a_new_key_signs_beside_the_old_one_and_both_stay_known;
    on two threads:
    appends_go_on_while_proofs_cannot_be_made,
}

/// Every hash of a tree.
struct Whole(Vec<Hash>);

impl HashReader for Whole {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let hash = |index: &u64| self.0[usize::try_from(*index).expect("small")];
        Ok(indexes.iter().map(hash).collect())
    }
}

/// The leaves of a log, as its readers are given them.
async fn leaves(log: &AuditLog, name: &str) -> Vec<Vec<u8>> {
    let filter = Filter {
        log: Some(name.to_owned()),
        ..Filter::all()
    };
    let events = log.find(&Search::oldest(filter, 100_000)).await;
    let events = events.expect("reads");
    for (event, index) in events.iter().zip(0..) {
        assert_eq!((event.log.as_str(), event.index), (name, index));
    }
    events.into_iter().map(|event| event.leaf).collect()
}

fn root(leaves: &[Vec<u8>]) -> Hash {
    let mut whole = Whole(Vec::new());
    for (leaf, index) in leaves.iter().zip(0..) {
        let hashes = stored_hashes(index, leaf, &whole).expect("whole");
        whole.0.extend(hashes);
    }
    tree_hash(u64::try_from(leaves.len()).expect("small"), &whole).expect("whole")
}

/// What the note says, if one of these keys has signed it: origin, size and root; and how many have.
pub(crate) fn read_note(note: &str, keys: &[String]) -> (String, u64, Hash, usize) {
    let verifier = |key: &String| Box::new(StandardVerifier::new(key).expect("a key")) as Box<dyn Verifier>;
    let known = VerifierList::new(keys.iter().map(verifier).collect());
    let note = Note::from_bytes(note.as_bytes()).expect("a note");
    let (by, _) = note.verify(&known).expect("signed");
    let told = tlog_tiles::Checkpoint::from_bytes(note.text()).expect("a checkpoint");
    (told.origin().to_owned(), told.size(), *told.hash(), by.len())
}

/// The newest checkpoint, when it covers so many entries.
pub(crate) async fn covered(log: &AuditLog, name: &str, size: u64) -> Checkpoint {
    eventually("a checkpoint covers all entries", async || {
        let newest = log.checkpoint(name, None).await;
        newest.is_ok_and(|newest| newest.size == size)
    })
    .await;
    log.checkpoint(name, Some(size)).await.expect("there")
}

pub(crate) async fn record(log: &AuditLog, portal: u64, calls: usize) {
    for _ in 0..calls {
        let intent = log.intent(read_of(portal)).await.expect("durable");
        intent.settle(Outcome::ok()).await.expect("durable");
    }
}

async fn every_entry_of_a_log_gets_provable_by_what_was_signed(place: Place) {
    let place = place.proven();
    let log = place.open().await;
    produce(&log, 7, 45).join_all().await;
    let newest = covered(&log, ONE, 90).await;
    let leaves = leaves(&log, ONE).await;
    let told = read_note(&newest.note, &log.verifier_keys().await.expect("keys"));
    assert_eq!(told, (ONE.to_owned(), 90, root(&leaves), 1));

    for (leaf, index) in leaves.iter().zip(0..) {
        let proof = log
            .inclusion(ONE, Which::Index(index), None)
            .await
            .expect("proven");
        let hashes = proof.hashes.into_iter().map(Hash).collect();
        check_record(&hashes, 90, told.2, index, record_hash(leaf)).expect("it is there");
    }
    let unknown = log.inclusion(ONE, Which::Index(90), None).await;
    let Err(Error::Proofs(proofs::Error::Unknown { newest_size, .. })) = unknown else {
        panic!("not covered: {unknown:?}");
    };
    assert_eq!(newest_size, 90);
    let foreign = log.inclusion(TWO, Which::Position(Position(1)), None);
    let own = log.inclusion(ONE, Which::Position(Position(1)), None);
    assert_ne!(
        foreign.await.is_ok(),
        own.await.is_ok(),
        "position 1 is in one log"
    );
}

async fn a_log_that_is_opened_again_goes_on_where_its_proofs_were(place: Place) {
    let place = place.proven();
    let log = place.open().await;
    record(&log, 1, 150).await;
    let first = covered(&log, ONE, 300).await;
    log.stop().await;
    let log = place.open().await;
    record(&log, 1, 150).await;
    let second = covered(&log, ONE, 600).await;
    assert_eq!(Hash(second.root), root(&leaves(&log, ONE).await));
    assert_eq!(log.verifier_keys().await.expect("keys").len(), 1);
    let proof = log.consistency(ONE, 300, None).await.expect("proven");
    assert_eq!(proof.old, first);
    let hashes = proof.hashes.into_iter().map(Hash).collect();
    check_tree(&hashes, 600, Hash(second.root), 300, Hash(first.root)).expect("it only grew");
    assert!(
        log.consistency(ONE, 600, Some(300)).await.is_err(),
        "the larger is not before the smaller"
    );
}

async fn the_heads_name_every_log_and_a_log_that_is_gone_is_missed(place: Place) {
    let place = place.proven();
    let log = place.open().await;
    for portal in [1, 2, 10] {
        record(&log, portal, 1).await;
    }
    let named = async |size: u64| {
        let head = log.head("test/crm-service/10").await.expect("reads");
        head.is_some_and(|head| {
            head.line_count == 3
                && head
                    .line
                    .starts_with(format!("test/crm-service/10\n{size}\n").as_bytes())
        })
    };
    eventually("the heads name three logs", async || named(2).await).await;
    let head = log
        .head("test/crm-service/10")
        .await
        .expect("reads")
        .expect("named");
    assert_eq!((head.line_index, head.line_count), (1, 3), "sorted by name");
    let keys = log.verifier_keys().await.expect("keys");
    let (origin, size, root, _) = read_note(&head.checkpoint.note, &keys);
    assert_eq!(origin, HEADS);
    let proof = head.leaf_proof.into_iter().map(Hash).collect();
    check_record(&proof, size, root, head.leaf_index, record_hash(&head.leaf)).expect("the leaf is there");
    let leaf = String::from_utf8(head.leaf).expect("text");
    let lines: Vec<&str> = leaf.split('\n').collect();
    assert_eq!(lines[..2], ["hubkeep heads/1", "3"]);
    let over_lines = Hash::parse_hash(lines[2]).expect("a root");
    let proof = head.line_proof.into_iter().map(Hash).collect();
    check_record(&proof, 3, over_lines, 1, record_hash(&head.line)).expect("the line is there");

    let mut intruder = place.intruder().await;
    intruder
        .change("DELETE FROM audit_tree WHERE log = 'test/crm-service/2'")
        .await;
    record(&log, 1, 1).await;
    covered(&log, ONE, 4).await;
    record(&log, 3, 50).await;
    let heads = log.checkpoint(HEADS, None).await.expect("as they were");
    let line = log.head(ONE).await.expect("reads").expect("named").line;
    assert!(
        line.starts_with(b"test/crm-service/1\n2\n"),
        "no heads leave out a log that was named: {heads:?}"
    );
}

async fn a_new_key_signs_beside_the_old_one_and_both_stay_known(place: Place) {
    let mut place = place.proven();
    let log = place.open().await;
    record(&log, 1, 1).await;
    covered(&log, ONE, 2).await;
    let old = log.verifier_keys().await.expect("keys");
    log.stop().await;

    place.proofs.old_key_file = place.proofs.key_file.take();
    place.proofs.key_file = Some(place.key("second"));
    let log = place.open().await;
    record(&log, 1, 1).await;
    let both = covered(&log, ONE, 4).await;
    let keys = log.verifier_keys().await.expect("keys");
    assert_eq!((keys.len(), &keys[..1]), (2, &old[..]));
    assert_eq!(read_note(&both.note, &keys).3, 2, "signed by both");
    assert_eq!(
        read_note(&both.note, &old).3,
        1,
        "who knows the old key only can check it"
    );
    log.stop().await;

    place.proofs.old_key_file = None;
    let log = place.open().await;
    record(&log, 1, 1).await;
    let new = covered(&log, ONE, 6).await;
    assert_eq!(read_note(&new.note, &keys[1..]).3, 1);
    assert_eq!(
        log.verifier_keys().await.expect("keys"),
        keys,
        "the old one stays known"
    );
}

async fn appends_go_on_while_proofs_cannot_be_made(place: Place) {
    let place = place.proven();
    let log = place.open().await;
    record(&log, 1, 1).await;
    covered(&log, ONE, 2).await;
    let mut intruder = place.intruder().await;
    // In a file nobody can write beside another; there the table itself is taken away.
    let hold = match &intruder {
        crate::place::Intruder::Sqlite(_) => "ALTER TABLE audit_tile RENAME TO audit_tile_away",
        crate::place::Intruder::Postgres(_) => "BEGIN; LOCK TABLE audit_tile IN ACCESS EXCLUSIVE MODE",
    };
    intruder.change(hold).await;
    let clock = SystemClock::shared();
    let begun = clock.tick();
    produce(&log, 16, 20).join_all().await;
    assert!(clock.tick().since(begun) < place.intent_deadline, "nobody waited");
    let newest = log.checkpoint(ONE, None).await.expect("as it was");
    assert_eq!(newest.size, 2, "no proofs were made meanwhile");
    let release = match &intruder {
        crate::place::Intruder::Sqlite(_) => "ALTER TABLE audit_tile_away RENAME TO audit_tile",
        crate::place::Intruder::Postgres(_) => "COMMIT",
    };
    intruder.change(release).await;
    let total = u64::try_from(leaves(&log, ONE).await.len()).expect("small");
    assert!(total > 2);
    covered(&log, ONE, total).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_all_sign_make_one_history() {
    let place = Place::postgres("replicas_that_all_sign_make_one_history").proven();
    let replicas = [place.open().await, place.open().await, place.open().await];
    let mut tasks: Vec<_> = replicas.iter().map(|log| produce(log, 8, 30)).collect();
    while let Some(producers) = tasks.pop() {
        producers.join_all().await;
    }
    let total = u64::try_from(leaves(&replicas[0], ONE).await.len()).expect("small");
    let newest = covered(&replicas[1], ONE, total).await;
    let sizes: Vec<String> = place
        .intruder()
        .await
        .texts("SELECT CAST(size AS TEXT) FROM audit_checkpoint WHERE log = 'test/crm-service/1'")
        .await;
    assert!(sizes.len() > 1, "they signed while they wrote: {sizes:?}");
    for size in sizes {
        let old = size.parse().expect("a number");
        let proof = replicas[2]
            .consistency(ONE, old, Some(total))
            .await
            .expect("proven");
        let hashes = proof.hashes.into_iter().map(Hash).collect();
        check_tree(&hashes, total, Hash(newest.root), old, Hash(proof.old.root)).expect("one history");
    }
}

#[tokio::test]
async fn the_key_beside_a_file_is_made_once_and_missed_when_it_is_gone() {
    let mut place = Place::sqlite().proven();
    place.proofs.key_file = None;
    let log = place.open().await;
    record(&log, 1, 1).await;
    covered(&log, ONE, 2).await;
    log.stop().await;
    place.open().await.stop().await;
    let url = place.config().url;
    let key = format!("{}.log-key", url.trim_start_matches("sqlite://"));
    std::fs::remove_file(&key).expect("it lies beside the file");
    let opened = place.try_open().await;
    assert!(
        matches!(opened, Err(Error::Proofs(proofs::Error::Key(_)))),
        "no other key is made in its place: {opened:?}"
    );
}
