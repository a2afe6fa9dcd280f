//! `docs/errors.md` tells of every reason on the wire what it asks of each, once, and with the status that the wire says.

use std::collections::BTreeMap;

use hubkeep_tests::support::sources::source;

const PAGE: &str = "docs/errors.md";
const WIRE: &str = "proto/hubkeep/error/v1/error_reason.proto";
const PREFIX: &str = "ERROR_REASON_";
/// What the page says in place of a status of what no caller is told.
const ON_THE_LOG: &str = "on the audit log only";

/// The cells of every row of the page, by reason.
fn page() -> BTreeMap<String, Vec<String>> {
    let mut rows = BTreeMap::new();
    for line in source(PAGE).text.lines().filter(|line| line.starts_with("| `")) {
        let cells = line.trim_matches(['|', ' ']).split(" | ");
        let cells: Vec<String> = cells.map(|cell| cell.trim().to_owned()).collect();
        let reason = cells.first().expect("a cell").trim_matches('`').to_owned();
        let before = rows.insert(reason.clone(), cells);
        assert_eq!(before, None, "{reason} stands twice");
    }
    rows
}

/// What the wire says of every reason: its comment, with the heading of its section.
fn wire() -> BTreeMap<String, String> {
    let (mut told, mut heading, mut comment) = (BTreeMap::new(), String::new(), String::new());
    for line in source(WIRE).text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix("// ----") {
            (heading, comment) = (section.to_owned(), String::new());
        } else if let Some(words) = line.strip_prefix("//") {
            comment.push_str(words);
        } else if let Some(value) = line.strip_prefix(PREFIX) {
            let name = value.split(' ').next().expect("a name").to_owned();
            told.insert(name, format!("{heading} {}", std::mem::take(&mut comment)));
        } else {
            comment.clear();
        }
    }
    told.remove("UNSPECIFIED").expect("the first of all");
    told
}

#[test]
fn every_reason_stands_on_the_page_and_no_other() {
    let (page, wire) = (page(), wire());
    assert!(wire.len() > 50, "{} reasons were read", wire.len());
    let missing: Vec<_> = wire.keys().filter(|reason| !page.contains_key(*reason)).collect();
    let unknown: Vec<_> = page.keys().filter(|reason| !wire.contains_key(*reason)).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "missing: {missing:?}, unknown: {unknown:?}"
    );
}

#[test]
fn the_page_and_the_wire_say_the_same_status() {
    let wire = wire();
    for (reason, cells) in page() {
        let told = wire.get(&reason).expect("on the wire");
        let [_, status, caller, operator, developer] = cells.as_slice() else {
            panic!("{reason} has other columns: {cells:?}")
        };
        let agree = match status.as_str() {
            ON_THE_LOG => told.contains("audit entries"),
            status => told.split([' ', '.', ',', ';']).any(|word| word == status),
        };
        assert!(agree, "{reason}: {status} is not what the wire says: {told}");
        let acts = [caller, operator, developer]
            .into_iter()
            .any(|cell| cell.as_str() != "—");
        assert!(acts, "{reason} asks nothing of anybody");
    }
}
