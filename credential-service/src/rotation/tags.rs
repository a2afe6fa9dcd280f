//! Consumers that name portals by tags. Tags lie sealed on both sides, so who is concerned is found before a switch
//! begins: within a transaction no key is asked for.

use std::collections::BTreeSet;

use hubkeep_core::id::CallerName;
use hubkeep_seal::{Owner, Place, Purpose};

use super::{
    Error, Rotations,
    store::consumers::{self as store, Stored, TABLE, TAGS},
};
use crate::portals::Portal;

impl Rotations {
    /// The consumers that name this portal by one of its tags.
    pub(super) async fn tagged(&self, portal: &Portal) -> Result<BTreeSet<CallerName>, Error> {
        let mut concerned = BTreeSet::new();
        let consumers = store::with_tags(&self.database).await?;
        if consumers.is_empty() {
            return Ok(concerned);
        }
        let Some(details) = self.portals.details(portal).await? else {
            return Ok(concerned);
        };
        for stored in consumers {
            let tags = self.open_tags(&stored).await?;
            if tags.iter().any(|tag| details.tags.contains(tag)) {
                concerned.insert(stored.consumer.name);
            }
        }
        Ok(concerned)
    }

    /// Seals tags for their row; `None` where there are none. No transaction may be open: it may make the key.
    pub(super) async fn seal_tags(
        &self,
        name: &CallerName,
        tags: &[String],
    ) -> Result<Option<Vec<u8>>, Error> {
        if tags.is_empty() {
            return Ok(None);
        }
        let text = tags.join("\n");
        Ok(Some(self.keyring.seal(&place(name), text.as_bytes()).await?))
    }

    /// The tags of a consumer.
    pub(super) async fn open_tags(&self, stored: &Stored) -> Result<Vec<String>, Error> {
        let name = &stored.consumer.name;
        let Some(sealed) = &stored.tags else {
            return Ok(Vec::new());
        };
        let opened = self.keyring.open(&place(name), sealed).await?;
        let text = std::str::from_utf8(&opened).map_err(|_| Error::BrokenRow(name.to_string()))?;
        Ok(text.split('\n').map(str::to_owned).collect())
    }
}

/// The key is that of the row's other sealed column; the column is part of what is authenticated.
fn place(name: &CallerName) -> Place<'_> {
    Place {
        owner: Owner::Service,
        purpose: Purpose::Webhook,
        table: TABLE,
        column: TAGS,
        row: name.as_str(),
        client_slug: "",
        kind: "tags",
        generation: 0,
    }
}
