//! The HubSpot that tests find.

use hubspot_sim::{AppSpec, InstallSpec, PortalSpec, TokenSpec, World};

use crate::harness::*;

/// The portals and the app.
pub(crate) fn world() -> World {
    let portal = |slug: &str, id: u64, tokens: &[&str]| {
        // Those who may connect it themselves.
        let spec = PortalSpec::new(slug, id)
            .user(42, "ann@agency.example")
            .user(43, "bob@agency.example");
        tokens
            .iter()
            .fold(spec, |spec, token| spec.token(TokenSpec::private_app(*token)))
    };
    let install = |token: &str| InstallSpec::new(APP, token);
    let acme = portal("acme", ACME, &[ACME_TOKEN, ACME_SECOND_TOKEN])
        .install(install(ACME_CONSENT))
        .install(install(ACME_SECOND_CONSENT));
    World::empty()
        .app(AppSpec::new(APP, APP_SECRET, 77))
        .with(acme)
        .with(portal("globex", GLOBEX, &[GLOBEX_TOKEN]).install(install(GLOBEX_CONSENT)))
        .with(PortalSpec::new("umbra", 1_003).token(TokenSpec::private_app(REVOKED_TOKEN).revoked()))
}
