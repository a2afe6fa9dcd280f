//! A write that nobody can find by reading: whoever asks again hears that at once, and an operator who has looked settles it.

use std::time::Duration;

use hubkeep_audit_log::{Entry, Operation, Phase};
use hubkeep_core::{
    clock::{MockClock, SystemClock, Timestamp},
    error::ErrorReason,
};
use hubkeep_proto::crm::v1::{CreateObjectResponse, SettleWriteRequest, Write, WriteState};
use hubkeep_tests::{
    Allow, BOUND, Crm, Fault, FaultRule, Hubkeep, Limits, Refused, Service, World,
    support::{
        portals::OPERATOR,
        writes::{sent_writes, settle, write_id},
    },
};
use tonic::{Code, Status};

const A: &str = "client-0001";
const B: &str = "client-0002";
const AN_HOUR: Duration = Duration::from_secs(3_600);
const NOTHING: Duration = Duration::ZERO;

async fn hubkeep(not_done_after: Duration) -> (Hubkeep, Crm) {
    let setup = Hubkeep::over(World::of_portals(2).limits(&Limits::unlimited()));
    let setup = setup.crm(move |config| config.writes.not_done_after = not_done_after);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let crm = writer(&hubkeep).await;
    (hubkeep, crm)
}

async fn writer(hubkeep: &Hubkeep) -> Crm {
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    let proven = crm.update("contacts", "105", &[("firstname", "Ann")]).await;
    proven.expect("the token is proven");
    hubkeep.hubspot.clear_journal();
    crm
}

/// A new company, of which HubSpot keeps nothing unique: when its answer is lost, nobody can find it.
async fn company(crm: &Crm) -> Result<CreateObjectResponse, Status> {
    crm.create("companies", &[("name", "Acme")]).await
}

/// The same, whose answer is lost. Gives its call.
async fn lost(hubkeep: &Hubkeep, crm: &Crm, after_effect: bool) -> String {
    let rule = FaultRule::new(Fault::CutConnection).method("POST").times(1);
    let rule = if after_effect { rule.after_effect() } else { rule };
    hubkeep.hubspot.inject(rule);
    is_unknown(company(crm).await)
}

fn is_unknown<T>(answer: Result<T, Status>) -> String {
    let refused = Refused::in_place_of(answer);
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    assert_eq!(refused.retry_after, None, "never to be retried blindly");
    refused.metadata["call_id"].clone()
}

fn sent(hubkeep: &Hubkeep) -> usize {
    sent_writes(hubkeep.journal()).len()
}

fn said(call_id: &str, state: WriteState, object_id: &str) -> SettleWriteRequest {
    SettleWriteRequest {
        client_slug: A.to_owned(),
        call_id: call_id.to_owned(),
        state: state.into(),
        object_id: object_id.to_owned(),
        reason: "looked at HubSpot, ticket 17".to_owned(),
        ..SettleWriteRequest::default()
    }
}

async fn settled(hubkeep: &Hubkeep, message: SettleWriteRequest) -> Result<Write, Refused> {
    let answer = settle(hubkeep.channel(Service::Crm), message).await;
    let answer = answer.map_err(|status| Refused::of(&status))?;
    Ok(answer.write.expect("told"))
}

