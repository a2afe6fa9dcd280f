//! The example clients: each does what its page says, and both sides tell the same story of it.

use hubkeep_audit_log::Phase;
use hubkeep_tests::{Fault, FaultRule, Hubkeep, JournalEntry, Service, World};

use crate::place::{Place, commands_of, said};

/// One of the example clients.
struct Example {
    /// Its folder in clients/.
    folder: &'static str,
    /// Who it says it is.
    caller: &'static str,
}

const GO: Example = Example {
    folder: "clients/go",
    caller: "example-go",
};
const PYTHON: Example = Example {
    folder: "clients/python",
    caller: "example-python",
};
const TYPESCRIPT: Example = Example {
    folder: "clients/typescript",
    caller: "example-node",
};

#[tokio::test(flavor = "multi_thread")]
async fn the_go_client_takes_a_handle_reads_is_refused_and_finds_itself_on_the_log() {
    does_what_its_page_says(&GO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_client_takes_a_handle_reads_is_refused_and_finds_itself_on_the_log() {
    does_what_its_page_says(&PYTHON).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_client_takes_a_handle_reads_is_refused_and_finds_itself_on_the_log() {
    does_what_its_page_says(&TYPESCRIPT).await;
}

async fn does_what_its_page_says(example: &Example) {
    let place = Place::copy_of(example.folder);
    // For buf, which the pages expect.
    drop(Place::with_tools());
    let mut commands = commands_of(&format!("{}/README.md", example.folder));
    let run = commands.pop().expect("a last command");
    assert!(
        run.ends_with(" acme globex"),
        "the last command is the client: {run}"
    );
    place.prepare(&commands);

    let hubkeep = of_two_clients().await;
    let (credential, crm) = (hubkeep.credential_address(), hubkeep.crm_address());
    let addresses = [
        ("HUBKEEP_CREDENTIAL_SERVICE", credential.as_str()),
        ("HUBKEEP_CRM_SERVICE", crm.as_str()),
    ];
    let told = Told::of(&place.must_run(&run, &addresses));
    told_the_truth(&hubkeep, &told, example.caller).await;

    // HubSpot moves the account: what is refused then says when to come again.
    hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::Migrating { retry_after: 30 }));
    let output = place.run(&run, &addresses);
    let (_, heard) = said(&output);
    assert!(
        !output.status.success(),
        "it went well while HubSpot was migrating"
    );
    for word in [
        "hubkeep/PORTAL_MIGRATING",
        "hubspot_correlation_id=",
        "(again in 30s)",
    ] {
        assert!(heard.contains(word), "{word} is not in: {heard}");
    }
}

/// Two of the demo's clients.
async fn of_two_clients() -> Hubkeep {
    let mut world = World::demo();
    world
        .portals
        .retain(|portal| ["acme", "globex"].contains(&portal.slug.as_str()));
    let hubkeep = Hubkeep::start(world).await;
    hubkeep.onboard_all().await;
    hubkeep
}

/// What the simulator received and what stands on the log are what the client was told.
async fn told_the_truth(hubkeep: &Hubkeep, told: &Told, caller: &str) {
    let acme = hubkeep.portal_id("acme");
    assert!(
        told.handle.contains(&format!(" of {caller} for portal {acme}, ")),
        "{}",
        told.handle
    );
    assert_eq!(told.contacts.len(), 2, "{told:?}");
    assert!(
        told.contacts.iter().all(|contact| contact.contains('@')),
        "{told:?}"
    );
    assert!(
        told.refused.contains("hubkeep/PORTAL_MISMATCH: ")
            && told.refused.contains("[requested_client_slug=globex]"),
        "{}",
        told.refused
    );

    let received = hubkeep.hubspot_calls();
    let portals: Vec<_> = received
        .iter()
        .filter_map(|call: &JournalEntry| call.portal_id)
        .collect();
    assert_eq!(
        portals,
        [acme],
        "one call reached HubSpot, and none for the other client"
    );

    let (call, position) = told.call.split_once(", durable at ").expect("a position");
    let events = hubkeep.audit_events(Service::Crm).await;
    let of_call = events
        .iter()
        .filter(|event| event.entry.as_ref().is_some_and(|entry| entry.call_id == call));
    let phases: Vec<_> = of_call
        .map(|event| (event.position, event.entry.as_ref().expect("one").phase()))
        .collect();
    assert_eq!(phases.len(), 2, "an intent and an outcome: {phases:?}");
    assert_eq!(told.audit.len(), 2, "{told:?}");
    for ((at, phase), line) in phases.iter().zip(&told.audit) {
        let word = match phase {
            Phase::Intent => "INTENT",
            _ => "OUTCOME",
        };
        assert!(
            line.starts_with(&format!("{at} ")) && line.contains(word),
            "{at} {word}: {line}"
        );
    }
    assert!(told.audit[1].starts_with(&format!("{position} ")), "{told:?}");
}

/// What a client printed, line by line.
#[derive(Debug, Default)]
struct Told {
    handle: String,
    contacts: Vec<String>,
    call: String,
    refused: String,
    audit: Vec<String>,
}

impl Told {
    fn of(text: &str) -> Self {
        let mut told = Self::default();
        for line in text.lines() {
            let Some((word, rest)) = line.split_once(' ') else {
                continue;
            };
            let rest = rest.to_owned();
            match word {
                "handle" => told.handle = rest,
                "contact" => told.contacts.push(rest),
                "call" => told.call = rest,
                "refused:" => told.refused = rest,
                "audit" => told.audit.push(rest),
                _ => {}
            }
        }
        told
    }
}
