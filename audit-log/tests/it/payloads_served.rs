//! Who opens and erases what lies sealed beside entries, and how that is on record before it is done.

use hubkeep_audit_log::{Event, Operation, Outcome, Phase};
use hubkeep_proto::audit::v1::{
    ErasePayloadsRequest, ErasePayloadsResponse, OpenPayloadRequest, OpenPayloadResponse, PayloadState,
    PayloadSubject, erase_payloads_request::Of,
};
use tonic::{Code, Status};

use crate::{
    payloads::{keyring, writes},
    served::{Served, asked, reason},
    support::{Place, entry, everything, on_both_databases},
};

pub(crate) const OPERATOR: &str = "operator/ann";
pub(crate) const WHY: &str = "the client asked what we wrote";

on_both_databases! {
    what_an_operator_opens_is_in_the_portals_log_with_the_reason,
    nobody_else_opens_anything_and_the_attempt_is_on_record,
    what_was_altered_is_told_and_on_record,
    an_operator_has_the_payload_of_one_entry_erased_on_record,
    a_request_without_a_reason_or_an_entry_is_refused,
}

impl Served {
    /// One that seals, with a call of each of two portals.
    pub(crate) async fn sealing(place: Place) -> (Self, Vec<Event>, tempfile::TempDir) {
        let served = Self::start(place).await;
        let folder = tempfile::tempdir().expect("a folder");
        let (keyring, _) = keyring(folder.path()).await;
        served.log.seal_payloads_with(keyring);
        for portal in [1, 2] {
            let intent = served.log.intent(writes(portal)).await.expect("durable");
            intent.settle(Outcome::ok()).await.expect("durable");
        }
        let mut all = everything(&served.log).await;
        all.retain(|event| entry(event).phase() == Phase::Intent);
        (served, all, folder)
    }

    pub(crate) async fn open_for(
        &self,
        caller: &str,
        handle: Option<&str>,
        position: u64,
    ) -> Result<OpenPayloadResponse, Status> {
        let request = OpenPayloadRequest {
            position,
            reason: WHY.to_owned(),
        };
        let opened = self
            .client
            .clone()
            .open_payload(asked(caller, handle, request))
            .await;
        opened.map(tonic::Response::into_inner)
    }

    pub(crate) async fn erase(
        &self,
        caller: &str,
        handle: Option<&str>,
        of: Option<Of>,
        why: &str,
    ) -> Result<ErasePayloadsResponse, Status> {
        let request = ErasePayloadsRequest {
            of,
            reason: why.to_owned(),
        };
        let erased = self
            .client
            .clone()
            .erase_payloads(asked(caller, handle, request))
            .await;
        erased.map(tonic::Response::into_inner)
    }
}

async fn what_an_operator_opens_is_in_the_portals_log_with_the_reason(place: Place) {
    let (served, calls, _folder) = Served::sealing(place).await;
    let opened = served.open_for(OPERATOR, None, calls[0].position).await;
    let opened = opened.expect("opened");
    assert_eq!(opened.state(), PayloadState::Opened);
    let payload = opened.payload.expect("given");
    assert_eq!(payload.records[0].values[0].value, "ann@acme.test");
    let event = opened.event.expect("given");
    assert_eq!(entry(&event).entry_id, entry(&calls[0]).entry_id);
    let (log, newest) = served.newest().await;
    assert_eq!(log, "test/crm-service/1");
    assert_eq!(
        (newest.phase(), newest.operation(), newest.caller.as_str()),
        (Phase::Admin, Operation::PayloadOpen, OPERATOR)
    );
    let about = format!(
        "entry {} at position {}: {WHY}",
        entry(&calls[0]).entry_id,
        calls[0].position
    );
    assert_eq!(newest.subject, about);

    let outcome = served.open_for(OPERATOR, None, calls[0].position + 1).await;
    let outcome = outcome.expect("read");
    assert_eq!((outcome.state(), outcome.payload), (PayloadState::None, None));
}

