use super::*;

fn asked(query: &str) -> Asked {
    Asked::of(&format!("/audit?{query}").parse().expect("an address"))
}

#[test]
fn an_address_is_a_filter_and_empty_fields_ask_for_nothing() {
    assert_eq!(asked("").filter(), Ok(EventFilter::default()));
    assert_eq!(
        asked("portal=&caller=+&from=").filter(),
        Ok(EventFilter::default())
    );
    let filter = asked(
        "portal=acme&phase=outcome&phase=DENIED&operation=object-get&result=OK&severity=low&from=2026-11-30",
    )
    .filter()
    .expect("valid");
    assert_eq!(filter.client_slug, "acme");
    assert_eq!(filter.phases, [Phase::Outcome.into(), i32::from(Phase::Denied)]);
    assert_eq!(filter.operations, [i32::from(Operation::ObjectGet)]);
    assert_eq!(filter.min_severity, i32::from(Severity::Low));
    assert!(filter.start_time.is_some() && filter.end_time.is_none());
}

#[test]
fn every_field_at_fault_is_named() {
    let faults = asked(
        "phase=late&operation=nothing&result=1&severity=x&from=now&to=9&portal=a&portal=b&caller=a+b&call=7&ref=7&nonsense=1",
    )
    .filter()
    .expect_err("faults");
    let mut names: Vec<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "call",
            "caller",
            "from",
            "nonsense",
            "operation",
            "phase",
            "portal",
            "ref",
            "result",
            "severity",
            "to",
        ]
    );
    assert!(faults.iter().all(|fault| !fault.expected.is_empty()));
    assert_eq!(asked("after=x").position().expect_err("no number").len(), 1);
}

#[test]
fn every_field_of_the_wire_has_its_name_here() {
    for field in &FIELDS {
        let fault = Asked::default().fault(&format!("filter.{}[0]", field.wire), "rule");
        assert_eq!(fault.name, field.name);
    }
}

#[test]
fn a_link_asks_the_same_question_again() {
    let question = asked("portal=a%26b%3D%22&phase=INTENT&phase=ADMIN&page=x");
    assert!(question.narrows());
    let link = question.first_page().link();
    assert_eq!(
        Asked::of(&link.parse().expect("an address")),
        question.first_page()
    );
    assert!(!link.contains('"'), "{link}");
    assert!(!asked("page=x").narrows());
    assert_eq!(asked("").link(), "/audit");
}
