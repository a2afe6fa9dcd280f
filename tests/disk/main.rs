//! The disk under the log of crm-service fails at each of its writes and at each of its syncs, one after the other, once and from
//! there on; and the process is killed at each. Whatever reached HubSpot has its record, what was answered is known, and the log
//! opens, is whole, and verifies. Run by `make test-disk`.

mod around;

use std::time::Duration;

use hubkeep_tests::{eventually, support::strace::Strace};

use around::Around;

/// What a log in a file asks of the system to be durable.
const STEPS: [&str; 2] = ["pwrite64", "fdatasync"];
/// What the system says instead.
const ERRORS: [&str; 2] = ["EIO", "ENOSPC"];
/// A read and a write do not have so many steps.
const MOST: u32 = 200;
/// How many steps there are is not the same each time: beyond the last are those that are not reached so often, one after the other.
const BEYOND: u32 = 3;
/// Within this the service has recovered.
const RECOVERED: Duration = Duration::from_secs(30);

/// Does it at the first, at the second and so on, until they are not reached any more. Gives how many were.
async fn at_each(mut reached_at: impl AsyncFnMut(u32) -> bool) -> u32 {
    let (mut reached, mut beyond) = (0, 0);
    for step in 1..=MOST {
        if reached_at(step).await {
            (reached, beyond) = (reached + 1, 0);
        } else {
            beyond += 1;
        }
        if beyond == BEYOND {
            return reached;
        }
    }
    panic!("more than {MOST} steps");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_at_each_write_and_each_sync_loses_no_record() {
    let around = Around::start().await;
    let (process, address) = around.serving();
    let files = around.files();
    let log = [files[0].as_path(), files[1].as_path()];
    let with_spill = files.each_ref().map(std::path::PathBuf::as_path);
    for name in STEPS {
        for error in ERRORS {
            for (and_on, files) in [("", &log[..]), ("+", &log[..]), ("+", &with_spill[..])] {
                let crm = around.crm(&address, &around.handle().await);
                crm.get("contacts", "101").await.expect("all is well");
                let mut refused = 0;
                let steps = at_each(async |step| {
                    let failing = format!("error={error}:when={step}{and_on}");
                    let strace = Strace::attached(process.id(), name, &failing, files);
                    refused += around.calls(&crm).await;
                    let reached = strace.detach();
                    eventually!(RECOVERED, crm.get("contacts", "102").await.is_ok());
                    around.every_request_has_its_record(&format!("{name} {failing}"));
                    reached
                })
                .await;
                let of = files.len();
                println!(
                    "{name} {error}{and_on} of {of} files: failed at {steps} steps, refused {refused} calls"
                );
                assert!(
                    steps > 3 && refused > 0,
                    "{name} {error}: {steps} steps, {refused} refused"
                );
            }
        }
    }
    process.kill();
    around.is_whole_and_verifies().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_write_and_each_sync_it_leaves_no_request_without_a_record() {
    let around = Around::start().await;
    let files = around.files();
    let files = files.each_ref().map(std::path::PathBuf::as_path);
    for name in STEPS {
        let handle = around.handle().await;
        let steps = at_each(async |step| {
            let (mut process, address) = around.serving();
            let crm = around.crm(&address, &handle);
            let killing = format!("signal=KILL:when={step}");
            let strace = Strace::attached(process.id(), name, &killing, &files);
            around.calls(&crm).await;
            let reached = process.has_ended();
            process.kill();
            strace.wait();
            around.every_request_has_its_record(&format!("{name} {killing}"));
            reached
        })
        .await;
        println!("{name}: killed at {steps} steps");
        assert!(steps > 3, "{name}: {steps} steps");
    }
    around.is_whole_and_verifies().await;
}
