//! Isolation under load: callers with right and wrong handles, all at once, and what reached HubSpot for each.

use std::collections::HashMap;

use futures::{StreamExt as _, stream};
use hubkeep_audit_log::Entry;
use hubkeep_proto::crm::v1::{Object, Reply};
use hubkeep_tests::{
    Crm, Handle, Hubkeep, JournalEntry, Limits, Refused, Service, World, intents_by_entry,
    support::{
        audit::{assert_dense, outcomes_by_attempt, without_proofs},
        chance::Chance,
    },
};
use tonic::Status;

const SEED: u64 = 0x4855_424b_4545_5001;
const PORTALS: u32 = 50;
const CALLS: usize = 20_000;
const IN_FLIGHT: usize = 64;
const CALLERS: [&str; 3] = ["sync", "reports", "agent"];

/// How a caller comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// With its own handle, for the portal that it names.
    Right,
    /// With its own handle, for another portal than it names.
    WrongPortal,
    /// With a handle of the portal that it names, which is another caller's.
    AnotherCallers,
    /// With its own handle, which it has revoked.
    Revoked,
    /// With a handle that nobody issued.
    Invented,
}

const MANNERS: [(usize, Manner); 5] = [
    (60, Manner::Right),
    (20, Manner::WrongPortal),
    (8, Manner::AnotherCallers),
    (6, Manner::Revoked),
    (6, Manner::Invented),
];

#[derive(Clone, Copy, Debug)]
enum Act {
    Get,
    List,
    Search,
    Create,
    Update,
    Archive,
    Owners,
}

/// Searches are few: each portal has five a second.
const ACTS: [(usize, Act); 7] = [
    (40, Act::Get),
    (15, Act::List),
    (2, Act::Search),
    (15, Act::Create),
    (18, Act::Update),
    (5, Act::Archive),
    (5, Act::Owners),
];

/// One call of the plan: all that is known of it before it is made.
#[derive(Clone, Debug)]
struct Planned {
    request_id: String,
    caller: &'static str,
    named: usize,
    handle: Handle,
    manner: Manner,
    act: Act,
    contact: &'static str,
}

