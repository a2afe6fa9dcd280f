//! HubSpot's own clients against the simulator: what they believe of HubSpot, the simulator keeps.

use hubkeep_tests::World;
use hubspot_sim::Simulator;

use crate::place::Place;

#[tokio::test(flavor = "multi_thread")]
async fn hubspots_node_client_finds_in_the_simulator_what_it_expects_of_hubspot() {
    let place = Place::copy_of("tests/interop/hubspot-node");
    place.prepare(&["npm ci --silent --no-audit --no-fund".to_owned()]);
    passes(&place, "node --test", "\n# fail 0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn hubspots_python_client_finds_in_the_simulator_what_it_expects_of_hubspot() {
    let place = Place::copy_of("tests/interop/hubspot-python");
    place.prepare(&[
        "python3 -m venv .venv".to_owned(),
        ".venv/bin/pip install --quiet --require-hashes -r requirements.txt".to_owned(),
    ]);
    passes(&place, ".venv/bin/python -m unittest 2>&1", "\nOK\n");
}

/// Runs tests in another language against a simulator of their own, and shows what they say where they fail.
fn passes(place: &Place, command: &str, last_word: &str) {
    let hubspot = Simulator::start(World::empty()).expect("the simulator starts");
    let told = place.must_run(command, &[("HUBSPOT_SIM", &hubspot.base_url())]);
    assert!(told.contains(last_word), "{told}");
    assert!(
        hubspot.journal_len() > 50,
        "little reached the simulator:\n{told}"
    );
}
