//! What lies sealed beside entries: written with them, bound to them, kept for a time, and gone without a trace in proofs.

use std::{path::Path, sync::Arc, time::Duration};

use aws_lc_rs::digest;
use hubkeep_audit_log::{
    AuditLog, Draft, Entry, Error, Event, Outcome, Payload, Position,
    payloads::{Gone, OpenedPayload},
};
use hubkeep_core::{
    clock::{Clock as _, MockClock, SharedClock, SystemClock},
    database::{self, Database},
    id::PortalId,
    random::SystemRandom,
};
use hubkeep_proto::audit::v1::SealedPayload;
use hubkeep_seal::{FileKek, Keks, Keyring, MIGRATIONS, Owner};
use prost::Message as _;
use tempfile::TempDir;

use crate::{
    anchors::mock,
    place::Intruder,
    support::{Place, entry, eventually, everything, on_both_databases, portal, read_of},
};

const EMAIL: &str = "ann@acme.test";
const ONE: &str = "test/crm-service/1";

on_both_databases! {
    an_entry_commits_to_the_sealed_bytes_that_were_stored_with_it,
    what_was_changed_beside_an_entry_or_put_there_from_elsewhere_does_not_open,
    an_intent_whose_payload_cannot_be_sealed_is_not_written,
    without_keys_nothing_is_sealed_and_entries_commit_to_nothing,
    what_is_past_its_time_is_removed_and_proofs_stay,
    what_is_past_its_time_is_not_opened_even_before_it_is_removed,
    of_an_erased_portal_nothing_is_left_and_its_proofs_stay,
}

/// A keyring of the test's own, in a folder that must live as long.
pub(crate) async fn keyring(folder: &Path) -> (Keyring, Database) {
    let config = database::Config::sqlite(&folder.join("keys.db"));
    let database = Database::open(&config, &[&MIGRATIONS]).await.expect("opens");
    let random = SystemRandom::shared();
    let kek = FileKek::create(&folder.join("kek"), &*random).expect("made");
    let keyring = Keyring::new(
        database.clone(),
        Keks::single(Arc::new(kek)),
        Duration::from_secs(60),
        SystemClock::shared(),
        random,
    );
    (keyring, database)
}

/// A log that seals.
pub(crate) struct Sealing {
    pub(crate) log: AuditLog,
    keyring: Keyring,
    keys: Database,
    pub(crate) place: Place,
    _folder: TempDir,
}

impl Sealing {
    async fn open(place: Place) -> Self {
        Self::open_at(place, SystemClock::shared()).await
    }

    pub(crate) async fn open_at(place: Place, clock: SharedClock) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (keyring, keys) = keyring(folder.path()).await;
        let log = place.open_at(clock).await;
        log.seal_payloads_with(keyring.clone());
        Self {
            log,
            keyring,
            keys,
            place,
            _folder: folder,
        }
    }

    pub(crate) async fn calls(&self, portal: u64, calls: usize) -> Vec<Event> {
        let before = self.log.end().await.expect("reads");
        for _ in 0..calls {
            let intent = self.log.intent(writes(portal)).await.expect("durable");
            intent.settle(Outcome::ok()).await.expect("durable");
        }
        let mut new = everything(&self.log).await;
        new.retain(|event| event.position > before.get() && is_intent(event));
        new
    }

    pub(crate) async fn opened(&self, event: &Event) -> Result<OpenedPayload, Error> {
        let found = self.log.open_payload(Position(event.position)).await?;
        Ok(found.expect("an entry").payload)
    }

    pub(crate) async fn gone(&self, event: &Event) -> Gone {
        match self.opened(event).await.expect("reads") {
            OpenedPayload::Gone(gone) => gone,
            other => panic!("not gone: {other:?}"),
        }
    }
}

fn is_intent(event: &Event) -> bool {
    !entry(event).payload_sha256.is_empty()
}

pub(crate) fn personal() -> Payload {
    let mut payload = Payload::default();
    payload.end_user("user-17");
    payload.record("contacts", "4711", None);
    payload.value("email", EMAIL);
    payload
}

pub(crate) fn writes(portal: u64) -> Draft {
    read_of(portal)
        .payload(personal())
        .exact_path("/crm/objects/2026-09/contacts/4711")
}

