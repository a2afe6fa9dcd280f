//! Associations in HubSpot's words.

use hubkeep_hubspot::{
    ApiVersion, Row as HubSpotRow,
    associations::{self, AssociationType, Label, Link, Record, batch},
};

use super::{Dispatch, Sending};
use crate::{
    call::{Error, Reply},
    crm::{Answer, AssociationAsk, Between, End, NewAssociation, Pair, RecordId, RowError, RowOf},
};

impl Dispatch {
    /// Asks what records have to do with each other, or changes it.
    pub(super) async fn association(
        &self,
        admitted: Sending<'_>,
        version: ApiVersion,
        ask: &AssociationAsk,
    ) -> Result<Reply, Error> {
        match ask {
            AssociationAsk::List { end, limit, after } => {
                let ask =
                    associations::list(version, from(end), end.to_type.as_str(), *limit, after.as_deref());
                self.send(admitted, ask, Answer::Associated).await
            }
            AssociationAsk::Create {
                end,
                to: other,
                kinds,
            } if kinds.is_empty() => {
                let ask = associations::put_default(version, from(end), to(end, other));
                self.send_row(admitted, ask, |types| {
                    Answer::Labels(types.into_iter().map(unlabelled).collect())
                })
                .await
            }
            AssociationAsk::Create {
                end,
                to: other,
                kinds,
            } => {
                let ask = associations::put_labels(version, from(end), to(end, other), kinds);
                let set = kinds.iter().cloned().map(unlabelled).collect();
                self.send(admitted, ask, |_names| Answer::Labels(set)).await
            }
            AssociationAsk::Remove { end, to: other } => {
                let ask = associations::remove(version, from(end), to(end, other));
                self.send(admitted, ask, |()| Answer::Done).await
            }
            AssociationAsk::ReadMany { between, of } => {
                let ask = batch::read(version, types(between), &pages_of(of));
                self.send(admitted, ask?, |rows| Answer::Pages(rows_of(rows, |page| page)))
                    .await
            }
            AssociationAsk::CreateMany { between, pairs } => {
                let ask = batch::create_default(version, types(between), &in_words(pairs));
                let told = |kinds: Vec<AssociationType>| kinds.into_iter().map(unlabelled).collect();
                self.send(admitted, ask?, |rows| Answer::Pairs(rows_of(rows, told)))
                    .await
            }
            AssociationAsk::LabelMany { between, pairs } => {
                let ask = batch::create(version, types(between), &with_kinds(pairs));
                let answered = |rows| labelled(rows, pairs);
                self.send(admitted, ask?, answered).await
            }
            AssociationAsk::RemoveMany { between, pairs } => {
                let ask = batch::archive(version, types(between), &in_words(pairs));
                // HubSpot says of all at once that they are taken apart.
                let ended = |()| Answer::Pairs(pairs.iter().map(|_| Ok(Vec::new())).collect());
                self.send(admitted, ask?, ended).await
            }
            AssociationAsk::UnlabelMany { between, pairs } => {
                let ask = batch::archive_labels(version, types(between), &with_kinds(pairs));
                let taken_off = |()| Vec::new();
                self.send(admitted, ask?, |rows| Answer::Pairs(rows_of(rows, taken_off)))
                    .await
            }
            AssociationAsk::Labels { object_type, to_type } => {
                let ask = associations::labels(version, object_type.as_str(), to_type.as_str());
                self.send(admitted, ask, Answer::Labels).await
            }
        }
    }
}

fn from(end: &End) -> Record<'_> {
    Record {
        object_type: end.object_type.as_str(),
        id: end.id.as_str(),
    }
}

fn to<'a>(end: &'a End, id: &'a RecordId) -> Record<'a> {
    Record {
        object_type: end.to_type.as_str(),
        id: id.as_str(),
    }
}

fn types(between: &Between) -> (&str, &str) {
    (between.object_type.as_str(), between.to_type.as_str())
}

fn pages_of(of: &[(RecordId, Option<String>)]) -> Vec<batch::Of> {
    let page = |(id, after): &(RecordId, Option<String>)| batch::Of {
        id: id.as_str().to_owned(),
        after: after.clone(),
    };
    of.iter().map(page).collect()
}

fn in_words(pairs: &[Pair]) -> Vec<batch::Pair> {
    pairs.iter().map(in_word).collect()
}

fn with_kinds(pairs: &[(Pair, Vec<AssociationType>)]) -> Vec<batch::Labelled> {
    let labelled = |(pair, kinds): &(Pair, Vec<AssociationType>)| batch::Labelled {
        pair: in_word(pair),
        types: kinds.clone(),
    };
    pairs.iter().map(labelled).collect()
}

fn in_word(pair: &Pair) -> batch::Pair {
    batch::Pair {
        from_id: pair.from.as_str().to_owned(),
        to_id: pair.to.as_str().to_owned(),
    }
}

fn rows_of<T, U>(rows: Vec<HubSpotRow<T>>, told: impl Fn(T) -> U) -> Vec<RowOf<U>> {
    let row = |row: HubSpotRow<T>| row.map(&told).map_err(RowError::HubSpot);
    rows.into_iter().map(row).collect()
}

/// HubSpot names the labels in people's words; they are those that were asked for.
fn labelled(rows: Vec<HubSpotRow<Vec<String>>>, pairs: &[(Pair, Vec<AssociationType>)]) -> Answer {
    let told = rows.into_iter().zip(pairs).map(|(row, (_, kinds))| {
        let set = |_names| kinds.iter().cloned().map(unlabelled).collect();
        row.map(set).map_err(RowError::HubSpot)
    });
    Answer::Pairs(told.collect())
}

/// What a new record is associated with.
pub(super) fn link(association: &NewAssociation) -> Link {
    Link {
        to_id: association.id.as_str().to_owned(),
        types: vec![association.kind.clone()],
    }
}

const fn unlabelled(kind: AssociationType) -> Label {
    Label { kind, label: None }
}
