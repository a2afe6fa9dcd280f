//! One builder for both shapes of HubSpot's paths. It keeps the template, which is recorded, apart from the exact
//! path, which is sent: ids of records may be personal data.

use thiserror::Error;
use url::Url;

use crate::config::ApiVersion;

/// A segment that could leave its place in the path.
#[derive(Debug, Error)]
#[error("an id that is empty, '.' or '..' cannot stand in a path")]
pub(crate) struct UnsafeSegment;

/// A path to HubSpot, with its template.
#[derive(Clone, Debug)]
pub struct Path {
    template: String,
    segments: Vec<String>,
}

impl Path {
    /// Records of a type: `/crm/objects/2026-09/contacts`, or `/crm/v3/objects/contacts`.
    pub fn objects(version: ApiVersion, object_type: &str) -> Self {
        let start: &[&str] = match version {
            ApiVersion::V2026_09 => &["crm", "objects", "2026-09"],
            ApiVersion::V3 => &["crm", "v3", "objects"],
        };
        Self::fixed(start).then(object_type)
    }

    /// What a record is associated with, of one type: `/crm/objects/2026-09/contacts/{id}/associations/companies`, or
    /// `/crm/v4/objects/…`: the older shape of associations is v4.
    pub fn associations(version: ApiVersion, from_type: &str, from_id: &str, to_type: &str) -> Self {
        let from = Self::fixed(records_that_are_associated(version));
        from.then(from_type)
            .then_id(from_id)
            .then("associations")
            .then(to_type)
    }

    /// The association without a label between two records.
    pub fn default_association(version: ApiVersion, from: (&str, &str), to: (&str, &str)) -> Self {
        let ((from_type, from_id), (to_type, to_id)) = (from, to);
        let between = Self::associations(version, from_type, from_id, "default");
        between.then(to_type).then_id(to_id)
    }

    /// All associations from one type to another: `/crm/associations/2026-09/contacts/companies`, or
    /// `/crm/v4/associations/…`.
    pub fn associations_between(version: ApiVersion, from_type: &str, to_type: &str) -> Self {
        let start: &[&str] = match version {
            ApiVersion::V2026_09 => &["crm", "associations", "2026-09"],
            ApiVersion::V3 => &["crm", "v4", "associations"],
        };
        Self::fixed(start).then(from_type).then(to_type)
    }

    /// The properties that records of a type have.
    pub fn properties(version: ApiVersion, object_type: &str) -> Self {
        match version {
            ApiVersion::V2026_09 => Self::fixed(&["crm", "properties", "2026-09"]).then(object_type),
            ApiVersion::V3 => Self::fixed(&["crm", "v3", "properties"]).then(object_type),
        }
    }

    /// The pipelines that records of a type move through.
    pub fn pipelines(version: ApiVersion, object_type: &str) -> Self {
        match version {
            ApiVersion::V2026_09 => Self::fixed(&["crm", "pipelines", "2026-09"]).then(object_type),
            ApiVersion::V3 => Self::fixed(&["crm", "v3", "pipelines"]).then(object_type),
        }
    }

    /// The types that an account has made for itself.
    pub fn schemas(version: ApiVersion) -> Self {
        Self::fixed(&["crm-object-schemas", version.name(), "schemas"])
    }

    /// Owners.
    pub fn owners(version: ApiVersion) -> Self {
        match version {
            ApiVersion::V2026_09 => Self::fixed(&["crm", "owners", "2026-09"]),
            ApiVersion::V3 => Self::fixed(&["crm", "v3", "owners"]),
        }
    }

    /// The details of the account that a token belongs to.
    pub fn account_details(version: ApiVersion) -> Self {
        match version {
            ApiVersion::V2026_09 => Self::fixed(&["account-info", "2026-09", "details"]),
            ApiVersion::V3 => Self::fixed(&["account-info", "v3", "details"]),
        }
    }

    /// How many calls all private apps of the account have made today.
    pub fn daily_usage(version: ApiVersion) -> Self {
        match version {
            ApiVersion::V2026_09 => {
                Self::fixed(&["account-info", "2026-09", "api-usage", "daily", "private-apps"])
            }
            ApiVersion::V3 => Self::fixed(&["account-info", "v3", "api-usage", "daily", "private-apps"]),
        }
    }

    /// What a private app's token, or a service key, may do. HubSpot has no dated version of it.
    pub fn token_info() -> Self {
        Self::fixed(&["oauth", "v2", "private-apps", "get", "access-token-info"])
    }

    /// What gives access tokens of OAuth apps.
    pub fn oauth_token(version: ApiVersion) -> Self {
        Self::fixed(&["oauth", version.name(), "token"])
    }

    fn fixed(segments: &[&str]) -> Self {
        let template = segments.iter().map(|segment| format!("/{segment}")).collect();
        Self {
            template,
            segments: segments.iter().map(|segment| (*segment).to_owned()).collect(),
        }
    }

