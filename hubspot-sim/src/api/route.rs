//! Paths: which endpoint a path names, in the dated style and in the v3 and v4 style. Types are named as the path has them:
//! only the account knows its custom ones.

use percent_encoding::percent_decode_str;

use super::route_crm::{associations, objects, pipelines, properties, schemas};
use crate::oauth::OAuthAction;

/// The dated versions that are served. The account's name is told from the last one on.
const DATED: [&str; 3] = ["2025-09", "2026-03", "2026-09"];

/// An endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Records of one type.
    Objects { kind: String, action: ObjectAction },
    /// What one record is associated with.
    Partners {
        from: String,
        id: String,
        action: PartnerAction,
    },
    /// Associations between two types.
    Associations {
        from: String,
        to: String,
        action: AssociationAction,
    },
    /// Properties of one type.
    Properties { kind: String, action: PropertyAction },
    /// Pipelines of one type.
    Pipelines { kind: String, action: PipelineAction },
    /// All custom types, or one type of any sort.
    Schemas(Option<String>),
    /// All owners, or one.
    Owners(Option<String>),
    /// Account details, with the account's name where the version has it.
    AccountDetails { with_name: bool },
    /// Calls used today.
    ApiUsage,
    /// What a private token is.
    TokenInfo,
    /// The authorization server, which asks for no bearer token.
    OAuth(OAuthAction),
    /// The page on which a user consents, of one account or any.
    Consent(Option<String>),
}

/// What is done with records.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ObjectAction {
    /// List or create.
    Collection,
    /// One record: get, update, archive.
    Record(String),
    /// Search.
    Search,
    /// Make one of two.
    Merge,
    /// Delete for good.
    GdprDelete,
    /// `batch/…`.
    Batch(BatchAction),
}

/// What is done with many records at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BatchAction {
    Read,
    Create,
    Update,
    Upsert,
    Archive,
}

/// What is done with the associations of one record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PartnerAction {
    /// List those of a type.
    List { to: String },
    /// Label or end the association with one record.
    One { to: String, id: String },
    /// The plain association with one record.
    Default { to: String, id: String },
}

/// What is done with associations between two types.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AssociationAction {
    /// `batch/…`.
    Batch(AssociationBatch),
    /// List or define labels.
    Labels,
    /// Remove one label.
    Label(String),
}

/// What is done with many associations at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AssociationBatch {
    Read,
    Create,
    Default,
    Archive,
    ArchiveLabels,
}

/// What is done with properties.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PropertyAction {
    /// List or define.
    Collection,
    /// One: get, update, archive.
    One(String),
    /// Many: read, define, archive.
    Batch(BatchAction),
}

/// What is done with pipelines.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PipelineAction {
    /// List or create.
    Collection,
    /// One: get, update, replace, delete.
    One(String),
    /// The stages of one: list, create.
    Stages(String),
    /// One stage: get, update, replace, delete.
    Stage(String, String),
}

impl Route {
    /// The endpoint of a path; `None` if there is none.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let decoded: Vec<String> = path
            .trim_matches('/')
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["crm", room, version, rest @ ..] if DATED.contains(version) => crm(room, rest, true),
            ["crm", "v3", room, rest @ ..] => crm(room, rest, false),
            ["crm", "v4", "objects", rest @ ..] => objects(rest, true).filter(Self::is_association),
            // HubSpot's pages write it both ways.
            ["crm", "v4", "associations", rest @ ..] | ["crm", "associations", "v4", rest @ ..] => {
                associations(rest)
            }
            ["crm-object-schemas", version, "schemas", rest @ ..]
                if *version == "v3" || DATED.contains(version) =>
            {
                schemas(rest)
            }
            ["account-info", version, rest @ ..] if *version == "v3" || DATED.contains(version) => {
                account_info(version, rest)
            }
            ["oauth", "v2", "private-apps", "get", "access-token-info"] => Some(Self::TokenInfo),
            ["oauth", "authorize"] => Some(Self::Consent(None)),
            ["oauth", id, "authorize"] => Some(Self::Consent(Some((*id).to_owned()))),
            ["oauth", version, rest @ ..] if *version == "v3" || DATED.contains(version) => oauth(rest),
            _ => None,
        }
    }

    /// Whether the search limit counts it.
    pub(crate) fn is_search(&self) -> bool {
        matches!(
            self,
            Self::Objects {
                action: ObjectAction::Search,
                ..
            }
        )
    }

    /// Whether the limit of the associations API counts it.
    pub(crate) fn is_association(&self) -> bool {
        matches!(self, Self::Partners { .. } | Self::Associations { .. })
    }
}

