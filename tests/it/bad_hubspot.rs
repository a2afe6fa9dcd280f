//! Whatever HubSpot, or something in its place, sends: a read is refused with a reason, a write claims nothing that nobody
//! knows and is never sent twice, what happened is on record, and other portals are served.

use std::{fs, time::Duration};

use futures::future::join_all;
use hubkeep_audit_log::CallResult;
use hubkeep_proto::crm::v1::{Write, WriteState};
use hubkeep_tests::{
    Allow, Crm, Fault, FaultRule, Hubkeep, Limits, ObjectType, Refused, Service, World, eventually,
    support::{
        audit::{assert_dense, intents_by_entry, outcomes_by_attempt, without_proofs},
        crm_process::CrmProcess,
        processes::Process,
        writes::sent_writes,
    },
};
use tokio::{net::TcpListener, sync::watch};
use tonic::Code::{self, FailedPrecondition, Unavailable, Unknown};

/// The deadline of who states none: held by the service, so that no timer of a caller's comes first.
const DEADLINE: Duration = Duration::from_millis(1_500);
/// HubSpot is given up so soon here.
const QUIET: Duration = Duration::from_secs(4);
/// For what was lost to be found, or known not to have happened.
const SETTLED_WITHIN: Duration = Duration::from_secs(40);

/// What comes, what a read and a write are told, and whether the write took effect.
struct Case {
    fault: Fault,
    read: (Code, &'static str),
    write: (Code, &'static str),
    takes_effect: bool,
}

/// What nobody can take for an answer. Whether a write was made is not known.
const fn unclear(fault: Fault, takes_effect: bool) -> Case {
    Case {
        fault,
        read: (Unavailable, "HUBSPOT_UNAVAILABLE"),
        write: (Unknown, "OUTCOME_UNKNOWN"),
        takes_effect,
    }
}

/// What is a refusal by its status, whatever comes with it.
const fn refused(fault: Fault) -> Case {
    let said = (FailedPrecondition, "HUBSPOT_REFUSED");
    Case {
        fault,
        read: said,
        write: said,
        takes_effect: false,
    }
}

fn cases(elsewhere: &str) -> Vec<Case> {
    const MIB: u64 = 1024 * 1024;
    let content_type = "text/html; charset=utf-8".to_owned();
    let location = elsewhere.to_owned();
    vec![
        unclear(Fault::TruncatedJson, true),
        unclear(Fault::GzipBomb { bytes: 200 * MIB }, true),
        unclear(Fault::LongBody { bytes: 100 * MIB }, true),
        unclear(Fault::Drip { ms: 1_000 }, true),
        unclear(Fault::WrongContentType { content_type }, true),
        unclear(Fault::DuplicateKeys, true),
        unclear(Fault::DeepJson { levels: 10_000 }, true),
        unclear(Fault::CutBody, true),
        unclear(Fault::NeverEndingBody, true),
        unclear(Fault::CutConnection, false),
        unclear(Fault::HtmlPage { status: 200 }, false),
        unclear(Fault::HtmlPage { status: 503 }, false),
        refused(Fault::HtmlPage { status: 418 }),
        refused(Fault::Redirect {
            status: 302,
            location: location.clone(),
        }),
        refused(Fault::Redirect {
            status: 307,
            location,
        }),
    ]
}

fn slug(number: usize) -> String {
    format!("client-{number:04}")
}

/// Somewhere that no token may go: an address, and how many connections came there.
async fn elsewhere() -> (String, watch::Receiver<usize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (came, count) = watch::channel(0);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            came.send_modify(|count| *count += 1);
        }
    });
    (
        format!("http://{address}/crm/objects/2026-09/contacts/101"),
        count,
    )
}

/// A portal for the read of each case, one for its write, and one that is well.
struct Stage {
    hubkeep: Hubkeep,
    cases: Vec<Case>,
    went_elsewhere: watch::Receiver<usize>,
}