async fn settlings(hubkeep: &Hubkeep, phase: Phase) -> Vec<Entry> {
    let mut entries = hubkeep.entries(Service::Crm, phase).await;
    entries.retain(|entry| entry.operation() == Operation::WriteSettle);
    entries
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_again_for_what_cannot_be_found_is_answered_while_time_stands_still() {
    let clock = MockClock::at(Timestamp::from_micros(1_795_366_800_000_000));
    let setup = Hubkeep::over(World::of_portals(1).limits(&Limits::unlimited()));
    let hubkeep = setup.clock(clock).start().await;
    hubkeep.onboard_all().await;
    let crm = writer(&hubkeep).await;
    // One that cannot be found, and one that could be, when HubSpot has given it up.
    let first = crm.clone().under(&write_id(1));
    let call = lost(&hubkeep, &first, true).await;
    let second = crm.under(&write_id(2));
    let rule = FaultRule::new(Fault::CutConnection).method("PATCH").times(1);
    hubkeep.hubspot.inject(rule);
    let update = async || second.update("contacts", "101", &[("firstname", "Zoe")]).await;
    let updated = is_unknown(update().await);
    let real = SystemClock::shared();
    for _ in 0..2 {
        let again = real.timeout(BOUND, company(&first)).await;
        assert_eq!(is_unknown(again.expect("it waits for nothing")), call);
        let again = real.timeout(BOUND, update()).await;
        assert_eq!(is_unknown(again.expect("it waits for nothing")), updated);
    }
    assert_eq!(sent(&hubkeep), 2, "nothing was sent again");
}

#[tokio::test]
async fn what_an_operator_says_was_done_is_answered_with_and_who_said_it_is_on_record() {
    let (hubkeep, crm) = hubkeep(AN_HOUR).await;
    let crm = crm.under(&write_id(1));
    let call = lost(&hubkeep, &crm, true).await;
    let write = settled(&hubkeep, said(&call, WriteState::Done, "4711")).await;
    let write = write.expect("settled");
    assert_eq!(
        (write.state(), write.settled_by.as_str(), &write.call_id),
        (WriteState::Done, "operator", &call)
    );
    assert!(!write.object_ref.is_empty(), "it names the record as entries do");
    let entries = settlings(&hubkeep, Phase::Admin).await;
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!(
        (entry.portal_id, entry.client_slug.as_str(), entry.caller.as_str()),
        (hubkeep.portal_id(A), A, OPERATOR)
    );
    assert_eq!(
        entry.subject,
        format!("{call}: done, by an operator: looked at HubSpot, ticket 17")
    );
    assert_eq!(entry.object_ref, write.object_ref);

    let again = company(&crm).await.expect("answered");
    assert_eq!(again.object.expect("a record").object_id, "4711");
    assert!(again.reply.expect("about the call").kept);
    assert_eq!(sent(&hubkeep), 1, "nothing was sent again");
    let twice = settled(&hubkeep, said(&call, WriteState::NotDone, "")).await;
    let twice = twice.expect_err("it is known");
    assert_eq!(twice.said(), (Code::NotFound, "WRITE_NOT_LISTED"));
    assert_eq!(twice.metadata["state"], "DONE");
}

#[tokio::test]
async fn what_an_operator_says_was_done_without_naming_the_record_is_not_sent_again() {
    let (hubkeep, crm) = hubkeep(AN_HOUR).await;
    let crm = crm.under(&write_id(1));
    let call = lost(&hubkeep, &crm, true).await;
    settled(&hubkeep, said(&call, WriteState::Done, ""))
        .await
        .expect("settled");
    let refused = Refused::in_place_of(company(&crm).await);
    assert_eq!(refused.said(), (Code::Unknown, "WRITE_ANSWER_LOST"));
    assert_eq!(sent(&hubkeep), 1);
}

#[tokio::test]
async fn what_an_operator_says_was_not_done_is_sent_again_and_that_is_believed_only_when_hubspot_cannot_be_at_it()
 {
    let (hubkeep, crm) = hubkeep(AN_HOUR).await;
    let call = lost(&hubkeep, &crm, false).await;
    let early = settled(&hubkeep, said(&call, WriteState::NotDone, "")).await;
    let early = early.expect_err("HubSpot may still be at it");
    assert_eq!(early.said(), (Code::Unavailable, "WRITE_UNDER_WAY"));
    assert!(early.retry_after.is_some_and(|wait| wait <= AN_HOUR));

    let (hubkeep, crm) = self::hubkeep(NOTHING).await;
    let crm = crm.under(&write_id(1));
    let call = lost(&hubkeep, &crm, false).await;
    let refused = Refused::in_place_of(company(&crm).await);
    assert_eq!(refused.reason, "OUTCOME_UNKNOWN", "nobody can tell by reading");
    let write = settled(&hubkeep, said(&call, WriteState::NotDone, "")).await;
    assert_eq!(write.expect("settled").state(), WriteState::NotDone);
    let made = company(&crm).await.expect("made now");
    assert!(!made.reply.expect("about the call").kept);
    assert_eq!(sent(&hubkeep), 2);
    company(&crm).await.expect("kept");
    assert_eq!(sent(&hubkeep), 2);
}

#[tokio::test]
async fn nobody_settles_a_write_but_an_operator_and_only_one_that_is_there() {
    let (hubkeep, crm) = hubkeep(AN_HOUR).await;
    let call = lost(&hubkeep, &crm, true).await;
    let handle = hubkeep.handle(A).allow([Allow::ReadAudit]).issue().await;
    let holder = hubkeep.crm_as("sync").with(&handle);
    let refused = Refused::in_place_of(holder.settle(said(&call, WriteState::Done, "1")).await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "OPERATION_NOT_ALLOWED"));
    assert_eq!(refused.metadata["operation"], "SETTLE_WRITE");

    let elsewhere = SettleWriteRequest {
        client_slug: B.to_owned(),
        ..said(&call, WriteState::Done, "")
    };
    let of_another_id = SettleWriteRequest {
        expected_portal_id: hubkeep.portal_id(B),
        ..said(&call, WriteState::Done, "")
    };
    for message in [elsewhere, of_another_id, said(&write_id(9), WriteState::Done, "")] {
        let refused = settled(&hubkeep, message).await.expect_err("there is none");
        assert_eq!(refused.said(), (Code::NotFound, "WRITE_NOT_LISTED"));
        assert_eq!(refused.metadata.get("state"), None);
    }
    let denied = settlings(&hubkeep, Phase::Denied).await;
    let reasons: Vec<_> = denied.iter().map(|entry| entry.reason()).collect();
    assert_eq!(reasons[0], ErrorReason::OperationNotAllowed);
    // Of refusals that are alike one entry stands for several.
    let others = &reasons[1..];
    assert!(!others.is_empty());
    assert!(
        others.iter().all(|reason| *reason == ErrorReason::WriteNotListed),
        "{others:?}"
    );
    assert_eq!(
        (denied[0].portal_id, denied[1].portal_id),
        (hubkeep.portal_id(A), 0),
        "a slug that is named proves no portal"
    );
    assert!(settlings(&hubkeep, Phase::Admin).await.is_empty());
    let reader = holder.writes(&[]).await.expect("listed");
    assert_eq!(reader.len(), 1, "it is as it was");
}
