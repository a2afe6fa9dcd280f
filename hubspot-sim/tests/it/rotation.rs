//! Tokens are rotated as in HubSpot's pages.

use std::time::Duration;

use hubspot_sim::{Expire, Simulator, TokenSpec, World, WorldError};

use crate::caller::Caller;

const OLD: &str = "pat-na1-old";
const NEW: &str = "pat-na1-new";
const PORTAL: u64 = 1_001;
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn start() -> Simulator {
    let token = TokenSpec::service_key(OLD).app(7).scopes(["oauth", "tickets"]);
    let portal = hubspot_sim::PortalSpec::new("acme", PORTAL).token(token);
    Simulator::start(World::empty().with(portal)).expect("the simulator starts")
}

async fn accepts(hubspot: &Simulator, token: &str) -> bool {
    let answer = Caller::of(hubspot, token)
        .get("/account-info/2026-09/details")
        .await;
    answer.status == 200
}

#[tokio::test]
async fn expire_later_keeps_the_old_token_alive_for_7_days() {
    let hubspot = start();
    hubspot.rotate_token(OLD, NEW, Expire::Later).unwrap();
    assert!(accepts(&hubspot, OLD).await && accepts(&hubspot, NEW).await);
    hubspot.advance_time(7 * DAY - Duration::from_secs(60));
    assert!(accepts(&hubspot, OLD).await);
    hubspot.advance_time(Duration::from_secs(61));
    assert!(!accepts(&hubspot, OLD).await && accepts(&hubspot, NEW).await);
    assert_eq!(hubspot.cancel_rotation(OLD), Err(WorldError::NotRotating));
}

#[tokio::test]
async fn the_new_token_has_the_app_and_the_rights_of_the_old_one() {
    let hubspot = start();
    hubspot.rotate_token(OLD, NEW, Expire::Later).unwrap();
    let tokens = &hubspot.portals()[0].tokens;
    assert_eq!(tokens.len(), 2);
    assert!(
        tokens
            .iter()
            .all(|token| token.app_id == 7 && token.scopes == ["oauth", "tickets"])
    );
}

#[tokio::test]
async fn expire_now_ends_the_old_token_at_once() {
    let hubspot = start();
    hubspot.rotate_token(OLD, NEW, Expire::Now).unwrap();
    assert!(!accepts(&hubspot, OLD).await && accepts(&hubspot, NEW).await);
    hubspot
        .rotate_token(NEW, "pat-na1-newest", Expire::Later)
        .unwrap();
    assert!(accepts(&hubspot, NEW).await);
    hubspot.expire_old_token(NEW).unwrap();
    assert!(!accepts(&hubspot, NEW).await && accepts(&hubspot, "pat-na1-newest").await);
    assert_eq!(hubspot.expire_old_token(NEW), Err(WorldError::NotRotating));
}

#[tokio::test]
async fn cancelling_revokes_the_new_token_and_keeps_the_old_one() {
    let hubspot = start();
    hubspot.rotate_token(OLD, NEW, Expire::Later).unwrap();
    hubspot.cancel_rotation(OLD).unwrap();
    assert!(accepts(&hubspot, OLD).await && !accepts(&hubspot, NEW).await);
    hubspot.advance_time(8 * DAY);
    assert!(accepts(&hubspot, OLD).await);
    assert_eq!(hubspot.cancel_rotation("pat-none"), Err(WorldError::NoSuchToken));
}