async fn nobody_else_opens_anything_and_the_attempt_is_on_record(place: Place) {
    let (served, calls, _folder) = Served::sealing(place).await;
    let (position, of) = (calls[0].position, Some(Of::Position(calls[0].position)));
    let handle = Some(served.handle.as_str());
    for (caller, handle, told) in [
        ("agent", handle, "OPERATION_NOT_ALLOWED"),
        (OPERATOR, handle, "OPERATION_NOT_ALLOWED"),
        ("agent", None, "CALLER_NOT_ALLOWED"),
    ] {
        let opened = served
            .open_for(caller, handle, position)
            .await
            .expect_err("refused");
        assert_eq!(
            (opened.code(), reason(&opened).as_str()),
            (Code::PermissionDenied, told)
        );
        let (_, newest) = served.newest().await;
        assert_eq!(
            (newest.phase(), newest.operation(), newest.caller.as_str()),
            (Phase::Denied, Operation::PayloadOpen, caller)
        );
        let erased = served
            .erase(caller, handle, of.clone(), WHY)
            .await
            .expect_err("refused");
        assert_eq!(
            (erased.code(), reason(&erased).as_str()),
            (Code::PermissionDenied, told)
        );
    }
    let opened = served.open_for(OPERATOR, None, position).await.expect("opened");
    assert_eq!(opened.state(), PayloadState::Opened, "nothing was erased");
}

async fn what_was_altered_is_told_and_on_record(place: Place) {
    let (served, calls, _folder) = Served::sealing(place).await;
    let mut intruder = served.place().intruder().await;
    intruder.change("UPDATE audit_payload SET sealed = leaf FROM audit_entry WHERE audit_entry.position = audit_payload.position").await;
    let refused = served.open_for(OPERATOR, None, calls[0].position).await;
    let refused = refused.expect_err("altered");
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::Internal, "PAYLOAD_ALTERED")
    );
    let (log, newest) = served.newest().await;
    assert_eq!(log, "test/crm-service/1");
    assert_eq!(
        (newest.phase(), newest.operation(), newest.reason().wire_name()),
        (Phase::Admin, Operation::PayloadOpen, "PAYLOAD_ALTERED")
    );
}

async fn an_operator_has_the_payload_of_one_entry_erased_on_record(place: Place) {
    let (served, calls, _folder) = Served::sealing(place).await;
    let of = || Some(Of::Position(calls[0].position));
    let erased = served
        .erase(OPERATOR, None, of(), "Art. 17")
        .await
        .expect("erased");
    assert_eq!(erased.erased_count, 1);
    let (log, newest) = served.newest().await;
    assert_eq!(log, "test/crm-service/1");
    assert_eq!(newest.operation(), Operation::PayloadErase);
    assert!(newest.subject.ends_with(": Art. 17"), "{}", newest.subject);
    let opened = served
        .open_for(OPERATOR, None, calls[0].position)
        .await
        .expect("read");
    assert_eq!(opened.state(), PayloadState::Erased);
    assert_eq!(opened.payload, None);
    assert_eq!(opened.erased_position, erased.erased_position);
    assert!(opened.gone_time.is_some());
    let other = served
        .open_for(OPERATOR, None, calls[1].position)
        .await
        .expect("read");
    assert_eq!(other.state(), PayloadState::Opened, "the other portal's is there");
    let again = served
        .erase(OPERATOR, None, of(), "once more")
        .await
        .expect("asked again");
    assert_eq!(again.erased_count, 0);
}

async fn a_request_without_a_reason_or_an_entry_is_refused(place: Place) {
    let (served, calls, _folder) = Served::sealing(place).await;
    let position = Some(Of::Position(calls[0].position));
    let subject = |client_slug: &str| {
        Some(Of::Subject(PayloadSubject {
            client_slug: client_slug.to_owned(),
            object_type: "contacts".to_owned(),
            object_id: "4711".to_owned(),
        }))
    };
    for (of, why) in [
        (position, ""),
        (None, WHY),
        (Some(Of::Position(1_000)), WHY),
        (subject("no-such-client"), WHY),
        (subject("Not A Slug"), WHY),
    ] {
        let refused = served.erase(OPERATOR, None, of, why).await.expect_err("refused");
        assert_eq!(reason(&refused), "INVALID_FIELD");
    }
    let beyond = served
        .open_for(OPERATOR, None, 1_000)
        .await
        .expect_err("no entry");
    assert_eq!(reason(&beyond), "INVALID_FIELD");
}
