//! What is kept of a write's result: sealed under a key of its portal, and bound to its row.

use hubkeep_audit_log::{Position, Receipt};
use hubkeep_hubspot::{
    RowRefusal,
    associations::Label,
    objects::Object,
    pipelines::{Pipeline, Stage},
    properties::Property,
};
use serde::{Deserialize, Serialize};

use crate::crm::{Answer, Done, Row, RowError, RowOf};

/// The result of a write.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    answer: KeptAnswer,
    /// The place of the outcome in the audit log.
    outcome: u64,
    /// The receipts that were given with it. An older version has kept none.
    #[serde(default)]
    receipts: Vec<String>,
    /// How many attempts HubSpot received.
    pub attempts: u32,
    /// The limits by pipeline and owner under which it was made; a result is shown under the same, or under none.
    pub bounds: String,
    /// Whether an operator has told it: then `bounds` says nothing.
    #[serde(default)]
    told_by_hand: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum KeptAnswer {
    Object(Object),
    Rows(Vec<KeptRow>),
    Labels(Vec<Label>),
    Pairs(Vec<KeptPair>),
    Properties(Vec<Property>),
    Pipelines(Vec<Pipeline>),
    Stage(Stage),
    Done,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum KeptPair {
    Done(Vec<Label>),
    Refused(RowRefusal),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum KeptRow {
    Done { object: Object, created: bool },
    Refused(RowRefusal),
    Erased,
}

impl Kept {
    /// What is kept of an answer; `None` of one that no write gives, or that leaves a part unknown.
    pub fn of(answer: &Answer, outcome: Position, attempts: u32, bounds: String) -> Option<Self> {
        let answer = match answer {
            Answer::Object(object) => KeptAnswer::Object(object.clone()),
            Answer::Rows(rows) => KeptAnswer::Rows(rows.iter().map(kept_row).collect::<Option<_>>()?),
            Answer::Labels(labels) => KeptAnswer::Labels(labels.clone()),
            Answer::Pairs(rows) => KeptAnswer::Pairs(rows.iter().map(kept_pair).collect::<Option<_>>()?),
            Answer::Properties(properties) => KeptAnswer::Properties(properties.clone()),
            Answer::Pipelines(pipelines) => KeptAnswer::Pipelines(pipelines.clone()),
            Answer::Stage(stage) => KeptAnswer::Stage(stage.clone()),
            Answer::Done => KeptAnswer::Done,
            _ => return None,
        };
        Some(Self {
            answer,
            outcome: outcome.get(),
            receipts: Vec::new(),
            attempts,
            bounds,
            told_by_hand: false,
        })
    }

    /// The same, with the receipts that are given with it.
    #[must_use]
    pub fn with(mut self, receipts: Vec<Receipt>) -> Self {
        self.receipts = receipts.into_iter().map(String::from).collect();
        self
    }

    /// What is kept of an answer that an operator has told.
    pub fn by_hand(answer: &Answer, entry: Position) -> Option<Self> {
        let kept = Self::of(answer, entry, 1, String::new())?;
        Some(Self {
            told_by_hand: true,
            ..kept
        })
    }

    /// Whether an operator has told it.
    pub const fn is_told_by_hand(&self) -> bool {
        self.told_by_hand
    }

    /// The receipts that were given with it; none of what was found out later.
    pub fn receipts(&self) -> impl Iterator<Item = Receipt> {
        self.receipts.iter().cloned().map(Receipt::kept)
    }

    /// The place of the outcome in the audit log.
    pub const fn outcome(&self) -> Position {
        Position(self.outcome)
    }

    /// The answer, as it was.
    pub fn into_answer(self) -> Answer {
        match self.answer {
            KeptAnswer::Object(object) => Answer::Object(object),
            KeptAnswer::Rows(rows) => Answer::Rows(rows.into_iter().map(row).collect()),
            KeptAnswer::Labels(labels) => Answer::Labels(labels),
            KeptAnswer::Pairs(rows) => Answer::Pairs(rows.into_iter().map(pair).collect()),
            KeptAnswer::Properties(properties) => Answer::Properties(properties),
            KeptAnswer::Pipelines(pipelines) => Answer::Pipelines(pipelines),
            KeptAnswer::Stage(stage) => Answer::Stage(stage),
            KeptAnswer::Done => Answer::Done,
        }
    }
}

fn kept_row(row: &Row) -> Option<KeptRow> {
    match row {
        Ok(Done { object, created }) => Some(KeptRow::Done {
            object: object.clone(),
            created: *created,
        }),
        Err(RowError::HubSpot(RowRefusal::Unknown) | RowError::NotAllowed(_)) => None,
        Err(RowError::HubSpot(refusal)) => Some(KeptRow::Refused(refusal.clone())),
        Err(RowError::Erased) => Some(KeptRow::Erased),
    }
}

fn row(kept: KeptRow) -> Row {
    match kept {
        KeptRow::Done { object, created } => Ok(Done { object, created }),
        KeptRow::Refused(refusal) => Err(RowError::HubSpot(refusal)),
        KeptRow::Erased => Err(RowError::Erased),
    }
}

fn kept_pair(row: &RowOf<Vec<Label>>) -> Option<KeptPair> {
    match row {
        Ok(labels) => Some(KeptPair::Done(labels.clone())),
        Err(RowError::HubSpot(RowRefusal::Unknown) | RowError::NotAllowed(_) | RowError::Erased) => None,
        Err(RowError::HubSpot(refusal)) => Some(KeptPair::Refused(refusal.clone())),
    }
}

fn pair(kept: KeptPair) -> RowOf<Vec<Label>> {
    match kept {
        KeptPair::Done(labels) => Ok(labels),
        KeptPair::Refused(refusal) => Err(RowError::HubSpot(refusal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_reads_back_as_it_was() {
        let object = Object {
            id: "101".to_owned(),
            properties: [("email".to_owned(), "ann@example.com".to_owned())].into(),
            ..Object::default()
        };
        let done = |created| {
            Ok(Done {
                object: object.clone(),
                created,
            })
        };
        let answer = Answer::Rows(vec![done(true), done(false)]);
        let kept = Kept::of(&answer, Position(7), 2, String::new()).expect("kept");
        let receipts = vec![Receipt::kept("a note\n".to_owned())];
        let kept = kept.with(receipts.clone());
        let bytes = serde_json::to_vec(&kept).expect("written");
        let read: Kept = serde_json::from_slice(&bytes).expect("read");
        assert_eq!((read.outcome(), read.attempts), (Position(7), 2));
        assert_eq!(read.receipts().collect::<Vec<_>>(), receipts);
        let Answer::Rows(rows) = read.into_answer() else {
            panic!("rows");
        };
        assert_eq!(rows, [done(true), done(false)]);
    }

    #[test]
    fn what_an_older_version_has_kept_reads_without_receipts() {
        let old = r#"{"answer":"Done","outcome":7,"attempts":1,"bounds":""}"#;
        let read: Kept = serde_json::from_str(old).expect("read");
        assert_eq!((read.outcome(), read.receipts().count()), (Position(7), 0));
    }

    #[test]
    fn a_batch_of_which_a_part_is_unknown_is_not_kept_as_a_result() {
        let unknown = Answer::Rows(vec![Err(RowError::HubSpot(RowRefusal::Unknown))]);
        assert!(Kept::of(&unknown, Position(7), 1, String::new()).is_none());
    }
}