    /// The same path and one more segment that names no record.
    #[must_use]
    pub fn then(mut self, segment: &str) -> Self {
        self.template.push('/');
        self.template.push_str(segment);
        self.segments.push(segment.to_owned());
        self
    }

    /// The same path and the id of a record, which the template leaves out.
    #[must_use]
    pub fn then_id(mut self, id: &str) -> Self {
        self.template.push_str("/{id}");
        self.segments.push(id.to_owned());
        self
    }

    /// The path as it is recorded.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// The path as it is sent, for what is sealed beside a record.
    pub(crate) fn exact(&self) -> String {
        // The host plays no part.
        let address = Url::parse("http://localhost").ok();
        let address = address.and_then(|base| self.on(&base).ok());
        address
            .map(|address| address.path().to_owned())
            .unwrap_or_default()
    }

    /// The whole address, each segment escaped.
    pub(crate) fn on(&self, base: &Url) -> Result<Url, UnsafeSegment> {
        let unsafe_segment = |segment: &String| matches!(segment.as_str(), "" | "." | "..");
        if self.segments.iter().any(unsafe_segment) {
            return Err(UnsafeSegment);
        }
        let mut address = base.clone();
        address
            .path_segments_mut()
            .map_err(|()| UnsafeSegment)?
            .pop_if_empty()
            .extend(&self.segments);
        Ok(address)
    }
}

const fn records_that_are_associated(version: ApiVersion) -> &'static [&'static str] {
    match version {
        ApiVersion::V2026_09 => &["crm", "objects", "2026-09"],
        ApiVersion::V3 => &["crm", "v4", "objects"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        Url::parse("https://api.hubapi.com").expect("a URL")
    }

    #[test]
    fn both_shapes_come_from_one_builder() {
        let path = |version| Path::objects(version, "contacts").then_id("7");
        let dated = path(ApiVersion::V2026_09);
        assert_eq!(
            dated.on(&base()).expect("safe").path(),
            "/crm/objects/2026-09/contacts/7"
        );
        assert_eq!(dated.template(), "/crm/objects/2026-09/contacts/{id}");
        assert_eq!(dated.exact(), "/crm/objects/2026-09/contacts/7");
        assert_eq!(
            path(ApiVersion::V3).on(&base()).expect("safe").path(),
            "/crm/v3/objects/contacts/7"
        );
    }

    #[test]
    fn what_stands_between_two_ids_is_recorded_and_the_ids_are_not() {
        use ApiVersion::{V3, V2026_09};
        let path = |path: Path| (path.on(&base()).expect("safe").path().to_owned(), path.template);
        let list = |version| path(Path::associations(version, "contacts", "71", "companies").then_id("82"));
        let default = |version| {
            path(Path::default_association(
                version,
                ("contacts", "71"),
                ("companies", "82"),
            ))
        };
        let table = [
            (
                list(V2026_09),
                "/crm/objects/2026-09/contacts/{id}/associations/companies/{id}",
            ),
            (
                list(V3),
                "/crm/v4/objects/contacts/{id}/associations/companies/{id}",
            ),
            (
                default(V2026_09),
                "/crm/objects/2026-09/contacts/{id}/associations/default/companies/{id}",
            ),
            (
                default(V3),
                "/crm/v4/objects/contacts/{id}/associations/default/companies/{id}",
            ),
        ];
        for ((sent, recorded), expected) in table {
            assert_eq!(recorded, expected);
            assert_eq!(sent, expected.replacen("{id}", "71", 1).replacen("{id}", "82", 1));
        }
    }

    #[test]
    fn every_door_has_both_shapes() {
        use ApiVersion::{V3, V2026_09};
        let table = [
            (
                Path::associations_between(V2026_09, "a", "b"),
                "/crm/associations/2026-09/a/b",
            ),
            (
                Path::associations_between(V3, "a", "b"),
                "/crm/v4/associations/a/b",
            ),
            (Path::properties(V2026_09, "a"), "/crm/properties/2026-09/a"),
            (Path::properties(V3, "a"), "/crm/v3/properties/a"),
            (Path::pipelines(V2026_09, "a"), "/crm/pipelines/2026-09/a"),
            (Path::pipelines(V3, "a"), "/crm/v3/pipelines/a"),
            (Path::schemas(V2026_09), "/crm-object-schemas/2026-09/schemas"),
            (Path::schemas(V3), "/crm-object-schemas/v3/schemas"),
            (Path::owners(V2026_09), "/crm/owners/2026-09"),
            (Path::owners(V3), "/crm/v3/owners"),
        ];
        for (path, expected) in table {
            assert_eq!(path.template(), expected);
        }
    }

    #[test]
    fn an_id_cannot_leave_its_segment() {
        let address = |id: &str| Path::objects(ApiVersion::V3, "contacts").then_id(id).on(&base());
        assert_eq!(
            address("../owners?x#y").expect("escaped").as_str(),
            "https://api.hubapi.com/crm/v3/objects/contacts/..%2Fowners%3Fx%23y"
        );
        for bad in ["", ".", ".."] {
            assert!(address(bad).is_err(), "{bad:?}");
        }
    }
}
