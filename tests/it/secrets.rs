//! What must never be seen is not there: not on disk, not in the logs that services print.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    thread::{self, ThreadId},
};

use hubkeep_audit_log::Phase;
use hubkeep_proto::crm::v1::GetObjectRequest;
use hubkeep_tests::{
    Crm, Fault, FaultRule, Handle, Hubkeep, Service, World,
    support::{disk::files_with, portals::OPERATOR},
};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

const A: &str = "client-0001";
const B: &str = "client-0002";
const VALUE: &str = "canary-of-a-value";
const SEARCHED: &str = "canary-of-a-search";
const RECORD: &str = "canary-of-a-record@client-0001.example";

/// Everything that a Hubkeep does with secrets and personal data, its failures included; the handles it used.
async fn use_it_all(hubkeep: &Hubkeep) -> Vec<Handle> {
    hubkeep.onboard_all().await;
    let _ = hubkeep.onboard("other", &hubkeep.token(A), 0).await;
    let _ = hubkeep.onboard(A, &hubkeep.token(B), 0).await;
    let (handle, revoked) = (hubkeep.handle(A).issue().await, hubkeep.handle(B).issue().await);
    hubkeep.revoke(&revoked).await;
    let _ = hubkeep.introspect(&handle.token, "sync").await.expect("its own");
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.create("contacts", &[("email", RECORD), ("firstname", VALUE)])
        .await
        .expect("made");
    let by_email = GetObjectRequest {
        client_slug: A.to_owned(),
        object_type: "contacts".to_owned(),
        object_id: RECORD.to_owned(),
        id_property: "email".to_owned(),
        ..GetObjectRequest::default()
    };
    crm.get_by(by_email.clone()).await.expect("read");
    crm.search("contacts", "firstname", SEARCHED)
        .await
        .expect("searched");
    crm.update("contacts", "101", &[("lastname", VALUE)])
        .await
        .expect("written");
    for fault in [
        Fault::Status { status: 401 },
        Fault::Status { status: 404 },
        Fault::CutBody,
        Fault::HtmlBody,
    ] {
        hubkeep.hubspot.inject(FaultRule::new(fault).times(1));
        let _ = crm.update("contacts", "101", &[("lastname", VALUE)]).await;
    }
    let conflict = crm
        .create("contacts", &[("email", RECORD), ("firstname", VALUE)])
        .await;
    assert!(conflict.is_err());
    let _ = crm.clone().naming(B).get_by(by_email).await;
    let _ = hubkeep
        .crm_as("sync")
        .with(&revoked)
        .get("contacts", RECORD)
        .await;
    let _ = hubkeep
        .crm_as("agent")
        .with(&handle)
        .get("contacts", RECORD)
        .await;
    let cut = &handle.token[..handle.token.len() - 1];
    let _ = hubkeep
        .crm_as("sync")
        .sending(cut)
        .naming(A)
        .get("contacts", RECORD)
        .await;
    vec![handle, revoked]
}

fn credentials(hubkeep: &Hubkeep, handles: &[Handle]) -> Vec<String> {
    // The first half of a handle would be as bad as the whole.
    let halves = handles.iter().map(|handle| handle.token[..30].to_owned());
    [A, B]
        .map(|slug| hubkeep.token(slug))
        .into_iter()
        .chain(halves)
        .collect()
}

fn personal_data() -> Vec<String> {
    [VALUE, SEARCHED, RECORD].map(str::to_owned).to_vec()
}

