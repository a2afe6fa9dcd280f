//! A client that connected our OAuth app is called like any other, for as long as the consent stands.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc, time::Duration};

use hubkeep_core::clock::{MockClock, SystemClock};
use hubkeep_hubspot::AppConfig;
use hubkeep_proto::credential::v1::{CredentialKind, OnboardPortalRequest};
use hubkeep_tests::{Crm, Hubkeep, Refused, World, eventually};
use hubspot_sim::{AppSpec, InstallSpec};
use tempfile::TempDir;

pub(crate) const A: &str = "client-0001";
const APP: &str = "00000000-0000-4000-8000-0000000000aa";
const SECRET: &str = "app-secret-0000";
const CONSENT: &str = "na1-consent-0000-0001";
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// A Hubkeep with an app, and a portal that has connected it.
pub(crate) struct Connected {
    pub(crate) hubkeep: Hubkeep,
    clock: Arc<MockClock>,
    _given: TempDir,
}

impl Connected {
    pub(crate) async fn start(postgres: bool) -> Self {
        let given = tempfile::tempdir().expect("a folder");
        let app = app(given.path());
        let mut world = World::of_portals(2).app(AppSpec::new(APP, SECRET, 77));
        let portal = world.portal_mut(A).expect("it is there");
        portal.installs.push(InstallSpec::new(APP, CONSENT));
        let clock = MockClock::at(SystemClock::shared().now());
        let setup = Hubkeep::over(world)
            .clock(clock.clone())
            .credential(move |config| config.hubspot.app = Some(app));
        let setup = if postgres { setup.postgres() } else { setup };
        let this = Self {
            hubkeep: setup.start().await,
            clock,
            _given: given,
        };
        let request = OnboardPortalRequest {
            client_slug: A.to_owned(),
            portal_token: CONSENT.to_owned(),
            expected_portal_id: this.hubkeep.portal_id(A),
            credential_kind: CredentialKind::Oauth.into(),
            ..OnboardPortalRequest::default()
        };
        let request = this.hubkeep.by_operator(request);
        this.hubkeep
            .portals()
            .onboard_portal(request)
            .await
            .expect("onboards");
        this
    }

    /// Lets a little time pass here, again and again: reads that gather wait for it.
    pub(crate) async fn time_goes_on(&self) {
        let mut beats = tokio::time::interval(Duration::from_millis(10));
        loop {
            beats.tick().await;
            self.clock.advance(Duration::from_millis(5));
        }
    }

    pub(crate) fn pass(&self, by: Duration) {
        self.clock.advance(by);
        self.hubkeep.hubspot.advance_time(by);
    }

    /// Reads a record. As time leaps, a replica's share of the limits is over, and there is another within a second.
    pub(crate) async fn reads(&self, caller: &Crm) {
        eventually!(match caller.get("contacts", "101").await {
            Ok(_) => true,
            Err(status) => {
                assert_eq!(Refused::of(&status).reason, "STORAGE_UNAVAILABLE");
                false
            }
        });
    }

    /// The access tokens with which records were read, and what HubSpot answered.
    pub(crate) fn calls(&self) -> Vec<(String, u16)> {
        let journal = self.hubkeep.journal();
        let calls = journal
            .into_iter()
            .filter(|entry| entry.path.starts_with("/crm/"));
        calls
            .map(|entry| {
                (
                    entry.token_fingerprint.expect("a token"),
                    entry.status.expect("answered"),
                )
            })
            .collect()
    }
}

fn app(folder: &Path) -> AppConfig {
    let client_secret_file = folder.join("app-secret");
    fs::write(&client_secret_file, SECRET).expect("written");
    fs::set_permissions(&client_secret_file, fs::Permissions::from_mode(0o400)).expect("set");
    AppConfig {
        client_id: APP.to_owned(),
        client_secret_file,
        ..AppConfig::default()
    }
}

async fn a_call_after_the_token_has_ended_is_served_with_a_new_one(postgres: bool) {
    let connected = Connected::start(postgres).await;
    let hubkeep = &connected.hubkeep;
    connected.pass(20 * MINUTE);
    let handle = hubkeep.handle(A).lifetime(15 * MINUTE).issue().await;
    let caller = hubkeep.crm_as(&handle.caller).with(&handle);
    connected.reads(&caller).await;
    // The handle lives on, and the token that it gave does not.
    connected.pass(11 * MINUTE);
    connected.reads(&caller).await;
    let calls = connected.calls();
    let [(first, 200), (second, 200)] = calls.as_slice() else {
        panic!("two calls, and neither failed, not {calls:?}");
    };
    assert_ne!(first, second, "each with a token that lived");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_after_the_token_has_ended_is_served_with_a_new_one_on_sqlite() {
    a_call_after_the_token_has_ended_is_served_with_a_new_one(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_after_the_token_has_ended_is_served_with_a_new_one_on_postgresql() {
    a_call_after_the_token_has_ended_is_served_with_a_new_one(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_app_was_uninstalled_callers_are_told_that_it_must_be_connected_again() {
    let connected = Connected::start(false).await;
    let hubkeep = &connected.hubkeep;
    hubkeep.hubspot.uninstall_app(CONSENT).expect("installed");
    connected.pass(31 * MINUTE);
    let handle = hubkeep.handle(A).issue().await;
    let caller = hubkeep.crm_as(&handle.caller).with(&handle);
    for _ in 0..3 {
        let refused = Refused::in_place_of(caller.get("contacts", "101").await);
        assert_eq!(refused.reason, "CONSENT_REQUIRED");
    }
    assert_eq!(connected.calls(), [], "nothing was sent");
    let asked = hubkeep.journal();
    let asked = asked.iter().filter(|entry| entry.path == "/oauth/2026-09/token");
    assert_eq!(asked.count(), 2, "at the import, and once after it");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_burst_of_an_app_is_learned_and_no_day_is_asked_for() {
    let connected = Connected::start(false).await;
    let hubkeep = &connected.hubkeep;
    let handle = hubkeep.handle(A).issue().await;
    let caller = hubkeep.crm_as(&handle.caller).with(&handle);
    for _ in 0..101 {
        caller
            .get("contacts", "101")
            .await
            .expect("there is room for 106 in 10 s");
    }
    let asked = hubkeep.journal();
    let of_the_day = asked.iter().filter(|entry| entry.path.contains("api-usage"));
    assert_eq!(of_the_day.count(), 0);
}
