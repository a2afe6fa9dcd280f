//! What stands in the log of a process, or of replicas.

use hubkeep_audit_log::{AuditLog, Config, Event, Filter, Identity, Position};
use hubkeep_core::{clock::SystemClock, random::SystemRandom};
use hubkeep_tests::{
    Hubkeep,
    support::{audit::events_on_disk, keeping::Keeping},
};

const PAGE: usize = 1_000;

/// Everything.
pub async fn events(hubkeep: &Hubkeep, keeping: &Keeping) -> Vec<Event> {
    match keeping {
        Keeping::Files => events_on_disk(&hubkeep.folder().join("crm-service-audit.db")),
        Keeping::Postgres { audit, .. } => {
            on_postgres(&Config::postgres(
                audit.url.clone(),
                Some(audit.password_file.clone()),
            ))
            .await
        }
    }
}

async fn on_postgres(config: &Config) -> Vec<Event> {
    let identity = Identity {
        deployment: "test".to_owned(),
        service: "crm-service",
        instance: "here".to_owned(),
    };
    let log = AuditLog::open(config, identity, SystemClock::shared(), SystemRandom::shared());
    let log = log.await.expect("opens");
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events
            .last()
            .map_or(Position(0), |event| Position(event.position));
        let page = log.list(&Filter::all(), after, PAGE).await.expect("read");
        let is_last = page.len() < PAGE;
        events.extend(page);
        if is_last {
            log.stop().await;
            return events;
        }
    }
}
