//! The flows of HubSpot's own clients, once by the client and once through Hubkeep, with the same results.

use std::collections::BTreeSet;

use hubkeep_tests::{
    Allow, Hubkeep, JournalEntry, Limits, World,
    support::{handles::EVERYTHING, sources::top},
};
use hubspot_sim::{CustomObjectSpec, Owner};

use crate::place::Place;

const DIRECT: &str = "client-0001";
const THROUGH: &str = "client-0002";
/// How the user agent of the product begins; those of HubSpot's clients begin otherwise.
const OURS: &str = "hubkeep/";

#[tokio::test(flavor = "multi_thread")]
async fn the_flows_of_hubspots_node_client_have_the_same_results_through_hubkeep() {
    let place = Place::copy_of("tests/interop/same-results");
    place.prepare(&["npm ci --silent --no-audit --no-fund".to_owned()]);
    have_the_same_results(&place, "node --test", "\n# fail 0\n").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flows_of_hubspots_python_client_have_the_same_results_through_hubkeep() {
    let place = Place::copy_of("tests/interop/same-results-python");
    let top = top().display().to_string();
    // What the example client has installed, and HubSpot's client: each is pinned where it is used first.
    let pinned = ["clients/python", "tests/interop/hubspot-python"]
        .map(|folder| format!("-r {top}/{folder}/requirements.txt"));
    place.prepare(&[
        "python3 -m venv .venv".to_owned(),
        format!(".venv/bin/pip install --quiet --require-hashes {}", pinned.join(" ")),
        ".venv/bin/python -m grpc_tools.protoc -I $INTEROP/proto --python_out=. --pyi_out=. --grpc_python_out=. \
         $(cd $INTEROP/proto && find hubkeep -name '*.proto')"
            .to_owned(),
    ]);
    let command = format!("PYTHONPATH={top}/clients/python .venv/bin/python -m unittest 2>&1");
    have_the_same_results(&place, &command, "\nOK\n").await;
}

/// Runs flows, which must end with this word.
async fn have_the_same_results(place: &Place, command: &str, last_word: &str) {
    let world = twins();
    let token = |slug: &str| {
        let portal = world.portal(slug).expect("there");
        portal.first_token().expect("a token").to_owned()
    };
    let (direct, behind) = (token(DIRECT), token(THROUGH));
    let hubkeep = Hubkeep::over(world).start().await;
    hubkeep.onboard_all().await;
    let all = EVERYTHING.into_iter().chain([Allow::WriteSchema]);
    let handle = hubkeep.handle(THROUGH).allow(all).issue().await;
    hubkeep.hubspot.clear_journal();
    let (hubspot, crm) = (hubkeep.hubspot.base_url(), hubkeep.crm_address());
    let environment = [
        ("HUBSPOT_SIM", hubspot.as_str()),
        ("HUBSPOT_TOKEN", direct.as_str()),
        ("HUBSPOT_TOKEN_BEHIND", behind.as_str()),
        ("HUBKEEP_CRM_SERVICE", crm.as_str()),
        ("HUBKEEP_HANDLE", handle.token.as_str()),
        ("HUBKEEP_AS", handle.caller.as_str()),
        ("HUBKEEP_CLIENT", THROUGH),
    ];
    let told = place.must_run(command, &environment);
    assert!(told.contains(last_word), "{told}");

    // Both were really asked, and for the same kinds of things.
    let (direct, through) = (kinds(&hubkeep, DIRECT, false), kinds(&hubkeep, THROUGH, true));
    assert!(direct.len() > 40, "{direct:#?}");
    let missing: Vec<_> = direct.difference(&through).collect();
    assert!(missing.is_empty(), "not through Hubkeep: {missing:#?}");
}

/// Two accounts that differ in nothing but whose they are.
fn twins() -> World {
    let mut world = World::of_portals(2).limits(&Limits::unlimited());
    let records = world.portals[0].records.clone();
    for portal in &mut world.portals {
        portal.records.clone_from(&records);
        let owner = |number: u64, archived| Owner {
            id: 900 + number,
            user_id: 9_000 + number,
            email: format!("owner{number}@agency.example"),
            first_name: "Olga".to_owned(),
            last_name: format!("Owner {number}"),
            archived,
        };
        let twin = portal
            .clone()
            .owner(owner(1, false))
            .owner(owner(2, true))
            .owner(owner(3, false));
        *portal = twin.custom_object(CustomObjectSpec::new(7, "boat"));
    }
    world
}

/// The kinds of things that HubSpot was asked of an account, by the product or by HubSpot's client.
fn kinds(hubkeep: &Hubkeep, slug: &str, by_us: bool) -> BTreeSet<String> {
    let id = hubkeep.portal_id(slug);
    let is_ours = |entry: &JournalEntry| {
        let agent = entry.header("user-agent");
        agent.is_some_and(|agent| agent.starts_with(OURS))
    };
    let journal = hubkeep.hubspot.journal();
    let of = journal
        .iter()
        .filter(|entry| entry.portal_id == Some(id) && is_ours(entry) == by_us);
    of.map(kind).collect()
}

/// What is asked, whichever style its path has, and of which record.
fn kind(entry: &JournalEntry) -> String {
    let path = entry.path.split('/').filter(|part| {
        let version = ["v3", "v4", "2026-09"].contains(part);
        !version && !part.is_empty()
    });
    let parts: Vec<&str> = path
        .map(|part| {
            if part.starts_with(|c: char| c.is_ascii_digit()) || part.contains('@') || part.contains("%40") {
                "{id}"
            } else {
                part
            }
        })
        .collect();
    format!("{} /{}", entry.method, parts.join("/"))
}
