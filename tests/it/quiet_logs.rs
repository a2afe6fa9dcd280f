//! What a service writes into its log when its surroundings fail: each fact once, and nothing where all is as it should
//! be.

use std::{
    fs::{self, File},
    process::Stdio,
    time::Duration,
};

use hubkeep_proto::audit::v1::{EventFilter, StreamEventsRequest, audit_service_client::AuditServiceClient};
use hubkeep_tests::{
    Allow, Crm, Hubkeep, Proxy, Service, World, eventually,
    support::{
        crm_process::channel,
        processes::{Process, crm_service_binary, crm_service_config, serve},
    },
};

const A: &str = "client-0001";

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_feed_is_told_once_and_once_when_it_is_back_and_a_normal_stop_warns_of_nothing() {
    let hubkeep = Hubkeep::over(World::of_portals(1)).without_crm().start().await;
    hubkeep.onboard_all().await;
    let between = Proxy::to(hubkeep.address(Service::Credential)).await;
    let credential_service = format!("http://{}", between.address());
    let config = crm_service_config(hubkeep.folder(), &credential_service, &hubkeep.hubspot.base_url());
    let (log, said) = (hubkeep.folder().join("log"), hubkeep.folder().join("said"));
    let mut command = serve(crm_service_binary(), &config);
    command
        .stdin(Stdio::null())
        .stdout(File::create(&said).expect("a file"))
        .stderr(File::create(&log).expect("a file"));
    let mut process = Process::started("crm-service", &mut command);
    let lines = |part: &str| {
        let text = fs::read_to_string(&log).expect("text");
        text.lines().filter(|line| line.contains(part)).count()
    };
    let address = || {
        let text = fs::read_to_string(&said).expect("text");
        let line = text.lines().find_map(|line| line.strip_prefix("listening on "));
        line.map(|address| format!("http://{}", address.trim()))
    };
    eventually!(address().is_some());
    let channel = channel(&address().expect("it listens"));
    let handle = hubkeep
        .handle(A)
        .allow([Allow::Get, Allow::ReadAudit])
        .issue()
        .await;
    let crm = Crm::of(channel.clone(), &handle.caller).with(&handle);
    crm.get("contacts", "101").await.expect("read");
    let request = StreamEventsRequest {
        filter: Some(EventFilter {
            client_slug: A.to_owned(),
            ..EventFilter::default()
        }),
        ..StreamEventsRequest::default()
    };
    let mut audit = AuditServiceClient::new(channel);
    let opened = audit.stream_events(crm.request(request)).await;
    let mut events = opened.expect("opened").into_inner();

    between.cut();
    eventually!(lines("the revocation feed broke off") > 0);
    // After 5 s without the feed nothing is answered from memory: until then it was tried again some 25 times.
    eventually!(crm.get("contacts", "101").await.is_err());
    between.restore();
    eventually!(lines("the revocation feed is back") > 0);

    let before = lines("WARN");
    process.ask_to_stop();
    process.ends_within(Duration::from_secs(5)).await;
    eventually!(events.message().await.is_err());
    assert_eq!(lines("the revocation feed broke off"), 1);
    assert_eq!(lines("the revocation feed is back"), 1);
    let text = fs::read_to_string(&log).expect("text");
    assert_eq!(lines("WARN"), before, "a stop is no fault: {text}");
}
