//! By the system calls themselves: the record of a call is on disk before its first byte leaves for HubSpot, and the
//! record of its end before the answer leaves for the caller.
//!
//! crm-service runs under strace, makes one read and one write, and what it did with which file descriptor is looked
//! at in order. Run by `make test-order`.

mod faulted;
mod killed;
mod trace;

use std::{fs, path::Path, process::Command};

use hubkeep_tests::{
    Crm, Hubkeep, World, eventually,
    support::processes::{Process, crm_service_binary, crm_service_config},
};
use tonic::transport::Endpoint;
use trace::{Act, Trace};

const A: &str = "client-0001";

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_on_disk_before_the_first_byte_leaves_and_before_the_answer() {
    let strace = Command::new("strace").arg("-V").output();
    assert!(
        strace.is_ok_and(|output| output.status.success()),
        "this test needs strace: apt-get install strace"
    );
    let hubkeep = Hubkeep::over(World::of_portals(1)).without_crm().start().await;
    hubkeep.onboard_all().await;
    let config = crm_service_config(
        hubkeep.folder(),
        &hubkeep.credential_address(),
        &hubkeep.hubspot.base_url(),
    );
    let file = hubkeep.folder().join("strace.txt");
    let (process, address) = Process::listening("crm-service under strace", &mut traced(&config, &file));
    let channel = Endpoint::from_shared(address.clone())
        .expect("an address")
        .connect_lazy();
    let handle = hubkeep.handle(A).issue().await;
    let crm = Crm::of(channel, "sync").with(&handle);

    // The first call opens the connections and redeems the handle; the second and third have only themselves to do.
    crm.get("contacts", "101").await.expect("read");
    crm.get("contacts", "102").await.expect("read");
    crm.update("contacts", "101", &[("firstname", "x")])
        .await
        .expect("written");
    let id = process.id().to_string();
    process.kill();
    let is_last = |line: &str| line.starts_with(&id) && line.ends_with("+++ killed by SIGKILL +++");
    eventually!(fs::read_to_string(&file).is_ok_and(|text| text.lines().any(is_last)));

    let port = |address: &str| {
        address
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok())
            .expect("a port")
    };
    let text = fs::read_to_string(&file).expect("strace wrote it");
    let trace = Trace::of(&text, port(&address), port(&hubkeep.hubspot.base_url()));
    let acts = trace.acts();
    println!("{}", trace.told());
    let sent: Vec<usize> = places(&acts, Act::ToHubSpot);
    // Before the first write HubSpot is asked whose account the token is.
    assert_eq!(sent.len(), 4, "three calls, and a proof of identity, were sent");
    let mut since = acts
        .iter()
        .position(|act| *act == Act::ToCaller)
        .expect("the caller was heard");
    for (number, request) in sent.iter().enumerate() {
        since = in_order(&acts, since, *request, sent.get(number + 1).copied());
    }
}

/// Between `since`, when everything before was answered, and the request: a record of the log on disk. Between
/// HubSpot's answer and ours, or the next request that the same call makes: another. Gives the place of our answer, or of
/// HubSpot's where the call goes on.
fn in_order(acts: &[Act], since: usize, request: usize, next: Option<usize>) -> usize {
    let before = &acts[since..request];
    assert!(
        before.contains(&Act::LogOnDisk),
        "the request was sent before its intent was on disk: {before:?}"
    );
    let first = |wanted, from: usize| {
        let at = acts[from..].iter().position(|act| *act == wanted);
        from + at.unwrap_or_else(|| panic!("no {wanted:?} after the request"))
    };
    let answered = first(Act::FromHubSpot, request);
    let released = first(Act::ToCaller, answered);
    if let Some(next) = next.filter(|next| *next < released) {
        assert!(
            acts[answered..next].contains(&Act::LogOnDisk),
            "the call went on before the outcome was on disk: {:?}",
            &acts[request..=next]
        );
        return answered;
    }
    assert!(
        acts[answered..released].contains(&Act::LogOnDisk),
        "the answer was released before its outcome was on disk: {:?}",
        &acts[request..=released]
    );
    released
}

fn places(acts: &[Act], wanted: Act) -> Vec<usize> {
    let numbered = acts.iter().enumerate();
    numbered
        .filter(|(_, act)| **act == wanted)
        .map(|(at, _)| at)
        .collect()
}

/// crm-service, followed by strace: every descriptor with the file or the address behind it.
fn traced(config: &Path, file: &Path) -> Command {
    let mut command = Command::new("strace");
    command
        // As a grandchild, so that the process started here is the service itself and can be killed.
        .args(["-D", "-f", "-yy", "-s", "0", "-q"])
        .args(["-e", "trace=fdatasync,fsync,sendto,sendmsg,write,writev,recvfrom,recvmsg,read,readv"])
        .arg("-o")
        .arg(file)
        .arg(crm_service_binary())
        .arg("serve")
        .arg("--config")
        .arg(config)
        .arg("--dev");
    command
}
