//! A pair of records and the same turned round, in one request.

use super::*;

#[tokio::test]
async fn a_pair_and_the_same_turned_round_are_both_done() {
    let (hubkeep, crm) = hubkeep(2, 0).await;
    let (ann, bob) = (contact(0), contact(1));
    let both: [Labelled<'_>; 2] = [(&ann, &bob, vec![]), (&bob, &ann, vec![])];
    let made = crm
        .associate_many(("contacts", "contacts"), &both)
        .await
        .expect("answered");
    assert!(kinds(&made.results).iter().all(Result::is_ok), "{made:?}");
    assert_eq!(asked(&hubkeep, "/batch/associate/default"), 2);
}

#[tokio::test]
async fn a_pair_and_the_same_turned_round_keep_the_labels_of_both() {
    let (hubkeep, crm) = hubkeep(2, 0).await;
    let (ann, bob) = (contact(0), contact(1));
    let sides = (ObjectType::Contacts, ObjectType::Contacts);
    let [friend, mentor] = ["Friend", "Mentor"].map(|name| {
        let own = hubkeep.hubspot.define_label(ID, sides, name).expect("defined");
        AssociationLabel {
            type_id: own,
            category: "USER_DEFINED".to_owned(),
            label: String::new(),
        }
    });
    let both: [Labelled<'_>; 2] = [
        (&ann, &bob, vec![friend.clone()]),
        (&bob, &ann, vec![mentor.clone()]),
    ];
    let made = crm
        .associate_many(("contacts", "contacts"), &both)
        .await
        .expect("answered");
    assert!(kinds(&made.results).iter().all(Result::is_ok), "{made:?}");
    for (from, wanted) in [(&ann, friend), (&bob, mentor)] {
        let there = crm
            .associated(("contacts", from), "contacts")
            .await
            .expect("read");
        let labels = &there.records.first().expect("associated").labels;
        let has = labels.iter().any(|label| label.type_id == wanted.type_id);
        assert!(has, "{from}: {labels:?}");
    }
}