pub(crate) fn content(opened: OpenedPayload) -> SealedPayload {
    match opened {
        OpenedPayload::Opened(payload) => *payload,
        other => panic!("not opened: {other:?}"),
    }
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

async fn an_entry_commits_to_the_sealed_bytes_that_were_stored_with_it(place: Place) {
    let sealing = Sealing::open(place).await;
    let intents = sealing.calls(1, 3).await;
    assert_eq!(intents.len(), 3);
    let stored = sealing.place.intruder().await.payloads().await;
    assert_eq!(stored.len(), 3, "outcomes have none");
    for (intent, (position, sealed)) in intents.iter().zip(&stored) {
        assert_eq!(intent.position, *position);
        assert_eq!(entry(intent).payload_sha256, sha256(sealed));
        assert!(!contains(sealed, EMAIL) && !contains(sealed, "4711"));
        let payload = content(sealing.opened(intent).await.expect("opens"));
        assert_eq!(payload.end_user, "user-17");
        assert_eq!(payload.path, "/crm/objects/2026-09/contacts/4711");
        assert_eq!(payload.records[0].object_id, "4711");
        assert_eq!(payload.records[0].values[0].value, EMAIL);
    }
    let all = everything(&sealing.log).await;
    assert!(
        all.iter()
            .all(|event| !contains(&entry(event).encode_to_vec(), EMAIL))
    );
    let outcome = all.iter().find(|event| !is_intent(event)).expect("one");
    assert!(matches!(
        sealing.opened(outcome).await.expect("reads"),
        OpenedPayload::None
    ));
    let beyond = sealing.log.open_payload(Position(1_000)).await;
    assert!(beyond.expect("reads").is_none());
}

async fn what_was_changed_beside_an_entry_or_put_there_from_elsewhere_does_not_open(place: Place) {
    let sealing = Sealing::open(place).await;
    let mine = sealing.calls(1, 2).await;
    let foreign = sealing.calls(2, 1).await;
    let mut intruder = sealing.place.intruder().await;
    let stored = intruder.payloads().await;
    let sealed = |event: &Event| {
        let found = stored.iter().find(|(position, _)| *position == event.position);
        found.expect("stored").1.clone()
    };
    let altered = async |event: &Event| {
        let refused = sealing.opened(event).await.expect_err("altered");
        assert!(
            matches!(refused, Error::PayloadAltered { position } if position.get() == event.position),
            "{refused:?}"
        );
    };

    let mut flipped = sealed(&mine[0]);
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    intruder.set_payload(mine[0].position, &flipped).await;
    altered(&mine[0]).await;

    // What another entry commits to is not what this one does; and where somebody changes the entry too, it still does not open
    // there: neither another portal's, nor another entry's of the same portal.
    for other in [&foreign[0], &mine[1]] {
        let swapped = sealed(other);
        intruder.set_payload(mine[0].position, &swapped).await;
        altered(&mine[0]).await;
        let forged = Entry {
            payload_sha256: sha256(&swapped),
            ..entry(&mine[0]).clone()
        };
        intruder.set_leaf(mine[0].position, &forged.encode_to_vec()).await;
        altered(&mine[0]).await;
        intruder
            .set_leaf(mine[0].position, &entry(&mine[0]).encode_to_vec())
            .await;
    }
    intruder.set_payload(mine[0].position, &sealed(&mine[0])).await;
    content(sealing.opened(&mine[0]).await.expect("as it was"));

    intruder.change("DELETE FROM audit_payload").await;
    altered(&mine[0]).await;
}

async fn an_intent_whose_payload_cannot_be_sealed_is_not_written(place: Place) {
    let sealing = Sealing::open(place).await;
    let mut transaction = sealing.keys.begin().await.expect("begins");
    let owner = Owner::Portal(portal(1).portal_id());
    let destroyed = sealing.keyring.destroy(&mut transaction, owner).await;
    destroyed.expect("destroyed");
    transaction.commit().await.expect("commits");
    let refused = sealing.log.intent(writes(1)).await.expect_err("no key");
    assert!(matches!(refused, Error::Seal(_)), "{refused:?}");
    assert!(everything(&sealing.log).await.is_empty());
    sealing.calls(2, 1).await;
}

async fn without_keys_nothing_is_sealed_and_entries_commit_to_nothing(place: Place) {
    let log = place.open().await;
    assert!(!log.seals_payloads());
    let intent = log.intent(writes(1)).await.expect("durable");
    intent.settle(Outcome::ok()).await.expect("durable");
    let all = everything(&log).await;
    assert!(all.iter().all(|event| entry(event).payload_sha256.is_empty()));
    assert!(place.intruder().await.payloads().await.is_empty());
}

/// The hash under which the entry is proven to be in its log.
async fn proven(log: &AuditLog, clock: &MockClock, event: &Event) -> [u8; 32] {
    let which = || hubkeep_audit_log::proofs::Which::Position(Position(event.position));
    eventually("it is proven", async || {
        clock.advance(Duration::from_millis(5));
        log.inclusion(&event.log, which(), None).await.is_ok()
    })
    .await;
    let proof = log.inclusion(&event.log, which(), None).await.expect("proven");
    proof.leaf_hash
}

async fn what_is_past_its_time_is_removed_and_proofs_stay(place: Place) {
    let (clock, shared) = mock();
    let sealing = Sealing::open_at(place.proven(), shared).await;
    // More than are removed at once.
    let old = sealing.calls(1, 600).await;
    let proof = proven(&sealing.log, &clock, &old[0]).await;
    clock.advance(Duration::from_secs(24 * 60 * 60));
    let young = sealing.calls(1, 1).await;
    let thirteen_months = Duration::from_secs(13 * 2_630_016);
    clock.advance(thirteen_months - Duration::from_secs(12 * 60 * 60));
    let swept = clock.now();
    eventually("the old ones are removed", async || {
        clock.advance(Duration::from_millis(5));
        sealing.place.intruder().await.payloads().await.len() == 1
    })
    .await;
    let Gone::Expired(when) = sealing.gone(&old[0]).await else {
        panic!("expired");
    };
    assert!(when >= swept && when <= clock.now(), "{when:?}");
    content(sealing.opened(&young[0]).await.expect("opens"));
    assert_eq!(proven(&sealing.log, &clock, &old[0]).await, proof);
}

async fn what_is_past_its_time_is_not_opened_even_before_it_is_removed(mut place: Place) {
    place.payloads.sweep_every = Duration::from_secs(24 * 60 * 60);
    place.payloads.keep = Duration::from_secs(24 * 60 * 60);
    let (clock, shared) = mock();
    let sealing = Sealing::open_at(place, shared).await;
    let calls = sealing.calls(1, 1).await;
    let made = clock.now();
    content(sealing.opened(&calls[0]).await.expect("opens"));
    clock.advance(Duration::from_secs(24 * 60 * 60));
    let gone = sealing.gone(&calls[0]).await;
    assert!(matches!(gone, Gone::Expired(when) if when >= made), "{gone:?}");
}

async fn of_an_erased_portal_nothing_is_left_and_its_proofs_stay(place: Place) {
    let (clock, shared) = mock();
    let sealing = Sealing::open_at(place.proven(), shared).await;
    let erased = sealing.calls(1, 3).await;
    let other = sealing.calls(2, 1).await;
    let proof = proven(&sealing.log, &clock, &erased[0]).await;
    let portal_id = PortalId::new(1).expect("not zero");
    sealing.log.forget_payloads(portal_id).await.expect("erased");
    sealing.log.forget_payloads(portal_id).await.expect("once more");
    let left = sealing.place.intruder().await.payloads().await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].0, other[0].position);
    for event in &erased {
        assert_eq!(event.log, ONE);
        assert!(matches!(sealing.gone(event).await, Gone::Erased(_, None)));
    }
    assert_eq!(proven(&sealing.log, &clock, &erased[0]).await, proof);
}

