//! What is kept of the calls of days, and put on record of others'.

use hubkeep_audit_log::{AuditLog, Filter, Identity, Operation, Position};
use hubkeep_core::database::Config as DatabaseConfig;
use tempfile::TempDir;

use super::*;

const TEN: Duration = Duration::from_secs(10);
/// 2026-11-22T18:30:00Z: midnight in Kolkata.
const MIDNIGHT: Timestamp = Timestamp::from_micros(AN_HOUR_BEFORE_MIDNIGHT + 3_600_000_000);

/// The database and the log of a deployment, in files.
struct Place {
    folder: TempDir,
    database: Database,
    clock: Arc<MockClock>,
}

impl Place {
    async fn at(time: Timestamp) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = DatabaseConfig {
            url: format!("sqlite://{}", folder.path().join("quota.db").display()),
            ..DatabaseConfig::default()
        };
        let opened = Database::open(&config, &[&crate::MIGRATIONS]).await;
        Self {
            folder,
            database: opened.expect("opened"),
            clock: MockClock::at(time),
        }
    }

    async fn log(&self, name: &str) -> AuditLog {
        let config = hubkeep_audit_log::Config {
            url: format!("sqlite://{}/{name}.db", self.folder.path().display()),
            intent_deadline: Duration::from_secs(20),
            ..hubkeep_audit_log::Config::default()
        };
        let identity = Identity {
            deployment: "test".to_owned(),
            service: "crm-service",
            instance: "here".to_owned(),
        };
        let opened = AuditLog::open(&config, identity, self.clock.clone(), SystemRandom::shared()).await;
        opened.expect("opened")
    }

    /// A process, before its first call.
    async fn process(&self, id: &str) -> Process {
        let config = Config {
            only_app_in: ["*".to_owned()].into(),
            ..Config::default()
        };
        let quota = Quota::new(config, self.clock.clone());
        store::processes::begin(&self.database, id, self.clock.now())
            .await
            .expect("begun");
        let portal = quota.of(&proven(42), "Asia/Kolkata");
        hear(
            &portal,
            &Limits {
                max: Some(5_000),
                ..Limits::default()
            },
        );
        is_known(&portal);
        Process {
            portal,
            notes: Notes {
                quota,
                database: self.database.clone(),
                log: self.log(id).await,
                caller: "crm-service".parse().expect("valid"),
                clock: self.clock.clone(),
                random: SystemRandom::shared(),
                process: id.to_owned(),
                kept: Kept::default(),
            },
            clock: self.clock.clone(),
        }
    }
}

struct Process {
    notes: Notes,
    portal: PortalQuota,
    clock: Arc<MockClock>,
}

impl Process {
    /// So many calls, of which the last hears how many HubSpot has counted today.
    async fn calls(&self, calls: u64, used: Option<u64>) {
        for nth in 1..=calls {
            let slot = pay(&self.portal, Bucket::Burst, self.clock.tick())
                .await
                .expect("room");
            slot.sent(self.clock.tick());
            if let Some(used) = used.filter(|_| nth == calls) {
                slot.learn(&left_today(10_000 - used));
            }
        }
    }

    /// Time passes, in which what was made is kept each ten seconds.
    async fn tallies(&mut self, times: usize) {
        for _ in 0..times {
            self.clock.advance(TEN);
            self.notes.tally().await.expect("kept");
        }
    }

    fn others(&self) -> Option<u64> {
        self.portal.state().daily.others
    }

    /// What is on record of others' calls.
    async fn noted(&self) -> Vec<String> {
        let log = &self.notes.log;
        let events = log.list(&Filter::all(), Position::START, 100).await;
        let events = events.expect("read");
        let entries = events.iter().filter_map(|event| event.entry.as_ref());
        let noted = entries.filter(|entry| entry.operation() == Operation::QuotaUnaccounted);
        noted.map(|entry| entry.subject.clone()).collect()
    }
}

#[tokio::test]
async fn calls_that_were_made_over_midnight_are_ours_in_both_days() {
    let place = Place::at(MIDNIGHT.minus(TEN * 6)).await;
    let mut process = place.process("a").await;
    process.calls(20, Some(20)).await;
    process.tallies(6).await;
    assert_eq!(process.others(), Some(0), "of yesterday all are ours");
    // Whoever works at midnight works then.
    for _ in 0..5 {
        process.calls(100, None).await;
        place.clock.advance(Duration::from_secs(5));
    }
    process.tallies(30).await;
    process.calls(1, Some(501)).await;
    process.tallies(4).await;
    assert_eq!(process.others(), Some(0), "HubSpot counts them today");
    assert_eq!(process.noted().await, [""; 0]);
    // What somebody else has made is seen all the same.
    process.calls(1, Some(502 + 140)).await;
    process.tallies(4).await;
    assert_eq!(process.others(), Some(140));
}

