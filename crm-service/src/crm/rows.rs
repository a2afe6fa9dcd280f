//! A part of a batch, and its answer in the place of that part's: HubSpot carries out some inputs, and passes over others.

use std::{sync::Arc, time::Duration};

use super::{Answer, Ask, AssociationAsk, Batch, BatchWork, RowError, RowOf};

impl Ask {
    /// The same for the inputs at these places only; `None` of what is no batch, or has no such inputs.
    pub fn only(&self, places: &[usize]) -> Option<Self> {
        match self {
            Self::Batch(batch) => Some(Self::Batch(Arc::new(Batch {
                object_type: batch.object_type.clone(),
                work: of_records(&batch.work, places)?,
            }))),
            Self::Association(ask) => Some(Self::Association(Arc::new(of_pairs(ask, places)?))),
            _ => None,
        }
    }
}

fn of_records(work: &BatchWork, places: &[usize]) -> Option<BatchWork> {
    Some(match work {
        BatchWork::Read {
            ids,
            id_property,
            wanted,
            archived,
        } => BatchWork::Read {
            ids: at(ids, places)?,
            id_property: id_property.clone(),
            wanted: wanted.clone(),
            archived: *archived,
        },
        BatchWork::Create(inputs) => BatchWork::Create(at(inputs, places)?),
        BatchWork::Update { changes, id_property } => BatchWork::Update {
            changes: at(changes, places)?,
            id_property: id_property.clone(),
        },
        BatchWork::Upsert { changes, id_property } => BatchWork::Upsert {
            changes: at(changes, places)?,
            id_property: id_property.clone(),
        },
        BatchWork::Archive(ids) => BatchWork::Archive(at(ids, places)?),
    })
}

fn of_pairs(ask: &AssociationAsk, places: &[usize]) -> Option<AssociationAsk> {
    Some(match ask {
        AssociationAsk::ReadMany { between, of } => AssociationAsk::ReadMany {
            between: between.clone(),
            of: at(of, places)?,
        },
        AssociationAsk::CreateMany { between, pairs } => AssociationAsk::CreateMany {
            between: between.clone(),
            pairs: at(pairs, places)?,
        },
        AssociationAsk::LabelMany { between, pairs } => AssociationAsk::LabelMany {
            between: between.clone(),
            pairs: at(pairs, places)?,
        },
        AssociationAsk::RemoveMany { between, pairs } => AssociationAsk::RemoveMany {
            between: between.clone(),
            pairs: at(pairs, places)?,
        },
        AssociationAsk::UnlabelMany { between, pairs } => AssociationAsk::UnlabelMany {
            between: between.clone(),
            pairs: at(pairs, places)?,
        },
        _ => return None,
    })
}

fn at<T: Clone>(all: &[T], places: &[usize]) -> Option<Vec<T>> {
    places.iter().map(|place| all.get(*place).cloned()).collect()
}

impl Answer {
    /// The places of the inputs that HubSpot has passed over, for a limit or a lock: they were not carried out, and may be sent again.
    pub fn passed_over(&self) -> Vec<usize> {
        self.places_of(|error| matches!(error, RowError::HubSpot(refusal) if refusal.is_passed_over()))
    }

    /// Whether it has passed over all of them.
    pub fn is_all_passed_over(&self) -> bool {
        let passed_over = self.passed_over().len();
        passed_over > 0 && Some(passed_over) == self.rows()
    }

    /// Those among them that may be sent again soon, and after which time.
    pub fn passing(&self) -> Option<(Vec<usize>, Duration)> {
        let mut longest = Duration::ZERO;
        let places = self.places_of(|error| {
            let RowError::HubSpot(refusal) = error else {
                return false;
            };
            let after = refusal.passes_after();
            longest = longest.max(after.unwrap_or_default());
            after.is_some()
        });
        (!places.is_empty()).then_some((places, longest))
    }

    /// The same, where another answer says what became of the inputs at these places since; `None` if it does not.
    pub fn with(mut self, places: &[usize], since: Self) -> Option<Self> {
        let placed = match (&mut self, since) {
            (Self::Rows(rows), Self::Rows(since)) => put(rows, places, since),
            (Self::Pairs(rows), Self::Pairs(since)) => put(rows, places, since),
            (Self::Pages(rows), Self::Pages(since)) => put(rows, places, since),
            _ => None,
        };
        placed.map(|()| self)
    }

    /// The answer for so many inputs, of which this is about those at these places; what became of the others is told by this
    /// error. `None` of what is no answer to a batch of records, or is about another number of them.
    pub fn among(self, places: &[usize], inputs: usize, others: &RowError) -> Option<Self> {
        let Self::Rows(rows) = self else { return None };
        let mut whole = vec![Err(others.clone()); inputs];
        put(&mut whole, places, rows)?;
        Some(Self::Rows(whole))
    }

    /// The same, where nobody knows what became of the inputs at these places since.
    #[must_use]
    pub fn with_unknown(mut self, places: &[usize]) -> Self {
        match &mut self {
            Self::Rows(rows) => unknown(rows, places),
            Self::Pairs(rows) => unknown(rows, places),
            Self::Pages(rows) => unknown(rows, places),
            _ => {}
        }
        self
    }

    fn rows(&self) -> Option<usize> {
        match self {
            Self::Rows(rows) => Some(rows.len()),
            Self::Pairs(rows) => Some(rows.len()),
            Self::Pages(rows) => Some(rows.len()),
            _ => None,
        }
    }

