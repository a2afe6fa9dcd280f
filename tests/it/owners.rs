//! Owners, by their own ids and by those of the users that they are.

use hubkeep_proto::crm::v1::GetOwnerRequest;
use hubkeep_tests::{
    PortalSpec, Refused, TokenSpec, World,
    support::{
        crm::Crm,
        limited::{Limited, Wish},
    },
};
use hubspot_sim::Owner;
use tonic::Code;

const A: &str = "acme";

/// Owner 7 is user 70, owner 8 user 80, and owner 70 is user 7.
async fn limited() -> Limited {
    let portal = PortalSpec::new(A, 4_242).token(TokenSpec::private_app("pat-na1-0000aaaa-limited-0001"));
    let portal = portal.owner(owner(7, 70, false)).owner(owner(8, 80, false));
    let portal = portal.owner(owner(70, 7, false)).owner(owner(9, 90, true));
    Limited::start(World::empty().with(portal)).await
}

fn owner(id: u64, user_id: u64, archived: bool) -> Owner {
    Owner {
        id,
        user_id,
        email: format!("owner{id}@acme.example"),
        first_name: "Olga".to_owned(),
        last_name: "Owner".to_owned(),
        archived,
    }
}

fn asked(owner_id: &str, user_id: &str, archived: bool) -> GetOwnerRequest {
    GetOwnerRequest {
        owner_id: owner_id.to_owned(),
        user_id: user_id.to_owned(),
        archived,
        ..GetOwnerRequest::default()
    }
}

async fn id_of(crm: &Crm, message: GetOwnerRequest) -> String {
    let answer = crm.owner_named(message).await.expect("there");
    answer.owner.expect("an owner").owner_id
}

#[tokio::test]
async fn an_owner_is_found_by_its_own_id_or_by_its_users_and_never_by_the_other_ones_number() {
    let limited = limited().await;
    let crm = limited.holder(A, &Wish::default());
    assert_eq!(id_of(&crm, asked("7", "", false)).await, "7");
    assert_eq!(id_of(&crm, asked("", "7", false)).await, "70");
    assert_eq!(id_of(&crm, asked("", "80", false)).await, "8");
    assert_eq!(id_of(&crm, asked("9", "", true)).await, "9");
    for gone in [
        asked("9", "", false),
        asked("7", "", true),
        asked("", "90", false),
    ] {
        let refused = Refused::in_place_of(crm.owner_named(gone).await);
        assert_eq!(refused.reason, "OBJECT_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_handle_for_some_owners_gives_no_other_by_its_user() {
    let limited = limited().await;
    let mine = Wish {
        owner_ids: &["7"],
        ..Wish::default()
    };
    let crm = limited.holder(A, &mine);
    assert_eq!(id_of(&crm, asked("", "70", false)).await, "7");
    let refused = Refused::in_place_of(crm.owner_named(asked("", "80", false)).await);
    assert_eq!(refused.said(), (Code::PermissionDenied, "RECORD_NOT_ALLOWED"));
    assert_eq!(refused.metadata["limited_by"], "owner_ids");
}

#[tokio::test]
async fn an_owner_that_is_named_twice_or_not_at_all_is_asked_of_nobody() {
    let limited = limited().await;
    let crm = limited.holder(A, &Wish::default());
    for (message, field) in [
        (asked("7", "70", false), "user_id"),
        (asked("", "", false), "owner_id"),
        (asked("", "../contacts", false), "user_id"),
        (asked("olga", "", false), "owner_id"),
    ] {
        let refused = Refused::in_place_of(crm.owner_named(message).await);
        assert_eq!(refused.said(), (Code::InvalidArgument, "INVALID_FIELD"));
        assert_eq!(refused.fields, [field]);
    }
    assert!(limited.hubspot.journal().is_empty(), "nothing was sent");
}
