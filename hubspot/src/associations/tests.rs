use hubkeep_core::error::ErrorReason;

use super::*;
use crate::{answer::Standing, request::Effect};

const VERSION: ApiVersion = ApiVersion::V2026_09;
const CONTACT: Record<'_> = Record {
    object_type: "contacts",
    id: "71",
};
const COMPANY: Record<'_> = Record {
    object_type: "companies",
    id: "82",
};

fn body<T>(ask: &Ask<T>) -> Value {
    serde_json::from_slice(ask.body.as_ref().expect("a body")).expect("JSON")
}

#[test]
fn a_page_says_how_each_record_belongs_to_the_other() {
    let ask = list(VERSION, CONTACT, "companies", 500, Some("9"));
    assert_eq!(
        ask.path.template(),
        "/crm/objects/2026-09/contacts/{id}/associations/companies"
    );
    assert_eq!(
        ask.query,
        [("limit", "500".to_owned()), ("after", "9".to_owned())]
    );
    let read = (ask.decode)(
        br#"{"results":[{"toObjectId":5790939450,"associationTypes":[
            {"category":"HUBSPOT_DEFINED","typeId":1,"label":"Primary"},
            {"category":"USER_DEFINED","typeId":28,"label":"Billing contact"},
            {"category":"HUBSPOT_DEFINED","typeId":279,"label":null},
            {"category":"NEW_DEFINED","typeId":1,"label":null}]},{"toObjectId":"6"}],
            "paging":{"next":{"after":"10"}}}"#,
    )
    .expect("reads");
    let page = read.value;
    assert_eq!((page.items.len(), page.after.as_deref()), (2, Some("10")));
    let first = &page.items[0];
    assert_eq!(first.to_id, "5790939450");
    assert_eq!(first.labels[0].kind, AssociationType::hubspot(1));
    assert_eq!(first.labels[1].label.as_deref(), Some("Billing contact"));
    assert_eq!(
        first.labels[3].kind.category,
        Category::Other("NEW_DEFINED".to_owned())
    );
    assert_eq!(page.items[1].labels, []);
}

#[test]
fn an_association_without_a_label_is_made_in_the_direction_that_was_asked_for() {
    let ask = put_default(VERSION, CONTACT, COMPANY);
    assert_eq!((ask.method.as_str(), ask.body.is_none()), ("PUT", true));
    let read = |body: &[u8]| (ask.decode)(body).expect("reads").value;
    let row = read(
        br#"{"status":"COMPLETE","results":[
            {"from":{"id":"82"},"to":{"id":"71"},
             "associationSpec":{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":280}},
            {"from":{"id":"71"},"to":{"id":"82"},
             "associationSpec":{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":279}}]}"#,
    );
    assert_eq!(row, Ok(vec![AssociationType::hubspot(279)]));
    let refused = read(
        br#"{"status":"COMPLETE","results":[],"numErrors":1,"errors":[{"status":"error","category":"OBJECT_NOT_FOUND",
            "message":"No company with ID 82 exists"}]}"#,
    );
    assert!(matches!(refused, Err(RowRefusal::Refused(refusal)) if refusal.status == 404));
    assert_eq!(read(br#"{"results":[]}"#), Err(RowRefusal::Unknown));
}

#[test]
fn labels_are_sent_as_a_list_and_come_back_as_words() {
    let user = AssociationType {
        category: Category::User,
        id: 36,
    };
    let ask = put_labels(ApiVersion::V3, CONTACT, COMPANY, &[user]);
    assert_eq!(
        body(&ask),
        json!([{ "associationCategory": "USER_DEFINED", "associationTypeId": 36 }])
    );
    let read = (ask.decode)(
        br#"{"fromObjectTypeId":"0-1","fromObjectId":71,"toObjectTypeId":"0-2","toObjectId":82,"labels":["Point of contact"]}"#,
    );
    assert_eq!(read.expect("reads").value, ["Point of contact"]);
    let labels = labels(VERSION, "contacts", "companies");
    assert_eq!(
        labels.path.template(),
        "/crm/associations/2026-09/contacts/companies/labels"
    );
    let read = (labels.decode)(br#"{"results":[{"category":"USER_DEFINED","typeId":36,"label":"Chef"}]}"#);
    assert_eq!(read.expect("reads").value[0].label.as_deref(), Some("Chef"));
}

#[test]
fn all_of_them_draw_from_a_limit_of_their_own_and_none_acts_twice() {
    let writes = [
        put_labels(VERSION, CONTACT, COMPANY, &[]).repeat(),
        put_default(VERSION, CONTACT, COMPANY).repeat(),
        remove(VERSION, CONTACT, COMPANY).repeat(),
    ];
    assert_eq!(writes, [Repeat::SameState; 3]);
    let remove = remove(VERSION, CONTACT, COMPANY);
    assert_eq!(
        (remove.effect(), remove.bucket()),
        (Effect::Write, Bucket::Associations)
    );
    assert_eq!(
        list(VERSION, CONTACT, "companies", 1, None).bucket(),
        Bucket::Associations
    );
    assert_eq!(
        labels(VERSION, "contacts", "companies").bucket(),
        Bucket::Associations
    );
}

#[test]
fn what_hubspot_says_has_failed_at_its_side_is_not_taken_for_refused() {
    let said = |category: &str| {
        let body = json!({ "results": [], "errors": [{ "category": category, "message": "no" }] });
        let ask = put_default(VERSION, CONTACT, COMPANY);
        (ask.decode)(body.to_string().as_bytes()).expect("reads")
    };
    let failed = said("INTERNAL_ERROR");
    assert_eq!(
        (failed.value, failed.standing),
        (Err(RowRefusal::Unknown), Standing::Open)
    );
    let refused = said("OBJECT_NOT_FOUND");
    assert_eq!(refused.standing, Standing::None(ErrorReason::ObjectNotFound));
}