#[tokio::test]
async fn neither_tokens_nor_handles_nor_personal_data_lie_on_disk() {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    let handles = use_it_all(&hubkeep).await;
    let mut needles = credentials(&hubkeep, &handles);
    needles.append(&mut personal_data());
    // While it runs, the newest of it lies in the write-ahead logs; after it ended, in the databases.
    assert_eq!(files_with(hubkeep.folder(), &needles), []);
    let intents = hubkeep.entries(Service::Crm, Phase::Intent).await;
    let refs: Vec<_> = intents
        .iter()
        .map(|intent| intent.object_ref.clone())
        .filter(|id| !id.is_empty())
        .collect();
    assert!(
        !refs.is_empty(),
        "records are referred to by what means nothing to others"
    );

    // The search itself works: what must be there is found.
    let there = [A.to_owned()];
    let found = files_with(hubkeep.folder(), &there);
    let names: Vec<_> = found
        .iter()
        .filter_map(|(file, _)| file.file_name()?.to_str())
        .collect();
    assert!(
        names.iter().any(|name| name.contains("crm-service-audit")),
        "{names:?}"
    );
    assert!(
        names.iter().any(|name| name.starts_with("credential-service.db")),
        "{names:?}"
    );

    let folder = hubkeep.stop().await;
    assert_eq!(files_with(folder.path(), &needles), []);
}

#[tokio::test]
async fn one_record_of_two_portals_is_referred_to_by_two_names() {
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    hubkeep.onboard_all().await;
    for slug in [A, B, A] {
        let handle = hubkeep.handle(slug).issue().await;
        hubkeep
            .crm_as("sync")
            .with(&handle)
            .get("contacts", "101")
            .await
            .expect("read");
    }
    let intents = hubkeep.entries(Service::Crm, Phase::Intent).await;
    let refs: Vec<&str> = intents.iter().map(|intent| intent.object_ref.as_str()).collect();
    assert_eq!(refs[0], refs[2], "one record of one portal has one name");
    assert_ne!(refs[0], refs[1], "the same id elsewhere has another");
}

#[tokio::test]
async fn neither_tokens_nor_handles_nor_personal_data_are_printed() {
    let printed = Printed::on_this_thread();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(
            "off,hubkeep=trace,sqlx=trace,reqwest=trace,tonic=trace,rustls=trace",
        ))
        .with_ansi(false)
        .with_writer(printed.clone())
        .finish();
    // For the whole process, because events are switched on and off for all threads at once; kept are those of this
    // thread, on which everything of this test runs.
    tracing::subscriber::set_global_default(subscriber).expect("no other test listens");
    let hubkeep = Hubkeep::start(World::of_portals(2)).await;
    let handles = use_it_all(&hubkeep).await;
    let mut needles: Vec<String> = credentials(&hubkeep, &handles)
        .into_iter()
        .chain(personal_data())
        .collect();
    hubkeep.stop().await;

    let hubkeep = Hubkeep::over(World::of_portals(2)).certificates().start().await;
    let handles = use_it_all(&hubkeep).await;
    needles.append(&mut credentials(&hubkeep, &handles));
    for name in ["sync", "agent", OPERATOR] {
        let holder = hubkeep.certificates().of(name);
        needles.extend(
            holder
                .key()
                .lines()
                .map(str::to_owned)
                .filter(|line| !line.starts_with("--")),
        );
    }
    // A stranger is heard of, and no more than that.
    assert!(
        hubkeep
            .crm_as("sync")
            .naming(A)
            .get("contacts", "1")
            .await
            .is_err()
    );
    assert!(
        Crm::of(hubkeep.channel(Service::Crm), "sync")
            .owners()
            .await
            .is_err()
    );
    hubkeep.stop().await;

    let text = printed.text();
    assert!(
        text.contains("a TLS handshake failed"),
        "the stranger was not heard of"
    );
    assert!(
        text.contains("refused") && text.contains("hubkeep"),
        "nothing was heard:\n{text}"
    );
    for line in text.lines() {
        let seen = needles.iter().find(|needle| line.contains(needle.as_str()));
        assert!(seen.is_none(), "{seen:?} stands in the line: {line}");
    }
}

/// What was printed on one thread, kept.
#[derive(Clone, Debug)]
struct Printed {
    text: Arc<Mutex<Vec<u8>>>,
    thread: ThreadId,
}

impl Printed {
    fn on_this_thread() -> Self {
        Self {
            text: Arc::default(),
            thread: thread::current().id(),
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().expect("not poisoned")).into_owned()
    }
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if thread::current().id() == self.thread {
            self.text.lock().expect("not poisoned").extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Printed {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
