//! What goes out for each thing that can be asked, in both shapes of paths, and that what is recorded of it holds no id.

use std::collections::BTreeMap;

use hubkeep_hubspot::{
    ApiVersion, Ask,
    associations::{self, AssociationType, Record, batch as association_batch},
    objects::{self, Key, Wanted, batch},
    owners, pipelines, properties, schemas, usage,
};

use crate::{bench::Bench, double::json};

const BOTH: [ApiVersion; 2] = [ApiVersion::V2026_09, ApiVersion::V3];

/// One thing that is asked: what must go out, in both shapes, and what is answered.
struct Case<T> {
    ask: fn(ApiVersion) -> Ask<T>,
    lines: [&'static str; 2],
    templates: [&'static str; 2],
    answer: &'static str,
    records: u32,
}

impl<T> Case<T> {
    async fn holds(&self) {
        for ((version, line), template) in BOTH.into_iter().zip(self.lines).zip(self.templates) {
            let status = if self.answer.is_empty() { 204 } else { 200 };
            let bench = Bench::with(json(status, self.answer), |config| config.api_version = version).await;
            if let Err(error) = bench.call((self.ask)(version)).await {
                panic!("{line}: {error}");
            }
            assert_eq!(bench.double.asked()[0].line, line);
            let outcome = bench.outcome().await;
            assert_eq!(outcome.path_template, template);
            assert_eq!(outcome.record_count, self.records, "{line}");
        }
    }
}

const PERSON: &str = "person@secret.example";

fn person() -> Key<'static> {
    Key {
        object_type: "contacts",
        id: PERSON,
        id_property: Some("email"),
    }
}

const CONTACT: Record<'static> = Record {
    object_type: "contacts",
    id: "71",
};
const COMPANY: Record<'static> = Record {
    object_type: "companies",
    id: "82",
};

fn ids() -> Vec<String> {
    vec!["1".to_owned(), "2".to_owned()]
}

#[tokio::test]
async fn a_record_with_its_history_and_what_it_belongs_to() {
    Case {
        ask: |version| {
            let history = ["email".to_owned()];
            let wanted = Wanted {
                history: &history,
                ..Wanted::default()
            };
            objects::get_with(version, &person(), &wanted, &["companies".to_owned()])
        },
        lines: [
            "GET /crm/objects/2026-09/contacts/person@secret.example?idProperty=email&propertiesWithHistory=email\
             &associations=companies",
            "GET /crm/v3/objects/contacts/person@secret.example?idProperty=email&propertiesWithHistory=email\
             &associations=companies",
        ],
        templates: [
            "/crm/objects/2026-09/contacts/{id}",
            "/crm/v3/objects/contacts/{id}",
        ],
        answer: r#"{"id":"1","associations":{"companies":{"results":[{"id":"5","type":"contact_to_company"}]}}}"#,
        records: 1,
    }
    .holds()
    .await;
}

#[tokio::test]
async fn a_merge_and_an_erasure() {
    Case {
        ask: |version| objects::merge(version, "contacts", "1", "2"),
        lines: [
            "POST /crm/objects/2026-09/contacts/merge",
            "POST /crm/v3/objects/contacts/merge",
        ],
        templates: [
            "/crm/objects/2026-09/contacts/merge",
            "/crm/v3/objects/contacts/merge",
        ],
        answer: r#"{"id":"1"}"#,
        records: 1,
    }
    .holds()
    .await;
    Case {
        ask: |version| objects::gdpr_delete(version, &person()),
        lines: [
            "POST /crm/objects/2026-09/contacts/gdpr-delete",
            "POST /crm/v3/objects/contacts/gdpr-delete",
        ],
        templates: [
            "/crm/objects/2026-09/contacts/gdpr-delete",
            "/crm/v3/objects/contacts/gdpr-delete",
        ],
        answer: "",
        records: 1,
    }
    .holds()
    .await;
}

#[tokio::test]
async fn a_batch_of_each_kind() {
    Case {
        ask: |version| {
            let wanted = Wanted {
                archived: true,
                ..Wanted::default()
            };
            batch::read(version, "contacts", &ids(), None, &wanted).expect("fits")
        },
        lines: [
            "POST /crm/objects/2026-09/contacts/batch/read?archived=true",
            "POST /crm/v3/objects/contacts/batch/read?archived=true",
        ],
        templates: [
            "/crm/objects/2026-09/contacts/batch/read",
            "/crm/v3/objects/contacts/batch/read",
        ],
        answer: r#"{"status":"COMPLETE","results":[{"id":"2"}]}"#,
        records: 1,
    }
    .holds()
    .await;
    Case {
        ask: |version| batch::archive(version, "contacts", &ids()).expect("fits"),
        lines: [
            "POST /crm/objects/2026-09/contacts/batch/archive",
            "POST /crm/v3/objects/contacts/batch/archive",
        ],
        templates: [
            "/crm/objects/2026-09/contacts/batch/archive",
            "/crm/v3/objects/contacts/batch/archive",
        ],
        answer: "",
        records: 2,
    }
    .holds()
    .await;
}

