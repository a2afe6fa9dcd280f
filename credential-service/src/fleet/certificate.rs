//! What a certificate of erasure says.

use jiff::Timestamp as Moment;
use serde::{Deserialize, Serialize};

use super::store::Erasure;

/// Where a log holds the entry that a portal's keys are destroyed, and which keys they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The log.
    pub log: String,
    /// The entry's place in everything that the service has recorded.
    pub position: u64,
    /// Its place in the log.
    pub index: u64,
    /// Its id.
    pub entry_id: String,
    /// The purposes of the keys, sorted.
    pub keys: Vec<String>,
}

/// The text of a certificate; `None` before both services have their tombstones.
pub(super) fn text(deployment: &str, erasure: &Erasure) -> Option<String> {
    let (own, crm) = (erasure.own_tombstone.as_ref()?, erasure.crm_tombstone.as_ref()?);
    let time = Moment::from_microsecond(erasure.erase_time.as_micros()).ok()?;
    let lines = [
        "hubkeep certificate of erasure, version 1".to_owned(),
        format!("deployment: {deployment}"),
        format!("client: {}", erasure.client_slug),
        format!("portal: {}", erasure.portal_id),
        format!("erased: {time:.0}"),
        format!("generation: {}", erasure.portal_generation),
        format!("store version: {}", erasure.store_version),
        tombstone("credential-service", own),
        tombstone("crm-service", crm),
        "what was sealed or hashed under these keys cannot be read again; wrapped copies of the keys end with the \
         last backup that holds them"
            .to_owned(),
    ];
    Some(lines.join("\n") + "\n")
}

fn tombstone(service: &str, tombstone: &Tombstone) -> String {
    let Tombstone {
        log,
        position,
        index,
        entry_id,
        keys,
    } = tombstone;
    let keys = if keys.is_empty() {
        "none".to_owned()
    } else {
        keys.join(" ")
    };
    format!(
        "{service}: keys destroyed: {keys}; tombstone: log {log} index {index} position {position} entry {entry_id}"
    )
}

#[cfg(test)]
mod tests {
    use hubkeep_core::{clock::Timestamp, id::PortalId};

    use super::*;

    #[test]
    fn a_certificate_names_both_services_and_is_none_before_both_have_confirmed() {
        let tombstone = |log: &str| Tombstone {
            log: log.to_owned(),
            position: 9,
            index: 3,
            entry_id: "01890000-0000-7000-8000-000000000000".to_owned(),
            keys: vec!["credential".to_owned(), "handle-claims".to_owned()],
        };
        let mut erasure = Erasure {
            portal_id: PortalId::new(1_001).expect("an id"),
            client_slug: "acme".parse().expect("a slug"),
            portal_generation: 2,
            store_version: 17,
            erase_time: Timestamp::from_micros(1_795_000_000_000_000),
            own_keys: Vec::new(),
            own_tombstone: Some(tombstone("prod/credential-service/1001")),
            crm_tombstone: None,
            certificate: None,
        };
        assert_eq!(text("prod", &erasure), None);
        erasure.crm_tombstone = Some(tombstone("prod/crm-service/1001"));
        let said = text("prod", &erasure).expect("both are there");
        for line in [
            "client: acme",
            "portal: 1001",
            "erased: 2026-11-18T11:06:40Z",
            "store version: 17",
        ] {
            assert!(said.lines().any(|one| one == line), "{line} is not in {said}");
        }
        assert!(said.contains("prod/credential-service/1001") && said.contains("prod/crm-service/1001"));
    }
}