    fn places_of(&self, are: impl FnMut(&RowError) -> bool) -> Vec<usize> {
        match self {
            Self::Rows(rows) => refused(rows, are),
            Self::Pairs(rows) => refused(rows, are),
            Self::Pages(rows) => refused(rows, are),
            _ => Vec::new(),
        }
    }
}

fn refused<T>(rows: &[RowOf<T>], mut are: impl FnMut(&RowError) -> bool) -> Vec<usize> {
    let rows = rows.iter().enumerate();
    let refused =
        rows.filter_map(|(place, row)| row.as_ref().err().filter(|error| are(error)).map(|_| place));
    refused.collect()
}

fn put<T>(rows: &mut [RowOf<T>], places: &[usize], since: Vec<RowOf<T>>) -> Option<()> {
    if since.len() != places.len() {
        return None;
    }
    for (place, row) in places.iter().zip(since) {
        *rows.get_mut(*place)? = row;
    }
    Some(())
}

fn unknown<T>(rows: &mut [RowOf<T>], places: &[usize]) {
    for place in places {
        if let Some(row) = rows.get_mut(*place) {
            *row = Err(RowError::HubSpot(hubkeep_hubspot::RowRefusal::Unknown));
        }
    }
}

#[cfg(test)]
mod tests {
    use hubkeep_hubspot::{Refusal, RefusalKind, RowRefusal, objects::Object};

    use super::*;
    use crate::crm::{Done, ObjectType, RecordId};

    fn done(id: &str) -> RowOf<Done> {
        Ok(Done::from(Object {
            id: id.to_owned(),
            ..Object::default()
        }))
    }

    fn refused_for(kind: RefusalKind) -> RowOf<Done> {
        Err(RowError::HubSpot(RowRefusal::Refused(Box::new(Refusal {
            status: 207,
            kind,
            category: String::new(),
            message: String::new(),
            correlation_id: String::new(),
            receipt: None,
        }))))
    }

    fn limited(policy: &str, seconds: Option<u64>) -> RowOf<Done> {
        refused_for(RefusalKind::RateLimited {
            policy: policy.to_owned(),
            retry_after: seconds.map(Duration::from_secs),
        })
    }

    #[test]
    fn inputs_that_were_passed_over_are_told_from_those_that_were_refused() {
        let answer = Answer::Rows(vec![
            done("1"),
            limited("TEN_SECONDLY_ROLLING", Some(10)),
            refused_for(RefusalKind::NotFound),
            limited("DAILY", None),
            Err(RowError::HubSpot(RowRefusal::Unknown)),
            refused_for(RefusalKind::Locked(Duration::from_secs(2))),
        ]);
        assert_eq!(answer.passed_over(), [1, 3, 5]);
        assert!(!answer.is_all_passed_over());
        let (places, wait) = answer.passing().expect("some pass soon");
        assert_eq!((places, wait), (vec![1, 5], Duration::from_secs(10)));
        assert!(Answer::Rows(vec![limited("DAILY", None)]).is_all_passed_over());
        assert!(Answer::Done.passing().is_none() && !Answer::Done.is_all_passed_over());
    }

    #[test]
    fn what_is_made_later_stands_in_the_place_of_what_was_passed_over() {
        let first = || {
            Answer::Rows(vec![
                limited("SECONDLY", Some(1)),
                done("2"),
                limited("SECONDLY", Some(1)),
            ])
        };
        let whole = first().with(&[0, 2], Answer::Rows(vec![done("1"), done("3")]));
        let Some(Answer::Rows(rows)) = whole else {
            panic!("rows");
        };
        assert_eq!(rows, [done("1"), done("2"), done("3")]);
        assert!(first().with(&[0, 2], Answer::Rows(vec![done("1")])).is_none());
        assert!(first().with_unknown(&[0]).leaves_open());
    }

    #[test]
    fn an_answer_to_a_part_says_of_the_others_why_there_is_none() {
        let part = Answer::Rows(vec![done("1"), done("3")]);
        let Some(Answer::Rows(rows)) = part.clone().among(&[0, 2], 4, &RowError::Erased) else {
            panic!("rows");
        };
        let erased = || Err(RowError::Erased);
        assert_eq!(rows, [done("1"), erased(), done("3"), erased()]);
        assert!(part.clone().among(&[0], 4, &RowError::Erased).is_none());
        assert!(part.among(&[0, 4], 4, &RowError::Erased).is_none());
        assert!(Answer::Done.among(&[], 0, &RowError::Erased).is_none());
    }

    #[test]
    fn a_part_of_a_batch_is_of_the_same_kind_and_about_those_inputs() {
        let ids = ["1", "2", "3"]
            .map(|id| RecordId::read(id).expect("an id"))
            .to_vec();
        let ask = Ask::Batch(Arc::new(Batch {
            object_type: ObjectType::contacts(),
            work: BatchWork::Archive(ids.clone()),
        }));
        let Some(Ask::Batch(part)) = ask.only(&[0, 2]) else {
            panic!("a batch");
        };
        assert_eq!(
            part.work,
            BatchWork::Archive(vec![ids[0].clone(), ids[2].clone()])
        );
        assert!(ask.only(&[3]).is_none() && Ask::ReadAccount.only(&[0]).is_none());
    }
}
