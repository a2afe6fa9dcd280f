//! What heads named is shown to whoever holds one of their checkpoints, however old it is.

use hubkeep_audit_log::{
    AuditLog, Error,
    proofs::{self, Line, Named},
};
use tlog_tiles::{Hash, check_record, record_hash};

use crate::{
    proofs::{read_note, record},
    support::{Place, eventually, on_both_databases},
};

const ONE: &str = "test/crm-service/1";
const TWO: &str = "test/crm-service/2";
const THREE: &str = "test/crm-service/3";

on_both_databases! {
    how_a_log_stood_in_heads_of_any_size_is_proven,
    that_heads_did_not_name_a_log_is_proven_by_its_neighbours,
    what_heads_named_is_not_made_up_where_it_was_changed,
}

/// Waits until the newest heads say that a log has so many entries; gives the size of these heads.
async fn named_with(log: &AuditLog, name: &str, size: u64) -> u64 {
    let line = format!("{name}\n{size}\n");
    eventually("the heads name it", async || {
        let head = log.head(name).await.expect("reads");
        head.is_some_and(|head| head.line.starts_with(line.as_bytes()))
    })
    .await;
    let head = log.head(name).await.expect("reads").expect("named");
    head.leaf_index + 1
}

/// The names in the lines, once it is proven that these are lines of the last leaf of heads of this size.
async fn proven(log: &AuditLog, named: Named, heads_size: u64) -> Vec<String> {
    let keys = log.verifier_keys().await.expect("keys");
    let (_, size, root, _) = read_note(&named.checkpoint.note, &keys);
    assert_eq!(size, heads_size);
    let proof = named.leaf_proof.into_iter().map(Hash).collect();
    check_record(&proof, size, root, size - 1, record_hash(&named.leaf)).expect("its last leaf");
    let leaf = String::from_utf8(named.leaf).expect("text");
    let leaf: Vec<&str> = leaf.split('\n').collect();
    let (count, over_lines) = (leaf[1].parse().expect("a number"), Hash::parse_hash(leaf[2]));
    let over_lines = over_lines.expect("a root");
    let name = |line: Line| {
        let proof = line.proof.into_iter().map(Hash).collect();
        check_record(&proof, count, over_lines, line.index, record_hash(&line.text)).expect("a line");
        let text = String::from_utf8(line.text).expect("text");
        text.lines().take(2).collect::<Vec<_>>().join(" ")
    };
    named.lines.into_iter().map(name).collect()
}

async fn how_a_log_stood_in_heads_of_any_size_is_proven(place: Place) {
    let place = place.proven();
    let log = place.open().await;
    let mut held = Vec::new();
    for calls in 1..=5 {
        record(&log, 1, 1).await;
        record(&log, 3, 1).await;
        let heads = named_with(&log, ONE, calls * 2).await;
        held.push((heads, calls * 2));
    }
    for (heads, size) in held {
        let named = log.named(ONE, heads).await.expect("kept");
        assert!(named.is_named);
        assert_eq!(proven(&log, named, heads).await, [format!("{ONE} {size}")]);
    }
}

async fn that_heads_did_not_name_a_log_is_proven_by_its_neighbours(place: Place) {
    let place = place.proven();
    let log = place.open().await;
    for portal in [1, 3] {
        record(&log, portal, 1).await;
        named_with(&log, &format!("test/crm-service/{portal}"), 2).await;
    }
    let heads = named_with(&log, THREE, 2).await;
    record(&log, 2, 1).await;
    named_with(&log, TWO, 2).await;
    for (name, beside) in [
        (TWO, vec![format!("{ONE} 2"), format!("{THREE} 2")]),
        ("test/crm-service/0", vec![format!("{ONE} 2")]),
        ("test/crm-service/4", vec![format!("{THREE} 2")]),
    ] {
        let named = log.named(name, heads).await.expect("kept");
        assert!(!named.is_named);
        assert_eq!(proven(&log, named, heads).await, beside, "{name}");
    }
}

async fn what_heads_named_is_not_made_up_where_it_was_changed(place: Place) {
    let place = place.proven();
    let log = place.open().await;
    record(&log, 1, 1).await;
    let heads = named_with(&log, ONE, 2).await;
    let mut intruder = place.intruder().await;
    intruder.change("UPDATE audit_heads_line SET size = 3").await;
    for size in [heads, heads + 10_000] {
        let unknown = log.named(ONE, size).await;
        assert!(
            matches!(unknown, Err(Error::Proofs(proofs::Error::Unknown { .. }))),
            "{unknown:?}"
        );
    }
}
