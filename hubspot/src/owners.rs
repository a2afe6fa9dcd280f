//! Owners: the users and queues that records are assigned to.

use hubkeep_core::clock::Timestamp;
use serde::Deserialize;

use crate::{
    answer::MayBeRecord,
    config::ApiVersion,
    objects::Page,
    path::Path,
    request::Ask,
    wire::{self, Several, WireId, each, time},
};

/// One owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The value that `hubspot_owner_id` takes.
    pub id: String,
    /// What it is.
    pub kind: OwnerKind,
    /// The user's id; `None` for archived owners and queues.
    pub user_id: Option<String>,
    /// The id of the user that it is, or was before it was archived.
    pub past_user_id: Option<String>,
    /// The e-mail address.
    pub email: String,
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// The teams that it is in.
    pub teams: Vec<Team>,
    /// Whether it is archived.
    pub archived: bool,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When it was last changed.
    pub updated: Option<Timestamp>,
}

/// What an owner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerKind {
    /// A person.
    Person,
    /// A queue, which many people take from.
    Queue,
    /// What HubSpot does not say, or what is not known here.
    Other,
}

/// A team of owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it is the owner's main team.
    pub primary: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOwner {
    id: WireId,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    user_id: Option<WireId>,
    #[serde(default)]
    user_id_including_inactive: Option<WireId>,
    #[serde(default)]
    teams: Several<WireTeam>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    first_name: Option<String>,
    #[serde(default)]
    last_name: Option<String>,
    #[serde(default)]
    archived: Option<bool>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

#[derive(Deserialize)]
struct WireTeam {
    id: WireId,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    primary: Option<bool>,
}

impl From<WireTeam> for Team {
    fn from(wire: WireTeam) -> Self {
        Self {
            id: wire.id.0,
            name: wire.name.unwrap_or_default(),
            primary: wire.primary.unwrap_or_default(),
        }
    }
}

impl From<WireOwner> for Owner {
    fn from(wire: WireOwner) -> Self {
        let kind = match wire.kind.as_deref() {
            Some("PERSON") => OwnerKind::Person,
            Some("QUEUE") => OwnerKind::Queue,
            _ => OwnerKind::Other,
        };
        Self {
            id: wire.id.0,
            kind,
            past_user_id: wire.user_id_including_inactive.map(|id| id.0),
            teams: each(wire.teams),
            user_id: wire.user_id.map(|id| id.0),
            email: wire.email.unwrap_or_default(),
            first_name: wire.first_name.unwrap_or_default(),
            last_name: wire.last_name.unwrap_or_default(),
            archived: wire.archived.unwrap_or_default(),
            created: time(wire.created_at.as_ref()),
            updated: time(wire.updated_at.as_ref()),
        }
    }
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
    Ask::get(Path::owners(version), wire::page_after::<WireOwner, _>(after)).with_query(query)
}

/// Reads one owner, among the archived or among the others.
pub fn get(version: ApiVersion, owner_id: &str, archived: bool) -> Ask<Owner> {
    one(version, owner_id, "id", archived)
}

/// Reads the owner that a user is. Users and owners have ids of their own.
pub fn of_user(version: ApiVersion, user_id: &str, archived: bool) -> Ask<Owner> {
    one(version, user_id, "userId", archived)
}

fn one(version: ApiVersion, id: &str, id_property: &str, archived: bool) -> Ask<Owner> {
    let ask = Ask::get(Path::owners(version).then_id(id), wire::one::<WireOwner, _>);
    ask.with_query(vec![
        ("idProperty", id_property.to_owned()),
        ("archived", archived.to_string()),
    ])
}

impl MayBeRecord for Owner {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8]) -> Owner {
        wire::one::<WireOwner, Owner>(body).expect("reads").value
    }

    #[test]
    fn an_archived_owner_has_no_user_but_had_one() {
        let owner = read(
            br#"{"id":"9","email":"a@b.example","userId":null,"userIdIncludingInactive":7,"type":"PERSON","archived":true,
                "teams":[{"id":"3","name":"Sales","primary":true}]}"#,
        );
        assert_eq!((owner.user_id, owner.archived), (None, true));
        assert_eq!(
            (owner.past_user_id.as_deref(), owner.kind),
            (Some("7"), OwnerKind::Person)
        );
        assert!(owner.teams[0].primary);
    }

    #[test]
    fn an_owner_is_found_by_its_user_too() {
        let ask = of_user(ApiVersion::V2026_09, "7", true);
        assert_eq!(ask.path.template(), "/crm/owners/2026-09/{id}");
        let query = [("idProperty", "userId"), ("archived", "true")];
        assert_eq!(ask.query, query.map(|(name, value)| (name, value.to_owned())));
        assert_eq!(read(br#"{"id":1}"#).kind, OwnerKind::Other);
    }
}
