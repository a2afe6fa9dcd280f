//! The example clients: each does what its page says, and both sides tell the same story of it.

use std::sync::OnceLock;

use hubkeep_audit_log::Phase;
use hubkeep_tests::{
    Fault, FaultRule, Hubkeep, JournalEntry, ObjectType, Service, Setup, World,
    support::{audit::Reader, portals::OPERATOR},
};

use crate::place::{Place, commands_of, said};

/// One of the example clients.
struct Example {
    /// Its folder in clients/.
    folder: &'static str,
    /// Who it says it is, where nobody asks for a certificate.
    caller: &'static str,
    prepared: OnceLock<Prepared>,
}

/// A client that was built, and the command that runs it.
struct Prepared {
    place: Place,
    run: String,
}

static GO: Example = Example::of("clients/go", "example-go");
static PYTHON: Example = Example::of("clients/python", "example-python");
static TYPESCRIPT: Example = Example::of("clients/typescript", "example-node");

/// What each of them promises.
macro_rules! promises {
    ($language:ident, $example:expr) => {
        mod $language {
            use super::*;

            #[tokio::test(flavor = "multi_thread")]
            async fn the_client_does_what_its_page_says() {
                does_what_its_page_says(&$example).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn the_client_is_whom_its_certificate_names() {
                is_whom_its_certificate_names(&$example).await;
            }

            #[test]
            fn the_client_sends_nothing_in_the_clear_but_to_loopback() {
                sends_nothing_in_the_clear(&$example);
            }
        }
    };
}

promises!(go, GO);
promises!(python, PYTHON);
promises!(typescript, TYPESCRIPT);

impl Example {
    const fn of(folder: &'static str, caller: &'static str) -> Self {
        Self {
            folder,
            caller,
            prepared: OnceLock::new(),
        }
    }

    /// The client as its page prepares it: once for all tests.
    fn prepared(&self) -> &Prepared {
        self.prepared.get_or_init(|| {
            let place = Place::copy_of(self.folder);
            // For buf, which the pages expect.
            drop(Place::with_tools());
            let mut commands = commands_of(&format!("{}/README.md", self.folder));
            let run = commands.pop().expect("a last command");
            assert!(
                run.ends_with(" acme globex"),
                "the last command is the client: {run}"
            );
            place.prepare(&commands);
            Prepared { place, run }
        })
    }
}

async fn does_what_its_page_says(example: &Example) {
    let Prepared { place, run } = example.prepared();
    let hubkeep = started(Hubkeep::over(of_two_clients())).await;
    let (credential, crm) = (hubkeep.credential_address(), hubkeep.crm_address());
    let addresses = [
        ("HUBKEEP_CREDENTIAL_SERVICE", credential.as_str()),
        ("HUBKEEP_CRM_SERVICE", crm.as_str()),
    ];
    let told = Told::of(&place.must_run(run, &addresses));
    told_the_truth(&hubkeep, &told, example.caller).await;

    // HubSpot moves the account: what is refused then says when to come again.
    hubkeep
        .hubspot
        .inject(FaultRule::new(Fault::Migrating { retry_after: 30 }));
    let output = place.run(run, &addresses);
    let (_, heard) = said(&output);
    assert!(
        !output.status.success(),
        "it went well while HubSpot was migrating"
    );
    for word in [
        "hubkeep/PORTAL_MIGRATING",
        "try again in 30 seconds",
        "hubspot_correlation_id=",
        "(again in 30s)",
    ] {
        assert!(heard.contains(word), "{word} is not in: {heard}");
    }
}

/// One service by its address and the other by its name, for both stand in their certificates.
async fn is_whom_its_certificate_names(example: &Example) {
    let Prepared { place, run } = example.prepared();
    let hubkeep = started(Hubkeep::over(of_two_clients()).certificates()).await;
    let at = |host: &str, service| format!("https://{host}:{}", hubkeep.address(service).port());
    let credential = at("localhost", Service::Credential);
    let crm = at("127.0.0.1", Service::Crm);
    let holder = hubkeep.certificates().of("holder-of-a-certificate");
    let files = holder.environment(hubkeep.folder());
    let mut environment: Vec<_> = files.iter().map(|(name, file)| (&**name, &**file)).collect();
    environment.push(("HUBKEEP_CREDENTIAL_SERVICE", &credential));
    environment.push(("HUBKEEP_CRM_SERVICE", &crm));
    let told = Told::of(&place.must_run(run, &environment));
    told_the_truth(&hubkeep, &told, "holder-of-a-certificate").await;
}

fn sends_nothing_in_the_clear(example: &Example) {
    let Prepared { place, run } = example.prepared();
    let elsewhere = "http://crm.example:7402";
    let output = place.run(run, &[("HUBKEEP_CRM_SERVICE", elsewhere)]);
    let (told, heard) = said(&output);
    assert!(!output.status.success(), "{told}");
    assert_eq!(told.lines().find(|line| line.starts_with("handle ")), None);
    let sentence = format!("{elsewhere}: handles are secrets: use https://, or http:// on loopback only");
    assert!(heard.contains(&sentence), "{heard}");
}

/// Two of the demo's clients.
fn of_two_clients() -> World {
    let mut world = World::demo();
    world
        .portals
        .retain(|portal| ["acme", "globex"].contains(&portal.slug.as_str()));
    world
}

async fn started(setup: Setup) -> Hubkeep {
    let hubkeep = setup.start().await;
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
        portals, [acme; 2],
        "the page and the walk reached HubSpot, and nothing for the other client"
    );
    let records = &hubkeep.world().portal("acme").expect("there").records;
    let contacts = records
        .iter()
        .filter(|record| record.object_type == ObjectType::Contacts);
    assert_eq!(told.walked, contacts.count().to_string(), "{told:?}");
    let quota = hubkeep.quota(Reader::Operator(OPERATOR), "acme").await;
    let today = quota.expect("it was called").daily.expect("told").left();
    assert!(told.left.ends_with(&format!(" now, {today} today")), "{told:?}");
    assert!(!told.left.starts_with("0 "), "{told:?}");

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
    walked: String,
    left: String,
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
                "walked" => told.walked = rest,
                "left" => told.left = rest,
                "refused:" => told.refused = rest,
                "audit" => told.audit.push(rest),
                _ => {}
            }
        }
        told
    }
}
