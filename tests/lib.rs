//! The harness: a whole Hubkeep in one process, and hands on all of it.
//!
//! ```no_run
//! # async fn example() {
//! use hubkeep_tests::{Allow, Hubkeep, World};
//!
//! let hubkeep = Hubkeep::start(World::of_portals(2)).await;
//! hubkeep.onboard_all().await;
//! let handle = hubkeep.handle("client-0001").for_caller("sync").allow([Allow::Get]).issue().await;
//! hubkeep.crm_as("sync").with(&handle).get("contacts", "101").await.expect("allowed");
//! assert_eq!(hubkeep.hubspot_calls().len(), 1);
//! # }
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`support::hubkeep`] | both services and the simulator, started on free ports with files of their own |
//! | [`support::handles`], [`support::crm`], [`support::portals`] | what callers do, as a test would say it |
//! | [`support::containing`] | what an operator does in an incident, and how far it has come |
//! | [`support::certificates`], [`support::doors`] | who has which certificate, and how callers reach services |
//! | [`support::related`] | what records have to do with each other, and how they are made |
//! | [`support::many`], [`support::pairs`] | calls about many records, and many associations, at once |
//! | [`support::properties`], [`support::pipelines`] | properties and pipelines of a type, made and changed |
//! | [`support::refusal`] | what a refusal says, read |
//! | [`support::audit`] | the logs of both services, read |
//! | [`support::browser`] | pages, as a browser asks for them, and what it follows |
//! | [`support::quota`] | quotas, read and watched |
//! | [`support::alerts`] | alerts and rules, and receivers that are told |
//! | [`support::rotations`] | rotations, and traffic that must not notice them |
//! | [`support::wait`] | waiting for what will come soon, with a bound |
//! | [`support::trouble`] | what can happen to a connection, and what must hold of the logs then |
//! | [`support::walks`] | walks over all records of a type |
//! | [`support::writes`] | writes that are asked for again, and the list of them |
//! | [`support::chaos`] | a connection that can be cut, frozen, slowed, and lose one way |
//! | [`support::relay`] | the answers of one method, held back |
//! | [`support::raw`] | gRPC by bytes, for what no client would send |
//! | [`support::chance`] | chance that can be repeated |
//! | [`support::isolation`] | calls of every sort at once, of any number, and a witness of where each went |
//! | [`support::processes`] | the real binaries as processes of their own |
//! | [`support::keeping`] | where services keep their data: files, or databases of PostgreSQL |
//! | [`support::crm_process`] | crm-service as a process, the rest here |
//! | [`support::fleet`], [`support::balancer`] | several replicas of both services on PostgreSQL, behind one address each |
//! | [`support::limited`] | crm-service before a double of credential-service, for handles with every limit |
//! | [`support::people`] | people who have signed in at the double, and what their programs were given |
//! | [`support::programs`] | people's programs: MCP and OAuth by HTTP |
//! | [`support::signing_in`] | people's browsers, which sign in at a provider and consent at HubSpot |
//! | [`support::canaries`] | secrets searched for in every disguise |
//! | [`support::evidence`], [`support::evidence_heads`], [`support::evidence_pruned`] | bundles of evidence, and everything that can be done to one |
//! | [`support::evidence_receipts`] | receipts that were kept of writes, and everything that can be done to one |
//! | [`support::receipts`] | what a receipt says, and the proof of it |
//! | [`support::disk`] | what lies on disk: bytes searched for, databases locked |
//! | [`support::compose`] | the compose file, read |
//! | [`support::shown`] | what a page of the documentation shows |
//! | [`support::sources`] | the repository's own files |

/// The modules of the harness.
pub mod support {
    pub mod alerts;
    pub mod audit;
    pub mod balancer;
    pub mod browser;
    pub mod canaries;
    pub mod certificates;
    pub mod certified;
    pub mod chance;
    pub mod chaos;
    pub mod compose;
    pub mod containing;
    pub mod crm;
    pub mod crm_process;
    pub mod disk;
    pub mod doors;
    pub mod evidence;
    pub mod evidence_heads;
    pub mod evidence_joined;
    pub mod evidence_pruned;
    pub mod evidence_receipts;
    pub mod fleet;
    pub mod grants;
    pub mod handles;
    pub mod hubkeep;
    pub mod isolation;
    pub mod keeping;
    pub mod limited;
    pub mod many;
    pub mod pairs;
    pub mod people;
    pub mod pipelines;
    pub mod portals;
    pub mod processes;
    pub mod programs;
    pub mod properties;
    pub mod quota;
    pub mod raw;
    pub mod receipts;
    pub mod refusal;
    pub mod related;
    pub mod relay;
    pub mod reports;
    pub mod rotations;
    pub mod shown;
    pub mod signing_in;
    pub mod sources;
    pub mod strace;
    pub mod trouble;
    pub mod wait;
    pub mod walks;
    pub mod writes;
}

pub use hubspot_sim::{
    AccountDetails, Fault, FaultRule, JournalEntry, Limits, ObjectType, Policy, PortalSpec, TokenSpec, World,
};
pub use support::{
    audit::{intents_by_entry, proto_entry},
    chaos::Proxy,
    crm::Crm,
    fleet::Fleet,
    handles::{Allow, Handle},
    hubkeep::{Hubkeep, Service, Setup},
    refusal::{Refused, reason},
    wait::{BOUND, wait_until},
};
