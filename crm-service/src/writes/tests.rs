//! What is asked of HubSpot to learn what became of a write, and what is made of its answers.

use std::{collections::VecDeque, convert::Infallible, sync::Arc};

use futures::FutureExt as _;
use hubkeep_core::clock::Timestamp;
use hubkeep_hubspot::{
    Refusal, RefusalKind, RowRefusal,
    associations::{Association, AssociationType, Label},
    objects::{Object, Page, PastValue},
};

use super::{Look, Mark, Unique, Verdict, in_the_way, read_back};
use crate::crm::{
    Answer, Ask, AssociationAsk, Batch, BatchWork, Done, End, NewRecord, ObjectType, PropertyName,
    PropertyValues, RecordId, RecordKey, RowError, Wanted,
};

/// Answers as it was told, one question after the other.
struct Told(VecDeque<Option<Answer>>);

impl Look for Told {
    type Error = Infallible;

    async fn ask(&mut self, ask: Ask) -> Result<Option<Answer>, Infallible> {
        assert!(ask.is_read() && !matches!(ask, Ask::SearchObjects(_)), "{ask:?}");
        Ok(self.0.pop_front().expect("no more is asked"))
    }
}

const BEGUN: Timestamp = Timestamp::from_micros(1_000_000_000_000);

fn verdict<const N: usize>(ask: &Ask, answers: [Option<Answer>; N]) -> &'static str {
    let mut told = Told(answers.into());
    let read = read_back(ask, BEGUN, &mut Unique::default(), &mut told)
        .now_or_never()
        .expect("nobody waits");
    let Ok(verdict) = read;
    assert!(told.0.is_empty(), "everything is asked");
    match verdict {
        Verdict::Done(_) => "done",
        Verdict::NotDone => "not done",
        Verdict::Open => "open",
    }
}

fn id(text: &str) -> RecordId {
    RecordId::read(text).expect("an id")
}

fn record(id: &str, merged: &str) -> Option<Answer> {
    Some(Answer::Object(Object {
        id: id.to_owned(),
        properties: [("hs_merged_object_ids".to_owned(), merged.to_owned())].into(),
        ..Object::default()
    }))
}

#[test]
fn an_archive_is_done_when_the_record_is_among_the_archived() {
    let ask = Ask::ArchiveObject {
        key: Arc::new(RecordKey {
            object_type: ObjectType::contacts(),
            id: id("101"),
            id_property: None,
        }),
    };
    assert_eq!(verdict(&ask, [record("101", "")]), "not done");
    assert_eq!(verdict(&ask, [None, record("101", "")]), "done");
    assert_eq!(verdict(&ask, [None, None]), "open");
}

#[test]
fn a_merge_is_done_when_one_record_names_both() {
    let ask = Ask::MergeObjects {
        object_type: ObjectType::contacts(),
        primary: id("101"),
        merged: id("102"),
    };
    assert_eq!(verdict(&ask, [record("102", "")]), "not done");
    assert_eq!(verdict(&ask, [record("201", "101;102")]), "done");
    assert_eq!(verdict(&ask, [record("101", "102")]), "done");
    assert_eq!(
        verdict(&ask, [record("301", "102;300")]),
        "open",
        "by somebody else, with another"
    );
    assert_eq!(verdict(&ask, [None]), "open");
}

fn associated(kinds: &[(u32, bool)], after: Option<&str>) -> Option<Answer> {
    let label = |(id, labelled): &(u32, bool)| Label {
        kind: AssociationType::hubspot(*id),
        label: labelled.then(|| "a label".to_owned()),
    };
    let there = (!kinds.is_empty()).then(|| Association {
        to_id: "7".to_owned(),
        labels: kinds.iter().map(label).collect(),
    });
    Some(Answer::Associated(Page {
        items: there.into_iter().collect(),
        after: after.map(str::to_owned),
        total: None,
    }))
}

#[test]
fn an_association_is_found_on_whichever_page_it_is() {
    let end = || End {
        object_type: ObjectType::contacts(),
        id: id("101"),
        to_type: ObjectType::read("companies").expect("a type"),
    };
    let create = |kinds: &[u32]| {
        Ask::Association(Arc::new(AssociationAsk::Create {
            end: end(),
            to: id("7"),
            kinds: kinds.iter().map(|id| AssociationType::hubspot(*id)).collect(),
        }))
    };
    let remove = Ask::Association(Arc::new(AssociationAsk::Remove {
        end: end(),
        to: id("7"),
    }));
    assert_eq!(
        verdict(
            &create(&[]),
            [associated(&[], Some("2")), associated(&[(279, false)], None)]
        ),
        "done"
    );
    assert_eq!(verdict(&create(&[]), [associated(&[], None)]), "not done");
    assert_eq!(
        verdict(&create(&[1]), [associated(&[(279, false), (1, true)], None)]),
        "done"
    );
    assert_eq!(
        verdict(&create(&[1]), [associated(&[(279, false)], None)]),
        "not done"
    );
    // Somebody has added one since, and would lose it.
    assert_eq!(
        verdict(&create(&[1]), [associated(&[(279, false), (5, true)], None)]),
        "open"
    );
    assert_eq!(verdict(&remove, [associated(&[], None)]), "done");
    assert_eq!(verdict(&remove, [associated(&[(279, false)], None)]), "not done");
}

