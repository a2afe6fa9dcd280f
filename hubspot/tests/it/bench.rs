//! A client of the server, with a log of its own.

use std::{sync::Arc, time::Duration};

use hubkeep_audit_log::{AuditLog, Config as LogConfig, Draft, Entry, Filter, Identity, Operation, Position};
use hubkeep_core::{
    clock::{MockClock, SharedClock, SystemClock, Timestamp},
    id::CallId,
    random::SystemRandom,
    secret::PortalToken,
};
use hubkeep_hubspot::{
    Answer, Ask, Client, Config, Error, Lease, RecordRefs, Request,
    objects::{self, Key, Object},
};
use tempfile::TempDir;

use crate::double::{Double, Script};

/// How long an attempt may take, by the clock that tests move.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(100);
/// The largest answer that is read.
pub(crate) const MAX_ANSWER: usize = 256 * 1024;
pub(crate) const TOKEN: &str = "pat-na1-11111111-2222-3333-4444-555555555555";

pub(crate) struct Bench {
    pub(crate) double: Double,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) client: Client,
    log: AuditLog,
    token: PortalToken,
    _folder: TempDir,
}

impl Bench {
    /// A client of a server that does this.
    pub(crate) async fn of(script: Script) -> Self {
        Self::with(script, |_| ()).await
    }

    pub(crate) async fn with(script: Script, set: impl FnOnce(&mut Config)) -> Self {
        let double = Double::start(script).await;
        let folder = TempDir::new().expect("a folder");
        let identity = Identity {
            deployment: "test".to_owned(),
            service: "crm-service",
            instance: "here".to_owned(),
        };
        // The log keeps the machine's time: its own deadlines are none of what is shown here.
        let log = AuditLog::open(
            &LogConfig::sqlite(&folder.path().join("audit.db")),
            identity,
            SystemClock::shared(),
            SystemRandom::shared(),
        )
        .await
        .expect("a log");
        let clock = MockClock::at(Timestamp::from_micros(1_795_000_000_000_000));
        let mut config = Config {
            api_base: double.url(),
            attempt_timeout: ATTEMPT,
            max_answer_bytes: MAX_ANSWER,
            ..Config::default()
        };
        set(&mut config);
        let shared: SharedClock = clock.clone();
        let client = Client::new(&config, log.clone(), shared).expect("a client");
        Self {
            double,
            clock,
            client,
            log,
            token: PortalToken::new(TOKEN.to_owned()),
            _folder: folder,
        }
    }

    pub(crate) async fn call<T>(&self, ask: Ask<T>) -> Result<Answer<T>, Error> {
        let call_id = CallId::make(&*SystemClock::shared(), &*SystemRandom::shared()).expect("random");
        let clock: SharedClock = self.clock.clone();
        self.client
            .call(Request {
                ask,
                token: &self.token,
                draft: Draft::system(Operation::ObjectGet, call_id),
                deadline: clock.tick().plus(Duration::from_secs(3_600)),
                lease: Lease::default(),
                refs: RecordRefs::default(),
            })
            .await
    }

    /// How the last attempt is on record.
    pub(crate) async fn outcome(&self) -> Entry {
        let events = self.log.list(&Filter::all(), Position::START, 1_000).await;
        let mut events = events.expect("the log reads");
        events.pop().and_then(|event| event.entry).expect("an outcome")
    }
}

/// A read of a contact.
pub(crate) fn a_read() -> Ask<Object> {
    objects::get(hubkeep_hubspot::ApiVersion::V2026_09, &contact(), &[], false)
}

/// A write of a contact.
pub(crate) fn a_write() -> Ask<Object> {
    let none = std::collections::BTreeMap::new();
    objects::update(hubkeep_hubspot::ApiVersion::V2026_09, &contact(), &none)
}

/// That a contact be archived.
pub(crate) fn an_archiving() -> Ask<()> {
    objects::archive(hubkeep_hubspot::ApiVersion::V2026_09, &contact())
}

fn contact() -> Key<'static> {
    Key {
        object_type: "contacts",
        id: "12345",
        id_property: None,
    }
}

/// What a caller may be told of an error, and what the log is.
pub(crate) fn all_that_is_said<T: std::fmt::Debug>(result: &Result<T, Error>) -> String {
    let Err(error) = result else {
        panic!("an error, not {result:?}");
    };
    let public = hubkeep_core::error::ServiceError::public_message(error);
    format!("{error} {error:?} {public}")
}

/// Whether nothing that can be trusted came back: a read has no answer, a write is not known.
pub(crate) fn is_lost<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::NoAnswer { .. } | Error::OutcomeUnknown { .. }))
}