impl Stage {
    async fn start() -> Self {
        let (address, went_elsewhere) = elsewhere().await;
        let cases = cases(&address);
        let portals = u32::try_from(cases.len() * 2 + 1).expect("few");
        let setup = Hubkeep::over(World::of_portals(portals)).crm(|config| {
            config.grpc.default_deadline = DEADLINE;
            config.writes.not_done_after = QUIET;
        });
        let hubkeep = setup.start().await;
        hubkeep.onboard_all().await;
        Self {
            hubkeep,
            cases,
            went_elsewhere,
        }
    }

    async fn crm(&self, number: usize) -> Crm {
        let handle = self.hubkeep.handle(&slug(number)).issue().await;
        self.hubkeep.crm_as("sync").with(&handle)
    }

    /// From now on this comes of such calls for a portal.
    fn befalls(&self, case: &Case, number: usize, method: &str) {
        let rule = FaultRule::new(case.fault.clone())
            .portal(self.hubkeep.portal_id(&slug(number)))
            .path("/crm/")
            .method(method);
        self.hubkeep.hubspot.inject(rule);
    }

    async fn reads(&self, case: &Case, number: usize) {
        let crm = self.crm(number).await;
        self.befalls(case, number, "GET");
        let refused = Refused::in_place_of(crm.get("contacts", "101").await);
        assert_eq!(refused.said(), case.read, "a read: {:?}", case.fault);
    }

    async fn writes(&self, case: &Case, number: usize) {
        let crm = self.crm(number).await;
        // Before it whose account the token is was asked: what follows is about the write itself.
        let proven = crm.clone().within(Duration::from_secs(20));
        let proven = proven.update("contacts", "102", &[("firstname", "x")]).await;
        proven.expect("all is well");
        self.befalls(case, number, "PATCH");
        let wrote = crm.update("contacts", "101", &[("firstname", "changed")]).await;
        let told = format!("a write: {:?}", case.fault);
        let refused = Refused::in_place_of(wrote);
        assert_eq!(refused.said(), case.write, "{told}");
        assert_eq!(refused.retry_after, None, "{told}");
        let portal = self.hubkeep.portal_id(&slug(number));
        let record = self.hubkeep.hubspot.record(portal, ObjectType::Contacts, 101);
        let changed = record.expect("there")["properties"]["firstname"] == "changed";
        assert_eq!(changed, case.takes_effect, "{told}");
    }

