//! A receipt binds the log to an outcome at once: what it promises is what checkpoints prove later.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::future::join_all;
use hubkeep_audit_log::{AuditLog, Outcome, Position, Receipt, proofs::Which};
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::{Hash, check_record};

use crate::{
    outage::works_again,
    proofs::covered,
    proxy::{Mode, Proxy},
    support::{Place, entry, eventually, everything, on_both_databases, portal, read_of},
};

on_both_databases!(
    what_a_receipt_promises_is_what_a_checkpoint_proves,
    many_at_once_have_each_their_own,
    a_receipt_is_signed_by_the_keys_that_sign_checkpoints_then,
    where_nothing_is_signed_there_is_none,
);

const ONE: &str = "test/crm-service/1";

/// What a receipt says, line by line, if one of these keys has signed it; and how many have.
fn read(receipt: &Receipt, keys: &[String]) -> (Vec<String>, usize) {
    let verifier = |key: &String| Box::new(StandardVerifier::new(key).expect("a key")) as Box<dyn Verifier>;
    let known = VerifierList::new(keys.iter().map(verifier).collect());
    let note = Note::from_bytes(receipt.as_str().as_bytes()).expect("a note");
    let (by, _) = note.verify(&known).expect("signed");
    let text = String::from_utf8(note.text().to_vec()).expect("text");
    (text.lines().map(str::to_owned).collect(), by.len())
}

/// Records a call of a portal, and gives its outcome's place with the receipt for it.
async fn settled(log: &AuditLog, number: u64) -> (Position, Option<Receipt>) {
    let intent = log.intent(read_of(number)).await.expect("durable");
    let settled = intent.settle_for_receipt(Outcome::ok()).await.expect("durable");
    (settled.position(), log.receipt(&settled).await)
}

/// Holds a receipt against the entry at its place, and against what a checkpoint of so many entries proves.
async fn assert_kept(log: &AuditLog, (position, receipt): &(Position, Receipt), size: u64) {
    let keys = log.verifier_keys().await.expect("keys");
    let events = everything(log).await;
    let event = events.iter().find(|event| event.position == position.get());
    let event = event.expect("it is there");
    let proof = log
        .inclusion(&event.log, Which::Index(event.index), Some(size))
        .await;
    let proof = proof.expect("proven");
    let hashes = proof.hashes.into_iter().map(Hash).collect();
    let (root, leaf) = (Hash(proof.checkpoint.root), Hash(proof.leaf_hash));
    check_record(&hashes, size, root, event.index, leaf).expect("it leads to the root");
    let time = entry(event).entry_time.expect("every entry has one");
    let promised = [
        "hubkeep receipt/1".to_owned(),
        format!("log {}", event.log),
        format!("index {}", event.index),
        format!("leaf {}", STANDARD.encode(leaf.0)),
        format!("time {time}"),
    ];
    assert_eq!(read(receipt, &keys).0, promised);
    let number = entry(event).portal_id;
    let again = log.receipt_at(&portal(number), *position).await.expect("read");
    assert_eq!(again.as_ref(), Some(receipt), "the same entry, the same receipt");
    let others = log
        .receipt_at(&portal(number + 1), *position)
        .await
        .expect("read");
    assert_eq!(others, None, "it is none of another portal's");
}

async fn what_a_receipt_promises_is_what_a_checkpoint_proves(place: Place) {
    let place = place.proven();
    let log = place.open().await;
    for number in [1, 2, 1, 1] {
        let (position, receipt) = settled(&log, number).await;
        let receipt = (position, receipt.expect("there is a key"));
        let events = everything(&log).await;
        let newest = events.last().expect("it was written");
        covered(&log, &newest.log, newest.index + 1).await;
        assert_kept(&log, &receipt, newest.index + 1).await;
    }
}

async fn many_at_once_have_each_their_own(place: Place) {
    let place = place.proven();
    let log = place.open().await;
    let calls = join_all((0..60).map(|call| settled(&log, 1 + call % 3))).await;
    for number in 1..=3 {
        covered(&log, &format!("test/crm-service/{number}"), 40).await;
    }
    for (position, receipt) in calls {
        assert_kept(&log, &(position, receipt.expect("there is a key")), 40).await;
    }
}

async fn a_receipt_is_signed_by_the_keys_that_sign_checkpoints_then(place: Place) {
    let mut place = place.proven();
    let log = place.open().await;
    let (_, first) = settled(&log, 1).await;
    log.stop().await;
    place.proofs.old_key_file = place.proofs.key_file.take();
    place.proofs.key_file = Some(place.key("second"));
    let log = place.open().await;
    let (_, both) = settled(&log, 1).await;
    eventually("the new key is known", async || {
        log.verifier_keys().await.expect("keys").len() == 2
    })
    .await;
    let keys = log.verifier_keys().await.expect("keys");
    let by = |receipt: &Option<Receipt>, keys: &[String]| read(receipt.as_ref().expect("one"), keys).1;
    assert_eq!((by(&first, &keys), by(&both, &keys)), (1, 2));
    assert_eq!(
        by(&both, &keys[..1]),
        1,
        "who knows the old key only can check it"
    );
}

async fn where_nothing_is_signed_there_is_none(mut place: Place) {
    place.proofs.enabled = false;
    let log = place.open().await;
    let (position, receipt) = settled(&log, 1).await;
    assert_eq!((position, receipt), (Position(2), None));
    assert_eq!(log.receipt_at(&portal(1), position).await.expect("read"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_whose_commit_was_not_heard_of_has_its_receipt() {
    let mut place = Place::postgres("unheard_receipt").proven();
    place.intent_deadline = Duration::from_secs(15);
    let proxy = Proxy::to(place.server()).await;
    let log = place.open_through(&proxy).await;
    let intent = log.intent(read_of(1)).await.expect("durable");
    let mut intruder = place.intruder().await;
    proxy.set(Mode::HoldAnswers);
    let waiting = tokio::spawn(intent.settle_for_receipt(Outcome::ok()));
    eventually("it is committed", async || {
        intruder.count("SELECT count(*) FROM audit_entry").await == 2
    })
    .await;
    proxy.set(Mode::Pass);
    proxy.cut();
    let settled = waiting.await.expect("no panic").expect("it is on record");
    works_again(&log).await;
    let receipt = log.receipt(&settled).await.expect("its index is found");
    covered(&log, ONE, 2).await;
    assert_kept(&log, &(settled.position(), receipt), 2).await;
}
