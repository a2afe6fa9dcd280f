//! Paths: which endpoint a path names, in the dated style and in the v3 style.

use percent_encoding::percent_decode_str;

use crate::oauth::OAuthAction;
use crate::objects::kind::ObjectType;

/// The dated versions that are served. The account's name is told from the last one on.
const DATED: [&str; 3] = ["2025-09", "2026-03", "2026-09"];

/// An endpoint.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// Records of one type.
    Objects { kind: ObjectType, action: ObjectAction },
    /// Records of a type that does not exist.
    UnknownObjects(String),
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
            ["crm", "objects", version, rest @ ..] if DATED.contains(version) => objects(rest),
            ["crm", "v3", "objects", rest @ ..] => objects(rest),
            ["crm", "owners", version, rest @ ..] if DATED.contains(version) => owners(rest),
            ["crm", "v3", "owners", rest @ ..] => owners(rest),
            ["account-info", version, rest @ ..] if *version == "v3" || DATED.contains(version) => {
                account_info(version, rest)
            }
            ["oauth", "v2", "private-apps", "get", "access-token-info"] => Some(Self::TokenInfo),
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

fn objects(rest: &[&str]) -> Option<Route> {
    let (name, rest) = rest.split_first()?;
    let action = match rest {
        [] => ObjectAction::Collection,
        ["search"] => ObjectAction::Search,
        ["batch", action] => ObjectAction::Batch(batch(action)?),
        [id] => ObjectAction::Record((*id).to_owned()),
        _ => return None,
    };
    Some(match ObjectType::parse(name) {
        Some(kind) => Route::Objects { kind, action },
        None => Route::UnknownObjects((*name).to_owned()),
    })
}

fn batch(action: &str) -> Option<BatchAction> {
    match action {
        "read" => Some(BatchAction::Read),
        "create" => Some(BatchAction::Create),
        "update" => Some(BatchAction::Update),
        "upsert" => Some(BatchAction::Upsert),
        "archive" => Some(BatchAction::Archive),
        _ => None,
    }
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
        for (dated, v3) in [
            ("/crm/objects/2026-09/0-3/7", "/crm/v3/objects/deals/7"),
            (
                "/crm/objects/2026-09/contacts/search",
                "/crm/v3/objects/contacts/search",
            ),
            ("/crm/owners/2026-09", "/crm/v3/owners/"),
        ] {
            assert!(Route::parse(dated).is_some());
            assert_eq!(Route::parse(dated), Route::parse(v3));
        }
    }

    #[test]
    fn a_segment_is_decoded_after_the_path_is_split() {
        let route = Route::parse("/crm/v3/objects/contacts/a%2Fb%40c.example");
        let action = ObjectAction::Record("a/b@c.example".to_owned());
        assert_eq!(
            route,
            Some(Route::Objects {
                kind: ObjectType::Contacts,
                action
            })
        );
    }

    #[test]
    fn other_versions_are_nowhere() {
        assert_eq!(Route::parse("/crm/objects/2027-03/contacts"), None);
        assert_eq!(Route::parse("/crm/v9/objects/contacts"), None);
    }
}