    /// What became of the write of a portal, when that is known.
    async fn settled(&self, number: usize) -> Vec<Write> {
        let wish = self.hubkeep.handle(&slug(number));
        let handle = wish.allow([Allow::ReadAudit]).issue().await;
        let reader = self.hubkeep.crm_as("sync").with(&handle);
        eventually!(
            SETTLED_WITHIN,
            reader
                .writes(&[WriteState::Unknown])
                .await
                .expect("listed")
                .is_empty()
        );
        let known = [WriteState::Done, WriteState::NotDone];
        reader.writes(&known).await.expect("listed")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_hubspot_sends_is_told_recorded_and_settled_and_no_write_is_sent_twice() {
    let stage = Stage::start().await;
    let well = stage.crm(stage.cases.len() * 2 + 1).await;
    let well = well.within(Duration::from_secs(20));
    let others = async {
        for _ in 0..40 {
            well.get("contacts", "101")
                .await
                .expect("another portal is served");
        }
    };
    let numbered = || (1..).step_by(2).zip(&stage.cases);
    let bad = join_all(numbered().map(async |(number, case)| {
        futures::join!(stage.reads(case, number), stage.writes(case, number + 1));
    }));
    futures::join!(bad, others);
    assert_eq!(*stage.went_elsewhere.borrow(), 0, "no redirect is followed");

    for (number, case) in numbered() {
        let told = format!("{:?}", case.fault);
        let settled = stage.settled(number + 1).await;
        let states: Vec<_> = settled.iter().map(Write::state).collect();
        let expected = match (case.write.1, case.takes_effect) {
            ("OUTCOME_UNKNOWN", true) => vec![WriteState::Done],
            ("OUTCOME_UNKNOWN", false) => vec![WriteState::NotDone],
            _ => vec![],
        };
        assert_eq!(states, expected, "{told}");
    }
    let hubkeep = &stage.hubkeep;
    let of_101 = |path: &str| path.ends_with("/contacts/101");
    let writes = sent_writes(hubkeep.journal());
    let writes = writes.iter().filter(|call| of_101(&call.path)).count();
    assert_eq!(writes, stage.cases.len(), "each was sent once");
    let events = without_proofs(&hubkeep.audit_events(Service::Crm).await);
    let outcomes = outcomes_by_attempt(&events);
    let intents = intents_by_entry(&events);
    assert_eq!(
        outcomes.len(),
        intents.len(),
        "every attempt has its end on record"
    );
    let claimed = |result| outcomes.values().filter(|entry| entry.result() == result).count();
    assert!(
        claimed(CallResult::Unknown) >= 12,
        "what is not known is said to be so"
    );
    assert_dense(&hubkeep.audit_events(Service::Crm).await);
}

#[tokio::test]
async fn a_list_whose_next_page_is_itself_and_a_search_that_is_no_json_end() {
    let hubkeep = Hubkeep::start(World::of_portals(2).limits(&Limits::unlimited())).await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle("client-0001").issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let after = "1".to_owned();
    let same = FaultRule::new(Fault::SameCursor { after }).portal(hubkeep.portal_id("client-0001"));
    let same = hubkeep.hubspot.inject(same);
    let mut walk = crm.walk("contacts", "").await.expect("begun");
    walk.message().await.expect("the first page").expect("told");
    let ended = Refused::of(&walk.message().await.expect_err("the first page again"));
    assert_eq!(ended.said(), (Unavailable, "HUBSPOT_UNAVAILABLE"));
    hubkeep.hubspot.release(same);
    for fault in [
        Fault::TruncatedJson,
        Fault::DeepJson { levels: 5_000 },
        Fault::HtmlPage { status: 200 },
    ] {
        let id = hubkeep
            .hubspot
            .inject(FaultRule::new(fault.clone()).method("POST"));
        let refused = Refused::in_place_of(crm.search("contacts", "lastname", "x").await);
        assert_eq!(refused.said(), (Unavailable, "HUBSPOT_UNAVAILABLE"), "{fault:?}");
        hubkeep.hubspot.release(id);
    }
    crm.get("contacts", "101").await.expect("and all is well");
}

/// The most that a process has had in memory, in MiB.
fn peak(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.expect("its size") / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn large_answers_take_no_more_memory_than_the_largest_that_is_read() {
    /// The largest answer that is read, in MiB, and what one may take twice over while it grows; for each of those at once.
    const LARGEST: u64 = 16;
    const AT_ONCE: u64 = 4;
    let stage = CrmProcess::start(World::of_portals(1).limits(&Limits::unlimited())).await;
    let handle = stage.hubkeep.handle("client-0001").issue().await;
    let crm = stage.crm(&handle);
    crm.get("contacts", "101").await.expect("read");
    let before = peak(&stage.process);
    let mib = 1024 * 1024;
    for fault in [
        Fault::LongBody { bytes: 100 * mib },
        Fault::GzipBomb { bytes: 200 * mib },
    ] {
        let id = stage
            .hubkeep
            .hubspot
            .inject(FaultRule::new(fault.clone()).path("/crm/"));
        let ids = ["101", "102", "103", "104"];
        join_all(ids.map(async |id| {
            let refused = Refused::in_place_of(crm.get("contacts", id).await);
            assert_eq!(refused.reason, "HUBSPOT_UNAVAILABLE", "{fault:?}");
        }))
        .await;
        stage.hubkeep.hubspot.release(id);
        crm.get("contacts", "101").await.expect("and goes on");
    }
    let most = before + AT_ONCE * LARGEST * 3;
    let peak = peak(&stage.process);
    assert!(peak <= most, "{peak} MiB, and {before} MiB before");
}