#[tokio::test]
async fn an_answer_that_was_on_its_way_over_midnight_says_nothing_of_today() {
    let place = Place::at(MIDNIGHT.minus(TEN)).await;
    let mut process = place.process("a").await;
    let slow = pay(&process.portal, Bucket::Burst, place.clock.tick())
        .await
        .expect("room");
    slow.sent(place.clock.tick());
    process.tallies(6).await;
    slow.learn(&left_today(10_000 - 900));
    drop(slow);
    process.tallies(4).await;
    assert_eq!(process.others(), None);
}

#[tokio::test]
async fn a_refusal_for_the_day_takes_nothing_from_what_is_known_of_it() {
    let place = Place::at(Timestamp::from_micros(AN_HOUR_BEFORE_MIDNIGHT)).await;
    let mut process = place.process("a").await;
    process.calls(300, None).await;
    process
        .portal
        .refused(&App::default(), Bucket::Daily, Some(Duration::from_secs(5)));
    place.clock.advance(Duration::from_secs(6));
    process.calls(1, Some(301 + 120)).await;
    process.tallies(4).await;
    assert_eq!(process.others(), Some(120), "300 were ours before");
}

#[tokio::test]
async fn what_a_lost_process_has_not_kept_is_taken_for_nobodys_until_the_next_day() {
    let place = Place::at(Timestamp::from_micros(AN_HOUR_BEFORE_MIDNIGHT)).await;
    let lost = place.process("lost").await;
    lost.calls(190, None).await;
    drop(lost);
    let mut next = place.process("next").await;
    next.calls(1, Some(191)).await;
    // In no moment, and not when it is known to be lost.
    for _ in 0..30 {
        next.tallies(1).await;
        assert_eq!(next.others(), None);
    }
    assert_eq!(next.noted().await, [""; 0]);
    place.clock.advance(Duration::from_secs(3_600));
    next.calls(1, Some(1 + 130)).await;
    next.tallies(4).await;
    assert_eq!(next.others(), Some(130), "it has made none of these");
}

#[tokio::test]
async fn who_stops_has_kept_all_calls_and_who_lives_is_waited_for() {
    let place = Place::at(Timestamp::from_micros(AN_HOUR_BEFORE_MIDNIGHT)).await;
    let stops = place.process("stops").await;
    let mut lives = place.process("lives").await;
    let mut ours = place.process("ours").await;
    stops.calls(190, None).await;
    lives.calls(170, None).await;
    let stop = CancellationToken::new();
    stop.cancel();
    stops.notes.run(stop).await;
    ours.calls(1, Some(1 + 190 + 170 + 9)).await;
    for _ in 0..3 {
        ours.tallies(1).await;
        assert_eq!(ours.others(), None, "one has not kept its calls yet");
    }
    for _ in 0..4 {
        lives.notes.tally().await.expect("kept");
        ours.tallies(1).await;
    }
    assert_eq!(ours.others(), Some(9));
    lives.tallies(1).await;
}

#[tokio::test]
async fn what_the_log_does_not_take_is_noted_when_it_does() {
    let place = Place::at(Timestamp::from_micros(AN_HOUR_BEFORE_MIDNIGHT)).await;
    let mut process = place.process("a").await;
    let good = process.notes.log.clone();
    let broken = place.log("broken").await;
    broken.stop().await;
    process.notes.log = broken;
    let now = place.clock.now();
    let seen = Unaccounted {
        calls: 56,
        since: now,
        last_seen: now,
    };
    process.portal.with(|budget| budget.outside.add(seen));
    for _ in 0..3 {
        place.clock.advance(SECOND);
        process.notes.keep_seen().await;
    }
    process.notes.log = good;
    assert_eq!(process.noted().await, [""; 0]);
    for _ in 0..60 {
        place.clock.advance(SECOND);
        process.notes.keep_seen().await;
    }
    let subject = "56 calls that are not of this deployment";
    assert_eq!(
        process.noted().await,
        [subject],
        "once, though nothing more was seen"
    );
    assert_eq!(
        process.portal.state().unaccounted.map(|seen| seen.calls),
        Some(56)
    );
}

#[tokio::test]
async fn what_the_log_does_not_take_of_a_day_is_noted_when_it_does() {
    let place = Place::at(Timestamp::from_micros(AN_HOUR_BEFORE_MIDNIGHT)).await;
    let mut process = place.process("a").await;
    let good = process.notes.log.clone();
    let broken = place.log("broken").await;
    broken.stop().await;
    process.notes.log = broken;
    process.calls(1, Some(1 + 140)).await;
    process.tallies(4).await;
    assert_eq!(process.others(), Some(140));
    process.notes.log = good;
    assert_eq!(process.noted().await, [""; 0]);
    process.tallies(3).await;
    let subject = "40 calls of today that are not of this deployment";
    assert_eq!(process.noted().await, [subject], "nobody has called meanwhile");
}
