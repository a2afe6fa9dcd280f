//! The audit log by itself: intents and outcomes, each durable before its producer goes on.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use hubkeep_audit_log::{AuditLog, Config, Draft, Identity, Operation, Outcome, ProvenPortal};
use hubkeep_core::{
    clock::SharedClock,
    id::{CallId, CallerName, HandleId, PortalId, PurposeCode},
    random::SharedRandom,
    secret::TokenFingerprint,
};

use super::{Measured, Place};
use crate::{
    Failure,
    figures::{ENTRIES_POSTGRES, ENTRIES_SQLITE},
    load::{Load, Work},
    stage::CALLER,
};

/// As many as there are portals: each writes to one.
pub(super) const PRODUCERS: usize = 64;
const LENGTH: Duration = Duration::from_secs(4);
/// An intent and its outcome.
const ENTRIES_A_TURN: f64 = 2.0;

pub(super) async fn measure(place: &Place) -> Measured {
    let folder = place.temporary()?;
    let on_sqlite = Config::sqlite(&folder.path().join("audit.db"));
    let mut measured = vec![(ENTRIES_SQLITE, entries_per_second(place, &on_sqlite).await?)];
    if hubkeep_test_postgres::is_installed() {
        let on_postgres = on_postgres(place, folder.path())?;
        measured.push((ENTRIES_POSTGRES, entries_per_second(place, &on_postgres).await?));
    }
    Ok(measured)
}

/// The configuration of a log in a new database, whose key lies in this folder.
pub(super) fn on_postgres(place: &Place, folder: &Path) -> Result<Config, Failure> {
    let fresh = hubkeep_test_postgres::fresh("bench_entries");
    let mut config = Config::postgres(fresh.url, Some(fresh.password_file));
    let (key, mut seed) = (folder.join("log-key"), [0; 32]);
    place.random.fill(&mut seed)?;
    fs::write(&key, seed)?;
    fs::set_permissions(&key, Permissions::from_mode(0o400))?;
    config.proofs.key_file = Some(key);
    Ok(config)
}

/// How many entries a second are durable in a log of this configuration.
pub(super) async fn entries_per_second(place: &Place, config: &Config) -> Result<f64, Failure> {
    let log = open(place, config).await?;
    let (per_second, _) = Recording::to(log.clone(), place)?.at_full_speed(place).await?;
    log.stop().await;
    Ok(per_second)
}

/// The log of a crm-service.
pub(super) async fn open(place: &Place, config: &Config) -> Result<AuditLog, Failure> {
    let identity = Identity {
        deployment: "dev".to_owned(),
        service: "crm-service",
        instance: "here".to_owned(),
    };
    let opened = AuditLog::open(config, identity, place.clock.clone(), place.random.clone()).await;
    Ok(opened?)
}

/// What the entries of a real call say.
pub(super) struct Recording {
    log: AuditLog,
    portals: Vec<ProvenPortal>,
    caller: CallerName,
    handle: HandleId,
    purpose: PurposeCode,
    token: TokenFingerprint,
    clock: SharedClock,
    random: SharedRandom,
}

impl Recording {
    pub(super) fn to(log: AuditLog, place: &Place) -> Result<Self, Failure> {
        Ok(Self {
            log,
            portals: (1..=PRODUCERS).map(portal).collect::<Result<_, _>>()?,
            caller: CALLER.parse()?,
            handle: HandleId::make(&*place.clock, &*place.random)?,
            purpose: "bench".parse()?,
            token: TokenFingerprint::from_stored("0123456789abcdef".to_owned()),
            clock: place.clock.clone(),
            random: place.random.clone(),
        })
    }

    /// All producers together: entries a second.
    pub(super) async fn at_full_speed(self, place: &Place) -> Result<(f64, Arc<Self>), Failure> {
        let recording = Arc::new(self);
        let load = Load::run(&place.clock, PRODUCERS, LENGTH, &recording).await?;
        Ok((load.per_second() * ENTRIES_A_TURN, recording))
    }

    /// An intent and its outcome.
    pub(super) async fn record(&self, producer: usize) -> Result<(), Failure> {
        let intent = self.log.intent(self.draft(producer)?).await?;
        let outcome = Outcome {
            status_code: 200,
            record_count: 1,
            response_bytes: 512,
            ..Outcome::ok()
        };
        intent.settle(outcome).await?;
        Ok(())
    }

    fn draft(&self, producer: usize) -> Result<Draft, Failure> {
        let portal = self.portals.get(producer).ok_or("fewer portals than producers")?;
        let call_id = CallId::make(&*self.clock, &*self.random)?;
        Ok(Draft::portal(portal, Operation::ObjectGet, call_id)
            .caller(&self.caller)
            .handle(self.handle)
            .purpose(&self.purpose)
            .credential_version(1)
            .token(&self.token)
            .object("contacts", Some("0123456789abcdef0123456789abcdef"))
            .http("GET", "/crm/objects/2026-09/{type}/{id}", 0)
            .attempt(1))
    }
}

fn portal(number: usize) -> Result<ProvenPortal, Failure> {
    let portal_id = PortalId::new(u64::try_from(number)?).ok_or("portals count from 1")?;
    let slug = format!("client-{number:04}").parse()?;
    Ok(ProvenPortal::by_vault_row(portal_id, slug))
}

impl Work for Recording {
    async fn once(&self, caller: usize, _turn: u64) -> Result<(), Failure> {
        self.record(caller).await
    }
}
