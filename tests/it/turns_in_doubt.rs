//! While nobody knows what became of a write of labels, others wait for their turn at those records: HubSpot may carry it out yet, and
//! would take away what they had set.

use std::time::Duration;

use hubkeep_proto::crm::v1::AssociationLabel;
use hubkeep_tests::{
    Crm, Fault, FaultRule, Hubkeep, Limits, ObjectType, PortalSpec, Refused, TokenSpec, World,
    support::{pairs::Labelled, writes::write_id},
};
use tonic::{Code, Status};

const A: &str = "acme";
const ID: u64 = 4_242;
const TYPES: (&str, &str) = ("contacts", "companies");
const ANN: &str = "101";
const ACME: &str = "10000101";
const PAIR: ((&str, &str), (&str, &str)) = ((TYPES.0, ANN), (TYPES.1, ACME));
/// HubSpot's own: a contact's primary company.
const PRIMARY: u32 = 1;
const SOON: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(25);
const AN_HOUR: Duration = Duration::from_secs(3_600);

/// A Hubkeep that takes HubSpot to have given up so long after a write.
async fn hubkeep(not_done_after: Duration) -> (Hubkeep, Crm) {
    let token = TokenSpec::private_app("pat-na1-0000aaaa-indoubt-0001");
    let portal = PortalSpec::new(A, ID)
        .token(token)
        .limits(Limits::unlimited())
        .record(ObjectType::Contacts, &[("email", "ann@acme.example")])
        .record(ObjectType::Companies, &[("name", "Acme")]);
    let world = World {
        portals: vec![portal],
        apps: Vec::new(),
    };
    let setup = Hubkeep::over(world).crm(move |config| config.writes.not_done_after = not_done_after);
    let hubkeep = setup.start().await;
    hubkeep.onboard_all().await;
    let handle = hubkeep.handle(A).issue().await;
    let crm = hubkeep.crm_as("sync").with(&handle);
    crm.update("contacts", ANN, &[("firstname", "Ann")])
        .await
        .expect("the token is proven");
    hubkeep.hubspot.clear_journal();
    (hubkeep, crm)
}

fn primary() -> AssociationLabel {
    AssociationLabel {
        type_id: PRIMARY,
        ..AssociationLabel::default()
    }
}

fn own(hubkeep: &Hubkeep) -> AssociationLabel {
    let sides = (ObjectType::Contacts, ObjectType::Companies);
    AssociationLabel {
        type_id: hubkeep
            .hubspot
            .define_label(ID, sides, "Advisor")
            .expect("defined"),
        category: "USER_DEFINED".to_owned(),
        label: String::new(),
    }
}

/// How often HubSpot was asked to give labels to the pair.
fn puts(hubkeep: &Hubkeep) -> usize {
    let calls = hubkeep.hubspot_calls();
    calls.iter().filter(|call| call.method == "PUT").count()
}

fn is<T: std::fmt::Debug>(answer: Result<T, Status>, said: (Code, &str)) {
    assert_eq!(Refused::in_place_of(answer).said(), said);
}

const UNKNOWN: (Code, &str) = (Code::Unknown, "OUTCOME_UNKNOWN");
const TAKEN: (Code, &str) = (Code::Unavailable, "PAIR_TAKEN");

#[tokio::test(flavor = "multi_thread")]
async fn others_wait_until_hubspot_cannot_carry_it_out_any_more() {
    let (hubkeep, crm) = hubkeep(Duration::from_secs(8)).await;
    let advisor = own(&hubkeep);
    // It is held, and never carried out: nobody can see that.
    for fault in [Fault::HoldUntilReleased, Fault::CutConnection] {
        hubkeep
            .hubspot
            .inject(FaultRule::new(fault).method("PUT").times(1));
    }
    let hasty = crm.clone().within(SOON);
    is(hasty.associate(PAIR, vec![primary()]).await, UNKNOWN);
    let many: [Labelled<'_>; 1] = [(ANN, ACME, vec![advisor.clone()])];
    let others = futures::join!(
        hasty.associate(PAIR, vec![advisor.clone()]),
        hasty.associate_many(TYPES, &many),
        hasty.dissociate(PAIR),
        hasty.unlabel_many(TYPES, &many),
    );
    is(others.0, TAKEN);
    is(others.1, TAKEN);
    is(others.2, TAKEN);
    is(others.3, TAKEN);
    assert_eq!(puts(&hubkeep), 1, "nobody else has written");
    hubkeep.hubspot.clear_faults();
    let patient = crm.within(PATIENCE);
    patient
        .associate(PAIR, vec![advisor])
        .await
        .expect("HubSpot has given up");
    assert_eq!(puts(&hubkeep), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn others_go_on_as_soon_as_it_is_seen_to_have_been_carried_out() {
    let (hubkeep, crm) = hubkeep(AN_HOUR).await;
    let advisor = own(&hubkeep);
    let lost = FaultRule::new(Fault::CutConnection).method("PUT").times(1);
    hubkeep.hubspot.inject(lost.after_effect());
    let named = crm.clone().under(&write_id(1));
    is(named.associate(PAIR, vec![primary()]).await, UNKNOWN);
    let patient = crm.within(PATIENCE);
    patient
        .associate(PAIR, vec![advisor])
        .await
        .expect("the label is there that was given");
    named.associate(PAIR, vec![primary()]).await.expect("kept");
    assert_eq!(puts(&hubkeep), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_that_were_there_before_are_no_sign_that_they_were_given() {
    let (hubkeep, crm) = hubkeep(AN_HOUR).await;
    let advisor = own(&hubkeep);
    crm.associate(PAIR, vec![primary()]).await.expect("given");
    let lost = FaultRule::new(Fault::CutConnection).method("PUT").times(1);
    hubkeep.hubspot.inject(lost);
    let named = crm.clone().under(&write_id(1));
    is(named.associate(PAIR, vec![primary()]).await, UNKNOWN);
    named
        .associate(PAIR, vec![primary()])
        .await
        .expect("it is as it was to be");
    let hasty = crm.within(SOON);
    is(hasty.associate(PAIR, vec![advisor]).await, TAKEN);
    assert_eq!(puts(&hubkeep), 2, "the lost one may still come");
}
