//! What readers of one client find.

use hubkeep_audit_log::{AuditLog, Filter, Outcome, Position};

use crate::{
    order::produce,
    support::{Place, everything, on_both_databases, portal, read_of},
};

on_both_databases! {
    ; on two threads:
    every_event_of_a_client_is_found_in_order_and_none_of_others,
}

/// The positions of this client's events after `after`, a page at a time.
async fn paged(log: &AuditLog, client: u64, after: Position) -> Vec<u64> {
    let filter = Filter {
        client_slug: Some(portal(client).client_slug().clone()),
        ..Filter::default()
    };
    let (mut found, mut after) = (Vec::new(), after);
    loop {
        let page = log.list(&filter, after, 90).await.expect("the log reads");
        let Some(last) = page.last() else {
            return found;
        };
        after = Position(last.position);
        found.extend(page.iter().map(|event| event.position));
    }
}

/// Both are far enough apart that what finds them lies apart too, and the log is opened again between them.
async fn every_event_of_a_client_is_found_in_order_and_none_of_others(place: Place) {
    let log = place.open().await;
    let rare = || async {
        let intent = log.intent(read_of(9)).await.expect("durable");
        intent.settle(Outcome::ok()).await.expect("durable")
    };
    rare().await;
    produce(&log, 32, 40).join_all().await;
    let between = rare().await;
    log.stop().await;

    let log = place.open().await;
    produce(&log, 32, 40).join_all().await;
    let last = log.intent(read_of(9)).await.expect("durable");
    last.settle(Outcome::ok()).await.expect("durable");

    let all = everything(&log).await;
    assert_eq!(all.len(), 2 * (2 * 32 * 40 + 2) + 2);
    let of_log = |client: u64, after: Position| -> Vec<u64> {
        let name = format!("test/crm-service/{client}");
        let theirs = all
            .iter()
            .filter(|event| event.log == name && event.position > after.get());
        theirs.map(|event| event.position).collect()
    };
    for client in [1, 7, 9] {
        for after in [Position::START, Position(1_023), between] {
            let expected = of_log(client, after);
            assert!(!expected.is_empty());
            assert_eq!(
                paged(&log, client, after).await,
                expected,
                "client {client} after {after}"
            );
        }
    }
    assert_eq!(paged(&log, 8, Position::START).await, Vec::<u64>::new());
}
