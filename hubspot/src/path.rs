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
        assert_eq!(
            path(ApiVersion::V3).on(&base()).expect("safe").path(),
            "/crm/v3/objects/contacts/7"
        );
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