#[test]
fn a_record_in_the_way_is_the_one_that_was_made_or_somebody_elses() {
    let name = PropertyName::read("firstname").expect("a name");
    let ask = Ask::CreateObject {
        object_type: ObjectType::contacts(),
        values: Arc::new([(name, "Zoe".to_owned())].into()),
        associations: Arc::new([]),
    };
    let there = |seconds: i64, value: &str| {
        let since = Some(Timestamp::from_micros(BEGUN.as_micros() + seconds * 1_000_000));
        let past = PastValue {
            value: Some(value.to_owned()),
            since,
            source_type: "INTEGRATION".to_owned(),
            source_id: String::new(),
            source_label: String::new(),
            user_id: None,
        };
        Some(Answer::Object(Object {
            id: "101".to_owned(),
            created: since,
            history: [("firstname".to_owned(), vec![past])].into(),
            ..Object::default()
        }))
    };
    let is_ours = |existing: &str, answers: Vec<Option<Answer>>| {
        let mut told = Told(answers.into());
        let read = in_the_way(&ask, existing, BEGUN, &mut told).now_or_never();
        let Ok(verdict) = read.expect("nobody waits");
        assert!(told.0.is_empty(), "everything is asked");
        matches!(verdict, Verdict::Done(_))
    };
    assert!(is_ours("101", vec![there(1, "Zoe")]));
    assert!(
        !is_ours("101", vec![there(1, "Bob")]),
        "another that was made since"
    );
    assert!(!is_ours("101", vec![there(-900, "Zoe")]), "an older one");
    assert!(!is_ours("101", vec![None]), "it is gone");
    assert!(!is_ours("no id", vec![]), "nothing is asked");
}

#[test]
fn a_creation_is_done_also_where_the_record_was_archived_since() {
    let values = || {
        let name = PropertyName::read("email").expect("a name");
        [(name, "ann@example.com".to_owned())].into()
    };
    let one = Ask::CreateObject {
        object_type: ObjectType::contacts(),
        values: Arc::new(values()),
        associations: Arc::new([]),
    };
    let many = Ask::Batch(Arc::new(Batch {
        object_type: ObjectType::contacts(),
        work: BatchWork::Create(vec![NewRecord {
            values: values(),
            associations: Vec::new(),
        }]),
    }));
    let made = |seconds: i64| {
        let since = Some(Timestamp::from_micros(BEGUN.as_micros() + seconds * 1_000_000));
        let past = PastValue {
            value: Some("ann@example.com".to_owned()),
            since,
            source_type: "INTEGRATION".to_owned(),
            source_id: String::new(),
            source_label: String::new(),
            user_id: None,
        };
        Object {
            id: "101".to_owned(),
            created: since,
            history: [("email".to_owned(), vec![past])].into(),
            ..Object::default()
        }
    };
    let alone = |seconds| Some(Answer::Object(made(seconds)));
    assert_eq!(verdict(&one, [None, alone(1)]), "done");
    assert_eq!(verdict(&one, [None, alone(-900)]), "not done", "an older one");
    assert_eq!(verdict(&one, [None, None]), "not done");
    let missing = || {
        let refusal = Refusal {
            status: 404,
            kind: RefusalKind::NotFound,
            category: "OBJECT_NOT_FOUND".to_owned(),
            message: String::new(),
            correlation_id: String::new(),
            receipt: None,
        };
        let refused = RowRefusal::Refused(Box::new(refusal));
        Some(Answer::Rows(vec![Err(RowError::HubSpot(refused))]))
    };
    let row = |seconds| Some(Answer::Rows(vec![Ok(Done::from(made(seconds)))]));
    assert_eq!(verdict(&many, [missing(), row(1)]), "done");
    assert_eq!(verdict(&many, [missing(), missing()]), "not done");
}

/// Finds nothing, and keeps what was wanted of each record.
struct Nothing(Vec<Wanted>);

impl Look for Nothing {
    type Error = Infallible;

    async fn ask(&mut self, ask: Ask) -> Result<Option<Answer>, Infallible> {
        match &ask {
            Ask::GetObject { wanted, .. } => self.0.push(Wanted::clone(wanted)),
            Ask::Batch(batch) => match &batch.work {
                BatchWork::Read { wanted, .. } => self.0.push(wanted.clone()),
                other => panic!("no read: {other:?}"),
            },
            other => panic!("no read of records: {other:?}"),
        }
        Ok(None)
    }
}

#[test]
fn of_a_creation_the_history_of_every_value_is_asked_for_as_far_as_hubspot_tells_it() {
    let name = |name: &str| PropertyName::read(name).expect("a name");
    let values = |others: usize| -> PropertyValues {
        let others = (0..others).map(|number| (name(&format!("a{number:02}")), "x".to_owned()));
        let address = (name("email"), "ann@example.com".to_owned());
        others.chain([address]).collect()
    };
    for (others, told) in [(3, 4), (60, 50)] {
        let one = Ask::CreateObject {
            object_type: ObjectType::contacts(),
            values: Arc::new(values(others)),
            associations: Arc::new([]),
        };
        let many = Ask::Batch(Arc::new(Batch {
            object_type: ObjectType::contacts(),
            work: BatchWork::Create(vec![NewRecord {
                values: values(others),
                associations: Vec::new(),
            }]),
        }));
        for ask in [one, many] {
            let mut look = Nothing(Vec::new());
            let read = read_back(&ask, BEGUN, &mut Unique::default(), &mut look).now_or_never();
            let Ok(_) = read.expect("nobody waits");
            let wanted = look.0.first().expect("something is asked");
            assert_eq!(wanted.properties.len(), others + 1);
            assert_eq!(wanted.history.len(), told);
            assert!(
                wanted.history.contains(&name("email")),
                "that by which it is found"
            );
        }
    }
}

#[test]
fn where_a_page_of_the_list_ended_reads_back() {
    let mark = Mark(BEGUN, "call/01890a5d".to_owned());
    assert_eq!(Mark::read(&mark.to_text()), Some(mark));
    assert_eq!(Mark::read("x.y"), None);
}