struct Handles {
    slugs: Vec<String>,
    own: HashMap<(&'static str, usize), Handle>,
    revoked: HashMap<(&'static str, usize), Handle>,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_ever_reaches_another_portal_than_its_handle_is_for() {
    println!("seed {SEED:#x}");
    let hubkeep = Hubkeep::start(World::of_portals(PORTALS).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let handles = Handles::of(&hubkeep).await;
    let plan = plan(&handles);

    let crm = hubkeep.crm_as("nobody");
    let calls = stream::iter(&plan).map(|planned| carry_out(&hubkeep, &crm, &handles, planned));
    let attempts: u64 = calls
        .buffer_unordered(IN_FLIGHT)
        .fold(0, async |sum, attempts| sum + u64::from(attempts))
        .await;

    let events = hubkeep.audit_events(Service::Crm).await;
    assert_dense(&events);
    let asked = without_proofs(&events);
    let (intents, outcomes) = (intents_by_entry(&asked), outcomes_by_attempt(&asked));
    assert_eq!(intents.len(), outcomes.len(), "every intent has an outcome");

    let planned: HashMap<&str, &Planned> = plan
        .iter()
        .map(|planned| (planned.request_id.as_str(), planned))
        .collect();
    let journal = hubkeep.hubspot_calls();
    for received in &journal {
        let intent = received.header("x-request-id").and_then(|id| intents.get(id));
        let intent = intent.unwrap_or_else(|| panic!("without a record: {received:?}"));
        let planned = planned[intent.request_id.as_str()];
        same_portal(&hubkeep, &handles, received, intent, planned);
    }
    assert_eq!(
        journal.len() as u64,
        attempts,
        "HubSpot received what the replies say"
    );
    assert_eq!(journal.len(), intents.len(), "and the log says the same");
    let right = plan
        .iter()
        .filter(|planned| planned.manner == Manner::Right)
        .count();
    assert!(journal.len() >= right, "every right call was made");
}

/// What HubSpot received, the record of it, and the call that it was made for, all name one portal.
fn same_portal(
    hubkeep: &Hubkeep,
    handles: &Handles,
    received: &JournalEntry,
    intent: &Entry,
    planned: &Planned,
) {
    let slug = &handles.slugs[planned.named];
    let portal_id = hubkeep.portal_id(slug);
    assert_eq!(
        planned.manner,
        Manner::Right,
        "a refused call was sent: {planned:?}"
    );
    assert_eq!(
        received.portal_id,
        Some(portal_id),
        "a foreign request: {planned:?}"
    );
    assert_eq!(intent.portal_id, portal_id, "{planned:?}");
    assert_eq!(&intent.client_slug, slug, "{planned:?}");
    assert_eq!(
        received.token_fingerprint.as_ref(),
        Some(&intent.token_fingerprint),
        "{planned:?}"
    );
    assert_eq!(
        (intent.caller.as_str(), &intent.handle_id),
        (planned.caller, &planned.handle.id)
    );
}

/// Makes a call and holds its answer to the plan; how many attempts HubSpot received for it.
async fn carry_out(hubkeep: &Hubkeep, crm: &Crm, handles: &Handles, planned: &Planned) -> u32 {
    let slug = &handles.slugs[planned.named];
    let crm = Crm::clone(crm)
        .called(planned.caller)
        .with(&planned.handle)
        .naming(slug)
        .request_id(&planned.request_id);
    let answer = act(&crm, planned, slug).await;
    let expected = match planned.manner {
        Manner::Right => {
            let (reply, objects) = answer.unwrap_or_else(|status| panic!("{planned:?}: {status:?}"));
            assert_eq!(reply.portal_id, hubkeep.portal_id(slug), "{planned:?}");
            assert_eq!(&reply.client_slug, slug, "{planned:?}");
            for object in objects {
                let whose = object.properties.get("lastname");
                assert!(
                    whose.is_none_or(|whose| whose == slug),
                    "{slug} was given {object:?}"
                );
            }
            return reply.attempt_count;
        }
        Manner::WrongPortal => "PORTAL_MISMATCH",
        Manner::AnotherCallers | Manner::Revoked | Manner::Invented => "HANDLE_INVALID",
    };
    let refused = Refused::in_place_of(answer);
    assert_eq!(refused.reason, expected, "{planned:?}");
    assert_eq!(refused.request_id, planned.request_id);
    0
}

async fn act(crm: &Crm, planned: &Planned, slug: &str) -> Result<(Reply, Vec<Object>), Status> {
    let (reply, objects) = match planned.act {
        Act::Get => {
            let answer = crm.get("contacts", planned.contact).await?;
            (answer.reply, Vec::from_iter(answer.object))
        }
        Act::List => {
            let answer = crm.list("contacts").await?;
            (answer.reply, answer.objects)
        }
        Act::Search => {
            let answer = crm.search("contacts", "lifecyclestage", "lead").await?;
            (answer.reply, answer.objects)
        }
        Act::Create => {
            let answer = crm
                .create("contacts", &[("firstname", "new"), ("lastname", slug)])
                .await?;
            (answer.reply, Vec::from_iter(answer.object))
        }
        Act::Update => {
            let answer = crm
                .update("contacts", planned.contact, &[("firstname", "other")])
                .await?;
            (answer.reply, Vec::from_iter(answer.object))
        }
        // The same record may be archived twice: HubSpot says yes to both.
        Act::Archive => (crm.archive("contacts", "105").await?.reply, Vec::new()),
        Act::Owners => (crm.owners().await?.reply, Vec::new()),
    };
    Ok((reply.expect("every answer says where it came from"), objects))
}

fn plan(handles: &Handles) -> Vec<Planned> {
    let mut chance = Chance::seeded(SEED);
    (0..CALLS).map(|_| planned(handles, &mut chance)).collect()
}

fn planned(handles: &Handles, chance: &mut Chance) -> Planned {
    let count = handles.slugs.len();
    let manner = chance.weighted(&MANNERS);
    let at = chance.below(CALLERS.len());
    let (caller, another) = (CALLERS[at], CALLERS[(at + 1) % CALLERS.len()]);
    let named = chance.below(count);
    let elsewhere = (named + 1 + chance.below(count - 1)) % count;
    let handle = match manner {
        Manner::Right => handles.own[&(caller, named)].clone(),
        Manner::WrongPortal => handles.own[&(caller, elsewhere)].clone(),
        Manner::AnotherCallers => handles.own[&(another, named)].clone(),
        Manner::Revoked => handles.revoked[&(caller, named)].clone(),
        Manner::Invented => Handle::invented(&handles.slugs[named], caller),
    };
    Planned {
        request_id: chance.uuid(),
        caller,
        named,
        handle,
        manner,
        act: chance.weighted(&ACTS),
        contact: chance.one_of(&["101", "102", "103", "104"]),
    }
}

impl Handles {
    async fn of(hubkeep: &Hubkeep) -> Self {
        let slugs: Vec<String> = hubkeep
            .world()
            .portals
            .iter()
            .map(|portal| portal.slug.clone())
            .collect();
        let (mut own, mut revoked) = (HashMap::new(), HashMap::new());
        for (number, slug) in slugs.iter().enumerate() {
            for caller in CALLERS {
                let wish = hubkeep.handle(slug).for_caller(caller);
                own.insert((caller, number), wish.clone().issue().await);
                let ended = wish.issue().await;
                hubkeep.revoke(&ended).await;
                revoked.insert((caller, number), ended);
            }
        }
        Self { slugs, own, revoked }
    }
}
