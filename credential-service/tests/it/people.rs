//! People: by which names each is known, and what becomes of handles when a name comes or goes.

use hubkeep_audit_log::Operation;
use hubkeep_proto::credential::v1::{
    ContainRequest, DeletePersonRequest, DeletePersonResponse, Grant, HandleHolder, LiftContainmentRequest,
    ListGrantsRequest, ListPeopleRequest, OidcSubject, Person, PutPersonRequest, PutPersonResponse,
    SlackUser, containment_service_client::ContainmentServiceClient, grant::Holder, handle_holder,
};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::{
    grants::{access_of, of_everything, on_acme, put},
    harness::*,
};

const ANN: &str = "operator/ann";
const ANNS_LAPTOP: &str = "laptop/ann";

fn person(id: &str, certificates: &[&str]) -> Person {
    Person {
        person_id: id.to_owned(),
        certificate_names: certificates.iter().map(|name| (*name).to_owned()).collect(),
        ..Person::default()
    }
}

async fn put_person(bench: &Bench, person: Person) -> Result<PutPersonResponse, Status> {
    let request = PutPersonRequest { person: Some(person) };
    Ok(access_of(bench).put_person(request).await?.into_inner())
}

async fn delete_person(bench: &Bench, id: &str) -> Result<DeletePersonResponse, Status> {
    let request = DeletePersonRequest {
        person_id: id.to_owned(),
    };
    Ok(access_of(bench).delete_person(request).await?.into_inner())
}

async fn start() -> Bench {
    let bench = Bench::without_grants(|_| {}).await;
    bench.onboard("acme", ACME_TOKEN, ACME).await.expect("onboards");
    bench
}

/// A grant for a person.
fn for_person(grant_id: &str, person_id: &str) -> Grant {
    Grant {
        holder: Some(Holder::PersonId(person_id.to_owned())),
        ..on_acme(grant_id, "x")
    }
}

#[tokio::test]
async fn a_grant_of_a_person_is_for_each_certificate_of_theirs_and_for_nobody_else() {
    let bench = start().await;
    assert_eq!(
        reason(&put(&bench, for_person("ann", "ann")).await),
        "PERSON_UNKNOWN"
    );
    put_person(&bench, person("ann", &[ANN, ANNS_LAPTOP]))
        .await
        .expect("put");
    put(&bench, for_person("ann", "ann")).await.expect("put");
    for caller in [ANN, ANNS_LAPTOP] {
        bench.issue(caller, "acme").await.expect("issued");
    }
    assert_eq!(reason(&bench.issue("laptop/bob", "acme").await), "GRANT_MISSING");
    let of_laptop = ListGrantsRequest {
        caller: ANNS_LAPTOP.to_owned(),
        ..ListGrantsRequest::default()
    };
    let listed = access_of(&bench)
        .list_grants(of_laptop)
        .await
        .expect("lists")
        .into_inner();
    assert_eq!(listed.grants.len(), 1);
    put_person(&bench, person("ann", &[ANN])).await.expect("put");
    assert_eq!(reason(&bench.issue(ANNS_LAPTOP, "acme").await), "GRANT_MISSING");
    bench.issue(ANN, "acme").await.expect("issued");
    delete_person(&bench, "ann").await.expect("deleted");
    assert_eq!(reason(&bench.issue(ANN, "acme").await), "GRANT_MISSING");
}

#[tokio::test]
async fn a_name_belongs_to_one_person_and_who_wants_it_hears_whose_it_is() {
    let bench = start().await;
    let ann = Person {
        oidc_subjects: vec![OidcSubject {
            issuer: "https://accounts.google.com".to_owned(),
            subject: "1176".to_owned(),
        }],
        slack_users: vec![SlackUser {
            team_id: "T024BE7LD".to_owned(),
            user_id: "U024BE7LH".to_owned(),
        }],
        ..person("ann", &[ANN])
    };
    let put = put_person(&bench, ann.clone())
        .await
        .expect("put")
        .person
        .expect("told");
    assert_eq!(
        (&put.oidc_subjects, &put.slack_users),
        (&ann.oidc_subjects, &ann.slack_users)
    );
    let bob = person("bob", &["operator/bob"]);
    for taken in [
        person("bob", &["operator/bob", ANN]),
        Person {
            oidc_subjects: ann.oidc_subjects.clone(),
            ..bob.clone()
        },
        Person {
            slack_users: ann.slack_users.clone(),
            ..bob.clone()
        },
    ] {
        let refused = put_person(&bench, taken).await;
        assert_eq!(reason(&refused), "IDENTITY_TAKEN");
        let details = refused.expect_err("refused").get_error_details();
        assert_eq!(details.error_info().expect("told").metadata["person_id"], "ann");
    }
    // The same user of another workspace is another one.
    let other = Person {
        slack_users: vec![SlackUser {
            team_id: "T0000000".to_owned(),
            user_id: "U024BE7LH".to_owned(),
        }],
        ..bob
    };
    put_person(&bench, other).await.expect("put");
    put_person(&bench, ann.clone())
        .await
        .expect("one's own names may be said again");
    delete_person(&bench, "ann").await.expect("deleted");
    put_person(&bench, person("eve", &[ANN]))
        .await
        .expect("free again");
    let listed = access_of(&bench).list_people(ListPeopleRequest::default()).await;
    let people = listed.expect("lists").into_inner().people;
    let ids: Vec<&str> = people.iter().map(|person| person.person_id.as_str()).collect();
    assert_eq!(ids, ["bob", "eve"]);
    let (_, entry) = bench.last_entry().await;
    assert_eq!(entry.operation(), Operation::PersonList);
}

