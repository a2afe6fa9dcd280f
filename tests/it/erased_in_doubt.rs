//! Erasures that did not say how they ended: who may have been erased stays away until it is known, and no longer.

use std::{sync::Arc, time::Duration};

use hubkeep_core::clock::{MockClock, Timestamp};
use hubkeep_proto::crm::v1::{SettleWriteRequest, WriteState};
use hubkeep_tests::{
    Crm, Fault, FaultRule, Hubkeep, Limits, Refused, Service, World, eventually,
    support::writes::{settle, write_id},
};
use sqlx::SqlitePool;

const A: &str = "client-0001";
const ANN: &str = "contact1@client-0001.example";
const ERASURE: &str = "/crm/objects/2026-09/contacts/gdpr-delete";
/// Longer than any call lasts.
const LONG: Duration = Duration::from_secs(600);

/// A Hubkeep whose time passes when it is told to.
struct Doubt {
    hubkeep: Hubkeep,
    clock: Arc<MockClock>,
}

impl Doubt {
    async fn start() -> Self {
        let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
        let setup = Hubkeep::over(World::of_portals(1).limits(&Limits::unlimited()));
        let setup = setup.crm(|config| config.writes.not_done_after = Duration::ZERO);
        let hubkeep = setup.clock(clock.clone()).start().await;
        hubkeep.onboard_all().await;
        Self { hubkeep, clock }
    }

    async fn crm(&self) -> Crm {
        let handle = self.hubkeep.handle(A).issue().await;
        self.hubkeep.crm_as("sync").with(&handle)
    }

    /// An erasure whose answer is lost. Gives its call.
    async fn lost(&self, after_effect: bool) -> String {
        let rule = FaultRule::new(Fault::CutConnection).path(ERASURE).times(1);
        let rule = if after_effect { rule.after_effect() } else { rule };
        self.hubkeep.hubspot.inject(rule);
        let refused = Refused::in_place_of(self.crm().await.erase("101", "").await);
        assert_eq!(refused.reason, "OUTCOME_UNKNOWN");
        refused.metadata["call_id"].clone()
    }

    async fn settle(&self, call_id: String, state: WriteState) {
        let message = SettleWriteRequest {
            client_slug: A.to_owned(),
            call_id,
            state: state.into(),
            reason: "looked at HubSpot, ticket 17".to_owned(),
            ..SettleWriteRequest::default()
        };
        let settled = settle(self.hubkeep.channel(Service::Crm), message).await;
        settled.expect("settled");
    }

    async fn database(&self) -> SqlitePool {
        let file = self.hubkeep.folder().join("crm-service.db");
        let url = format!("sqlite://{}", file.display());
        SqlitePool::connect(&url).await.expect("opened")
    }

    /// Addresses for erasures of which it is not known whether they happened.
    async fn in_doubt(&self) -> i64 {
        let database = self.database().await;
        let counted = sqlx::query_scalar("SELECT COUNT(*) FROM suppressed_for_erasure");
        counted.fetch_one(&database).await.expect("counted")
    }

    /// Time passes until nothing is in doubt.
    async fn is_known(&self) {
        eventually!({
            self.clock.advance(Duration::from_secs(61));
            self.in_doubt().await == 0
        });
    }

    async fn stays_away(&self) {
        let crm = self.crm().await;
        let refused = Refused::in_place_of(crm.update("contacts", "102", &[("email", ANN)]).await);
        assert_eq!(refused.reason, "CONTACT_ERASED");
    }

    async fn may_be_written(&self) {
        let crm = self.crm().await;
        let written = crm.update("contacts", "101", &[("email", ANN)]).await;
        written.expect("still there, and writable");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_an_operator_says_not_to_have_been_erased_may_be_written_again() {
    let doubt = Doubt::start().await;
    let call = doubt.lost(false).await;
    doubt.clock.advance(LONG);
    doubt.stays_away().await;
    assert_ne!(doubt.in_doubt().await, 0, "its addresses are on the list");
    doubt.settle(call, WriteState::NotDone).await;
    doubt.is_known().await;
    doubt.may_be_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_asked_for_again_and_is_refused_leaves_nothing_of_the_one_before() {
    let doubt = Doubt::start().await;
    let again = write_id(1);
    let lost = FaultRule::new(Fault::CutConnection).path(ERASURE).times(1);
    doubt.hubkeep.hubspot.inject(lost);
    let refused = Refused::in_place_of(doubt.crm().await.under(&again).erase("101", "").await);
    assert_eq!(refused.reason, "OUTCOME_UNKNOWN");
    doubt.clock.advance(LONG);
    doubt
        .settle(refused.metadata["call_id"].clone(), WriteState::NotDone)
        .await;
    let refusal = FaultRule::new(Fault::Status { status: 403 });
    doubt.hubkeep.hubspot.inject(refusal.path(ERASURE).times(1));
    let refused = Refused::in_place_of(doubt.crm().await.under(&again).erase("101", "").await);
    assert_eq!(refused.reason, "SCOPE_MISSING");
    doubt.is_known().await;
    doubt.may_be_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_an_operator_says_to_have_been_erased_stays_away_for_good() {
    let doubt = Doubt::start().await;
    let call = doubt.lost(true).await;
    doubt.clock.advance(LONG);
    doubt.settle(call, WriteState::Done).await;
    doubt.is_known().await;
    doubt.stays_away().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_refused_and_could_not_take_its_addresses_back_does_so_later() {
    let doubt = Doubt::start().await;
    let database = doubt.database().await;
    let stuck = "CREATE TRIGGER stuck BEFORE DELETE ON suppressed_for_erasure BEGIN SELECT RAISE(ABORT, 'stuck'); END";
    let done = sqlx::query(stuck).execute(&database).await;
    done.expect("nothing can be deleted");
    let refusal = FaultRule::new(Fault::Status { status: 403 });
    doubt.hubkeep.hubspot.inject(refusal.path(ERASURE).times(1));
    let refused = Refused::in_place_of(doubt.crm().await.erase("101", "").await);
    assert_eq!(refused.reason, "SCOPE_MISSING");
    doubt.clock.advance(LONG);
    doubt.stays_away().await;
    let done = sqlx::query("DROP TRIGGER stuck").execute(&database).await;
    done.expect("mended");
    doubt.is_known().await;
    doubt.may_be_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_erasure_that_the_log_has_nothing_of_nobody_takes_for_granted_that_it_did_not_happen() {
    let doubt = Doubt::start().await;
    doubt.lost(false).await;
    // As with a log that was put back from before: no entry is of this call, and no row of writes.
    let unheard_of = "01920000-0000-7000-8000-000000000001";
    let database = doubt.database().await;
    let renamed = sqlx::query("UPDATE suppressed_for_erasure SET erasure = $1").bind(unheard_of);
    renamed.execute(&database).await.expect("renamed");
    let addresses = doubt.in_doubt().await;
    // The other comes after it in the sweep, and is settled: this one was looked at.
    let other = doubt.lost(false).await;
    assert!(doubt.in_doubt().await > addresses);
    doubt.clock.advance(LONG);
    doubt.settle(other, WriteState::NotDone).await;
    eventually!({
        doubt.clock.advance(Duration::from_secs(61));
        doubt.in_doubt().await == addresses
    });
    doubt.stays_away().await;
}
