//! What lies sealed beside the entries of a log that is held stays with them, however old it is and whoever wants it erased.

use std::time::Duration;

use hubkeep_audit_log::{Hold, Operation, Phase, payloads::Gone};
use hubkeep_core::clock::{Clock as _, Timestamp};
use hubkeep_proto::audit::v1::{PayloadState, PayloadSubject, erase_payloads_request::Of};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    anchors::mock,
    payloads::{Sealing, content},
    payloads_served::{OPERATOR, WHY},
    served::{Served, reason},
    support::{Place, eventually, on_both_databases},
};

const ONE: &str = "test/crm-service/1";
const THIRTEEN_MONTHS: Duration = Duration::from_secs(13 * 2_630_016);
const HOUR: Duration = Duration::from_secs(60 * 60);
const MINUTE: Duration = Duration::from_secs(60);

on_both_databases! {
    what_is_past_its_time_stays_while_its_log_is_held_and_goes_when_it_is_released,
    what_was_removed_before_its_log_was_held_is_told_from_what_was_taken_away_since,
    nobody_has_it_erased_while_its_log_is_held,
}

fn hold(since: Timestamp) -> Hold {
    Hold {
        operator: OPERATOR.to_owned(),
        reason: "case 7".to_owned(),
        hold_time: since,
    }
}

async fn what_is_past_its_time_stays_while_its_log_is_held_and_goes_when_it_is_released(place: Place) {
    let (clock, shared) = mock();
    let sealing = Sealing::open_at(place, shared).await;
    // More than are removed at once, before and behind those of another log.
    let mut held = sealing.calls(1, 600).await;
    let other = sealing.calls(2, 3).await;
    held.extend(sealing.calls(1, 1).await);
    sealing.log.hold(ONE, &hold(clock.now())).await.expect("held");
    clock.advance(THIRTEEN_MONTHS + HOUR);
    let left = async || sealing.place.intruder().await.payloads().await.len();
    eventually("what is not held is removed", async || {
        clock.advance(MINUTE);
        left().await == 601
    })
    .await;
    assert!(matches!(sealing.gone(&other[0]).await, Gone::Expired(_)));
    for event in [&held[0], &held[600]] {
        content(sealing.opened(event).await.expect("opens"));
    }
    sealing.log.release(ONE).await.expect("released");
    assert!(matches!(sealing.gone(&held[0]).await, Gone::Expired(_)));
    clock.advance(HOUR);
    eventually("what was held is removed", async || {
        clock.advance(MINUTE);
        left().await == 0
    })
    .await;
}

async fn what_was_removed_before_its_log_was_held_is_told_from_what_was_taken_away_since(place: Place) {
    let (clock, shared) = mock();
    let sealing = Sealing::open_at(place, shared).await;
    let old = sealing.calls(1, 1).await;
    clock.advance(THIRTEEN_MONTHS + HOUR);
    let left = async || sealing.place.intruder().await.payloads().await.len();
    eventually("it is removed", async || {
        clock.advance(MINUTE);
        left().await == 0
    })
    .await;
    let young = sealing.calls(1, 1).await;
    let other = sealing.calls(2, 1).await;
    sealing.log.hold(ONE, &hold(clock.now())).await.expect("held");
    assert!(matches!(sealing.gone(&old[0]).await, Gone::Expired(_)));
    clock.advance(THIRTEEN_MONTHS + HOUR);
    eventually("what is not held is removed", async || {
        clock.advance(MINUTE);
        left().await == 1
    })
    .await;
    sealing
        .place
        .intruder()
        .await
        .change("DELETE FROM audit_payload")
        .await;
    sealing.opened(&young[0]).await.expect_err("taken away");
    assert!(matches!(sealing.gone(&other[0]).await, Gone::Expired(_)));
    assert!(matches!(sealing.gone(&old[0]).await, Gone::Expired(_)));
}

fn held_by(refused: &Status) -> (Code, String, String) {
    let told = refused.get_error_details();
    let metadata = &told.error_info().expect("a reason").metadata;
    (refused.code(), reason(refused), metadata["log"].clone())
}

async fn nobody_has_it_erased_while_its_log_is_held(place: Place) {
    let (served, calls, _folder) = Served::sealing(place).await;
    served
        .log
        .hold(ONE, &hold(served.clock.now()))
        .await
        .expect("held");
    let one = Of::Position(calls[0].position);
    let about = Of::Subject(PayloadSubject {
        client_slug: "client-1".to_owned(),
        object_type: "contacts".to_owned(),
        object_id: "4711".to_owned(),
    });
    let erase = async |of: &Of| served.erase(OPERATOR, None, Some(of.clone()), WHY).await;
    for of in [&one, &about] {
        let refused = erase(of).await.expect_err("held");
        let told = (Code::FailedPrecondition, "AUDIT_HELD".to_owned(), ONE.to_owned());
        assert_eq!(held_by(&refused), told);
        assert!(refused.message().contains("release"), "{}", refused.message());
        let (log, newest) = served.newest().await;
        assert_eq!(
            (
                log.as_str(),
                newest.phase(),
                newest.operation(),
                newest.reason().wire_name()
            ),
            (ONE, Phase::Denied, Operation::PayloadErase, "AUDIT_HELD")
        );
    }
    let other = Of::Position(calls[1].position);
    assert_eq!(erase(&other).await.expect("not held").erased_count, 1);
    let opened = served.open_for(OPERATOR, None, calls[0].position).await;
    assert_eq!(opened.expect("read").state(), PayloadState::Opened);
    served.log.release(ONE).await.expect("released");
    assert_eq!(erase(&one).await.expect("erased").erased_count, 1);
}
