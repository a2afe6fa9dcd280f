//! Operations by their words on the command line.

use hubkeep_proto::credential::v1::{HandleOperation, HandleScope};

/// What may stand in `--allow`, by its word.
const OPERATIONS: [(&str, HandleOperation); 13] = [
    ("get", HandleOperation::Get),
    ("list", HandleOperation::List),
    ("search", HandleOperation::Search),
    ("create", HandleOperation::Create),
    ("update", HandleOperation::Update),
    ("archive", HandleOperation::Archive),
    ("read-audit", HandleOperation::ReadAudit),
    ("quota", HandleOperation::Quota),
    ("merge", HandleOperation::Merge),
    ("erase", HandleOperation::Erase),
    ("associate", HandleOperation::Associate),
    ("report", HandleOperation::Report),
    ("write-schema", HandleOperation::WriteSchema),
];

pub(in crate::commands) fn operation(text: &str) -> Result<HandleOperation, String> {
    let found = OPERATIONS.iter().find(|(word, _)| *word == text);
    found.map(|(_, operation)| *operation).ok_or_else(|| {
        let words: Vec<&str> = OPERATIONS.iter().map(|(word, _)| *word).collect();
        format!("expected one of {}", words.join(", "))
    })
}

pub(in crate::commands) fn operations(scope: &HandleScope) -> String {
    let word = |operation: HandleOperation| {
        let found = OPERATIONS.iter().find(|(_, known)| *known == operation);
        found.map_or("?", |(word, _)| *word).to_owned()
    };
    joined(&scope.operations().map(word).collect::<Vec<_>>(), "nothing")
}

pub(in crate::commands) fn joined(words: &[String], if_empty: &str) -> String {
    if words.is_empty() {
        if_empty.to_owned()
    } else {
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_wire_has_its_word() {
        for number in 1..=13 {
            let known = HandleOperation::try_from(number).expect("on the wire");
            let (word, _) = OPERATIONS
                .iter()
                .find(|(_, one)| *one == known)
                .expect("has a word");
            assert_eq!(operation(word), Ok(known));
        }
        assert!(
            HandleOperation::try_from(14).is_err(),
            "a new operation needs a word"
        );
        assert!(operation("delete").expect_err("unknown").contains("read-audit"));
    }
}
