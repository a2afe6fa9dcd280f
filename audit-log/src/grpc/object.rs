//! A record that a reader names by its id: entries know it by a keyed hash only.

use hubkeep_core::id::PortalId;

use super::{api::AuditApi, error::Error};
use crate::{Filter, ObjectRef, Position, Search};

impl AuditApi {
    /// What entries of this portal call the record.
    pub(super) async fn object_ref(
        &self,
        portal: PortalId,
        filter: &Filter,
        object_id: &str,
    ) -> Result<ObjectRef, Error> {
        let object_type = filter.object_type.as_deref().unwrap_or_default();
        let found = self.authority.object_ref(portal, object_type, object_id).await;
        found.map_err(Error::NotGranted)?.ok_or_else(|| {
            Error::field(
                "filter.object_id",
                "this service keeps no entries about records: ask crm-service",
            )
        })
    }

    /// The portal whose slug a filter names: the one of its newest entry.
    pub(super) async fn portal_of(&self, filter: &Filter) -> Result<PortalId, Error> {
        let unknown = || {
            Error::field(
                "filter.client_slug",
                "the log has no entry of a portal of this name",
            )
        };
        let slug = filter.client_slug.clone().ok_or_else(unknown)?;
        // In the service's own log a slug is only what somebody claimed.
        let mut search = Search::newest(
            Filter {
                client_slug: Some(slug),
                log: filter.log.clone(),
                ..Filter::all()
            },
            LOOKED_AT,
        );
        loop {
            let found = self.log.find(&search).await?;
            let mut entries = found.iter().filter_map(|event| event.entry.as_ref());
            if let Some(portal) = entries.find_map(|entry| PortalId::new(entry.portal_id)) {
                return Ok(portal);
            }
            let Some(last) = found.last() else {
                return Err(unknown());
            };
            search.before = Some(Position(last.position));
        }
    }
}

/// Entries that are looked at together for one of a portal.
const LOOKED_AT: usize = 50;