/// A room of the CRM. Associations are dated or v4, never v3.
fn crm(room: &str, rest: &[&str], dated: bool) -> Option<Route> {
    match room {
        "objects" => objects(rest, dated),
        "associations" if dated => associations(rest),
        "properties" => properties(rest),
        "pipelines" => pipelines(rest),
        "schemas" if !dated => schemas(rest),
        "owners" => owners(rest),
        _ => None,
    }
}

fn oauth(rest: &[&str]) -> Option<Route> {
    let action = match rest {
        ["token"] => OAuthAction::Token,
        ["token", "introspect"] => OAuthAction::Introspect,
        ["token", "revoke"] => OAuthAction::Revoke,
        _ => return None,
    };
    Some(Route::OAuth(action))
}

fn owners(rest: &[&str]) -> Option<Route> {
    match rest {
        [] => Some(Route::Owners(None)),
        [id] => Some(Route::Owners(Some((*id).to_owned()))),
        _ => None,
    }
}

fn account_info(version: &str, rest: &[&str]) -> Option<Route> {
    match rest {
        ["details"] => Some(Route::AccountDetails {
            with_name: version == "2026-09",
        }),
        ["api-usage", "daily", "private-apps"] => Some(Route::ApiUsage),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles_name_the_same_endpoint() {
        for (dated, older) in [
            ("/crm/objects/2026-09/0-3/7", "/crm/v3/objects/0-3/7"),
            (
                "/crm/objects/2026-09/contacts/search",
                "/crm/v3/objects/contacts/search",
            ),
            ("/crm/owners/2026-09", "/crm/v3/owners/"),
            ("/crm/objects/2026-09/deals/merge", "/crm/v3/objects/deals/merge"),
            (
                "/crm/objects/2026-09/deals/7/associations/contacts/8",
                "/crm/v4/objects/deals/7/associations/contacts/8",
            ),
            (
                "/crm/associations/2026-09/deals/contacts/batch/labels/archive",
                "/crm/v4/associations/deals/contacts/batch/labels/archive",
            ),
            (
                "/crm/properties/2026-09/deals/amount",
                "/crm/v3/properties/deals/amount",
            ),
            (
                "/crm/pipelines/2026-09/deals/1/stages/2",
                "/crm/v3/pipelines/deals/1/stages/2",
            ),
            (
                "/crm-object-schemas/2026-09/schemas/2-7",
                "/crm-object-schemas/v3/schemas/2-7",
            ),
        ] {
            assert!(Route::parse(dated).is_some(), "{dated}");
            assert_eq!(Route::parse(dated), Route::parse(older), "{dated}");
        }
    }

    #[test]
    fn a_segment_is_decoded_after_the_path_is_split() {
        let route = Route::parse("/crm/v3/objects/contacts/a%2Fb%40c.example");
        let action = ObjectAction::Record("a/b@c.example".to_owned());
        let kind = "contacts".to_owned();
        assert_eq!(route, Some(Route::Objects { kind, action }));
    }

    #[test]
    fn labels_are_found_under_both_v4_paths() {
        let one = Route::parse("/crm/v4/associations/deals/contacts/labels");
        assert!(one.is_some());
        assert_eq!(one, Route::parse("/crm/associations/v4/deals/contacts/labels"));
    }

    #[test]
    fn other_versions_are_nowhere() {
        assert_eq!(Route::parse("/crm/objects/2027-03/contacts"), None);
        assert_eq!(Route::parse("/crm/v9/objects/contacts"), None);
        assert_eq!(Route::parse("/crm/v4/objects/contacts/7"), None);
        assert_eq!(
            Route::parse("/crm/v3/objects/contacts/7/associations/deals"),
            None
        );
    }
}
