//! Owners: the users and queues that records are assigned to.

use hubkeep_core::clock::Timestamp;
use serde::Deserialize;

use crate::{
    answer::Decoded,
    config::ApiVersion,
    objects::Page,
    path::Path,
    request::Ask,
    wire::{self, WireId, WirePage, count, time},
};

/// One owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The value that `hubspot_owner_id` takes.
    pub id: String,
    /// The user's id; `None` for archived owners and queues.
    pub user_id: Option<String>,
    /// The e-mail address.
    pub email: String,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// Whether it is archived.
    pub archived: bool,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOwner {
    id: WireId,
    #[serde(default)]
    user_id: Option<WireId>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    first_name: Option<String>,
    #[serde(default)]
    last_name: Option<String>,
    #[serde(default)]
    archived: bool,
    created_at: Option<String>,
    updated_at: Option<String>,
}

impl From<WireOwner> for Owner {
    fn from(wire: WireOwner) -> Self {
        Self {
            id: wire.id.0,
            user_id: wire.user_id.map(|id| id.0),
            email: wire.email.unwrap_or_default(),
            first_name: wire.first_name.unwrap_or_default(),
            last_name: wire.last_name.unwrap_or_default(),
            archived: wire.archived,
            created: time(wire.created_at.as_ref()),
            updated: time(wire.updated_at.as_ref()),
        }
    }
}

fn one(body: &[u8]) -> Result<Decoded<Owner>, serde_json::Error> {
    let wire: WireOwner = wire::object(body)?;
    Ok(Decoded::one(wire.into()))
}

fn page(body: &[u8]) -> Result<Decoded<Page<Owner>>, serde_json::Error> {
    let wire: WirePage<WireOwner> = wire::object(body)?;
    let (after, total) = (wire.after(), wire.total);
    let items: Vec<Owner> = wire.results().map(Owner::from).collect();
    Ok(Decoded {
        record_count: count(items.len()),
        value: Page { items, after, total },
    })
}

/// Reads a page of owners; of one e-mail address where it is given.
pub fn list(
    version: ApiVersion,
    email: Option<&str>,
    limit: u32,
    after: Option<&str>,
    archived: bool,
) -> Ask<Page<Owner>> {
    let mut query = vec![("limit", limit.to_string()), ("archived", archived.to_string())];
    query.extend(email.map(|email| ("email", email.to_owned())));
    query.extend(after.map(|after| ("after", after.to_owned())));
    Ask::get(Path::owners(version), page).with_query(query)
}

/// Reads one owner.
pub fn get(version: ApiVersion, owner_id: &str) -> Ask<Owner> {
    Ask::get(Path::owners(version).then_id(owner_id), one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archived_owner_has_no_user() {
        let owner = one(br#"{"id":"9","email":"a@b.example","userId":null,"archived":true}"#)
            .expect("reads")
            .value;
        assert_eq!((owner.user_id, owner.archived), (None, true));
    }
}