impl Intruder {
    /// What lies sealed beside which entries.
    pub(crate) async fn payloads(&mut self) -> Vec<(u64, Vec<u8>)> {
        const ALL: &str = "SELECT position, sealed FROM audit_payload ORDER BY position";
        let rows: Vec<(i64, Vec<u8>)> = match self {
            Self::Sqlite(connection) => {
                let mut all = connection.prepare(ALL).expect("prepares");
                let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
                rows.expect("reads").collect::<Result<_, _>>().expect("rows")
            }
            Self::Postgres(connection) => sqlx::query_as(ALL).fetch_all(connection).await.expect("rows"),
        };
        let rows = rows.into_iter();
        rows.map(|(position, sealed)| (u64::try_from(position).expect("positive"), sealed))
            .collect()
    }

    async fn set_payload(&mut self, position: u64, sealed: &[u8]) {
        const SET: &str = "UPDATE audit_payload SET sealed = $2 WHERE position = $1";
        self.set(SET, position, sealed).await;
    }

    async fn set_leaf(&mut self, position: u64, leaf: &[u8]) {
        const SET: &str = "UPDATE audit_entry SET leaf = $2 WHERE position = $1";
        self.set(SET, position, leaf).await;
    }

    async fn set(&mut self, statement: &'static str, position: u64, bytes: &[u8]) {
        let position = i64::try_from(position).expect("small");
        match self {
            Self::Sqlite(connection) => {
                // What stands after a dollar sign is a name there, and not a place.
                let statement = statement.replace('$', "?");
                let set = connection.execute(&statement, rusqlite::params![position, bytes]);
                assert_eq!(set.expect("set"), 1);
            }
            Self::Postgres(connection) => {
                let set = sqlx::query(statement).bind(position).bind(bytes);
                let set = set.execute(connection).await.expect("set");
                assert_eq!(set.rows_affected(), 1);
            }
        }
    }
}
