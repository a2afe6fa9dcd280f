//! Many associations that are asked for again.

use hubkeep_tests::{
    Fault, FaultRule, Refused,
    support::{
        pairs::{Labelled, kinds},
        writes::write_id,
    },
};
use tonic::Code;

use super::{PRIMARY, TYPES, asked, company, contact, hubkeep, label};

#[tokio::test]
async fn the_same_request_id_gives_the_first_result_and_sends_nothing() {
    let (hubkeep, crm) = hubkeep(2, 1).await;
    let crm = crm.under(&write_id(1));
    let (ann, bob, acme) = (contact(0), contact(1), company(0));
    let pairs: [Labelled<'_>; 3] = [
        (&ann, &acme, vec![label(PRIMARY)]),
        (&bob, &acme, vec![]),
        ("999", &acme, vec![]),
    ];
    let first = crm.associate_many(TYPES, &pairs).await.expect("made");
    let sent = hubkeep.hubspot_calls().len();
    let again = crm.associate_many(TYPES, &pairs).await.expect("kept");
    assert_eq!(kinds(&again.results), kinds(&first.results));
    assert!(again.replies.iter().all(|reply| reply.kept));
    assert_eq!(
        hubkeep.hubspot_calls().len(),
        sent,
        "nothing is read for it either"
    );
}

#[tokio::test]
async fn a_lost_answer_is_of_unknown_outcome_and_found_out_when_it_is_asked_for_again() {
    let (hubkeep, crm) = hubkeep(2, 1).await;
    let (ann, bob, acme) = (contact(0), contact(1), company(0));
    for (number, path, end, labels) in [
        (1, "default", "/batch/associate/default", vec![]),
        (2, "create", "/batch/create", vec![label(PRIMARY)]),
    ] {
        let crm = crm.clone().under(&write_id(number));
        let lost = FaultRule::new(Fault::CutConnection).method("POST");
        let rule = lost.path(match path {
            "default" => "/crm/associations/2026-09/contacts/companies/batch/associate/default",
            _ => "/crm/associations/2026-09/contacts/companies/batch/create",
        });
        hubkeep.hubspot.inject(rule.after_effect());
        let pairs: [Labelled<'_>; 2] = [(&ann, &acme, labels.clone()), (&bob, &acme, labels)];
        let refused = Refused::in_place_of(crm.associate_many(TYPES, &pairs).await);
        assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
        hubkeep.hubspot.clear_faults();
        let again = crm.associate_many(TYPES, &pairs).await.expect("it was made");
        assert!(kinds(&again.results).iter().all(Result::is_ok), "{again:?}");
        assert_eq!(asked(&hubkeep, end), 1, "sent once");
    }
    let crm = crm.under(&write_id(3));
    let lost = FaultRule::new(Fault::CutConnection)
        .path("/crm/associations/2026-09/contacts/companies/batch/archive")
        .after_effect();
    hubkeep.hubspot.inject(lost);
    let pairs = [(ann.as_str(), acme.as_str()), (bob.as_str(), acme.as_str())];
    let refused = Refused::in_place_of(crm.dissociate_many(TYPES, &pairs).await);
    assert_eq!(refused.said(), (Code::Unknown, "OUTCOME_UNKNOWN"));
    hubkeep.hubspot.clear_faults();
    let again = crm.dissociate_many(TYPES, &pairs).await.expect("it was done");
    assert_eq!(kinds(&again.results), [Ok(vec![]), Ok(vec![])]);
    assert_eq!(asked(&hubkeep, "/batch/archive"), 1, "sent once");
}