#[tokio::test]
async fn what_belongs_together() {
    Case {
        ask: |version| associations::list(version, CONTACT, "companies", 500, None),
        lines: [
            "GET /crm/objects/2026-09/contacts/71/associations/companies?limit=500",
            "GET /crm/v4/objects/contacts/71/associations/companies?limit=500",
        ],
        templates: [
            "/crm/objects/2026-09/contacts/{id}/associations/companies",
            "/crm/v4/objects/contacts/{id}/associations/companies",
        ],
        answer: r#"{"results":[{"toObjectId":82,"associationTypes":[]},{"toObjectId":83}]}"#,
        records: 2,
    }
    .holds()
    .await;
    Case {
        ask: |version| associations::put_default(version, CONTACT, COMPANY),
        lines: [
            "PUT /crm/objects/2026-09/contacts/71/associations/default/companies/82",
            "PUT /crm/v4/objects/contacts/71/associations/default/companies/82",
        ],
        templates: [
            "/crm/objects/2026-09/contacts/{id}/associations/default/companies/{id}",
            "/crm/v4/objects/contacts/{id}/associations/default/companies/{id}",
        ],
        answer: r#"{"status":"COMPLETE","results":[{"from":{"id":"71"},"to":{"id":"82"},
            "associationSpec":{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":279}}]}"#,
        records: 1,
    }
    .holds()
    .await;
    Case {
        ask: |version| associations::put_labels(version, CONTACT, COMPANY, &[AssociationType::hubspot(1)]),
        lines: [
            "PUT /crm/objects/2026-09/contacts/71/associations/companies/82",
            "PUT /crm/v4/objects/contacts/71/associations/companies/82",
        ],
        templates: [
            "/crm/objects/2026-09/contacts/{id}/associations/companies/{id}",
            "/crm/v4/objects/contacts/{id}/associations/companies/{id}",
        ],
        answer: r#"{"fromObjectId":71,"toObjectId":82,"labels":["Primary"]}"#,
        records: 1,
    }
    .holds()
    .await;
    Case {
        ask: |version| associations::remove(version, CONTACT, COMPANY),
        lines: [
            "DELETE /crm/objects/2026-09/contacts/71/associations/companies/82",
            "DELETE /crm/v4/objects/contacts/71/associations/companies/82",
        ],
        templates: [
            "/crm/objects/2026-09/contacts/{id}/associations/companies/{id}",
            "/crm/v4/objects/contacts/{id}/associations/companies/{id}",
        ],
        answer: "",
        records: 1,
    }
    .holds()
    .await;
    Case {
        ask: |version| {
            let of = association_batch::Of {
                id: "71".to_owned(),
                after: None,
            };
            association_batch::read(version, ("contacts", "companies"), &[of]).expect("fits")
        },
        lines: [
            "POST /crm/associations/2026-09/contacts/companies/batch/read",
            "POST /crm/v4/associations/contacts/companies/batch/read",
        ],
        templates: [
            "/crm/associations/2026-09/contacts/companies/batch/read",
            "/crm/v4/associations/contacts/companies/batch/read",
        ],
        answer: r#"{"results":[{"from":{"id":"71"},"to":[{"toObjectId":82},{"toObjectId":83}]}]}"#,
        records: 2,
    }
    .holds()
    .await;
}

#[tokio::test]
async fn pairs_without_a_label_and_stages_of_a_pipeline() {
    Case {
        ask: |version| {
            let pair = association_batch::Pair {
                from_id: "71".to_owned(),
                to_id: "82".to_owned(),
            };
            association_batch::create_default(version, ("contacts", "companies"), &[pair]).expect("fits")
        },
        lines: [
            "POST /crm/associations/2026-09/contacts/companies/batch/associate/default",
            "POST /crm/v4/associations/contacts/companies/batch/associate/default",
        ],
        templates: [
            "/crm/associations/2026-09/contacts/companies/batch/associate/default",
            "/crm/v4/associations/contacts/companies/batch/associate/default",
        ],
        answer: r#"{"results":[{"from":{"id":"71"},"to":{"id":"82"},
            "associationSpec":{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":279}}]}"#,
        records: 1,
    }
    .holds()
    .await;
    Case {
        ask: |version| pipelines::archive_stage(version, "deals", ("default", "won")),
        lines: [
            "DELETE /crm/pipelines/2026-09/deals/default/stages/won?validateReferencesBeforeDelete=true",
            "DELETE /crm/v3/pipelines/deals/default/stages/won?validateReferencesBeforeDelete=true",
        ],
        templates: [
            "/crm/pipelines/2026-09/deals/{id}/stages/{id}",
            "/crm/v3/pipelines/deals/{id}/stages/{id}",
        ],
        answer: "",
        records: 1,
    }
    .holds()
    .await;
}

#[tokio::test]
async fn what_records_are_made_of() {
    Case {
        ask: |version| properties::get(version, "contacts", "email"),
        lines: [
            "GET /crm/properties/2026-09/contacts/email",
            "GET /crm/v3/properties/contacts/email",
        ],
        templates: [
            "/crm/properties/2026-09/contacts/{id}",
            "/crm/v3/properties/contacts/{id}",
        ],
        answer: r#"{"name":"email","type":"string"}"#,
        records: 1,
    }
    .holds()
    .await;
    Case {
        ask: |version| pipelines::list(version, "deals"),
        lines: ["GET /crm/pipelines/2026-09/deals", "GET /crm/v3/pipelines/deals"],
        templates: ["/crm/pipelines/2026-09/deals", "/crm/v3/pipelines/deals"],
        answer: r#"{"results":[{"id":"default","stages":[]}]}"#,
        records: 1,
    }
    .holds()
    .await;
    Case {
        ask: |version| schemas::list(version, true),
        lines: [
            "GET /crm-object-schemas/2026-09/schemas?archived=true",
            "GET /crm-object-schemas/v3/schemas?archived=true",
        ],
        templates: [
            "/crm-object-schemas/2026-09/schemas",
            "/crm-object-schemas/v3/schemas",
        ],
        answer: r#"{"results":[]}"#,
        records: 0,
    }
    .holds()
    .await;
    Case {
        ask: |version| owners::of_user(version, "7", false),
        lines: [
            "GET /crm/owners/2026-09/7?idProperty=userId&archived=false",
            "GET /crm/v3/owners/7?idProperty=userId&archived=false",
        ],
        templates: ["/crm/owners/2026-09/{id}", "/crm/v3/owners/{id}"],
        answer: r#"{"id":"9","userId":7}"#,
        records: 1,
    }
    .holds()
    .await;
    Case {
        ask: usage::daily_report,
        lines: [
            "GET /account-info/2026-09/api-usage/daily/private-apps",
            "GET /account-info/v3/api-usage/daily/private-apps",
        ],
        templates: [
            "/account-info/2026-09/api-usage/daily/private-apps",
            "/account-info/v3/api-usage/daily/private-apps",
        ],
        answer: r#"{"results":[{"name":"private-apps-api-calls-daily","fetchStatus":"TIMEOUT"}]}"#,
        records: 1,
    }
    .holds()
    .await;
}

#[tokio::test]
async fn a_batch_in_part_is_an_answer_for_each_of_its_rows() {
    let records: Vec<batch::NewRecord> = ["a", "b"]
        .iter()
        .map(|name| batch::NewRecord {
            properties: BTreeMap::from([("name".to_owned(), (*name).to_owned())]),
            associations: Vec::new(),
        })
        .collect();
    let answer = r#"{"status":"COMPLETE","results":[{"id":"7","objectWriteTraceId":"row-1"}],"numErrors":1,
        "errors":[{"status":"error","category":"CONFLICT","message":"Existing ID: 9",
        "context":{"objectWriteTraceId":["row-0"]}}]}"#;
    let bench = Bench::of(json(207, answer)).await;
    let ask = batch::create(ApiVersion::V2026_09, "companies", &records).expect("fits");
    let rows = bench.call(ask).await.expect("an answer").value;
    assert!(rows[0].is_err());
    assert_eq!(rows[1].as_ref().expect("made").id, "7");
    let outcome = bench.outcome().await;
    assert_eq!((outcome.status_code, outcome.record_count), (207, 1));
    let asked = &bench.double.asked()[0];
    assert!(
        asked.body.contains(r#""objectWriteTraceId":"row-0""#),
        "{}",
        asked.body
    );
    assert_eq!(asked.header("content-type"), Some("application/json"));
}
