//! Both logs, counted.

use std::collections::BTreeMap;

use super::{
    acts::Acts,
    error::Error,
    source::Source,
    tally::{Tally, operation_name},
};

/// What both logs say of a period.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// This service's entries; of credential-service's what it asked HubSpot for.
    pub(super) tally: Tally,
    /// What credential-service recorded, by operation.
    pub(super) administration: BTreeMap<String, u64>,
    /// What is told one by one.
    pub(super) acts: Acts,
}

/// Reads both logs.
pub(super) async fn counted(source: &mut Source) -> Result<Counted, Error> {
    let Counted {
        mut tally,
        mut administration,
        mut acts,
    } = Counted::default();
    source
        .ours(|event| {
            acts.add(&event);
            if let Some(entry) = &event.entry {
                tally.add(entry);
            }
        })
        .await?;
    source
        .theirs(|event| {
            acts.add(&event);
            if let Some(entry) = &event.entry {
                tally.exchange_of_credential_service(entry);
                *administration
                    .entry(operation_name(entry.operation()))
                    .or_default() += u64::from(entry.occurrence_count.max(1));
            }
        })
        .await?;
    Ok(Counted {
        tally,
        administration,
        acts,
    })
}

/// How many contacts were erased for good.
pub(super) fn erasures(tally: &Tally) -> u64 {
    let operations = tally.by(|key| key.operation.clone());
    operations
        .get("CONTACT_ERASE")
        .map_or(0, |line| line.counts.records_written)
}

/// Rows of names and numbers.
pub(super) fn pairs(counted: &BTreeMap<String, u64>) -> Vec<Vec<String>> {
    counted
        .iter()
        .map(|(name, count)| vec![name.clone(), count.to_string()])
        .collect()
}