#[tokio::test]
async fn handles_of_a_caller_end_when_it_comes_to_a_person_or_leaves_one() {
    let bench = start().await;
    put(&bench, of_everything("everybody", "*")).await.expect("put");
    let came = put_person(&bench, person("ann", &[ANN, ANNS_LAPTOP]))
        .await
        .expect("put");
    assert!(came.revocation_seq >= 2, "both callers' handles ended: {came:?}");
    let same = put_person(&bench, person("ann", &[ANNS_LAPTOP, ANN]))
        .await
        .expect("put");
    assert_eq!(same.revocation_seq, 0, "nobody came, and nobody went");
    let left = put_person(&bench, person("ann", &[ANN])).await.expect("put");
    assert_eq!(left.revocation_seq, came.revocation_seq + 1, "the laptop's alone");
    let gone = delete_person(&bench, "ann").await.expect("deleted");
    assert_eq!(gone.revocation_seq, left.revocation_seq + 1);
    assert_eq!(reason(&delete_person(&bench, "ann").await), "PERSON_UNKNOWN");
    let (log, entry) = bench.last_entry().await;
    assert!(log.ends_with("/system"));
    assert_eq!(
        (entry.operation(), entry.subject.as_str()),
        (Operation::PersonDelete, "ann")
    );
}

#[tokio::test]
async fn who_writes_to_the_database_makes_nobody_somebody_else() {
    let bench = start().await;
    put_person(&bench, person("ann", &[ANN])).await.expect("put");
    put_person(&bench, person("eve", &["laptop/eve"]))
        .await
        .expect("put");
    put(&bench, for_person("ann", "ann")).await.expect("put");
    let database = bench.database().await;
    for sql in [
        "DELETE FROM access_record WHERE record_id = 'eve'",
        "CREATE TABLE anns AS SELECT * FROM access_record WHERE kind = 'person'",
        "INSERT INTO access_record SELECT kind, 'eve', revision, sealed FROM anns",
        "UPDATE access_version SET version = version + 1",
    ] {
        sqlx::query(sql).execute(database.pool()).await.expect(sql);
    }
    assert_eq!(reason(&bench.issue("laptop/eve", "acme").await), "GRANT_MISSING");
    bench.issue(ANN, "acme").await.expect("the other is not touched");
}

#[tokio::test]
async fn every_fault_of_a_person_is_told_at_once() {
    let bench = start().await;
    let bad = Person {
        person_id: "Ann".to_owned(),
        certificate_names: vec!["operator/*".to_owned()],
        oidc_subjects: vec![OidcSubject {
            issuer: "http://accounts.google.com".to_owned(),
            subject: "1".to_owned(),
        }],
        slack_users: vec![SlackUser {
            team_id: "T1".to_owned(),
            user_id: "ann".to_owned(),
        }],
        hubspot_emails: vec!["ann".to_owned()],
        update_time: None,
    };
    let refused = put_person(&bench, bad)
        .await
        .expect_err("refused")
        .get_error_details();
    let fields: Vec<&str> = refused
        .bad_request()
        .expect("told")
        .field_violations
        .iter()
        .map(|fault| fault.field.as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "person.person_id",
            "person.certificate_names",
            "person.oidc_subjects",
            "person.slack_users",
            "person.hubspot_emails"
        ]
    );
}

async fn contain(bench: &Bench, lifts: bool, holder: handle_holder::Holder) -> Result<bool, Status> {
    let target = Some(HandleHolder { holder: Some(holder) });
    let reason = "an incident".to_owned();
    let mut containments = ContainmentServiceClient::new(bench.channel_of(OPERATOR));
    if lifts {
        let request = LiftContainmentRequest { target, reason };
        return containments.lift_containment(request).await.map(|_| true);
    }
    let request = ContainRequest {
        target,
        reason,
        wait: None,
    };
    let contained = bench.as_time_goes(containments.contain(request)).await?;
    Ok(contained.into_inner().known)
}

#[tokio::test]
async fn no_edit_takes_a_name_out_of_a_contained_person() {
    let mut bench = start().await;
    put_person(&bench, person("bob", &["laptop/bob", "phone/bob"]))
        .await
        .expect("put");
    let bob = || handle_holder::Holder::PersonId("bob".to_owned());
    assert!(
        contain(&bench, false, bob()).await.expect("contains"),
        "it is known"
    );
    let fewer = put_person(&bench, person("bob", &["laptop/bob"])).await;
    assert_eq!(reason(&fewer), "PERSON_CONTAINED");
    assert_eq!(reason(&delete_person(&bench, "bob").await), "PERSON_CONTAINED");
    let more = person("bob", &["laptop/bob", "phone/bob", "desk/bob"]);
    put_person(&bench, more).await.expect("more names only");
    bench.restart(|_| {}).await;
    for name in ["laptop/bob", "phone/bob", "desk/bob"] {
        assert_eq!(
            reason(&bench.issue(name, "acme").await),
            "CALLER_CONTAINED",
            "{name}"
        );
    }
    contain(&bench, true, bob()).await.expect("lifts");
    delete_person(&bench, "bob").await.expect("forgotten");
}

#[tokio::test]
async fn containing_somebody_whom_nothing_names_says_so() {
    let bench = start().await;
    put(&bench, on_acme("sync", SYNC)).await.expect("put");
    let caller = |name: &str| handle_holder::Holder::Caller(name.to_owned());
    let typo = handle_holder::Holder::PersonId("bbo".to_owned());
    assert!(contain(&bench, false, caller(SYNC)).await.expect("contains"));
    assert!(
        !contain(&bench, false, caller("nihgtly-sync"))
            .await
            .expect("contains")
    );
    assert!(!contain(&bench, false, typo).await.expect("contains"));
    assert!(
        contain(&bench, false, caller("operator/bob"))
            .await
            .expect("contains"),
        "a role"
    );
}
