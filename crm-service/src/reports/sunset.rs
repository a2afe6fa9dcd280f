//! Which of HubSpot's interfaces that end were used.
//!
//! The dates are HubSpot's own announcements as of November 2026: numbered versions 1 to 3 are unsupported from September
//! 2027, version 4 from 2027-03-30, OAuth version 1 from 2027-02-16, pipelines version 1 from 2026-12-04; a dated version is
//! supported for 18 months.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use hubkeep_proto::credential::v1::CredentialKind;

use super::{
    counted::counted,
    error::Error,
    page::{Page, number, words},
    source::Source,
    tally::{Line, written},
};

/// What a report of interfaces that end says.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Body {
    interfaces: Vec<Interface>,
    credentials: Vec<Credential>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Interface {
    /// Which of the two services asked.
    service: &'static str,
    method: String,
    /// With ids left out.
    path: String,
    version: String,
    /// The day from which HubSpot does not support it; empty where none is known.
    unsupported_from: String,
    requests: u64,
    last_used: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Credential {
    name: String,
    kind: String,
    /// The day from which HubSpot does not support tokens of this kind; empty where none is known.
    unsupported_from: String,
    replaced_by: String,
}

/// The page and the JSON of it.
pub(super) async fn report(source: &mut Source) -> Result<(Page, Value), Error> {
    let tally = counted(source).await?.tally;
    let ours = tally.paths.iter().map(|used| interface("crm-service", used));
    let theirs = tally.their_paths.iter();
    let theirs = theirs.map(|used| interface("credential-service", used));
    let mut interfaces: Vec<Interface> = ours.chain(theirs).collect();
    // What ends first stands first; what does not end, last.
    interfaces.sort_by_key(|one| (one.unsupported_from.is_empty(), one.unsupported_from.clone()));
    let body = Body {
        interfaces,
        credentials: credentials(source),
    };
    Ok((page(&body), serde_json::to_value(body)?))
}

fn interface(service: &'static str, ((method, path), line): (&(String, String), &Line)) -> Interface {
    let version = version(path);
    Interface {
        service,
        method: method.clone(),
        path: path.clone(),
        unsupported_from: ends(&version, path)
            .map(|day| day.to_string())
            .unwrap_or_default(),
        version,
        requests: line.counts.requests,
        last_used: line.seen.map(|seen| written(seen.last)).unwrap_or_default(),
    }
}

/// "2026-09", "v3", or empty.
fn version(path: &str) -> String {
    let is_version = |part: &&str| is_dated(part) || is_numbered(part);
    path.split('/').find(is_version).unwrap_or_default().to_owned()
}

fn is_dated(part: &str) -> bool {
    let shape = |byte: (usize, u8)| match byte.0 {
        4 => byte.1 == b'-',
        _ => byte.1.is_ascii_digit(),
    };
    part.len() == 7 && part.bytes().enumerate().all(shape)
}

fn is_numbered(part: &str) -> bool {
    part.strip_prefix('v')
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The day from which HubSpot does not support a version.
fn ends(version: &str, path: &str) -> Option<Date> {
    let day = |year, month, day| Date::new(year, month, day).ok();
    match version {
        "v1" if path.starts_with("/oauth/") => day(2027, 2, 16),
        "v1" if path.contains("/pipelines/") => day(2026, 12, 4),
        "v1" | "v2" | "v3" => day(2027, 9, 1),
        "v4" => day(2027, 3, 30),
        dated if is_dated(dated) => {
            let (year, month) = dated.split_once('-')?;
            let begun = Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
            begun.checked_add(jiff::Span::new().months(18)).ok()
        }
        _ => None,
    }
}

fn credentials(source: &Source) -> Vec<Credential> {
    let kind = |kind: CredentialKind| match kind {
        CredentialKind::PrivateApp => ("private app", "2027-09-01", "a service key"),
        CredentialKind::ServiceKey => ("service key", "", ""),
        CredentialKind::Oauth => ("OAuth app", "", ""),
        CredentialKind::Unspecified => ("not known", "", ""),
    };
    source
        .portal()
        .credentials
        .iter()
        .map(|credential| {
            let (kind, unsupported_from, replaced_by) = kind(credential.credential_kind());
            Credential {
                name: credential.credential_name.clone(),
                kind: kind.to_owned(),
                unsupported_from: unsupported_from.to_owned(),
                replaced_by: replaced_by.to_owned(),
            }
        })
        .collect()
}

fn page(body: &Body) -> Page {
    let mut page = Page::default();
    page.drawn(
        6,
        "Interfaces used",
        "What ends first stands first. A dated version is supported for 18 months.",
        vec![
            words("Path"),
            words("Method"),
            words("By"),
            words("Version"),
            words("Unsupported from"),
            words("Last used"),
            number("Requests"),
        ],
        body.interfaces
            .iter()
            .map(|one| {
                vec![
                    one.path.clone(),
                    one.method.clone(),
                    one.service.to_owned(),
                    one.version.clone(),
                    one.unsupported_from.clone(),
                    one.last_used.clone(),
                    one.requests.to_string(),
                ]
            })
            .collect(),
    );
    page.section(
        "Tokens",
        "Kinds of tokens that end too.",
        vec![
            words("Credential"),
            words("Kind"),
            words("Unsupported from"),
            words("Replaced by"),
        ],
        body.credentials
            .iter()
            .map(|one| {
                vec![
                    one.name.clone(),
                    one.kind.clone(),
                    one.unsupported_from.clone(),
                    one.replaced_by.clone(),
                ]
            })
            .collect(),
    );
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_ends_when_hubspot_says() {
        for (path, version_of_it, ends_on) in [
            ("/crm/objects/2026-09/contacts/{id}", "2026-09", "2028-03-01"),
            ("/crm/v3/objects/contacts", "v3", "2027-09-01"),
            (
                "/crm/v4/objects/contacts/{id}/associations/companies",
                "v4",
                "2027-03-30",
            ),
            ("/oauth/v1/token", "v1", "2027-02-16"),
            ("/oauth/v2/private-apps/get/access-token-info", "v2", "2027-09-01"),
            ("/crm-pipelines/v1/pipelines/{id}", "v1", "2026-12-04"),
        ] {
            assert_eq!(version(path), version_of_it, "{path}");
            let day = ends(&version(path), path).map(|day| day.to_string());
            assert_eq!(day.as_deref(), Some(ends_on), "{path}");
        }
        assert_eq!(version("/some/thing"), "");
    }
}
