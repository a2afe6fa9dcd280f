//! A write by a handle that is limited by pipeline, settled by an operator: the caller whose write it was is answered with that.

use hubkeep_proto::crm::v1::{SettleWriteRequest, WriteState};
use hubkeep_tests::{
    Crm, Fault, FaultRule, ObjectType, PortalSpec, Refused, TokenSpec, World,
    support::{
        limited::{Limited, Wish},
        writes::{settle, write_id},
    },
};
use tonic::Code;

const A: &str = "acme";

fn world() -> World {
    let deal = [
        ("dealname", "one"),
        ("pipeline", "renewals"),
        ("dealstage", "first"),
    ];
    let portal = PortalSpec::new(A, 4_242)
        .token(TokenSpec::private_app("pat-na1-0000aaaa-within00-0001"))
        .record(ObjectType::Deals, &deal);
    World {
        portals: vec![portal],
        apps: Vec::new(),
    }
}

fn within(limited: &Limited, pipelines: &[&str]) -> Crm {
    let wish = Wish {
        pipelines,
        ..Wish::default()
    };
    limited.holder(A, &wish)
}

#[tokio::test]
async fn what_an_operator_says_of_a_write_within_limits_is_answered_to_the_caller_whose_write_it_was() {
    let limited = Limited::start(world()).await;
    let crm = within(&limited, &["renewals"]).under(&write_id(1));
    let new = [
        ("dealname", "two"),
        ("pipeline", "renewals"),
        ("dealstage", "first"),
    ];
    let lost = FaultRule::new(Fault::CutConnection).method("POST").times(1);
    limited.hubspot.inject(lost.after_effect());
    let unknown = Refused::in_place_of(crm.create("deals", &new).await);
    assert_eq!(unknown.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    let said = SettleWriteRequest {
        client_slug: A.to_owned(),
        call_id: unknown.metadata["call_id"].clone(),
        state: WriteState::Done.into(),
        object_id: "4711".to_owned(),
        reason: "looked at HubSpot".to_owned(),
        ..SettleWriteRequest::default()
    };
    settle(limited.channel(), said).await.expect("settled");
    let sent = limited.sent().len();
    let again = crm.create("deals", &new).await.expect("answered");
    assert_eq!(again.object.expect("a record").object_id, "4711");
    assert!(again.reply.expect("about the call").kept);

    // Another handle of the same within the same limits, and one without; but none within others.
    for pipelines in [&["renewals"][..], &[]] {
        let same = within(&limited, pipelines).under(&write_id(1));
        same.create("deals", &new).await.expect("answered");
    }
    let other = within(&limited, &["renewals", "new-business"]).under(&write_id(1));
    let refused = Refused::in_place_of(other.create("deals", &new).await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "RECORD_NOT_ALLOWED"));
    assert_eq!(limited.sent().len(), sent, "nothing was sent again");
}
